"""What the environment says about the remote."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from cognee_dagster.environment import API_KEY_VARIABLE, cognee_environment
from cognee_dagster.errors import ConnectionConfigError
from cognee_dagster.system.settings_source import CogneeSettings, first_problem

SERVICE_URL_VARIABLE = "COGNEE_SERVICE_URL"
CA_BUNDLE_VARIABLE = "COGNEE_DAGSTER_CA_BUNDLE"
ALLOW_PLAIN_HTTP_VARIABLE = "COGNEE_DAGSTER_ALLOW_PLAIN_HTTP"


class RemoteSettings(CogneeSettings):
    """What the environment says about the remote; its ``.env`` counts as the environment, file first, as in Cognee."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    service_url: str = Field(default="", validation_alias=SERVICE_URL_VARIABLE)
    api_key: SecretStr = Field(default=SecretStr(""), validation_alias=API_KEY_VARIABLE)
    ca_bundle: Path | None = Field(default=None, validation_alias=CA_BUNDLE_VARIABLE)
    allow_plain_http: bool = Field(default=False, validation_alias=ALLOW_PLAIN_HTTP_VARIABLE)

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> "RemoteSettings":
        """The settings in these variables; default: those that Cognee would see. An empty variable counts as unset.

        Raises:
            ConnectionConfigError: A variable's value makes no sense.
        """
        variables = cognee_environment() if environ is None else environ
        try:
            return super().read(variables)
        except ValidationError as error:
            problem = first_problem(error, cls, variables)
        raise ConnectionConfigError(f"The environment (or Cognee's .env) does not make sense. {problem}.")
