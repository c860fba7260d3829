"""One producer's conventions, and how its graphs are known."""

from dataclasses import dataclass
from typing import Literal

AsNodes = Literal["cognee", "typed", "as_they_are"]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Attribute names by meaning; the first that a node or edge has counts. They are compared without case.

    Attributes:
        name: What users call it.
        node_type: Attributes that hold a node's type, or types.
        node_name: Attributes that hold a node's name.
        relationship: Attributes that hold an edge's name.
        description: Attributes that say in words what a node or an edge is about.
        drop: Attributes that mean nothing outside the producer, such as where a node was drawn.
        as_nodes: ``cognee``: entities as Cognee itself makes them; ``as_they_are``: the graph speaks Cognee's own
            language.
    """

    name: str
    node_type: tuple[str, ...]
    node_name: tuple[str, ...]
    relationship: tuple[str, ...]
    description: tuple[str, ...]
    drop: tuple[str, ...] = ()
    as_nodes: AsNodes = "cognee"


# Cognee's own names come first: a graph that uses them means them.
NODE_TYPES = (
    *("type", "entity_type", "node_type", "labels", "labelv", "category", "categories", "kind", "class", "@type"),
    "_labels",
)
NODE_NAMES = ("name", "label", "title", "entity_name", "entity_id", "display_name", "caption", "human_readable_name")
RELATIONSHIPS = (
    *("relationship_name", "relationship", "relation", "predicate", "label", "type", "labele", "kind"),
    *("relationship_type", "relation_type", "relationtype", "edge_type", "interaction", "rel", "rel_type", "_type"),
)
DESCRIPTIONS = ("description", "summary")

GENERIC = Profile(
    name="generic",
    node_type=NODE_TYPES,
    node_name=NODE_NAMES,
    relationship=RELATIONSHIPS,
    description=DESCRIPTIONS,
)
COGNEE = Profile(
    name="cognee",
    node_type=("type",),
    node_name=("name", "label", "title", "entity_name", "entity_id"),
    relationship=("relationship_name", "relationship", "label", "type", "relation", "predicate", "labele", "kind"),
    description=("description",),
    as_nodes="as_they_are",
)
