"""Arrow values made from Python's without Arrow's converter, which imports pandas wherever that is installed.

That import costs more than to export a graph of ten thousand nodes; a user of Cognee has pandas.
"""

from array import array
from collections.abc import Iterable
from itertools import accumulate

import pyarrow as pa

# Of one row, and a null one: which it is, is what a comparison says.
_TRUTH = pa.nulls(1)
TRUE: pa.BooleanScalar = _TRUTH.is_null()[0]
FALSE: pa.BooleanScalar = _TRUTH.is_valid()[0]


def text(value: str) -> pa.StringScalar:
    """A scalar string."""
    return texts([value.encode()])[0]


def texts(values: Iterable[bytes]) -> pa.StringArray:
    """Strings of their UTF-8 bytes."""
    listed = list(values)
    offsets = array("i", accumulate(map(len, listed), initial=0))
    return pa.StringArray.from_buffers(len(listed), pa.py_buffer(offsets), pa.py_buffer(b"".join(listed)))


def int32(value: int) -> pa.Int32Scalar:
    """A scalar integer."""
    return pa.Array.from_buffers(pa.int32(), 1, [None, pa.py_buffer(array("i", [value]))])[0]


def truths(values: Iterable[bool]) -> pa.BooleanArray:
    """Truth values, one a byte first: there is no shorter way without the converter."""
    listed = bytes(values)
    return pa.Array.from_buffers(pa.int8(), len(listed), [None, pa.py_buffer(listed)]).cast(pa.bool_())
