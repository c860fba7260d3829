"""Arrow values from Python's and back, without Arrow's converter, which imports pandas wherever that is installed.

That import costs more than to export a graph of ten thousand nodes; a user of Cognee has pandas.
"""

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

# Of one row, and a null one: which it is, is what a comparison says.
_TRUTH = pa.nulls(1)
TRUE: pa.BooleanScalar = _TRUTH.is_null()[0]
FALSE: pa.BooleanScalar = _TRUTH.is_valid()[0]


def text(value: str) -> pa.StringScalar:
    """A scalar string."""
    content = value.encode()
    offsets = array("i", (0, len(content)))
    return pa.StringArray.from_buffers(1, pa.py_buffer(offsets), pa.py_buffer(content))[0]


def text_column(values: Sequence[str | None]) -> pa.StringArray:
    """A column of strings; None becomes null.

    Raises:
        UnicodeEncodeError: One has no UTF-8 form (a lone surrogate).
    """
    present = [value or "" for value in values]
    content = "".join(present)
    if content.isascii():
        encoded, lengths = content.encode(), map(len, present)
    else:
        parts = [value.encode() for value in present]
        encoded, lengths = b"".join(parts), map(len, parts)
    stops = np.zeros(len(present) + 1, np.int32)
    np.cumsum(np.fromiter(lengths, np.int32, len(present)), out=stops[1:])
    known = None
    if None in values:
        known = _bits(np.fromiter((value is not None for value in values), np.bool_, len(values)))
    return pa.StringArray.from_buffers(len(present), pa.py_buffer(stops), pa.py_buffer(encoded), known)


def content_and_stops(texts: pa.Array) -> "tuple[memoryview, np.ndarray[tuple[int], np.dtype[np.int32]]]":
    """The bytes of all texts together, and where in them each begins; the last number is where the last one ends."""
    _, offsets, data = texts.buffers()
    stops = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(data or b"")[stops[0] : stops[-1]], stops - stops[0]


def integers(column: pa.Int64Array) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """The numbers of a column without nulls."""
    return np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column)]


def integer_column(values: "np.ndarray[Any, np.dtype[np.int64]]", *, missing: int | None = None) -> pa.Int64Array:
    """A column of numbers; those that equal ``missing`` become null."""
    known = None if missing is None else _bits(values != missing)
    return pa.Array.from_buffers(pa.int64(), len(values), [known, pa.py_buffer(values)])


def truth_column(values: "np.ndarray[Any, np.dtype[np.bool_]]") -> pa.BooleanArray:
    """A column of truth values."""
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, _bits(values)])


def _bits(values: "np.ndarray[Any, np.dtype[np.bool_]]") -> pa.Buffer:
    return pa.py_buffer(np.packbits(values, bitorder="little"))
