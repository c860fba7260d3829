"""Python values of all kinds as JSON, for attributes of foreign nodes and edges."""

import base64
import json
import math
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from types import NoneType
from typing import Any
from uuid import UUID

MAX_DEPTH = 200  # far below the depth at which JSON readers give up
MAX_INTEGER_BITS = 4_096  # Python itself refuses to write integers of more than 4,300 digits

# Attribute names that a Cognee server cannot take from a graph: some are fields that it declares and checks itself (a
# wrong type there fails the whole import), some belong to its Python classes or its store and would lose the node's
# other attributes (Cognee 1.6.5: ``infrastructure/engine/models/DataPoint.py``, ``modules/migration/snapshot.py``,
# ``PROVENANCE_COLUMNS`` of ``ladybug/adapter.py``).
_TYPED_FIELDS: dict[str, tuple[type, ...]] = {
    "created_at": (int,),
    "updated_at": (int,),
    "ontology_valid": (bool,),
    "ontology_uri": (str, type(None)),
    "version": (int,),
    "topological_rank": (int, type(None)),
    "source_pipeline": (str, type(None)),
    "source_task": (str, type(None)),
    "source_node_set": (str, type(None)),
    "source_user": (str, type(None)),
    "source_content_hash": (str, type(None)),
    "feedback_weight": (int, float),
    "importance_weight": (int, float, type(None)),
}
_RESERVED = frozenset(
    {"id", "properties", "self", "source_ref_keys", "source_dataset_ids", "source_run_ids", "source_run_refs"}
    # attributes of pydantic's and Cognee's classes
    | {"construct", "copy", "dict", "from_dict", "from_json", "from_orm", "get_embeddable_data", "id_for", "json"}
    | {"get_embeddable_properties", "get_embeddable_property_names", "parse_file", "parse_obj", "parse_raw", "schema"}
    | {"schema_json", "to_dict", "to_json", "update_forward_refs", "update_version", "validate", "vector_collection"}
)
_MISSING = frozenset({"NaTType", "NAType"})  # of pandas, which is not imported for it
_TIMES = frozenset("mM")  # NumPy's letters for durations and times
_FINER = frozenset({"ms", "us", "ns", "ps", "fs", "as"})  # NumPy's units of less than a second
_DAYS = frozenset({"Y", "M", "W", "D"})  # and of a day or more
_JSON_FIELDS = frozenset({"metadata", "belongs_to_set"})
_FIELDS_OF_ALL_NODES = _JSON_FIELDS | _TYPED_FIELDS.keys()
# A foreign node may well have a text of such a name.
_FIELDS_OF_COGNEES_NODES = _FIELDS_OF_ALL_NODES | {"chunk_index", "chunk_size", "max_chunk_tokens", "relations"}
_RENAMED_PREFIX = "attribute_"


def accepted_name(name: str, value: Any) -> str:
    """The attribute's name, or ``attribute_<name>`` where a Cognee server would trip over the original."""
    if name in _RESERVED or name == "" or name.startswith(("_", "model_")):
        return _RENAMED_PREFIX + name.strip("_")
    if (types := _TYPED_FIELDS.get(name)) and not _is_typed(value, types):
        return _RENAMED_PREFIX + name
    if name == "metadata" and not _is_metadata(value):
        return _RENAMED_PREFIX + name
    if name == "belongs_to_set" and not (value is None or _is_list_of_text(value)):
        return _RENAMED_PREFIX + name
    return name


def read_as_typed(name: str, value: Any, *, of_cognee: bool = False) -> Any:
    """The value of a field that Cognee declares, where it was written as a string: its GraphML has nothing else.

    ``"1"`` as a version, ``'["tea"]'`` as a set, ``'{"index_fields": ["text"]}'`` as metadata. A string that is not
    such a value stays a string.

    Args:
        name: The field.
        value: What stands there.
        of_cognee: Whether the node is of a type that Cognee declares: a chunk's ``"3"`` is a number of a chunk.
    """
    if not isinstance(value, str) or name not in (_FIELDS_OF_COGNEES_NODES if of_cognee else _FIELDS_OF_ALL_NODES):
        return value
    if (types := _TYPED_FIELDS.get(name)) and str in types:
        return value
    try:
        read = json.loads(value.lower() if value in {"True", "False"} else value)
    except (ValueError, RecursionError):
        return value
    return read if accepted_name(name, read) == name else value


def as_json_value(value: Any, *, depth: int = 0) -> Any:
    """The value as JSON can hold it.

    Dates and times in ISO 8601, durations in seconds, enums by value, paths, UUIDs and decimals as text, bytes as text
    if they are UTF-8, else in Base64, sets as sorted lists, NumPy scalars and arrays as Python's; NaN and infinities
    as null, since JSON has none; characters without UTF-8 form (lone surrogates) as U+FFFD; keys of mappings as text.

    Raises:
        TypeError: A value of another type.
        ValueError: Two keys of a mapping with the same text, an integer of more than ``MAX_INTEGER_BITS``, or nesting
            deeper than ``MAX_DEPTH``.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels, or contains itself")
    if type(value).__name__ in _MISSING:
        return None
    if getattr(getattr(value, "dtype", None), "kind", None) in _TIMES:
        return _numpy_times(value)
    for types, convert in _CONVERTERS:
        if isinstance(value, types):
            return convert(value, depth + 1)
    if callable(to_list := getattr(value, "tolist", None)):  # NumPy scalars and arrays, without importing NumPy
        return as_json_value(to_list(), depth=depth + 1)
    raise TypeError(f"a {type(value).__module__}.{type(value).__qualname__} has no form in JSON")


def _numpy_times(value: Any) -> Any:
    """Times and durations of NumPy and pandas, of any unit: ``tolist`` would make plain numbers of them."""
    import numpy as np  # only where something of NumPy's is there already

    array = np.asarray(value)
    if array.dtype.kind not in _TIMES:
        return as_json_value(array.tolist())  # times with a zone, as pandas holds them
    if array.ndim:
        return [_numpy_times(item) for item in array]
    if np.isnat(array):
        return None
    if array.dtype.kind == "m":
        return float(array / np.timedelta64(1, "s"))
    item = array.astype(f"datetime64[{'us' if np.datetime_data(array.dtype)[0] in _FINER else 's'}]").item()
    is_day = np.datetime_data(array.dtype)[0] in _DAYS
    return item.date().isoformat() if is_day else item.isoformat()


def as_text(value: str) -> str:
    """The text without lone surrogates, which have no UTF-8 form."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return str(value)


def _integer(value: int, _depth: int) -> int:
    if value.bit_length() > MAX_INTEGER_BITS:
        raise ValueError(f"an integer of more than {MAX_INTEGER_BITS} bits")
    return int(value)


def _mapping(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, item in value.items():
        name = as_text(key if isinstance(key, str) else str(as_json_value(key, depth=depth)))
        if name in result:
            raise ValueError(f"two keys are both {name!r} as text")
        result[name] = as_json_value(item, depth=depth)
    return result


def _set(value: Set[Any], depth: int) -> list[Any]:
    items = [as_json_value(item, depth=depth) for item in value]
    return sorted(items, key=lambda item: (type(item).__name__, str(item)))


def _bytes(value: bytes | bytearray | memoryview, _depth: int) -> str:
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode("ascii")


# The first that fits; bool is an int, and text and bytes are sequences.
_CONVERTERS: tuple[tuple[type | tuple[type, ...], Callable[[Any, int], Any]], ...] = (
    (Enum, lambda value, depth: as_json_value(value.value, depth=depth)),
    ((NoneType, bool), lambda value, _: value),
    (int, _integer),
    (float, lambda value, _: float(value) if math.isfinite(value) else None),
    (str, lambda value, _: as_text(value)),
    ((bytes, bytearray, memoryview), _bytes),
    (Mapping, _mapping),
    (Set, _set),
    (Sequence, lambda value, depth: [as_json_value(item, depth=depth) for item in value]),
    ((date, time), lambda value, _: value.isoformat()),  # a datetime is a date
    (timedelta, lambda value, _: value.total_seconds()),
    ((PurePath, UUID, Decimal), lambda value, _: as_text(str(value))),
)


def _is_typed(value: Any, types: tuple[type, ...]) -> bool:
    return isinstance(value, types) and (not isinstance(value, bool) or bool in types)


def _is_metadata(value: Any) -> bool:
    return isinstance(value, Mapping) and _is_list_of_text(value.get("index_fields"))


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
