"""How a remote graph differs from what was sent, as a value and in words."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.comparison.wording import such_as, with_name, with_names

EXAMPLES = 20  # of each kind, as many as anybody shows, have their names
_IN_WORDS = 5

_Triple = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class GraphComparison:
    """A remote graph held against what was sent.

    Attributes:
        missing_nodes: Ids that the remote lacks, as it would show them.
        missing_edges: (source, relationship, target) that the remote lacks.
        other_names: Ids of nodes that are there under another name.
        other_values: Ids of nodes that are there with another type, or another property, each with what that is.
        extra_nodes: Ids that only the remote has, as many of them as are held.
        extra_edges: Edges that only the remote has, likewise.
        more_extra_nodes: How many rows of such nodes came besides.
        more_extra_edges: How many rows of such edges came besides.
        unreadable: How many nodes and edges the remote shows that make no sense.
        names: What nodes are called, as far as that is known, by id: enough of them for examples.
        repeated_edges: How many edges of the archives are one with another: the remote keeps one of a kind between two
            nodes.
        num_nodes: Nodes of the remote graph.
        num_edges: Its edges.
    """

    missing_nodes: Collection[str] = ()
    missing_edges: Collection[_Triple] = ()
    other_names: Collection[str] = ()
    other_values: Mapping[str, str] = field(default_factory=dict)
    extra_nodes: Collection[str] = ()
    extra_edges: Collection[_Triple] = ()
    more_extra_nodes: int = 0
    more_extra_edges: int = 0
    unreadable: int = 0
    names: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    repeated_edges: int = 0
    num_nodes: int = 0
    num_edges: int = 0

    @property
    def lacking(self) -> list[str]:
        """What is missing, in words; empty when the remote has all of it."""
        return [
            *_counted(map(self.named, self.missing_nodes), "node is", "nodes are", "missing on the remote"),
            *_counted(map(self.named_edge, self.missing_edges), "edge is", "edges are", "missing on the remote"),
            *_counted(map(self.named, self.other_names), "node has", "nodes have", "another name on the remote"),
        ]

    @property
    def problems(self) -> list[str]:
        """The same, with what mends it where a push sends everything."""
        return [f"{problem} Push again." for problem in self.lacking]

    @property
    def remarks(self) -> list[str]:
        """What the remote has besides or otherwise, in words: kept from earlier pushes, or put there by others."""
        nodes, edges = map(self.named, self.extra_nodes), map(self.named_edge, self.extra_edges)
        only = "on the remote only"
        return [
            *_counted(
                (f"{self.named(node_id)} ({what})" for node_id, what in self.other_values.items()),
                "node has",
                "nodes have",
                "another type or other properties on the remote",
            ),
            *_counted(nodes, "node is", "nodes are", only, more=self.more_extra_nodes),
            *_counted(edges, "edge is", "edges are", only, more=self.more_extra_edges),
            *([f"{unreadable_in_words(self.unreadable)}."] if self.unreadable else []),
        ]

    def named(self, node_id: str) -> str:
        """A node by its id and, if it is known, its name."""
        return with_name(node_id, self.names.get(node_id))

    def named_edge(self, edge: _Triple) -> str:
        """An edge by its ids and, as far as they are known, the names of its ends."""
        return with_names(edge, source=self.names.get(edge[0]), target=self.names.get(edge[2]))


def unreadable_in_words(count: int) -> str:
    """What of a remote graph could not be compared."""
    rows = counted(count, "row of the remote graph makes", "rows of the remote graph make")
    return f"{rows} no sense and could not be compared"


def _counted(found: Iterable[str], one: str, several: str, what: str, *, more: int = 0) -> Iterator[str]:
    rest = iter(found)
    examples = list(islice(rest, _IN_WORDS))
    if count := len(examples) + sum(1 for _ in rest) + more:
        yield f"{counted(count, one, several)} {what}{such_as(examples)}."
