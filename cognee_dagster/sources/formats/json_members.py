"""JSON in which no object has a member twice: of the first one nothing would be left, and nobody told."""

import json
import re
from typing import Any

import msgspec

_decode = msgspec.json.Decoder().decode
# What ends the name of a member; within a text it may stand, too, so that there are never fewer than members.
_COLON = re.compile(rb'"\s*:')
_COLON_IN_TEXT = re.compile(rb'(?<!\\)(?:\\\\)*\\"\s*:')


class TwiceError(Exception):
    """An object has a member of this name twice; the message is the end of a sentence about its text."""

    def __init__(self, name: str) -> None:
        super().__init__(f"has {name!r:.60} more than once, and only the last would be read")


def parse(content: bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: It is not JSON.
        RecursionError: It is nested too deep.
        TwiceError: An object in it has a member twice.
    """
    try:
        value = _decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # a number larger than any float, and damage
        return parse_unusual(content)
    more = _count(_COLON, content) - _num_members(value)
    return parse_unusual(content) if more and more != _count(_COLON_IN_TEXT, content) else value


def parse_unusual(content: bytes | bytearray) -> Any:
    """As ``parse``, slowly, also of what only Python's own parser reads: NaN, lone surrogates, UTF-16."""
    return json.loads(content, object_pairs_hook=_once)


def _count(pattern: re.Pattern[bytes], content: bytes) -> int:
    return sum(1 for _ in pattern.finditer(content))


def _num_members(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_num_members, value.values()))
    return sum(map(_num_members, value)) if isinstance(value, list) else 0


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise TwiceError(next(name for name in names if names.count(name) > 1))
    return found
