"""Decoding what a server sends, as far as it makes sense: whatever does not costs itself only.

Unknown fields are ignored; a field that makes no sense counts as left out; a row without what it cannot do without is
left out and counted. Errors of ``msgspec`` never leave: a ``ValueError`` says what is wrong and repeats nothing.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec

_T = TypeVar("_T", bound=msgspec.Struct)

Id = Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-Za-z_.:-]{1,64}\Z")]
"""An id: a UUID, or what else is short and of letters and digits."""

Text = Annotated[str, msgspec.Meta(min_length=1)]

_Body = bytes | bytearray | msgspec.Raw

# An escaped backslash and a pair of surrogates are passed over; what is left is half a pair, which no UTF-8 can say.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_HALF_A_PAIR = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)

_JSON_KINDS = {"{": "dict", "[": "list", '"': "str", "t": "bool", "f": "bool", "n": "NoneType"}


class Rows(list[_T]):
    """The rows of an answer that make sense.

    Attributes:
        sent: How many there were.
        problem: What is wrong with the first that does not; empty when all do.
    """

    sent: int = 0
    problem: str = ""

    @property
    def skipped(self) -> int:
        """How many do not."""
        return self.sent - len(self)

    def chosen(self, keep: Callable[[_T], bool], *, most: int) -> "Rows[_T]":
        """Those to be kept of the first ``most``: a server that sends more than was asked for would fill the memory."""
        rows: Rows[_T] = Rows(row for row in self[:most] if keep(row))
        rows.sent = min(self.sent, most)
        return rows


def rows_of(body: _Body, kind: type[_T], *, what: str) -> Rows[_T]:
    """The rows of a list; ``what`` names one of them, with its article.

    Raises:
        ValueError: It is not a list.
    """
    try:
        rows: Rows[_T] = Rows(_decode(body, list[kind]))  # type: ignore[valid-type]
    except (msgspec.ValidationError, UnicodeDecodeError):
        return _rows_one_by_one(body, kind, what=what)
    rows.sent = len(rows)
    return rows


def row_of(body: _Body, kind: type[_T], *, what: str) -> _T:
    """One object.

    Raises:
        ValueError: It is not an object, or lacks what it cannot do without.
    """
    try:
        row: _T = _decode(body, kind)
        return row
    except msgspec.ValidationError:
        content = _decoded(body, what=what)
    if not isinstance(content, dict):
        raise ValueError(f"{type(content).__name__} instead of {what}")
    return tolerant(content, kind, what=what)


def tolerant(row: dict[str, Any], kind: type[_T], *, what: str) -> _T:
    """One object, without the fields that make no sense.

    Raises:
        ValueError: It cannot do without one of them.
    """
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        try:
            values[field.name] = msgspec.convert(row[field.encode_name], field.type)
        except (KeyError, msgspec.ValidationError):
            if field.required:
                raise ValueError(f"{what} without {field.encode_name}") from None
    return kind(**values)


def _rows_one_by_one(body: _Body, kind: type[_T], *, what: str) -> Rows[_T]:
    try:
        raw_rows = _decode(body, list[msgspec.Raw])
    except msgspec.ValidationError:
        begin = bytes(memoryview(body)[:64]).decode("ascii", errors="replace").lstrip()[:1]
        raise ValueError(f"{_JSON_KINDS.get(begin, 'int')} instead of a list of {_plural(what)}") from None
    rows: Rows[_T] = Rows()
    for raw in raw_rows:
        try:
            rows.append(row_of(raw, kind, what=what))
        except UnicodeDecodeError:
            rows.problem = rows.problem or f"a string that is not in UTF-8 in {what}"
        except (ValueError, RecursionError) as error:
            rows.problem = rows.problem or str(error)
    rows.sent = len(raw_rows)
    return rows


def _decoded(body: _Body, *, what: str) -> Any:
    try:
        return _decode(body, Any)
    except msgspec.ValidationError:  # a number beyond all bounds
        raise ValueError(f"a number out of range in {what}") from None


def _decode(body: _Body, kind: Any) -> Any:
    """JSON as that type; half a pair of surrogates, which some programs write, as U+FFFD."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if _SURROGATE.search(body) is None:
            raise
    return msgspec.json.decode(_HALF_A_PAIR.sub(_replaced, body), type=kind)


def _replaced(found: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if found[1] else found[0]


def _plural(what: str) -> str:
    return f"{what.partition(' ')[2]}s"
