"""How values of this package are written in YAML: models of their own types, so that no field is listed twice."""

import inspect
import re
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

import dagster as dg
import pydantic
from pydantic.fields import FieldInfo

from cognee_dagster.dagster.component.clear_schema import TEMPLATE
from cognee_dagster.pushing.options import IMPORT_MODES

# What YAML may say instead of any value; a word that is none is refused where it stands, by `dg check yaml`.
Template = Annotated[str, pydantic.Field(pattern=TEMPLATE)]
Translate: TypeAlias = Callable[[Any], Any]
_PLAIN = (str, int, float, bool, type(None))


class AssetReference(dg.Model):
    """An asset of yours."""

    asset: str = pydantic.Field(description="The asset's key, such as team/suppliers.")


class WrittenRetryPolicy(dg.Model):
    """A ``dagster.RetryPolicy``."""

    max_retries: int = pydantic.Field(default=1, description="How often a step is tried again.")
    delay: float | None = pydantic.Field(default=None, description="Seconds until it is.")
    backoff: Literal["exponential", "linear"] | None = pydantic.Field(default=None, description="How the delay grows.")
    jitter: Literal["full", "plus_minus"] | None = pydantic.Field(default=None, description="How it is scattered.")


# What YAML has no word for, and how it is written.
_WRITTEN_AS: Mapping[type, type[dg.Model]] = {dg.AssetKey: AssetReference, dg.RetryPolicy: WrittenRetryPolicy}

# A field whose type in Python is a string, of which only some make sense.
_SOME_STRINGS: Mapping[str, Any] = {"mode": Literal[IMPORT_MODES]}

# How Dagster's form lets these be written.
_ADVANCED: dict[str, Any] = {"ui:advanced": True}
_IN_FORMS: Mapping[str, dict[str, Any]] = {
    "cron_schedule": {"ui:widget": "cron"},
    **dict.fromkeys(("max_archive_bytes", "max_file_bytes", "retry_policy", "op_tags", "pool"), _ADVANCED),
}


def _retry_policy(given: Mapping[str, Any]) -> dg.RetryPolicy:
    names: Mapping[str, Any] = {"backoff": dg.Backoff, "jitter": dg.Jitter}
    return dg.RetryPolicy(
        **{name: names[name][value.upper()] if name in names and value else value for name, value in given.items()}
    )


_READ: Mapping[type, Translate] = {
    dg.AssetKey: lambda given: dg.AssetKey(given["asset"].split("/")),
    dg.RetryPolicy: _retry_policy,
}


@cache
def written_model(kind: Any, *, without: frozenset[str] = frozenset(), optional: bool = False) -> type[dg.Model]:
    """The model of a dataclass's fields as YAML has them; every value may also be a ``{{ … }}``, and some can only be.

    Args:
        kind: The dataclass; its docstring's ``Attributes`` describe the fields.
        without: Fields that YAML does not have.
        optional: Whether every field may be left out, as where defaults are written.
    """
    hints, descriptions = get_type_hints(kind, include_extras=True), described_attributes(kind)
    definitions: dict[str, Any] = {}
    for field in fields(kind):
        if field.name in without:
            continue
        written = _SOME_STRINGS.get(field.name) or written_type(hints[field.name])
        info = pydantic.Field(
            default=_default(field, optional),
            description=descriptions.get(field.name),
            json_schema_extra=_IN_FORMS.get(field.name),
        )
        definitions[field.name] = (Template if written is None else or_template(written), info)
    prefix = "Default" if optional else ""
    return pydantic.create_model(f"{prefix}{kind.__name__}", __base__=dg.Model, __doc__=_summary(kind), **definitions)


def read_fields(kind: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields' values as the dataclass takes them."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: _read(hints[name], value) for name, value in given.items()}


def written_type(hint: Any) -> Any:
    """The type that a value has in YAML; None where it cannot be written."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _limited(written_type(args[0]), args[1:])
    if origin in (Union, types.UnionType):
        return _one_of([written for arg in args if (written := written_type(arg)) is not None])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict[str, _inner(args[1])]  # type: ignore[misc]
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return list[_inner(args[0])]  # type: ignore[misc]
    return str if hint is Any else hint if origin is Literal or hint in _PLAIN else _written_class(hint)


def or_template(written: Any) -> Any:
    """The type of a value that may also be a ``{{ … }}``."""
    members = {get_args(part)[0] if get_origin(part) is Annotated else part for part in _members(written)}
    return written if str in members else written | Template


def described_attributes(kind: type) -> dict[str, str]:
    """What the ``Attributes`` of a class's docstring, and of those it inherits from, say about each of them."""
    described: dict[str, str] = {}
    for of in reversed(kind.__mro__[:-1]):
        _, _, section = inspect.cleandoc(of.__doc__ or "").partition("Attributes:\n")
        found = re.findall(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", section, flags=re.MULTILINE)
        described |= {name: re.sub(r"\s+", " ", text).replace("``", "`") for name, text in found}
    return described


def _written_class(hint: Any) -> Any:
    if hint in _WRITTEN_AS:
        return _WRITTEN_AS[hint]
    return written_model(hint) if isinstance(hint, type) and is_dataclass(hint) else None


def _limited(written: Any, annotations: Sequence[Any]) -> Any:
    """The type with the limits that are annotated, such as ``ge``; not with what an annotation does in Python."""
    for limit in (limit for part in annotations if isinstance(part, FieldInfo) for limit in part.metadata):
        written = Annotated[written, limit] if written is not None else None
    return written


def _one_of(members: Sequence[Any]) -> Any:
    if any(
        get_origin(member) is None and issubclass(member, dg.Model) for member in members if isinstance(member, type)
    ):
        members = [member for member in members if get_origin(member) is not dict]  # whose fields are known
    return Union[tuple(members)] if members else None  # noqa: UP007 - of a list


def _inner(hint: Any) -> Any:
    written = written_type(hint)
    return str if written is None else written


def _default(field: "Field[Any]", optional: bool) -> Any:
    if optional or field.default_factory is not MISSING:
        return None
    if field.default is MISSING:
        return ...
    return field.default if isinstance(field.default, _PLAIN) else None


def _summary(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").partition("\n")[0]


def _read(hint: Any, value: Any) -> Any:
    if isinstance(value, list):
        inner = next((get_args(part)[0] for part in _parts(hint) if get_origin(part) is Sequence), Any)
        return [_read(inner, item) for item in value]
    if not isinstance(value, dict):
        return value
    for part in _parts(hint):
        if part in _READ:
            return _READ[part](value)
        if is_dataclass(part) and isinstance(part, type):
            return part(**read_fields(part, {name: item for name, item in value.items() if item is not None}))
    return value


def _members(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _parts(hint: Any) -> Iterator[Any]:
    """A type, or the members of a union, without what is annotated."""
    if get_origin(hint) is Annotated:
        yield from _parts(get_args(hint)[0])
    elif get_origin(hint) in (Union, types.UnionType):
        for arg in get_args(hint):
            yield from _parts(arg)
    else:
        yield hint
