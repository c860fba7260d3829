"""Graphs in memory for the tests of the archive format, and what Cognee's export makes of them, spelled out slowly."""

import json
import math
import tarfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import TypeAdapter

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.format import SERVER_LIMITS, Limits
from cognee_dagster.cogx.shard.cut import cut
from cognee_dagster.cogx.write.writer import Progress, write_archive
from cognee_dagster.graph.reader import EDGE_SCHEMA, NODE_SCHEMA, GraphOrigin, GraphReader, Reopen

NodeRow = tuple[str, str | None, str | None, str | None]
EdgeRow = tuple[str, str, str, str | None]

ID_A = "11111111-1111-5111-8111-111111111111"
ID_B = "22222222-2222-5222-8222-222222222222"
ID_C = "33333333-3333-5333-8333-333333333333"


class MemoryReader:
    """A ``GraphReader`` over rows."""

    reopen: Reopen | None = None

    def __init__(
        self,
        nodes: Sequence[NodeRow],
        edges: Sequence[EdgeRow] = (),
        *,
        origin: GraphOrigin | None = None,
        batch_rows: int = 1000,
    ) -> None:
        self._nodes = nodes
        self._edges = edges
        self._batch_rows = batch_rows
        self.origin = origin or GraphOrigin(dataset_name="demo")

    def nodes(self) -> Iterator[pa.RecordBatch]:
        return self._batches(self._nodes, NODE_SCHEMA)

    def edges(self) -> Iterator[pa.RecordBatch]:
        return self._batches(self._edges, EDGE_SCHEMA)

    def _batches(self, rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        for start in range(0, len(rows), self._batch_rows):
            columns = zip(*rows[start : start + self._batch_rows], strict=True)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            yield pa.record_batch(arrays, schema=schema)


def demo_reader(**options: Any) -> MemoryReader:
    """A chunk that speaks of an entity, and the entity's type."""
    nodes: list[NodeRow] = [
        (
            ID_A,
            "",
            "DocumentChunk",
            '{"text": "Ada wrote.", "created_at": 1788471595772, "metadata": {"b": 1, "a": 2}}',
        ),
        (ID_B, "Ada", "Entity", '{"description": "A \\"person\\".", "created_at": 1788471595772, "updated_at": null}'),
        (ID_C, "person", "EntityType", '{"description": "person", "created_at": 1788471595772}'),
    ]
    edges: list[EdgeRow] = [
        (ID_A, ID_B, "contains", '{"edge_text": "The text names Ada.", "feedback_weight": 0.5}'),
        (ID_B, ID_C, "is_a", '{"edge_text": "Ada is a person.", "valid_at": "2026-01-01"}'),
    ]
    return MemoryReader(nodes, edges, **options)


def write_archives(
    reader: GraphReader,
    destination: Path,
    *,
    limits: Limits = SERVER_LIMITS,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[Archive, ...]:
    """A graph as archives within the limits."""
    return cut(write_archive(reader, destination, progress=progress), limits=limits, progress=progress)


def archived_records(path: Path) -> dict[str, list[Any]]:
    """The parsed lines of every record file, read with nothing but the standard library, and sorted."""
    with tarfile.open(path, "r:gz") as tar:
        files = {
            member.name: [json.loads(line) for line in (tar.extractfile(member) or ()).__iter__()]
            for member in tar
            if member.name != "manifest.json"
        }
    return {name: sorted_records(records) for name, records in files.items()}


def sorted_records(records: list[Any]) -> list[Any]:
    """Records in an order that depends on nothing but their content."""
    return sorted(records, key=lambda record: json.dumps(record, sort_keys=True))


def cognee_records(reader: MemoryReader) -> dict[str, list[Any]]:
    """What ``_write_cogx`` of Cognee 1.6.5 writes for a graph, spelled out without any of our code."""
    files: dict[str, list[Any]] = {}
    for batch in reader.nodes():
        for row in batch.to_pylist():
            node = {key: row[key] for key in ("name", "type") if row[key] is not None}
            if row["properties"] is not None:
                try:
                    node.update(json.loads(row["properties"]))
                except ValueError:
                    node["properties"] = row["properties"]
            for name, record in _node_records(row["id"], node):
                files.setdefault(name, []).append(record)
    for batch in reader.edges():
        for row in batch.to_pylist():
            files.setdefault("facts.jsonl", []).append(_fact(**row))
    return {name: sorted_records(records) for name, records in files.items()}


def _node_records(node_id: str, node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    created_at = _moment(node.get("created_at"))
    if node.get("type") == "Entity" and node.get("name"):
        values = {"name": node["name"], "description": node.get("description"), "aliases": [], "attributes": {}}
        stamps = {"created_at": created_at, "updated_at": _moment(node.get("updated_at"))}
        yield "entities.jsonl", _record("entity", node_id, **values, **stamps)
        return
    if node.get("type") == "DocumentChunk" and node.get("text"):
        yield "documents.jsonl", _record("document", node_id, content=node["text"], created_at=created_at)
    yield "nodes.jsonl", {"id": node_id, **node}


def _fact(*, source: str, target: str, relationship: str, properties: str | None) -> dict[str, Any]:
    try:
        values = json.loads(properties) if properties else {}
    except ValueError:
        values = {}
    values = values or {}
    return _record(
        "fact",
        f"{source}:{relationship}:{target}",
        subject_ref=source,
        predicate=relationship,
        object_ref=target,
        fact_text=values.get("edge_text"),
        valid_at=_moment(values.get("valid_at")),
        invalid_at=_moment(values.get("invalid_at")),
        provenance=[],
    )


def _record(kind: str, external_id: str, **values: Any) -> dict[str, Any]:
    """A record as pydantic dumps it: with all defaults, without what is None."""
    common = {"external_system": "cognee", "external_id": external_id, "scope": {}, "metadata": {}, "kind": kind}
    return common | {key: value for key, value in values.items() if value is not None}


def _moment(value: Any) -> str | None:
    """A timestamp as Cognee reads it and pydantic prints it."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        elif isinstance(value, int | float):
            seconds = float(value)
            while 2e10 < abs(seconds) < math.inf:  # milli-, micro- or nanoseconds
                seconds /= 1000
            moment = datetime.fromtimestamp(seconds, tz=timezone.utc)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    in_a_zone = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return str(TypeAdapter(datetime).dump_python(in_a_zone, mode="json"))
