"""Which profile fits a graph."""

from collections.abc import Mapping

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.profiles.drawn import GEPHI, YED
from cognee_dagster.sources.profiles.extracted import GRAPHRAG, LIGHTRAG, NANO_GRAPHRAG
from cognee_dagster.sources.profiles.profile import COGNEE, DESCRIPTIONS, GENERIC, Profile
from cognee_dagster.sources.profiles.property_graphs import APOC, TINKERPOP

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (COGNEE, GRAPHRAG, LIGHTRAG, NANO_GRAPHRAG, APOC, TINKERPOP, GEPHI, YED, GENERIC)
}

_MEANT_FOR_COGNEE = {"relationship_name", "edge_text", "metadata", "belongs_to_set"}
# What a graph in Cognee's own words may have without being of somebody else.
_OWN_NODE_NAMES = {"name", "label", "type", *DESCRIPTIONS[:1]}
_OWN_EDGE_NAMES = {"relationship_name", "relationship", "label", "type", "edge_text", "valid_at", "invalid_at"}
_FOREIGN_NODE_NAMES = ({*GENERIC.node_type, *GENERIC.node_name} - _OWN_NODE_NAMES) | {"source_id"}
_FOREIGN_EDGE_NAMES = ({*GENERIC.relationship, *DESCRIPTIONS} - _OWN_EDGE_NAMES) | {"keywords"}


def named_profile(name: str) -> Profile:
    """The profile of this name.

    Raises:
        GraphFileError: There is none.
    """
    if name not in PROFILES:
        raise GraphFileError(f"There is no profile {name!r:.60}. Choose one of: {', '.join(PROFILES)}.")
    return PROFILES[name]


def choose_profile(nodes: Mapping[str, int], edges: Mapping[str, int], *, hints: frozenset[str]) -> Profile:
    """The profile that a graph shows.

    Args:
        nodes: Names of the nodes' attributes, and how many nodes have them.
        edges: The same of the edges.
        hints: What the file shows beside them.
    """
    node_names, edge_names = {name.lower() for name in nodes}, {name.lower() for name in edges}
    if (named := next((hint for hint in hints if hint in PROFILES), None)) is not None:
        return PROFILES[named]
    if (node_names | edge_names) & _MEANT_FOR_COGNEE and not node_names & {"entity_type", "labelv", "labels"}:
        return COGNEE
    if (producer := _producer(node_names, edge_names)) is not None:
        return producer
    if "type" in node_names:
        return COGNEE  # a type of its own is what Cognee calls it, too
    return _drawn(node_names, hints) or (GENERIC if _is_foreign(node_names, edge_names, hints) else COGNEE)


def _drawn(nodes: set[str], hints: frozenset[str]) -> Profile | None:
    if "yfiles" in hints:
        return YED
    return GEPHI if "made by Gephi" in hints or "viz" in nodes else None


def _is_foreign(nodes: set[str], edges: set[str], hints: frozenset[str]) -> bool:
    """Whether a graph has attributes that somebody else gives a meaning; or, in a file, any that would be lost."""
    if nodes & _FOREIGN_NODE_NAMES or edges & _FOREIGN_EDGE_NAMES:
        return True
    return bool(hints) and bool(nodes - _OWN_NODE_NAMES or edges - _OWN_EDGE_NAMES)


def _producer(nodes: set[str], edges: set[str]) -> Profile | None:
    """The producer whose attributes a graph has."""
    if nodes >= {"entity_id", "entity_type"}:
        return LIGHTRAG
    if nodes >= {"entity_type", "source_id"}:
        return NANO_GRAPHRAG
    if nodes & {"human_readable_id", "text_unit_ids"} or nodes >= {"type", "source_id", "description"}:
        return GRAPHRAG
    if "labelv" in nodes or "labele" in edges:
        return TINKERPOP
    return APOC if nodes & {"labels", "_labels"} else None
