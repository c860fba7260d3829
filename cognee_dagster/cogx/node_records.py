"""Nodes as COGX records, equal to those of ``cognee.export(format="cogx")``.

Two stages of Cognee 1.6.5 are done here at once: the graph adapter's, which lays ``properties`` over the columns, and
``_write_cogx`` of ``modules/migration/export.py``, which makes records of the result.

A node's canonical form, for the content digest, is its record without the store's timestamps; they stand at the end of
a line, so that both are made in one go.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NoReturn

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from cognee_dagster.arrow_values import text, texts, truths
from cognee_dagster.cogx import exact_json, json_columns
from cognee_dagster.cogx.digest import digest_of
from cognee_dagster.cogx.entity_columns import ENTITY_HEAD, encode_entities
from cognee_dagster.cogx.timestamps import timestamp_json
from cognee_dagster.errors import GraphFileError

_ENTITY_HEAD = ENTITY_HEAD.encode("ascii")
# What pydantic writes for every document.
_DOCUMENT_HEAD = b'{"external_system":"cognee","scope":{},"metadata":{},"kind":"document","external_id":'

_TIMESTAMPS = ("created_at", "updated_at")
_LABEL_LENGTH = 80
_NOTHING = text("")
_MISSING = object()


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Some lines of a record file: with their line ends, and how many they are."""

    content: bytes
    count: int


@dataclass(frozen=True, kw_only=True)
class NodeRecords:
    """The records of one batch of nodes.

    Attributes:
        documents: Lines of ``documents.jsonl``.
        entities: Lines of ``entities.jsonl``.
        raw_nodes: Lines of ``nodes.jsonl``.
        digest: Content digest of the nodes.
        ids: The nodes' ids.
        types: How many nodes there are of a type; ``""`` for none.
        labels: What a person would call the nodes, by id; empty unless asked for.
    """

    documents: Lines
    entities: Lines
    raw_nodes: Lines
    digest: int
    ids: pa.Array
    types: Counter[str]
    labels: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """Records made row by row, and which rows are entities."""

    documents: list[bytes] = field(default_factory=list)
    entities: list[bytes] = field(default_factory=list)
    raw_nodes: list[bytes] = field(default_factory=list)
    canonical: list[bytes] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    is_entity: list[bool] = field(default_factory=list)


def encode_nodes(batch: pa.RecordBatch, *, with_labels: bool = False) -> NodeRecords:
    """The records of a batch of ``NODE_SCHEMA``.

    Raises:
        GraphFileError: A node that Cognee's export cannot write either; the message names it.
    """
    if not json_columns.every(named := pc.not_equal(batch.column("id"), _NOTHING)):
        batch = batch.filter(named)  # Cognee leaves out a node without an id
    if with_labels:
        rows = _encode_rows(batch, with_labels=True)
        entities, canonical, num_entities = texts(rows.entities), rows.canonical, 0
    else:
        columns = encode_entities(batch)
        rest = pc.invert(columns.done)
        rows = _encode_rows(batch.filter(rest), with_labels=False)
        entities = json_columns.scatter(columns.lines, columns.done)
        more = json_columns.scatter(texts(rows.entities), truths(rows.is_entity))
        entities = pc.replace_with_mask(entities, rest, more).drop_null()
        canonical = json_columns.content_of(columns.canonical).splitlines() + rows.canonical
        num_entities = len(columns.lines)
    return NodeRecords(
        documents=_lines(rows.documents),
        entities=Lines(content=json_columns.content_of(entities), count=len(entities)),
        raw_nodes=_lines(rows.raw_nodes),
        digest=digest_of(canonical),
        ids=batch.column("id"),
        types=Counter(rows.types) + Counter(Entity=num_entities),
        labels=rows.labels,
    )


def _encode_rows(batch: pa.RecordBatch, *, with_labels: bool) -> _Rows:
    records = _Rows()
    columns = [column.to_pylist() for column in batch.columns]
    long_numbers = pc.match_substring_regex(batch.column("properties"), exact_json.LONG_NUMBER).to_pylist()
    for node_id, name, node_type, stored, long_number in zip(*columns, long_numbers, strict=True):
        node: dict[str, Any] = {"id": node_id}
        if name is not None:
            node["name"] = name
        if node_type is not None:
            node["type"] = node_type
        try:
            plain = stored is None or _add_properties(node, stored, long_number=long_number)
            if with_labels:
                records.labels[node_id] = _label(node_id, node)
            _encode(records, node_id, node, plain=plain)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            if isinstance(error, GraphFileError):
                raise
            _refuse(node_id, f"has properties that cannot be written ({error})", error)
    return records


def _lines(lines: list[bytes]) -> Lines:
    return Lines(content=b"\n".join([*lines, b""]), count=len(lines))


def _add_properties(node: dict[str, Any], stored: str, *, long_number: bool) -> bool:
    """Lay the properties over the columns, as Cognee's graph adapter does; whether orjson can write the result."""
    try:
        properties, plain = exact_json.parse_searched(stored, long_number=long_number)
    except ValueError:
        node["properties"] = stored  # not JSON: Cognee keeps the text
        return True
    node.update(properties)
    return plain


def _encode(records: _Rows, node_id: str, node: dict[str, Any], *, plain: bool) -> None:
    node_type = node.get("type")
    records.types.append("" if node_type is None else str(node_type))
    is_entity = node_type == "Entity" and bool(node.get("name"))
    records.is_entity.append(is_entity)
    if is_entity:
        canonical, line = _entity(node_id, node)
        records.entities.append(line + b"\n")
    else:
        if node_type == "DocumentChunk" and node.get("text"):
            records.documents.append(_document(node_id, node))
        canonical, line = _raw_node(node, plain=plain)
        records.raw_nodes.append(line)
    records.canonical.append(canonical)


def _entity(node_id: str, node: dict[str, Any]) -> tuple[bytes, bytes]:
    """Canonical form and line."""
    canonical = b'%b%b,"name":%b' % (_ENTITY_HEAD, orjson.dumps(node_id), _text(node_id, "name", node["name"]))
    description = node.get("description")
    if description is not None:
        canonical += b',"description":' + _text(node_id, "description", description)
    stamps = ((key, timestamp_json(node.get(key))) for key in _TIMESTAMPS)
    tail = "".join(f',"{key}":{stamp}' for key, stamp in stamps if stamp is not None)
    return canonical + b"}", b"%b%b}" % (canonical, tail.encode("ascii"))


def _document(node_id: str, node: dict[str, Any]) -> bytes:
    content = _text(node_id, "text", node["text"])
    created = timestamp_json(node.get("created_at"))
    tail = "" if created is None else f',"created_at":{created}'
    return b'%b%b,"content":%b%b}' % (_DOCUMENT_HEAD, orjson.dumps(node_id), content, tail.encode("ascii"))


def _raw_node(node: dict[str, Any], *, plain: bool) -> tuple[bytes, bytes]:
    """Canonical form and line."""
    dump = exact_json.dump_fast if plain else exact_json.dump
    stamps = [(key, value) for key in _TIMESTAMPS if (value := node.pop(key, _MISSING)) is not _MISSING]
    canonical = dump(node)
    if not stamps:
        return canonical, canonical
    tail = b"".join(b',"%b":%b' % (key.encode("ascii"), dump(value)) for key, value in stamps)
    # A node without anything but timestamps still has its id, so that the comma is right.
    return canonical, b"%b%b}" % (canonical[:-1], tail)


def _text(node_id: str, key: str, value: Any) -> bytes:
    """A text field of a typed record; Cognee's pydantic models take nothing else there."""
    if type(value) is not str:
        _refuse(node_id, f"has a {key!r} that is no text but {value!r:.60}")
    try:
        return orjson.dumps(value)
    except TypeError as error:
        _refuse(node_id, f"has a {key!r} that is no valid Unicode (a lone surrogate)", error)


def _label(node_id: str, node: dict[str, Any]) -> str:
    """Name, else the beginning of the text, else the id: as in the sentences that Cognee makes of edges."""
    for key in ("name", "text"):
        if isinstance(value := node.get(key), str) and (preview := " ".join(value.split())[:_LABEL_LENGTH]):
            return preview
    return node_id


def _refuse(node_id: str, what: str, cause: BaseException | None = None) -> NoReturn:
    raise GraphFileError(
        f"Node {node_id!r} {what}. cognee.export() cannot write such a node either; correct it in the graph."
    ) from cause
