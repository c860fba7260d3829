"""A loopback server that answers exactly what a test scripts, down to the byte, as no well-behaved server would."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Received:
    """One request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]


@dataclass
class Call:
    """One connection, in the hands of a script."""

    connection: socket.socket
    server: "ScriptedServer"
    _buffer: bytes = field(default=b"", repr=False)

    def receive_head(self) -> Received:
        """Read as far as the blank line after the headers, and record the request."""
        while b"\r\n\r\n" not in self._buffer:
            self._read()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (text.partition(":") for text in fields)}
        received = Received(line, headers)
        self.server.requests.append(received)
        return received

    def receive(self) -> Received:
        """Read a whole request."""
        received = self.receive_head()
        length = int(received.headers.get("content-length", 0))
        while len(self._buffer) < length:
            self._read()
        received.body, self._buffer = self._buffer[:length], self._buffer[length:]
        return received

    @property
    def buffered(self) -> int:
        """Bytes that were read with the head and belong to the body."""
        return len(self._buffer)

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def wait_for_hang_up(self) -> bool:
        """Whether the client hung up before the test's end."""
        self.connection.settimeout(20)
        with suppress(OSError):
            while self.connection.recv(65536):
                pass
            return True
        return False

    def _read(self) -> None:
        data = self.connection.recv(65536)
        if not data:
            raise ConnectionError("the client hung up")
        self._buffer += data


Script = Callable[[Call], object] | bytes


class ScriptedServer:
    """The n-th connection is served by the n-th script, further ones by the last. Bytes: read a request, send them.

    A connection is closed when its script ends, so that every request is a connection of its own.
    """

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Received] = []
        self.ended = threading.Event()
        self._scripts = scripts
        self._tls = tls
        self._served = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> "ScriptedServer":
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in (self._accepting, *self._threads):
            thread.join(5)

    @property
    def url(self) -> str:
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                script = self._scripts[min(self._served, len(self._scripts) - 1)]
                self._served += 1
                thread = threading.Thread(target=self._serve, args=(connection, script), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket, script: Script) -> None:
        with suppress(OSError), connection:
            wrapped = connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True)
            with wrapped:
                call = Call(wrapped, self)
                if isinstance(script, bytes):
                    call.receive()
                    call.send(script)
                else:
                    script(call)


def answer(
    status: int = 200,
    content: object = None,
    *,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    content_type: str = "application/json",
) -> bytes:
    """A whole HTTP answer: ``content`` as JSON, or ``body`` as it is."""
    data = json.dumps(content).encode() if body is None else body
    fields = {"Content-Type": content_type, "Content-Length": str(len(data)), "Connection": "close", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Scripted\r\n{head}\r\n".encode() + data


@contextmanager
def refused_port() -> Iterator[int]:
    """A port of this machine that refuses connections: bound, so that nobody else gets it, and not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
