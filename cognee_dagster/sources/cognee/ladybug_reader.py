"""Reads the Ladybug file in which Cognee keeps one dataset's graph: paged, in a stable order.

The tables are those of Cognee 1.6.5 (``infrastructure/databases/graph/ladybug/adapter.py``), the rows those of its
``get_graph_data()``. Ladybug is asked one page at a time because it holds a query's whole result before it hands out
the first row, and by one thread because only then its row order is stable.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cognee_dagster.graph.arrow import content_and_stops, integer_column, integers, text
from cognee_dagster.graph.origin import GraphOrigin
from cognee_dagster.graph.reader import EDGE_SCHEMA, NODE_SCHEMA, Reopen
from cognee_dagster.sources.cognee.ladybug_database import BufferPoolFullError, LadybugDatabase, LadybugState
from cognee_dagster.sources.cognee.ladybug_memory import bound_memory
from cognee_dagster.sources.cognee.node_properties import complete_node_properties
from cognee_dagster.sources.cognee.prefetch import one_ahead

OPEN_WAIT_SECONDS = 30.0  # how long a writer's checkpoints are waited out
# Ladybug keeps nodes and pages of the file in its buffer pool, which so bounds the memory. A result that does not fit
# is halved; one row or one hub node's edges that do not fit get a larger pool. A process that reads nothing but edges
# needs less: it looks nothing up in the index, and pages of edges are not in the pool.
BUFFER_POOL_BYTES = 64 << 20
_EDGE_POOL_BYTES = 32 << 20
# From this size of the file on, two processes are faster than one, for all that the second one costs to start.
TWO_PROCESSES_BYTES = 64 << 20
NODE_PAGE = 8_192
ID_PAGE = 131_072
# Edges come as Arrow without a stop in the pool, which saves a third of their reading and all of it under Python's
# lock, but bounds nothing: the number of source nodes follows the size of the page before, and a page has an end.
FIRST_EDGE_PAGE = 512  # source nodes
EDGE_PAGE_BYTES = 8 << 20
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


@contextmanager
def open_ladybug_file(
    path: Path,
    *,
    origin: GraphOrigin,
    wait_seconds: float = OPEN_WAIT_SECONDS,
    pool_bytes: int | None = None,
    state: LadybugState | None = None,
    before_opening: Callable[[Path, int], None] = lambda *_: None,
) -> Iterator["LadybugReader"]:
    """Open a dataset's graph file for reading, beside a process that may be writing it.

    Args:
        path: The ``.lbug`` file.
        origin: What the reader says about where the graph comes from.
        wait_seconds: How long a writer's checkpoints are waited out.
        pool_bytes: Ladybug's buffer pool; default: ``BUFFER_POOL_BYTES``.
        state: What the file must be in; default: any.
        before_opening: Called with the file and the pool's size, whenever it is opened.

    Raises:
        StoreBusyError: A writer did not let go in time, or the file is in another state.
        StoreFormatError: The file was written by a Ladybug with another storage format, or is no Ladybug file.
        StoreDamagedError: The file, or what was left beside it, is damaged. Or damage ends the process: see
            ``open_ladybug_graph``.
    """
    database = LadybugDatabase(
        path, wait_seconds=wait_seconds, pool_bytes=pool_bytes or BUFFER_POOL_BYTES, before_opening=before_opening
    )
    reader = LadybugReader(database, origin=origin)
    try:
        if state is not None:
            database.check_is(state)
        yield reader
    finally:
        reader.close()


def open_in_own_process(path: Path, **options: Any) -> "AbstractContextManager[LadybugReader]":
    """``open_ladybug_file`` for a process that does nothing else: its memory is bounded, whatever the file says."""
    return open_ladybug_file(path, before_opening=bound_memory, **options)


class LadybugReader:
    """A ``GraphReader`` over one open Ladybug file."""

    def __init__(self, database: LadybugDatabase, *, origin: GraphOrigin) -> None:
        self._database = database
        self._origin = origin

    @property
    def origin(self) -> GraphOrigin:
        return self._origin

    @property
    def reopen(self) -> Reopen | None:
        """For its edges; None for a small graph."""
        path, state = self._database.path, self._database.state
        if state is None or state.size < TWO_PROCESSES_BYTES:
            return None
        return partial(open_in_own_process, path, origin=self._origin, pool_bytes=_EDGE_POOL_BYTES, state=state)

    def nodes(self) -> Iterator[pa.RecordBatch]:
        """Batches of ``NODE_SCHEMA`` in the order of storage.

        Raises:
            StoreBusyError: Another process changed the graph meanwhile; what was read is not to be used.
        """
        if self._database.has_tables:
            for wanted, page in self._database.fetched(self._node_pages()):
                ordered = self._database.in_order_of(wanted, page)
                yield from complete_node_properties(ordered.cast(NODE_SCHEMA)).to_batches()
        self._database.check_unchanged()

    def edges(self) -> Iterator[pa.RecordBatch]:
        """Batches of ``EDGE_SCHEMA``, by source node in the order of storage.

        Raises:
            StoreBusyError: Another process changed the graph meanwhile; what was read is not to be used.
        """
        if self._database.has_tables:
            yield from self._edges(_NodeIds(self._pages(_NODE_IDS, rows=ID_PAGE)))
        self._database.check_unchanged()

    def close(self) -> None:
        self._database.close()

    def _node_pages(self) -> Iterator[tuple[pa.Array, Any]]:
        """Ids that were asked for, and the result."""
        for page in self._pages(_NODE_IDS, rows=ID_PAGE):
            ids = page.column("id").combine_chunks()
            start, rows = 0, NODE_PAGE
            while start < len(ids):
                wanted = ids.slice(start, rows)
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


class _NodeIds:
    """Node ids by Ladybug's node offset: 44 bytes a node, the one thing here that grows with the graph.

    They are copied into one text, page by page: kept as they come, they would take twice the memory.
    """

    def __init__(self, pages: Iterable[pa.Table]) -> None:
        content, stops, offsets = bytearray(), array("q", [0]), array("q")
        for page in pages:
            page_offsets, page_ids = (column.combine_chunks() for column in page.columns)
            page_content, page_stops = content_and_stops(page_ids)
            # Widened first: numpy 1 would keep the sum at 32 bits, whatever is added.
            stops.frombytes((page_stops[1:].astype(np.int64) + len(content)).tobytes())
            content += page_content
            offsets.frombytes(integers(page_offsets).tobytes())
        self._ids = pa.LargeStringArray.from_buffers(len(offsets), pa.py_buffer(stops), pa.py_buffer(content))
        self._rows: pa.Int64Array | None = None
        self.stop = max(offsets, default=-1) + 1
        present = np.frombuffer(offsets, np.int64)
        if not np.array_equal(present, np.arange(self.stop)):  # nodes were deleted, so that the offsets have gaps
            rows = np.zeros(self.stop, np.int64)
            rows[present] = np.arange(len(present))
            self._rows = integer_column(rows)

    def take(self, offsets: pa.Array) -> pa.StringArray:
        """The ids of the nodes at these offsets."""
        return self._ids.take(offsets if self._rows is None else self._rows.take(offsets)).cast(pa.string())
