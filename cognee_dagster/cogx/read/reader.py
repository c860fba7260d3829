"""An archive as a graph: the records of Cognee's export, back as batches of nodes and edges."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from cognee_dagster.cogx.encode import exact_json
from cognee_dagster.cogx.encode.facts import FactRecords
from cognee_dagster.cogx.encode.nodes import NodeRecords
from cognee_dagster.cogx.format import COGNEE_SYSTEM, ENTITIES_FILE, FACTS_FILE, NODES_FILE
from cognee_dagster.cogx.read import verbatim
from cognee_dagster.cogx.read.manifest import dataset_name_of, read_manifest
from cognee_dagster.cogx.read.records import PUSH_IT_AS_IT_IS, GraphRecord, graph_records
from cognee_dagster.cogx.schema import Entity, Fact, RawNode
from cognee_dagster.errors import ArchiveError
from cognee_dagster.graph.reader import EDGE_SCHEMA, NODE_SCHEMA, GraphOrigin, Reopen

_BATCH_ROWS = 10_000
_BATCH_CHARACTERS = 4_000_000
_COLUMNS = ("name", "type")

_Records = TypeVar("_Records")
_Row = tuple[str, str | None, str | None, str | None]


class ArchiveReader:
    """A ``GraphReader`` over an archive that Cognee or this package exported.

    Writing it again gives an archive with the same records, line by line, and the same digest.

    Args:
        path: The packed archive.
        dataset_name: Default: the dataset that the archive says it was exported from.
        shown: What messages call the archive; default: its path.

    Raises:
        ArchiveError: The file is not an archive, or is one of another system: such an archive holds more than a
            graph and should be pushed as it is.
    """

    reopen: Reopen | None = None

    def __init__(self, path: Path, *, dataset_name: str | None = None, shown: str | None = None) -> None:
        self._path = path
        self._shown = shown or str(path)
        with self._reading():
            manifest = read_manifest(path)
        if manifest.source_system != COGNEE_SYSTEM:
            raise ArchiveError(
                f"{self._shown}: an archive of {manifest.source_system!r:.60}, which holds more than a graph. "
                f"{PUSH_IT_AS_IT_IS}"
            )
        self._origin = GraphOrigin(
            dataset_name=dataset_name or dataset_name_of(manifest, path),
            embedding_model=manifest.embedding_model,
            migration_revision=manifest.migration_revision,
            read_through="archive",
            endpoints_guaranteed=False,
        )

    @property
    def origin(self) -> GraphOrigin:
        """Where the archive says it comes from."""
        return self._origin

    def nodes(self) -> Iterator[pa.RecordBatch]:
        """Entities and raw nodes in the order of the archive; documents are texts of raw nodes once more."""
        rows = (_node_row(record) for record in graph_records(self._path, ENTITIES_FILE, NODES_FILE))
        return self._named(_batches(rows, NODE_SCHEMA))

    def edges(self) -> Iterator[pa.RecordBatch]:
        """Facts in the order of the archive."""
        rows = (_edge_row(record) for record in graph_records(self._path, FACTS_FILE))
        return self._named(_batches(rows, EDGE_SCHEMA))

    def node_records(self) -> Iterator[NodeRecords]:
        """Documents, entities and raw nodes as they are."""
        return self._named(verbatim.node_records(self._path))

    def fact_records(self) -> Iterator[FactRecords]:
        """Facts as they are."""
        return self._named(verbatim.fact_records(self._path))

    def _named(self, records: Iterator[_Records]) -> Iterator[_Records]:
        with self._reading():
            yield from records

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """An archive that was packed or fetched for the purpose is called what a person calls it."""
        try:
            yield
        except ArchiveError as error:
            raise type(error)(str(error).replace(str(self._path), self._shown)) from error


def read_archive(path: Path, *, dataset_name: str | None = None) -> ArchiveReader:
    """An archive that Cognee or this package exported, as a graph.

    Args:
        path: The packed archive.
        dataset_name: What the dataset is called; default: as the archive says.

    Raises:
        ArchiveError: The file is not an archive of a graph.
        OSError: The file cannot be read.
    """
    return ArchiveReader(path, dataset_name=dataset_name)


def _batches(rows: Iterator[_Row], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while some := list(_some(rows)):
        columns = zip(*some, strict=True)
        yield pa.record_batch(
            [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
        )


def _some(rows: Iterator[_Row]) -> Iterator[_Row]:
    """The next rows, few enough to be held in memory."""
    size = 0
    for row in itertools.islice(rows, _BATCH_ROWS):
        yield row
        size += sum(map(len, filter(None, row)))
        if size > _BATCH_CHARACTERS:
            return


def _node_row(record: GraphRecord) -> _Row:
    node = record.value
    if isinstance(node, Entity):
        properties: dict[str, Any] = {"description": node.description, **_said(node, "entity_type", "aliases")}
        properties |= {**_said(node, "attributes"), **_texts(created_at=node.created_at, updated_at=node.updated_at)}
        return node.external_id, node.name, "Entity", exact_json.dump(properties).decode()
    assert isinstance(node, RawNode)  # noqa: S101 - by the files that were asked for
    name, node_type = (value if isinstance(value := node.properties.get(key), str) else None for key in _COLUMNS)
    return node.properties["id"], name, node_type, record.line.decode()


def _edge_row(record: GraphRecord) -> _Row:
    fact = record.value
    assert isinstance(fact, Fact)  # noqa: S101 - by the file that was asked for
    properties = {
        "edge_text": fact.fact_text,
        **_texts(valid_at=fact.valid_at, invalid_at=fact.invalid_at),
        **_said(fact, "confidence", "provenance"),
    }
    return fact.subject_ref, fact.object_ref, fact.predicate, exact_json.dump(properties).decode()


def _said(record: Entity | Fact, *names: str) -> dict[str, Any]:
    """What a record says beyond Cognee's own export."""
    return {name: value for name in names if (value := getattr(record, name)) not in (None, [], {})}


def _texts(**times: datetime | None) -> dict[str, str]:
    return {key: time.isoformat() for key, time in times.items() if time is not None}
