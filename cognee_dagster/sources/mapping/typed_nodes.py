"""Nodes with their own types, which keep all their attributes, and Cognee's own nodes as they are."""

import json
from typing import Any

from cognee_dagster.cogx.server.declared_types import DECLARED, loses_attributes, own_type
from cognee_dagster.cogx.server.vector_tables import ORIGINAL_TYPE, safe_type
from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.elements import Node
from cognee_dagster.sources.mapping.attributes import accepted_name, read_as_typed
from cognee_dagster.sources.mapping.descriptions import described
from cognee_dagster.sources.mapping.ids import checked_id, key_text
from cognee_dagster.sources.mapping.left_behind import LeftBehind, kept_attributes
from cognee_dagster.sources.mapping.rules import Rules
from cognee_dagster.sources.mapping.values import first_text, plain_text, type_names

DEFAULT_TYPE = "Entity"
_TEXT_PROPERTIES = ("description", "text")  # a server takes nothing but text there

NodeRow = tuple[str, str | None, str | None, str]


def typed_node(node: Node, *, rules: Rules, left: LeftBehind) -> NodeRow:
    """The row of a node.

    Raises:
        GraphFileError: It has an attribute that cannot be kept; the message names it.
    """
    values = kept_attributes(node, rules=rules, left=left)
    name, name_attribute = first_text(values, rules.node_name)
    given_name = values.pop("name", None)
    if name_attribute in {"label", None}:
        values.pop("label", None)
    node_type, type_attribute = _type(node, values, rules)
    values.pop("type", None)
    properties = _properties(node, values, of_cognee=node_type in DECLARED)
    if node_type == DEFAULT_TYPE:
        _keep_of_entity(properties, values, used=(name_attribute, type_attribute), rules=rules, left=left)
    else:
        node_type = _name_type(node_type, properties, has_name=bool(name))
        # or the remote could not find it by its name
        properties.setdefault("metadata", {"index_fields": ["name"]})
    identity = checked_id(node.key)
    if not name and has_name(node_type):
        name = key_text(node.key)
        name = name if name.strip() else identity
    # Cognee's own export gives its chunks an empty name.
    return identity, name or (None if given_name is None else ""), node_type, json.dumps(properties)


def has_name(node_type: str) -> bool:
    """Whether nodes of this type have names: Cognee's chunks and summaries have a text instead."""
    return node_type not in DECLARED or "name" in DECLARED[node_type].fields


def _type(node: Node, values: dict[str, Any], rules: Rules) -> tuple[str, str | None]:
    if node.cognee_type is not None:
        return node.cognee_type, None
    if rules.as_nodes == "as_they_are":
        text = plain_text(values.get("type"))
        return (text, "type") if text.strip() else (DEFAULT_TYPE, None)
    _, attribute = first_text(values, rules.node_type)
    types = type_names(values[attribute]) if attribute else []
    return (types[0], attribute) if types else (DEFAULT_TYPE, None)


def _properties(node: Node, values: dict[str, Any], *, of_cognee: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for attribute, given in values.items():
        value = read_as_typed(attribute, given, of_cognee=of_cognee)
        kept = accepted_name(attribute, value)
        if kept != attribute and kept in values:
            raise GraphFileError(f"{node}: attribute {attribute!r} would become {kept!r}, and that exists. Rename it.")
        properties[kept] = plain_text(value) if kept in _TEXT_PROPERTIES and value is not None else value
    return properties


def _keep_of_entity(
    properties: dict[str, Any],
    values: dict[str, Any],
    *,
    used: tuple[str | None, str | None],
    rules: Rules,
    left: LeftBehind,
) -> None:
    if rules.as_nodes == "as_they_are":
        left.of_entity(values, used=used)
        return
    description = described(values, first=rules.node_description, known=used, left=left)
    if description:
        properties["description"] = description


def _name_type(node_type: str, properties: dict[str, Any], *, has_name: bool) -> str:
    """The type under which the node arrives whole; what it was called stays with it."""
    kept = safe_type(node_type)
    sent = {name for name in properties if not name.startswith("attribute_")} | ({"name"} if has_name else set())
    if loses_attributes(kept, sent):
        kept = own_type(kept)
    if kept != node_type:
        properties.setdefault(ORIGINAL_TYPE, node_type)
    return kept
