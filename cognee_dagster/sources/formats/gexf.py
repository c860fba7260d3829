"""GEXF 1.0 to 1.3, whatever namespace the file names: declared defaults, hierarchies, dynamics, edge kinds.

``parent`` is the node in which a node is (nested, or by ``pid``). What Gephi draws stands in the attribute ``viz``.
An attribute with several values over time is a list of ``[value, start, end]``. Since when and until when an edge is
there is what Cognee calls ``valid_at`` and ``invalid_at``, where the file says that its times are dates.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.elements import Edge, Node
from cognee_dagster.sources.formats.opening import allowed_size, open_bytes
from cognee_dagster.sources.formats.typed_text import declared_value
from cognee_dagster.sources.formats.xml import (
    DeclaredDefaults,
    OpenElements,
    XmlEvent,
    require_room_to_declare,
    xml_events,
)

_DRAWN = {"color", "position", "size", "shape", "thickness"}
_NODE_STRUCTURE = {"id", "pid"}
_EDGE_STRUCTURE = {"id", "source", "target", "type"}
_DATES = {"date", "datetime"}
_TIMES = {"start": "valid_at", "end": "invalid_at"}
_NETWORKX_KEY = "networkx_key"  # where NetworkX keeps the key of a multigraph's edge


class GexfFile:
    """A GEXF file as a source of nodes and edges.

    Raises:
        GraphFileError: When it is read: it is not GEXF, or a value is not of the type that it declares.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def hints(self) -> frozenset[str]:
        return frozenset({"gexf"} | ({"made by Gephi"} if "gephi" in self._header.creator.lower() else set()))

    def num_elements(self) -> int:
        return sum(self._header.counts.values())

    def nodes(self) -> Iterator[Node]:
        return (element for element in self._elements() if isinstance(element, Node))

    def edges(self) -> Iterator[Edge]:
        return (element for element in self._elements() if isinstance(element, Edge))

    @cached_property
    def _header(self) -> "_Header":
        with open_bytes(self._path) as file:
            return _read_header(xml_events(file, kind=".gexf"))

    def _elements(self) -> Iterator[Node | Edge]:
        header = self._header
        with open_bytes(self._path) as file:
            yield from _Elements(header, allowed=allowed_size(self._path)).read(xml_events(file, kind=".gexf"))


@dataclass(frozen=True, kw_only=True)
class _Attribute:
    title: str
    type: str
    default: Any = None


@dataclass(kw_only=True)
class _Header:
    """What is known of a file before its elements are read; attributes by what they belong to, and their id."""

    attributes: dict[str, dict[str, _Attribute]] = field(default_factory=lambda: {"node": {}, "edge": {}, "graph": {}})
    counts: dict[str, int] = field(default_factory=lambda: {"node": 0, "edge": 0})
    creator: str = ""
    is_dated: bool = False
    has_graph: bool = False
    size: int = 0  # of what is declared

    def defaults(self, element: str) -> dict[str, Any]:
        return {a.title: a.default for a in self.attributes[element].values() if a.default is not None}


def _read_header(events: Iterator[XmlEvent]) -> _Header:
    header = _Header()
    path: list[str] = []
    of = "node"
    declared: tuple[dict[str, str], int] = ({}, 0)
    default: str | None = None
    for event in events:
        if not event.starts:
            path.pop()
            if event.name == "default":
                default = event.text
            elif event.name == "attribute":
                _declare(header, of, declared, default)
            elif event.name == "creator":
                header.creator = event.text
            continue
        if not path and event.name != "gexf":
            raise GraphFileError(
                f"cannot be read as .gexf: its outermost element is <{event.name}>, not <gexf>. Name a GEXF file."
            )
        if event.name == "attributes":
            of = event.attributes.get("class", "node")
        elif event.name == "attribute":
            declared, default = (event.attributes, event.line), None
        elif event.name == "graph":
            header.has_graph = True
            form = event.attributes.get("timeformat", event.attributes.get("timetype", ""))  # the latter until 1.1
            header.is_dated = form.lower() in _DATES
        elif event.name in header.counts:
            header.counts[event.name] += 1
        path.append(event.name)
    if not header.has_graph:
        raise GraphFileError("cannot be read as .gexf: it holds no <graph>. Write it again.")
    return header


def _declare(header: _Header, of: str, declared: tuple[dict[str, str], int], default: str | None) -> None:
    names, line = declared
    identity = names.get("id")
    if identity is None:
        raise GraphFileError(f"has an <attribute> without an id (line {line}). Add it.")
    header.size += require_room_to_declare(header.size, names, default, line)
    title, kind = names.get("title") or identity, names.get("type", "string")
    value = None
    if default is not None and default.strip():
        try:
            value = declared_value(default, kind)
        except ValueError as error:
            raise GraphFileError(f"has a wrong default (line {line}): attribute {title!r} {error}.") from error
    header.attributes.setdefault(of, {})[identity] = _Attribute(title=title, type=kind, default=value)


class _Open:
    """A node or edge whose end has not been read yet."""

    def __init__(self, event: XmlEvent, *, parent: str | None, defaults: dict[str, Any]) -> None:
        self.event = event
        parent = event.attributes.get("pid") or parent
        self.attributes: dict[str, Any] = {} if parent is None else {"parent": parent}
        self.attributes |= defaults
        structure = _NODE_STRUCTURE if event.name == "node" else _EDGE_STRUCTURE
        self.attributes |= {name: value for name, value in event.attributes.items() if name not in structure}
        self.values: dict[str, list[Any]] = {}
        self.viz: dict[str, Any] = {}
        self.spells: list[list[str | None]] = []
        self.parents: list[str] = []

    def __str__(self) -> str:
        names = self.event.attributes
        what = repr(names.get("id")) if self.event.name == "node" else f"{names.get('source')} -> {names.get('target')}"
        return f"{self.event.name} {what} (line {self.event.line})"

    def required(self, name: str) -> str:
        value = self.event.attributes.get(name)
        if value is None:
            raise GraphFileError(f"has a <{self.event.name}> without {name!r} (line {self.event.line}). Add it.")
        return value

    def all_attributes(self) -> dict[str, Any]:
        result = dict(self.attributes)
        for title, values in self.values.items():
            result[title] = values[0] if len(values) == 1 else values
        for name, some in (("viz", self.viz), ("spells", self.spells), ("parents", self.parents)):
            if some:
                result[name] = some
        return result


class _Elements:
    """Makes nodes and edges of events."""

    def __init__(self, header: _Header, *, allowed: int) -> None:
        self._header = header
        self._defaults = {name: DeclaredDefaults(header.defaults(name), allowed=allowed) for name in ("node", "edge")}
        self._open: list[_Open] = []
        self._sizes = OpenElements()

    def read(self, events: Iterator[XmlEvent]) -> Iterator[Node | Edge]:
        for event in events:
            if event.name in {"node", "edge"}:
                if event.starts:
                    parent = self._open[-1].required("id") if self._open and event.name == "node" else None
                    self._open.append(_Open(event, parent=parent, defaults=self._defaults[event.name].of(event)))
                    self._sizes.begin()
                    self._sizes.add(event)
                else:
                    self._sizes.end()
                    yield self._element(self._open.pop())
            elif event.starts and self._open:
                self._sizes.add(event)
                self._add(self._open[-1], event)

    def _add(self, element: _Open, event: XmlEvent) -> None:
        names = event.attributes
        if event.name == "attvalue":
            self._add_value(element, event)
        elif event.name in _DRAWN:
            element.viz[event.name] = names.get("value", names) if len(names) == 1 else names
        elif event.name in {"spell", "slice"}:
            element.spells.append([names.get("start"), names.get("end")])
        elif event.name == "parent" and (parent := names.get("for")) is not None:
            element.parents.append(parent)

    def _add_value(self, element: _Open, event: XmlEvent) -> None:
        names = event.attributes
        identity = names.get("for", names.get("id", ""))  # 1.0 called it id
        declared = self._header.attributes[element.event.name].get(identity)
        title, text = declared.title if declared else identity, names.get("value", "")
        if declared and declared.type != "string" and not text.strip():
            return
        try:
            value = declared_value(text, declared.type) if declared else text
        except ValueError as error:
            raise GraphFileError(f"{element}: attribute {title!r} {error} (line {event.line}).") from error
        if "start" in names or "end" in names or "timestamp" in names:
            value = [value, names.get("start", names.get("timestamp")), names.get("end")]
        element.values.setdefault(title, []).append(value)

    def _element(self, done: _Open) -> Node | Edge:
        place = f"line {done.event.line}"
        attributes = done.all_attributes()
        if done.event.name == "node":
            return Node(done.required("id"), attributes, place)
        for name in _TIMES.keys() & done.event.attributes.keys() - done.values.keys() if self._header.is_dated else ():
            attributes[_TIMES[name]] = attributes.pop(name)
        key = attributes.pop(_NETWORKX_KEY, None)
        return Edge(done.required("source"), done.required("target"), attributes, key, place)
