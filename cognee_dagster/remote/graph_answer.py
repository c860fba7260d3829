"""A dataset's whole graph, read from an answer as it comes, row by row, whatever its size and its form.

Cognee (1.6.5) sends ``{"nodes":[{…},{…}],"edges":[{…}]}``, hundreds of bytes a node. Whole rows are taken from its
beginning while the rest is still on its way. Where a row ends is tried out: the bytes up to any ``},{`` are a list of
whole rows if, and only if, they decode as one.
"""

import re
from collections.abc import Callable
from itertools import islice
from typing import Any, Generic, TypeVar

import msgspec

from cognee_dagster.remote.remote_graph import GraphRows, RemoteEdge, RemoteNode
from cognee_dagster.remote.rows import Rows, Text, row_of, rows_of

_T = TypeVar("_T", bound=msgspec.Struct)
_Rows = TypeVar("_Rows", bound=GraphRows)

MAX_ROW_BYTES = 16 * 2**20
_BATCH_BYTES = 256 * 2**10
_ROWS_AT_ONCE = 200_000  # some 40 MiB of them; only an answer that was made to hide the ends of its rows has as many
_TRIES = 20  # ends of rows that are tried out before more bytes are waited for

_NODES = re.compile(rb'\s*\{\s*"nodes"\s*:\s*\[\s*')
_EDGES = re.compile(rb'\]\s*,\s*"edges"\s*:\s*\[\s*')
_NEXT_ROW = b"},{"


_NO_TEXT = msgspec.Raw(b'""')


class _Node(msgspec.Struct, frozen=True):
    """A node as it is sent; only an id has to make sense."""

    id: Text
    label: msgspec.Raw = _NO_TEXT
    type: msgspec.Raw = _NO_TEXT
    properties: msgspec.Raw = msgspec.Raw(b"{}")


class _Edge(msgspec.Struct, frozen=True):
    source: Text
    target: Text
    label: msgspec.Raw = _NO_TEXT


class _Rest(msgspec.Struct, frozen=True):
    nodes: msgspec.Raw
    edges: msgspec.Raw


class GraphAnswer(Generic[_Rows]):
    """Takes an answer in, part by part.

    Args:
        rows: Takes the graph.
        max_values: How many JSON values may be left when all whole rows were taken.

    Attributes:
        rows: What took the graph.
        skipped: How many rows made no sense.
        problem: What is wrong with the first of those.
    """

    def __init__(self, rows: _Rows, *, max_values: int) -> None:
        self.rows = rows
        self.skipped = 0
        self.problem = ""
        self._max_values = max_values
        self._buffer = bytearray()
        self._enough = _BATCH_BYTES
        self._begin = b""  # of a document that goes on with the buffer

    def take(self, part: bytes) -> None:
        """The next bytes.

        Raises:
            ValueError: They are no graph, or too much of one; with what they are.
            msgspec.DecodeError: They are not JSON.
        """
        self._buffer += part
        while len(self._buffer) >= self._enough:
            if not self._take_rows():
                if len(self._buffer) > MAX_ROW_BYTES:
                    raise ValueError(f"more than {MAX_ROW_BYTES:,} bytes that are no rows of a graph")
                self._enough = 2 * len(self._buffer)
                return
            self._enough = _BATCH_BYTES

    def end(self) -> None:
        """Take the rest: there is no more.

        Raises:
            ValueError: As ``take``.
            msgspec.DecodeError: As ``take``.
        """
        if sum(map(self._buffer.count, (b",", b"[", b"{"))) > self._max_values:
            raise ValueError(f"more than {self._max_values:,} values that are no rows of a graph")
        self._buffer[:0] = self._begin
        rest = row_of(self._buffer, _Rest, what="a graph")
        self._keep(rows_of(rest.nodes, _Node, what="a node"), self._keep_node)
        self._keep(rows_of(rest.edges, _Edge, what="an edge"), self._keep_edge)

    def _take_rows(self) -> bool:
        """Whether whole rows were taken from the buffer's beginning."""
        if not self._begin:
            begin = _NODES.match(bytes(self._buffer[:_BATCH_BYTES]))
            if begin is None:
                return False
            del self._buffer[: begin.end()]
            self._begin = b'{"nodes":['
            return True
        if self._begin.endswith(b'"edges":['):
            return self._take_until_a_row(_Edge, "an edge", self._keep_edge)
        # All at once, for the buffer cannot shrink while it is being searched.
        for end, after in [match.span() for match in islice(_EDGES.finditer(self._buffer), _TRIES)]:
            if self._take_whole(end, after, _Node, "a node", self._keep_node):
                self._begin = b'{"nodes":[],"edges":['
                return True
        return self._take_until_a_row(_Node, "a node", self._keep_node)

    def _take_until_a_row(self, kind: type[_T], what: str, keep: Callable[[Any], None]) -> bool:
        before = len(self._buffer)
        for _ in range(_TRIES):
            if (before := self._buffer.rfind(_NEXT_ROW, 0, before)) < 0:
                return False
            if self._take_whole(before + 1, before + 2, kind, what, keep):
                return True
        return False

    def _take_whole(self, end: int, after: int, kind: type[_T], what: str, keep: Callable[[Any], None]) -> bool:
        """Whether the bytes before ``end`` are whole rows; then they are kept, and the buffer begins at ``after``.

        Raises:
            ValueError: They would be too many rows to decode at once.
        """
        if self._buffer.count(_NEXT_ROW, 0, end) > _ROWS_AT_ONCE:
            raise ValueError(f"more than {_ROWS_AT_ONCE:,} rows whose ends cannot be told apart")
        try:
            rows = rows_of(b"[%b]" % bytes(self._buffer[:end]), kind, what=what)
        except msgspec.DecodeError:
            return False
        del self._buffer[:after]
        self._keep(rows, keep)
        return True

    def _keep(self, rows: Rows[_T], keep: Callable[[Any], None]) -> None:
        for row in rows:
            keep(row)
        self.skipped += rows.skipped
        self.problem = self.problem or rows.problem

    def _keep_node(self, row: _Node) -> None:
        self.rows.node(RemoteNode(row.id, _text(row.label), _text(row.type), bytes(row.properties)))

    def _keep_edge(self, row: _Edge) -> None:
        self.rows.edge(RemoteEdge(row.source, row.target, _text(row.label)))


def _text(value: msgspec.Raw) -> str:
    """A string; empty where it is none."""
    try:
        return msgspec.json.decode(value, type=str)
    except msgspec.DecodeError:
        return ""
