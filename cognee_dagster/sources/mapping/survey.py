"""One look at a whole graph before it is mapped: is it sound, and which attributes does it have?"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.elements import Edge, ElementSource, Node
from cognee_dagster.sources.mapping.attributes import as_text
from cognee_dagster.sources.mapping.ids import checked_id


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a graph holds.

    Attributes:
        num_nodes: Number of nodes.
        num_edges: Number of edges.
        node_attributes: How many nodes have an attribute, by its name.
        edge_attributes: How many edges have an attribute, by its name.
    """

    num_nodes: int
    num_edges: int
    node_attributes: dict[str, int]
    edge_attributes: dict[str, int]


def survey(source: ElementSource) -> Survey:
    """Look at every node and edge once.

    Raises:
        GraphFileError: Two nodes would be one in Cognee, or an edge ends at a node that the graph does not have.
    """
    ids: set[bytes] = set()
    nodes: Counter[Any] = Counter()
    edges: Counter[Any] = Counter()
    num_edges = 0
    for node in source.nodes():
        identity = _bytes(checked_id(node.key))
        if identity in ids:
            _refuse_twin(source, node)
        ids.add(identity)
        nodes.update(_names(node))
    for edge in source.edges():
        for end in (edge.source, edge.target):
            if _bytes(checked_id(end)) not in ids:
                raise GraphFileError(
                    f"{edge} has a link to node {end!r}, which is not among the nodes. Add it, or remove the edge."
                )
        num_edges += 1
        edges.update(_names(edge))
    return Survey(
        num_nodes=len(ids), num_edges=num_edges, node_attributes=_as_text(nodes), edge_attributes=_as_text(edges)
    )


def _refuse_twin(source: ElementSource, node: Node) -> None:
    identity = checked_id(node.key)
    first = next(other for other in source.nodes() if checked_id(other.key) == identity)
    places = f" ({first.place}, {node.place})" if node.place else ""
    raise GraphFileError(
        f"Nodes {first.key!r} and {node.key!r}{places} would be one node in Cognee. Rename one, or join them."
    )


def _names(element: Node | Edge) -> Iterable[Any]:
    return tuple(element.attributes)  # a mapping would be counted with its values


def _as_text(names: Counter[Any]) -> dict[str, int]:
    return {as_text(name) if isinstance(name, str) else str(name): count for name, count in names.items()}


def _bytes(identity: str) -> bytes:
    return bytes.fromhex(identity.replace("-", "")) if len(identity) == 36 else UUID(identity).bytes
