"""The fake server's HTTP: threads, connections, recorded requests, faults."""

import io
import json
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl, urlsplit

import msgspec

from cognee_dagster.testing import endpoints
from cognee_dagster.testing.answers import Answer, AnswerError, bad_request, unauthenticated
from cognee_dagster.testing.archive import Limits
from cognee_dagster.testing.faults import Fault, Faults, SpoiledBody, break_off, send_spoiled
from cognee_dagster.testing.multipart import Form, IncompleteBodyError, MalformedBodyError, Upload, parse, spool
from cognee_dagster.testing.pace import Pace, ServerKilledError
from cognee_dagster.testing.state import State
from cognee_dagster.testing.versions import Release

_UNGUARDED = ("/", "/health", "/openapi.json")


@dataclass
class RecordedRequest:
    """A request as it arrived. ``complete``: its whole body came; ``status``: what was answered, if anything was."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    fields: dict[str, str] = field(default_factory=dict)
    uploads: tuple[Upload, ...] = ()
    body_bytes: int = 0
    complete: bool = False
    status: int | None = None


class FakeServer:
    """A Cognee server's state behind its HTTP routes, on a free port of 127.0.0.1.

    Args:
        version: The Cognee release to be.
        limits: What archives may hold.
        pace: How long things take, whether there is an LLM.
    """

    def __init__(self, version: str, *, limits: Limits, pace: Pace) -> None:
        self.release = Release.of(version)
        self.limits = limits
        self.pace = pace
        self.faults = Faults()
        self.requests: list[RecordedRequest] = []
        self.defects: list[Exception] = []
        self.state = State()
        self._port = 0
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listens; after ``kill`` again on the same port. Imports that were running stay unfinished for ever."""
        self.pace = replace(self.pace, killed=threading.Event())  # what was killed keeps the old one, and stays dead
        for dataset in self.state.datasets.values():
            dataset.lock = threading.Lock()
        self._server = _Server(self, self._port)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def kill(self) -> None:
        """As SIGKILL: connections break without an answer, running imports stop where they are."""
        self.pace.killed.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.break_connections()
            self._server = None

    def restart(self) -> None:
        """``kill`` and ``start``."""
        self.kill()
        self.start()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, remote: FakeServer, port: int) -> None:
        self.remote = remote
        self._sockets: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._sockets.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._sockets.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: clients may hang up."""

    def break_connections(self) -> None:
        for connection in list(self._sockets):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = do_GET  # noqa: N815 - names that http.server looks for

    def _serve(self) -> None:
        remote = self.server.remote
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = RecordedRequest(self.command, url.path, dict(parse_qsl(url.query)), headers)
        remote.requests.append(request)
        fault = remote.faults.next_fault(request.method, request.path) or Fault()
        body: BinaryIO | None = None
        try:
            remote.pace.sleep(fault.delay)
            body = self._read_body(request, fault)
            answer = self._answer(remote, request, body) if fault.deliver else Answer(0, None)
        except AnswerError as error:
            answer = error.answer
        except (IncompleteBodyError, ServerKilledError, ConnectionError):
            self.close_connection = True
            return
        except Exception as error:  # a defect of the fake must not look like one of the server's many moods
            remote.defects.append(error)
            answer = Answer(500, {"detail": f"The fake remote itself failed: {error!r}"})
        finally:
            if body is not None and not request.uploads:
                body.close()
        if remote.pace.killed.is_set():
            self.close_connection = True
            return
        request.status = answer.status
        if fault == Fault():
            self._send(answer)
        else:
            self._send_spoiled(answer, fault)

    def _read_body(self, request: RecordedRequest, fault: Fault) -> BinaryIO:
        if fault.request_bytes == 0:
            break_off(self.connection)
        chunked = request.headers.get("transfer-encoding", "").lower() == "chunked"
        length = None if chunked else int(request.headers.get("content-length", "0"))
        body = spool(SpoiledBody(cast(Any, self.rfile), fault=fault, connection=self.connection), length=length)
        request.body_bytes = body.seek(0, 2)
        body.seek(0)
        request.complete = True
        return body

    def _answer(self, remote: FakeServer, request: RecordedRequest, body: BinaryIO) -> Answer:
        """The body has been read before the key is looked at, as on the real server."""
        if request.path in _UNGUARDED:
            return self._unguarded(remote, request)
        form, value = self._parsed(request, body)
        endpoint, segments = endpoints.route(request.method, request.path)
        user = remote.state.user_of_key(request.headers.get("x-api-key"))
        if user is None:
            raise unauthenticated()
        call = endpoints.Call(
            state=remote.state,
            release=remote.release,
            pace=remote.pace,
            limits=remote.limits,
            user=user,
            query=request.query,
            json=value,
            form=form,
        )
        return endpoint(call, *segments)

    def _unguarded(self, remote: FakeServer, request: RecordedRequest) -> Answer:
        if request.path == "/health":
            return endpoints.health(remote.release)
        if request.path == "/openapi.json":
            return endpoints.openapi(remote.release)
        return Answer(200, {"message": "Hello, World, I am alive!"})

    def _parsed(self, request: RecordedRequest, body: BinaryIO) -> tuple[Form | None, Any]:
        content_type = request.headers.get("content-type", "")
        if content_type.startswith("multipart/form-data"):
            try:
                form = parse(body, content_type)
            except (MalformedBodyError, UnicodeDecodeError) as error:
                raise bad_request("There was an error parsing the body") from error
            request.fields, request.uploads = form.fields, form.uploads
            return form, None
        if content_type.startswith("application/json"):
            return None, json.loads(body.read() or b"null")
        return None, None

    def _send(self, answer: Answer) -> None:
        payload = msgspec.json.encode(answer.body)  # NaN becomes null, as on the real server
        try:
            self.send_response(answer.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload)))
            if self.close_connection:
                self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(payload)
            self.wfile.flush()
        except OSError:
            self.close_connection = True

    def _send_spoiled(self, answer: Answer, fault: Fault) -> None:
        """The connection ends with the answer, so that a fault hits nothing but its request."""
        self.close_connection = True
        raw = fault.answer
        if raw is None:
            stream, self.wfile = self.wfile, io.BytesIO()
            self._send(answer)
            raw, self.wfile = self.wfile.getvalue(), stream
        with suppress(OSError, ServerKilledError):
            send_spoiled([raw], fault=fault, connection=self.connection, sleep=self.server.remote.pace.sleep)

    def date_time_string(self, timestamp: float | None = None) -> str:
        skewed = time.time() + self.server.remote.state.clock.skew if timestamp is None else timestamp
        return super().date_time_string(int(skewed))

    def version_string(self) -> str:
        return "uvicorn"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the stdlib's name
        """Quiet: tests look at ``requests``."""
