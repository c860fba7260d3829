"""What a person is shown of a graph: its most connected part, and a few of its nodes and edges."""

from dataclasses import dataclass

MAX_NODES = 40
MAX_EDGES = 120


@dataclass(frozen=True, kw_only=True)
class PortraitNode:
    """A node as it is shown.

    Attributes:
        id: Its id.
        name: Its name, or its id where it has none.
        type: Its type, or of a Cognee ``Entity`` the name of its ``EntityType``; empty if it has none.
        degree: How many of the edges that were looked at it has; 0 for a sample.
    """

    id: str
    name: str
    type: str
    degree: int = 0


@dataclass(frozen=True, kw_only=True)
class PortraitEdge:
    """An edge as it is shown: ids of its ends, and its relationship's name."""

    source: str
    relationship: str
    target: str


@dataclass(frozen=True, kw_only=True)
class GraphPortrait:
    """What is shown of a graph.

    Attributes:
        nodes: Its most connected part, at most ``MAX_NODES``, the most connected first; without ends that are no nodes.
        edges: What connects them, at most ``MAX_EDGES``.
        sample_nodes: The first nodes.
        sample_edges: The first edges.
        edges_looked_at: How many edges degrees were counted over.
    """

    nodes: tuple[PortraitNode, ...] = ()
    edges: tuple[PortraitEdge, ...] = ()
    sample_nodes: tuple[PortraitNode, ...] = ()
    sample_edges: tuple[PortraitEdge, ...] = ()
    edges_looked_at: int = 0
