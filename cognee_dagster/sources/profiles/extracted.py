"""Graphs that language models extracted from texts: GraphRAG, LightRAG, nano-graphrag."""

from cognee_dagster.sources.profiles.profile import DESCRIPTIONS, NODE_NAMES, NODE_TYPES, RELATIONSHIPS, Profile

GRAPHRAG = Profile(
    name="graphrag",
    node_type=("type", "entity_type", *NODE_TYPES),
    node_name=("title", "name", *NODE_NAMES),
    relationship=RELATIONSHIPS,
    description=DESCRIPTIONS,
    drop=("x", "y", "graph_embedding", "description_embedding", "name_embedding", "text_unit_ids", "id"),
)
LIGHTRAG = Profile(
    name="lightrag",
    node_type=("entity_type", *NODE_TYPES),
    node_name=("entity_id", "entity_name", *NODE_NAMES),
    relationship=RELATIONSHIPS,
    description=DESCRIPTIONS,
    drop=("truncate", "created_at"),
)
NANO_GRAPHRAG = Profile(
    name="nano-graphrag",
    node_type=("entity_type", *NODE_TYPES),
    node_name=("entity_name", *NODE_NAMES),
    relationship=RELATIONSHIPS,
    description=DESCRIPTIONS,
    drop=("clusters", "order"),
)
