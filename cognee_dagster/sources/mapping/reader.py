"""A foreign graph, mapped, as a ``GraphReader``."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import pyarrow as pa

from cognee_dagster.errors import CogneeDagsterError, GraphFileError
from cognee_dagster.graph.reader import EDGE_SCHEMA, NODE_SCHEMA, GraphOrigin, Reopen
from cognee_dagster.sources.elements import ElementSource, Node
from cognee_dagster.sources.mapping.edges import EdgeRow, edge_key, plain_edge, spoken_edge
from cognee_dagster.sources.mapping.entities import Identity, entity, entity_type_row, type_edges
from cognee_dagster.sources.mapping.ids import entity_type_id
from cognee_dagster.sources.mapping.left_behind import LeftBehind
from cognee_dagster.sources.mapping.parallel import joined, repeated_keys
from cognee_dagster.sources.mapping.room import Room
from cognee_dagster.sources.mapping.rules import rules_for
from cognee_dagster.sources.mapping.survey import Survey, survey
from cognee_dagster.sources.mapping.typed_nodes import NodeRow, has_name, typed_node
from cognee_dagster.sources.mapping.value import GraphMapping
from cognee_dagster.sources.profiles.choose import choose_profile, named_profile

_BATCH_ROWS = 4_096
_BATCH_CHARACTERS = 4_000_000
_PREVIEW = 80  # characters of a text that stand for it in a sentence


class MappedReader:
    """A ``GraphReader`` over a foreign graph.

    Args:
        source: The graph; it is read several times.
        dataset_name: What the dataset is called.
        mapping: What its attributes mean, as far as that is not found by convention.
        profile: Whose conventions; default: those that the graph shows.
        label: What error messages begin with.
        room: What may be kept of it, asked for when the graph is read first; default: whatever it is.

    Raises:
        GraphFileError: The graph is not sound, or the mapping does not fit it.
    """

    reopen: Reopen | None = None

    def __init__(
        self,
        source: ElementSource,
        *,
        dataset_name: str,
        mapping: GraphMapping | None = None,
        profile: str | None = None,
        label: str = "",
        room: Callable[[], Room] = Room,
    ) -> None:
        self._source = source
        self._label = label
        self._known: _Known | None = None
        self._left = {"node": LeftBehind(), "edge": LeftBehind()}
        self._read: set[str] = set()
        with reading(label):
            self._room = room()
            self.source_survey: Survey = survey(source, room=self._room)
            chosen = (
                choose_profile(
                    self.source_survey.node_attributes, self.source_survey.edge_attributes, hints=source.hints
                )
                if profile is None
                else named_profile(profile)
            )
            self._rules = rules_for(self.source_survey, profile=chosen, mapping=mapping or GraphMapping())
        self._speaks = self._rules.edges_speak
        self._origin = GraphOrigin(dataset_name=dataset_name, read_through="networkx", fact_text_complete=self._speaks)

    @property
    def origin(self) -> GraphOrigin:
        return self._origin

    @property
    def profile(self) -> str:
        """Name of the profile by which the graph is read."""
        return self._rules.profile

    @property
    def as_nodes(self) -> str:
        """``cognee``, ``typed``, or ``as_they_are`` for a graph in Cognee's own language."""
        return self._rules.as_nodes

    @property
    def attributes_left_behind(self) -> dict[str, int]:
        """How many nodes and edges have an attribute that does not arrive, by its name; the most frequent first."""
        if "node" not in self._read:
            _exhaust(self._node_rows())
        if "edge" not in self._read:
            _exhaust(self._edge_rows())
        total: Counter[str] = self._left["node"].counts + self._left["edge"].counts
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))

    def nodes(self) -> Iterator[pa.RecordBatch]:
        return _batches(self._node_rows(), schema=NODE_SCHEMA)

    def edges(self) -> Iterator[pa.RecordBatch]:
        return _batches(self._edge_rows(), schema=EDGE_SCHEMA)

    def _node_rows(self) -> Iterator[NodeRow]:
        self._known = None  # of an earlier pass: there is room for one
        left, known = LeftBehind(), _Known(self._room.rest())
        types: dict[str, str] = {}
        with reading(self._label):
            for node in self._source.nodes():
                row, names = self._node(node, left)
                for name in names:
                    types.setdefault(entity_type_id(name), name)
                known.note(row[1] or "", names or [row[2] or ""])
                if self._rules.as_nodes == "cognee":
                    known.add(row[0], row[1] or _preview(node), names)
                yield row
            yield from map(entity_type_row, types.values())
        if self._rules.as_nodes == "cognee":
            self._known = known
        self._left["node"] = left
        self._read.add("node")

    def _node(self, node: Node, left: LeftBehind) -> tuple[NodeRow, list[str]]:
        """The node's row, and the types that get their own nodes."""
        if self._rules.as_nodes == "cognee" and node.cognee_type is None:
            return entity(node, rules=self._rules, left=left)
        return typed_node(node, rules=self._rules, left=left), []

    def _edge_rows(self) -> Iterator[EdgeRow]:
        left = LeftBehind()
        with reading(self._label):
            if self._speaks:
                known = self._known or self._look_at_nodes()
                yield from known.type_edges()
                yield from _counted(self._spoken_edges(left, known), known.room.rest())
            else:
                rows = (plain_edge(edge, rules=self._rules, left=left) for edge in self._source.edges())
                yield from _counted(rows, self._room.rest())
        self._left["edge"] = left
        self._read.add("edge")

    def _look_at_nodes(self) -> "_Known":
        known = _Known(self._room.rest())
        for node in self._source.nodes():
            found = Identity.of(node, rules=self._rules)
            is_entity = self._rules.as_nodes == "cognee" and node.cognee_type is None
            name = (_preview(node) if self._is_text(node, found) else "") or found.name
            known.note(name, found.types)
            known.add(found.id, name, found.types if is_entity else ())
        return known

    def _is_text(self, node: Node, found: Identity) -> bool:
        """Whether a text stands for the node in a sentence."""
        if node.cognee_type is not None or self._rules.as_nodes != "as_they_are":
            return node.cognee_type is not None
        return found.attributes[0] is None and not has_name(str(node.attributes.get("type")))

    def _spoken_edges(self, left: LeftBehind, known: "_Known") -> Iterator[EdgeRow]:
        repeated: frozenset[int] = frozenset()
        if self.source_survey.has_parallel_edges:
            repeated = repeated_keys(edge_key(edge, rules=self._rules) for edge in self._source.edges())
        rows = (spoken_edge(edge, rules=self._rules, left=left, names=known.names) for edge in self._source.edges())
        return joined(rows, repeated=repeated, room=known.room.rest())


class _Known:
    """What the nodes are called and which types they are of: all that is kept of them for the edges.

    Args:
        room: For that.
    """

    def __init__(self, room: Room) -> None:
        self.room = room
        self.names: dict[str, str] = {}
        self._types: list[tuple[str, ...]] = []  # in the order of the names
        self._same: dict[tuple[str, ...], tuple[str, ...]] = {}

    def note(self, name: str, types: Iterable[str]) -> None:
        """Whoever reads the nodes keeps their ids, and counts their types.

        Raises:
            GraphFileError: There is no room for them.
        """
        self.room.add_node(name)
        for each in types:
            self.room.add_kind("type", each)

    def add(self, identity: str, name: str, types: Iterable[str]) -> None:
        self.names[identity] = name
        each = tuple(types)
        self._types.append(self._same.setdefault(each, each))

    def type_edges(self) -> Iterator[EdgeRow]:
        """What the nodes are."""
        for (identity, name), types in zip(self.names.items(), self._types, strict=True):
            yield from type_edges(identity, name, types)


def _preview(node: Node) -> str:
    return str(node.attributes.get("text", ""))[:_PREVIEW]


@contextmanager
def reading(label: str) -> Iterator[None]:
    """Puts the name of a graph before what is wrong with it; without a name, as of a graph in memory, nothing.

    Raises:
        GraphFileError: In place of whatever a parser stumbles over: it is the file's.
    """
    try:
        yield
    except CogneeDagsterError as error:
        if not isinstance(error, GraphFileError) or not label or str(error).startswith(label):
            raise
        colon = ":" if str(error)[:1].isupper() else ""
        raise type(error)(f"{label}{colon} {error}") from error
    except Exception as error:
        if not label:
            raise
        said = " ".join(str(error).split())
        raise GraphFileError(
            f"{label} holds something that cannot be read ({type(error).__name__}: {said:.200}). Write it again with "
            "the program that made it; if it is whole, that is a defect of this package: report it."
        ) from error


def _counted(rows: Iterable[EdgeRow], room: Room) -> Iterator[EdgeRow]:
    """The rows; whoever reads them counts their relationships."""
    for row in rows:
        room.add_edge()
        room.add_kind("relationship", row[2])
        yield row


def _exhaust(rows: Iterable[Any]) -> None:
    for _ in rows:
        pass


def _batches(rows: Iterable[tuple[str | None, ...]], *, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    remaining = iter(rows)
    while batch := list(_some(remaining)):
        columns = [pa.array(column, pa.string()) for column in zip(*batch, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _some(rows: Iterator[tuple[str | None, ...]]) -> Iterator[tuple[str | None, ...]]:
    """The next rows, few enough to be held in memory several times."""
    size = 0
    for row in islice(rows, _BATCH_ROWS):
        yield row
        size += sum(map(len, filter(None, row)))
        if size > _BATCH_CHARACTERS:
            return
