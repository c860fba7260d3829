"""How a server shows a node that it made of a record (Cognee 1.6.5, ``get_formatted_graph_data.py``).

``GET /datasets/{id}/graph`` shows a node's id, name, type and properties: what it was sent, but for what the server's
own class of that type does not declare, and besides that the defaults which every node has. It shows no timestamps, and
of edges nothing but their ends and the relationship's name.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from cognee_dagster.cogx.schema import Entity
from cognee_dagster.cogx.server.declared_types import BASE_FIELDS, DECLARED
from cognee_dagster.cogx.server.raw_nodes import UNFIT, is_declared

_HIDDEN = frozenset({"id", "type", "name", "created_at", "updated_at"})
# Kept by the server itself: a record's value of these says nothing of what is there.
_KEPT_BY_SERVER = frozenset(
    {"metadata", "belongs_to_set", "version", "topological_rank", "source_pipeline", "source_task", "source_node_set"}
    | {"source_user", "source_content_hash"}
)


def description_of(entity: Entity) -> str:
    """The description that a server stores for an entity."""
    description = entity.description or entity.name
    return f"{description} Also known as: {', '.join(entity.aliases)}." if entity.aliases else description


class Expected(NamedTuple):
    """What a server should show of a node.

    Attributes:
        type: The type.
        is_declared: Whether the server makes an object of its own class of that type.
        properties: Those that it keeps.
    """

    type: str
    is_declared: bool
    properties: Mapping[str, Any]


def expected_of(sent: Mapping[str, Any]) -> Expected:
    """What a server should show of a raw node with these properties."""
    node_type = str(sent.get("type") or "DataPoint")
    declared = is_declared(node_type, sent)
    its_class = DECLARED[node_type].fields if declared else None
    kept = {
        name: value
        for name, value in sent.items()
        if value is not None and name not in _HIDDEN | _KEPT_BY_SERVER and _is_kept(name, sent, its_class)
    }
    return Expected(node_type, declared, kept)


def difference(expected: Expected, shown_type: str, shown: Mapping[str, Any]) -> str:
    """In what a node is there otherwise than it was sent: ``type``, or a property's name; empty if in nothing.

    Args:
        expected: What it should be.
        shown_type: The type that the server shows.
        shown: The properties that it shows.
    """
    if shown_type != expected.type:
        return "type"
    its_class = DECLARED[expected.type].fields if expected.is_declared else None
    for name, value in expected.properties.items():
        is_relation = its_class is not None and isinstance(value, dict | list) and name not in shown
        if not is_relation and not _same(value, shown.get(name)):
            return name
    besides = shown.keys() - expected.properties.keys() - BASE_FIELDS - (its_class or frozenset())
    return min(besides, default="")


def _is_kept(name: str, sent: Mapping[str, Any], its_class: frozenset[str] | None) -> bool:
    """Whether the server keeps a property under a name."""
    if its_class is not None:
        return name in its_class
    return name in BASE_FIELDS or not (name.startswith("_") or UNFIT & sent.keys())


def _same(sent: Any, shown: Any) -> bool:
    """Whether two values are one; a server's own class may spell a number as a string, or an object as JSON text."""
    if sent == shown:
        return True
    if isinstance(sent, dict | list) and isinstance(shown, str):
        return json.dumps(sent, sort_keys=True) == _spelled(shown)
    if isinstance(sent, dict) and isinstance(shown, dict):
        return sent.keys() == shown.keys() and all(_same(value, shown[name]) for name, value in sent.items())
    if isinstance(sent, list) and isinstance(shown, list):
        return len(sent) == len(shown) and all(map(_same, sent, shown))
    return isinstance(sent, str | int | float) and isinstance(shown, str | int | float) and str(sent) == str(shown)


def _spelled(text: str) -> str:
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except ValueError:
        return text
