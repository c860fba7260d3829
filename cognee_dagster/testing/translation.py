"""COGX records to what an import writes: Cognee 1.6.5, ``modules/migration/loader.py``."""

import json
import sys
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

from cognee_dagster.testing.archive import Archive, Record
from cognee_dagster.testing.graph import Graph, Node, Triple, id_for, is_uuid
from cognee_dagster.testing.state import Clock, Document

FACTS_PER_DIGEST = 200
BATCH_NODES = 2000
# The fields of the classes that the server knows; it drops all others there, and keeps every field of other types.
_DATA_POINT = {
    *("ontology_valid", "ontology_uri", "version", "topological_rank", "metadata", "belongs_to_set"),
    *("source_pipeline", "source_task", "source_node_set", "source_user", "source_content_hash"),
    *("feedback_weight", "importance_weight"),
}
_DECLARED = {
    "Entity": _DATA_POINT | {"description", "relations", "is_a"},
    "EntityType": _DATA_POINT | {"description", "relations"},
}


@dataclass(kw_only=True)
class Translation:
    """What one archive holds, in the server's terms.

    Attributes:
        counts: Records by kind.
        raw: Raw nodes by id; the first of several records of a node counts.
        entities: Entity nodes by id, and the entity types that they name.
        edges: Edges by (source, label, target) with their stored properties.
        implied: is_a edges out of ``entity_type``, which no count includes.
        is_readable: False with a raw node whose id is no UUID, on which the server stumbles only within the import.
    """

    source_system: str
    keeps_source_ids: bool
    counts: dict[str, int] = field(default_factory=dict)
    raw: dict[str, Node] = field(default_factory=dict)
    entities: dict[str, Node] = field(default_factory=dict)
    edges: dict[Triple, dict[str, Any]] = field(default_factory=dict)
    implied: dict[Triple, dict[str, Any]] = field(default_factory=dict)
    skipped_facts: int = 0
    deduped_edges: int = 0
    is_readable: bool = True
    _refs: dict[str, str] = field(default_factory=dict)

    @property
    def num_nodes(self) -> int:
        return len(self.raw) + len(self.entities)

    @property
    def has_graph(self) -> bool:
        return any(self.counts.get(kind) for kind in ("entity", "fact", "raw_node"))

    def add(self, kind: str, record: Record) -> None:
        """Takes a node; facts wait for ``add_facts``, since they may come before the nodes that they join."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if kind == "raw_node":
            self._add_raw_node(record)
        elif kind == "entity":
            self._add_entity(record)

    def add_facts(self, archive: Archive) -> None:
        """Resolves the facts of the archive against its nodes; a second reading, as on the server."""
        for record in archive.facts():
            self._add_fact(record)

    def write_into(self, graph: Graph, *, reference: str) -> None:
        """Merges all into the graph."""
        graph.merge({**self.raw, **self.entities}, {**self.edges, **self.implied}, reference=reference)

    def batched_num_nodes(self) -> int:
        """How many nodes hybrid says it imports: a node counts again in each other batch that an edge of it lies in."""
        ordered = [*self.entities, *self.raw] if self.num_nodes > BATCH_NODES else []
        batch_of = {node_id: index // BATCH_NODES for index, node_id in enumerate(ordered)}
        repeated = set()
        for source, _, target in self.edges:
            index = batch_of.get(source, 0)
            if batch_of.get(target, index) != index:
                repeated.add((index, target))
        return self.num_nodes + len(repeated)

    def _add_raw_node(self, record: Record) -> None:
        node_id = str(record.get("id") or uuid4())
        self.is_readable &= is_uuid(node_id)
        self._refs.setdefault(node_id, node_id)
        self.raw.setdefault(node_id, _raw_node(record))

    def _add_entity(self, record: Record) -> None:
        source_id = record["external_id"]
        node_id = source_id if self.keeps_source_ids and is_uuid(source_id) else id_for("Entity", record["name"])
        description = record.get("description") or record["name"]
        if record.get("aliases"):
            description = f"{description} Also known as: {', '.join(record['aliases'])}."
        known = self.entities.get(node_id)
        if known is not None and description not in known.properties["description"]:
            description = f"{known.properties['description']}\n{description}"
        elif known is not None:
            description = known.properties["description"]
        name = known.name if known is not None else record["name"]
        self.entities[node_id] = Node(name, "Entity", {"description": description}, named=True)
        self._refs[source_id] = node_id
        if record.get("entity_type"):
            self._add_type(node_id, record["entity_type"])

    def _add_type(self, node_id: str, name: str) -> None:
        type_id = id_for("EntityType", name)
        self.entities.setdefault(type_id, Node(name, "EntityType", {"description": name}, named=True))
        self.implied[(node_id, "is_a", type_id)] = {}

    def _add_fact(self, record: Record) -> None:
        source, target = self._resolve(record["subject_ref"]), self._resolve(record["object_ref"])
        if source is None or target is None:
            self.skipped_facts += 1
            return
        for end in (source, target):
            if end not in self.raw and end not in self.entities:
                name = record["subject_ref"] if end == source else record["object_ref"]
                self.entities[end] = Node(name, "Entity", {"description": name}, named=True)
        triple = (source, sys.intern(record["predicate"]), target)  # few names, many edges
        if triple in self.edges:
            self.deduped_edges += 1
        else:
            self.edges[triple] = _edge_properties(record)

    def _resolve(self, ref: str) -> str | None:
        """The node that a fact means: by external id, else by an entity's name, else (no UUID) a new entity."""
        known = self._refs.get(ref)
        if known is not None:
            return known
        named = id_for("Entity", ref)
        return named if named in self.entities or not is_uuid(ref) else None


def _raw_node(record: Record) -> Node:
    type_name = str(record.get("type") or "DataPoint")
    named = isinstance(record.get("name"), str) and isinstance(record.get("description"), str)
    declared = _DECLARED.get(type_name) if named else None
    properties = {
        key: value
        for key, value in record.items()
        if key not in ("id", "type", "name", "created_at", "updated_at") and (declared is None or key in declared)
    }
    if declared is None:
        properties["metadata"] = {"index_fields": _index_fields(record.get("metadata"))}
    return Node(record.get("name"), type_name, properties, named=declared is not None)


def _index_fields(metadata: object) -> list[str]:
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata)
        except ValueError:
            return []
    return list(metadata.get("index_fields") or []) if isinstance(metadata, dict) else []


def _edge_properties(record: Record) -> dict[str, Any]:
    """What a fact says beyond its ends and its name; under the names that the server stores it by."""
    properties = {
        "edge_text": record.get("fact_text"),
        "valid_at": record.get("valid_at"),
        "invalid_at": record.get("invalid_at"),
        "confidence": record.get("confidence"),
    }
    return {key: value for key, value in properties.items() if value is not None}


def document_of(kind: str, record: Record, clock: Clock) -> Document | None:
    """The document that a record of text becomes; None for records of the graph."""
    text, title = _text_of(kind, record)
    if text is None:
        return None
    system, external_id = record.get("external_system", "unknown"), record["external_id"]
    return Document(
        id=document_id(system, external_id),
        external_system=system,
        external_id=external_id,
        title=title,
        text=text,
        created_at=clock.stamp(),
    )


def document_id(external_system: str, external_id: str) -> str:
    """The id of a document: the same on the whole server, whatever the dataset and the user."""
    return str(uuid5(NAMESPACE_OID, f"cogx:{external_system}:{external_id}"))


def _text_of(kind: str, record: Record) -> tuple[str | None, str | None]:
    if kind == "document":
        return record["content"], record.get("title")
    if kind == "episode":
        return _transcript(record), record.get("title")
    if kind == "memory":
        categories = record.get("categories")
        return record["content"] + (f"\nCategories: {', '.join(categories)}" if categories else ""), None
    if kind == "memory_block":
        return f"{record['label']}:\n{record['value']}", record["label"]
    return None, None


def _transcript(record: Record) -> str:
    moments = [
        (datetime.fromisoformat(turn["occurred_at"].replace("Z", "+00:00")) if turn.get("occurred_at") else None, turn)
        for turn in record.get("turns", [])
    ]
    lines = [f"# {record['title']}"] if record.get("title") else []
    for moment, turn in sorted(moments, key=lambda pair: pair[0].timestamp() if pair[0] else float("-inf")):
        lines.append(f"{turn['role']}{f' [{moment.isoformat()}]' if moment else ''}: {turn['content']}")
    return "\n".join(lines)


def digests(archive: Archive, clock: Clock) -> list[Document]:
    """What re-derive makes of entities and facts: documents with fixed ids, hence one dataset a server."""
    entities: list[str] = []
    facts: list[str] = []
    system = "unknown"
    for kind, record in archive.records():
        if kind in ("entity", "fact"):
            system = record.get("external_system", "unknown")
        if kind == "entity" and record.get("description"):
            entities.append(f"{record['name']}: {record['description']}")
        elif kind == "fact":
            words = (record["subject_ref"], record["predicate"], record["object_ref"])
            facts.append(record.get("fact_text") or " ".join(words))
    texts = {"entities-digest": "\n".join(entities)} if entities else {}
    for start in range(0, len(facts), FACTS_PER_DIGEST):
        texts[f"facts-digest-{start // FACTS_PER_DIGEST}"] = "\n".join(facts[start : start + FACTS_PER_DIGEST])
    return [
        Document(
            id=document_id(system, name),
            external_system=system,
            external_id=name,
            title="Imported facts" if name.startswith("facts") else "Imported entity descriptions",
            text=text,
            created_at=clock.stamp(),
        )
        for name, text in texts.items()
    ]
