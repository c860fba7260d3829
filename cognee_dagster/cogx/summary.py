"""Counts and digest of a graph: added up while an archive is written, or by reading alone."""

from collections import Counter

from cognee_dagster.cogx.digest import ContentDigest
from cognee_dagster.cogx.fact_records import FactRecords, encode_edges
from cognee_dagster.cogx.node_records import NodeRecords, encode_nodes
from cognee_dagster.graph.reader import GraphOrigin, GraphReader, GraphSummary

_MAX_EXAMPLES = 5


class Tally:
    """Takes the records of a graph, nodes first, and knows at the end what the graph holds.

    Ids are remembered only where the store does not itself rule out edges to missing nodes, and names only where edges
    may lack a text, so that memory stays flat for Cognee's own stores.
    """

    def __init__(self, origin: GraphOrigin) -> None:
        self._digest = ContentDigest()
        self._nodes_by_type: Counter[str] = Counter()
        self._edges_by_relationship: Counter[str] = Counter()
        self._known: set[str] | None = None if origin.endpoints_guaranteed else set()
        self._dangling = 0
        self._examples: list[str] = []
        self.labels: dict[str, str] | None = None if origin.fact_text_complete else {}

    def add_nodes(self, records: NodeRecords) -> None:
        """Count a batch of nodes in."""
        self._digest.add(records.canonical)
        self._nodes_by_type.update(records.types)
        if self._known is not None:
            self._known.update(records.ids)
        if self.labels is not None:
            self.labels.update(zip(records.ids, records.labels, strict=True))

    def add_edges(self, records: FactRecords) -> None:
        """Count a batch of edges in; all nodes must have been counted before."""
        self._digest.add(records.facts)
        self._edges_by_relationship.update(records.relationships)
        if self._known is not None:
            self._note_dangling(records, self._known)

    def summary(self) -> GraphSummary:
        """What was counted so far."""
        return GraphSummary(
            digest=self._digest.hexdigest(),
            num_nodes=self._nodes_by_type.total(),
            num_edges=self._edges_by_relationship.total(),
            nodes_by_type=_by_frequency(self._nodes_by_type),
            edges_by_relationship=_by_frequency(self._edges_by_relationship),
            dangling_edges=self._dangling,
            dangling_examples=tuple(self._examples),
        )

    def _note_dangling(self, records: FactRecords, known: set[str]) -> None:
        for source, target, relationship in zip(records.sources, records.targets, records.relationships, strict=True):
            if source not in known or target not in known:
                self._dangling += 1
                if len(self._examples) < _MAX_EXAMPLES:
                    self._examples.append(f"{source} -[{relationship}]-> {target}")


def summarize(reader: GraphReader) -> GraphSummary:
    """Counts and digest of a graph without writing it; the digest is the one that ``write_archive`` finds.

    Raises:
        GraphFileError: A node or edge that cannot become a record; the message names it.
    """
    tally = Tally(reader.origin)
    for batch in reader.nodes():
        tally.add_nodes(encode_nodes(batch, with_labels=tally.labels is not None))
    for batch in reader.edges():
        tally.add_edges(encode_edges(batch, labels=tally.labels))
    return tally.summary()


def _by_frequency(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))
