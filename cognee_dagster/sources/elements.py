"""Nodes and edges as a graph file or graph object holds them, before they are mapped to what Cognee knows."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol


class Node(NamedTuple):
    """A node of a foreign graph.

    Attributes:
        key: What the graph itself calls it.
        attributes: Everything else that it says.
        place: Where it stands, for error messages: ``line 7``; empty where there is nothing to say.
        cognee_type: Cognee's own type, where the source knows it: ``DocumentChunk``.
    """

    key: Any
    attributes: Mapping[Any, Any]
    place: str = ""
    cognee_type: str | None = None

    def __str__(self) -> str:
        return f"Node {self.key!r}" + (f" ({self.place})" if self.place else "")


class Edge(NamedTuple):
    """An edge of a foreign graph.

    Attributes:
        source: Key of the node where it starts.
        target: Key of the node where it ends.
        attributes: Everything else that it says.
        key: The key of a multigraph's edge; a string is the relationship's name where no attribute says one.
        place: Where it stands, for error messages.
        cognee_relationship: Cognee's own name of it, where the source knows it: ``contains``.
    """

    source: Any
    target: Any
    attributes: Mapping[Any, Any]
    key: Any = None
    place: str = ""
    cognee_relationship: str | None = None

    def __str__(self) -> str:
        return f"Edge {self.source!r} -> {self.target!r}" + (f" ({self.place})" if self.place else "")


class ElementSource(Protocol):
    """A foreign graph. ``nodes()`` and ``edges()`` may each be called more than once."""

    @property
    def hints(self) -> frozenset[str]:
        """What the graph shows of who made it, beside its attributes: ``gexf``, ``yfiles`` …"""
        ...

    def num_elements(self) -> int:
        """How many nodes and edges it holds, counted without making them.

        What is derived from an element, such as that a text contains a node, is none of its own.
        """
        ...

    def nodes(self) -> Iterator[Node]: ...

    def edges(self) -> Iterator[Edge]: ...
