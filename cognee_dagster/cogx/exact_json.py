"""JSON read and written exactly as Python's ``json`` does it, which is what Cognee uses, at the speed of orjson.

orjson differs in two ways: it refuses ``NaN``, infinities, lone surrogates and very deep nesting, and it reads an
integer beyond 64 bit as a float. The first is noticed when it fails; the second must be looked for in the text.
"""

import json
import re
from typing import Any

import orjson

# What a number beyond 64 bit looks like, for whoever can search many texts at once.
LONG_NUMBER = r"[0-9]{19}"
_LONG_NUMBER = re.compile(LONG_NUMBER)


def parse(text: str) -> Any:
    """The value of a JSON text, as ``json.loads`` would read it.

    Raises:
        ValueError: The text is not JSON.
        RecursionError: It is nested deeper than Python can follow; Cognee's own export fails there, too.
    """
    return parse_searched(text, long_number=_LONG_NUMBER.search(text) is not None)[0]


def parse_searched(text: str, *, long_number: bool) -> tuple[Any, bool]:
    """``parse`` for a text that was searched for ``LONG_NUMBER``: the value, and whether ``dump_fast`` may write it."""
    if not long_number:
        try:
            return orjson.loads(text), True
        except orjson.JSONDecodeError:
            pass
    return json.loads(text), False


def dump_fast(value: Any) -> bytes:
    """``dump`` for a value that orjson has read, which therefore holds no ``NaN``."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a lone surrogate, an integer beyond 64 bit, or nesting beyond orjson's limit for writing
        return _dump_as_python(value)


def dump(value: Any) -> bytes:
    """One line of JSON with sorted keys: equal values give equal bytes, whichever parser they came from.

    What has no UTF-8 form (a lone surrogate), is beyond 64 bit or no JSON at all (``NaN``) is written as Python does.
    """
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return _dump_as_python(value)  # orjson would write NaN as null
    return dump_fast(value)


def _dump_as_python(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")
