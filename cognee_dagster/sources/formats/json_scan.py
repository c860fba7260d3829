"""Where the elements of a JSON array and the members of an object are in its text: no value is made to find them."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_CHUNK = 1 << 18
_SPACE = b" \t\n\r"
_QUOTE, _COMMA, _COLON = b'",:'
_DEPTH = np.zeros(256, np.int8)
_DEPTH[list(b"[{")] = 1
_DEPTH[list(b"]}")] = -1
_IS_MARK = _DEPTH != 0
_IS_MARK[[_COMMA, _COLON]] = True
_BEGINS_VALUE = np.zeros(256, np.bool_)
_BEGINS_VALUE[list(b",[{")] = True


class _Marks(NamedTuple):
    """Brackets, commas and colons that are in no string."""

    positions: "NDArray[np.intp]"
    kinds: "NDArray[np.uint8]"
    depths: "NDArray[np.int64]"  # how many brackets are open behind each


def trimmed(content: memoryview) -> memoryview:
    """A text without the space around it."""
    start, end = 0, len(content)
    while start < end and not (chunk := content[start : start + _CHUNK].tobytes()).lstrip(_SPACE):
        start += len(chunk)
    while end > start and not (chunk := content[max(start, end - _CHUNK) : end].tobytes()).rstrip(_SPACE):
        end -= len(chunk)
    head, tail = content[start : start + _CHUNK].tobytes(), content[max(start, end - _CHUNK) : end].tobytes()
    return content[start + len(head) - len(head.lstrip(_SPACE)) : end - (len(tail) - len(tail.rstrip(_SPACE)))]


def num_elements(content: memoryview) -> int:
    """How many elements an array has, or members an object.

    Raises:
        ValueError: A bracket or a quotation mark is missing.
    """
    if len(trimmed(content[1:-1])) == 0:
        return 0
    return 1 + sum(int(np.count_nonzero(_outermost(marks, _COMMA))) for marks in _all_marks(content))


def num_values(content: memoryview) -> int:
    """How many values there are at most in a text: each behind a comma or a bracket."""
    return 1 + sum(int(np.count_nonzero(_BEGINS_VALUE[marks.kinds])) for marks in _scan(content))


def elements(content: memoryview) -> Iterator[memoryview]:
    """The texts of an array's elements; it begins with its bracket, and ends with it.

    Raises:
        ValueError: A bracket or a quotation mark is missing.
    """
    start = 1
    for marks in _all_marks(content):
        for position in marks.positions[_outermost(marks, _COMMA)].tolist():
            yield content[start:position]
            start = position + 1
    if start > 1 or len(trimmed(content[1:-1])):
        yield content[start:-1]


def members(content: memoryview) -> Iterator[tuple[memoryview, memoryview]]:
    """The texts of an object's names and values; it begins with its brace, and ends with it.

    Raises:
        ValueError: A bracket, a quotation mark or a colon is missing.
    """
    start, colon = 1, 0
    for marks in _all_marks(content):
        is_outermost = _outermost(marks, _COMMA) | _outermost(marks, _COLON)
        kinds = marks.kinds[is_outermost].tolist()
        for position, kind in zip(marks.positions[is_outermost].tolist(), kinds, strict=True):
            if kind == _COLON:
                colon = colon or position
                continue
            yield _member(content, start, colon, position)
            start, colon = position + 1, 0
    if start > 1 or len(trimmed(content[1:-1])):
        yield _member(content, start, colon, len(content) - 1)


def _member(content: memoryview, start: int, colon: int, end: int) -> tuple[memoryview, memoryview]:
    if not colon:
        raise ValueError("a member of an object has no colon")
    return content[start:colon], content[colon + 1 : end]


def _outermost(marks: _Marks, kind: int) -> "NDArray[np.bool_]":
    found: NDArray[np.bool_] = (marks.depths == 1) & (marks.kinds == kind)
    return found


def _all_marks(content: memoryview) -> Iterator[_Marks]:
    """The marks of one array or object, which ends where the text does."""
    closed = -1
    for marks in _scan(content):
        ends = marks.positions[marks.depths <= 0]
        closed = int(ends[0]) if closed < 0 and len(ends) else closed
        yield marks
        if 0 <= closed < len(content) - 1:
            raise ValueError(f"it goes on behind its end, at byte {closed:,}")
    if closed < 0:
        raise ValueError("it is cut off")


def _scan(content: memoryview) -> Iterator[_Marks]:
    start, depth, within = 0, 0, 0
    while start < len(content):
        chunk = _of_whole_escapes(content[start : start + _CHUNK].tobytes())
        text = np.frombuffer(chunk.replace(b"\\\\", b"..").replace(b'\\"', b".."), np.uint8)
        in_string = np.cumsum(text == _QUOTE, dtype=np.uint8) + np.uint8(within) & 1
        found = np.flatnonzero(_IS_MARK[text] & (in_string == 0))
        depths = depth + np.cumsum(_DEPTH[text[found]], dtype=np.int64)
        yield _Marks(found + start, text[found], depths)
        depth, within = int(depths[-1]) if len(depths) else depth, int(in_string[-1])
        start += len(chunk)


def _of_whole_escapes(chunk: bytes) -> bytes:
    """The chunk, without a last backslash that belongs to what follows."""
    backslashes = len(chunk) - len(chunk.rstrip(b"\\"))
    return chunk[:-1] if backslashes % 2 and len(chunk) > 1 else chunk
