"""One open Ladybug file: what may go wrong with opening it, and how a result becomes Arrow.

Ladybug reads beside a process that writes the file, but not while that one checkpoints, and what it reads then could be
of two states.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from cognee_dagster.errors import StoreBusyError, StoreFormatError
from cognee_dagster.sources.cognee.graph_place import require_files
from cognee_dagster.sources.cognee.ladybug_damage import is_of_another_format, what_is_wrong
from cognee_dagster.sources.cognee.ladybug_memory import RESERVED_BYTES, largest_pool
from cognee_dagster.sources.cognee.prefetch import one_ahead
from cognee_dagster.system.write_lock import is_write_locked

_RETRY_SECONDS = 0.05
_ALONE_SECONDS = 1.0  # without a writer, what looks like the work of one is damage
_CHUNK_ROWS = 8_192  # of a batch of a result
_TABLES = "CALL show_tables() RETURN name"
# What a read-only open says while the writing process checkpoints; all of it passes (Ladybug 0.19).
_TRANSIENT = re.compile(r"checkpoint|\.wal|\bWAL\b|could not set lock", re.IGNORECASE)
_POOL_FULL = "buffer pool is full"

Key = TypeVar("Key")


class BufferPoolFullError(Exception):
    """A query's result does not fit into Ladybug's buffer pool."""


@dataclass(frozen=True)
class LadybugState:
    """What changes when the graph file is written."""

    inode: int
    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> "LadybugState | None":
        """None when the file is not there."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        return cls(status.st_ino, status.st_size, status.st_mtime_ns)


class LadybugDatabase:
    """One read-only Ladybug database and its connection.

    Attributes:
        path: Its file.
        state: What the file was in when it was opened.
        has_tables: Whether Cognee has made its tables in it.
    """

    state: LadybugState | None

    def __init__(
        self,
        path: Path,
        *,
        wait_seconds: float,
        pool_bytes: int,
        before_opening: Callable[[Path, int], None] = lambda *_: None,
    ) -> None:
        self.path = path
        self._before_opening = before_opening
        self._wait_seconds = wait_seconds
        self._pool_bytes = pool_bytes
        self._in_use = threading.Lock()
        require_files(path)
        self._open()
        self.has_tables = "Node" in self.query(_TABLES).column(0).to_pylist()

    def query(self, statement: str, parameters: dict[str, Any] | None = None) -> pa.Table:
        return self.fetch(self.execute(statement, parameters))

    def query_unpooled(self, statement: str) -> pa.Table:
        """A result that was never in the buffer pool; nothing but the statement bounds its size."""
        with self._errors(), self._in_use, self._connection.query_as_arrow(statement, _CHUNK_ROWS) as result:
            return self._checked(result.get_as_arrow())

    def execute(self, statement: str, parameters: dict[str, Any] | None = None) -> Any:
        """A result in the buffer pool; this is done outside of Python's lock."""
        with self._errors(), self._in_use:
            return self._connection.execute(statement, parameters)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # what it raises in C++ becomes errors of any kind
            if _POOL_FULL in str(error):
                raise BufferPoolFullError(str(error)) from error
            self.check_unchanged()
            raise what_is_wrong(self.path, reason=str(error)) from error

    def fetch(self, result: Any) -> pa.Table:
        """Move a result out of the buffer pool; this holds Python's lock."""
        with self._errors(), result:
            return self._checked(result.get_as_arrow(chunk_size=_CHUNK_ROWS))

    @staticmethod
    def _checked(table: pa.Table) -> pa.Table:
        """The same table, if all its strings are UTF-8: Ladybug hands out what it finds on a damaged page."""
        table.validate(full=True)
        return table

    def fetched(self, results: Iterator[tuple[Key, Any]]) -> Iterator[tuple[Key, pa.Table]]:
        """Every result as a table; the next one is made ready while the caller is busy with it."""
        return one_ahead(results, fetch=lambda found: (found[0], self.fetch(found[1])))

    def check_unchanged(self) -> None:
        """Raises StoreBusyError if the file is no longer the one that was opened.

        Ladybug reads pages when they are needed, so a checkpoint by another process could mix two states of the graph.
        """
        self.check_is(self.state)

    def check_is(self, state: "LadybugState | None") -> None:
        """Raises StoreBusyError if the file is in another state."""
        if LadybugState.of(self.path) != state:
            raise StoreBusyError(
                f"Another process changed the graph file {self.path} while it was being read. "
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
            raise what_is_wrong(self.path, reason=f"the index does not find {rows.null_count} of the nodes")
        return page.take(rows)

    def reopen_with_larger_pool(self) -> None:
        if self._pool_bytes >= largest_pool(self.path):
            reason = f"one node, or the edges of one, take more than {self._pool_bytes >> 20:,} MiB"
            raise what_is_wrong(self.path, reason=reason)
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
        writer = _WriterWatch(self.path)
        while (obstacle := self._try_to_open()) is not None:
            if not writer.may_be_there(patient=_TRANSIENT.search(obstacle) is not None):
                raise what_is_wrong(self.path, reason=obstacle)
            if time.monotonic() >= deadline:
                raise StoreBusyError(
                    f"Another process is writing the graph file {self.path}, which was not readable within "
                    f"{self._wait_seconds:g} s ({obstacle}): try again when its cognify() or import has ended."
                )
            time.sleep(_RETRY_SECONDS)

    def _try_to_open(self) -> str | None:
        """Open the file; what prevents it, if a writer of the file could be the reason.

        Raises:
            StoreFormatError: Another Ladybug is needed.
        """
        while True:
            try:
                self.state = LadybugState.of(self.path)
                self._connect()
                self.check_unchanged()
            except StoreBusyError:
                self.close()
                return "it is being written"
            except Exception as error:  # as above
                reason = str(error)
                if is_of_another_format(self.path, reason=reason):
                    raise StoreFormatError(self._foreign_format(reason)) from error
                if _POOL_FULL not in reason or self._pool_bytes >= largest_pool(self.path):
                    return reason
                self._pool_bytes *= 2  # the changes that a writer left in its log must fit, too
            else:
                return None

    def _connect(self) -> None:
        import ladybug

        self._before_opening(self.path, self._pool_bytes)
        self._database: Any = ladybug.Database(
            str(self.path),
            read_only=True,
            buffer_pool_size=self._pool_bytes,
            max_num_threads=1,
            max_db_size=RESERVED_BYTES,
        )
        self._connection: Any = ladybug.Connection(self._database, num_threads=1)

    def _foreign_format(self, reason: str) -> str:
        import ladybug

        return (
            f"The installed Ladybug {ladybug.__version__} cannot read {self.path}: {reason}. Install the Ladybug "
            "release that the Cognee which wrote this graph pins, or set COGNEE_PYTHON to that Cognee's interpreter."
        )


class _WriterWatch:
    """Whether there may be a writer of a file, looked at again and again while the file cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._alone_since: float | None = None

    def may_be_there(self, *, patient: bool) -> bool:
        """False if nobody has the file locked; ``patient``: and nobody had for a while.

        A writer that closes the file gives its lock up and removes what it left beside the file, in whatever order.
        """
        try:
            locked = is_write_locked(self._path)
        except OSError:
            locked = False  # it cannot even be opened
        if locked is not False:  # locked, or who knows
            self._alone_since = None
            return True
        now = time.monotonic()
        if self._alone_since is None:
            self._alone_since = now
        return patient and now - self._alone_since < _ALONE_SECONDS
