"""A COGX archive as the source of a graph, so that what was exported once can be inspected and pushed on."""

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from cognee_dagster.errors import GraphFileError
from cognee_dagster.graph.reader import EDGE_SCHEMA, NODE_SCHEMA, GraphOrigin

_BATCH_ROWS = 4_096
_ENTITY_FIELDS = ("description", "created_at", "updated_at")
_FACT_FIELDS = {"fact_text": "edge_text", "valid_at": "valid_at", "invalid_at": "invalid_at"}


class ArchiveReader:
    """A ``GraphReader`` over the records of an archive that Cognee exported (COGX 0.1, source system ``cognee``).

    Its entities and raw nodes are the nodes, its facts the edges; its documents are the chunks among the raw nodes once
    more. An archive of another system, with documents of its own, is no graph and is refused.

    Raises:
        GraphFileError: The archive is another system's.
        ArchiveError: The archive is damaged.
    """

    def __init__(self, path: Path, *, dataset_name: str) -> None:
        from cognee_dagster.cogx.unpack import read_manifest

        manifest = read_manifest(path)
        if manifest.source_system != "cognee":
            raise GraphFileError(
                f"The archive {path} was written by {manifest.source_system!r}. Only Cognee's own hold a whole graph; "
                "import this one into a local Cognee first, and push that dataset."
            )
        self._path = path
        self._origin = GraphOrigin(
            dataset_name=dataset_name,
            embedding_model=manifest.embedding_model,
            migration_revision=manifest.migration_revision,
            read_through="archive",
            fact_text_complete=False,
            endpoints_guaranteed=False,
        )

    @property
    def origin(self) -> GraphOrigin:
        return self._origin

    def nodes(self) -> Iterator[pa.RecordBatch]:
        return self._batches(_node_row, schema=NODE_SCHEMA)

    def edges(self) -> Iterator[pa.RecordBatch]:
        return self._batches(_edge_row, schema=EDGE_SCHEMA)

    def _batches(self, row_of: "_RowOf", *, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        from cognee_dagster.cogx.layout import RECORD_KINDS
        from cognee_dagster.cogx.unpack import iter_records

        rows = (row_of(RECORD_KINDS[member], record) for member, record in iter_records(self._path))
        found = (row for row in rows if row is not None)
        try:
            while batch := list(islice(found, _BATCH_ROWS)):
                columns = [pa.array(column, pa.string()) for column in zip(*batch, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)
        except (AttributeError, KeyError, TypeError, pa.ArrowInvalid) as error:
            raise GraphFileError(
                f"The archive {self._path} has a record that is not COGX ({type(error).__name__}: {error}). "
                "`cognee-dagster validate` says which."
            ) from error


def _node_row(kind: str, record: dict[str, Any]) -> "_Row | None":
    if kind == "entity":
        properties = {key: record[key] for key in _ENTITY_FIELDS if record.get(key) is not None}
        return record["external_id"], record["name"], "Entity", json.dumps(properties)
    if kind == "raw_node":
        columns = {key: record[key] for key in ("name", "type") if isinstance(record.get(key), str)}
        rest = {key: value for key, value in record.items() if key not in columns and key != "id"}
        return record["id"], columns.get("name"), columns.get("type"), json.dumps(rest)
    return None


def _edge_row(kind: str, record: dict[str, Any]) -> "_Row | None":
    if kind != "fact":
        return None
    properties = {name: record[key] for key, name in _FACT_FIELDS.items() if record.get(key) is not None}
    return record["subject_ref"], record["object_ref"], record["predicate"], json.dumps(properties)


_Row = tuple[str | None, ...]
_RowOf = Callable[[str, dict[str, Any]], _Row | None]
