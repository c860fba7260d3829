"""The HTTP connection itself: time limits, TLS, proxies, and a key that no object shows."""

import ssl
from collections.abc import Generator
from dataclasses import dataclass

import httpx
from pydantic import SecretStr

from cognee_dagster.errors import ConnectionConfigError
from cognee_dagster.remote.connection import Connection

REDIRECT_TARGET = "x-redirect-target"  # where an answer's Location is kept; see ``_disarm``


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Time limits by phase, in seconds; None: no limit.

    Attributes:
        connect: Until a connection stands.
        write: Without any progress in sending.
        read: Without any progress in receiving.
        answer: For the whole of an ordinary answer, so that one that only drips ends, too.
        graph_read: As ``read``, for a whole graph, which the server assembles first.
        graph_answer: As ``answer``, for a whole graph.
        import_read: As ``read``, for the answer to an upload. The import happens before it: a slow one is no timeout.
    """

    connect: float | None = 10.0
    write: float | None = 60.0
    read: float | None = 60.0
    answer: float | None = 120.0
    graph_read: float | None = 300.0
    graph_answer: float | None = 1800.0
    import_read: float | None = None

    def for_httpx(self, read: float | None) -> httpx.Timeout:
        """These limits as httpx wants them, with one of the limits for reading."""
        return httpx.Timeout(connect=self.connect, read=read, write=self.write, pool=None)


def open_http(connection: Connection) -> httpx.Client:
    """An HTTP client for one remote: certificates are checked, redirects never followed.

    Proxies are those of the environment, but never between this machine and itself: a proxy elsewhere cannot reach this
    machine's loopback, and would see the key.

    Raises:
        ConnectionConfigError: The CA bundle or the environment's proxy settings cannot be used.
    """
    host = f"[{connection.host}]" if ":" in connection.host else connection.host
    try:
        return httpx.Client(
            base_url=connection.url,
            auth=_ApiKey(connection.api_key),
            verify=_trust(connection),
            follow_redirects=False,
            event_hooks={"response": [_disarm]},
            mounts={f"all://{host}": None} if connection.is_loopback else None,
        )
    except OSError as error:  # ssl.SSLError is one, too
        problem = f"the certificates to trust cannot be read ({error.strerror or type(error).__name__})"
    except (ValueError, ImportError, httpx.InvalidURL):  # their text may repeat a proxy's password
        problem = "this address, or a proxy that the environment names, cannot be used"
    raise ConnectionConfigError(
        f"No connection to {connection.url}: {problem}. Check it, COGNEE_DAGSTER_CA_BUNDLE (or ca_bundle), "
        "SSL_CERT_FILE, HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY."
    )


def _trust(connection: Connection) -> ssl.SSLContext:
    """Who may vouch for the remote."""
    if connection.url.startswith("http:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and reading the usual authorities takes 25 ms
    if connection.ca_bundle is not None:
        return ssl.create_default_context(cafile=str(connection.ca_bundle))
    return httpx.create_ssl_context()


def _disarm(response: httpx.Response) -> None:
    """Hide Location from httpx: it prepares the next request, key and all, even when it is told not to follow."""
    if "location" in response.headers:
        response.headers[REDIRECT_TARGET] = response.headers.pop("location")


class _ApiKey(httpx.Auth):
    """Puts the key on a request as it leaves, so that no client object holds it in the clear."""

    def __init__(self, key: SecretStr) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if key := self._key.get_secret_value():
            request.headers["X-Api-Key"] = key
        yield request
