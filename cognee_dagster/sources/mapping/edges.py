"""Edges of a foreign graph as relationships that say something."""

import json
from collections.abc import Mapping
from typing import Any

from cognee_dagster.sources.elements import Edge
from cognee_dagster.sources.mapping.attributes import as_text
from cognee_dagster.sources.mapping.descriptions import described
from cognee_dagster.sources.mapping.ids import checked_id
from cognee_dagster.sources.mapping.left_behind import LeftBehind, kept_attributes
from cognee_dagster.sources.mapping.rules import Rules
from cognee_dagster.sources.mapping.times import as_time
from cognee_dagster.sources.mapping.value import EDGE_PLACEHOLDERS, filled, placeholders
from cognee_dagster.sources.mapping.values import first_text, json_attributes, plain_text, spoken, unquoted

DEFAULT_RELATIONSHIP = "related_to"
_TIMES = ("valid_at", "invalid_at")
_LABEL_LENGTH = 80  # of a node's name in a sentence, as Cognee cuts it

EdgeRow = tuple[str, str, str, str]


def plain_edge(edge: Edge, *, rules: Rules, left: LeftBehind) -> EdgeRow:
    """The row of an edge of a graph that speaks Cognee's own language: all its attributes, and no text of ours."""
    values = kept_attributes(edge, rules=rules, left=left)
    relationship, attribute = _relationship(edge, values, rules)
    _read_times(values)
    if "edge_text" in values:
        values["edge_text"] = plain_text(values["edge_text"])
    left.of_edge(values, used=attribute)
    return checked_id(edge.source), checked_id(edge.target), relationship, json.dumps(values)


def spoken_edge(edge: Edge, *, rules: Rules, left: LeftBehind, names: Mapping[str, str]) -> EdgeRow:
    """The row of an edge with a text that says all that it holds.

    Args:
        edge: The edge.
        rules: What its attributes mean.
        left: Counts what its text does not say.
        names: What the nodes are called, by id.
    """
    values = kept_attributes(edge, rules=rules, left=left)
    source, target = checked_id(edge.source), checked_id(edge.target)
    relationship, attribute = _relationship(edge, values, rules)
    _read_times(values)
    properties = {name: values.pop(name) for name in _TIMES if name in values}
    ends = {"source": names[source][:_LABEL_LENGTH], "target": names[target][:_LABEL_LENGTH]}
    known = {**ends, "relationship": relationship}
    if rules.edge_text is not None:
        text = _filled(rules.edge_text, {**values, **known}, left=left, values=values, used=attribute)
    else:
        text = _said(values, known, rules=rules, used=attribute, left=left)
    properties["edge_text"] = text if text.strip() else _sentence(known)
    return source, target, relationship, json.dumps(properties)


def edge_key(edge: Edge, *, rules: Rules) -> tuple[str, str, str]:
    """Source, target and relationship of the edge's row."""
    relationship, _ = _relationship(edge, json_attributes(edge, only=rules.relationship), rules)
    return checked_id(edge.source), checked_id(edge.target), relationship


def _relationship(edge: Edge, values: Mapping[str, Any], rules: Rules) -> tuple[str, str | None]:
    if edge.cognee_relationship is not None:
        return edge.cognee_relationship, None
    text, attribute = first_text(values, rules.relationship)
    if attribute is not None:
        return (unquoted(text).strip() if rules.as_nodes == "cognee" else text), attribute
    key = as_text(edge.key) if isinstance(edge.key, str) else ""
    return (key if key.strip() else DEFAULT_RELATIONSHIP), None


def _read_times(values: dict[str, Any]) -> None:
    """What is not a time would be dropped by a server; it is kept under another name."""
    for name in _TIMES:
        if values.get(name) is None:
            values.pop(name, None)
        elif (time := as_time(values[name])) is not None:
            values[name] = time
        else:
            values[f"attribute_{name}"] = values.pop(name)


def _said(
    values: Mapping[str, Any], known: Mapping[str, str], *, rules: Rules, used: str | None, left: LeftBehind
) -> str:
    own = any(plain_text(values.get(name)).strip() for name in rules.edge_description)
    text = described(values, first=rules.edge_description, known=(used,), left=left)
    return text if own or not text else f"{_sentence(known)}\n{text}"


def _filled(
    template: str, all_values: Mapping[str, Any], *, left: LeftBehind, values: Mapping[str, Any], used: str | None
) -> str:
    names = placeholders(template)
    left.add_all(values, set(values) - (set(names) - set(EDGE_PLACEHOLDERS)) - {used})
    return filled(template, {name: spoken(all_values.get(name)) for name in names})


def _sentence(known: Mapping[str, str]) -> str:
    """As Cognee says what a relationship without a text is."""
    phrase = known["relationship"].strip().replace("_", " ") or "related to"
    return f"{known['source']} {phrase} {known['target']}."
