"""What a push with ``adopt`` would remove, counted before: what others brought, nobody here has a list of."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.errors import RemoteError
from cognee_dagster.pushing.comparison.verification import compare_graph
from cognee_dagster.pushing.mirror.graph.documents import DocumentDifference, others_documents
from cognee_dagster.pushing.mirror.plan.plan import GraphDifference
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.responses import RemoteDataset

_EXAMPLES = 5


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """What is on the remote and not in the graph: at most this goes, for what other tools have made stays.

    Attributes:
        removed: How many nodes, edges and documents.
        there: How many there are of each in all.
        examples: Names of some of the nodes, or ids of those without.
        problem: Why it cannot be known; empty where it is.
    """

    removed: tuple[int, int, int] = (0, 0, 0)
    there: tuple[int, int, int] = (0, 0, 0)
    examples: tuple[str, ...] = ()
    problem: str = ""

    @property
    def counts(self) -> tuple[tuple[str, int, int], ...]:
        """Of each kind: its name, how many would be removed, and how many are there."""
        return tuple(zip(("node", "edge", "document"), self.removed, self.there, strict=True))

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        if self.problem:
            return {"problem": self.problem}
        return {f"{name}s": {"removed": removed, "of": there} for name, removed, there in self.counts}


def look_for_adoption(
    archives: Sequence[Archive],
    *,
    client: CogneeClient,
    dataset: RemoteDataset,
    documents: DocumentDifference,
    kept: GraphDifference | None,
) -> Adoption:
    """Hold the remote graph against the one that is pushed.

    Args:
        archives: The graph's.
        client: The remote.
        dataset: The remote dataset.
        documents: The graph's documents.
        kept: What the mirror has brought itself and the graph no longer has, where that stays.

    Raises:
        ArchiveError: An archive is damaged.
    """
    try:
        found = compare_graph(client, dataset.id, archives)
        listed = list(client.data(dataset.id))
    except RemoteError as error:
        return Adoption(problem=str(error))
    nodes = len(found.extra_nodes) + found.more_extra_nodes - (len(kept.removed_nodes) if kept else 0)
    edges = len(found.extra_edges) + found.more_extra_edges - (len(kept.removed_edges) if kept else 0)
    gone = len(list(others_documents(listed, documents.keys, dataset_id=dataset.id)))
    return Adoption(
        removed=(max(nodes, 0), max(edges, 0), gone),
        there=(found.num_nodes, found.num_edges, len(listed)),
        examples=tuple(found.names.get(node_id, node_id) for node_id in islice(found.extra_nodes, _EXAMPLES)),
    )
