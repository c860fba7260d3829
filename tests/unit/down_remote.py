"""A remote that goes down and stays down, in virtual time: packets swallowed, or no answer, cost no time here."""

import math
import socket
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import httpcore
import pytest

from cognee_dagster.pushing.delivery.unanswered import recovery, run_lookup
from cognee_dagster.remote import exchange_limits, retry, upload


class VirtualTime:
    """Stands in for ``time``: it passes only while somebody sleeps, or waits for the remote that is down."""

    MODULES: tuple[ModuleType, ...] = (exchange_limits, retry, upload, recovery, run_lookup)

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    def time(self) -> float:
        return 1_800_000_000.0 + self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds

    def stop(self) -> threading.Event:
        """What a push waits with, so that its pauses are virtual, too."""
        clock = self

        class Stop(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                clock.sleep(timeout or 0.0)
                return self.is_set()

        return Stop()


Down = Callable[["DownRemote", float], "bytes | None"]


def silent(remote: "DownRemote", within: float) -> None:
    """It takes the request, and never answers."""
    assert within < math.inf, "this would be waited for without end"
    remote.clock.sleep(within)
    raise httpcore.ReadTimeout("silence")


def late(seconds: float, body: bytes, *, status: bytes = b"200 OK") -> Down:
    """It is slow, and answers."""

    def answer(remote: "DownRemote", within: float) -> bytes:
        if within < seconds:
            silent(remote, within)
        remote.clock.sleep(seconds)
        head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        return head % (status, len(body)) + body

    return answer


def in_turn(*answers: Down) -> Down:
    """One after another, the last one again and again."""
    left = list(answers)

    def answer(remote: "DownRemote", within: float) -> bytes | None:
        return (left.pop(0) if len(left) > 1 else left[0])(remote, within)

    return answer


def unavailable(retry_after: int) -> Down:
    """A proxy's answer for a server that is down."""

    def answer(remote: "DownRemote", _: float) -> bytes:
        return b"HTTP/1.1 503 Down\r\nContent-Length: 0\r\nConnection: close\r\nRetry-After: %d\r\n\r\n" % retry_after

    return answer


class DownRemote:
    """Between the client and a server: up until a request for some path comes, and down for good from then on.

    Args:
        clock: The time.
        how: What is received when it is down; None: packets are swallowed.
        since: The path whose first request takes it down; empty: it is down from the beginning.
        addresses: How many addresses the host has.
    """

    def __init__(self, clock: VirtualTime, how: Down | None, *, since: str = "", addresses: int = 1) -> None:
        self.clock = clock
        self.how = how
        self.is_down = not since
        self.asked: list[bytes] = []
        self._since = since.encode()
        self._addresses = addresses
        self._connect = httpcore.SyncBackend.connect_tcp

    def install(self, patch: pytest.MonkeyPatch) -> None:
        for module in VirtualTime.MODULES:
            patch.setattr(module, "time", self.clock)
        patch.setattr(
            exchange_limits, "_addresses", lambda host, port: [host] * (self._addresses if self.is_down else 1)
        )
        patch.setattr(httpcore.SyncBackend, "connect_tcp", lambda _, *args: self.connect(*args))

    def connect(self, host: str, port: int, timeout: float, *options: Any) -> httpcore.NetworkStream:
        if self.is_down and self.how is None:
            self.clock.sleep(timeout)
            raise httpcore.ConnectTimeout("swallowed")
        stream = None if self.is_down else self._connect(httpcore.SyncBackend(), host, port, 20.0, *options)
        return _Line(self, stream)

    def receive(self, within: float) -> bytes:
        if self.how is None:
            silent(self, within)
        return (self.how and self.how(self, within)) or b""

    def saw(self, data: bytes) -> None:
        if data.startswith((b"GET ", b"POST ")):
            self.asked.append(data.split(b" ", 2)[1].partition(b"?")[0])
            self.is_down = self.is_down or self.asked[-1] == self._since


class _Line(httpcore.NetworkStream):
    """A connection, through to the server for as long as that is up."""

    def __init__(self, remote: DownRemote, stream: httpcore.NetworkStream | None) -> None:
        self._remote, self._stream = remote, stream
        self._own, self._other = socket.socketpair()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._remote.is_down or self._stream is None:
            return self._remote.receive(math.inf if timeout is None else timeout)
        return self._stream.read(max_bytes, 20.0)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._remote.saw(buffer)
        if self._stream is not None and not self._remote.is_down:
            self._stream.write(buffer, 20.0)
        elif self._remote.how in (None, silent) and b"cogx-archive" in buffer:
            self._remote.clock.sleep(timeout or 0.0)
            raise httpcore.WriteTimeout("nothing is taken in")  # of a large body; a small one is taken by the network

    def close(self) -> None:
        for connection in (self._own, self._other, self._stream):
            if connection is not None:
                connection.close()

    def get_extra_info(self, info: str) -> Any:
        return self._own if info == "socket" else False if info == "is_readable" else None
