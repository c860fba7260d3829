"""Whether what was sent is what the remote now has. A remote that has more is right: imports merge."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from cognee_dagster import cogx
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.options import Verification
from cognee_dagster.pushing.wording import with_name, with_names
from cognee_dagster.remote.remote_graph import RemoteEdge, RemoteGraph, RemoteNode
from cognee_dagster.remote.responses import migration_imports

if TYPE_CHECKING:  # a code location loads this module, and should not wait for Arrow
    from cognee_dagster.cogx.archive import Archive
    from cognee_dagster.cogx.read.imported import ImportedNode
    from cognee_dagster.remote.client import CogneeClient

EXAMPLES = 20  # of each kind, as many as anybody shows, have their names
_IN_WORDS = 5
_MAX_NAMES = 10_000  # of nodes that the remote lacks: all of them may be many

_Triple = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class GraphComparison:
    """A remote graph held against what was sent.

    Attributes:
        missing_nodes: Ids that the remote lacks, as it would show them.
        missing_edges: (source, relationship, target) that the remote lacks.
        other_names: Ids of nodes that are there under another name.
        other_values: Ids of nodes that are there with another type, or another property, each with what that is.
        extra_nodes: Ids that only the remote has.
        extra_edges: Edges that only the remote has.
        names: What nodes are called, as far as that is known, by id: enough of them for examples.
        repeated_edges: How many edges of the archives are one with another: the remote keeps one of a kind between two
            nodes.
    """

    missing_nodes: Collection[str] = ()
    missing_edges: Collection[_Triple] = ()
    other_names: Collection[str] = ()
    other_values: Mapping[str, str] = field(default_factory=dict)
    extra_nodes: Collection[str] = ()
    extra_edges: Collection[_Triple] = ()
    names: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    repeated_edges: int = 0

    @property
    def problems(self) -> list[str]:
        """What is missing, in words; empty when the remote has all of it."""
        found = [
            *_counted(map(self.named, self.missing_nodes), "node is", "nodes are", "missing on the remote"),
            *_counted(map(self.named_edge, self.missing_edges), "edge is", "edges are", "missing on the remote"),
            *_counted(map(self.named, self.other_names), "node has", "nodes have", "another name on the remote"),
        ]
        return [f"{problem} Push again." for problem in found]

    @property
    def remarks(self) -> list[str]:
        """What the remote has besides or otherwise, in words: kept from earlier pushes, or put there by others."""
        return [
            *_counted(
                (f"{self.named(node_id)} ({what})" for node_id, what in self.other_values.items()),
                "node has",
                "nodes have",
                "another type or other properties on the remote",
            ),
            *_counted(map(self.named, self.extra_nodes), "node is", "nodes are", "on the remote only"),
            *_counted(map(self.named_edge, self.extra_edges), "edge is", "edges are", "on the remote only"),
        ]

    def named(self, node_id: str) -> str:
        """A node by its id and, if it is known, its name."""
        return with_name(node_id, self.names.get(node_id))

    def named_edge(self, edge: _Triple) -> str:
        """An edge by its ids and, as far as they are known, the names of its ends."""
        return with_names(edge, source=self.names.get(edge[0]), target=self.names.get(edge[2]))


@dataclass(frozen=True, kw_only=True)
class ImportFindings:
    """What a finished import lacks (``problems``) and what the remote has besides (``remarks``), in words."""

    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def check_import(
    client: "CogneeClient",
    archives: "Sequence[Archive]",
    response: Mapping[str, Any],
    *,
    target_dataset: str,
    verify: Verification,
) -> ImportFindings:
    """Look whether a finished import brought everything.

    Args:
        client: The remote.
        archives: What was sent; their files are read for ``graph``.
        response: The server's answer, with an item for each archive.
        target_dataset: Where it was sent.
        verify: How thoroughly to look.

    Raises:
        RemoteError: The remote graph cannot be read.
    """
    if verify == "off":
        return ImportFindings()
    problems = count_problems(archives, response)
    if verify == "counts":
        return ImportFindings(problems=problems)
    dataset = client.find_dataset(target_dataset)
    if dataset is None:
        return ImportFindings(
            problems=[*problems, f"The remote has no dataset {target_dataset!r} (any more). Push again."]
        )
    found = compare_graph(archives, client.graph(dataset.id))
    return ImportFindings(problems=[*problems, *found.problems], remarks=found.remarks)


def count_problems(archives: "Sequence[Archive]", response: Mapping[str, Any]) -> list[str]:
    """What the answer to an upload says is missing; empty when all records were taken.

    Args:
        archives: What was sent.
        response: The server's answer. One that was not waited for (detached, recovered) has no counts to compare.
    """
    problems = []
    for archive, item in zip(archives, migration_imports(response), strict=False):
        if item.skipped_facts:
            problems.append(
                f"The remote dropped {item.skipped_facts} of {counted(archive.num_edges, 'fact')}, as an end is no "
                "node of the archive. The check no_dangling_edges of the graph names some."
            )
        for kind, sent in archive.record_counts.items():
            read = item.record_counts.get(kind, 0)
            if item.record_counts and read < sent:
                problems.append(f"The remote read {read} of {counted(sent, f'{kind} record')}. Push again.")
    return problems


def num_edges_there(num_edges: int, response: Mapping[str, Any]) -> int:
    """How many edges of a finished import the remote has: without those that it found to be one, and dropped ones.

    Args:
        num_edges: How many were sent.
        response: The server's answer. Hybrid imports do not say how many edges were one.
    """
    return num_edges - sum((item.deduped_edges or 0) + item.skipped_facts for item in migration_imports(response))


def compare_graph(archives: "Sequence[Archive]", graph: RemoteGraph) -> GraphComparison:
    """Hold a remote graph against the archives: ids, names, types and properties, and (source, relationship, target).

    Memory grows with the remote graph, which ``graph`` holds already, and with the archives' ids.

    Args:
        archives: What was sent; their files are read.
        graph: The remote graph, read after the import was finished.

    Raises:
        ArchiveError: An archive is damaged.
    """
    sent = cogx.ImportedGraph([archive.path for archive in archives])
    there = {node.id: node for node in graph.nodes}
    names: dict[str, str] = {}
    sent_nodes, other_values = cogx.compare_nodes(_noting_names(sent.nodes(), there, names), there)
    edges = _SentEdges(graph.edges)
    repeated_edges = sum(edges.is_repeated(*triple) for triple in sent.facts())
    for triple in sent.implied_edges():
        edges.is_repeated(*triple)
    extra_nodes = there.keys() - sent_nodes.keys() - edges.ends()
    found = GraphComparison(
        missing_nodes=[node_id for node_id in sent_nodes if node_id not in there],
        missing_edges=sorted((edge.source, edge.label, edge.target) for edge in edges.missing),
        other_names=[node_id for node_id, as_sent in sent_nodes.items() if not as_sent],
        other_values=other_values,
        extra_nodes=[node_id for node_id in there if node_id in extra_nodes],
        extra_edges=sorted((edge.source, edge.label, edge.target) for edge in edges.extra()),
        repeated_edges=repeated_edges,
    )
    return replace(found, names={**_shown_names(found, there), **names})


def _noting_names(
    sent: "Iterable[ImportedNode]", there: Collection[str], names: dict[str, str]
) -> "Iterator[ImportedNode]":
    """The same, noting what nodes are called that the remote lacks."""
    for node in sent:
        if node.name and node.id not in there and len(names) < _MAX_NAMES:
            names[node.id] = node.name
        yield node


def _shown_names(found: GraphComparison, there: Mapping[str, RemoteNode]) -> dict[str, str]:
    """What the remote calls the nodes of examples; without a name it makes one of the type and the id."""
    of_nodes = (found.other_names, found.other_values, found.extra_nodes)
    of_edges = (islice(edges, EXAMPLES) for edges in (found.missing_edges, found.extra_edges))
    ends = (end for edge in chain.from_iterable(of_edges) for end in (edge[0], edge[2]))
    shown = chain(*(islice(ids, EXAMPLES) for ids in of_nodes), ends)
    known = (there[node_id] for node_id in shown if node_id in there)
    return {node.id: node.label for node in known if node.label and not node.label.endswith(node.id)}


class _SentEdges:
    """A remote's edges, ticked off one by one: a set of those that were sent would take as much memory again.

    Attributes:
        missing: Those that were sent and are not there.
    """

    def __init__(self, there: Iterable[RemoteEdge]) -> None:
        self._was_sent = dict.fromkeys(there, False)
        self.missing: set[RemoteEdge] = set()

    def is_repeated(self, source: str, relationship: str, target: str) -> bool:
        """Tick one off, and say whether that was done before."""
        edge = RemoteEdge(source, target, relationship)
        if edge in self._was_sent:
            known, self._was_sent[edge] = self._was_sent[edge], True
        else:
            known = edge in self.missing
            self.missing.add(edge)
        return known

    def extra(self) -> Iterator[RemoteEdge]:
        """Those that are there and were not sent."""
        return (edge for edge, was_sent in self._was_sent.items() if not was_sent)

    def ends(self) -> set[str]:
        """The ends of those that were sent: some are nodes by that alone."""
        sent = (edge for edge, was_sent in self._was_sent.items() if was_sent)
        return {end for edge in chain(self.missing, sent) for end in (edge.source, edge.target)}


def _counted(found: Iterable[str], one: str, several: str, what: str) -> Iterator[str]:
    rest = iter(found)
    examples = list(islice(rest, _IN_WORDS))
    if examples:
        count = len(examples) + sum(1 for _ in rest)
        yield f"{counted(count, one, several)} {what}, such as {'; '.join(examples)}."
