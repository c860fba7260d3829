"""JSON by the column: what is done to thousands of texts in one call instead of thousands.

A call of Python costs as much as all the work on a short text. Arrow's calls also let go of Python's lock, so that the
reader and the compressor go on meanwhile.
"""

from typing import TypeVar

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cognee_dagster.cogx.digest import digest_of
from cognee_dagster.graph.arrow import content_and_stops, integer_column, text, text_column, truth_column

Struct = TypeVar("Struct", bound=msgspec.Struct)

_NOTHING, _LINE_END = text(""), text("\n")
_DECODING_FAILED = (ValueError, RecursionError)
_BRACES = b"{}"
_encode = msgspec.json.Encoder().encode


def decoded(texts: pa.Array, decoder: "msgspec.json.Decoder[Struct]") -> list[Struct] | None:
    """What ``decoder.decode`` makes of each of the texts, or None if there is one that it would refuse.

    Also None if one is not an object without white space around it. In no JSON text ``}``, a line end and ``{`` follow
    each other, as a string may not hold a line end; so no text can go on in the next one, and as many values as texts
    are one of each.
    """
    if texts.null_count:
        return None
    content, stops = content_and_stops(pc.binary_join_element_wise(texts, _NOTHING, _LINE_END))
    characters = np.frombuffer(content, np.uint8)
    if not (characters[stops[:-1]] == _BRACES[0]).all() or not (characters[stops[1:] - 2] == _BRACES[1]).all():
        return None
    try:
        values = decoder.decode_lines(content)
    except _DECODING_FAILED:
        return None
    return values if len(values) == len(texts) else None


def escaped(texts: pa.Array) -> pa.Array:
    """The texts as they stand between the quotes of a JSON string, the way msgspec writes it."""
    content, stops = content_and_stops(texts)
    whole, characters = bytes(content), np.frombuffer(content, np.uint8)
    if b'"' not in whole and b"\\" not in whole and characters.min(initial=255) >= ord(" "):
        return texts  # most often; to find out where costs ten times as much
    special = np.flatnonzero((characters < ord(" ")) | (characters == ord('"')) | (characters == ord("\\")))
    rows = np.unique(np.searchsorted(stops, special, side="right") - 1)
    mask = np.zeros(len(texts), np.bool_)
    mask[rows] = True
    written = [_encode(value)[1:-1].decode() for value in texts.take(integer_column(rows)).to_pylist()]
    return pc.replace_with_mask(texts, truth_column(mask), text_column(written))


def joined(*pieces: pa.Array | pa.Scalar) -> pa.Array:
    """The pieces of each row one after the other; a missing one is left out."""
    return pc.binary_join_element_wise(*pieces, _NOTHING, null_handling="replace")


def optional(before: pa.Scalar, texts: pa.Array, after: pa.Scalar) -> tuple[pa.Array | pa.Scalar, ...]:
    """Pieces for ``joined``, of which ``before`` and ``after`` are only in rows that have a text."""
    pieces = before, texts, after
    return (pc.binary_join_element_wise(*pieces, _NOTHING),) if texts.null_count else pieces


def content_of(lines: pa.Array) -> bytes:
    """All texts of a column as one."""
    return bytes(content_and_stops(lines)[0])


def digest_of_lines(lines: pa.Array, content: bytes) -> int:
    """``digest_of`` the texts of a column, without the line end of each; ``content`` is all of them as one."""
    _, stops = content_and_stops(lines)
    starts, ends = stops[:-1].tolist(), (stops[1:] - 1).tolist()
    return digest_of(content[start:end] for start, end in zip(starts, ends, strict=True))
