"""Where the graph of a ``CogneeDataset`` comes from: a local Cognee, an asset's NetworkX graph, or a file."""

import glob
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cognee_dagster import sources
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.resources import LocalCognee
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.graph.source import FoundGraph
from cognee_dagster.sources.remote_files import is_url, local_path

if TYPE_CHECKING:
    from cognee_dagster.graph.reader import GraphReader
    from cognee_dagster.sources.cognee.documents import DocumentsReport


def find_graph(dataset: CogneeDataset, *, local: LocalCognee | None, graph: Any = None) -> FoundGraph:
    """The dataset's graph, ready to be opened.

    Args:
        dataset: Whose graph.
        local: The local Cognee; needed where ``dataset.graph`` is None.
        graph: The NetworkX graph that the asset named by ``dataset.graph`` returned.
    """
    if dataset.graph_asset is not None:
        return FoundGraph(open=partial(_networkx_graph, dataset, graph))
    if dataset.graph is not None:
        place = str(dataset.graph)
        if is_url(place):
            return FoundGraph(open=partial(_graph_file, dataset, place))
        return FoundGraph(open=partial(_graph_file, dataset, place), file=local_path(place))
    assert local is not None  # noqa: S101 - the assets require the resource
    config, user = local.config(), local.user_for(dataset.user)
    name = (
        dataset.name
        if isinstance(dataset.name, UUID)
        else sources.parse_dataset(dataset.name, user=user, config=config)
    )
    return sources.find_dataset(name, user=user, config=config)


def add_documents(dataset: CogneeDataset, *, local: LocalCognee) -> "DocumentsReport":
    """Add the dataset's documents to the local Cognee, and cognify it if anything is new.

    Raises:
        DatasetDefinitionError: A pattern matches no file.
        LocalCogneeError: Cognee could not add or cognify them.
    """
    return sources.add_documents(
        dataset.name, find_documents(dataset), user=local.user_for(dataset.user), config=local.config()
    )


def find_documents(dataset: CogneeDataset) -> list[Path]:
    """The files that the dataset's patterns match, each once, in a stable order.

    Raises:
        DatasetDefinitionError: A pattern matches no file; most often the step runs in another directory than meant.
    """
    found: dict[Path, None] = {}
    for pattern in dataset.documents:
        matches = [Path(match).absolute() for match in glob.glob(str(Path(pattern).expanduser()), recursive=True)]
        files = sorted(match for match in matches if match.is_file())
        if not files:
            raise DatasetDefinitionError(
                f"Dataset {str(dataset.name)!r}: the documents pattern {pattern!r} matches no file (looked in "
                f"{Path.cwd()}). Correct the pattern, or use an absolute one."
            )
        found.update(dict.fromkeys(files))
    return list(found)


@contextmanager
def _networkx_graph(dataset: CogneeDataset, graph: Any) -> Iterator["GraphReader"]:
    yield sources.from_networkx(
        graph, dataset_name=str(dataset.name), mapping=dataset.graph_mapping, profile=dataset.profile
    )


@contextmanager
def _graph_file(dataset: CogneeDataset, path: str) -> Iterator["GraphReader"]:
    yield sources.open_graph_file(
        path, dataset_name=str(dataset.name), mapping=dataset.graph_mapping, profile=dataset.profile
    )
