"""The HTTP connection itself: time limits, TLS, proxies, and a key that no object shows."""

import errno
import os
import ssl
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import httpcore
import httpx
from pydantic import SecretStr

from cognee_dagster.errors import ConnectionConfigError
from cognee_dagster.remote.connection import Connection
from cognee_dagster.remote.exchange_limits import LimitedNetwork
from cognee_dagster.remote.proxies import proxy_for

_ANSWER = 120.0  # seconds
_GRAPH_READ = 300.0

REDIRECT_TARGET = "x-redirect-target"  # where an answer's Location is kept; see ``_disarm``


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Time limits by phase, in seconds; None: no limit.

    Attributes:
        connect: Until a connection stands, whatever number of addresses the host has.
        write: Without any progress in sending.
        chunk: Until 64 KiB of an upload are taken in, so that a server that only sips ends, too.
        read: Without any progress in receiving.
        answer: For the whole of an ordinary answer, so that one that only drips ends, too.
        graph_read: As ``read``, for a whole graph, which the server assembles first.
        graph_answer: As ``answer``, for a whole graph.
        import_read: As ``read``, for the answer to an upload. The import comes before it, however slow.
    """

    connect: float | None = 10.0
    write: float | None = 60.0
    chunk: float | None = 600.0
    read: float | None = 60.0
    answer: float | None = _ANSWER
    graph_read: float | None = _GRAPH_READ
    graph_answer: float | None = 1800.0
    import_read: float | None = None

    @classmethod
    def of(cls, *, connect: float, read: float) -> "Timeouts":
        """The limits that follow from the two which users set: a whole answer may take twice the longest pause."""
        return cls(connect=connect, read=read, answer=max(_ANSWER, 2 * read), graph_read=max(_GRAPH_READ, read))

    def no_longer_than(self, seconds: float | None) -> "Timeouts":
        """The same, with no more than so many seconds to connect and without any progress in sending."""
        if seconds is None:
            return self
        connect, write = (seconds if limit is None else min(limit, seconds) for limit in (self.connect, self.write))
        return replace(self, connect=connect, write=write)

    def for_httpx(self, read: float | None) -> httpx.Timeout:
        """These limits as httpx wants them, with one of the limits for reading."""
        return httpx.Timeout(connect=self.connect, read=read, write=self.write, pool=None)


def open_http(connection: Connection) -> httpx.Client:
    """An HTTP client for one remote: certificates are checked, redirects never followed, no cookies kept.

    Raises:
        ConnectionConfigError: The CA bundle or the environment's proxy settings cannot be used.
    """
    proxy = proxy_for(connection)
    try:
        return httpx.Client(
            base_url=connection.url,
            auth=_ApiKey(connection.api_key),
            headers={"Accept-Encoding": "gzip"},  # what can be undone within bounds; see ``answers``
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=())),
            transport=_Transport(trust=_trust(connection), proxy=proxy),
            follow_redirects=False,
            event_hooks={"response": [_disarm]},
        )
    except OSError as error:  # ssl.SSLError is one, too
        problem = f"the certificates to trust cannot be read ({error.strerror or type(error).__name__})"
    except (ValueError, httpx.InvalidURL):
        problem = "this address cannot be used"
    raise ConnectionConfigError(
        f"No connection to {connection.url}: {problem}. Check it, COGNEE_DAGSTER_CA_BUNDLE (or ca_bundle) and "
        "SSL_CERT_FILE."
    )


class _Transport(httpx.BaseTransport):
    """httpx's requests over connections that keep to the limits of an ``Exchange``."""

    def __init__(self, *, trust: ssl.SSLContext, proxy: httpcore.Proxy | None) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=trust,
            proxy=proxy,
            max_connections=None,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=LimitedNetwork(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        with _as_httpx_does():
            response = self._pool.handle_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    """An answer's body as it comes over the wire."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx_does():
            yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


@contextmanager
def _as_httpx_does() -> Iterator[None]:
    """httpcore's errors as httpx's own, which have the same names."""
    try:
        yield
    except tuple(_HTTPX_ERRORS) as error:
        kind = next(kind for base, kind in _HTTPX_ERRORS.items() if isinstance(error, base))
        raise kind(str(error)) from error


_HTTPX_ERRORS: dict[type[Exception], type[httpx.TransportError]] = {  # the particular ones first
    getattr(httpcore, name): getattr(httpx, name)
    for name in (
        "ConnectTimeout",
        "ReadTimeout",
        "WriteTimeout",
        "PoolTimeout",
        "ConnectError",
        "ReadError",
        "WriteError",
        "ProxyError",
        "UnsupportedProtocol",
        "LocalProtocolError",
        "RemoteProtocolError",
        "TimeoutException",
        "NetworkError",
        "ProtocolError",
    )
}


def _trust(connection: Connection) -> ssl.SSLContext:
    """Who may vouch for the remote."""
    if connection.url.startswith("http:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and reading the usual authorities takes 25 ms
    if connection.ca_bundle is not None:
        return ssl.create_default_context(cafile=str(connection.ca_bundle))
    if (file := os.environ.get("SSL_CERT_FILE")) and not Path(file).is_file():  # a named pipe is waited for
        raise OSError(errno.EINVAL, "SSL_CERT_FILE names no file")
    return httpx.create_ssl_context()


def _disarm(response: httpx.Response) -> None:
    """Hide Location from httpx: it prepares the next request, key and all, even when it is not to follow."""
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
