"""Where the remote Cognee is and how to authenticate there.

The order of sources is that of ``cognee.push()`` (Cognee 1.6.5, ``api/v1/push/push.py``): explicit arguments, a live
``cognee.serve()`` connection, ``COGNEE_SERVICE_URL``/``COGNEE_API_KEY``, the credentials saved by ``cognee-cli serve``.
The first source that names a URL wins, whole: a key never travels to a URL that another source named, except that an
explicit key goes with any source and ``COGNEE_API_KEY`` with an explicit URL, as in Cognee.
"""

import ipaddress
import json
import logging
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from cognee_dagster.environment import API_KEY_VARIABLE, cognee_environment
from cognee_dagster.errors import ConnectionConfigError, NoConnectionError

SERVICE_URL_VARIABLE = "COGNEE_SERVICE_URL"
CA_BUNDLE_VARIABLE = "COGNEE_DAGSTER_CA_BUNDLE"
ALLOW_PLAIN_HTTP_VARIABLE = "COGNEE_DAGSTER_ALLOW_PLAIN_HTTP"

FROM_ARGUMENTS = "arguments"
FROM_SERVE = "cognee.serve()"
FROM_ENVIRONMENT = "environment"
FROM_SAVED_CREDENTIALS = "saved credentials"

_SERVE_STATE_MODULE = "cognee.api.v1.serve.state"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A remote Cognee and the key for it; every instance is safe to use.

    Attributes:
        url: Base address, without a trailing slash.
        api_key: Sent as ``X-Api-Key``; empty for a server without authentication.
        source: Where the URL came from: ``arguments``, ``cognee.serve()``, ``environment`` or ``saved credentials``.
        ca_bundle: PEM file with the authorities to trust instead of the usual ones.
        allow_plain_http: Whether the key may travel unencrypted to a host that is not loopback.

    Raises:
        ConnectionConfigError: The URL is no usable http(s) address, the key cannot be an HTTP header, or the key would
            travel over plain http without ``allow_plain_http``.
    """

    url: str
    api_key: SecretStr = field(default_factory=lambda: SecretStr(""))
    source: str = FROM_ARGUMENTS
    ca_bundle: Path | None = None
    allow_plain_http: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", _valid_url(self.url, source=self.source))
        object.__setattr__(self, "api_key", _valid_key(self.api_key, source=self.source))
        if self.ca_bundle is not None and not self.ca_bundle.is_file():
            raise ConnectionConfigError(f"The CA bundle {self.ca_bundle} is not a file. Correct {CA_BUNDLE_VARIABLE}.")
        exposed = self.url.startswith("http:") and not self.is_loopback and self.has_key
        if exposed and not self.allow_plain_http:
            raise ConnectionConfigError(
                f"{self.url} (from {self.source}) is plain http: the API key would travel unencrypted. Use https, or "
                f"allow it by name with allow_plain_http=True or {ALLOW_PLAIN_HTTP_VARIABLE}=true."
            )

    @property
    def has_key(self) -> bool:
        """Whether there is a key to send."""
        return bool(self.api_key.get_secret_value())

    @property
    def host(self) -> str:
        """Host name or address, without the port."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_loopback(self) -> bool:
        """Whether the remote is this machine itself."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


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


def resolve_connection(
    url: str | None = None,
    api_key: str | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    credentials_file: Path | None = None,
    ca_bundle: Path | None = None,
    allow_plain_http: bool | None = None,
) -> Connection:
    """The remote to talk to, from the first source that names one.

    Args:
        url: Explicit address; wins over every other source.
        api_key: Explicit key; goes with the URL of any source.
        environ: Variables as Cognee would see them; default: ``cognee_environment()``.
        credentials_file: Default: ``~/.cognee/cloud_credentials.json``, where ``cognee-cli serve`` saves.
        ca_bundle: PEM file of authorities to trust; default: ``COGNEE_DAGSTER_CA_BUNDLE``, else the usual ones.
        allow_plain_http: Default: ``COGNEE_DAGSTER_ALLOW_PLAIN_HTTP``, else False.

    Raises:
        NoConnectionError: No source names a remote.
        ConnectionConfigError: The source that names it is damaged or unsafe to use.
    """
    settings = RemoteSettings.read(cognee_environment() if environ is None else environ)
    found = (
        _from_arguments(url, settings)
        or _from_serve()
        or _from_environment(settings)
        or _from_saved_credentials(credentials_file or _default_credentials_file())
    )
    if found is None:
        raise NoConnectionError(
            "No Cognee Cloud connection configured. Run `cognee-cli serve` to log in, pass url/api_key, or set "
            f"{SERVICE_URL_VARIABLE} and {API_KEY_VARIABLE}."
        )
    return Connection(
        url=found.url,
        api_key=SecretStr(api_key) if api_key else found.api_key,
        source=found.source,
        ca_bundle=ca_bundle or settings.ca_bundle,
        allow_plain_http=settings.allow_plain_http if allow_plain_http is None else allow_plain_http,
    )


@dataclass(frozen=True)
class _Found:
    url: str
    api_key: SecretStr
    source: str


def _from_arguments(url: str | None, settings: RemoteSettings) -> _Found | None:
    return _Found(url, settings.api_key, FROM_ARGUMENTS) if url else None


def _from_serve() -> _Found | None:
    """The connection that ``cognee.serve()`` made in this process, if Cognee was ever imported here."""
    state = sys.modules.get(_SERVE_STATE_MODULE)
    if state is None or not state.is_remote_mode():  # get_remote_client() would log a note when there is none
        return None
    client = state.get_remote_client()
    return _Found(str(client.service_url), SecretStr(str(client.api_key or "")), FROM_SERVE)


def _from_environment(settings: RemoteSettings) -> _Found | None:
    return _Found(settings.service_url, settings.api_key, FROM_ENVIRONMENT) if settings.service_url else None


def _from_saved_credentials(path: Path | None) -> _Found | None:
    """What ``cognee-cli serve`` or ``cognee.serve()`` saved (Cognee 1.6.5, ``api/v1/serve/credentials.py``)."""
    if path is None or not path.exists():
        return None
    saved = _read_credentials(path)
    url, key = saved.get("service_url") or "", saved.get("api_key") or ""
    if not isinstance(url, str) or not isinstance(key, str):
        raise _damaged_credentials(path, "service_url and api_key must be text")
    if not url:
        return None
    if key and os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        logger.warning("%s holds an API key and is accessible to other users: run `chmod 600 %s`.", path, path)
    return _Found(url, SecretStr(key), FROM_SAVED_CREDENTIALS)


def _read_credentials(path: Path) -> dict[str, Any]:
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problem = error.strerror or type(error).__name__
    except (ValueError, RecursionError):  # the exception's text would carry the file's, and with it the key
        problem = "it is not valid JSON"
    else:
        if isinstance(saved, dict):
            return saved
        problem = "it is not a JSON object"
    raise _damaged_credentials(path, problem)


def _damaged_credentials(path: Path, problem: str) -> ConnectionConfigError:
    return ConnectionConfigError(
        f"The saved credentials in {path} cannot be used: {problem}. Run `cognee-cli serve` to log in again, "
        f"delete the file, or name the remote with url/api_key or {SERVICE_URL_VARIABLE} and {API_KEY_VARIABLE}."
    )


def _default_credentials_file() -> Path | None:
    try:
        return Path.home() / ".cognee" / "cloud_credentials.json"
    except RuntimeError:  # a user without a home directory
        return None


def _valid_url(url: str, *, source: str) -> str:
    """The base address without trailing slashes. What is refused is not repeated: it may hold a password."""
    text = url.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or port == 0
        or not text.isprintable()
        or " " in text
    ):
        problem = "is not an address like https://cognee.example.com"
    elif parts.username is not None or parts.password is not None:
        problem = "has a user name or password in it; Cognee wants an API key"
    elif parts.query or parts.fragment:
        problem = "has a query or fragment; give the server's base address only"
    else:
        return parts.geturl().rstrip("/")  # with the scheme in lower case, whatever was typed
    raise ConnectionConfigError(f"The remote's URL (from {source}) {problem}. Correct it where it was set.")


def _valid_key(key: SecretStr, *, source: str) -> SecretStr:
    text = key.get_secret_value().strip()
    if text and not (text.isascii() and text.isprintable() and " " not in text):
        raise ConnectionConfigError(
            f"The API key for the remote (URL from {source}) has spaces, line breaks or characters that no key has. "
            "Copy it again."
        )
    return SecretStr(text)
