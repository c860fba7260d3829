"""Nodes as they are sent: mended so that a server takes them, if nothing is lost by it; else named before an upload."""

from typing import Any

from cognee_dagster.cogx.server.declared_types import loses_attributes, own_type
from cognee_dagster.cogx.server.raw_nodes import judge_node
from cognee_dagster.cogx.server.vector_tables import ORIGINAL_TYPE, is_table_name, safe_type


def with_safe_type(properties: dict[str, Any]) -> dict[str, Any]:
    """A node under a type that a server can index, with what the type was called beside it; else the node itself."""
    node_type, metadata = properties.get("type"), properties.get("metadata")
    if not isinstance(node_type, str) or not node_type or is_table_name(node_type, "name"):
        return properties
    if not isinstance(metadata, dict) or not metadata.get("index_fields"):
        return properties
    kept = safe_type(node_type)
    if loses_attributes(kept, properties):
        kept = own_type(kept)
    return {**properties, "type": kept, ORIGINAL_TYPE: properties.get(ORIGINAL_TYPE, node_type)}


def refusal(properties: dict[str, Any]) -> str | None:
    """Why a server refuses the whole import because of a node, after its name, type and id; None if it does not."""
    try:
        judge_node(properties)
    except ValueError as error:
        return f"{called(properties)}: {error}"
    return None


def called(properties: dict[str, Any]) -> str:
    """A node by its name, type and id."""
    return ", ".join(f"{key} {properties[key]!r:.80}" for key in ("name", "type", "id") if key in properties)
