"""Nodes as Cognee itself would have built them: an ``Entity`` each, with its types as nodes beside it."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cognee_dagster.sources.elements import Node
from cognee_dagster.sources.mapping.descriptions import described
from cognee_dagster.sources.mapping.ids import checked_id, entity_type_id, key_text
from cognee_dagster.sources.mapping.left_behind import LeftBehind, kept_attributes
from cognee_dagster.sources.mapping.rules import Rules
from cognee_dagster.sources.mapping.values import first_text, json_attributes, type_names, unquoted

IS_A = "is_a"


class Identity(NamedTuple):
    """What a node is: its id, name and types, and the attributes that say so."""

    id: str
    name: str
    types: list[str]
    attributes: tuple[str | None, str | None]

    @classmethod
    def of(cls, node: Node, *, rules: Rules, values: dict[str, Any] | None = None) -> "Identity":
        """The identity of a node.

        Args:
            node: The node.
            rules: What its attributes mean.
            values: All its attributes as JSON, where they are known already.
        """
        if values is None:
            values = json_attributes(node, only=(*rules.node_name, *rules.node_type))
        name, name_attribute = first_text(values, rules.node_name)
        name = unquoted(name).strip() or unquoted(key_text(node.key)).strip()
        _, type_attribute = first_text(values, rules.node_type)
        return cls(
            id=(identity := checked_id(node.key)),
            name=name or identity,
            types=type_names(values[type_attribute]) if type_attribute else [],
            attributes=(name_attribute, type_attribute),
        )


def type_edges(identity: str, name: str, types: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
    """Rows of ``EDGE_SCHEMA``: what a node is."""
    for type_id, kind in {entity_type_id(kind): kind for kind in reversed(types)}.items():
        yield identity, type_id, IS_A, json.dumps({"edge_text": f"{name} is a {kind}."})


def entity(node: Node, *, rules: Rules, left: LeftBehind) -> tuple[tuple[str, str, str, str], list[str]]:
    """A node as the row of an entity, and the types that get their own nodes.

    Raises:
        GraphFileError: It has an attribute that has no form in JSON; the message names it.
    """
    values = kept_attributes(node, rules=rules, left=left)
    found = Identity.of(node, rules=rules, values=values)
    said = (found.name, key_text(node.key))
    repeated = [attribute for attribute in rules.node_name if values.get(attribute) in said]
    description = described(values, first=rules.node_description, known=(*found.attributes, *repeated), left=left)
    properties = {"description": description} if description else {}
    return (found.id, found.name, "Entity", json.dumps(properties)), found.types


def entity_type_row(name: str) -> tuple[str, str, str, str]:
    """The node of a type."""
    properties = {"description": name, "metadata": {"index_fields": ["name"]}}
    return entity_type_id(name), name, "EntityType", json.dumps(properties)
