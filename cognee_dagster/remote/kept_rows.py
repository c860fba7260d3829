"""What is kept of a remote graph's rows where they are not compared: all of them, within bounds, or their number."""

from cognee_dagster.remote.remote_graph import RemoteEdge, RemoteGraph, RemoteNode

MAX_HELD_BYTES = 128 * 2**20

# What a record takes in this process besides its texts (CPython 3.11, 64 bits).
_NODE_BYTES = 400
_EDGE_BYTES = 100


class HeldRows:
    """The whole graph, in as little memory as it takes.

    Args:
        max_bytes: How much memory that may be.
    """

    def __init__(self, *, max_bytes: int = MAX_HELD_BYTES) -> None:
        self._max_bytes = max_bytes
        self._held = 0
        self._nodes: list[RemoteNode] = []
        self._edges: list[RemoteEdge] = []
        self._known: dict[str, str] = {}

    def node(self, node: RemoteNode) -> None:
        """Hold a node.

        Raises:
            ValueError: The graph takes more memory than it may.
        """
        self._nodes.append(RemoteNode(self._one(node.id), node.label, self._one(node.type), node.stored))
        self._hold(_NODE_BYTES + len(node.label) + len(node.stored))

    def edge(self, edge: RemoteEdge) -> None:
        """Hold an edge.

        Raises:
            ValueError: The graph takes more memory than it may.
        """
        self._edges.append(RemoteEdge(self._one(edge.source), self._one(edge.target), self._one(edge.label)))
        self._hold(_EDGE_BYTES)

    def graph(self, *, skipped: int, problem: str) -> RemoteGraph:
        """What is held, and how many rows made no sense."""
        return RemoteGraph(tuple(self._nodes), tuple(self._edges), skipped, problem)

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > self._max_bytes:
            raise ValueError(f"a graph that takes more than {self._max_bytes:,} bytes of memory")

    def _one(self, text: str) -> str:
        """The one string for that text: ids come up in every edge."""
        found = self._known.setdefault(text, text)
        if found is text:
            self._held += 2 * len(text)
        return found


class CountedRows:
    """How many nodes and edges there are."""

    def __init__(self) -> None:
        self.num_nodes = 0
        self.num_edges = 0

    def node(self, _node: RemoteNode, /) -> None:
        """Count a node."""
        self.num_nodes += 1

    def edge(self, _edge: RemoteEdge, /) -> None:
        """Count an edge."""
        self.num_edges += 1
