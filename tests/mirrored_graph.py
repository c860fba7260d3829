"""A graph that changes from round to round, for tests of mirrors."""

import json
import random
from pathlib import Path
from typing import Any, ClassVar
from uuid import NAMESPACE_OID, uuid5

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.graph.reader import GraphOrigin
from tests.cogx_graphs import EdgeRow, MemoryReader, NodeRow

RELATIONSHIPS = ("knows", "leads", "made_of")
INDEX_FIELDS: tuple[list[str], ...] = (["name"], ["description"], ["name", "description"], [])


class ChangingGraph:
    """Chunks with a text, entities and things of a type of their own, and edges between them.

    Attributes:
        nodes: Rows by id.
        edges: Texts by (source, target, relationship).
    """

    KINDS: ClassVar[tuple[str, ...]] = ("Entity", "Entity", "DocumentChunk", "Planet")

    def __init__(self, seed: int, *, nodes: int, ids: str = "node") -> None:
        """A graph of so many nodes; two with other ``ids`` have none in common."""
        self.random = random.Random(seed)
        self._ids = ids
        self.nodes: dict[str, NodeRow] = {}
        self.edges: dict[tuple[str, str, str], str] = {}
        self._count = 0
        for _ in range(nodes):
            self.add_node()
        for _ in range(2 * nodes):
            self.add_edge()

    def change(self, edits: int) -> None:
        """So many edits, of all kinds."""
        kinds = (
            *(self.add_node, self.change_node, self.remove_node, self.add_edge, self.change_edge, self.remove_edge),
            *(self.add_property, self.drop_property, self.change_type, self.change_index_fields),
        )
        for _ in range(edits):
            self.random.choice(kinds)()

    def add_node(self, kind: str | None = None) -> None:
        self._count += 1
        node_id = str(uuid5(NAMESPACE_OID, f"{self._ids} {self._count}"))
        self.nodes[node_id] = self._row(node_id, kind or self.random.choice(self.KINDS))
        if len(self.nodes) > 1:
            self.add_edge(node_id)

    def change_node(self) -> None:
        node_id = self._any_node()
        self.nodes[node_id] = self._row(node_id, str(self.nodes[node_id][2]))

    def add_property(self) -> None:
        """One more, or another value of it."""
        node_id = self._any_node()
        number = self.random.randrange(1000)
        name, value = self.random.choice([("note", f"Note {number}."), ("weight", number / 8)])
        self._set_properties(node_id, {**self.properties(node_id), name: value})

    def drop_property(self) -> None:
        """One less, but for those that its type cannot do without."""
        node_id = self._any_node()
        properties = self.properties(node_id)
        if dropped := sorted(properties.keys() - {"metadata", "text"}):
            del properties[self.random.choice(dropped)]
            self._set_properties(node_id, properties)

    def change_type(self) -> None:
        """A node gets another type and what such a node has, and keeps its id and edges."""
        node_id = self._any_node()
        others = [kind for kind in self.KINDS if kind != self.nodes[node_id][2]]
        self.nodes[node_id] = self._row(node_id, self.random.choice(others))

    def change_index_fields(self) -> None:
        """A thing of a type of its own is found by something else, or no longer found at all."""
        if planets := sorted(node_id for node_id, row in self.nodes.items() if row[2] == "Planet"):
            node_id = self.random.choice(planets)
            metadata = {"index_fields": self.random.choice(INDEX_FIELDS)}
            self._set_properties(node_id, {**self.properties(node_id), "metadata": metadata})

    def properties(self, node_id: str) -> dict[str, Any]:
        """What a node has beside its id, name and type."""
        found: dict[str, Any] = json.loads(str(self.nodes[node_id][3]))
        return found

    def _set_properties(self, node_id: str, properties: dict[str, Any]) -> None:
        self.nodes[node_id] = (*self.nodes[node_id][:3], json.dumps(properties))

    def remove_node(self) -> None:
        if len(self.nodes) > 2:
            node_id = self._any_node()
            del self.nodes[node_id]
            self.edges = {ends: text for ends, text in self.edges.items() if node_id not in ends[:2]}

    def remove_chunk(self) -> None:
        """Take a text away, if there is one left."""
        chunk = next((node_id for node_id, row in self.nodes.items() if row[2] == "DocumentChunk"), None)
        if chunk is not None:
            del self.nodes[chunk]
            self.edges = {ends: text for ends, text in self.edges.items() if chunk not in ends[:2]}

    def add_edge(self, source: str | None = None) -> None:
        ends = (source or self._any_node(), self._any_node(), self.random.choice(RELATIONSHIPS))
        self.edges[ends] = f"Text {self.random.randrange(1000)}."

    def change_edge(self) -> None:
        if self.edges:
            self.edges[self.random.choice(sorted(self.edges))] = f"Text {self.random.randrange(1000)}."

    def remove_edge(self) -> None:
        if self.edges:
            del self.edges[self.random.choice(sorted(self.edges))]

    def archive(self, path: Path, *, dataset: str = "demo") -> Archive:
        """The graph as it is now."""
        edges: list[EdgeRow] = [(*ends, json.dumps({"edge_text": text})) for ends, text in self.edges.items()]
        reader = MemoryReader(list(self.nodes.values()), edges, origin=GraphOrigin(dataset_name=dataset))
        return write_archive(reader, path)

    def _any_node(self) -> str:
        return self.random.choice(sorted(self.nodes))

    def _row(self, node_id: str, node_type: str) -> NodeRow:
        number = self.random.randrange(1000)
        if node_type == "DocumentChunk":
            properties = {"text": f"Text {number} of {node_id}.", "metadata": {"index_fields": ["text"]}}
            return node_id, "", node_type, json.dumps(properties)
        description = f"Description {number}."
        if node_type == "Entity":
            return node_id, f"Name {node_id[:8]}", node_type, json.dumps({"description": description})
        properties = {"description": description, "metadata": {"index_fields": ["name"]}}
        return node_id, f"Planet {number}", node_type, json.dumps(properties)
