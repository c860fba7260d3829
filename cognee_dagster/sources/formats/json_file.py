"""JSON files of graphs: elements are made into Python's values one by one, as they are asked for."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.formats.damage import WRITE_AGAIN, json_error
from cognee_dagster.sources.formats.json_members import TwiceError, parse, parse_unusual, require_once
from cognee_dagster.sources.formats.opening import read_whole

_object = msgspec.json.Decoder(dict[str, Raw])
_array = msgspec.json.Decoder(list[Raw])
_any = msgspec.json.Decoder()
_raw = msgspec.json.Decoder(Raw)  # reads all, and makes no values
_BEGINS_OBJECT = re.compile(rb"\s*\{")
_BOM = b"\xef\xbb\xbf"
# Measured: each element of a list takes 86 bytes beside its text, which is held, too.
MAX_BYTES = 256 << 20
MAX_OBJECTS = 8_000_000
MAX_VALUES = 40_000_000
_MAX_UNUSUAL_BYTES = 128 << 20  # of what only Python's own parser reads, which takes ten times its size
_IN_PIECES = (
    "Write the graph as JSON lines, CSV or Parquet, which are read in pieces, or return it as a NetworkX graph from an "
    "asset."
)
_BEGINNING = 60  # of an element, by which a person finds it in a file

Json = Any


class Members:
    """The members of a JSON array; each is parsed when it is looked at."""

    def __init__(self, items: "list[Raw] | list[Any]") -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Json]:
        for item in self._items:
            yield _value(item)


class JsonObject:
    """A JSON object whose members are parsed when they are asked for."""

    def __init__(self, members: "dict[str, Raw] | dict[str, Any]") -> None:
        self._members = members

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def get(self, name: str) -> Json:
        """The value of a member; None where it is null or not there."""
        return _value(self._members.get(name))

    def array(self, name: str) -> Members | None:
        """A member that is an array; None if it is anything else."""
        value = self._members.get(name)
        if isinstance(value, Raw):
            return Members(_array.decode(value)) if _begins(value, b"[") else None
        return Members(value) if isinstance(value, list) else None

    def object(self, name: str) -> "JsonObject | None":
        """A member that is an object; None if it is anything else."""
        value = self._members.get(name)
        if isinstance(value, Raw):
            return _of_members(value) if _begins(value, b"{") else None
        return JsonObject(value) if isinstance(value, dict) else None


def _of_members(value: Raw) -> JsonObject:
    members, content = _object.decode(value), memoryview(value)
    with _once(f"what begins with {_beginning(content)!r}"):
        require_once(members, content)
    return JsonObject(members)


def _value(value: Json) -> Json:
    """The value, parsed if it is still text."""
    if not isinstance(value, Raw):
        return value
    content = bytes(value)
    what = f"what begins with {_beginning(content)!r}"
    try:
        with _once(what):
            return parse(content)
    except (ValueError, RecursionError) as error:
        raise GraphFileError(
            f"cannot be read as .json: {what} is not JSON: {json_error(error)}. {WRITE_AGAIN}"
        ) from error


def _beginning(content: bytes | memoryview) -> str:
    return bytes(content[:_BEGINNING]).decode(errors="replace")


@contextmanager
def _once(what: str) -> Iterator[None]:
    try:
        yield
    except TwiceError as error:
        raise GraphFileError(f"cannot be read as .json: {what} {error}. Join them.") from error


def _begins(value: Raw, mark: bytes) -> bool:
    return bytes(memoryview(value)[:1]) == mark


def read_object(path: Path) -> JsonObject | None:
    """The object in a JSON file; None if it holds an array or a scalar.

    Raises:
        GraphFileError: It is not JSON.
    """
    content = read_whole(path, most=MAX_BYTES, instead=_IN_PIECES)
    if content.startswith(_BOM):
        del content[: len(_BOM)]
    if not content or content.isspace():
        raise GraphFileError(f"cannot be read as .json: {path.name} is empty. {WRITE_AGAIN}")
    _require_few(content, path)
    try:
        if not _BEGINS_OBJECT.match(content):
            _raw.decode(content)
            return None
        members = _object.decode(content)
        with _once(path.name):
            require_once(members, content)
        return JsonObject(members)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # NaN, a lone surrogate, UTF-16: json reads them
    if len(content) > _MAX_UNUSUAL_BYTES:
        raise GraphFileError(
            f"cannot be read as .json: {path.name} is damaged, or holds NaN, Infinity, lone surrogates or another "
            f"encoding than UTF-8, which is read up to {_MAX_UNUSUAL_BYTES:,} bytes. Write null in their place. "
            f"{_IN_PIECES}"
        )
    try:
        with _once(path.name):
            value = parse_unusual(content)
    except (ValueError, RecursionError) as error:
        reason = json_error(error)
        raise GraphFileError(f"cannot be read as .json: {path.name} is not JSON: {reason}. {WRITE_AGAIN}") from error
    return JsonObject(value) if isinstance(value, dict) else None


def _require_few(content: bytearray, path: Path) -> None:
    """Refuse a document that would take much more memory than its size."""
    objects, values = content.count(b"{") + content.count(b"["), content.count(b",")
    if objects > MAX_OBJECTS or values > MAX_VALUES:
        raise GraphFileError(
            f"cannot be read as .json: {path.name} holds {objects:,} objects and lists and {values:,} values; a "
            f"document is read whole, with {MAX_OBJECTS:,} and {MAX_VALUES:,} at most. {_IN_PIECES}"
        )
