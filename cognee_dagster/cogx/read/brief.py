"""An archive that was written here, read again for ids, names, types and relationships only: a tenth of the work."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from cognee_dagster.cogx.format import ENTITIES_FILE, FACTS_FILE, NODES_FILE
from cognee_dagster.cogx.read.safe_members import read_members
from cognee_dagster.graph.portraying import DESCRIPTION_COLUMN, EDGE_COLUMNS, NODE_COLUMNS, SAMPLES

_BATCH_ROWS = 8_192

_Row = tuple[str, ...]


class _Fact(msgspec.Struct):
    subject_ref: str
    object_ref: str
    predicate: str


class _Entity(msgspec.Struct):
    external_id: str
    name: str


class _Node(msgspec.Struct):
    id: str
    name: Any = None
    type: Any = None


class _Said(msgspec.Struct):
    description: Any = None
    text: Any = None


class BriefReader:
    """The nodes and edges of an archive, in its order, without their properties, but for what the first nodes say.

    Args:
        path: The packed archive, which ``write_archive`` has written: it is not checked once more.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def nodes(self) -> Iterator[pa.RecordBatch]:
        """Batches of ``NODE_COLUMNS`` and ``DESCRIPTION_COLUMN``; ``""`` for no name, no type and no description."""
        lines = self._lines({ENTITIES_FILE: _entity_row, NODES_FILE: _node_row})
        rows = (
            (*make(line), _description(line) if number < SAMPLES else "") for number, (make, line) in enumerate(lines)
        )
        return _batches(rows, (*NODE_COLUMNS, DESCRIPTION_COLUMN))

    def edges(self) -> Iterator[pa.RecordBatch]:
        """Batches of ``EDGE_COLUMNS``."""
        return _batches((make(line) for make, line in self._lines({FACTS_FILE: _fact_row})), EDGE_COLUMNS)

    def _lines(self, row_of: dict[str, Callable[[bytes], _Row]]) -> Iterator[tuple[Callable[[bytes], _Row], bytes]]:
        for member in read_members(self._path, any_size=True):
            if (make := row_of.get(member.name)) is not None:
                yield from ((make, line) for _, line in member.lines())


def _batches(rows: Iterator[_Row], names: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    while some := list(islice(rows, _BATCH_ROWS)):
        columns = zip(*some, strict=True)
        yield pa.record_batch([pa.array(column, pa.string()) for column in columns], names=list(names))


_decode_fact = msgspec.json.Decoder(_Fact).decode
_decode_entity = msgspec.json.Decoder(_Entity).decode
_decode_node = msgspec.json.Decoder(_Node).decode
_decode_said = msgspec.json.Decoder(_Said).decode


def _fact_row(line: bytes) -> _Row:
    fact = _decode_fact(line)
    return fact.subject_ref, fact.object_ref, fact.predicate


def _entity_row(line: bytes) -> _Row:
    entity = _decode_entity(line)
    return entity.external_id, entity.name, "Entity"


def _node_row(line: bytes) -> _Row:
    node = _decode_node(line)
    return node.id, _text(node.name), _text(node.type)


def _description(line: bytes) -> str:
    said = _decode_said(line)
    return _text(said.description) or _text(said.text)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
