"""A changing graph of all kinds of nodes that Cognee makes, and what has become of it from round to round."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from tests.cogx_graphs import EdgeRow, NodeRow
from tests.mirrored_graph import ChangingGraph

Nodes = Mapping[str, NodeRow]
Edges = Mapping[tuple[str, str, str], str]


class WideGraph(ChangingGraph):
    """Entities and their types, chunks with a text, summaries, and things of a type of their own."""

    KINDS: ClassVar = ("Entity", "Entity", "Entity", "EntityType", "DocumentChunk", "TextSummary", "Planet")

    def change(self, edits: int) -> None:
        """So many edits; renamed nodes keep their ids."""
        for number in range(edits):
            if number % 7 == 6:
                self.rename_node()
            else:
                super().change(1)

    def rename_node(self) -> None:
        node_id = self._any_node()
        row = self.nodes[node_id]
        if row[1]:
            self.nodes[node_id] = (node_id, f"Renamed {self.random.randrange(1000)}", *row[2:])

    def _row(self, node_id: str, node_type: str) -> NodeRow:
        if node_type not in ("EntityType", "TextSummary"):
            return super()._row(node_id, node_type)
        number = self.random.randrange(1000)
        if node_type == "TextSummary":
            properties = {"text": f"Summary {number}.", "metadata": {"index_fields": ["text"]}}
            return node_id, "", node_type, json.dumps(properties)
        properties = {"description": f"Kind {number}.", "metadata": {"index_fields": ["name"]}}
        return node_id, f"Kind {node_id[:8]}", node_type, json.dumps(properties)


class GraphRows:
    """A changing graph as it is now, for who makes a file of it."""

    def __init__(self, graph: ChangingGraph) -> None:
        self._graph = graph

    def nodes(self) -> Iterator[NodeRow]:
        """Id, name, type, JSON text of the properties."""
        yield from self._graph.nodes.values()

    def edges(self) -> Iterator[EdgeRow]:
        """Id of the start node, of the end node, name, JSON text of the properties."""
        for ends, text in self._graph.edges.items():
            yield (*ends, json.dumps({"edge_text": text}))


class FormerEntries:
    """What a changing graph has had that may be left in a remote's vector index though it changed (docs/mirrors.md).

    Attributes:
        edge_texts: Texts that edges had before they got another one, or, with ``of_removed_edges``, were removed.
        of_nodes: (collection, node id) of nodes that have got another type since, or are found by other properties, or
            have lost one of those.
    """

    def __init__(self, graph: ChangingGraph, *, of_removed_edges: bool = False) -> None:
        self._graph = graph
        self._of_removed_edges = of_removed_edges
        self._edges = dict(graph.edges)
        self._entries = _entries(graph)
        self.edge_texts = set[str]()
        self.of_nodes = set[tuple[str, str]]()

    def look(self) -> None:
        """The graph has changed, and will be pushed so."""
        edges, entries = dict(self._graph.edges), _entries(self._graph)
        same = dict.fromkeys(self._edges, "") if self._of_removed_edges else self._edges
        self.edge_texts |= {text for ends, text in self._edges.items() if edges.get(ends, same[ends]) != text}
        self.of_nodes |= {entry for entry in self._entries - entries if entry[1] in self._graph.nodes}
        self._edges, self._entries = edges, entries


def _entries(graph: ChangingGraph) -> set[tuple[str, str]]:
    """(collection, node id): where the nodes of a graph are found."""
    found = set()
    for node_id, row in graph.nodes.items():
        properties = {"name": row[1], **graph.properties(node_id)}
        metadata = properties.get("metadata", {"index_fields": ["name"]})
        found |= {(f"{row[2]}_{field}", node_id) for field in metadata["index_fields"] if properties.get(field)}
    return found


def edits_between(before: tuple[Nodes, Edges], after: tuple[Nodes, Edges]) -> str:
    """What has changed, in words."""
    nodes, edges = (before[0], after[0]), (before[1], after[1])
    documents = [{one: row for one, row in some.items() if row[2] == "DocumentChunk"} for some in nodes]
    kinds: dict[str, Sequence[Mapping[Any, Any]]] = {"nodes": nodes, "edges": edges, "documents": documents}
    return ", ".join(f"{_counted(old, new)} {kind}" for kind, (old, new) in kinds.items())


def _counted(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> str:
    changed = sum(old[key] != new[key] for key in old.keys() & new.keys())
    return f"+{len(new.keys() - old.keys())} ~{changed} -{len(old.keys() - new.keys())}"
