"""Reads the Ladybug file in which Cognee keeps one dataset's graph: paged, in a stable order, in bounded memory.

The tables are those of Cognee 1.6.5 (``infrastructure/databases/graph/ladybug/adapter.py``), the rows those of its
``get_graph_data()``. Ladybug is asked one page at a time because it holds a query's whole result before it hands out
the first row, and by one thread because only then its row order is stable.
"""

import re
import threading
import time
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from cognee_dagster.arrow_values import text
from cognee_dagster.errors import LocalCogneeError, StoreBusyError, StoreFormatError
from cognee_dagster.graph.one_ahead import one_ahead
from cognee_dagster.graph.properties import complete_node_properties
from cognee_dagster.graph.reader import EDGE_SCHEMA, NODE_SCHEMA, GraphOrigin

OPEN_WAIT_SECONDS = 30.0  # how long a writer's checkpoints are waited out
_RETRY_SECONDS = 0.05
# Ladybug keeps nodes and pages of the file in its buffer pool, which so bounds the memory: a good part of the 512 MiB
# that an export may take. With three quarters of it Ladybug drops what it is about to need, at 20 % more time. A
# result that does not fit is halved; one row or one hub node's edges that do not fit get a larger pool.
BUFFER_POOL_BYTES = 160 << 20
_LARGEST_POOL_BYTES = 16 << 30
NODE_PAGE = 8_192
ID_PAGE = 131_072
# Edges come as Arrow without a stop in the pool, which saves a third of their reading and all of it under Python's
# lock, but bounds nothing: the number of source nodes follows the size of the page before, and a page has an end.
FIRST_EDGE_PAGE = 512  # source nodes
EDGE_PAGE_BYTES = 16 << 20
EDGE_PAGE_ROWS = 65_536

# By their ids, through the index. A condition on the offset is applied by Ladybug only after it has read all columns of
# all nodes, once for every page: 20 times the time for a million nodes.
_NODES = (
    "UNWIND $ids AS wanted MATCH (n:Node) WHERE n.id = wanted "
    "RETURN n.id AS id, n.name AS name, n.type AS type, n.properties AS properties"
)
_NODE_IDS = "MATCH (n:Node) WHERE offset(id(n)) >= {start} RETURN offset(id(n)) AS offset, n.id AS id LIMIT {limit}"
# ``query_as_arrow`` gives "" for what is missing (Ladybug 0.19): for properties that means the same, and of a missing
# name Cognee makes "None".
#
# The end nodes' offsets instead of their ids: reading ``a.id`` and ``b.id`` here means two more joins in Ladybug, at
# three times the cost.
_EDGES = (
    "MATCH (a:Node)-[r]->(b:Node) WHERE offset(id(a)) >= {start} AND offset(id(a)) < {stop} "
    "RETURN offset(id(a)), offset(id(b)), coalesce(r.relationship_name, 'None'), r.properties LIMIT {limit}"
)
_NO_LIMIT = 1 << 62
_SELF = text("SELF")
_TABLES = "CALL show_tables() RETURN name"

# What a read-only open says while the writing process checkpoints; all of it passes (Ladybug 0.19).
_TRANSIENT = re.compile(r"checkpoint|\.wal|\bWAL\b|could not set lock", re.IGNORECASE)
_POOL_FULL = "buffer pool is full"
_FOREIGN_FORMAT = re.compile(r"different version|not a valid \w+ database file", re.IGNORECASE)

Key = TypeVar("Key")


@contextmanager
def open_ladybug_file(
    path: Path, *, origin: GraphOrigin, wait_seconds: float = OPEN_WAIT_SECONDS
) -> Iterator["LadybugReader"]:
    """Open a dataset's graph file for reading, beside a process that may be writing it.

    Args:
        path: The ``.lbug`` file.
        origin: What the reader says about where the graph comes from.
        wait_seconds: How long a writer's checkpoints are waited out.

    Raises:
        StoreBusyError: A writer did not let go in time.
        StoreFormatError: The file was written by a Ladybug with another storage format, or is no Ladybug file.
    """
    reader = LadybugReader(_Database(path, wait_seconds=wait_seconds), origin=origin)
    try:
        yield reader
    finally:
        reader.close()


class LadybugReader:
    """A ``GraphReader`` over one open Ladybug file."""

    def __init__(self, database: "_Database", *, origin: GraphOrigin) -> None:
        self._database = database
        self._origin = origin
        self._node_ids: _NodeIds | None = None

    @property
    def origin(self) -> GraphOrigin:
        return self._origin

    def nodes(self) -> Iterator[pa.RecordBatch]:
        """Batches of ``NODE_SCHEMA`` in the order of storage.

        Raises:
            StoreBusyError: Another process changed the graph meanwhile; what was read is not to be used.
        """
        if self._database.has_tables:
            for wanted, page in self._database.fetched(self._node_pages(self._ids())):
                ordered = self._database.in_order_of(wanted, page)
                yield from complete_node_properties(ordered.cast(NODE_SCHEMA)).to_batches()
        self._database.check_unchanged()

    def edges(self) -> Iterator[pa.RecordBatch]:
        """Batches of ``EDGE_SCHEMA``, by source node in the order of storage.

        Raises:
            StoreBusyError: Another process changed the graph meanwhile; what was read is not to be used.
        """
        if self._database.has_tables:
            yield from self._edges(self._ids())
        self._database.check_unchanged()

    def close(self) -> None:
        self._node_ids = None  # the largest thing here, and callers still hold the reader
        self._database.close()

    def _ids(self) -> "_NodeIds":
        if self._node_ids is None:
            self._node_ids = _NodeIds(self._pages(_NODE_IDS, rows=ID_PAGE))
        return self._node_ids

    def _node_pages(self, node_ids: "_NodeIds") -> Iterator[tuple[pa.Array, Any]]:
        """Ids that were asked for, and the result."""
        start, rows = 0, NODE_PAGE
        while start < len(node_ids):
            wanted = node_ids.slice(start, rows)
            try:
                result = self._database.execute(_NODES, {"ids": wanted.to_pylist()})
            except BufferPoolFullError:
                rows = self._narrower(rows)
                continue
            start, rows = start + rows, min(rows * 2, NODE_PAGE)
            yield wanted, result

    def _edges(self, node_ids: "_NodeIds") -> Iterator[pa.RecordBatch]:
        for page in one_ahead(self._edge_pages(node_ids.stop), fetch=lambda page: page):
            for batch in page.to_batches():
                sources, targets, relationships, properties = batch.columns
                loops = pc.and_(pc.equal(sources, targets), pc.equal(relationships, _SELF))
                edges = pa.RecordBatch.from_arrays(
                    [node_ids.take(sources), node_ids.take(targets), relationships, properties],
                    schema=EDGE_SCHEMA,
                )
                yield edges.filter(pc.invert(loops)) if pc.any(loops).as_py() else edges

    def _edge_pages(self, stop: int) -> Iterator[pa.Table]:
        start, width = 0, FIRST_EDGE_PAGE
        while start < stop:
            try:
                page = self._edge_page(start, width)
            except BufferPoolFullError:
                page = None
            if page is None:
                width = self._narrower(width)
                continue
            start += width
            if page.nbytes > EDGE_PAGE_BYTES:
                width = max(width * EDGE_PAGE_BYTES // page.nbytes, 1)
            elif page.nbytes < EDGE_PAGE_BYTES // 2:
                width *= 2
            yield page
            del page  # or two pages would be in memory while the next one is read

    def _edge_page(self, start: int, width: int) -> pa.Table | None:
        """The edges of so many source nodes, or None if they are too many for a page."""
        statement = _EDGES.format(start=start, stop=start + width, limit=EDGE_PAGE_ROWS)
        page = self._database.query_unpooled(statement)
        if page.num_rows < EDGE_PAGE_ROWS:
            return page
        # A node with more edges than that cannot be halved: they must fit into the pool.
        return self._database.query(_EDGES.format(start=start, stop=start + 1, limit=_NO_LIMIT)) if width == 1 else None

    def _pages(self, query: str, *, rows: int) -> Iterator[pa.Table]:
        """The result of a query that begins with the node's offset, a page after the other."""
        start, limit = 0, rows
        while self._database.has_tables:
            try:
                page = self._database.query(query.format(start=start, limit=limit))
            except BufferPoolFullError:
                limit = self._narrower(limit)
                continue
            if page.num_rows == 0:
                return
            start, limit = page.column(0)[-1].as_py() + 1, min(limit * 2, rows)
            yield page
            del page  # or two pages would be in memory while the next one is read

    def _narrower(self, page: int) -> int:
        if page == 1:
            self._database.reopen_with_larger_pool()
        return max(page // 2, 1)


class BufferPoolFullError(Exception):
    """A query's result does not fit into Ladybug's buffer pool."""


@dataclass(frozen=True)
class _FileState:
    """What changes when the graph file is written."""

    inode: int
    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> "_FileState | None":
        """None when the file is not there."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        return cls(status.st_ino, status.st_size, status.st_mtime_ns)


class _NodeIds:
    """Node ids by Ladybug's node offset: 40 bytes a node, the one thing here that grows with the graph."""

    def __init__(self, pages: Iterable[pa.Table]) -> None:
        tables = list(pages) or [pa.table({"offset": pa.array([], pa.int64()), "id": pa.array([], pa.string())})]
        offsets, ids = (column.combine_chunks() for column in pa.concat_tables(tables).columns)  # for a fast take()
        self.stop = (pc.max(offsets).as_py() or 0) + 1 if len(offsets) else 0
        self._ids = ids
        self._position: Any = None
        if self.stop != len(offsets) or not pc.all(pc.less(offsets[:-1], offsets[1:])).as_py():
            position = array("q", bytes(8 * self.stop))  # nodes were deleted, so that the offsets have gaps
            for row, offset in enumerate(offsets.to_pylist()):
                position[offset] = row
            self._position = pa.array(position, pa.int64())

    def __len__(self) -> int:
        return len(self._ids)

    def slice(self, start: int, length: int) -> pa.Array:
        """Ids in the order of storage."""
        return self._ids.slice(start, length)

    def take(self, offsets: pa.Array) -> pa.Array:
        """The ids of the nodes at these offsets."""
        return self._ids.take(offsets if self._position is None else self._position.take(offsets))


class _Database:
    """One read-only Ladybug database and its connection."""

    def __init__(self, path: Path, *, wait_seconds: float) -> None:
        self._path = path
        self._wait_seconds = wait_seconds
        self._pool_bytes = BUFFER_POOL_BYTES
        self._in_use = threading.Lock()
        self._open()
        self.has_tables = "Node" in self.query(_TABLES).column(0).to_pylist()

    def query(self, statement: str, parameters: dict[str, Any] | None = None) -> pa.Table:
        return self.fetch(self.execute(statement, parameters))

    def query_unpooled(self, statement: str) -> pa.Table:
        """A result that was never in the buffer pool; nothing but the statement bounds its size."""
        with self._errors(), self._in_use, self._connection.query_as_arrow(statement, NODE_PAGE) as result:
            return result.get_as_arrow()

    def execute(self, statement: str, parameters: dict[str, Any] | None = None) -> Any:
        """A result in the buffer pool; this is done outside of Python's lock."""
        with self._errors(), self._in_use:
            return self._connection.execute(statement, parameters)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            if _POOL_FULL in str(error):
                raise BufferPoolFullError(str(error)) from error
            self.check_unchanged()
            raise LocalCogneeError(f"Ladybug cannot read {self._path}: {error}.") from error

    def fetch(self, result: Any) -> pa.Table:
        """Move a result out of the buffer pool; this holds Python's lock."""
        with result:
            return result.get_as_arrow(chunk_size=NODE_PAGE)

    def fetched(self, results: Iterator[tuple[Key, Any]]) -> Iterator[tuple[Key, pa.Table]]:
        """Every result as a table; the next one is made ready while the caller is busy with it."""
        return one_ahead(results, fetch=lambda found: (found[0], self.fetch(found[1])))

    def check_unchanged(self) -> None:
        """Raises StoreBusyError if the file is no longer the one that was opened.

        Ladybug reads pages when they are needed, so a checkpoint by another process could mix two states of the graph.
        """
        if _FileState.of(self._path) != self._state:
            raise StoreBusyError(
                f"Another process changed the graph file {self._path} while it was being read. "
                "Try again when no cognify() or import is running on this dataset."
            )

    def in_order_of(self, wanted: pa.Array, page: pa.Table) -> pa.Table:
        """The rows of a page in the order in which their ids were asked for, and all of them."""
        found = page.column("id")
        if found.length() == len(wanted) and found.combine_chunks().equals(wanted):
            return page
        rows = pc.index_in(wanted, value_set=found)
        if rows.null_count:
            self.check_unchanged()
            raise LocalCogneeError(f"The index of {self._path} does not find {rows.null_count} of its nodes.")
        return page.take(rows)

    def reopen_with_larger_pool(self) -> None:
        if self._pool_bytes >= _LARGEST_POOL_BYTES:
            raise LocalCogneeError(
                f"One node of {self._path}, or its edges, take more than {self._pool_bytes >> 30} GiB."
            )
        self.check_unchanged()
        self.close()
        self._pool_bytes *= 2
        self._open()

    def close(self) -> None:
        with self._in_use:  # a page may be on its way although nobody wants it any more
            self._connection.close()
            self._database.close()

    def _open(self) -> None:
        deadline = time.monotonic() + self._wait_seconds
        while True:
            try:
                self._state = _FileState.of(self._path)
                self._connect()
                self.check_unchanged()
            except StoreBusyError:
                self.close()
                reason = "it is being written"
            except (OSError, RuntimeError, MemoryError) as error:
                reason = str(error)
                if _FOREIGN_FORMAT.search(reason):
                    raise StoreFormatError(self._foreign_format(reason)) from error
                if _POOL_FULL in reason and self._pool_bytes < _LARGEST_POOL_BYTES:
                    self._pool_bytes *= 2  # the changes that a writer left in its log must fit, too
                    continue
                if not _TRANSIENT.search(reason):
                    raise LocalCogneeError(f"Ladybug cannot open {self._path}: {reason}.") from error
            else:
                return
            if time.monotonic() >= deadline:
                raise StoreBusyError(
                    f"The graph file {self._path} was not readable within {self._wait_seconds:g} s ({reason}). Most "
                    "often another process is writing it: try again when its cognify() or import has ended."
                )
            time.sleep(_RETRY_SECONDS)

    def _connect(self) -> None:
        import ladybug

        self._database: Any = ladybug.Database(
            str(self._path), read_only=True, buffer_pool_size=self._pool_bytes, max_num_threads=1
        )
        self._connection: Any = ladybug.Connection(self._database, num_threads=1)

    def _foreign_format(self, reason: str) -> str:
        import ladybug

        return (
            f"The installed Ladybug {ladybug.__version__} cannot read {self._path}: {reason}. Install the Ladybug "
            "release that the Cognee which wrote this graph pins, or set COGNEE_PYTHON to that Cognee's interpreter."
        )
