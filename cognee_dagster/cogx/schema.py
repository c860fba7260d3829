"""The records of COGX 0.1 as a Cognee server checks them (Cognee 1.6.5, ``modules/migration/cogx.py``).

The same fields with the same types and defaults, so that what is valid here is valid there.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, FailFast, Field, TypeAdapter, ValidationError

from cognee_dagster.cogx.format import COGX_VERSION, RECORD_KINDS

_Item = TypeVar("_Item")
Items = Annotated[list[_Item], FailFast()]  # the first wrong one is enough: a line may hold a million


class Scope(BaseModel):
    """Whose memory a record is in the source system."""

    user_id: str | None = None
    agent_id: str | None = None
    session_id: str | None = None
    run_id: str | None = None


class _Record(BaseModel):
    external_system: str = "unknown"
    external_id: str
    scope: Scope = Field(default_factory=Scope)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class Document(_Record):
    """Raw text."""

    kind: Literal["document"] = "document"
    content: str
    title: str | None = None
    mime_type: str | None = None


class Turn(BaseModel):
    """What one side of a conversation said."""

    role: str
    content: str
    occurred_at: datetime | None = None


class Episode(_Record):
    """A conversation."""

    kind: Literal["episode"] = "episode"
    turns: Items[Turn] = Field(default_factory=list)
    title: str | None = None


class Entity(_Record):
    """A thing with a name."""

    kind: Literal["entity"] = "entity"
    name: str
    entity_type: str | None = None
    description: str | None = None
    aliases: Items[str] = Field(default_factory=list)
    attributes: dict[str, Any] = Field(default_factory=dict)


class Fact(_Record):
    """A triple; its ends are external ids or names of entities."""

    kind: Literal["fact"] = "fact"
    subject_ref: str
    predicate: str
    object_ref: str
    fact_text: str | None = None
    valid_at: datetime | None = None
    invalid_at: datetime | None = None
    confidence: float | None = None
    provenance: Items[str] = Field(default_factory=list)


class Memory(_Record):
    """A short remembered statement."""

    kind: Literal["memory"] = "memory"
    content: str
    categories: Items[str] = Field(default_factory=list)


class MemoryBlock(_Record):
    """A named block of core memory."""

    kind: Literal["memory_block"] = "memory_block"
    label: str
    value: str
    limit: int | None = None


class RawNode(BaseModel):
    """A graph node as it is in the store."""

    kind: Literal["raw_node"] = "raw_node"
    properties: dict[str, Any] = Field(default_factory=dict)


class Manifest(BaseModel):
    """What an archive says about itself."""

    cogx_version: str = COGX_VERSION
    source_system: str = "unknown"
    exported_at: datetime | None = None
    counts: dict[str, int] = Field(default_factory=dict)
    embedding_model: str | None = None
    migration_revision: str | None = None
    notes: Items[str] = Field(default_factory=list)


Record = Document | Episode | Entity | Fact | Memory | MemoryBlock | RawNode

_ANY_RECORD: TypeAdapter[Record] = TypeAdapter(Record)
_MODELS: dict[str, type[BaseModel]] = {
    "document": Document,
    "episode": Episode,
    "entity": Entity,
    "fact": Fact,
    "memory": Memory,
    "memory_block": MemoryBlock,
    "raw_node": RawNode,
}


def check_record(value: Any, *, file: str) -> Record:
    """A line of a record file as a record.

    Raises:
        ValueError: A Cognee server would refuse it; the message says why.
    """
    expected = _MODELS[RECORD_KINDS[file]]
    says_kind = not isinstance(value, dict) or "kind" in value or expected is RawNode
    if expected is RawNode:
        value = {"properties": value}
    try:
        if not says_kind:  # a server takes it for what fits best, if only a raw node
            return _ANY_RECORD.validate_python(value)
        return expected.model_validate(value)  # type: ignore[return-value]  # one of the union, by the table above
    except ValidationError as error:
        reason = describe(error)
    try:
        return _ANY_RECORD.validate_python(value)  # Cognee does not mind a record of another kind in the file
    except ValidationError:
        raise ValueError(reason) from None


def describe(error: ValidationError) -> str:
    """The first complaint of pydantic in one line, without the rejected value."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


def newer_version(version: str) -> str | None:
    """Why a Cognee server cannot read this version of the format; None if it can."""
    try:
        major = int(version.split(".", maxsplit=1)[0])
    except ValueError:
        return f"cogx_version {version!r:.40} is no version; this is COGX {COGX_VERSION}"
    if major > int(COGX_VERSION.split(".")[0]):
        return f"cogx_version {version!r:.40} is newer than {COGX_VERSION}, which Cognee servers read"
    return None
