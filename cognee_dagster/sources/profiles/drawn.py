"""Graphs that were drawn: Gephi's and yEd's. Where a node lies on the paper means nothing to who searches the graph."""

from cognee_dagster.sources.profiles.profile import DESCRIPTIONS, NODE_NAMES, NODE_TYPES, RELATIONSHIPS, Profile

GEPHI = Profile(
    name="gephi",
    node_type=NODE_TYPES,
    node_name=("label", *NODE_NAMES),
    relationship=("kind", *RELATIONSHIPS),
    description=DESCRIPTIONS,
    drop=("viz",),
)
YED = Profile(
    name="yed",
    node_type=NODE_TYPES,
    node_name=("label", *NODE_NAMES),
    relationship=("label", *RELATIONSHIPS),
    description=("description", "summary"),
    drop=("x", "y", "shape_type"),
)
