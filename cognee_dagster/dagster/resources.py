"""The two ends of a push as Dagster resources: the remote Cognee and the local one.

Every field may stay empty: what is not set here is found where Cognee itself would look for it. A secret is best given
as ``dg.EnvVar("…")``, which Dagster resolves when a run starts; marked as secret, it is masked in the UI either way.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import dagster as dg
from pydantic import Field

from cognee_dagster.environment import cognee_environment
from cognee_dagster.pushing.options import DeliverySettings
from cognee_dagster.remote.retry import RetryPolicy

if TYPE_CHECKING:
    from cognee_dagster.remote.client import CogneeClient
    from cognee_dagster.remote.connection import Connection
    from cognee_dagster.sources.cognee.datasets import LocalCogneeConfig

REMOTE_RESOURCE = "cognee_remote"
LOCAL_RESOURCE = "local_cognee"
ARCHIVES_RESOURCE = "cogx_archives"

_SECRET: dict[str, Any] = {"dagster__is_secret": True}


class CogneeRemote(dg.ConfigurableResource["CogneeRemote"]):
    """The remote Cognee that graphs are pushed to.

    With no ``url`` it is the first of: a live ``cognee.serve()`` connection, ``COGNEE_SERVICE_URL`` and
    ``COGNEE_API_KEY``, the credentials that ``cognee-cli serve`` saved.
    """

    url: str | None = Field(default=None, description="Base address, such as https://cognee.example.com.")
    api_key: str | None = Field(
        default=None,
        repr=False,
        json_schema_extra=_SECRET,
        description="API key; use dg.EnvVar. Default: COGNEE_API_KEY, or the key saved with the address.",
    )
    allow_plain_http: bool | None = Field(
        default=None, description="Send the key over plain http to a host that is not this machine."
    )
    ca_bundle: str | None = Field(default=None, description="PEM file of authorities to trust instead of the usual.")
    connect_timeout: float = Field(default=10.0, description="Seconds until a connection stands.")
    read_timeout: float = Field(
        default=60.0,
        description="Seconds without any progress in an answer. An import may take as long as it does.",
    )
    max_attempts: int = Field(default=RetryPolicy().attempts, description="How often a request is sent at most.")
    max_retry_wait: float = Field(default=RetryPolicy().max_wait, description="Longest wait between two, in seconds.")
    detach_timeout: float = Field(
        default=DeliverySettings().detach_timeout,
        description="Seconds that a background push waits, after the upload, for its import to be visible.",
    )
    background_strategy: str = Field(
        default=DeliverySettings().background_strategy,
        description="How a background push is done: auto, detached, native or foreground.",
    )

    def connection(self) -> "Connection":
        """Where the remote is, as far as it is known now.

        Raises:
            NoConnectionError: Nothing names a remote.
            ConnectionConfigError: What names it is damaged or unsafe to use.
        """
        from cognee_dagster.remote.connection import resolve_connection

        return resolve_connection(
            self.url or None,
            self.api_key or None,
            ca_bundle=Path(self.ca_bundle).expanduser() if self.ca_bundle else None,
            allow_plain_http=self.allow_plain_http,
        )

    def client(self) -> "CogneeClient":
        """A client of the remote; use it as a context manager."""
        from cognee_dagster.remote.client import CogneeClient, Timeouts

        return CogneeClient(
            self.connection(),
            timeouts=Timeouts.of(connect=self.connect_timeout, read=self.read_timeout),
            retry=RetryPolicy(attempts=self.max_attempts, max_wait=self.max_retry_wait),
        )

    def delivery_settings(self) -> DeliverySettings:
        """How patient a push is."""
        return DeliverySettings(background_strategy=self.background_strategy, detach_timeout=self.detach_timeout)


class LocalCognee(dg.ConfigurableResource["LocalCognee"]):
    """The Cognee whose datasets are read; by default the one that ``import cognee`` would use here."""

    system_root_directory: str | None = Field(default=None, description="SYSTEM_ROOT_DIRECTORY: databases and graphs.")
    data_root_directory: str | None = Field(default=None, description="DATA_ROOT_DIRECTORY: stored documents.")
    python: str | None = Field(
        default=None, description="Interpreter that has Cognee installed; default: COGNEE_PYTHON, else Dagster's own."
    )
    user: str | None = Field(
        default=None, description="E-mail or UUID of the user who reads; default: Cognee's default user."
    )
    environment: dict[str, str] = Field(
        default_factory=dict,
        repr=False,
        json_schema_extra=_SECRET,
        description="More of Cognee's own settings, such as LLM_API_KEY; they go before the environment and its .env.",
    )

    def config(self) -> "LocalCogneeConfig":
        """The settings as Cognee would see them.

        Raises:
            LocalCogneeError: ``COGNEE_ENV_FILE`` names something that is not a file.
        """
        from cognee_dagster.sources.cognee.datasets import LocalCogneeConfig

        directories = {
            "SYSTEM_ROOT_DIRECTORY": self.system_root_directory,
            "DATA_ROOT_DIRECTORY": self.data_root_directory,
        }
        given = {name: str(Path(value).expanduser().absolute()) for name, value in directories.items() if value}
        return LocalCogneeConfig(environ={**cognee_environment(), **self.environment, **given}, python=self.python)

    def user_for(self, user: str | UUID | None) -> str | UUID | None:
        """The user who reads: a dataset's own, else this resource's, else None for Cognee's default user."""
        return user or self.user or None
