"""A proxy on loopback that spoils chosen requests: what networks, load balancers and foreign servers do to a push.

::

    with FakeRemote() as remote, FaultProxy(remote.url) as proxy:
        proxy.on("/api/v1/remember", cut_answer(0))          # the first upload arrives, its answer does not
        proxy.on("/health", answer(503), None, answer(503))  # first and third; None lets one through
        ...
        assert proxy.uploads_delivered == 1

One request a connection, so that a fault hits nothing but its request.
"""

import os
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import urlsplit

from cognee_dagster.testing.multipart import BLOCK, IncompleteBodyError, body_blocks

UPLOADS = "/api/v1/remember"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to a request. Times are seconds, amounts bytes; the default is nothing at all.

    Attributes:
        delay: Wait before the request is passed on.
        request_bytes: Break both connections after so much of the request's body; None: pass it all.
        upload_rate: Take the body in no faster than so many bytes a second.
        answer: Answer so instead of passing the target's answer on. ``deliver``: the target gets the request first.
        deliver: Whether the target gets the request.
        answer_delay: Wait before the answer is passed on.
        answer_bytes: Break the client's connection after so much of the answer; None: pass it all.
        drip: Pass the answer on byte by byte, with this pause between two.
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
    """The connection breaks before anything is passed on."""
    return Fault(request_bytes=0)


def cut_request(after: int) -> Fault:
    """The connections break in the middle of the upload."""
    return Fault(request_bytes=after)


def cut_answer(after: int) -> Fault:
    """The whole request arrives; the answer breaks off after so many bytes, 0: before it begins."""
    return Fault(answer_bytes=after)


def delay(seconds: float) -> Fault:
    """The request is passed on late."""
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
    """The proxy answers itself. ``deliver``: once the target got the whole request, as a gateway's 504 does."""
    content = body.encode() if isinstance(body, str) else body
    fields = {"content-type": "application/json", "content-length": str(len(content)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    raw = f"HTTP/1.1 {status} Fault\r\n{head}connection: close\r\n\r\n".encode() + content
    return Fault(answer=raw, deliver=deliver)


def html(status: int = 200) -> Fault:
    """The page of a login portal or of a proxy that is out of order."""
    page = "<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>"
    return answer(status, page, headers={"content-type": "text/html"})


def redirect(location: str, status: int = 307) -> Fault:
    """Sends the client elsewhere, where its key has no business."""
    return answer(status, headers={"location": location})


@dataclass
class Passage:
    """One request as it came by. ``delivered``: the target got all of it."""

    method: str
    path: str
    fault: Fault | None
    body_bytes: int = 0
    delivered: bool = False


@dataclass
class _Rule:
    path: re.Pattern[str]
    method: str | None
    faults: list[Fault | None]
    for_ever: bool


class FaultProxy:
    """Stands before ``target_url``. A context manager."""

    def __init__(self, target_url: str) -> None:
        target = urlsplit(target_url)
        self.target = (target.hostname or "127.0.0.1", target.port or 80)
        self.passages: list[Passage] = []
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self._port = 0
        self._server: _Server | None = None

    def __enter__(self) -> "FaultProxy":
        self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def uploads_delivered(self) -> int:
        """How many uploads reached the target whole."""
        return sum(passage.delivered for passage in self.passages if passage.path == UPLOADS)

    def on(self, path: str, *faults: Fault | None, method: str | None = None) -> None:
        """The next requests of that path (a regular expression, matched whole) meet these faults, one after another."""
        self._rules.append(_Rule(re.compile(path), method, list(faults), for_ever=False))

    def always(self, path: str, fault: Fault, *, method: str | None = None) -> None:
        """All requests of that path meet this fault, once all faults set by ``on`` are used up."""
        self._rules.append(_Rule(re.compile(path), method, [fault], for_ever=True))

    def clear(self) -> None:
        """No more faults."""
        self._rules.clear()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Nobody listens: connections are refused, as by a server that is down or starting."""
        self._stop()
        try:
            yield
        finally:
            self._listen()

    def next_fault(self, method: str, path: str) -> Fault | None:
        """The fault for this request, used up by asking."""
        with self._lock:
            fitting = [r for r in self._rules if r.path.fullmatch(path) and r.method in (None, method) and r.faults]
            rule = min(fitting, key=lambda rule: rule.for_ever, default=None)
            if rule is None:
                return None
            return rule.faults[0] if rule.for_ever else rule.faults.pop(0)

    def _listen(self) -> None:
        self._server = _Server(self, self._port)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def _stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, proxy: FaultProxy, port: int) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", port), _Passing)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are this proxy's trade."""


@dataclass
class _Head:
    """A request's first lines, and how long its body is; None: chunked."""

    method: str
    path: str
    lines: list[bytes] = field(default_factory=list)
    length: int | None = 0

    def for_target(self) -> bytes:
        kept = [line for line in self.lines if not line.lower().startswith(b"connection:")]
        return b"".join([kept[0], b"connection: close\r\n", *kept[1:], b"\r\n"])


class _Passing(StreamRequestHandler):
    disable_nagle_algorithm = True
    server: _Server

    def handle(self) -> None:
        proxy = self.server.proxy
        head = self._read_head()
        if head is None:
            return
        fault = proxy.next_fault(head.method, head.path)
        passage = Passage(head.method, head.path, fault)
        proxy.passages.append(passage)
        with suppress(OSError, IncompleteBodyError):
            self._pass(head, fault or Fault(), passage)

    def _pass(self, head: _Head, fault: Fault, passage: Passage) -> None:
        time.sleep(fault.delay)
        if fault.request_bytes == 0:
            self._break()
        if not fault.deliver:
            for block in body_blocks(self.rfile, length=head.length):
                passage.body_bytes += len(block)
            self._answer(fault, iter([fault.answer or b""]))
            return
        with socket.create_connection(self.server.proxy.target) as target:
            target.sendall(head.for_target())
            self._send_body(head, fault, passage, target)
            passage.delivered = True
            try:
                self._answer(fault, iter([fault.answer]) if fault.answer is not None else _answer_of(target))
            finally:
                _drain(target)

    def _read_head(self) -> _Head | None:
        first = self.rfile.readline(65536)
        if not first.strip():
            return None
        method, path = first.decode("latin-1").split(" ")[:2]
        head = _Head(method, urlsplit(path).path, [first])
        while (line := self.rfile.readline(65536)).strip():
            head.lines.append(line)
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                head.length = int(value)
            elif name.lower() == b"transfer-encoding":
                head.length = None
        return head

    def _send_body(self, head: _Head, fault: Fault, passage: Passage, target: socket.socket) -> None:
        left = fault.request_bytes
        for block in body_blocks(self.rfile, length=head.length):
            part = block if left is None else block[:left]
            target.sendall(part if head.length is not None else b"%x\r\n%b\r\n" % (len(part), part))
            passage.body_bytes += len(part)
            if left is not None:
                left -= len(part)
                if left <= 0:
                    self._break()
            if fault.upload_rate:
                time.sleep(len(part) / fault.upload_rate)
        if head.length is None:
            target.sendall(b"0\r\n\r\n")

    def _answer(self, fault: Fault, blocks: Iterator[bytes]) -> None:
        left = fault.answer_bytes
        first = next(blocks, b"") if left != 0 else b""
        time.sleep(fault.answer_delay)
        while first and left != 0:
            part = first if left is None else first[:left]
            for piece in [part] if fault.drip is None else [part[i : i + 1] for i in range(len(part))]:
                self.connection.sendall(piece)
                time.sleep(fault.drip or 0)
            left = None if left is None else left - len(part)
            first = next(blocks, b"")
        if fault.answer_bytes is not None:
            self._break()

    def _break(self) -> None:
        """As a network does: the client gets a reset, no orderly end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())  # at once: the server's own way would say goodbye first
        raise ConnectionResetError


def _answer_of(target: socket.socket) -> Iterator[bytes]:
    """The target's answer until it closes, with word that this connection ends, too."""
    told = False
    while block := target.recv(BLOCK):
        if told:
            yield block
        else:
            status, _, rest = block.partition(b"\r\n")
            yield status + b"\r\nconnection: close\r\n" + rest
            told = True


def _drain(target: socket.socket) -> None:
    """Stays on until the target is done: uvicorn drops a body whose sender is gone before the application read it."""
    with suppress(OSError):
        while target.recv(BLOCK):
            pass
