"""What every source of a graph looks like: metadata, then Arrow batches of nodes, then Arrow batches of edges.

Arrow, because Ladybug hands it out without a copy and because whole columns can be encoded at once.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol

import pyarrow as pa

from cognee_dagster.graph.origin import GraphOrigin

__all__ = ["EDGE_SCHEMA", "NODE_SCHEMA", "GraphOrigin", "GraphReader", "GraphSummary", "Reopen"]

# ``properties`` is the JSON text of one object. A null ``name``/``type``/``properties`` means that the node has no such
# property. Where ``properties`` holds a key that is also a column, the object's value wins, as in Cognee's own reader.
NODE_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("type", pa.string()),
        pa.field("properties", pa.string()),
    ]
)
EDGE_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("target", pa.string(), nullable=False),
        pa.field("relationship", pa.string(), nullable=False),
        pa.field("properties", pa.string()),
    ]
)


Reopen = Callable[[], AbstractContextManager["GraphReader"]]


class GraphReader(Protocol):
    """One consistent look at one dataset's graph. ``nodes()`` and ``edges()`` may each be called more than once."""

    @property
    def origin(self) -> GraphOrigin: ...

    @property
    def reopen(self) -> Reopen | None:
        """Opens the same graph, unchanged, in another process, to which it can be sent with pickle.

        None where that is impossible or does not pay, or where edges cannot be written without knowing the nodes.
        """
        ...

    def nodes(self) -> Iterator[pa.RecordBatch]:
        """Batches of ``NODE_SCHEMA``, in an order that is the same each time the unchanged graph is read."""
        ...

    def edges(self) -> Iterator[pa.RecordBatch]:
        """Batches of ``EDGE_SCHEMA``, in a stable order; without Ladybug's synthetic ``SELF`` loops."""
        ...


@dataclass(frozen=True, kw_only=True)
class GraphSummary:
    """What one pass over a graph found.

    Attributes:
        digest: Content digest, 32 hex digits: equal for equal content whatever the order of rows, and blind to
            ``created_at``/``updated_at``. It is the Dagster data version.
        num_nodes: Number of nodes.
        num_edges: Number of edges, as ``cognee.export()`` counts them (``SELF`` loops are none).
        nodes_by_type: Node count by node type; nodes without a type count under ``""``.
        edges_by_relationship: Edge count by relationship name.
        entities_by_type: How many nodes each ``EntityType`` has, by its name, by edges ``is_a`` to it: of entities that
            is their type.
        dangling_edges: Number of edges with an end that is not a node of the graph.
        refused_nodes: Number of nodes because of which a Cognee server refuses the whole import.
        refused_examples: A few of them, each with the reason.
        dangling_examples: A few of them, as ``source -[relationship]-> target``.
        profile: Whose conventions a foreign graph follows; None for a graph of Cognee's own stores.
        attributes_left_behind: How many nodes and edges of a foreign graph have an attribute that does not arrive.
        as_nodes: What a foreign graph's nodes become; ``as_they_are`` where it speaks Cognee's own language.
    """

    digest: str
    num_nodes: int
    num_edges: int
    nodes_by_type: dict[str, int] = field(default_factory=dict)
    edges_by_relationship: dict[str, int] = field(default_factory=dict)
    entities_by_type: dict[str, int] = field(default_factory=dict, compare=False)
    dangling_edges: int = 0
    dangling_examples: tuple[str, ...] = ()
    refused_nodes: int = field(default=0, compare=False)
    refused_examples: tuple[str, ...] = field(default=(), compare=False)
    profile: str | None = field(default=None, compare=False)
    attributes_left_behind: dict[str, int] = field(default_factory=dict, compare=False)
    as_nodes: str | None = field(default=None, compare=False)

    def noting_mapping(self, reader: GraphReader) -> "GraphSummary":
        """The same, with what a reader of a foreign graph knows when the graph has been read."""
        return replace(
            self,
            profile=getattr(reader, "profile", None),
            attributes_left_behind=getattr(reader, "attributes_left_behind", {}),
            as_nodes=getattr(reader, "as_nodes", None),
        )
