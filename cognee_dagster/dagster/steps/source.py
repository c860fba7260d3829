"""Where the graph of a ``CogneeDataset`` comes from: a local Cognee, an asset's NetworkX graph, or a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cognee_dagster import sources
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.resources import LocalCognee
from cognee_dagster.graph.source import FoundGraph
from cognee_dagster.sources.remote_files import is_url, local_path

if TYPE_CHECKING:
    from cognee_dagster.graph.reader import GraphReader


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
