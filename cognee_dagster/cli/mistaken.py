"""What to say of a SOURCE that was taken for the name of a local dataset, and there is none."""

from pathlib import Path

from cognee_dagster.errors import CogneeDagsterError, GraphFileNotFoundError, StoreNotFoundError
from cognee_dagster.pushing.options import DEFAULT_DATASET
from cognee_dagster.sources.files import graphs_near
from cognee_dagster.sources.places import resembles_place
from cognee_dagster.sources.remote_files import local_path

_IF_A_DATASET_IS_MEANT = "If a dataset is meant, `cognee-dagster doctor` says where the local Cognee is looked for."


def no_such_source(text: str, error: CogneeDagsterError | None = None) -> CogneeDagsterError:
    """The error for a source that is neither a place nor a local dataset: what it was taken for, and what to do.

    Args:
        text: What the command line names.
        error: Why it is no dataset; None: it was not looked for.
    """
    if resembles_place(text) and not local_path(text).exists():
        has_no_store = isinstance(error, StoreNotFoundError)
        nor = "no local Cognee that could have a dataset" if has_no_store else "no local dataset"
        return GraphFileNotFoundError(
            f"There is no file or folder {text} (looked in {Path.cwd()}), and {nor} of that name."
            f"{graphs_near(text) or ' Correct the path.'}"
        )
    meant = if_a_path_is_meant(text)
    if error is None:
        return GraphFileNotFoundError(f"{text!r} was taken for the name of a local dataset.{meant}")
    if not meant and (not isinstance(error, StoreNotFoundError) or text == DEFAULT_DATASET):
        return error
    taken = f"{text!r} was taken for the name of a local dataset, and there is"
    if not isinstance(error, StoreNotFoundError):
        return type(error)(f"{taken} none.{meant} {error}")
    if meant:
        return type(error)(f"{taken} no local Cognee.{meant} {_IF_A_DATASET_IS_MEANT}")
    return type(error)(f"{taken} no local Cognee. A graph file or a folder is given by its path. {error}")


def if_a_path_is_meant(text: str) -> str:
    """How to write the path that is called so, or nearly so; empty where there is none."""
    path = local_path(text)
    if not path.exists():
        return graphs_near(text)
    return f" The {'folder' if path.is_dir() else 'file'} of that name is ./{path}: write it so."
