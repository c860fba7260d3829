"""Values taken out of whole columns of JSON text at once, where that is safe; the rest is left to ``exact_json``.

Cognee stores properties as ``json.dumps`` writes them. Most rows are of a shape that regular expressions check exactly
and string functions take apart; doing so in Arrow, outside of Python's lock, costs a fifth of parsing each row. What
does not have the shape to the letter comes back as null, so that nothing is ever guessed. (Even a plain text is looked
for as an expression: Arrow's ``match_substring`` is several times slower.)
"""

from array import array
from collections.abc import Mapping

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from cognee_dagster.arrow_values import FALSE, int32, text, texts, truths

_CHARACTER = r'[^"\\\x00-\x1f]'  # one that stands for itself in a JSON string
_KEY = rf'"{_CHARACTER}*"'
_STRING = rf'"(?:{_CHARACTER}|\\["\\/bfnrt]|\\u[0-9a-fA-F]{{4}})*"'
_NUMBER = r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?"
_SCALAR = rf"(?:{_STRING}|{_NUMBER}|true|false|null)"
_SIMPLE = rf"(?:{_SCALAR}|\[(?:{_SCALAR}(?:, {_SCALAR})*)?\])"
# Cognee's "metadata": {"index_fields": ["name"], …}: the one inner object, whose keys are never asked for.
_METADATA = rf'\{{(?:"[a-z]*_fields": {_SIMPLE}(?:, "[a-z]*_fields": {_SIMPLE})*)?\}}'
_VALUE = rf"(?:{_SIMPLE}|{_METADATA})"

_ONE, _TWO = int32(1), int32(2)
_NOTHING = text("")


def object_shape(*, beginning: str = "", without: Mapping[str, str] | None = None) -> str:
    """A regular expression for an object of simple values, in the spelling of ``json.dumps``.

    Args:
        beginning: An expression for its first keys and values.
        without: Which further keys it may not have: by their first letters, with all the second letters. Coarse, for
            regular expressions cannot say "not this word"; what is left out for no reason takes the slow way.
    """
    key = _KEY
    if without:
        first = "".join(without)
        other = [rf"{letter}(?:[^{seconds}{_CHARACTER[2:-1]}]{_CHARACTER}*)?" for letter, seconds in without.items()]
        key = rf'"(?:|[^{first}{_CHARACTER[2:-1]}]{_CHARACTER}*|{"|".join(other)})"'
    if beginning:
        return rf"^\{{{beginning}(?:, {key}: {_VALUE})*\}}$"
    return rf"^\{{(?:{key}: {_VALUE}(?:, {key}: {_VALUE})*)?\}}$"


def has_shape(column: pa.Array, shape: str) -> pa.Array:
    """Which texts have an ``object_shape``; false for null."""
    return pc.fill_null(pc.match_substring_regex(column, shape), FALSE)


def string_values(column: pa.Array, key: str) -> pa.Array:
    """What stands between the quotes of a string under ``key``, in orjson's spelling; null where it takes a parser.

    Args:
        column: Regular objects.
        key: A key that is not the first.
    """
    # A quote inside a string has a backslash before it, so that this is found where a key begins and nowhere else.
    found = pc.split_pattern(column, f', "{key}": ')
    once = pc.equal(pc.list_value_length(found), _TWO)
    if not every(once):
        return scatter(string_values(column.filter(once), key), once)
    behind = pc.list_element(found, _ONE)
    quoted = pc.starts_with(behind, '"')
    if not every(quoted):
        return scatter(string_values(column.filter(quoted), key), quoted)
    return _respelled(pc.list_element(pc.split_pattern(behind, '"', max_splits=2), _ONE))


def every(mask: pa.Array) -> bool:
    """Whether a mask without nulls is true all through; an empty one is."""
    return bool(pc.all(mask, min_count=0).as_py())


def scatter(values: pa.Array, mask: pa.Array) -> pa.Array:
    """A column as long as ``mask``, with the values where it is true and null where it is not."""
    return pc.replace_with_mask(pa.nulls(len(mask), values.type), mask, values)


def _respelled(values: pa.Array) -> pa.Array:
    """Escapes as orjson writes them, so that a text has one spelling only."""
    escaped = pc.match_substring_regex(values, r"\\")
    if not pc.any(escaped).as_py():
        return values
    respelled = [_respell(value) for value in values.filter(escaped).to_pylist()]
    sure = truths(value is not None for value in respelled)
    known = scatter(texts(value for value in respelled if value is not None), sure)
    return pc.replace_with_mask(values, escaped, known)


def _respell(value: str) -> bytes | None:
    try:
        return orjson.dumps(orjson.loads(f'"{value}"'))[1:-1]
    except orjson.JSONDecodeError:  # cut off at an escaped quote, or a lone surrogate
        return None


def needs_no_escape(column: pa.Array) -> pa.Array:
    """Which texts are the same inside a JSON string; null stays null."""
    return pc.invert(pc.match_substring_regex(column, r'["\\\x00-\x1f]'))


def content_of(lines: pa.Array) -> bytes:
    """The texts of a column without nulls, one after the other."""
    if not len(lines):
        return b""
    ends = pa.Array.from_buffers(pa.int32(), 2, [None, pa.py_buffer(array("i", (0, len(lines))))])
    whole = pc.binary_join(pa.ListArray.from_arrays(ends, lines), _NOTHING)[0]
    content: bytes = whole.as_buffer().to_pybytes()
    return content
