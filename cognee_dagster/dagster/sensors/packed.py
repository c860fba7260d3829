"""How a sensor's memory is written as a string: its version, a colon, and JSON, compressed where it is long.

Short JSON can be read on the sensor's page, and has a checksum behind it. Of the rest
``zlib.decompress(base64.b85decode(text.partition(":")[2]))`` shows the JSON.
"""

import base64
import zlib
from typing import Any

import msgspec

# MySQL keeps a sensor's state in a TEXT column of 65,535 bytes, of which Dagster itself needs some.
MAX_BYTES = 64_000

# Dagster keeps the cursor with every tick, and shows all of it: this much still is something to read.
READABLE_BYTES = 2_000

_CHECKSUM = " crc32="  # a number that was changed would pass for another mark in the event log
_LARGEST_JSON = 1 << 22  # a damaged cursor must not fill the memory

UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, zlib.error, RecursionError)
"""What ``unpack``, and making something of what it gives, may raise for a damaged string."""


def pack(version: int, state: Any) -> str:
    """``state``, of which msgspec knows how to write it as JSON."""
    json: bytes = msgspec.json.encode(state)
    if len(json) <= READABLE_BYTES:
        return f"{version}:{json.decode()}{_CHECKSUM}{zlib.crc32(json):08x}"
    return f"{version}:{base64.b85encode(zlib.compress(json, 9)).decode()}"


def version_of(text: str | None) -> str:
    """The version it claims to have; empty for none."""
    return (text or "").partition(":")[0]


def unpack(text: str) -> Any:
    """The JSON's value; for a damaged string, what of it can be read, or one of ``UNREADABLE``."""
    written = text.partition(":")[2]
    return msgspec.json.decode(_checked(written) if written.startswith("{") else _inflated(written))


def _checked(written: str) -> bytes:
    json, _, checksum = written.rpartition(_CHECKSUM)
    if checksum != f"{zlib.crc32(json.encode()):08x}":
        raise ValueError("the cursor is not as it was written")
    return json.encode()


def _inflated(written: str) -> bytes:
    inflater = zlib.decompressobj()
    json = inflater.decompress(base64.b85decode(written), _LARGEST_JSON)
    if not inflater.eof:
        raise ValueError("the cursor is cut off or larger than any this release writes")
    return json
