"""A NetworkX graph in memory as a source of nodes and edges."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.elements import Edge, Node

if TYPE_CHECKING:
    import networkx as nx


class NetworkXGraph:
    """Reads a graph in memory, without copying it.

    Raises:
        GraphFileError: It is not a NetworkX graph.
    """

    hints: frozenset[str] = frozenset()

    def __init__(self, graph: "nx.Graph[Any]", *, dataset_name: str) -> None:
        if not all(hasattr(graph, name) for name in ("nodes", "edges", "is_multigraph", "is_directed")):
            raise GraphFileError(
                f"Dataset {dataset_name!r}: a NetworkX graph was expected, not a {type(graph).__qualname__}. "
                "Return a Graph, DiGraph, MultiGraph or MultiDiGraph."
            )
        self._graph = graph

    def num_elements(self) -> int:
        return int(self._graph.number_of_nodes() + self._graph.number_of_edges())

    def nodes(self) -> Iterator[Node]:
        for key, attributes in self._graph.nodes(data=True):
            yield Node(key, attributes)

    def edges(self) -> Iterator[Edge]:
        if self._graph.is_multigraph():
            for source, target, key, attributes in self._graph.edges(keys=True, data=True):
                yield Edge(source, target, attributes, key)
        else:
            for source, target, attributes in self._graph.edges(data=True):
                yield Edge(source, target, attributes)
