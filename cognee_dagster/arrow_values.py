"""Arrow values made from Python's without Arrow's converter, which imports pandas wherever that is installed.

That import costs more than to export a graph of ten thousand nodes; a user of Cognee has pandas.
"""

from array import array

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
