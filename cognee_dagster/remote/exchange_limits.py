"""The limits of one exchange with a server: seconds and bytes from the first to the last, whatever the bytes mean.

A read timeout only limits the pause between two reads. A server that drips a byte a minute, or sends interim answers
(1xx), headers or trailers without end, never trips it, and what a decompressor swallows before it gives a byte is not
seen by who counts what comes out. So the limits are kept where all of that passes: at the connection's own reads.
"""

import re
import socket
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar, Token
from ssl import SSLContext
from types import TracebackType
from typing import Any

import httpcore

_MOMENT = 0.001  # seconds: a socket's timeout of 0 would mean "do not wait at all"
_PER_ADDRESS = 2.0  # seconds: time for a SYN that was lost to be sent again

# "100 Continue", once or a few times; more of it is a drip like any other.
_GO_ON = re.compile(rb"(?:HTTP/1\.[01] 100[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n)+")
_GO_ON_BYTES = 256


class Exchange:
    """The limits of the exchange that is under way in this thread; a context manager, entered once.

    Args:
        seconds: From now until the last byte of the answer has been read; None: any time.
        max_bytes: How much may be received.
        answer_within: From the first byte of the answer, an interim one included, to its last; for who may be silent
            before that for as long as he likes. None: no other limit than ``seconds``.
        secured_within: Until TLS stands, a proxy's leave for it included; for who sets no ``seconds``. None: any time.
        on_connect: Called with the socket when a connection is made for this exchange.
    """

    def __init__(
        self,
        *,
        seconds: float | None,
        max_bytes: int,
        answer_within: float | None = None,
        secured_within: float | None = None,
        on_connect: Callable[[socket.socket], None] | None = None,
    ) -> None:
        self.seconds = secured_within if seconds is None else seconds
        self.max_bytes = max_bytes
        self.on_connect = on_connect
        self._ends_at = None if self.seconds is None else time.monotonic() + self.seconds
        self._is_to_be_secured = seconds is None and secured_within is not None
        self._answer_within = answer_within
        self._beginning = b""
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

    def count(self, data: bytes) -> None:
        """Note that these bytes came.

        Raises:
            httpcore.ReadError: They are too many.
        """
        self._received += len(data)
        if self.too_long:
            raise httpcore.ReadError(f"more than {self.max_bytes:,} bytes were received")
        if self._answer_within is not None and not self._is_to_be_secured and len(self._beginning) <= _GO_ON_BYTES:
            self._beginning += data[: _GO_ON_BYTES + 1]
            self._limit_answer(self._answer_within)

    def is_secured(self) -> None:
        """What came so far was a proxy's: the answer is still to begin."""
        if self._is_to_be_secured or self._answer_within is not None:
            self._is_to_be_secured = False
            self._beginning, self.seconds, self._ends_at = b"", None, None

    def _limit_answer(self, within: float) -> None:
        """The answer has begun, unless all that came is a server's leave to go on sending, which says nothing of it."""
        go_on = len(self._beginning) <= _GO_ON_BYTES and _GO_ON.fullmatch(self._beginning)
        if go_on:
            self.seconds, self._ends_at = None, None
        elif self._ends_at is None:
            self.seconds, self._ends_at = within, time.monotonic() + within


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
        """A connection to the first of the host's addresses that answers; all of them together have ``timeout``.

        Each has its share of what is left, so that one which swallows packets leaves time for the next.
        """
        exchange = _exchange()
        failure: httpcore.NetworkError | httpcore.TimeoutException = httpcore.ConnectError("the name has no address")
        addresses = _addresses(host, port)
        ends_at = None if timeout is None else time.monotonic() + timeout
        for index, address in enumerate(addresses):
            share = None
            if ends_at is not None:
                left = ends_at - time.monotonic()
                if left <= 0 and index:
                    break
                share = min(max(left / (len(addresses) - index), _PER_ADDRESS), max(left, _MOMENT))
            try:
                within = exchange.limited(share)
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
        exchange.count(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _exchange().limited(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        exchange = _exchange()
        secured = self._stream.start_tls(ssl_context, server_hostname, exchange.limited(timeout))
        exchange.is_secured()
        return _LimitedStream(secured)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
