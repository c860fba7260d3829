"""Nodes as Cognee itself makes them, told at a tenth of the price of judging any node."""

import re
from types import NoneType
from typing import Any

from cognee_dagster.cogx.server.unicode import is_unicode
from cognee_dagster.cogx.server.vector_tables import is_table_name

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TEXT, _WHOLE, _NUMBER = (str, NoneType), (int, NoneType), (float, int, NoneType)
# What the fields that a server looks at usually are; any other field may be a simple value.
_KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("id", "type"), (str,)),
    **dict.fromkeys(("created_at", "updated_at", "version"), (int,)),
    **dict.fromkeys(("topological_rank", "chunk_index"), _WHOLE),
    **dict.fromkeys(("name", "ontology_uri", "source_pipeline", "source_task", "source_node_set"), _TEXT),
    **dict.fromkeys(("source_user", "source_content_hash", "document_id", "document_name"), _TEXT),
    **dict.fromkeys(("source_chunk_id", "external_metadata"), _TEXT),
    "ontology_valid": (bool,),
    "feedback_weight": (float, int),
    "importance_weight": _NUMBER,
    "belongs_to_set": (NoneType,),
    "metadata": (dict,),
}
_SIMPLE = (str, int, float, bool, NoneType)


def is_usual(properties: dict[str, Any]) -> bool:
    """Whether a server certainly takes a node whose type is none of its own classes; if not, nothing is said."""
    for name, value in properties.items():
        if type(value) not in _KINDS.get(name, _SIMPLE) or name.startswith(("_", "model_", "self")):
            return False
    node_type, fields = properties.get("type"), properties.get("metadata", {}).get("index_fields")
    if (
        not node_type
        or _UUID.fullmatch(properties.get("id", "")) is None
        or not is_unicode(properties.get("name") or "")
    ):
        return False
    if type(fields) is not list:
        return fields is None and is_unicode(node_type) and "\0" not in node_type
    return all(
        type(field) is str
        and type(text := properties.get(field)) is str
        and is_unicode(text)
        and is_table_name(node_type, field)
        for field in fields
    ) and is_table_name(node_type, "name")
