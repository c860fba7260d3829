"""Where the remote Cognee is and how to authenticate there.

The order of sources is that of ``cognee.push()`` (Cognee 1.6.5, ``api/v1/push/push.py``): explicit arguments, a live
``cognee.serve()`` connection, ``COGNEE_SERVICE_URL``/``COGNEE_API_KEY``, the credentials saved by ``cognee-cli serve``.
The first source that names a URL wins, whole: a key never travels to a URL that another source named, except that an
explicit key goes with any source (Cognee ignores it where ``cognee.serve()`` is live) and ``COGNEE_API_KEY`` with an
explicit URL. The command line keeps that key back from an explicit URL where ``COGNEE_SERVICE_URL`` names another host.
"""

import ipaddress
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from cognee_dagster.environment import API_KEY_VARIABLE, cognee_environment, source_of
from cognee_dagster.errors import ConnectionConfigError, NoConnectionError
from cognee_dagster.remote.https_settings import (
    ALLOW_PLAIN_HTTP_VARIABLE,
    CA_BUNDLE_VARIABLE,
    SERVICE_URL_VARIABLE,
    RemoteSettings,
)
from cognee_dagster.remote.origins import (
    AS_ARGUMENTS,
    FROM_ARGUMENTS,
    FROM_ENVIRONMENT,
    FROM_SAVED_CREDENTIALS,
    FROM_SERVE,
    KEY_FROM_ARGUMENTS,
    Called,
)
from cognee_dagster.remote.saved_credentials import default_credentials_file, read_saved_credentials
from cognee_dagster.system.urls import address_problem

_IN_A_FILE = re.compile(r", line \d+(, which overrides the environment)?$")  # as ``VariableSource`` has it

API_PATH = "/api/v1"  # of every Cognee
_SERVE_STATE_MODULE = "cognee.api.v1.serve.state"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A remote Cognee and the key for it; every instance is safe to use.

    Attributes:
        url: Base address, without a trailing slash and without ``/api/v1``, which may be given along.
        api_key: Sent as ``X-Api-Key``; empty for a server without authentication.
        source: Where the URL came from: ``arguments``, or what the caller calls them, ``cognee.serve()``,
            ``environment``, the ``.env`` and its line that sets it, or ``saved credentials``.
        key_source: Where the key came from, likewise.
        no_key_because: Why there is no key though one is known.
        ca_bundle: PEM file with the authorities to trust instead of the usual ones.
        allow_plain_http: Whether the key may travel unencrypted to a host that is not loopback.

    Raises:
        ConnectionConfigError: The URL cannot be used, the key cannot be an HTTP header, or the key would travel over
            plain http without ``allow_plain_http``.
    """

    url: str
    api_key: SecretStr = field(default_factory=lambda: SecretStr(""))
    source: str = FROM_ARGUMENTS
    key_source: str = KEY_FROM_ARGUMENTS
    no_key_because: str = ""
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
                f"{self.url} (from {self.url_from}) is plain http: the API key would travel unencrypted. Use https, or "
                f"allow it by name with allow_plain_http=True or {ALLOW_PLAIN_HTTP_VARIABLE}=true."
            )

    @property
    def has_key(self) -> bool:
        """Whether there is a key to send."""
        return bool(self.api_key.get_secret_value())

    @property
    def url_from(self) -> str:
        """Where the URL came from, in words that name the setting."""
        return _in_words(self.source, SERVICE_URL_VARIABLE)

    @property
    def key_from(self) -> str:
        """Where the key came from, likewise."""
        return _in_words(self.key_source, API_KEY_VARIABLE)

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


def resolve_connection(
    url: str | None = None,
    api_key: str | None = None,
    *,
    lend_key: bool = True,
    environ: Mapping[str, str] | None = None,
    credentials_file: Path | None = None,
    ca_bundle: Path | None = None,
    allow_plain_http: bool | None = None,
    called: Called = AS_ARGUMENTS,
) -> Connection:
    """The remote to talk to, from the first source that names one.

    Args:
        url: Explicit address; wins over every other source.
        api_key: Explicit key; goes with the URL of any source.
        lend_key: Whether ``COGNEE_API_KEY`` goes with an explicit URL though ``COGNEE_SERVICE_URL`` names another host,
            as in ``cognee.push()``.
        environ: Variables as Cognee would see them; default: ``cognee_environment()``.
        credentials_file: Default: ``~/.cognee/cloud_credentials.json``, where ``cognee-cli serve`` saves.
        ca_bundle: PEM file of authorities to trust; default: ``COGNEE_DAGSTER_CA_BUNDLE``, else the usual ones.
        allow_plain_http: Default: ``COGNEE_DAGSTER_ALLOW_PLAIN_HTTP``, else False.
        called: What messages call an explicit URL and an explicit key.

    Raises:
        NoConnectionError: No source names a remote.
        ConnectionConfigError: The source that names it is damaged or unsafe to use.
    """
    variables = cognee_environment() if environ is None else environ
    settings = RemoteSettings.read(variables)
    found = (
        _from_arguments(url, settings, variables, lend_key=lend_key, url_is=called.url)
        or _from_serve()
        or _from_environment(settings, variables)
        or _from_saved_credentials(credentials_file or default_credentials_file())
    )
    if found is None:
        raise NoConnectionError(
            "No Cognee Cloud connection configured. Run `cognee-cli serve` to log in, pass url/api_key "
            f"(--url, --api-key), or set {SERVICE_URL_VARIABLE} and {API_KEY_VARIABLE}, also in a .env."
        )
    return Connection(
        url=found.url,
        api_key=SecretStr(api_key) if api_key else found.api_key,
        source=found.source,
        key_source=called.api_key if api_key else found.key_source,
        no_key_because="" if api_key else found.no_key_because,
        ca_bundle=ca_bundle or settings.ca_bundle,
        allow_plain_http=settings.allow_plain_http if allow_plain_http is None else allow_plain_http,
    )


@dataclass(frozen=True)
class _Found:
    url: str
    api_key: SecretStr
    source: str
    key_source: str
    no_key_because: str = ""


def _from_arguments(
    url: str | None, settings: RemoteSettings, variables: Mapping[str, str], *, lend_key: bool, url_is: str
) -> _Found | None:
    if not url:
        return None
    key, key_source = settings.api_key, _source(variables, API_KEY_VARIABLE)
    named = settings.service_url
    if not lend_key and key.get_secret_value() and named and _host(named) != _host(url):
        key_from = _in_words(key_source, API_KEY_VARIABLE)
        because = f"the key of {key_from} goes with {SERVICE_URL_VARIABLE}, which names another host"
        return _Found(url, SecretStr(""), url_is, key_source, because)
    return _Found(url, key, url_is, key_source)


def _from_serve() -> _Found | None:
    """The connection that ``cognee.serve()`` made in this process, if Cognee was ever imported here."""
    state = sys.modules.get(_SERVE_STATE_MODULE)
    if state is None or not state.is_remote_mode():  # get_remote_client() would log a note when there is none
        return None
    client = state.get_remote_client()
    return _Found(str(client.service_url), SecretStr(str(client.api_key or "")), FROM_SERVE, FROM_SERVE)


def _from_environment(settings: RemoteSettings, variables: Mapping[str, str]) -> _Found | None:
    if not settings.service_url:
        return None
    source, key_source = _source(variables, SERVICE_URL_VARIABLE), _source(variables, API_KEY_VARIABLE)
    return _Found(settings.service_url, settings.api_key, source, key_source)


def _source(variables: Mapping[str, str], name: str) -> str:
    """Where a variable was set; empty if it was not."""
    found = source_of(variables, name)
    if found is None:
        return ""
    return FROM_ENVIRONMENT if found.file is None else str(found)


def _in_words(source: str, variable: str) -> str:
    """Where a URL or a key came from, as a person calls it who set it."""
    if source == FROM_ARGUMENTS:
        return "the argument url or --url"
    if source == FROM_ENVIRONMENT:
        return f"the environment variable {variable}"
    if source == FROM_SAVED_CREDENTIALS:
        return "what `cognee-cli serve` saved"
    return f"{variable} in {source}" if _IN_A_FILE.search(source) else source


def _host(url: str) -> str:
    """The host in an address; empty where it is none."""
    try:
        return urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""


def _from_saved_credentials(path: Path | None) -> _Found | None:
    saved = read_saved_credentials(path)
    return _Found(*saved, FROM_SAVED_CREDENTIALS, FROM_SAVED_CREDENTIALS) if saved else None


def _valid_url(url: str, *, source: str) -> str:
    """The base address without trailing slashes. What is refused is not repeated: it may hold a password."""
    if problem := address_problem(url):
        raise ConnectionConfigError(
            f"The remote's URL (from {_in_words(source, SERVICE_URL_VARIABLE)}) {problem}. Correct it where it was set."
        )
    # With the scheme in lower case, whatever was typed; and up to where every path that is asked for begins.
    return urlsplit(url.strip()).geturl().rstrip("/").removesuffix(API_PATH).rstrip("/")


def _valid_key(key: SecretStr, *, source: str) -> SecretStr:
    text = key.get_secret_value().strip()
    if text and not (text.isascii() and text.isprintable() and " " not in text):
        raise ConnectionConfigError(
            f"The API key for the remote (URL from {_in_words(source, SERVICE_URL_VARIABLE)}) has spaces, line breaks "
            "or characters that no key has. Copy it again."
        )
    return SecretStr(text)
