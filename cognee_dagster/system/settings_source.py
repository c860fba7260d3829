"""Settings of this package in the variables that Cognee would see: a source for pydantic-settings.

By pydantic-settings' own order the environment goes before a ``.env``; for Cognee, and so here, the file goes first,
and which file it is follows Cognee's rules.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from cognee_dagster.environment import cognee_environment, source_of

_environ: ContextVar[Mapping[str, str] | None] = ContextVar("_environ", default=None)

Settings = TypeVar("Settings", bound="CogneeSettings")


class CogneeEnvironmentSource(PydanticBaseSettingsSource):
    """The variables as Cognee would see them. One that is empty, or blank, counts as unset."""

    def __init__(self, settings_cls: type[BaseSettings], environ: Mapping[str, str]) -> None:
        super().__init__(settings_cls)
        self._environ = environ

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The field's value as a string, None if there is none; its key; that it is not JSON."""
        key = field_name if field.validation_alias is None else str(field.validation_alias)
        value = self._environ.get(variable_of(self.settings_cls, field_name), "").strip()
        return value or None, key, False

    def __call__(self) -> dict[str, Any]:
        found = (self.get_field_value(field, name) for name, field in self.settings_cls.model_fields.items())
        return {key: value for value, key, _ in found if value is not None}


class CogneeSettings(BaseSettings):
    """Base of settings that are read from the variables as Cognee would see them."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed, then what Cognee would see."""
        environ = _environ.get()
        return init_settings, CogneeEnvironmentSource(
            settings_cls, cognee_environment() if environ is None else environ
        )

    @classmethod
    def read(cls: type[Settings], environ: Mapping[str, str] | None = None) -> Settings:
        """The settings in these variables; default: those that Cognee would see.

        Raises:
            ValidationError: A variable's value makes no sense; ``first_problem`` says which one and where it is.
        """
        token = _environ.set(environ)
        try:
            return cls()
        finally:
            _environ.reset(token)


def variable_of(settings: type[BaseSettings], field_name: str) -> str:
    """The variable that a field is read from: its alias, or the class's prefix and the field's name."""
    alias = settings.model_fields[field_name].validation_alias
    return str(alias) if alias is not None else f"{settings.model_config.get('env_prefix', '')}{field_name}".upper()


def first_problem(error: ValidationError, settings: type[BaseSettings], environ: Mapping[str, str]) -> str:
    """``VARIABLE (where it is set): what is wrong with it``, without its value."""
    first = error.errors(include_input=False)[0]
    key = str(first["loc"][0])
    variable = variable_of(settings, key) if key in settings.model_fields else key
    where = source_of(environ, variable)
    return f"{variable}{f' ({where})' if where else ''}: {first['msg']}"
