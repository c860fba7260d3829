"""GraphML as its primer describes it: declared defaults, nested graphs, several graphs in a file, yEd's labels.

Nodes of nested graphs say in the attribute ``parent`` in which node they are. An edge's id is its id: not a name, but
where NetworkX wrote it, which keeps the key of a multigraph's edge there.
"""

import re
from collections.abc import Iterator, Mapping
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
from cognee_dagster.sources.formats.yfiles import Graphics

_REFUSED = {"hyperedge": "an edge between more than two nodes", "locator": "a part in another file"}
_NETWORKX_EDGE = ("source", "target", "id")  # NetworkX writes them in this order, and a multigraph's key as id
_NUMBERED = re.compile(r"[a-z]?\d+", re.IGNORECASE)
_STRUCTURE = {"id", "source", "target", "directed", "sourceport", "targetport"}
_LAYOUT_ATTRIBUTES = re.compile(r"(yfiles|parse)\.")


class GraphMLFile:
    """A GraphML file as a source of nodes and edges.

    Raises:
        GraphFileError: When it is read: it is not GraphML, or holds what a graph of nodes and edges cannot.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def hints(self) -> frozenset[str]:
        return frozenset({"graphml"} | ({"yfiles"} if self._header.yfiles else set()))

    def num_elements(self) -> int:
        return sum(self._header.counts.values())

    def nodes(self) -> Iterator[Node]:
        return (element for element in self._elements() if isinstance(element, Node))

    def edges(self) -> Iterator[Edge]:
        return (element for element in self._elements() if isinstance(element, Edge))

    @cached_property
    def _header(self) -> "_Header":
        with open_bytes(self._path) as file:
            return _read_header(xml_events(file, kind=".graphml"))

    def _elements(self) -> Iterator[Node | Edge]:
        header = self._header
        with open_bytes(self._path) as file:
            yield from _Elements(header, allowed=allowed_size(self._path)).read(xml_events(file, kind=".graphml"))


@dataclass(frozen=True, kw_only=True)
class _Key:
    """A declared attribute; ``default`` is the value of every element without one."""

    name: str
    domain: str
    type: str
    graphics: bool
    default: Any = None

    def belongs_to(self, element: str) -> bool:
        return "all" in {self.domain, element} or self.domain == element


@dataclass(kw_only=True)
class _Header:
    """What is known of a file before its elements are read."""

    keys: dict[str, list[_Key]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=lambda: {"node": 0, "edge": 0})
    has_graph: bool = False
    size: int = 0  # of what is declared

    @property
    def yfiles(self) -> bool:
        return any(key.graphics for keys in self.keys.values() for key in keys)

    def key(self, identity: str, element: str) -> _Key | None:
        """The declared attribute; TinkerPop calls one of nodes and one of edges by the same id."""
        keys = self.keys.get(identity, [])
        return next((key for key in keys if key.belongs_to(element)), keys[0] if keys else None)

    def defaults(self, element: str) -> dict[str, Any]:
        keys = (key for keys in self.keys.values() for key in keys)
        return {key.name: key.default for key in keys if key.default is not None and key.belongs_to(element)}


def _read_header(events: Iterator[XmlEvent]) -> _Header:
    header = _Header()
    path: list[str] = []
    key: tuple[dict[str, str], int] = ({}, 0)
    default: str | None = None
    for event in events:
        if not event.starts:
            path.pop()
            if event.name == "default" and path[-1:] == ["key"]:
                default = event.text
            elif event.name == "key":
                _declare(header, *key, default)
            continue
        if not path and event.name != "graphml":
            raise GraphFileError(
                f"cannot be read as .graphml: its outermost element is <{event.name}>, not <graphml>. "
                "Name a GraphML file."
            )
        if "data" not in path and "key" not in path:
            if event.name in header.counts:
                header.counts[event.name] += 1
            elif event.name == "graph":
                header.has_graph = True
            elif event.name in _REFUSED:
                raise GraphFileError(
                    f"holds a <{event.name}> (line {event.line}), {_REFUSED[event.name]}, which cannot become an edge "
                    "of two nodes. Replace it."
                )
            elif event.name == "key":
                key, default = (event.attributes, event.line), None
        path.append(event.name)
    if not header.has_graph:
        raise GraphFileError("cannot be read as .graphml: it holds no <graph>. Write it again.")
    return header


def _declare(header: _Header, attributes: Mapping[str, str], line: int, default: str | None) -> None:
    identity = attributes.get("id")
    if not identity:
        raise GraphFileError(f"has a <key> without an id (line {line}). Add it.")
    header.size += require_room_to_declare(header.size, attributes, default, line)
    name, declared = attributes.get("attr.name") or identity, attributes.get("attr.type", "string")
    value = None
    if default is not None and default.strip():
        try:
            value = declared_value(default, declared)
        except ValueError as error:
            raise GraphFileError(f"has a wrong default (line {line}): attribute {name!r} {error}.") from error
    graphics = attributes.get("yfiles.type", "") in {"nodegraphics", "edgegraphics"}
    domain = attributes.get("for", "all")
    same = header.keys.setdefault(identity, [])
    if any(key.belongs_to(domain) for key in same):
        raise GraphFileError(f"declares the key {identity!r} twice (line {line}). Rename one.")
    same.append(_Key(name=name, domain=domain, type=declared, graphics=graphics, default=value))


class _Open:
    """A node or edge whose end has not been read yet."""

    def __init__(self, event: XmlEvent, *, parent: str | None, defaults: dict[str, Any]) -> None:
        self.event = event
        self.attributes = {"parent": parent} if parent is not None else {}
        self.attributes |= defaults
        for name, value in event.attributes.items():
            if name not in _STRUCTURE and not _LAYOUT_ATTRIBUTES.match(name):
                self.attributes[name] = value
        self.seen: set[str] = set()

    def __str__(self) -> str:
        names = self.event.attributes
        what = repr(names.get("id")) if self.event.name == "node" else f"{names.get('source')} -> {names.get('target')}"
        return f"{self.event.name} {what} (line {self.event.line})"

    def required(self, name: str) -> str:
        value = self.event.attributes.get(name)
        if value is None:
            raise GraphFileError(f"has a <{self.event.name}> without {name!r} (line {self.event.line}). Add it.")
        return value


class _Elements:
    """Makes nodes and edges of events."""

    def __init__(self, header: _Header, *, allowed: int) -> None:
        self._header = header
        self._defaults = {name: DeclaredDefaults(header.defaults(name), allowed=allowed) for name in ("node", "edge")}
        self._open: list[_Open] = []
        self._sizes = OpenElements()
        self._data: tuple[str, int] | None = None  # key and depth of the <data> that is being read
        self._graphics: Graphics | None = None
        self._depth = 0

    def read(self, events: Iterator[XmlEvent]) -> Iterator[Node | Edge]:
        in_key = False
        for event in events:
            self._depth += 1 if event.starts else -1
            if event.name == "key" and self._data is None:
                in_key = event.starts
            elif in_key:
                continue
            elif self._data is not None:
                self._sizes.add(event)
                self._read_data(event)
            elif event.starts:
                self._start(event)
            elif event.name in {"node", "edge"}:
                self._sizes.end()
                yield self._element(self._open.pop())

    def _start(self, event: XmlEvent) -> None:
        if event.name in {"node", "edge"}:
            parent = self._open[-1].required("id") if self._open and event.name == "node" else None
            self._open.append(_Open(event, parent=parent, defaults=self._defaults[event.name].of(event)))
            self._sizes.begin()
            self._sizes.add(event)
        elif event.name == "data":
            self._data = (event.attributes.get("key", ""), self._depth)
            key = self._key(self._data[0])
            self._graphics = Graphics() if key is not None and key.graphics else None

    def _read_data(self, event: XmlEvent) -> None:
        assert self._data is not None  # noqa: S101 - the caller looked
        key, depth = self._data
        if self._depth >= depth:
            if self._graphics is not None:
                self._graphics.read(event)
            return
        self._data = None
        if not self._open:
            return  # of the graph, or of the file
        element = self._open[-1]
        if self._graphics is not None:
            for name, value in self._graphics.attributes().items():
                element.attributes.setdefault(name, value)
        elif event.text.strip() or (event.text and self._is_text(key)):
            self._set(element, key, event.text, event.line)

    def _key(self, identity: str) -> _Key | None:
        return self._header.key(identity, self._open[-1].event.name if self._open else "graph")

    def _is_text(self, key: str) -> bool:
        declared = self._key(key)
        return declared is None or declared.type == "string"

    def _set(self, element: _Open, key: str, text: str, line: int) -> None:
        declared = self._key(key)
        name = declared.name if declared else key
        if name in element.seen:
            raise GraphFileError(f"{element}: attribute {name!r} is there twice (line {line}). Remove one.")
        element.seen.add(name)
        try:
            element.attributes[name] = declared_value(text, declared.type) if declared else text
        except ValueError as error:
            raise GraphFileError(f"{element}: attribute {name!r} {error}.") from error

    def _element(self, done: _Open) -> Node | Edge:
        place = f"line {done.event.line}"
        if done.event.name == "node":
            return Node(done.required("id"), done.attributes, place)
        key = done.event.attributes.get("id")
        if key is not None and (tuple(done.event.attributes)[:3] != _NETWORKX_EDGE or _NUMBERED.fullmatch(key)):
            key = None
        return Edge(done.required("source"), done.required("target"), done.attributes, key, place)
