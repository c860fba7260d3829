"""An archive as a graph: the records of Cognee's export, back as batches of nodes and edges."""

import ast
import contextlib
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.digest import combined, digest_of, digest_text
from cognee_dagster.cogx.encode import exact_json
from cognee_dagster.cogx.encode.exact_json import parse_line
from cognee_dagster.cogx.format import (
    ARCHIVE_SUFFIX,
    DOCUMENTS_FILE,
    ENTITIES_FILE,
    FACTS_FILE,
    NODES_FILE,
    RECORD_KINDS,
)
from cognee_dagster.cogx.read.manifest import read_manifest
from cognee_dagster.cogx.read.safe_members import content_sha256_of, read_members
from cognee_dagster.cogx.schema import Entity, Fact, RawNode, check_record
from cognee_dagster.cogx.write.tally import summarize
from cognee_dagster.errors import ArchiveError, GraphFileError
from cognee_dagster.graph.reader import EDGE_SCHEMA, NODE_SCHEMA, GraphOrigin, Reopen
from cognee_dagster.system.files import sha256_of

_BATCH_ROWS = 10_000
_BATCH_CHARACTERS = 4_000_000
_GRAPH_FILES = (DOCUMENTS_FILE, ENTITIES_FILE, NODES_FILE, FACTS_FILE)
_EXPORT_NOTE = re.compile(r"Exported from Cognee dataset (?P<name>.*)\.", re.DOTALL)
_COLUMNS = ("name", "type")

_Row = tuple[str, str | None, str | None, str | None]


class ArchiveReader:
    """A ``GraphReader`` over an archive that Cognee or this package exported.

    Writing it again gives an archive with the same records and the same digest.

    Args:
        path: The packed archive.
        dataset_name: Default: the dataset that the archive says it was exported from.

    Raises:
        ArchiveError: The file is not an archive, or is one of another system: such an archive holds more than a
            graph and should be pushed as it is.
    """

    reopen: Reopen | None = None

    def __init__(self, path: Path, *, dataset_name: str | None = None) -> None:
        manifest = read_manifest(path)
        if manifest.source_system != "cognee":
            raise ArchiveError(
                f"{path}: an archive of {manifest.source_system!r:.60}, which holds more than a graph. "
                "Push the archive itself instead of reading it as a graph."
            )
        self._path = path
        self._origin = GraphOrigin(
            dataset_name=dataset_name or noted_dataset(manifest.notes) or file_stem(path),
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
        return _batches(self._rows((ENTITIES_FILE, NODES_FILE), _node_row), NODE_SCHEMA)

    def edges(self) -> Iterator[pa.RecordBatch]:
        """Facts in the order of the archive."""
        return _batches(self._rows((FACTS_FILE,), _edge_row), EDGE_SCHEMA)

    def _rows(self, files: tuple[str, ...], row: Callable[[bytes, str], _Row]) -> Iterator[_Row]:
        for member in read_members(self._path):
            if member.name in RECORD_KINDS and member.name not in _GRAPH_FILES and member.size:
                raise ArchiveError(f"{self._path}: holds {member.name}, which is no part of a graph.")
            if member.name not in files:
                continue
            for number, line in member.lines():
                try:
                    values = row(line, member.name)
                    "".join(filter(None, values)).encode()  # a lone surrogate fits into JSON, but not into Arrow
                except ValueError as error:
                    raise ArchiveError(f"{self._path}: {member.name}, line {number}: {error}") from error
                yield values


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


def inspect_archive(path: Path) -> Archive:
    """An archive on disk as a value: reads it whole, to count its records and find its digest.

    Raises:
        ArchiveError: The archive is damaged or not valid.
        OSError: The file cannot be read.
    """
    manifest = read_manifest(path)
    with path.open("rb") as file:
        sha256 = sha256_of(file)
    member_bytes: dict[str, int] = {}
    counts: Counter[str] = Counter()
    digest = 0
    is_graph = manifest.source_system == "cognee"
    for member in read_members(path):
        member_bytes[member.name] = member.size
        if member.name in RECORD_KINDS:
            lines = _counted(member.lines(), kind=RECORD_KINDS[member.name], counts=counts)
            digest = combined(digest, digest_of(lines))
            is_graph = is_graph and (member.name in _GRAPH_FILES or not member.size)
    try:
        summary = summarize(ArchiveReader(path)) if is_graph else None
    except GraphFileError as error:
        raise ArchiveError(f"{path}: {error}") from error
    return Archive(
        path=path,
        dataset_name=noted_dataset(manifest.notes) or file_stem(path),
        num_nodes=counts["entity"] + counts["raw_node"],
        num_edges=counts["fact"],
        digest=summary.digest if summary else digest_text(digest),
        content_sha256=content_sha256_of(path),
        sha256=sha256,
        size_bytes=path.stat().st_size,
        record_counts={kind: count for kind, count in counts.items() if count},
        member_bytes=member_bytes,
        summary=summary,
    )


def _counted(lines: Iterable[tuple[int, bytes]], *, kind: str, counts: Counter[str]) -> Iterator[bytes]:
    """The lines without their numbers, each counted as it passes."""
    for _, line in lines:
        counts[kind] += 1
        yield line


def noted_dataset(notes: list[str]) -> str | None:
    """The dataset named in the note that Cognee's export leaves in a manifest."""
    for note in notes:
        if match := _EXPORT_NOTE.fullmatch(note):
            with contextlib.suppress(ValueError, SyntaxError, MemoryError, RecursionError):
                name = ast.literal_eval(match["name"])
                if isinstance(name, str) and name:
                    return name
    return None


def file_stem(path: Path) -> str:
    """The file's name without what says that it is an archive."""
    return path.name.removesuffix(ARCHIVE_SUFFIX) or path.name


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


def _node_row(line: bytes, file: str) -> _Row:
    record = check_record(parse_line(line), file=file)
    if isinstance(record, Entity):
        properties: dict[str, Any] = {"description": record.description}
        properties |= _texts(created_at=record.created_at, updated_at=record.updated_at)
        return record.external_id, record.name, "Entity", exact_json.dump(properties).decode()
    if not isinstance(record, RawNode):
        raise ValueError(f"a record of kind {record.kind!r} among the nodes")
    node_id = record.properties.get("id")
    if not isinstance(node_id, str) or not node_id:
        raise ValueError("a node without an id")
    name, node_type = (value if isinstance(value := record.properties.get(key), str) else None for key in _COLUMNS)
    return node_id, name, node_type, line.decode()


def _edge_row(line: bytes, file: str) -> _Row:
    record = check_record(parse_line(line), file=file)
    if not isinstance(record, Fact):
        raise ValueError(f"a record of kind {record.kind!r} among the facts")
    properties = {"edge_text": record.fact_text, **_texts(valid_at=record.valid_at, invalid_at=record.invalid_at)}
    return record.subject_ref, record.object_ref, record.predicate, exact_json.dump(properties).decode()


def _texts(**times: datetime | None) -> dict[str, str]:
    return {key: time.isoformat() for key, time in times.items() if time is not None}
