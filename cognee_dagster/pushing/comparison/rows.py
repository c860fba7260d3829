"""A remote graph held against what was sent, row by row as it comes.

What was sent is held, and nothing of the remote but what differs: ids and edges that only the remote has up to a bound,
and beyond it their number. So a remote that sends rows without end costs time, which has a limit of its own.
"""

from collections.abc import Hashable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Generic, TypeVar

from cognee_dagster import cogx
from cognee_dagster.pushing.comparison.difference import EXAMPLES, GraphComparison
from cognee_dagster.remote.remote_graph import RemoteEdge, RemoteNode

if TYPE_CHECKING:  # a code location loads this module, and should not wait for Arrow
    from collections.abc import Sequence

    from cognee_dagster.cogx.archive import Archive

_MAX_NAMES = 10_000  # of nodes that the remote lacks or has besides: all of them may be many
_MAX_TEXT = 300  # characters of what a remote calls a node or a property
_MAX_EXTRA_BYTES = 24 * 2**20

# What an id and an edge take in this process besides their characters (CPython 3.11, 64 bits).
_ID_BYTES = 130
_EDGE_BYTES = 350

_T = TypeVar("_T", bound=Hashable)


class SentGraph:
    """The nodes and edges that a remote should have, read from archives once.

    Args:
        archives: What was sent; their files are read.

    Attributes:
        nodes: What was sent, by the ids that the server gives it.
        edges: Those that facts become, and those that they imply, each with whether it was seen on the remote.
        ends: The ids of their ends: some are nodes by that alone.
        repeated_edges: How many edges are one with another.

    Raises:
        ArchiveError: An archive is damaged.
    """

    def __init__(self, archives: "Sequence[Archive]") -> None:
        sent = cogx.ImportedGraph([archive.path for archive in archives])
        self.nodes = cogx.SentNodes(sent.nodes())
        self.edges: dict[RemoteEdge, bool] = {}
        self.repeated_edges = 0
        known: dict[str, str] = {node_id: node_id for node_id in self.nodes}  # the one string for each
        for source, relationship, target in sent.facts():
            edge = _of_known((source, target, relationship), known)
            self.repeated_edges += edge in self.edges
            self.edges[edge] = False
        for source, relationship, target in sent.implied_edges():
            self.edges[_of_known((source, target, relationship), known)] = False
        self.ends = {end for edge in self.edges for end in (edge.source, edge.target)}


def _of_known(parts: tuple[str, str, str], known: dict[str, str]) -> RemoteEdge:
    return RemoteEdge(*(known.setdefault(part, part) for part in parts))


class ComparedRows:
    """Takes a remote graph and keeps how it differs from what was sent; one at a time of the same ``SentGraph``."""

    def __init__(self, sent: SentGraph) -> None:
        self._sent = sent
        self._missing_nodes = set(sent.nodes)
        for edge in sent.edges:  # a set of those that are missing would take as much memory again
            sent.edges[edge] = False
        self._other_names: dict[str, None] = {}
        self._other_values: dict[str, str] = {}
        self._extra_nodes = _Extra[str]()
        self._extra_edges = _Extra[RemoteEdge]()
        self._names: dict[str, str] = {}
        self._num_nodes = 0

    def node(self, node: RemoteNode) -> None:
        """Compare a node."""
        self._num_nodes += 1
        if node.id not in self._sent.nodes:
            if node.id not in self._sent.ends:
                self._extra_nodes.add(node.id, _ID_BYTES + 2 * len(node.id))
            self._note_name(node)
            return
        if node.id in self._missing_nodes:
            self._missing_nodes.discard(node.id)
        else:
            self._extra_nodes.more += 1  # a node that comes twice is one too many, whatever each of them is like
        is_named, what = self._sent.nodes.compare(node)
        if not is_named:
            self._other_names[node.id] = None
        if what:
            self._other_values[node.id] = what[:_MAX_TEXT]
        if not is_named or self._sent.nodes.name_of(node.id) is None:
            self._note_name(node)

    def edge(self, edge: RemoteEdge) -> None:
        """Compare an edge."""
        if edge in self._sent.edges:
            self._sent.edges[edge] = True
        else:
            self._extra_edges.add(edge, _EDGE_BYTES + 2 * sum(map(len, edge)))

    def comparison(self) -> GraphComparison:
        """How the graph differs, once all of it has come."""
        extra_edges = sorted(map(_triple, self._extra_edges))
        missing_edges = sorted(_triple(edge) for edge, is_there in self._sent.edges.items() if not is_there)
        found = (len(self._sent.edges) - len(missing_edges)) + len(extra_edges) + self._extra_edges.more
        missing_nodes = [node_id for node_id in self._sent.nodes if node_id in self._missing_nodes]
        return GraphComparison(
            missing_nodes=missing_nodes,
            missing_edges=missing_edges,
            other_names=list(self._other_names),
            other_values=self._other_values,
            extra_nodes=list(self._extra_nodes),
            extra_edges=extra_edges,
            more_extra_nodes=self._extra_nodes.more,
            more_extra_edges=self._extra_edges.more,
            names=self._all_names(missing_nodes, (missing_edges, extra_edges)),
            repeated_edges=self._sent.repeated_edges,
            num_nodes=self._num_nodes,
            num_edges=found,
        )

    def _note_name(self, node: RemoteNode) -> None:
        """What the remote calls it; without a name it makes one of the type and the id."""
        if node.label and len(self._names) < _MAX_NAMES and not node.label.endswith(node.id):
            self._names[node.id] = node.label[:_MAX_TEXT]

    def _all_names(self, missing: list[str], edges: tuple[list[tuple[str, str, str]], ...]) -> dict[str, str]:
        """Those of the remote, and of what it does not name those that were sent, for examples."""
        ends = (end for few in edges for edge in islice(few, EXAMPLES) for end in (edge[0], edge[2]))
        sent = chain(islice(missing, _MAX_NAMES), islice(self._other_values, EXAMPLES), ends)
        return {node_id: name for node_id in sent if (name := self._sent.nodes.name_of(node_id))} | self._names


class _Extra(Generic[_T]):
    """Distinct items, as many as fit; of all others only how often they came.

    Attributes:
        more: That number.
    """

    def __init__(self) -> None:
        self.more = 0
        self._held: dict[_T, None] = {}
        self._room = _MAX_EXTRA_BYTES

    def __iter__(self) -> Iterator[_T]:
        return iter(self._held)

    def add(self, item: _T, size: int) -> None:
        """Hold an item that takes so many bytes, if there is room for it."""
        if item in self._held:
            return
        if size > self._room:
            self.more += 1
            return
        self._room -= size
        self._held[item] = None


def _triple(edge: RemoteEdge) -> tuple[str, str, str]:
    return edge.source, edge.label, edge.target
