"""XML as a stream of events, with line numbers, by local names, whatever the file says of namespaces.

Programs disagree about the namespaces of GraphML and GEXF, or leave them out; no two names of those formats differ by
namespace alone.
"""

from collections.abc import Iterator, Mapping
from typing import IO, Any, NamedTuple
from xml.parsers import expat

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.formats.damage import WRITE_AGAIN

_CHUNK_BYTES = 1 << 16
_MAX_DEPTH = 1_000
_MAX_TEXT = 4 << 20  # characters between two tags, and bytes of a tag
_MAX_OPEN = 8 << 20  # characters of all nodes and edges that have not ended, each event counted as some more
_EVENT_LENGTH = 100
_MAX_NAMES = 8 << 20  # characters of names of tags and attributes, which the parser keeps, each counted as some more
_NAME_LENGTH = 500
_MAX_ATTRIBUTES = 10_000  # of one tag


class XmlEvent(NamedTuple):
    """The beginning of an element, or its end.

    Attributes:
        starts: Whether it is the beginning.
        name: The element's name without a prefix.
        attributes: Its attributes in their order, names without a prefix; empty at the end.
        text: The characters since the event before.
        line: Line of the file.
    """

    starts: bool
    name: str
    attributes: dict[str, str]
    text: str
    line: int


class OpenElements:
    """How much the nodes and edges hold whose ends have not been read: one without an end would fill the memory."""

    def __init__(self) -> None:
        self._sizes: list[int] = []

    def begin(self) -> None:
        """Another element begins, perhaps within the last one."""
        self._sizes.append(0)

    def end(self) -> None:
        """The last one has ended."""
        self._sizes.pop()

    def add(self, event: XmlEvent) -> None:
        """Count an event of the last element in.

        Raises:
            GraphFileError: It is too much.
        """
        if not self._sizes:
            return
        attributes = event.attributes.items()
        self._sizes[-1] += _EVENT_LENGTH + len(event.text)
        self._sizes[-1] += sum(_EVENT_LENGTH + len(name) + len(value) for name, value in attributes)
        if sum(self._sizes) > _MAX_OPEN:
            raise GraphFileError(
                f"has a node or edge that holds more than {_MAX_OPEN >> 20} million characters (line {event.line}). "
                "Shorten it."
            )


class DeclaredDefaults:
    """Values that are declared once, for every element without one of its own: few characters may become any number.

    Args:
        values: By the attribute's name.
        allowed: Characters that they may become.
    """

    def __init__(self, values: dict[str, Any], *, allowed: int) -> None:
        self._values = values
        self._length = sum(len(name) + len(str(value)) for name, value in values.items())
        self._allowed = self._room = allowed

    def of(self, event: XmlEvent) -> dict[str, Any]:
        """Those of one more element.

        Raises:
            GraphFileError: All elements together get too much.
        """
        self._room -= self._length
        if self._room < 0:
            raise GraphFileError(
                f"declares defaults of attributes that become more than {self._allowed >> 20} million characters by "
                f"the {event.name} in line {event.line}. Declare shorter ones."
            )
        return self._values


def require_room_to_declare(declared: int, attributes: Mapping[str, str], default: str | None, line: int) -> int:
    """How large a declaration is that is kept, beside those before it.

    Raises:
        GraphFileError: All together are too large.
    """
    size = _EVENT_LENGTH * 5 + sum(map(len, attributes.values())) + len(default or "")
    if declared + size > _MAX_OPEN:
        raise GraphFileError(f"declares too many attributes, or too long ones (line {line}). Declare fewer.")
    return size


def xml_events(file: IO[bytes], *, kind: str) -> Iterator[XmlEvent]:
    """The events of an XML file, as they are read.

    Args:
        file: The file's content.
        kind: The format that it should be of, for error messages: ``.gexf``.

    Raises:
        GraphFileError: The file is not XML, declares entities, or is nested out of all measure.
    """
    stream = _Stream(kind)
    while chunk := file.read(_CHUNK_BYTES):
        stream.feed(chunk)
        yield from stream.taken()
    stream.feed(b"", final=True)
    yield from stream.taken()


class _Stream:
    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._names: dict[str, str] = {}
        self._num_names = self._length_of_names = 0
        parser = self._parser = expat.ParserCreate(intern=self._names)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._entity
        parser.AttlistDeclHandler = self._default
        self._events: list[XmlEvent] = []
        self._text: list[str] = []
        self._text_length = 0
        self._depth = 0
        self._silent_bytes = 0  # since the last event, most often of a tag whose end has not come

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        self._silent_bytes += len(chunk)
        if self._silent_bytes > _MAX_TEXT + _CHUNK_BYTES:
            raise GraphFileError(
                f"has a tag or a comment of more than {_MAX_TEXT >> 20} MiB (line {self._line()}). Shorten it."
            )
        try:
            self._parser.Parse(chunk, final)
        except expat.ExpatError as error:
            raise GraphFileError(f"cannot be read as {self._kind}: it is not XML: {error}. {WRITE_AGAIN}") from error
        except GraphFileError:
            raise
        except (ValueError, LookupError) as error:  # an encoding that Python does not know, or of several bytes
            raise GraphFileError(f"is in an encoding that cannot be read ({error}). Save it as UTF-8.") from error

    def taken(self) -> list[XmlEvent]:
        events, self._events = self._events, []
        return events

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._silent_bytes = 0
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise GraphFileError(f"has elements nested more than {_MAX_DEPTH} deep (line {self._line()}). Correct it.")
        if len(attributes) > _MAX_ATTRIBUTES:
            raise GraphFileError(
                f"has a tag with more than {_MAX_ATTRIBUTES:,} attributes (line {self._line()}). Write fewer."
            )
        if len(self._names) > self._num_names:
            self._count_names((name, *attributes))
        local = {_local(key): value for key, value in attributes.items() if not key.startswith("xmlns")}
        self._events.append(XmlEvent(True, _local(name), local, self._take_text(), self._line()))

    def _count_names(self, names: tuple[str, ...]) -> None:
        """Some of the names were not there before."""
        self._length_of_names += (len(self._names) - self._num_names) * _NAME_LENGTH + sum(map(len, names))
        self._num_names = len(self._names)
        if self._length_of_names > _MAX_NAMES:
            raise GraphFileError(
                f"has tags and attributes of {self._num_names:,} different names by line {self._line()}: too many, or "
                "too long ones. Write what is different in each element as its value."
            )

    def _end(self, name: str) -> None:
        self._silent_bytes = 0
        self._depth -= 1
        self._events.append(XmlEvent(False, _local(name), {}, self._take_text(), self._line()))

    def _characters(self, data: str) -> None:
        self._silent_bytes = 0
        self._text_length += len(data)
        if self._text_length > _MAX_TEXT:
            raise GraphFileError(
                f"has a value of more than {_MAX_TEXT >> 20} million characters (line {self._line()}). Shorten it."
            )
        self._text.append(data)

    def _entity(self, name: str, *_declaration: object) -> None:
        raise GraphFileError(
            f"declares the XML entity {name!r:.60} (line {self._line()}), which graph files have no use for. "
            "Save it without a DTD."
        )

    def _default(self, element: str, attribute: str, _type: str, default: str | None, *_: object) -> None:
        if default is not None:  # which every such element would have
            raise GraphFileError(
                f"declares a default of the XML attribute {attribute!r:.60} of <{element:.60}> (line {self._line()}), "
                "which graph files have no use for. Save it without a DTD."
            )

    def _take_text(self) -> str:
        text = "".join(self._text)
        self._text.clear()
        self._text_length = 0
        return text

    def _line(self) -> int:
        return int(self._parser.CurrentLineNumber)


def _local(name: str) -> str:
    return name.rpartition(":")[2]
