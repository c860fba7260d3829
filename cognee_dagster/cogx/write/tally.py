"""Counts and digest of a graph: added up while an archive is written, or by reading alone."""

from collections import Counter
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import pyarrow.compute as pc

from cognee_dagster.cogx.digest import combined, digest_text
from cognee_dagster.cogx.encode.facts import FactRecords, encode_edges
from cognee_dagster.cogx.encode.nodes import NodeRecords, encode_nodes
from cognee_dagster.cogx.format import IS_A
from cognee_dagster.cogx.write.slices import pieces
from cognee_dagster.graph.arrow import text
from cognee_dagster.graph.reader import GraphOrigin, GraphReader, GraphSummary

_MAX_EXAMPLES = 5
_IS_A = text(IS_A)


@runtime_checkable
class RecordReader(Protocol):
    """A ``GraphReader`` whose graph consists of records already, which are to be written as they are."""

    def node_records(self) -> Iterator[NodeRecords]:
        """Documents, entities and raw nodes, in batches."""

    def fact_records(self) -> Iterator[FactRecords]:
        """Facts, in batches."""


class Tally:
    """Encodes a graph, nodes first, and knows at the end what it holds.

    Ids are remembered only where the store does not itself rule out edges to missing nodes, and names only where edges
    may lack a text, so that memory stays flat for Cognee's own stores.
    """

    def __init__(self, origin: GraphOrigin) -> None:
        self._digest = 0
        self._nodes_by_type: Counter[str] = Counter()
        self._edges_by_relationship: Counter[str] = Counter()
        self._entity_types: dict[str, str] = {}
        self._is_a: Counter[str] = Counter()
        self._known: set[str] | None = None if origin.endpoints_guaranteed else set()
        self._dangling = 0
        self._examples: list[str] = []
        self._refused = 0
        self._refused_examples: list[str] = []
        self._labels: dict[str, str] | None = None if origin.fact_text_complete else {}

    def nodes(self, reader: GraphReader) -> Iterator[NodeRecords]:
        """Encode the graph's nodes and count them in, batch by batch."""
        for records in reader.node_records() if isinstance(reader, RecordReader) else self._encoded_nodes(reader):
            self._add_nodes(records)
            yield records

    def edges(self, reader: GraphReader) -> Iterator[FactRecords]:
        """Encode the graph's edges and count them in, batch by batch; after all nodes."""
        for records in reader.fact_records() if isinstance(reader, RecordReader) else self._encoded_edges(reader):
            self._add_edges(records)
            yield records

    def _encoded_nodes(self, reader: GraphReader) -> Iterator[NodeRecords]:
        for batch in pieces(reader.nodes()):
            yield encode_nodes(batch, with_labels=self._labels is not None)

    def _encoded_edges(self, reader: GraphReader) -> Iterator[FactRecords]:
        for batch in pieces(reader.edges()):
            yield encode_edges(batch, labels=self._labels)

    def _add_nodes(self, records: NodeRecords) -> None:
        self._digest = combined(self._digest, records.digest)
        self._nodes_by_type.update(records.types)
        self._entity_types.update(records.entity_types)
        self._refused += len(records.refused)
        self._refused_examples += records.refused[: _MAX_EXAMPLES - len(self._refused_examples)]
        if self._known is not None:
            self._known.update(records.ids.to_pylist())
            self._known.update(records.names)
        if self._labels is not None:
            self._labels |= records.labels

    def _add_edges(self, records: FactRecords) -> None:
        self._digest = combined(self._digest, records.digest)
        names, counts = records.relationships.value_counts().flatten()
        self._edges_by_relationship.update(dict(zip(names.to_pylist(), counts.to_pylist(), strict=True)))
        kinds, counts = records.targets.filter(pc.equal(records.relationships, _IS_A)).value_counts().flatten()
        self._is_a.update(dict(zip(kinds.to_pylist(), counts.to_pylist(), strict=True)))
        if self._known is not None:
            self._note_dangling(records, self._known)

    def merge(self, other: "Tally") -> None:
        """Count in what another tally has counted of the same graph."""
        self._digest = combined(self._digest, other._digest)
        self._nodes_by_type.update(other._nodes_by_type)
        self._edges_by_relationship.update(other._edges_by_relationship)
        self._entity_types.update(other._entity_types)
        self._is_a.update(other._is_a)

    def summary(self) -> GraphSummary:
        """What was counted so far."""
        return GraphSummary(
            digest=digest_text(self._digest),
            num_nodes=self._nodes_by_type.total(),
            num_edges=self._edges_by_relationship.total(),
            nodes_by_type=_by_frequency(self._nodes_by_type),
            edges_by_relationship=_by_frequency(self._edges_by_relationship),
            entities_by_type=_by_frequency(self._entities_by_type()),
            dangling_edges=self._dangling,
            dangling_examples=tuple(self._examples),
            refused_nodes=self._refused,
            refused_examples=tuple(self._refused_examples),
        )

    def _entities_by_type(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for type_id, count in self._is_a.items():
            if type_id in self._entity_types:
                found[self._entity_types[type_id]] += count
        return found

    def _note_dangling(self, records: FactRecords, known: set[str]) -> None:
        ends = (column.to_pylist() for column in (records.sources, records.targets, records.relationships))
        for source, target, relationship in zip(*ends, strict=True):
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
    for _ in tally.nodes(reader):
        pass
    for _ in tally.edges(reader):
        pass
    return tally.summary().noting_mapping(reader)


def _by_frequency(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))
