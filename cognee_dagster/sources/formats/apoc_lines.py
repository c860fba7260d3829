"""JSON lines as Neo4j's ``apoc.export.json`` writes them: a node or a relationship a line."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.elements import Edge, Node
from cognee_dagster.sources.formats.damage import WRITE_AGAIN, json_error
from cognee_dagster.sources.formats.json_file import MAX_ELEMENT_BYTES, MAX_ELEMENT_VALUES
from cognee_dagster.sources.formats.json_members import TwiceError, parse
from cognee_dagster.sources.formats.json_scan import num_values
from cognee_dagster.sources.formats.opening import open_bytes

_TYPES = ("node", "relationship")  # no set: what stands in a damaged file may have no hash


class _Typed(msgspec.Struct):
    """What is asked of a first line, which may be a whole document of another kind: no value is made of the rest."""

    type: str | None = None


_decode_type = msgspec.json.Decoder(_Typed).decode


class ApocLines:
    """A file of JSON lines as a source of nodes and edges."""

    hints = frozenset({"apoc"})

    def __init__(self, path: Path) -> None:
        self._path = path

    @staticmethod
    def fits(path: Path) -> bool:
        """Whether the first line of a file is a node or relationship as APOC writes it."""
        with open_bytes(path) as file:
            line = file.readline(MAX_ELEMENT_BYTES)
        try:
            return _decode_type(line).type in _TYPES
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False

    def num_elements(self) -> int:
        return sum(1 for _ in self._texts())

    def nodes(self) -> Iterator[Node]:
        for place, element in self._lines():
            if element["type"] == "node":
                labels = element.get("labels")  # without any, another attribute may hold the type
                attributes = {**({"labels": labels} if labels else {}), **_properties(element, place)}
                yield Node(_required(element, "id", place), attributes, place)

    def edges(self) -> Iterator[Edge]:
        for place, element in self._lines():
            if element["type"] == "relationship":
                source, target = (_required(_required(element, end, place), "id", place) for end in ("start", "end"))
                attributes = {"label": element.get("label"), **_properties(element, place)}
                yield Edge(source, target, attributes, None, place)

    def _lines(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for number, line in self._texts():
            element = _parse(line, number)
            if element.get("type") not in _TYPES:
                raise GraphFileError(
                    f"has a line {number} whose type is {element.get('type')!r:.60}, neither 'node' nor "
                    "'relationship'. Export it as JSON lines, as `apoc.export.json` does."
                )
            yield f"line {number}", element

    def _texts(self) -> Iterator[tuple[int, bytes]]:
        """The lines that are not blank, with their numbers, none of which can fill the memory."""
        with open_bytes(self._path) as file:
            number = 0
            while line := file.readline(MAX_ELEMENT_BYTES + 1):
                number += 1
                if len(line) > MAX_ELEMENT_BYTES:
                    raise _too_large(number, f"more than {MAX_ELEMENT_BYTES:,} bytes")
                if line.strip():
                    yield number, line
        if not number:
            raise GraphFileError(f"cannot be read: {self._path.name} is empty. {WRITE_AGAIN}")


def _too_large(number: int, what: str) -> GraphFileError:
    return GraphFileError(f"has a line {number} with {what}, which is more than a node or link may have. Shorten it.")


def _parse(line: bytes, number: int) -> Mapping[str, Any]:
    if len(line) > MAX_ELEMENT_VALUES and num_values(memoryview(line)) > MAX_ELEMENT_VALUES:
        raise _too_large(number, f"more than {MAX_ELEMENT_VALUES:,} values")
    try:
        value = parse(line)
    except (ValueError, RecursionError) as error:
        reason = json_error(error)
        raise GraphFileError(f"has a line {number} that is not JSON: {reason}. {WRITE_AGAIN}") from error
    except TwiceError as error:
        raise GraphFileError(f"has a line {number} that {error}. Join them.") from error
    if not isinstance(value, dict):
        raise GraphFileError(f"has a line {number} that is not a JSON object. {WRITE_AGAIN}")
    return value


def _required(element: Any, name: str, place: str) -> Any:
    value = element.get(name) if isinstance(element, Mapping) else None
    if value is None:
        raise GraphFileError(f"has an element without {name!r} ({place}). Add it.")
    return value


def _properties(element: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    properties = element.get("properties") or {}
    if not isinstance(properties, Mapping):
        raise GraphFileError(f"has properties that are not an object ({place}). Correct them.")
    return properties
