"""One dataset's graph on the fake server: what an import adds to it, and how ``GET …/graph`` shows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

# What every DataPoint of Cognee 1.6.5 carries, and what its own classes add; the fields that ``GET …/graph`` leaves out
# (id, type, name, timestamps) and those that are null by default are not listed.
_BASE = {
    "ontology_valid": False,
    "version": 1,
    "topological_rank": 0,
    "metadata": {"index_fields": []},
    "feedback_weight": 0.5,
    "importance_weight": 0.5,
}
_HIDDEN = frozenset({"id", "type", "name", "created_at", "updated_at"})
_NAMED = {"metadata": {"index_fields": ["name"], "identity_fields": ["name"]}, "relations": []}
Triple = tuple[str, str, str]


@dataclass(frozen=True)
class Node:
    """A stored node: ``properties`` are its own, without what its class adds.

    ``named``: an entity or entity type that the server could read as such; others are of a class made up for them.
    """

    name: str | None
    type: str
    properties: dict[str, Any]
    named: bool = False

    def shown(self, node_id: str) -> dict[str, Any]:
        """The node as ``GET …/graph`` shows it."""
        properties = {**_BASE, **(_NAMED if self.named else {}), **self.properties}
        return {
            "id": node_id,
            "label": str(self.name or "") or f"{self.type}_{node_id}",
            "type": self.type,
            "properties": {k: v for k, v in properties.items() if k not in _HIDDEN and v is not None},
        }


@dataclass
class Graph:
    """Nodes by id; edges by (source, label, target), in the order of their arrival. Merging is all an import does.

    ``references``: the data ids of what brought each node (by id) and each edge (by triple); united over imports.
    ``leaves_single_edges``: whether an edge is deleted only with one of its nodes, as on a server that keeps the
    references in its relational database (docs/mirrors.md, "On which servers").
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[Triple, dict[str, Any]] = field(default_factory=dict)
    references: dict[str | Triple, set[str]] = field(default_factory=dict)
    leaves_single_edges: bool = False

    def merge(self, nodes: Mapping[str, Node], edges: Mapping[Triple, dict[str, Any]], *, reference: str) -> None:
        """Add or replace nodes and edges, on behalf of a data id."""
        self.nodes.update(nodes)
        self.edges.update(edges)
        touched: list[str | Triple] = [*nodes, *edges]
        for key in touched:
            self.references.setdefault(key, set()).add(reference)

    def forget(self, reference: str) -> None:
        """Take a data id's reference away, and delete the nodes and edges that nothing else brought."""
        for key, references in list(self.references.items()):
            if references == {reference}:
                del self.references[key]
                if isinstance(key, str):
                    self.nodes.pop(key, None)
                elif not self.leaves_single_edges:
                    self.edges.pop(key, None)
            references.discard(reference)
        for triple in [one for one in self.edges if one[0] not in self.nodes or one[2] not in self.nodes]:
            del self.edges[triple]

    def empty(self) -> None:
        """Delete everything."""
        self.nodes.clear()
        self.edges.clear()
        self.references.clear()

    def shown(self) -> dict[str, Any]:
        """The body of ``GET …/graph``. Edges show no properties there."""
        return {
            "nodes": [node.shown(node_id) for node_id, node in list(self.nodes.items())],
            "edges": [{"source": s, "target": t, "label": label} for s, label, t in list(self.edges)],
        }

    @property
    def triples(self) -> set[Triple]:
        """All (source, label, target)."""
        return set(self.edges)


def id_for(type_name: str, name: str) -> str:
    """Cognee's own id of a node of that class with that name (``DataPoint.id_for``)."""
    return str(uuid5(NAMESPACE_OID, f"{type_name}:{name.lower().replace(' ', '_').replace(chr(39), '')}"))


def import_reference(source_system: str, dataset_name: str) -> str:
    """The data id of all that archives of one source system bring into datasets of that name."""
    return str(uuid5(NAMESPACE_OID, f"cogx-import:{source_system}:{dataset_name}"))


def is_uuid(text: str) -> bool:
    """Whether Cognee takes a fact's reference for an id rather than for a name."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
