"""A remote dataset held against a graph: what is missing there, what is there besides, and what is there otherwise."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from cognee_dagster.errors import DatasetNotFoundError
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.comparison.difference import EXAMPLES, GraphComparison
from cognee_dagster.pushing.comparison.documents import documents_missing_and_extra
from cognee_dagster.pushing.comparison.verification import compare_graph
from cognee_dagster.pushing.comparison.wording import such_as
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.pushing.progress import PushProgress
from cognee_dagster.pushing.push import archives_of_graph
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import Connection

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive
    from cognee_dagster.graph.reader import GraphReader


_PHRASES = {
    "missing": "missing on the remote",
    "renamed": "there under another name",
    "changed": "there with another type or property",
    "extra": "on the remote only",
}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Records of a kind that differ in the same way.

    Attributes:
        kind: ``node``, ``edge`` or ``document``.
        what: ``missing`` on the remote; ``renamed`` or ``changed`` there; or ``extra``: the remote only has them.
        records: Ids, with the property for ``changed``; an edge as its source, relationship and target. May be empty.
        examples: The first of them, with names beside the ids where they are known.
        more: How many more there are, of which only the number is known.
    """

    kind: str
    what: str
    records: Sequence[str]
    examples: Sequence[str] = ()
    more: int = 0

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.records) + self.more

    @property
    def in_words(self) -> str:
        """How many there are, and the first."""
        return f"{counted(self.count, self.kind)} {_PHRASES[self.what]}{such_as(self.examples[:1])}"


@dataclass(frozen=True, kw_only=True)
class RemoteComparison:
    """A remote dataset, and how it differs from what was asked about.

    Attributes:
        target_dataset: The remote dataset's name.
        num_nodes: Nodes of the remote graph.
        num_edges: Its edges.
        graph: How nodes and edges differ.
        missing_documents: External ids of documents that the remote lacks, or has with another text.
        extra_documents: External ids of imported documents that only the remote has.
        not_compared: What a remote does not show of a graph (Cognee 1.6.5).
    """

    not_compared: ClassVar[str] = "texts and validity of edges, timestamps and vectors"

    target_dataset: str
    num_nodes: int
    num_edges: int
    graph: GraphComparison = field(repr=False)
    missing_documents: tuple[str, ...] = ()
    extra_documents: tuple[str, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether the remote has all of it as it is, and nothing else, as far as it shows: see ``not_compared``."""
        return not self.differences and not self.unreadable

    @property
    def unreadable(self) -> int:
        """How many nodes and edges the remote shows that make no sense, and so were not compared."""
        return self.graph.unreadable

    def wrong(self, *, exact: bool, mode: str) -> tuple[Difference, ...]:
        """Those of the differences that a push should not have left.

        Args:
            exact: Whether the remote should have nothing besides; a full push merges.
            mode: The push's. After ``hybrid`` cognify may have changed nodes.
        """
        wrong = {"missing", *(("renamed", "changed") if mode == "preserve" else ()), *(("extra",) if exact else ())}
        return tuple(difference for difference in self.differences if difference.what in wrong)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """How the remote differs, kind by kind; none where it is exact."""
        return tuple(difference for difference in self.compared if difference.count)

    @property
    def compared(self) -> tuple[Difference, ...]:
        """Every way in which records were compared, kind by kind, also those in which none differs."""
        graph = self.graph
        changed = graph.other_values.items()
        return (
            self._nodes("missing", graph.missing_nodes),
            self._nodes("renamed", graph.other_names),
            Difference(
                kind="node",
                what="changed",
                records=tuple(f"{node_id} ({what})" for node_id, what in changed),
                examples=[f"{graph.named(node_id)} ({what})" for node_id, what in islice(changed, EXAMPLES)],
            ),
            self._nodes("extra", graph.extra_nodes, more=graph.more_extra_nodes),
            self._edges("missing", graph.missing_edges),
            self._edges("extra", graph.extra_edges, more=graph.more_extra_edges),
            self._documents("missing", self.missing_documents),
            self._documents("extra", self.extra_documents),
        )

    def _nodes(self, what: str, ids: Collection[str], *, more: int = 0) -> Difference:
        examples = [self.graph.named(node_id) for node_id in islice(ids, EXAMPLES)]
        return Difference(kind="node", what=what, records=tuple(ids), examples=examples, more=more)

    def _edges(self, what: str, edges: Collection[tuple[str, str, str]], *, more: int = 0) -> Difference:
        examples = [self.graph.named_edge(edge) for edge in islice(edges, EXAMPLES)]
        return Difference(kind="edge", what=what, records=tuple(map(" ".join, edges)), examples=examples, more=more)

    def _documents(self, what: str, names: Sequence[str]) -> Difference:
        return Difference(kind="document", what=what, records=names, examples=names[:EXAMPLES])


def compare_with_remote(
    graph: "AbstractContextManager[GraphReader]",
    *,
    connection: Connection,
    options: PushOptions | None = None,
    progress: PushProgress | None = None,
) -> RemoteComparison:
    """Read a graph, and the remote graph back, whole, and hold one against the other.

    Raises:
        DatasetNotFoundError: The remote has no such dataset.
        CogneeDagsterError: As reading the graph and asking the remote do.
    """
    options, progress = options or PushOptions(), progress or PushProgress()
    with (
        archives_of_graph(graph, options=options, limits=None, progress=progress) as archives,
        CogneeClient(connection) as client,
    ):
        return compare_archives(archives, client=client, target_dataset=options.target_of(archives[0].dataset_name))


def compare_archives(archives: "Sequence[Archive]", *, client: CogneeClient, target_dataset: str) -> RemoteComparison:
    """``compare_with_remote`` for archives of one graph.

    Raises:
        DatasetNotFoundError: The remote has no such dataset.
        RemoteError: It cannot be read.
    """
    dataset = client.find_dataset(target_dataset)
    if dataset is None:
        raise DatasetNotFoundError(
            f"{client.connection.url} has no dataset {target_dataset!r} of this user. `cognee-dagster datasets` lists "
            "what is there."
        )
    found = compare_graph(client, dataset.id, archives)
    missing, extra = documents_missing_and_extra(archives, client.data(dataset.id), dataset_id=dataset.id)
    return RemoteComparison(
        target_dataset=target_dataset,
        num_nodes=found.num_nodes,
        num_edges=found.num_edges,
        graph=found,
        missing_documents=missing,
        extra_documents=extra,
    )
