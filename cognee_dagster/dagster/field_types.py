"""The types of ``CogneeDataset``'s fields, for pydantic; each one's description says what a value must be."""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import dagster as dg
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, InstanceOf, TypeAdapter, ValidationError

from cognee_dagster.dagster.translator import CogneeTranslator
from cognee_dagster.pushing.options import OnRemoved, SyncKind, Verification
from cognee_dagster.sources.mapping.value import GraphMapping

MAX_REPUSH_ATTEMPTS = 20
MIN_FRESH_HOURS, MAX_FRESH_HOURS = 0.1, 10 * 366 * 24  # Dagster takes no window below a minute

# Dagster 1.13 refuses such a key (``INVALID_PARTITION_SUBSTRINGS``).
NOT_IN_A_PARTITION_KEY = re.compile(r"\.\.\.|[\x00\x07-\x0d]")

# Settings and YAML hand over whatever stands there: nothing is turned into something else.
_STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True)


def _segments(value: Any) -> Any:
    return value.split("/") if isinstance(value, str) else value


def _asset_keys(value: Any) -> tuple[dg.AssetKey, ...]:
    """The keys that these name, each once."""
    if isinstance(value, str | dg.AssetKey | dg.AssetSpec) or not isinstance(value, Sequence):  # a key is a tuple, too
        raise ValueError("not a list")
    return tuple(dict.fromkeys(key for item in value for key in _keys_of(item)))


def _keys_of(item: Any) -> Iterable[dg.AssetKey]:
    if isinstance(item, dg.AssetsDefinition):
        return sorted(item.keys, key=dg.AssetKey.to_user_string)
    if isinstance(item, dg.AssetSpec):
        return [item.key]
    if isinstance(item, dg.AssetKey):
        return [item]
    if isinstance(item, str) and item.strip():
        return [dg.AssetKey(item.split("/"))]
    raise ValueError("not an asset")


class _BecauseError(ValueError):
    """What is wrong with a value that is what it must be."""


def _partitions(value: Any) -> Any:
    """A name is that of a dynamic definition, and a list are the keys of a static one."""
    if isinstance(value, str) and value.strip():
        return dg.DynamicPartitionsDefinition(name=value)
    if not isinstance(value, list | tuple) or not value:
        return value
    for number, key in enumerate(value):
        if not isinstance(key, str):
            raise _BecauseError(f"the key {key!r} is not a string; put it in quotes")
        if not key:
            raise _BecauseError("a key is empty")
        if key in value[:number]:
            raise _BecauseError(f"the key {key!r} is there twice")
        if NOT_IN_A_PARTITION_KEY.search(key):
            raise _BecauseError(f"Dagster takes no key such as {key!r}: leave out '...' and control characters")
    return dg.StaticPartitionsDefinition(value)


def _freshness(value: Any) -> Any:
    """Hours are a time window, without an import in which a graph is too old."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if not MIN_FRESH_HOURS <= value <= MAX_FRESH_HOURS:
        raise ValueError("out of range")
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=value))


NotBlank = Annotated[str, Field(pattern=r"\S")]
Name = Annotated[NotBlank | UUID, Field(description="a dataset's name or UUID")]
User = Annotated[NotBlank | UUID | None, Field(description="an e-mail address or a UUID")]
String = Annotated[str, Field(description="a string")]
OptionalString = Annotated[str | None, Field(description="a string")]
Flag = Annotated[bool, Field(description="true or false")]
# A list that its owner changes later must not change a definition.
Strings = Annotated[
    Sequence[NotBlank], AfterValidator(tuple), Field(description="a list of strings, each of them not empty")
]
KeyPrefix = Annotated[
    str | Sequence[NotBlank],
    AfterValidator(tuple),
    BeforeValidator(_segments),
    Field(description="a list of strings, each of them not empty"),
]
Tags = Annotated[Mapping[str, str], AfterValidator(dict), Field(description="a mapping of strings to strings")]
Graph = Annotated[
    InstanceOf[dg.AssetKey] | NotBlank | InstanceOf[os.PathLike[str]] | None,
    Field(description="an AssetKey or the path of a graph file"),
]
GivenArchive = Annotated[
    NotBlank | InstanceOf[os.PathLike[str]] | None, Field(description="the path or URL of a COGX archive")
]
Dependencies = Annotated[
    Sequence[Any],
    BeforeValidator(_asset_keys),
    Field(description="a list of asset keys, assets, asset specs, or keys as strings"),
]
Partitions = Annotated[
    InstanceOf[dg.PartitionsDefinition[Any]] | Sequence[str] | str | None,
    BeforeValidator(_partitions),
    Field(description="a PartitionsDefinition, a list of keys, or the name of a dynamic definition"),
]
ResourceKey = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$",
        description=(
            "the key of a resource, such as staging; the CogneeRemote itself goes to build_definitions(remotes={…})"
        ),
    ),
]
Meaning = Annotated[
    InstanceOf[GraphMapping] | InstanceOf[Mapping[str, Any]] | None,
    Field(description="a GraphMapping, or its fields"),
]
Verify = Annotated[Verification, Field(description=f"one of {', '.join(get_args(Verification))}")]
Sync = Annotated[SyncKind | None, Field(description=f"one of {', '.join(get_args(SyncKind))}")]
Removed = Annotated[OnRemoved, Field(description=f"one of {', '.join(get_args(OnRemoved))}")]
DocumentsRemoved = Annotated[Literal["keep", "forget", "fail"], Field(description="one of keep, forget, fail")]
Share = Annotated[float, Field(ge=0, le=1, description="a share from 0 to 1")]
Condition = Annotated[
    InstanceOf[dg.AutomationCondition[Any]] | None, Field(description="a dagster.AutomationCondition")
]
Freshness = Annotated[
    InstanceOf[dg.FreshnessPolicy] | float | None,
    BeforeValidator(_freshness),
    Field(description="a dagster.FreshnessPolicy, or a number of hours"),
]
TargetName = Annotated[str, Field(description="a string")]
RepushAttempts = Annotated[int, Field(ge=0, le=MAX_REPUSH_ATTEMPTS, description=f"0 to {MAX_REPUSH_ATTEMPTS}")]
NumBytes = Annotated[int, Field(ge=1, description="a number of bytes, 1 or more")]
RetryPolicy = Annotated[InstanceOf[dg.RetryPolicy] | None, Field(description="a dagster.RetryPolicy")]
OpTags = Annotated[Mapping[str, Any], AfterValidator(dict), Field(description="a mapping of strings to values")]
Execute = Annotated[Callable[..., Any] | None, Field(description="a function")]
Translator = Annotated[InstanceOf[CogneeTranslator] | None, Field(description="a CogneeTranslator")]


class FieldType:
    """One field's type, made ready once.

    Args:
        annotation: One of this module's types.
    """

    def __init__(self, annotation: Any) -> None:
        self._adapter: TypeAdapter[Any] = TypeAdapter(annotation, config=_STRICT)
        self._must_be = next(part.description for part in annotation.__metadata__ if hasattr(part, "description"))

    def checked(self, value: Any) -> Any:
        """The value as the field holds it.

        Raises:
            ValueError: It is of another type; the message says what it must be.
        """
        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            causes = (found.get("ctx", {}).get("error") for found in error.errors(include_input=False))
            because = next((cause for cause in causes if isinstance(cause, _BecauseError)), None)
            problem = str(because) if because is not None else f"it must be {self._must_be}"
        raise ValueError(problem)
