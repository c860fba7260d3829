"""A NetworkX graph in memory as a ``GraphReader``; ``networkx.py`` says how it is mapped, and why."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import pyarrow as pa

from cognee_dagster.errors import GraphFileError
from cognee_dagster.graph.reader import EDGE_SCHEMA, NODE_SCHEMA, GraphOrigin, Reopen
from cognee_dagster.sources.networkx.attributes import accepted_name, as_json_value, as_text

if TYPE_CHECKING:
    import networkx as nx

DEFAULT_TYPE = "Entity"
DEFAULT_RELATIONSHIP = "related_to"
NODE_NAMESPACE = UUID("5d0a2a4e-7f0c-5c0b-9a57-6d1b8f3e2c41")  # of the ids of nodes whose key is no UUID
_BATCH_ROWS = 4_096
_RELATIONSHIP_ATTRIBUTES = ("relationship_name", "relationship", "label", "type")
_TEXT_PROPERTIES = ("description", "text")  # a server takes nothing but text there


class NetworkXReader:
    """A ``GraphReader`` over a graph in memory."""

    reopen: Reopen | None = None

    def __init__(self, graph: "nx.Graph[Any]", *, origin: GraphOrigin) -> None:
        if not all(hasattr(graph, name) for name in ("nodes", "edges", "is_multigraph", "is_directed")):
            raise GraphFileError(
                f"Dataset {origin.dataset_name!r}: a NetworkX graph was expected, not a {type(graph).__qualname__}. "
                "Return a Graph, DiGraph, MultiGraph or MultiDiGraph."
            )
        self._graph = graph
        self._origin = origin
        self._ids = _node_ids(graph)

    @property
    def origin(self) -> GraphOrigin:
        return self._origin

    def nodes(self) -> Iterator[pa.RecordBatch]:
        rows = (_node_row(self._ids[key], key, attributes) for key, attributes in self._graph.nodes(data=True))
        return _batches(rows, schema=NODE_SCHEMA)

    def edges(self) -> Iterator[pa.RecordBatch]:
        if self._graph.is_multigraph():
            edges: Iterable[Any] = self._graph.edges(keys=True, data=True)
        else:
            edges = ((source, target, None, attributes) for source, target, attributes in self._graph.edges(data=True))
        rows = (
            _edge_row(self._ids, source, target, key=key, attributes=attributes)
            for source, target, key, attributes in edges
        )
        return _batches(rows, schema=EDGE_SCHEMA)


def node_id(key: Any) -> str:
    """The id of the node with this key: the key itself if it is a UUID, else one derived from its text.

    Raises:
        TypeError: The key has no text that would be the same in the next process.
        ValueError: The key is too long or too deep.
    """
    text = _key_text(key)
    try:
        return str(UUID(text))
    except ValueError:
        return str(uuid5(NODE_NAMESPACE, text))


def _key_text(key: Any) -> str:
    value = as_json_value(key)
    return value if isinstance(value, str) else json.dumps(value)


def _node_ids(graph: "nx.Graph[Any]") -> dict[Any, str]:
    ids: dict[Any, str] = {}
    keys: dict[str, Any] = {}
    for key in graph.nodes:
        try:
            identity = node_id(key)
        except (TypeError, ValueError, RecursionError) as error:
            raise GraphFileError(f"Node {key!r}: {error}. Use text, numbers or UUIDs as node keys.") from error
        if identity in keys:
            raise GraphFileError(f"Nodes {keys[identity]!r} and {key!r} would be one node in Cognee. Rename one.")
        ids[key], keys[identity] = identity, key
    return ids


def _node_row(identity: str, key: Any, attributes: Mapping[Any, Any]) -> tuple[str, str, str, str]:
    values = _json_attributes(attributes, where=lambda: f"Node {key!r}")
    name = values.pop("name", None)
    if name is None:
        name = values.pop("label", None)
    node_type = _text(values.pop("type", None))
    properties: dict[str, Any] = {}
    for attribute, value in values.items():
        kept = accepted_name(attribute, value)
        if kept != attribute and kept in values:
            raise GraphFileError(
                f"Node {key!r}: attribute {attribute!r} would become {kept!r}, and that exists. Rename it."
            )
        properties[kept] = _text(value) if kept in _TEXT_PROPERTIES and value is not None else value
    if not node_type.strip():
        node_type = DEFAULT_TYPE
    if node_type != DEFAULT_TYPE:
        properties.setdefault("metadata", {"index_fields": ["name"]})  # or the remote could not find it by its name
    return identity, _key_text(key) if name is None else _text(name), node_type, json.dumps(properties)


def _edge_row(
    ids: Mapping[Any, str], source: Any, target: Any, *, key: Any, attributes: Mapping[Any, Any]
) -> tuple[str, str, str, str]:
    values = _json_attributes(attributes, where=lambda: f"Edge {source!r} -> {target!r}")
    named = (_text(values.get(name)) for name in _RELATIONSHIP_ATTRIBUTES)
    candidates = [*named, as_text(key) if isinstance(key, str) else ""]
    relationship = next((name for name in candidates if name.strip()), DEFAULT_RELATIONSHIP)
    if "edge_text" in values:
        values["edge_text"] = _text(values["edge_text"])
    return ids[source], ids[target], relationship, json.dumps(values)


def _json_attributes(attributes: Mapping[Any, Any], *, where: Callable[[], str]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in attributes.items():
        try:
            text = as_text(name if isinstance(name, str) else str(as_json_value(name)))
            result_value = as_json_value(value)
        except (TypeError, ValueError, RecursionError) as error:
            raise GraphFileError(f"{where()}, attribute {name!r}: {error}. Change or remove it.") from error
        if text in result:
            raise GraphFileError(f"{where()}: two attributes are both {text!r} as text. Rename one of them.")
        result[text] = result_value
    return result


def _text(value: Any) -> str:
    """A JSON value as the text of a name, a type or a description; empty for none."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _batches(rows: Iterable[tuple[str, ...]], *, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    remaining = iter(rows)
    while batch := list(islice(remaining, _BATCH_ROWS)):
        columns = [pa.array(column, pa.string()) for column in zip(*batch, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)
