"""Nodes as Cognee itself would have built them: an ``Entity`` each, with its types as nodes beside it."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from cognee_dagster.sources.elements import Node
from cognee_dagster.sources.mapping.descriptions import described
from cognee_dagster.sources.mapping.ids import checked_id, entity_type_id, key_text
from cognee_dagster.sources.mapping.left_behind import LeftBehind
from cognee_dagster.sources.mapping.rules import Rules
from cognee_dagster.sources.mapping.values import first_text, json_attributes, type_names, unquoted

IS_A = "is_a"


class EntityNode(NamedTuple):
    """A node as an entity.

    Attributes:
        id: Its id.
        name: Its name.
        types: What it is.
        description: Its description, and its other attributes.
    """

    id: str
    name: str
    types: list[str]
    description: str

    def row(self) -> tuple[str, str, str, str]:
        """The row of ``NODE_SCHEMA``."""
        properties = {"description": self.description} if self.description else {}
        return self.id, self.name, "Entity", json.dumps(properties)

    def type_edges(self) -> Iterator[tuple[str, str, str, str]]:
        """Rows of ``EDGE_SCHEMA``: what it is."""
        for identity, name in {entity_type_id(name): name for name in reversed(self.types)}.items():
            yield self.id, identity, IS_A, json.dumps({"edge_text": f"{self.name} is a {name}."})


def entity(node: Node, *, rules: Rules, left: LeftBehind) -> EntityNode:
    """A node as an entity.

    Raises:
        GraphFileError: It has an attribute that has no form in JSON; the message names it.
    """
    values = json_attributes(node)
    left.add_all(values, dropped := rules.dropped_from_nodes & set(values))
    for name in dropped:
        del values[name]
    name, name_attribute = first_text(values, rules.node_name)
    name = unquoted(name).strip() or unquoted(key_text(node.key)).strip() or checked_id(node.key)
    _, type_attribute = first_text(values, rules.node_type)
    repeated = [attribute for attribute, value in values.items() if value == name]
    return EntityNode(
        id=checked_id(node.key),
        name=name,
        types=type_names(values[type_attribute]) if type_attribute else [],
        description=described(
            values, first=rules.node_description, known=(name_attribute, type_attribute, *repeated), left=left
        ),
    )


def entity_type_row(name: str) -> tuple[str, str, str, str]:
    """The node of a type."""
    properties = {"description": name, "metadata": {"index_fields": ["name"]}}
    return entity_type_id(name), name, "EntityType", json.dumps(properties)
