"""Graphs of property graph databases: Neo4j as APOC exports it, and what speaks TinkerPop."""

from cognee_dagster.sources.profiles.profile import DESCRIPTIONS, NODE_NAMES, NODE_TYPES, RELATIONSHIPS, Profile

APOC = Profile(
    name="apoc",
    node_type=("labels", "_labels", *NODE_TYPES),
    node_name=("name", "title", *NODE_NAMES),
    relationship=("label", "_type", *RELATIONSHIPS),
    description=DESCRIPTIONS,
)
TINKERPOP = Profile(
    name="tinkerpop",
    node_type=("labelv", *NODE_TYPES),
    node_name=NODE_NAMES,
    relationship=("labele", *RELATIONSHIPS),
    description=DESCRIPTIONS,
)
