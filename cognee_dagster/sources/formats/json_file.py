"""JSON files of graphs: elements are made into Python's values one by one, as they are asked for."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from sys import getsizeof
from typing import Any

import msgspec
from msgspec import Raw

from cognee_dagster.errors import GraphFileError
from cognee_dagster.graph.counting import counted
from cognee_dagster.sources.formats.damage import WRITE_AGAIN, json_error
from cognee_dagster.sources.formats.json_members import TwiceError, parse, parse_unusual
from cognee_dagster.sources.formats.json_scan import elements, members, num_elements, num_values, trimmed
from cognee_dagster.sources.formats.opening import read_whole

_raw = msgspec.json.Decoder(Raw)  # reads all, and makes no values
_BOM = b"\xef\xbb\xbf"
# No command shall take more than 512 MiB: the document is held, one element of it, and what its nodes leave behind.
MAX_BYTES = 192 << 20
MAX_MEMBERS = 250_000  # of one object: their names are held
MAX_ELEMENT_BYTES = 4 << 20  # become four times as much in a string with one character beyond the first 65,536
MAX_ELEMENT_VALUES = 100_000  # each becomes up to 300 bytes, several times
_NODE_BYTES = 500
_LINK_BYTES = 40
_MEMBER_BYTES = 300  # where in the document it is
_MAX_HELD = 300 << 20  # the document, and what its nodes and links leave behind
_MAX_KEYS = 64 << 20  # of nodes, where links name them by their numbers
_IN_PIECES = (
    "Write the graph as JSON lines, CSV or Parquet, which are read in pieces, or return it as a NetworkX graph from an "
    "asset."
)
_BEGINNING = 60  # of an element, by which a person finds it in a file

Json = Any


class Members:
    """The members of a JSON array; each is parsed when it is looked at."""

    def __init__(self, items: "memoryview | list[Any]") -> None:
        self._items = items
        with _sound(items):
            self._number = num_elements(items) if isinstance(items, memoryview) else len(items)

    def __len__(self) -> int:
        return self._number

    def __iter__(self) -> Iterator[Json]:
        yield from map(_value, elements(self._items)) if isinstance(self._items, memoryview) else self._items


class JsonObject:
    """A JSON object whose members are parsed when they are asked for."""

    def __init__(self, members: "dict[str, memoryview] | dict[str, Any]", *, size: int = 0) -> None:
        self._members = members
        self.size = size  # of the text that is held, and of the names of members

    @classmethod
    def of(cls, content: memoryview, *, what: str) -> "JsonObject":
        """The object of a text; ``what`` is what messages call it.

        Raises:
            GraphFileError: A member is there twice, there are too many, or it is damaged.
        """
        with _sound(content), _once(what):
            if (number := num_elements(content)) > MAX_MEMBERS:
                raise _too_large(f"{what} holds {counted(number, 'member')}, and at most {MAX_MEMBERS:,} are read")
            found: dict[str, memoryview] = {}
            size = len(content)
            for name, value in members(content):
                if not isinstance(key := _value(name), str):
                    raise ValueError(f"{key!r:.60} is not the name of a member")
                if key in found:
                    raise TwiceError(key)
                if (size := size + _MEMBER_BYTES + getsizeof(key)) > _MAX_HELD:
                    raise _too_large(
                        f"{what} holds {counted(number, 'member')} with long names in {len(content):,} bytes"
                    )
                found[key] = trimmed(value)
        return cls(found, size=size)

    def __contains__(self, name: str) -> bool:
        return name in self._members and not _is_null(self._members[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def get(self, name: str) -> Json:
        """The value of a member; None where it is null or not there."""
        value = self._members.get(name)
        return _value(value) if isinstance(value, memoryview) else value

    def array(self, name: str) -> Members | None:
        """A member that is an array; None if it is anything else."""
        value = self._members.get(name)
        if isinstance(value, memoryview):
            return Members(value) if _begins(value, b"[") else None
        return Members(value) if isinstance(value, list) else None

    def object(self, name: str) -> "JsonObject | None":
        """A member that is an object; None if it is anything else."""
        value = self._members.get(name)
        if isinstance(value, memoryview):
            if not _begins(value, b"{"):
                return None
            found = JsonObject.of(value, what=_described(value))
            self.size += found.size - len(value)
            return found
        return JsonObject(value) if isinstance(value, dict) else None


def require_room(*, nodes: int, links: int, size: int) -> None:
    """Refuse a graph of which more would be held than is allowed.

    Raises:
        GraphFileError: Its nodes and links are too many for a document of this size.
    """
    if size + nodes * _NODE_BYTES + links * _LINK_BYTES > _MAX_HELD:
        raise _too_large(f"it holds {nodes:,} nodes and {links:,} links in {size:,} bytes")


def held(keys: Iterable[Json]) -> list[Json]:
    """The keys of nodes, of which a document may have so many megabytes.

    Raises:
        GraphFileError: There are more.
    """
    found, size = [], 0
    for key in keys:
        if (size := size + getsizeof(key)) > _MAX_KEYS:
            raise _too_large(f"its links name nodes by number, and the nodes' names take more than {_MAX_KEYS:,} bytes")
        found.append(key)
    return found


def _too_large(what: str) -> GraphFileError:
    return GraphFileError(f"cannot be read as .json: {what}: too much for a document that is read whole. {_IN_PIECES}")


def _value(content: memoryview) -> Json:
    """The value of a text.

    Raises:
        GraphFileError: It is no JSON, or too large to be made a value.
    """
    what = _described(content)
    if len(content) > MAX_ELEMENT_BYTES:
        raise _too_large(f"{what} has {len(content):,} bytes, and one element may have {MAX_ELEMENT_BYTES:,}")
    if len(content) > MAX_ELEMENT_VALUES and (number := num_values(content)) > MAX_ELEMENT_VALUES:
        raise _too_large(f"{what} holds {number:,} values, and one element may have {MAX_ELEMENT_VALUES:,}")
    with _sound(content), _once(what):
        return parse(content.tobytes())


def _described(content: memoryview) -> str:
    return f"what begins with {content[:_BEGINNING].tobytes().decode(errors='replace').strip()!r}"


@contextmanager
def _sound(content: Any) -> Iterator[None]:
    try:
        yield
    except GraphFileError:  # which says already what is wrong
        raise
    except (ValueError, RecursionError) as error:
        what = _described(content) if isinstance(content, memoryview) else "it"
        raise GraphFileError(
            f"cannot be read as .json: {what} is not JSON: {json_error(error)}. {WRITE_AGAIN}"
        ) from error


@contextmanager
def _once(what: str) -> Iterator[None]:
    try:
        yield
    except TwiceError as error:
        raise GraphFileError(f"cannot be read as .json: {what} {error}. Join them.") from error


def _begins(value: memoryview, mark: bytes) -> bool:
    return value[:1].tobytes() == mark


def _is_null(value: Any) -> bool:
    return value is None or (isinstance(value, memoryview) and value[:5].tobytes() == b"null")


def read_object(path: Path, *, most: int | None = None) -> JsonObject | None:
    """The object in a JSON file; None if it holds an array or a scalar.

    Raises:
        GraphFileError: It is not JSON.
    """
    content = read_whole(path, most=MAX_BYTES if most is None else most, instead=_IN_PIECES)
    if content.startswith(_BOM):
        del content[: len(_BOM)]
    text = trimmed(memoryview(content).toreadonly())
    if not len(text):
        raise GraphFileError(f"cannot be read as .json: {path.name} is empty. {WRITE_AGAIN}")
    try:
        _raw.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _unusual_object(content, text, path)  # NaN, a lone surrogate, UTF-16; or damage
    return JsonObject.of(text, what=path.name) if _begins(text, b"{") else None


def _unusual_object(content: bytearray, text: memoryview, path: Path) -> JsonObject | None:
    """The object in what only Python's own parser reads: all of it if it is small, else element by element."""
    num_values = sum(map(content.count, (b",", b"[", b"{")))  # or more, if some are in strings
    if len(content) > MAX_ELEMENT_BYTES or num_values > MAX_ELEMENT_VALUES:
        if _begins(text, b"{"):
            return JsonObject.of(text, what=path.name)
        raise _too_large(f"{path.name} is damaged or not in UTF-8, and such a document has {len(content):,} bytes")
    try:
        with _once(path.name):
            value = parse_unusual(content)
    except GraphFileError:  # as above
        raise
    except (ValueError, RecursionError) as error:
        reason = json_error(error)
        raise GraphFileError(f"cannot be read as .json: {path.name} is not JSON: {reason}. {WRITE_AGAIN}") from error
    return JsonObject(value) if isinstance(value, dict) else None
