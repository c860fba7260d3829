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
        description: The beginning of what it says of itself; only of a sample.
    """

    id: str
    name: str
    type: str
    degree: int = 0
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class PortraitEdge:
    """An edge as it is shown.

    Attributes:
        source: The id of its start.
        relationship: Its name.
        target: The id of its end.
        source_name: What its start is called, or its id; only of a sample.
        target_name: What its end is called, or its id; only of a sample.
    """

    source: str
    relationship: str
    target: str
    source_name: str = ""
    target_name: str = ""


@dataclass(frozen=True, kw_only=True)
class GraphPortrait:
    """What is shown of a graph.

    Attributes:
        nodes: Its most connected part, at most ``MAX_NODES``, the most connected first; without ends that are no nodes.
        edges: What connects them, at most ``MAX_EDGES``.
        sample_nodes: The first nodes.
        sample_edges: The first edge of each frequent relationship, and more of them where those are few.
        edges_looked_at: How many edges degrees were counted over.
    """

    nodes: tuple[PortraitNode, ...] = ()
    edges: tuple[PortraitEdge, ...] = ()
    sample_nodes: tuple[PortraitNode, ...] = ()
    sample_edges: tuple[PortraitEdge, ...] = ()
    edges_looked_at: int = 0
