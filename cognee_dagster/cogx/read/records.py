"""The records of a graph's archive, each with the line that it stands in and its canonical form."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import UNSET, Raw, UnsetType
from pydantic_core import to_json

from cognee_dagster.cogx.advice import EXPORT_AGAIN
from cognee_dagster.cogx.encode import exact_json
from cognee_dagster.cogx.encode.lines import DocumentLine, EntityLine, FactLine, encode_line
from cognee_dagster.cogx.format import DOCUMENTS_FILE, ENTITIES_FILE, FACTS_FILE, NODES_FILE, RECORD_KINDS
from cognee_dagster.cogx.read.safe_members import read_members
from cognee_dagster.cogx.schema import Document, Entity, Fact, RawNode, Record, check_record
from cognee_dagster.cogx.server.documents import storable_text
from cognee_dagster.cogx.server.safe_nodes import with_safe_type
from cognee_dagster.errors import ArchiveError

GRAPH_FILES = (DOCUMENTS_FILE, ENTITIES_FILE, NODES_FILE, FACTS_FILE)

PUSH_IT_AS_IT_IS = (
    "Push the archive itself: `cognee-dagster push ARCHIVE`, or CogneeDataset(archive=…) in place of graph=, sends it "
    "as it is."
)

_TIMESTAMPS = ("created_at", "updated_at")
_Canonical = Callable[[Any], bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphRecord:
    """One record.

    Attributes:
        line: The line, without its end; of a node whose type a server cannot index one with a type that it can.
        value: What it says.
        canonical: Its canonical form, for the content digest: without the store's timestamps, and for a record as
            Cognee's export writes it the same bytes that the graph's own node or edge has.
    """

    line: bytes
    value: Record
    canonical: bytes


def graph_records(path: Path, *files: str) -> Iterator[GraphRecord]:
    """The records in these files of an archive, in its order.

    Raises:
        ArchiveError: The archive is damaged, a line is no record of its file, or it holds what is no part of a graph.
    """
    for member in read_members(path):
        if member.name in RECORD_KINDS and member.name not in GRAPH_FILES and member.size:
            raise ArchiveError(f"{path}: holds {member.name}, which is no part of a graph. {PUSH_IT_AS_IT_IS}")
        if member.name not in files:
            continue
        for number, line in member.lines():
            try:
                yield _record(line, file=member.name)
            except ValueError as error:
                raise ArchiveError(f"{path}: {member.name}, line {number}: {error}. {EXPORT_AGAIN}") from error


def _record(line: bytes, *, file: str) -> GraphRecord:
    value = check_record(exact_json.parse_line(line), file=file)
    if isinstance(value, RawNode) and (node := with_safe_type(value.properties)) is not value.properties:
        value, line = RawNode(properties=node), exact_json.dump(node)
    return GraphRecord(line=line, value=value, canonical=_canonical(value, file=file))


def implied_document(node: RawNode) -> bytes | None:
    """The canonical form of the document that Cognee's export writes for a chunk with a text; None for other nodes."""
    values = node.properties
    text = values.get("text")
    if values.get("type") != "DocumentChunk" or not text or not isinstance(text, str):
        return None
    return encode_line(DocumentLine(values["id"], Raw(exact_json.dump(storable_text(text)))))


def _canonical(value: Record, *, file: str) -> bytes:
    if value.kind != RECORD_KINDS[file]:
        raise ValueError(f"a record of kind {value.kind!r} is no {RECORD_KINDS[file]}")
    return _CANONICAL[value.kind](value)


def _of_entity(entity: Entity) -> bytes:
    line = EntityLine(
        entity.external_id,
        entity.name,
        _or_unset(entity.description),
        _or_unset(entity.entity_type),
        aliases=_raw(entity.aliases),
        attributes=_raw(entity.attributes),
        **_common(entity),
    )
    return encode_line(line)


def _of_document(document: Document) -> bytes:
    line = DocumentLine(
        document.external_id,
        _raw(document.content),
        _or_unset(document.title),
        _or_unset(document.mime_type),
        **_common(document),
    )
    return encode_line(line)


def _of_fact(fact: Fact) -> bytes:
    line = FactLine(
        fact.external_id,
        fact.subject_ref,
        fact.predicate,
        fact.object_ref,
        _or_unset(fact.fact_text),
        valid_at=_time(fact.valid_at),
        invalid_at=_time(fact.invalid_at),
        confidence=UNSET if fact.confidence is None else _raw(fact.confidence),
        provenance=_raw(fact.provenance),
        **_common(fact),
    )
    return encode_line(line)


def _of_raw_node(node: RawNode) -> bytes:
    node_id = node.properties.get("id")
    if not isinstance(node_id, str) or not node_id:
        raise ValueError("a node without an id")
    node_id.encode()
    return exact_json.dump({key: value for key, value in node.properties.items() if key not in _TIMESTAMPS})


_CANONICAL: dict[str, _Canonical] = {
    "document": _of_document,
    "entity": _of_entity,
    "fact": _of_fact,
    "raw_node": _of_raw_node,
}


def _common(record: Entity | Document | Fact) -> dict[str, Any]:
    return {
        "external_system": record.external_system,
        "scope": _raw(record.scope.model_dump(exclude_none=True)),
        "metadata": _raw(record.metadata),
    }


def _raw(value: Any) -> Raw:
    return Raw(exact_json.dump(value))


def _or_unset(value: str | None) -> str | UnsetType:
    return UNSET if value is None else value


def _time(value: datetime | None) -> Raw | UnsetType:
    return UNSET if value is None else Raw(to_json(value))
