"""Attributes of nodes and edges as JSON, and as strings that a person reads."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.elements import Edge, Node
from cognee_dagster.sources.mapping.attributes import as_json_value, as_text

_SEPARATOR = "<SEP>"  # between several values of one attribute, as LightRAG and nano-graphrag write them
_MAX_NUMBERS = 16  # a longer list of numbers is an embedding, which says nothing to a reader


def json_attributes(element: Node | Edge, *, only: Collection[str] | None = None) -> dict[str, Any]:
    """The element's attributes as JSON holds them.

    Args:
        element: The node or edge.
        only: Names of the attributes that matter; default: all.

    Raises:
        GraphFileError: An attribute has no form in JSON; the message names it.
    """
    result: dict[str, Any] = {}
    for name, value in element.attributes.items():
        if only is not None and name not in only:
            continue
        if type(name) is str and type(value) is str and name.isascii() and value.isascii():
            text, result_value = name, value
        else:
            try:
                text = as_text(name if isinstance(name, str) else str(as_json_value(name)))
                result_value = as_json_value(value)
            except (TypeError, ValueError, RecursionError) as error:
                raise GraphFileError(f"{element}, attribute {name!r}: {error}. Change or remove it.") from error
        if text in result:
            raise GraphFileError(f"{element}: two attributes are both {text!r} as text. Rename one of them.")
        result[text] = result_value
    return result


def plain_text(value: Any) -> str:
    """A JSON value as the string of a name, a type or a description; empty for none."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def first_text(values: Mapping[str, Any], names: Sequence[str]) -> tuple[str, str | None]:
    """The first attribute of these that is not blank, as a string, and which it was."""
    for name in names:
        text = plain_text(values.get(name))
        if text.strip():
            return text, name
    return "", None


def spoken(value: Any) -> str:
    """A value as it stands in a description; empty where there is nothing to say."""
    if isinstance(value, list):
        if all(not isinstance(item, (list, dict)) for item in value):
            return ", ".join(filter(None, map(spoken, value)))
    elif isinstance(value, str):
        return ", ".join(filter(None, (part.strip() for part in value.split(_SEPARATOR))))
    return "" if value is None or value in ([], {}) else plain_text(value)


def is_spoken(value: Any) -> bool:
    """Whether a description can name the value; an embedding it cannot."""
    numbers = isinstance(value, list) and len(value) > _MAX_NUMBERS
    return not (numbers and all(isinstance(item, (int, float)) for item in value))


def unquoted(text: str) -> str:
    """A name without the quotes around it that language models like to add."""
    stripped = text.strip()
    is_quoted = len(stripped) > 2 and stripped[0] == stripped[-1] == '"' and '"' not in stripped[1:-1]
    return stripped[1:-1] if is_quoted else text


def paragraphs(text: str) -> str:
    """A description, each of its parts in a line, without the quotes around it."""
    return "\n".join(filter(None, (unquoted(part).strip() for part in text.split(_SEPARATOR))))


def type_names(value: Any) -> list[str]:
    """The types in an attribute: a name, a list of names, or names as Neo4j and TinkerPop write them.

    ``:Movie:Film``, ``["Movie", "Film"]``, ``Movie::Film``.
    """
    if isinstance(value, str):
        text = unquoted(value).strip()
        if text.startswith("[") and text.endswith("]"):
            try:
                return type_names(json.loads(text))
            except ValueError:
                return [text]
        parts = text.split(":") if text.startswith(":") else text.split("::")
    else:
        parts = [plain_text(item) for item in (value if isinstance(value, list) else [value])]
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))
