"""Node-link JSON in its dialects.

NetworkX 1 to 3, D3, vis.js, graphology, cytoscape.js, JSON Graph Format, and Cognee's own: ``cognee.export`` as
``json``, and as a snapshot (``pydantic``).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from sys import getsizeof
from typing import Any, Protocol

from cognee_dagster.errors import GraphFileError
from cognee_dagster.graph.counting import counted
from cognee_dagster.sources.elements import Edge, Node
from cognee_dagster.sources.formats.json_file import JsonObject, Members, held, read_object, require_room
from cognee_dagster.sources.mapping.ids import key_text

_LINK_KEYS = ("links", "edges", "rels", "relationships")  # NetworkX until 3.5, since; APOC; LLM-made graphs
_ENDS = (("source", "target"), ("from", "to"), ("subject", "object"), ("start", "end"), ("source_id", "target_id"))
_NODE_KEYS = ("id", "key", "_id")
_NAMES = ("name", "label", "title")


class _Elements(Protocol):
    """Nodes or links: they are counted, and read several times."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Any]: ...


NO_NODE_LINK = "is no node-link JSON"


class NodeLinkFile:
    """A JSON file of nodes and links as a source of nodes and edges.

    Raises:
        GraphFileError: When it is read: it is of no dialect that is known, or a link ends at a node that is not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def hints(self) -> frozenset[str]:
        return frozenset({"json"})

    @property
    def held_bytes(self) -> int:
        """Of the document, which stays in memory."""
        return self._content.whole.size + sum(map(getsizeof, self._keys or ()))

    def num_elements(self) -> int:
        return self._content.num_elements

    def nodes(self) -> Iterator[Node]:
        content = self._content
        for number, node in enumerate(content.nodes, 1):
            place = f"node {number} of {len(content.nodes)}"
            if not isinstance(node, Mapping):
                yield Node(_key(node), {}, place)
                continue
            attributes = dict(_flattened(node))
            yield Node(self._node_key(attributes, number), attributes, place)

    def edges(self) -> Iterator[Edge]:
        content = self._content
        number = 0
        for links in content.links:
            for link in links:
                number += 1
                place = f"link {number}"
                attributes = dict(_flattened(link)) if isinstance(link, Mapping) else _pair(link, place)
                source, target = self._ends(attributes, place)
                key = _key(attributes.pop("key", None)) if content.multigraph else None
                yield Edge(source, target, attributes, key, place)

    @cached_property
    def _content(self) -> "_Content":
        content = read_object(self._path)
        found = None if content is None else _Content.of(content)
        if found is not None and content is not None:
            require_room(nodes=len(found.nodes), links=sum(map(len, found.links)), size=content.size)
        if found is None:
            raise GraphFileError(
                f"{NO_NODE_LINK}. Write an object with 'nodes' and 'links' or 'edges', as NetworkX, D3, vis.js, "
                "graphology and cytoscape.js do."
            )
        return found

    def _node_key(self, attributes: dict[str, Any], number: int) -> Any:
        for name in _NODE_KEYS:
            if attributes.get(name) is not None:
                return _key(attributes.pop(name))
        if self._keys is not None:
            return self._keys[number - 1]
        raise GraphFileError(
            f"cannot be read: node {number} has no 'id', and no link names it by its number. Give every node an id."
        )

    def _ends(self, attributes: dict[str, Any], place: str) -> tuple[Any, Any]:
        for names in _ENDS:
            if all(name in attributes for name in names):
                ends = tuple(_key(_end(attributes.pop(name))) for name in names)
                if self._keys is not None:
                    ends = tuple(self._by_number(end, place) for end in ends)
                return ends[0], ends[1]
        raise GraphFileError(f"has a {place} without 'source' and 'target' (or 'from' and 'to'). Add them.")

    def _by_number(self, end: Any, place: str) -> Any:
        assert self._keys is not None  # noqa: S101 - the caller looked
        if isinstance(end, int) and 0 <= end < len(self._keys):
            return self._keys[end]
        raise GraphFileError(
            f"has a link to node {end!r} ({place}), where the number of a node is expected. Correct it."
        )

    @cached_property
    def _keys(self) -> list[Any] | None:
        """The nodes' keys by number, where links name nodes by number; None where they name keys."""
        content = self._content
        if not content.counts_nodes():
            return None
        found = held(_first(node, _NODE_KEYS) for node in content.nodes)
        if None not in found:
            return [_key(value) for value in found]
        names = held(_first(node, _NAMES) for node in content.nodes)
        usable = all(isinstance(name, str) and name.strip() for name in names) and len(set(names)) == len(names)
        return names if usable else list(range(len(names)))


class _Content:
    """Where in a file nodes and links are."""

    def __init__(self, nodes: "_Elements", links: "list[_Elements]", *, whole: JsonObject) -> None:
        self.nodes = nodes
        self.links = links
        self.whole = whole
        self.multigraph = whole.get("multigraph") is True
        self._networkx_1 = whole.array("graph") is not None  # later ones write an object

    @property
    def num_elements(self) -> int:
        return len(self.nodes) + sum(map(len, self.links))

    @classmethod
    def of(cls, whole: JsonObject) -> "_Content | None":
        for find in (_plain, _cytoscape, _json_graph_format):
            if (found := find(whole)) is not None:
                nodes, links = found
                return cls(nodes, links, whole=whole)
        return None

    def counts_nodes(self) -> bool:
        """Whether links name nodes by their number: D3 and NetworkX 1 do."""
        numbers = self._numbers()
        if numbers is None:
            return False
        as_keys = {key_text(number) for number in numbers}
        keys = (_first(node, _NODE_KEYS) for node in self.nodes)
        return self._networkx_1 or not any(key is not None and key_text(_key(key)) in as_keys for key in keys)

    def _numbers(self) -> set[int] | None:
        """The ends of all links, if all are numbers of nodes, and there are any."""
        numbers = set()
        for links in self.links:
            for link in links:
                for end in (_end(value) for value in _link_ends(link)):
                    if type(end) is not int or not 0 <= end < len(self.nodes):
                        return None
                    numbers.add(end)
        return numbers or None


def _plain(whole: JsonObject) -> "tuple[_Elements, list[_Elements]] | None":
    nodes = whole.array("nodes")
    links: list[_Elements] = [found for key in _LINK_KEYS if (found := whole.array(key)) is not None]
    if nodes is None or not links:
        return None
    _refuse_other_links(whole)
    return nodes, links


def _cytoscape(whole: JsonObject) -> "tuple[_Elements, list[_Elements]] | None":
    if (elements := whole.object("elements")) is not None:
        members = elements.array("nodes")
        if members is None:
            return None
        _refuse_other_links(elements)
        return members, [elements.array("edges") or []]
    if (flat := whole.array("elements")) is None:
        return None
    if not all(isinstance(element, Mapping) and isinstance(element.get("data"), Mapping) for element in flat):
        return None
    return _Chosen(flat, lambda element: not _is_cytoscape_edge(element)), [_Chosen(flat, _is_cytoscape_edge)]


def _is_cytoscape_edge(element: Mapping[str, Any]) -> bool:
    return element.get("group") == "edges" or "source" in element["data"]


def _json_graph_format(whole: JsonObject) -> "tuple[_Elements, list[_Elements]] | None":
    graph = whole.object("graph")
    nodes = None if graph is None else graph.object("nodes")
    if graph is None or nodes is None:
        return None
    _refuse_other_links(graph)
    return _Keyed(nodes), [graph.array("edges") or []]


class _Chosen:
    """Those elements that are nodes, or those that are links, where both are in one array."""

    def __init__(self, elements: Members, is_one: Callable[[Any], bool]) -> None:
        self._elements = elements
        self._is_one = is_one
        self._number = sum(1 for _ in self)

    def __len__(self) -> int:
        return self._number

    def __iter__(self) -> Iterator[Any]:
        return filter(self._is_one, self._elements)


class _Keyed:
    """The nodes of an object, where their ids are the names of its members."""

    def __init__(self, members: JsonObject) -> None:
        self._members = members

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Any]:
        for key in self._members:
            yield {"id": key, **(self._members.get(key) or {})}


def _refuse_other_links(holder: JsonObject) -> None:
    """Refuse links that are nowhere looked for: a graph without them would arrive as if it were whole."""
    for name in holder:
        if name in _LINK_KEYS or name == "nodes" or not (others := holder.array(name)):
            continue
        if name == "hyperedges" or _link_ends(next(iter(others))) != (None, None):
            raise GraphFileError(
                f"holds {counted(len(others), 'link')} in {name!r}, where none are looked for. Give each two ends, and "
                f"move them to {_LINK_KEYS[0]!r}."
            )


# Where a dialect keeps attributes one level deeper, and what an element of that dialect has beside them.
_NESTED: dict[str, frozenset[str]] = {
    "attributes": frozenset({"key", "source"}),  # graphology
    "data": frozenset({"data"}),  # cytoscape.js
    "metadata": frozenset({"label", "relation"}),  # JSON Graph Format
    "properties": frozenset({"type", "labels", "start", "source_id"}),  # APOC, LangChain, Cognee's snapshots
}
_COGNEE_METADATA = "index_fields"
_APOC_TYPES = ("node", "relationship")  # what the element is, not what it is about


def _flattened(element: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The attributes of an element, those that its dialect keeps one level deeper beside the others."""
    for name, value in element.items():
        if name == "type" and value in _APOC_TYPES and "properties" in element:
            continue
        is_nested = isinstance(value, Mapping) and not _NESTED.get(name, frozenset()).isdisjoint(element)
        if is_nested and _COGNEE_METADATA not in value:
            yield from value.items()
        else:
            yield name, value


def _link_ends(link: Any) -> tuple[Any, Any]:
    attributes = dict(_flattened(link)) if isinstance(link, Mapping) else {}
    for names in _ENDS:
        if all(name in attributes for name in names):
            return attributes[names[0]], attributes[names[1]]
    return None, None


def _end(value: Any) -> Any:
    """D3 replaces the ends of links by the nodes themselves once it has drawn them."""
    if isinstance(value, Mapping):
        return _first(value, ("id", "key", "index"))
    return value


def _first(node: Any, names: Iterable[str]) -> Any:
    if not isinstance(node, Mapping):
        return node
    attributes = dict(_flattened(node))
    return next((attributes[name] for name in names if attributes.get(name) is not None), None)


def _pair(link: Any, place: str) -> dict[str, Any]:
    if isinstance(link, list) and len(link) == 2:
        return {"source": link[0], "target": link[1]}
    raise GraphFileError(f"has a {place} that is neither an object nor a pair of nodes. Give it two ends.")


def _key(value: Any) -> Any:
    """JSON has no tuples: NetworkX writes such node keys as lists."""
    return tuple(_key(part) for part in value) if isinstance(value, list) else value
