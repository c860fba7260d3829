"""The records of a graph's archive as they are to be written again: line by line what they were.

Nothing that an archive may say is lost on the way, whether or not a graph in memory has a place for it: types and
aliases of entities, confidence and provenance of facts, documents without a chunk, chunks without a document.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cognee_dagster.cogx.digest import combined, digest_of
from cognee_dagster.cogx.encode.facts import FactRecords
from cognee_dagster.cogx.encode.nodes import Lines, NodeRecords
from cognee_dagster.cogx.format import DOCUMENTS_FILE, ENTITIES_FILE, ENTITY_TYPE, FACTS_FILE, NODES_FILE
from cognee_dagster.cogx.read.records import GraphRecord, graph_records, implied_document
from cognee_dagster.cogx.schema import Document, Entity, Fact, RawNode
from cognee_dagster.cogx.server.safe_nodes import refusal
from cognee_dagster.graph.arrow import text_column

_BATCH_BYTES = 4_000_000


def node_records(path: Path) -> Iterator[NodeRecords]:
    """Documents, entities and raw nodes of an archive.

    A graph's digest leaves out documents, which its chunks imply. Here those that are there count, and those that are
    implied count against them: for an archive of Cognee's export they are the same ones.

    Raises:
        ArchiveError: As ``graph_records``.
    """
    for records in _batches(graph_records(path, DOCUMENTS_FILE, ENTITIES_FILE, NODES_FILE)):
        batch = _Nodes()
        for record in records:
            batch.add(record)
        yield batch.encoded()


def fact_records(path: Path) -> Iterator[FactRecords]:
    """The facts of an archive.

    Raises:
        ArchiveError: As ``graph_records``.
    """
    for records in _batches(graph_records(path, FACTS_FILE)):
        facts = [record.value for record in records if isinstance(record.value, Fact)]
        yield FactRecords(
            content=_lines(record.line for record in records).content,
            digest=digest_of(record.canonical for record in records),
            sources=text_column([fact.subject_ref for fact in facts]),
            targets=text_column([fact.object_ref for fact in facts]),
            relationships=text_column([fact.predicate for fact in facts]),
        )


@dataclass
class _Nodes:
    """One batch as it is made."""

    documents: list[bytes] = field(default_factory=list)
    entities: list[bytes] = field(default_factory=list)
    raw_nodes: list[bytes] = field(default_factory=list)
    canonical: list[bytes] = field(default_factory=list)
    implied: list[bytes] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    types: Counter[str] = field(default_factory=Counter)
    entity_types: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def add(self, record: GraphRecord) -> None:
        self.canonical.append(record.canonical)
        value = record.value
        if isinstance(value, Document):
            self.documents.append(record.line)
        elif isinstance(value, Entity):
            self.entities.append(record.line)
            self.ids.append(value.external_id)
            self.names.append(value.name)
            self.types["Entity"] += 1
        elif isinstance(value, RawNode):
            if (reason := refusal(value.properties)) is not None:
                self.refused.append(reason)
            self.raw_nodes.append(record.line)
            self.ids.append(value.properties["id"])
            node_type = value.properties.get("type")
            self.types["" if node_type is None else str(node_type)] += 1
            if node_type == ENTITY_TYPE:
                self.entity_types[self.ids[-1]] = str(value.properties.get("name") or self.ids[-1])
            if (document := implied_document(value)) is not None:
                self.implied.append(document)

    def encoded(self) -> NodeRecords:
        return NodeRecords(
            documents=_lines(self.documents),
            entities=_lines(self.entities),
            raw_nodes=_lines(self.raw_nodes),
            digest=combined(digest_of(self.canonical), -digest_of(self.implied)),
            ids=text_column(self.ids),
            types=self.types,
            labels={},
            entity_types=self.entity_types,
            names=self.names,
            refused=self.refused,
        )


def _lines(lines: Iterable[bytes]) -> Lines:
    kept = list(lines)
    return Lines(content=b"\n".join([*kept, b""]), count=len(kept))


def _batches(records: Iterator[GraphRecord]) -> Iterator[list[GraphRecord]]:
    """Few enough records to be held in memory, again and again."""
    batch: list[GraphRecord] = []
    size = 0
    for record in records:
        batch.append(record)
        size += len(record.line)
        if size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
