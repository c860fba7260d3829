"""Nodes as COGX records, equal to those of ``cognee.export(format="cogx")``.

Two stages of Cognee 1.6.5 are done here at once: the graph adapter's, which lays ``properties`` over the columns, and
``_write_cogx`` of ``modules/migration/export.py``, which makes records of the result.

Most nodes are entities, which are encoded by the column (``entity_lines``). A batch in which one entity has more to it
than Cognee gives it goes through the slow and exact way, one node after the other, as does every other node.

A node's canonical form, for the content digest, is its record without the store's timestamps; they stand at the end of
a line, so that both are made in one go.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import UNSET, Raw

from cognee_dagster.cogx.digest import combined, digest_of
from cognee_dagster.cogx.encode import exact_json
from cognee_dagster.cogx.encode.entities import entity_lines
from cognee_dagster.cogx.encode.json_columns import content_of, digest_of_lines
from cognee_dagster.cogx.encode.lines import DocumentLine, EntityLine, encode_line
from cognee_dagster.cogx.encode.timestamps import timestamp_json
from cognee_dagster.cogx.format import ENTITY_TYPE
from cognee_dagster.cogx.server.documents import storable_text
from cognee_dagster.cogx.server.safe_nodes import refusal, with_safe_type
from cognee_dagster.errors import GraphFileError
from cognee_dagster.graph.arrow import FALSE, text

_LABEL_LENGTH = 80
_TIMESTAMPS = ("created_at", "updated_at")
_NOTHING, _ENTITY = text(""), text("Entity")


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
        refused: Why a server refuses the whole import, for each node because of which it does.
        entity_types: Names of those that are an ``EntityType``, by id.
        names: What edges may call the nodes besides their ids: names of an archive's entities.
    """

    documents: Lines
    entities: Lines
    raw_nodes: Lines
    digest: int
    ids: pa.Array
    types: Counter[str]
    labels: dict[str, str]
    entity_types: Mapping[str, str] = field(default_factory=dict)
    names: Sequence[str] = ()
    refused: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class _Records:
    """Records as they are made."""

    documents: list[bytes] = field(default_factory=list)
    entities: list[bytes] = field(default_factory=list)
    raw_nodes: list[bytes] = field(default_factory=list)
    canonical: list[bytes] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    entity_types: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


def encode_nodes(batch: pa.RecordBatch, *, with_labels: bool = False) -> NodeRecords:
    """The records of a batch of ``NODE_SCHEMA``.

    Raises:
        GraphFileError: A node that Cognee's export cannot write either; the message names it.
    """
    without_id = pc.equal(batch.column("id"), _NOTHING)
    if pc.any(without_id).as_py():
        batch = batch.filter(pc.invert(without_id))  # Cognee leaves them out
    usual = None if with_labels else _encode_usual(batch)
    return usual or _encode_any(batch, with_labels=with_labels)


def _encode_usual(batch: pa.RecordBatch) -> NodeRecords | None:
    """The records, if all entities among the nodes are what Cognee makes of an entity."""
    ids, names, types, properties = batch.columns
    are_entities = pc.fill_null(pc.and_(pc.equal(types, _ENTITY), pc.not_equal(names, _NOTHING)), FALSE)
    found = entity_lines(*(column.filter(are_entities) for column in (ids, names, properties)))
    if found is None:
        return None
    others = _encode_any(batch.filter(pc.invert(are_entities)))
    if others.entities.count:  # an entity by its properties, whose place is among those by their column
        return None
    lines, canonical = found
    return replace(
        others,
        entities=Lines(content=content_of(lines), count=len(lines)),
        digest=combined(others.digest, digest_of_lines(canonical, content_of(canonical))),
        ids=ids,
        types=others.types + Counter({"Entity": len(lines)}),
    )


def _encode_any(batch: pa.RecordBatch, *, with_labels: bool = False) -> NodeRecords:
    """The records of any nodes, one node after the other."""
    records = _Records()
    for node_id, name, node_type, stored in zip(*(column.to_pylist() for column in batch.columns), strict=True):
        _add_any(records, node_id, name, node_type, stored, with_label=with_labels)
    return NodeRecords(
        documents=_lines(records.documents),
        entities=_lines(records.entities),
        raw_nodes=_lines(records.raw_nodes),
        digest=digest_of(records.canonical),
        ids=batch.column("id"),
        types=Counter(records.types),
        labels=records.labels,
        entity_types=records.entity_types,
        refused=records.refused,
    )


def _add_any(
    records: _Records, node_id: str, name: str | None, node_type: str | None, stored: str | None, *, with_label: bool
) -> None:
    node: dict[str, Any] = {"id": node_id}
    if name is not None:
        node["name"] = name
    if node_type is not None:
        node["type"] = node_type
    try:
        plain = stored is None or _add_properties(node, stored)
        if with_label:
            records.labels[node_id] = _label(node_id, node)
        _add_records(records, node_id, node, plain=plain)
    except UnicodeEncodeError as error:
        _refuse(node_id, "has a text that is no valid Unicode (a lone surrogate)", error)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        if isinstance(error, GraphFileError):
            raise
        _refuse(node_id, f"has properties that cannot be written ({error})", error)


def _lines(lines: list[bytes]) -> Lines:
    return Lines(content=b"\n".join([*lines, b""]), count=len(lines))


def _add_properties(node: dict[str, Any], stored: str) -> bool:
    """Lay the properties over the columns, as Cognee's graph adapter does; whether ``dump_plain`` may write all."""
    try:
        properties, plain = exact_json.parse_noting(stored)
    except ValueError:
        node["properties"] = stored  # not JSON: Cognee keeps the text
        return True
    node.update(properties)
    return plain


def _add_records(records: _Records, node_id: str, node: dict[str, Any], *, plain: bool) -> None:
    node = with_safe_type(node)
    node_type = node.get("type")
    records.types.append("" if node_type is None else str(node_type))
    if node_type == "Entity" and node.get("name"):
        description = node.get("description")
        if description is not None:
            _check_text(node_id, "description", description)
        name = _check_text(node_id, "name", node["name"])
        _add_entity(records, node_id, name, description, (node.get("created_at"), node.get("updated_at")))
        return
    if node_type == ENTITY_TYPE:
        records.entity_types[node_id] = str(node.get("name") or node_id)
    if (reason := refusal(node)) is not None:
        records.refused.append(reason)
    if node_type == "DocumentChunk" and node.get("text"):
        content = _check_text(node_id, "text", node["text"])
        text_json = Raw(encode_line(content))
        stored = storable_text(content)
        document = DocumentLine(node_id, text_json if stored is content else Raw(encode_line(stored)))
        if plain:
            node["text"] = text_json  # to be written again with the raw node
        if (created := timestamp_json(node.get("created_at"))) is not None:
            document.created_at = Raw(created.encode("ascii"))
        records.documents.append(encode_line(document))
    _add_raw_node(records, node, plain=plain)


def _add_entity(records: _Records, node_id: str, name: str, description: str | None, times: tuple[Any, Any]) -> None:
    canonical = encode_line(EntityLine(node_id, name, UNSET if description is None else description))
    created, updated = times
    first = timestamp_json(created)
    # Most often they are the same, and printing a time costs as much as writing the rest of the record.
    second = first if created == updated else timestamp_json(updated)
    tail = "" if first is None else f',"created_at":{first}'
    if second is not None:
        tail += f',"updated_at":{second}'
    records.canonical.append(canonical)
    records.entities.append(canonical[:-1] + tail.encode("ascii") + b"}")


def _add_raw_node(records: _Records, node: dict[str, Any], *, plain: bool) -> None:
    dump = exact_json.dump_plain if plain else exact_json.dump
    stamps = {key: node.pop(key) for key in _TIMESTAMPS if key in node}
    canonical = dump(node)
    records.canonical.append(canonical)
    # A node without anything but timestamps still has its id, so that the comma is right.
    records.raw_nodes.append(canonical[:-1] + b"," + dump(stamps)[1:] if stamps else canonical)


def _check_text(node_id: str, key: str, value: Any) -> str:
    """A text field of a typed record; Cognee's pydantic models take nothing else there."""
    if type(value) is not str:
        _refuse(node_id, f"has a {key!r} that is no text but {value!r:.60}")
    return value


def _label(node_id: str, node: dict[str, Any]) -> str:
    """Name, else the beginning of the text, else the id: as in the sentences that Cognee makes of edges."""
    for key in ("name", "text"):
        if isinstance(value := node.get(key), str) and (preview := " ".join(value.split())[:_LABEL_LENGTH]):
            return preview
    return node_id


def _refuse(node_id: str, what: str, cause: BaseException | None = None) -> NoReturn:
    raise GraphFileError(
        f"Node {node_id!r} {what}. cognee.export() cannot write such a node either. Correct it in the graph."
    ) from cause
