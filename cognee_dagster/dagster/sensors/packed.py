"""How a sensor's memory is written as a string: its version, a colon, and JSON, compressed.

``zlib.decompress(base64.b85decode(text.partition(":")[2]))`` shows the JSON.
"""

import base64
import zlib
from typing import Any

import msgspec

# MySQL keeps a sensor's state in a TEXT column of 65,535 bytes, of which Dagster itself needs some.
MAX_BYTES = 64_000

_LARGEST_JSON = 1 << 22  # a damaged cursor must not fill the memory

UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, zlib.error, RecursionError)
"""What ``unpack``, and making something of what it gives, may raise for a damaged string."""


def pack(version: int, state: Any) -> str:
    """``state``, of which msgspec knows how to write it as JSON."""
    return f"{version}:{base64.b85encode(zlib.compress(msgspec.json.encode(state), 9)).decode()}"


def version_of(text: str | None) -> str:
    """The version it claims to have; empty for none."""
    return (text or "").partition(":")[0]


def unpack(text: str) -> Any:
    """The JSON's value; for a damaged string, what of it can be read, or one of ``UNREADABLE``."""
    inflater = zlib.decompressobj()
    json = inflater.decompress(base64.b85decode(text.partition(":")[2]), _LARGEST_JSON)
    if not inflater.eof:
        raise ValueError("the cursor is cut off or larger than any this release writes")
    return msgspec.json.decode(json)
