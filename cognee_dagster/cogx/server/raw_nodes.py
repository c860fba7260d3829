"""What a server makes of a line of ``nodes.jsonl`` (Cognee 1.6.5, ``modules/migration/snapshot.py``).

It makes an object of one of its own classes, if it knows the node's type and finds all that the class needs. Else it
makes up a class of the node's attributes, and if that fails, one of the few attributes that every node has: whatever
else there is, it forgets. Only then it is seen whether the graph store and the vector store take the object.
"""

import contextlib
import json
from collections.abc import Hashable, Iterator, Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError

from cognee_dagster.cogx.schema import describe
from cognee_dagster.cogx.server.declared_types import DECLARED
from cognee_dagster.cogx.server.nesting import nesting
from cognee_dagster.cogx.server.unicode import is_unicode
from cognee_dagster.cogx.server.usual_nodes import is_usual
from cognee_dagster.cogx.server.vector_tables import is_table_name

_MAX_NESTING = 475  # measured: each level of a value takes two of the server's thousand calls when a node is copied
_PARSED = ("metadata", "belongs_to_set")  # stores may hold them as JSON text
# Attributes whose names a class cannot have, so that a server falls back to what every node has (pydantic 2.14).
UNFIT = frozenset(
    {"self", "model_config", "model_dump", "model_dump_json", "model_validate", "model_validate_json"}
    | {"model_validate_strings"}
    | {f"__{name}__" for name in ("annotations", "base", "class", "config", "getattribute", "init", "new", "slots")}
    | {"__pydantic_extra__", "__pydantic_on_complete__", "_abc_impl"}
)
# Attributes that take the place of a method which a server calls.
_BREAKING = frozenset({"model_copy", "__dict__", "__getattr__", "__iter__"})


class _Base(BaseModel):
    """The fields that every node has (``infrastructure/engine/models/DataPoint.py``)."""

    id: UUID = UUID(int=0)
    created_at: int = 0
    updated_at: int = 0
    ontology_valid: bool = False
    ontology_uri: str | None = None
    version: int = 1
    topological_rank: int | None = 0
    metadata: dict[Any, Any] = {}
    type: str = ""
    belongs_to_set: "list[_Base] | list[str] | None" = None
    source_pipeline: str | None = None
    source_task: str | None = None
    source_node_set: str | None = None
    source_user: str | None = None
    source_content_hash: str | None = None
    feedback_weight: float = 0.5
    importance_weight: float | None = 0.5


class _IndexRow(BaseModel):
    """What is kept beside a vector, if the node has it (``infrastructure/databases/vector/lancedb``)."""

    document_id: str | None = None
    document_name: str | None = None
    chunk_index: int | None = None
    source_chunk_id: str | None = None
    external_metadata: str | None = None


class _Method(BaseModel):
    """Anything that pydantic makes: its methods are attributes, too."""


_NOTHING = _Method()


def judge_node(properties: dict[str, Any]) -> list[str]:
    """What of a node a server changes or forgets without a word, as sentences' ends; empty if it takes the node whole.

    Raises:
        ValueError: A server refuses the whole import because of this node; the message says why.
    """
    if is_usual(properties) and not is_declared(properties["type"], properties):
        return []
    values = _parsed(properties)
    node_type = str(values.get("type") or "DataPoint")
    if "\0" in node_type or not is_unicode(node_type):
        raise ValueError(f"the node's type {node_type!r:.60} cannot be the name of a class")
    if nesting(values) > _MAX_NESTING:
        raise ValueError(f"the node has a value that is nested more than {_MAX_NESTING} deep")
    try:
        base = _Base.model_validate(values)
    except ValidationError as error:
        raise ValueError(f"the node's {describe(error)}") from error
    changes = [] if "id" in values else ["the node has no id, so that a server gives it another one at each import"]
    _require_storable(values)
    if is_declared(node_type, values):
        forgotten = sorted(set(values) - DECLARED[node_type].fields)
        return [*changes, *_forgets(forgotten, f"as it makes its own {node_type} of it")]
    if unfit := sorted(UNFIT & set(values)):
        forgotten = sorted(set(values) - set(_Base.model_fields))
        changes += _forgets(forgotten, f"because of the attribute {unfit[0]!r}")
        values = {name: value for name, value in values.items() if name in _Base.model_fields}
    elif hidden := sorted(name for name in values if name.startswith("_")):
        changes += _forgets(hidden, "as their names begin with an underscore")
    for attribute in _indexed(values):
        _require_indexable(node_type, attribute, values=values, base=base)
    return changes


def _parsed(properties: dict[str, Any]) -> dict[str, Any]:
    values = dict(properties)
    for name in _PARSED:
        if isinstance(text := values.get(name), str):
            del values[name]
            with contextlib.suppress(ValueError, RecursionError):
                values[name] = json.loads(text)
    return values


def is_declared(node_type: str, values: Mapping[str, Any]) -> bool:
    """Whether a server makes an object of one of its own classes; all fields that it needs and that are asked for here
    are texts."""
    declared = DECLARED.get(node_type)
    return declared is not None and all(isinstance(values.get(name), str) for name in declared.required)


def _forgets(attributes: list[str], why: str) -> list[str]:
    if not attributes:
        return []
    return [f"a server forgets the node's {', '.join(attributes):.100}, {why}"]


def _require_storable(values: dict[str, Any]) -> None:
    if breaking := sorted(_BREAKING & set(values)):
        raise ValueError(f"the node has an attribute {breaking[0]!r}, which a server takes for a function of its own")
    if not is_unicode(str(values.get("name"))):
        raise ValueError("the node's name is no valid Unicode (a lone surrogate)")


def _indexed(values: dict[str, Any]) -> Iterator[str]:
    metadata = values.get("metadata")
    fields = metadata.get("index_fields") if isinstance(metadata, dict) else None
    if fields is None or not fields:
        return
    if not isinstance(fields, list | str | dict):
        raise ValueError(f"the node's index_fields are {fields!r:.60} and no list")
    for field in fields:
        if not isinstance(field, str):
            kind = "a name" if isinstance(field, Hashable) else "hashable"
            raise ValueError(f"the node's index_fields hold {field!r:.60}, which is not {kind}")
        yield field


def _require_indexable(node_type: str, attribute: str, *, values: dict[str, Any], base: _Base) -> None:
    if attribute in _Base.model_fields:
        value = node_type if attribute == "type" else getattr(base, attribute)
    else:
        value = values.get(attribute) if attribute in values else getattr(_NOTHING, attribute, None)
    if value is None:
        return
    if not is_table_name(node_type, attribute):
        raise ValueError(
            f"the node's type {node_type!r:.80} and its indexed attribute {attribute!r:.80} make no name of a vector "
            "table: letters, digits, _ - . only, and 249 in all"
        )
    if not isinstance(value, str) or not is_unicode(value):
        raise ValueError(f"the node's indexed attribute {attribute!r:.80} is {value!r:.60} and not text")
    try:
        _IndexRow.model_validate(values)
    except ValidationError as error:
        raise ValueError(f"the node is indexed, and its {describe(error)}") from error
