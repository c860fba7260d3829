"""What the environment says about the remote."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from cognee_dagster.environment import API_KEY_VARIABLE
from cognee_dagster.errors import ConnectionConfigError

SERVICE_URL_VARIABLE = "COGNEE_SERVICE_URL"
CA_BUNDLE_VARIABLE = "COGNEE_DAGSTER_CA_BUNDLE"
ALLOW_PLAIN_HTTP_VARIABLE = "COGNEE_DAGSTER_ALLOW_PLAIN_HTTP"


class RemoteSettings(BaseSettings):
    """What the environment says about the remote; its ``.env`` counts as the environment, file first, as in Cognee."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    service_url: str = Field(default="", validation_alias=SERVICE_URL_VARIABLE)
    api_key: SecretStr = Field(default=SecretStr(""), validation_alias=API_KEY_VARIABLE)
    ca_bundle: Path | None = Field(default=None, validation_alias=CA_BUNDLE_VARIABLE)
    allow_plain_http: bool = Field(default=False, validation_alias=ALLOW_PLAIN_HTTP_VARIABLE)

    @classmethod
    def settings_customise_sources(  # pydantic's own order lets the environment beat the file; Cognee's does not
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what ``read`` hands over."""
        return (init_settings,)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "RemoteSettings":
        """The settings in these variables; an empty variable counts as unset.

        Raises:
            ConnectionConfigError: A variable's value makes no sense.
        """
        names = [str(field.validation_alias) for field in cls.model_fields.values()]
        values: dict[str, Any] = {name: environ[name].strip() for name in names if environ.get(name, "").strip()}
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            problem = f"{first['loc'][0]}: {first['msg']}"
        raise ConnectionConfigError(f"The environment (or Cognee's .env) does not make sense. {problem}.")
