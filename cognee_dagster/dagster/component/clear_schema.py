"""A component's JSON schema, from which ``dg check yaml`` makes its messages, so that these say what would be right.

It says of a key that there is none that it "was unexpected", and of a value that fits none of several types, of which
one is always a ``{{ … }}``, that it "is not valid under any of the given schemas". The schema that comes out here
takes the same values.
"""

from collections.abc import Mapping, Sequence
from typing import Any

TEMPLATE = r"\{\{"  # what a string has in it that may stand in place of any value

_NULL = {"type": "null"}
_STRUCTURES = ("object", "array")


def clear_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same schema with clearer messages.

    Of a key that there is none the keys are listed that there are, and of a value what it must be if it is no template.
    """
    definitions = schema.get("$defs", {})
    return {name: _clear(value, definitions) for name, value in _with_keys(schema).items()}


def _clear(value: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_clear(item, definitions) for item in value]
    if not isinstance(value, dict):
        return value
    clear = {name: _clear(item, definitions) for name, item in _with_keys(value).items()}
    variants = clear.pop("anyOf", None)
    if variants is None:
        return clear
    return {**clear, **(_one_of(variants, definitions) or {"anyOf": variants})}


def _with_keys(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object's schema that lists its keys where one is none of them."""
    keys = schema.get("properties")
    if schema.get("additionalProperties") is not False or not isinstance(keys, Mapping):
        return schema
    return {**schema, "propertyNames": {"enum": sorted(keys)}}


def _one_of(variants: Sequence[dict[str, Any]], definitions: Mapping[str, Any]) -> dict[str, Any] | None:
    """The choice between a value and what may stand in its place, which says of another what the value must be."""
    in_place = [one for one in variants if one == _NULL or (one.get("type") == "string" and "enum" not in one)]
    values = [one for one in variants if one not in in_place]
    if len(values) != 1 or not in_place:
        return None
    (value,) = values
    types = sorted({one["type"] for one in in_place})
    kind = _kind(value, definitions)
    text = next((one for one in in_place if one["type"] == "string" and one.get("pattern") != TEMPLATE), None)
    if kind in _STRUCTURES and text is not None:  # which is as good a value, and no template
        return {"if": {"type": kind}, "then": value, "else": {**text, "type": types}}
    return {"if": {"anyOf": in_place}, "then": {"type": types}, "else": value}  # "then" is for Dagster's form


def _kind(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    reference = schema.get("$ref")
    return (definitions.get(str(reference).rpartition("/")[2], {}) if reference else schema).get("type")
