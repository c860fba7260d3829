"""Attributes that Cognee has no place for, named in a description: one a line, in alphabetical order."""

from collections.abc import Iterable, Mapping
from typing import Any

from cognee_dagster.sources.mapping.left_behind import LeftBehind
from cognee_dagster.sources.mapping.values import first_text, is_spoken, paragraphs, spoken

_NEVER = {"metadata"}  # Cognee's own note of what is indexed


def described(
    values: Mapping[str, Any], *, first: tuple[str, ...], known: Iterable[str | None], left: LeftBehind
) -> str:
    """The description of a node, or what an edge says: its own words, then its other attributes.

    Args:
        values: The attributes.
        first: Attributes that hold a description.
        known: Attributes that are said elsewhere, as a name or a type.
        left: Counts what cannot be said.
    """
    text, attribute = first_text(values, first)
    skip = {attribute, *known, *_NEVER}
    lines = [paragraphs(text)] if text.strip() else []
    for name in sorted(values):
        if name in skip:
            continue
        value = values[name]
        if not is_spoken(value):
            left.add(name, value)
        elif said := spoken(value):
            lines.append(f"{name}: {said}")
    return "\n".join(lines)
