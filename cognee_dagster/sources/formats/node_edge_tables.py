"""Two tables in a folder, one of nodes and one of edges: CSV or Parquet, headers as Neo4j, APOC or Gephi write them.

Neo4j's headers say a column's type (``age:int``, ``tags:string[]``), which columns are ids (``id:ID(Person)``,
``:START_ID``, ``:END_ID``), and where labels and relationship types are (``:LABEL``, ``:TYPE``).
"""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from cognee_dagster.errors import GraphFileError, GraphFileNotFoundError
from cognee_dagster.sources.elements import Edge, Node
from cognee_dagster.sources.formats.tables import Row, columns_of, find_table, num_rows, rows_of
from cognee_dagster.sources.formats.typed_text import declared_value

NODE_TABLES = ("nodes", "node", "vertices", "entities")
EDGE_TABLES = ("edges", "edge", "relationships", "relations", "links", "rels")
_HALVES = {**dict.fromkeys(NODE_TABLES, EDGE_TABLES[0]), "entities": "relationships", "relationships": "entities"}
_IDS = ("id", "_id", "node_id", "key", "~id")
_ENDS = (
    *(("source", "target"), ("_start", "_end"), ("from", "to"), ("source_id", "target_id"), ("start_id", "end_id")),
    *(("start", "end"), ("src", "dst"), ("subject", "object"), ("~from", "~to")),
)
_NEO4J = re.compile(r"(?P<name>[^:]*):(?P<kind>[A-Za-z_]+)(\((?P<space>[^)]*)\))?(?P<list>\[\])?(\{.*\})?")
_ROLES = {"ID", "START_ID", "END_ID", "LABEL", "TYPE", "IGNORE"}
_DIRECTIONS = {"directed", "undirected", "mutual"}  # Gephi's ``Type`` of an edge


class NodeEdgeTables:
    """Two tables as a source of nodes and edges.

    Raises:
        GraphFileNotFoundError: A table is missing.
        GraphFileError: A table does not say which columns are ids.
    """

    def __init__(self, nodes: Path, edges: Path) -> None:
        self._node_table = _Table(nodes)
        self._edge_table = _Table(edges)

    @classmethod
    def find(cls, folder: Path) -> "NodeEdgeTables | None":
        """The tables in a folder; None if it holds none of them."""
        nodes, edges = find_table(folder, NODE_TABLES), find_table(folder, EDGE_TABLES)
        if nodes is None and edges is None:
            return None
        if nodes is None or edges is None:
            raise GraphFileNotFoundError(_other_half(nodes or edges))
        return cls(nodes, edges)

    @property
    def hints(self) -> frozenset[str]:
        return frozenset({"tables"} | ({"apoc"} if self._node_table.is_neo4j else set()))

    def num_elements(self) -> int:
        return self._node_table.num_rows() + self._edge_table.num_rows()

    def nodes(self) -> Iterator[Node]:
        table = self._node_table
        column = table.role("ID") or table.named(_IDS)
        if column is None:
            raise table.without("an id", _IDS)
        for place, row in table.rows():
            if (key := row.pop(column.header, None)) is None:
                raise GraphFileError(f"has a node without an id ({place}). Add it.")
            yield Node(column.key(key), table.attributes(row, place), place)

    def edges(self) -> Iterator[Edge]:
        table = self._edge_table
        source, target = self._end_columns()
        for place, row in table.rows():
            ends = row.pop(source.header, None), row.pop(target.header, None)
            if None in ends:
                raise GraphFileError(
                    f"has an edge without {'a source' if ends[0] is None else 'a target'} ({place}). Add it."
                )
            attributes = table.attributes(row, place)
            if str(attributes.get("Type")).lower() in _DIRECTIONS:
                del attributes["Type"]
            attributes.pop("Id", None)
            yield Edge(source.key(ends[0]), target.key(ends[1]), attributes, None, place)

    def _end_columns(self) -> "tuple[_Column, _Column]":
        table = self._edge_table
        source, target = table.role("START_ID"), table.role("END_ID")
        for pair in _ENDS:
            if source is None or target is None:
                source, target = table.named(pair[:1]), table.named(pair[1:])
        if source is None or target is None:
            raise table.without("both ends", [f"{pair[0]}/{pair[1]}" for pair in _ENDS])
        return source, target


def _other_half(table: Path | None) -> str:
    """What to add to one table that is there alone."""
    assert table is not None  # noqa: S101 - the caller looked
    other = _HALVES.get(table.name.split(".", 1)[0], NODE_TABLES[0])
    return f"holds one table only, {table.name}: add {other}.csv or {other}.parquet."


class _Column(NamedTuple):
    """A column as its header describes it.

    Attributes:
        header: What stands in the file.
        name: The attribute's name.
        kind: Neo4j's type or role of it; empty without one.
        space: The id space; ids are unique within one only.
        is_list: Whether a cell holds several values.
    """

    header: str
    name: str
    kind: str
    space: str
    is_list: bool

    def key(self, value: Any) -> Any:
        return f"{self.space}:{value}" if self.space else value

    def value(self, cell: Any) -> Any:
        if self.kind == "LABEL":
            return [label for label in str(cell).split(";") if label]
        if not self.kind or self.kind in _ROLES or not isinstance(cell, str):
            return cell
        if self.is_list:
            return [declared_value(item, self.kind) for item in cell.split(";")]
        return declared_value(cell, self.kind)


class _Table:
    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def columns(self) -> list[_Column]:
        return [_column(header) for header in columns_of(self._path)]

    @property
    def is_neo4j(self) -> bool:
        return any(column.kind in _ROLES for column in self.columns) or self.named(("_labels",)) is not None

    def role(self, kind: str) -> _Column | None:
        return next((column for column in self.columns if column.kind == kind), None)

    def named(self, names: Sequence[str]) -> _Column | None:
        by_name = {column.header.lower(): column for column in self.columns}
        return next((by_name[name] for name in names if name in by_name), None)

    def rows(self) -> Iterator[tuple[str, Row]]:
        return rows_of(self._path)

    def num_rows(self) -> int:
        return num_rows(self._path)

    @cached_property
    def _says_types(self) -> bool:
        """Whether a header says more than a name."""
        return any(column.kind or column.name != column.header for column in self.columns)

    def attributes(self, row: Row, place: str) -> Row:
        """The row's attributes; the row itself where they are what it holds."""
        if not self._says_types:
            return row
        result = {}
        for column in self.columns:
            if (cell := row.get(column.header)) is None or column.kind == "IGNORE":
                continue
            try:
                result[column.name] = column.value(cell)
            except ValueError as error:
                raise GraphFileError(f"{place}: attribute {column.name!r} {error}.") from error
        return result

    def without(self, what: str, names: Sequence[str]) -> GraphFileError:
        there = ", ".join(column.header for column in self.columns)
        return GraphFileError(
            f"has a table {self._path.name} in which no column is known to hold {what}. It has: {there or 'none'}. "
            f"Call them one of: {', '.join(names)}."
        )


def _column(header: str) -> _Column:
    match = _NEO4J.fullmatch(header)
    if match is None:
        return _Column(header, header, "", "", False)
    kind = match["kind"].upper() if match["kind"].upper() in _ROLES else match["kind"]
    names = {"LABEL": "labels", "TYPE": "type", "ID": "id"}
    return _Column(header, match["name"] or names.get(kind, header), kind, match["space"] or "", bool(match["list"]))
