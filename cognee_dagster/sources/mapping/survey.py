"""One look at a whole graph before it is mapped: is it sound, and which attributes does it have?"""

from array import array
from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.elements import Edge, ElementSource, Node
from cognee_dagster.sources.mapping.attributes import as_text
from cognee_dagster.sources.mapping.ids import checked_id
from cognee_dagster.sources.mapping.room import Room


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a graph holds.

    Attributes:
        num_edges: Number of edges.
        node_attributes: How many nodes have an attribute, by its name.
        edge_attributes: How many edges have an attribute, by its name.
        has_parallel_edges: Whether two edges go from one node to the same other one.
    """

    num_edges: int
    node_attributes: dict[str, int]
    edge_attributes: dict[str, int]
    has_parallel_edges: bool = False


def survey(source: ElementSource, *, room: Room) -> Survey:
    """Look at every node and edge once; attributes of another name take room.

    Raises:
        GraphFileError: Two nodes would be one in Cognee, an edge ends at a node that the graph does not have, not every
            element that the source holds was read, or there is no room for the names.
    """
    ids: set[bytes] = set()
    nodes: Counter[Any] = Counter()
    edges: Counter[Any] = Counter()
    num_derived = 0
    pairs = array("q")
    for node in source.nodes():
        identity = _bytes(checked_id(node.key))
        if identity in ids:
            _refuse_twin(source, node)
        ids.add(identity)
        _count(node, nodes, room)
    for edge in source.edges():
        ends = checked_id(edge.source), checked_id(edge.target)
        for key, end in zip((edge.source, edge.target), ends, strict=True):
            if _bytes(end) not in ids:
                raise GraphFileError(
                    f"{edge} has a link to node {key!r}, which is not among the nodes. Add it, or remove the edge."
                )
        pairs.append(hash(ends))
        num_derived += edge.cognee_relationship is not None
        _count(edge, edges, room)
    _check_whole(source, read=len(ids) + len(pairs) - num_derived)
    return Survey(
        num_edges=len(pairs),
        node_attributes=_as_text(nodes),
        edge_attributes=_as_text(edges),
        has_parallel_edges=_has_twins(pairs),
    )


def _check_whole(source: ElementSource, *, read: int) -> None:
    if read != (held := source.num_elements()):
        raise GraphFileError(
            f"holds {held} nodes and edges, of which {read} were read. Read it again if somebody is writing it; if "
            "nobody is, it is of a kind that this package does not know, and a defect to report."
        )


def _has_twins(numbers: "array[int]") -> bool:
    in_order = np.sort(np.frombuffer(numbers, np.int64))
    return bool((in_order[1:] == in_order[:-1]).any())


def _refuse_twin(source: ElementSource, node: Node) -> None:
    identity = checked_id(node.key)
    first = next(other for other in source.nodes() if checked_id(other.key) == identity)
    places = f" ({first.place}, {node.place})" if node.place else ""
    raise GraphFileError(
        f"Nodes {first.key!r} and {node.key!r}{places} would be one node in Cognee. Rename one, or join them."
    )


def _count(element: Node | Edge, counts: Counter[Any], room: Room) -> None:
    for name in element.attributes:
        if name not in counts:
            room.add_kind("attribute", str(name))
        counts[name] += 1


def _as_text(names: Counter[Any]) -> dict[str, int]:
    return {as_text(name) if isinstance(name, str) else str(name): count for name, count in names.items()}


def _bytes(identity: str) -> bytes:
    return bytes.fromhex(identity.replace("-", "")) if len(identity) == 36 else UUID(identity).bytes
