"""Leave no empty dataset behind where a server refuses what was to be in it."""

import contextlib
import logging
from collections.abc import Iterator

from cognee_dagster.errors import RemoteError, RemoteRejectedError
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.imports.run_times import run_times
from cognee_dagster.remote.imports.vocabulary import IMPORT_PIPELINE

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def undone_if_refused(client: CogneeClient, target: str, *, is_needed: bool) -> Iterator[None]:
    """Inside it a dataset may be made; it is deleted again if the archive is refused (415) and nothing is in it, and
    nobody is about to put anything there.

    That is how a server refuses documents that belong to another of its datasets, which cannot be known before: that
    one may be another user's.

    Args:
        client: The remote.
        target: The dataset's name.
        is_needed: Whether the archive keeps its documents' ids, so that it may be refused for them.
    """
    if not is_needed or _is_there(client, target) is not False:
        yield
        return
    try:
        yield
    except RemoteRejectedError as refused:
        if refused.status == 415:
            _delete_empty(client, target)
        raise


def _is_there(client: CogneeClient, target: str) -> bool | None:
    """None where the remote does not let us see that."""
    try:
        return any(dataset.name == target for dataset in client.datasets())
    except RemoteError:
        return None


def _is_anybody_at_work(client: CogneeClient, dataset_id: str) -> bool:
    """Whether another upload is seen to have used the same new dataset: ours was refused before its import began.

    One whose first row is still to come is not seen; a server deletes nothing on condition.
    """
    runs = run_times(client.runs(pipeline_name=None, dataset_id=dataset_id))
    return any(run.pipeline == IMPORT_PIPELINE or run.ended is None for run in runs)


def _delete_empty(client: CogneeClient, target: str) -> None:
    try:
        made = client.find_dataset(target)
        if made is None or next(client.data(made.id), None) is not None or client.graph_size(made.id)[0]:
            return
        if _is_anybody_at_work(client, made.id):
            return
        client.delete_dataset(made.id)
        logger.info("The dataset %r on %s was made for this push, and is deleted again", target, client.connection.url)
    except RemoteError as error:
        logger.warning("The empty dataset %r, made for this push, could not be deleted again: %s", target, error)
