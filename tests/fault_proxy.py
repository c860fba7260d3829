"""A proxy on loopback that spoils chosen requests on their way to a server, a real Cognee or a fake one.

::

    with FakeRemote() as remote, FaultProxy(remote.url) as proxy:
        proxy.on("/api/v1/remember", cut_answer(0))          # the first upload arrives, its answer does not
        proxy.on("/health", answer(503), None, answer(503))  # first and third; None lets one through
        ...
        assert proxy.uploads_delivered == 1

One request a connection, so that a fault hits nothing but its request.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import urlsplit

from cognee_dagster.testing.faults import UPLOADS, Fault, Faults, SpoiledBody, break_off, send_spoiled
from cognee_dagster.testing.multipart import BLOCK, IncompleteBodyError, body_blocks


@dataclass
class Passage:
    """One request as it came by. ``delivered``: the target got all of it; ``body``: what it got, if that is kept."""

    method: str
    path: str
    fault: Fault | None
    body_bytes: int = 0
    delivered: bool = False
    body: bytes = b""


class FaultProxy(Faults):
    """A proxy before ``target_url``, which may keep the bodies of requests. A context manager.

    Attributes:
        sleep: Takes the time that faults take.
    """

    def __init__(self, target_url: str, *, keeps_bodies: bool = False) -> None:
        super().__init__()
        self.keeps_bodies = keeps_bodies
        self.sleep: Callable[[float], None] = time.sleep
        target = urlsplit(target_url)
        self.target = (target.hostname or "127.0.0.1", target.port or 80)
        self.passages: list[Passage] = []
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

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Nobody listens: connections are refused, as by a server that is down or starting."""
        self._stop()
        try:
            yield
        finally:
            self._listen()

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
        sleep = self.server.proxy.sleep
        sleep(fault.delay)
        if fault.request_bytes == 0:
            break_off(self.connection)
        if not fault.deliver:
            for block in body_blocks(self.rfile, length=head.length):
                passage.body_bytes += len(block)
            send_spoiled([fault.answer or b""], fault=fault, connection=self.connection, sleep=sleep)
            return
        with socket.create_connection(self.server.proxy.target) as target:
            target.sendall(head.for_target())
            self._send_body(head, fault, passage, target)
            passage.delivered = True
            try:
                blocks = iter([fault.answer]) if fault.answer is not None else _answer_of(target)
                send_spoiled(blocks, fault=fault, connection=self.connection, sleep=sleep)
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
        spoiled = SpoiledBody(self.rfile, fault=fault, connection=self.connection, sleep=self.server.proxy.sleep)
        for block in body_blocks(spoiled, length=head.length):
            target.sendall(block if head.length is not None else b"%x\r\n%b\r\n" % (len(block), block))
            passage.body_bytes += len(block)
            if self.server.proxy.keeps_bodies:
                passage.body += block
        if head.length is None:
            target.sendall(b"0\r\n\r\n")


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
