"""Faults that a test switches on: what networks, load balancers and foreign servers do to a request.

::

    with FakeRemote() as remote:
        remote.faults.on(UPLOADS, drop_answer())             # the first upload is imported, its answer is lost
        remote.faults.on(HEALTH, answer(503), None, reset())  # the first and the third; None lets one through

Where a fault breaks a connection, it breaks as networks do: the client gets a reset, not an orderly end.
"""

import os
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from cognee_dagster.testing.multipart import Readable

HEALTH = "/health"
DATASETS = "/api/v1/datasets"
UPLOADS = "/api/v1/remember"
RUNS = "/api/v1/activity/pipeline-runs"
SEARCHES = "/api/v1/search"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to a request. Times are seconds, amounts bytes; the default is nothing at all.

    Attributes:
        delay: Wait before the request is served.
        request_bytes: Break the connection after so much of the request's body; None: take all.
        upload_rate: Take the body in no faster than so many bytes a second.
        answer: Answer so instead of the server. ``deliver``: the server gets the request first.
        deliver: Whether the server gets the request.
        answer_delay: Wait before the answer is sent.
        answer_bytes: Break the connection after so much of the answer; None: send all.
        drip: Send the answer byte by byte, with this pause between two.
    """

    delay: float = 0.0
    request_bytes: int | None = None
    upload_rate: float | None = None
    answer: bytes | None = None
    deliver: bool = True
    answer_delay: float = 0.0
    answer_bytes: int | None = None
    drip: float | None = None


def reset() -> Fault:
    """The connection breaks before the request is taken in."""
    return Fault(request_bytes=0)


def cut_request(after: int) -> Fault:
    """The connection breaks in the middle of the upload."""
    return Fault(request_bytes=after)


def cut_answer(after: int) -> Fault:
    """The whole request arrives; the answer breaks off after so many bytes, 0: before it begins."""
    return Fault(answer_bytes=after)


def drop_answer() -> Fault:
    """The request is served, and its answer never arrives."""
    return cut_answer(0)


def delay(seconds: float) -> Fault:
    """The request is served late."""
    return Fault(delay=seconds)


def delay_answer(seconds: float) -> Fault:
    """The answer comes late."""
    return Fault(answer_delay=seconds)


def drip(pause: float) -> Fault:
    """The answer comes byte by byte."""
    return Fault(drip=pause)


def slow_upload(rate: float) -> Fault:
    """The body is taken in at no more than ``rate`` bytes a second."""
    return Fault(upload_rate=rate)


def answer(
    status: int, body: bytes | str = b"", *, headers: Mapping[str, str] | None = None, deliver: bool = False
) -> Fault:
    """An answer from somebody else, such as a gateway's 503.

    Args:
        status: The HTTP status.
        body: The body, by default empty.
        headers: More headers, or others than those of JSON.
        deliver: Answer so once the server has served the whole request, as a gateway's 504 does.
    """
    content = body.encode() if isinstance(body, str) else body
    fields = {"content-type": "application/json", "content-length": str(len(content)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    raw = f"HTTP/1.1 {status} Fault\r\n{head}connection: close\r\n\r\n".encode() + content
    return Fault(answer=raw, deliver=deliver)


def server_failed() -> Fault:
    """A passing failure of Cognee's own, with which 1.6.5 was seen to answer a read and a deletion that were right."""
    return answer(500, "Internal Server Error", headers={"content-type": "text/plain; charset=utf-8"})


def html(status: int = 200) -> Fault:
    """The page of a login portal or of a proxy that is out of order."""
    page = "<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>"
    return answer(status, page, headers={"content-type": "text/html"})


def redirect(location: str, status: int = 307) -> Fault:
    """An answer that sends the client elsewhere, where its key has no business."""
    return answer(status, headers={"location": location})


@dataclass
class _Rule:
    path: re.Pattern[str]
    method: str | None
    faults: list[Fault | None]
    for_ever: bool


@dataclass
class Faults:
    """Which requests meet which faults."""

    _rules: list[_Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def on(self, path: str, *faults: Fault | None, method: str | None = None) -> None:
        """The next requests of that path (a regular expression, matched whole) meet these faults, one after another."""
        self._rules.append(_Rule(re.compile(path), method, list(faults), for_ever=False))

    def always(self, path: str, fault: Fault, *, method: str | None = None) -> None:
        """All requests of that path meet this fault, once all faults set by ``on`` are used up."""
        self._rules.append(_Rule(re.compile(path), method, [fault], for_ever=True))

    def clear(self) -> None:
        """No more faults."""
        self._rules.clear()

    def next_fault(self, method: str, path: str) -> Fault | None:
        """The fault for this request, used up by asking."""
        with self._lock:
            fitting = [r for r in self._rules if r.path.fullmatch(path) and r.method in (None, method) and r.faults]
            rule = min(fitting, key=lambda rule: rule.for_ever, default=None)
            if rule is None:
                return None
            return rule.faults[0] if rule.for_ever else rule.faults.pop(0)


class SpoiledBody:
    """A request's body as the fault lets it in.

    Raises:
        ConnectionResetError: From ``read``, once the fault has cut the body off; ``connection`` is closed then.
    """

    def __init__(
        self,
        source: Readable,
        *,
        fault: Fault,
        connection: socket.socket,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._source, self._fault, self._connection, self._sleep = source, fault, connection, sleep or time.sleep
        self._left = fault.request_bytes

    def read(self, size: int = -1, /) -> bytes:
        if self._left == 0:
            break_off(self._connection)
        block = self._source.read(size if self._left is None else min(size, self._left))
        if self._left is not None:
            self._left -= len(block)
        if self._fault.upload_rate:
            self._sleep(len(block) / self._fault.upload_rate)
        return block

    def readline(self, size: int = -1, /) -> bytes:
        return self._source.readline(size)


def send_spoiled(
    blocks: Iterable[bytes], *, fault: Fault, connection: socket.socket, sleep: Callable[[float], None] | None = None
) -> None:
    """Send an answer as the fault lets it out.

    Raises:
        ConnectionResetError: The fault has cut the answer off; ``connection`` is closed.
    """
    left = fault.answer_bytes
    unsent = iter(blocks)
    block = next(unsent, b"") if left != 0 else b""
    pause = sleep or time.sleep
    pause(fault.answer_delay)
    while block and left != 0:
        part = block[:left]
        for piece in [part] if fault.drip is None else [part[i : i + 1] for i in range(len(part))]:
            connection.sendall(piece)
            pause(fault.drip or 0)
        left = None if left is None else left - len(part)
        block = next(unsent, b"")
    if fault.answer_bytes is not None:
        break_off(connection)


def break_off(connection: socket.socket) -> None:
    """Reset a connection; closing it in the usual way would end it in good order.

    Raises:
        ConnectionResetError: Always: there is nothing more to read or to write.
    """
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())
    raise ConnectionResetError
