"""JSON read and written exactly as Python's ``json`` does it, which is what Cognee uses, at many times its speed.

msgspec reads what ``json`` reads, and to the same values, or refuses: ``NaN``, infinities, lone surrogates. Those are
left to ``json`` itself.
"""

import json
from typing import Any

import msgspec
import numpy as np

# A value takes up to thirty times its bytes in the line: ``{},`` becomes 72 bytes. Short lines may hold anything.
_SHORT_BYTES = 4 * 1024 * 1024
MAX_VALUES = 1_000_000

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(order="sorted").encode


def parse(text: str) -> Any:
    """The value of a JSON text, as ``json.loads`` would read it.

    Raises:
        ValueError: The text is not JSON.
        RecursionError: It is nested deeper than Python can follow; Cognee's own export fails there, too.
    """
    return parse_noting(text)[0]


def parse_noting(text: str) -> tuple[Any, bool]:
    """``parse``, and whether ``dump_plain`` may write the value."""
    try:
        return _decode(text), True
    except ValueError:
        return json.loads(text), False


def parse_line(line: bytes) -> Any:
    """A line of a record file as Cognee reads it.

    Raises:
        ValueError: The line is not JSON; the message says why.
    """
    if len(line) > _SHORT_BYTES:
        _require_few_values(line)
    try:
        return parse(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start + 1})") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"not JSON ({error})") from error


def _require_few_values(line: bytes) -> None:
    """Refuse a long line that is much more than one long text."""
    if line.count(b",") + line.count(b"[") + line.count(b"{") <= MAX_VALUES:
        return
    characters = np.frombuffer(line.replace(b"\\\\", b"").replace(b'\\"', b""), np.uint8)
    within_text = np.cumsum(characters == ord('"'), dtype=np.uint8)
    within_text &= 1
    begins_value = (characters == ord(",")) | (characters == ord("[")) | (characters == ord("{"))
    begins_value &= within_text == 0
    if np.count_nonzero(begins_value) > MAX_VALUES:
        raise ValueError(f"holds more than {MAX_VALUES:,} values; refusing to read it")


def dump_plain(value: Any) -> bytes:
    """``dump`` for a value that msgspec has read, which therefore holds no ``NaN`` and no lone surrogate."""
    return _encode(value)


def dump(value: Any) -> bytes:
    """One line of JSON with sorted keys: equal values give equal bytes, whichever parser they came from.

    What has no UTF-8 form (a lone surrogate) or is no JSON at all (``NaN``) is written as Python does.
    """
    try:
        json.dumps(value, allow_nan=False)
        return _encode(value)  # would write NaN as null
    except ValueError:
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")
