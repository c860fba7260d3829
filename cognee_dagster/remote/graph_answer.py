"""A dataset's whole graph, read from an answer as it comes: what is held is small, whatever its size and its form.

Cognee (1.6.5) sends ``{"nodes":[{…},{…}],"edges":[{…}]}``, hundreds of bytes a node. Whole rows are taken from its
beginning while the rest is still on its way. Where a row ends is tried out: the bytes up to any ``},{`` are a list of
whole rows if, and only if, they decode as one.
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from cognee_dagster.remote.remote_graph import RemoteEdge, RemoteGraph, RemoteNode
from cognee_dagster.remote.rows import Rows, Text, row_of, rows_of

_T = TypeVar("_T", bound=msgspec.Struct)

MAX_HELD_BYTES = 2**30
MAX_ROW_BYTES = 16 * 2**20
_BATCH_BYTES = 256 * 2**10
_TRIES = 20  # ends of rows that are tried out before more bytes are waited for

# What a record takes in this process besides its texts (CPython 3.11, 64 bits).
_NODE_BYTES = 400
_EDGE_BYTES = 100

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


class GraphAnswer:
    """Takes an answer in, part by part.

    Args:
        max_held: How many bytes of memory the graph may take.
        max_values: How many JSON values may be left when all whole rows were taken.
    """

    def __init__(self, *, max_held: int = MAX_HELD_BYTES, max_values: int) -> None:
        self._max_held = max_held
        self._max_values = max_values
        self._held = 0
        self._buffer = bytearray()
        self._enough = _BATCH_BYTES
        self._begin = b""  # of a document that goes on with the buffer
        self._nodes: list[RemoteNode] = []
        self._edges: list[RemoteEdge] = []
        self._known: dict[str, str] = {}
        self._skipped = 0
        self._problem = ""

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

    def graph(self) -> RemoteGraph:
        """The graph, once all of it was taken.

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
        return RemoteGraph(tuple(self._nodes), tuple(self._edges), self._skipped, self._problem)

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
        for end, after in [match.span() for match in _EDGES.finditer(self._buffer)][:_TRIES]:
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
        """Whether the bytes before ``end`` are whole rows; then they are kept, and the buffer begins at ``after``."""
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
        self._skipped += rows.skipped
        self._problem = self._problem or rows.problem
        if self._held > self._max_held:
            raise ValueError(f"a graph that takes more than {self._max_held:,} bytes of memory")

    def _keep_node(self, row: _Node) -> None:
        label, stored = _text(row.label), bytes(row.properties)
        self._nodes.append(RemoteNode(self._one(row.id), label, self._one(_text(row.type)), stored))
        self._held += _NODE_BYTES + len(label) + len(stored)

    def _keep_edge(self, row: _Edge) -> None:
        self._edges.append(RemoteEdge(self._one(row.source), self._one(row.target), self._one(_text(row.label))))
        self._held += _EDGE_BYTES

    def _one(self, text: str) -> str:
        """The one string for that text: ids come up in every edge."""
        found = self._known.setdefault(text, text)
        if found is text:
            self._held += 2 * len(text)
        return found


def _text(value: msgspec.Raw) -> str:
    """A string; empty where it is none."""
    try:
        return msgspec.json.decode(value, type=str)
    except msgspec.DecodeError:
        return ""
