"""The limits of one exchange with a server: seconds and bytes from the first to the last, whatever the bytes mean.

A read timeout only limits the pause between two reads. A server that drips a byte a minute, or sends interim answers
(1xx), headers or trailers without end, never trips it, and what a decompressor swallows before it gives a byte is not
seen by who counts what comes out. So the limits are kept where all of that passes: at the connection's own reads.
"""

import socket
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar, Token
from ssl import SSLContext
from types import TracebackType
from typing import Any

import httpcore

_MOMENT = 0.001  # seconds: a socket's timeout of 0 would mean "do not wait at all"


class Exchange:
    """The limits of the exchange that is under way in this thread; a context manager, entered once.

    Args:
        seconds: From now until the last byte of the answer has been read; None: any time.
        max_bytes: How much may be received.
        on_connect: Called with the socket when a connection is made for this exchange.
    """

    def __init__(
        self, *, seconds: float | None, max_bytes: int, on_connect: Callable[[socket.socket], None] | None = None
    ) -> None:
        self.seconds = seconds
        self.max_bytes = max_bytes
        self.on_connect = on_connect
        self._ends_at = None if seconds is None else time.monotonic() + seconds
        self._received = 0
        self._token: Token[Exchange | None] | None = None

    def __enter__(self) -> "Exchange":
        self._token = _current.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            _current.reset(self._token)

    @property
    def out_of_time(self) -> bool:
        """Whether the seconds are over."""
        return self._ends_at is not None and time.monotonic() >= self._ends_at

    @property
    def has_begun(self) -> bool:
        """Whether anything was received."""
        return self._received > 0

    @property
    def too_long(self) -> bool:
        """Whether more was received than ``max_bytes``."""
        return self._received > self.max_bytes

    def end_within(self, seconds: float | None) -> None:
        """From now on, this many seconds are left; None: any time."""
        self.seconds = seconds
        self._ends_at = None if seconds is None else time.monotonic() + seconds

    def limited(self, timeout: float | None) -> float | None:
        """A time limit for one read or write: no longer than what is left.

        Raises:
            httpcore.ReadTimeout: Nothing is left.
        """
        if self._ends_at is None:
            return timeout
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time for the whole exchange is over")
        return max(left if timeout is None else min(timeout, left), _MOMENT)

    def count(self, received: int) -> None:
        """Note that so many bytes came.

        Raises:
            httpcore.ReadError: They are too many.
        """
        self._received += received
        if self.too_long:
            raise httpcore.ReadError(f"more than {self.max_bytes:,} bytes were received")


_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)
_NO_LIMITS = Exchange(seconds=None, max_bytes=2**63)


def _exchange() -> Exchange:
    return _current.get() or _NO_LIMITS


class LimitedNetwork(httpcore.NetworkBackend):
    """Makes connections that keep to the limits of the exchange which uses them."""

    def __init__(self) -> None:
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first of the host's addresses that answers."""
        exchange = _exchange()
        failure: httpcore.NetworkError | httpcore.TimeoutException = httpcore.ConnectError("the name has no address")
        for address in _addresses(host, port):
            try:
                within = exchange.limited(timeout)
                stream = self._network.connect_tcp(address, port, within, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            if exchange.on_connect is not None:
                exchange.on_connect(stream.get_extra_info("socket"))
            return _LimitedStream(stream)
        raise failure

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._network.sleep(seconds)


def _addresses(host: str, port: int) -> list[str]:
    """The addresses of a host. Asked for here, because each of them may take up the time for connecting."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        problem = str(error)
    except UnicodeError:  # a label that is empty or too long, as in "a..example.com"
        problem = "this cannot be a host's name"
    else:
        addresses = [str(address[0]) for *_, address in found]
        return addresses if len(addresses) > 1 else [host]  # a link-local one is complete in what was given only
    raise httpcore.ConnectError(problem)


class _LimitedStream(httpcore.NetworkStream):
    """A connection. It outlives an exchange and serves the next; each brings its own limits."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        exchange = _exchange()
        data = self._stream.read(max_bytes, exchange.limited(timeout))
        exchange.count(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _exchange().limited(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _LimitedStream(self._stream.start_tls(ssl_context, server_hostname, _exchange().limited(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
