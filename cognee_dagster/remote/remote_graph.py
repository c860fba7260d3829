"""A graph as a remote shows it, and who takes its rows as they come."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import msgspec


class RemoteNode(msgspec.Struct, frozen=True):
    """A node as the remote shows it.

    Attributes:
        id: Its id.
        label: Its name, or ``<type>_<id>`` without one.
        type: Its type.
        stored: Its properties as JSON: as values they would take several times the memory.
    """

    id: str
    label: str = ""
    type: str = ""
    stored: bytes = b"{}"

    @property
    def properties(self) -> dict[str, Any]:
        """Its properties; none where they make no sense."""
        try:
            return msgspec.json.decode(self.stored, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return {}


class RemoteEdge(NamedTuple):
    """An edge as the remote shows it: ``label`` is the relationship."""

    source: str
    target: str
    label: str = ""


class GraphRows(Protocol):
    """Takes a remote graph, row by row. What it makes of them decides how much memory a remote can take.

    Raises:
        ValueError: That is more than it holds; with what it is.
    """

    def node(self, node: RemoteNode, /) -> None:
        """A node."""

    def edge(self, edge: RemoteEdge, /) -> None:
        """An edge; all nodes have come."""


@dataclass(frozen=True)
class RemoteGraph:
    """A dataset's whole graph (``GET /api/v1/datasets/{id}/graph``), the only correct count over HTTP.

    Attributes:
        nodes: Its nodes.
        edges: Its edges.
        skipped: How many of both made no sense.
        problem: What is wrong with the first of those.
    """

    nodes: tuple[RemoteNode, ...]
    edges: tuple[RemoteEdge, ...]
    skipped: int = 0
    problem: str = ""

    def node_ids(self) -> set[str]:
        """The ids of all nodes."""
        return {node.id for node in self.nodes}

    def triples(self) -> set[tuple[str, str, str]]:
        """All edges as (source, label, target)."""
        return {(edge.source, edge.label, edge.target) for edge in self.edges}
