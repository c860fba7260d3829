"""The two ends of a push as Dagster resources: the remote Cognee and the local one.

Every field may stay empty: what is not set here is found where Cognee itself would look for it.

A secret is not Dagster config. What is config is in the schema that the UI reads, in the text that the Launchpad offers
and in the snapshot of every run; marked as secret, the Launchpad offers it masked and sends the mask as the key
(Dagster 1.13). A field of the kind ``ResourceDependency`` is in none of them: each process that loads the definitions
has what their author wrote, a string or a ``dg.EnvVar``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import dagster as dg
from pydantic import ConfigDict, Field, PrivateAttr, ValidationInfo, field_validator

from cognee_dagster import remote, sources
from cognee_dagster.dagster.origin import Origin
from cognee_dagster.dagster.remote_fields import ADDRESS_FIELDS, refusal
from cognee_dagster.dagster.resource_page import Description
from cognee_dagster.dagster.unlisted_fields import UnlistedFields
from cognee_dagster.environment import cognee_environment
from cognee_dagster.errors import CogneeDagsterError, ConnectionConfigError, LocalCogneeError
from cognee_dagster.pushing.options import DeliverySettings
from cognee_dagster.remote.compat import BACKGROUND_STRATEGIES
from cognee_dagster.remote.origins import (
    FROM_ARGUMENTS,
    FROM_ENVIRONMENT,
    FROM_SAVED_CREDENTIALS,
    KEY_FROM_ARGUMENTS,
    Called,
)
from cognee_dagster.remote.retry import RetryPolicy
from cognee_dagster.system.urls import secret_in_url

if TYPE_CHECKING:
    from cognee_dagster.remote.client import CogneeClient
    from cognee_dagster.remote.connection import Connection
    from cognee_dagster.sources.cognee.datasets import LocalCogneeConfig

REMOTE_RESOURCE = "cognee_remote"
LOCAL_RESOURCE = "local_cognee"
ARCHIVES_RESOURCE = "cogx_archives"

# What pydantic says about a wrong value must not quote a secret.
_MODEL_CONFIG = ConfigDict(hide_input_in_errors=True)

# The least that a number may be, and whether it must be more than that.
_LEAST: Mapping[str, tuple[int, bool]] = {
    "connect_timeout": (0, True),
    "read_timeout": (0, True),
    "max_attempts": (1, False),
    "max_retry_wait": (0, False),
    "retry_within": (0, False),
    "detach_timeout": (0, False),
}

# Where a remote was found, in words for who reads nothing else about it.
_PLACES: Mapping[str, str] = {
    FROM_ENVIRONMENT: "the environment of Dagster's process",
    FROM_SAVED_CREDENTIALS: "the credentials that `cognee-cli serve` saved",
    KEY_FROM_ARGUMENTS: "its api_key",
}

_NO_KEY: Any = None  # of no declared type, since a field of a ResourceDependency has that very type for mypy


def _nothing_more() -> Any:
    return {}


def _remote_in_use(given: "CogneeRemote") -> str:
    """Of a remote that is found where Cognee would look: which that is now, and where from; nobody is asked."""
    if given.url or isinstance(given.ca_bundle, dg.EnvVar):
        return ""
    try:
        found = given.connection()
    except CogneeDagsterError as error:
        return f"In use when this code location was loaded: none. {error}"
    key = f"the key from {_PLACES.get(found.key_source, found.key_source)}" if found.has_key else "no key"
    source = _PLACES.get(found.source, found.source)
    return f"In use when this code location was loaded: {found.url}, from {source}, with {key}."


class CogneeRemote(UnlistedFields, dg.ConfigurableResource["CogneeRemote"]):
    """The remote Cognee that graphs are pushed to.

    With no ``url`` it is the first of: a live ``cognee.serve()`` connection, ``COGNEE_SERVICE_URL`` and
    ``COGNEE_API_KEY``, the credentials that ``cognee-cli serve`` saved.
    """

    __doc__ = Description(__doc__, more=_remote_in_use)

    model_config = _MODEL_CONFIG

    url: str | None = Field(default=None, description="Base address, such as https://cognee.example.com.")
    api_key: dg.ResourceDependency[str | None] = Field(
        default=_NO_KEY,
        repr=False,
        exclude=True,
        description="API key, best as dg.EnvVar. Default: COGNEE_API_KEY, or the key saved with the address.",
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
    retry_within: float = Field(
        default=RetryPolicy().within,
        description="Seconds that the remote may be down for one request with all its attempts and waits.",
    )
    detach_timeout: float = Field(
        default=DeliverySettings().detach_timeout,
        description="Seconds that a background push waits, after the upload, for its import to be visible.",
    )
    background_strategy: str = Field(
        default=DeliverySettings().background_strategy,
        description="How a background push is done: auto, detached, native or foreground.",
    )

    _origin: Origin = PrivateAttr(default_factory=Origin)

    @field_validator("url")
    @classmethod
    def _url_holds_no_secret(cls, value: Any) -> Any:
        if found := secret_in_url(value):
            raise ValueError(f"there is {found} in it, which Dagster's snapshots would keep; give the key as api_key")
        return value

    @field_validator(
        "connect_timeout",
        "read_timeout",
        "max_attempts",
        "max_retry_wait",
        "retry_within",
        "detach_timeout",
        mode="before",
    )
    @classmethod
    def _number_makes_sense(cls, value: Any, info: ValidationInfo) -> Any:
        """Before pydantic makes a plain value of a ``dg.EnvVar``, whose variable nobody has read yet."""
        least, more = _LEAST[str(info.field_name)]
        if type(value) in (int, float) and not (value > least if more else value >= least):
            raise ValueError(f"it must be {'more than' if more else 'at least'} {least}")
        return value

    @field_validator("background_strategy", mode="before")
    @classmethod
    def _strategy_is_one(cls, value: Any) -> Any:
        if type(value) is str and value not in BACKGROUND_STRATEGIES:
            raise ValueError(f"it must be one of {', '.join(BACKGROUND_STRATEGIES)}")
        return value

    @field_validator("api_key")
    @classmethod
    def _api_key_is_a_string(cls, value: Any) -> Any:
        if value is not None and not isinstance(value, str):
            raise ValueError("give the key as a string or as dg.EnvVar")
        return value

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Look at the values that only now have one, such as a ``dg.EnvVar``, while the remote's key is known.

        Raises:
            ConnectionConfigError: What they say is no address; or nothing, of a remote with a name of its own.
        """
        super().setup_for_execution(context)
        self._origin = Origin.of(context)
        for name in ADDRESS_FIELDS if self._origin.key is not None else ():
            said = getattr(self, name)
            value = _known(said)
            problem = (
                refusal(name, value, has_own_name=self._origin.key != REMOTE_RESOURCE) if value is not None else None
            )
            if problem is not None:
                raise ConnectionConfigError(f"{self._origin.field_of(name, said)} {problem}")

    def connection(self) -> "Connection":
        """Where the remote is, as far as it is known now.

        Raises:
            NoConnectionError: Nothing names a remote.
            ConnectionConfigError: What names it is damaged or unsafe to use, or the key's ``dg.EnvVar`` is not set.
        """
        return remote.resolve_connection(
            self.url or None,
            self._key(),
            ca_bundle=Path(self.ca_bundle).expanduser() if self.ca_bundle else None,
            allow_plain_http=self.allow_plain_http,
            called=Called(
                url=self._origin.source_of("url", self.url, otherwise=FROM_ARGUMENTS),
                api_key=self._origin.source_of("api_key", self.api_key, otherwise=KEY_FROM_ARGUMENTS),
            ),
        )

    def client(self) -> "CogneeClient":
        """A client of the remote; use it as a context manager."""
        return remote.CogneeClient(
            self.connection(),
            timeouts=remote.Timeouts.of(connect=self.connect_timeout, read=self.read_timeout),
            retry=RetryPolicy(attempts=self.max_attempts, max_wait=self.max_retry_wait, within=self.retry_within),
        )

    def _key(self) -> str | None:
        if self.api_key is None:
            return None
        return _resolved(self.api_key, where="CogneeRemote.api_key", error=ConnectionConfigError) or None

    def delivery_settings(self) -> DeliverySettings:
        """How patient a push is."""
        return DeliverySettings(background_strategy=self.background_strategy, detach_timeout=self.detach_timeout)


class LocalCognee(UnlistedFields, dg.ConfigurableResource["LocalCognee"]):
    """The Cognee whose datasets are read; by default the one that ``import cognee`` would use here."""

    model_config = _MODEL_CONFIG

    system_root_directory: str | None = Field(default=None, description="SYSTEM_ROOT_DIRECTORY: databases and graphs.")
    data_root_directory: str | None = Field(default=None, description="DATA_ROOT_DIRECTORY: stored documents.")
    python: str | None = Field(
        default=None, description="Interpreter that has Cognee installed; default: COGNEE_PYTHON, else Dagster's own."
    )
    user: str | None = Field(
        default=None, description="E-mail or UUID of the user who reads; default: Cognee's default user."
    )
    environment: dg.ResourceDependency[dict[str, str]] = Field(
        default_factory=_nothing_more,
        repr=False,
        exclude=True,
        description="More of Cognee's own settings, such as LLM_API_KEY; they go before the environment and its .env.",
    )

    @field_validator("environment")
    @classmethod
    def _environment_is_of_strings(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or not all(isinstance(text, str) for pair in value.items() for text in pair):
            raise ValueError("give a mapping of names to strings or dg.EnvVar")
        return value

    def config(self) -> "LocalCogneeConfig":
        """The settings as Cognee would see them.

        Raises:
            LocalCogneeError: ``COGNEE_ENV_FILE`` names something that is not a file, or a ``dg.EnvVar`` is not set.
        """
        directories = {
            "SYSTEM_ROOT_DIRECTORY": self.system_root_directory,
            "DATA_ROOT_DIRECTORY": self.data_root_directory,
        }
        given = {name: str(Path(value).expanduser().absolute()) for name, value in directories.items() if value}
        more = {
            name: _resolved(value, where=f"LocalCognee.environment[{name!r}]", error=LocalCogneeError)
            for name, value in self.environment.items()
        }
        return sources.LocalCogneeConfig(environ={**cognee_environment(), **more, **given}, python=self.python)

    def user_for(self, user: str | UUID | None) -> str | UUID | None:
        """The user who reads: a dataset's own, else this resource's, else None for Cognee's default user."""
        return user or self.user or None


def _known(value: str | None) -> str | None:
    """The string, or what the variable holds that it names; None where that is not set."""
    return value.get_value() if isinstance(value, dg.EnvVar) else value


def _resolved(value: str, *, where: str, error: type[CogneeDagsterError]) -> str:
    """The string, or what the variable holds that it names."""
    if not isinstance(value, dg.EnvVar):
        return value
    found = _known(value)
    if found is None:
        name = value.env_var_name
        raise error(
            f"{where} is dg.EnvVar({name!r}), and {name} is not set in this process. Set it where Dagster runs steps "
            "and sensors, or leave the field out."
        )
    return found
