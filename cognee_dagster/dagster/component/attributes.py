"""The attributes of a ``CogneeComponent``: what may stand in its ``defs.yaml``, and what becomes of it."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, TypeAlias

import dagster as dg
import pydantic

from cognee_dagster.dagster.component.written import Template, or_template, read_fields, written_model
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.io_manager import CogxArchiveIOManager
from cognee_dagster.dagster.resources import CogneeRemote, LocalCognee
from cognee_dagster.errors import CogneeDagsterError, DatasetDefinitionError

# In a form, what is typed into these is not shown.
_SECRET: dict[str, Any] = {"ui:widget": "secret"}
_SECRETS: Mapping[str, Any] = {"api_key": str | None, "environment": dict[str, str] | Template}

# Of a dataset's fields these may be paths: relative ones begin where the defs.yaml is.
_PATHS = ("graph", "archive", "documents")

_DATASET = (CogneeDataset, pydantic.BaseModel)

# What takes code; a subclass of the component has methods for both.
_IN_CODE = frozenset({"translator", "execute"})

DatasetAttributes = written_model(CogneeDataset, without=_IN_CODE)
DatasetDefaults = written_model(CogneeDataset, without=_IN_CODE | {"name"}, optional=True)

# A remote of several whose address or key came out empty is refused, and neither is found where Cognee would look.
_SAID_EVEN_IF_EMPTY = frozenset({"url", "api_key"})


@cache
def _resource_model(kind: type[dg.ConfigurableResource[Any]]) -> type[dg.Model]:
    """The model of a resource's fields; every value may also be a ``{{ … }}``."""
    definitions: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        if name not in kind.__annotations__:
            continue
        secret = name in _SECRETS
        info = pydantic.Field(
            default=None, description=field.description, json_schema_extra=_SECRET if secret else None
        )
        definitions[name] = (_SECRETS[name] if secret else or_template(field.annotation) | None, info)
    return pydantic.create_model(f"Written{kind.__name__}", __base__=dg.Model, **definitions)


@cache
def _resource(kind: Any, given: str) -> Any:
    return kind(**pydantic.TypeAdapter(dict[str, Any]).validate_json(given))


def shared_resource(kind: Any, given: Mapping[str, Any]) -> Any:
    """The resource with these fields: always the same object, so that several components may say the same.

    Raises:
        DatasetDefinitionError: A value that cannot work; the message names the field.
    """
    said = {name: value for name, value in given.items() if value not in (None, "") or name in _SAID_EVEN_IF_EMPTY}
    try:
        return _resource(kind, pydantic.TypeAdapter(dict[str, Any]).dump_json(dict(sorted(said.items()))).decode())
    except pydantic.ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
    raise DatasetDefinitionError(f"{kind.__name__}: {name} cannot be used: {first['msg']}.")


def _resource_of(kind: type[Any]) -> Callable[[dg.ResolutionContext, Any], Any]:
    def resolve(context: dg.ResolutionContext, written: Any) -> Any:
        model = context.resolve_value(written) if isinstance(written, str) else written
        if model is None or isinstance(model, kind):
            return model
        if not isinstance(model, pydantic.BaseModel):
            raise _no_such_value(kind.__name__, model, must_be=f"a {kind.__name__}")
        return shared_resource(kind, context.resolve_value(model.model_dump(exclude_unset=True)))

    return resolve


def _no_such_value(name: str, value: Any, *, must_be: str) -> DatasetDefinitionError:
    """Of a ``{{ … }}`` in place of a whole attribute; what it gives may be a secret, and is not repeated."""
    given = "nothing" if value is None else f"a value of the type {type(value).__name__}"
    return DatasetDefinitionError(
        f"{name} cannot be used: what stands there is {given}, or a template that gives that, and it must be "
        f"{must_be}. Write its fields, each of which may be a template of its own."
    )


def _remotes(context: dg.ResolutionContext, written: Any) -> dict[str, CogneeRemote]:
    models = context.resolve_value(written) if isinstance(written, str) else written
    if models is not None and not isinstance(models, Mapping):
        raise _no_such_value("remotes", models, must_be="a mapping of names to CogneeRemote")
    return {key: _resource_of(CogneeRemote)(context.at_path(key), model) for key, model in (models or {}).items()}


def _datasets(context: dg.ResolutionContext, parent: Any) -> list[CogneeDataset]:
    """The datasets, with the component's defaults."""
    said = parent.model_fields_set
    defaults = _default_fields(context.at_path("defaults"), parent.defaults) if "defaults" in said else {}
    items = context.at_path("datasets")
    given = items.resolve_value(parent.datasets) if isinstance(parent.datasets, str) else parent.datasets
    if not isinstance(given, list | tuple) or not all(isinstance(one, _DATASET) for one in given):
        raise _no_such_value("datasets", given, must_be="a list of CogneeDataset")
    return [_dataset(items.at_path(index), item, defaults) for index, item in enumerate(given)]


def _dataset(context: dg.ResolutionContext, item: Any, defaults: Mapping[str, Any]) -> CogneeDataset:
    """One dataset; what is wrong with it is said where it stands in the file."""
    if isinstance(item, CogneeDataset):
        return item
    fields = _fields(context, item)
    name = str(fields["name"])[:80]
    # A field that is said to be null has its own default again.
    left = {field: value for field, value in defaults.items() if field not in item.model_fields_set}
    try:
        return CogneeDataset(**read_fields(CogneeDataset, {**left, **fields}))
    except CogneeDagsterError as error:
        problem = str(error)
    except dg.DagsterError as error:
        problem = f"CogneeDataset {name!r}: {error}"
    raise context.build_resolve_fn_exc([problem], field_name="datasets", model=item)


def checked_closely(schema: dict[str, Any]) -> None:
    """Make a field's JSON schema one that says where in a nested value an error is.

    Dagster allows a string, which may be a template, in place of any field, and of a value that is neither all that its
    check can say is that it fits none of the two.
    """
    values = [variant for variant in schema.get("anyOf", ()) if variant not in ({"type": "string"}, {"type": "null"})]
    if len(values) == 1:
        del schema["anyOf"]
        schema.update(values[0])


def _fields(context: dg.ResolutionContext, model: pydantic.BaseModel) -> dict[str, Any]:
    given = {
        name: context.at_path(name).resolve_value(value)
        for name, value in model.model_dump(exclude_unset=True).items()
        if value is not None
    }
    return {name: _from_here(context, value) if name in _PATHS else value for name, value in given.items()}


def _from_here(context: dg.ResolutionContext, value: Any) -> Any:
    """A path, or a list of them, as seen from the directory of the ``defs.yaml``."""
    if isinstance(value, list):
        return [_from_here(context, item) for item in value]
    if not isinstance(value, str) or "://" in value or value.startswith("~"):
        return value
    return str(context.resolve_source_relative_path(value))


def _default_fields(context: dg.ResolutionContext, written: Any) -> dict[str, Any]:
    model = context.resolve_value(written) if isinstance(written, str) else written
    if isinstance(model, pydantic.BaseModel):
        return _fields(context, model)
    if model is not None and not isinstance(model, Mapping):
        raise _no_such_value("defaults", model, must_be="a mapping of fields to values")
    return dict(model or {})


Datasets: TypeAlias = Annotated[
    list[pydantic.InstanceOf[CogneeDataset]],
    dg.Resolver.from_model(
        _datasets,
        model_field_type=list[DatasetAttributes],  # type: ignore[valid-type]
        description="The datasets to push.",
    ),
]
Defaults: TypeAlias = Annotated[
    dict[str, Any],
    dg.Resolver(
        _default_fields,
        model_field_type=DatasetDefaults,
        description="Fields of every dataset that does not say them itself.",
    ),
]
Remote: TypeAlias = Annotated[
    pydantic.InstanceOf[CogneeRemote] | None,
    dg.Resolver(
        _resource_of(CogneeRemote),
        model_field_type=_resource_model(CogneeRemote),
        description="The remote Cognee of every dataset that names no other. Default: the one that Cognee's own "
        "settings name.",
    ),
]
Remotes: TypeAlias = Annotated[
    dict[str, pydantic.InstanceOf[CogneeRemote]],
    dg.Resolver(
        _remotes,
        model_field_type=dict[str, _resource_model(CogneeRemote)],  # type: ignore[misc]
        description="More of them, by the name that a dataset's `remote` says.",
    ),
]
Local: TypeAlias = Annotated[
    pydantic.InstanceOf[LocalCognee] | None,
    dg.Resolver(
        _resource_of(LocalCognee),
        model_field_type=_resource_model(LocalCognee),
        description="The local Cognee whose datasets are read. Default: the one that `import cognee` would use.",
    ),
]
Archives: TypeAlias = Annotated[
    pydantic.InstanceOf[CogxArchiveIOManager] | None,
    dg.Resolver(
        _resource_of(CogxArchiveIOManager),
        model_field_type=_resource_model(CogxArchiveIOManager),
        description="Where archives are kept. Default: `~/.cognee-dagster/archives`.",
    ),
]
