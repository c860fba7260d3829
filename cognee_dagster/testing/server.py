"""The fake server's HTTP: threads, connections, recorded requests; and ``FakeRemote``, which tests hold in hand."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import orjson

from cognee_dagster.testing import endpoints
from cognee_dagster.testing.answers import Answer, AnswerError, bad_request, unauthenticated
from cognee_dagster.testing.archive import Limits
from cognee_dagster.testing.graph import Graph
from cognee_dagster.testing.multipart import Form, IncompleteBodyError, MalformedBodyError, Upload, parse, spool
from cognee_dagster.testing.pace import Hold, Pace, ServerKilledError
from cognee_dagster.testing.state import IMPORT_PIPELINE, Dataset, Row, Run, State, User
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


class FakeRemote:
    """A Cognee server in this process, on a free port of 127.0.0.1.

    ::

        with FakeRemote() as remote:
            client = CogneeClient(Connection(url=remote.url, api_key=remote.api_key, …))

    Args:
        version: The Cognee release to be.
        limits: What archives may hold.
        pace: Keyword arguments of ``Pace``: how long things take, whether there is an LLM.
    """

    def __init__(self, version: str = "1.6.5", *, limits: Limits | None = None, **pace: Any) -> None:
        self.release = Release.of(version)
        self.limits = limits or Limits()
        self.pace = Pace(**pace)
        self.requests: list[RecordedRequest] = []
        self.defects: list[Exception] = []
        self.state = State()
        self.admin = self.add_user("admin@example.com", is_superuser=True)
        self._port = 0
        self._server: _Server | None = None

    # --- life --------------------------------------------------------------------------------------------------------

    def __enter__(self) -> "FakeRemote":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        if self.defects:
            raise AssertionError("The fake remote itself failed.") from self.defects[0]

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

    # --- what tests look at ------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def api_key(self) -> str:
        """The superuser's key."""
        return self.admin.api_key

    @property
    def runs(self) -> list[Row]:
        """All rows of pipeline runs and operations, newest first."""
        return sorted(self.state.rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)

    @property
    def uploads(self) -> list[RecordedRequest]:
        """Uploads whose whole body arrived."""
        return [r for r in self.requests if r.path == "/api/v1/remember" and r.method == "POST" and r.complete]

    def dataset(self, name: str, *, owner: User | None = None) -> Dataset:
        """Raises LookupError when there is none of that name."""
        found = self.state.dataset_named(name, owner or self.admin)
        if found is None:
            raise LookupError(f"The fake remote has no dataset {name!r}.")
        return found

    def graph(self, name: str, *, owner: User | None = None) -> Graph:
        return self.dataset(name, owner=owner).graph

    def documents(self, name: str, *, owner: User | None = None) -> dict[str, str]:
        """Texts by external id."""
        return {d.external_id: d.text for d in self.dataset(name, owner=owner).documents.values()}

    # --- what tests arrange ------------------------------------------------------------------------------------------

    def add_user(self, email: str, *, is_superuser: bool = False) -> User:
        user = User(email=email, api_key=f"key-of-{email}", is_superuser=is_superuser)
        self.state.users[email] = user
        return user

    def grant(self, dataset_name: str, user: User, *permissions: str, owner: User | None = None) -> None:
        """Lets ``user`` read, write, share or delete a dataset of ``owner``'s."""
        self.dataset(dataset_name, owner=owner).grants.setdefault(user.id, set()).update(permissions)

    @contextmanager
    def hold_imports(self) -> Iterator[Hold]:
        """Imports stop half-way, their run visible, until released or until the context ends."""
        hold = self.pace.hold = Hold()
        try:
            yield hold
        finally:
            self.pace.hold = None
            hold.release()

    def fail_next_import(self, error_class: str = "RuntimeError") -> None:
        """The next graph import ends as failed; in the foreground the request gets 409."""
        self.pace.next_failures.append(error_class)

    def close_abandoned_runs(self, *, min_age: float = 0.0) -> list[str]:
        """The recovery sweep: runs STARTED more than ``min_age`` seconds ago that never ended get a late ERRORED row.

        Returns:
            Their pipeline run ids.
        """
        limit = (self.state.clock.now() - timedelta(seconds=min_age)).replace(tzinfo=None).isoformat()
        ended = {row["pipeline_run_id"] for row in self.state.rows if row["ended_at"]}
        lost = [
            Run(
                state=self.state,
                pipeline=row["pipeline_name"],
                dataset=self.state.datasets[row["dataset_id"]],
                user=next(user for user in self.state.users.values() if user.id == row["user_id"]),
                id=row["pipeline_run_id"],
                started_at=row["started_at"],
            )
            for row in self.state.rows
            if row["pipeline_run_id"] not in ended
            and row["created_at"] < limit
            and row["dataset_id"] in self.state.datasets
        ]
        for run in lost:
            run.abandon()
        return [run.id for run in lost]

    def add_run(
        self, dataset_name: str, *, pipeline: str = IMPORT_PIPELINE, state: str = "STARTED", run_id: str | None = None
    ) -> str:
        """A run that somebody else's request left: rows only. ``state``: STARTED, COMPLETED or ERRORED.

        Returns:
            Its pipeline run id.
        """
        dataset = self.state.ensure_dataset(dataset_name, self.admin)
        run = Run(
            state=self.state, pipeline=pipeline, dataset=dataset, user=self.admin, id=run_id or str(uuid4())
        ).start()
        if state == "COMPLETED":
            run.complete()
        elif state == "ERRORED":
            run.fail("RuntimeError")
        return run.id


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, remote: FakeRemote, port: int) -> None:
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
        """A client that hangs up is no news."""

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
        body: BinaryIO | None = None
        try:
            body = self._read_body(request)
            answer = self._answer(remote, request, body)
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
        self._send(answer)

    def _read_body(self, request: RecordedRequest) -> BinaryIO:
        chunked = request.headers.get("transfer-encoding", "").lower() == "chunked"
        length = None if chunked else int(request.headers.get("content-length", "0"))
        body = spool(cast(Any, self.rfile), length=length)
        request.body_bytes = body.seek(0, 2)
        body.seek(0)
        request.complete = True
        return body

    def _answer(self, remote: FakeRemote, request: RecordedRequest, body: BinaryIO) -> Answer:
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

    def _unguarded(self, remote: FakeRemote, request: RecordedRequest) -> Answer:
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
        payload = orjson.dumps(answer.body)  # NaN becomes null, as on the real server
        try:
            self.send_response(answer.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)
            self.wfile.flush()
        except OSError:
            self.close_connection = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        skewed = time.time() + self.server.remote.state.clock.skew if timestamp is None else timestamp
        return super().date_time_string(int(skewed))

    def version_string(self) -> str:
        return "uvicorn"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the stdlib's name
        """Quiet: tests look at ``requests``."""
