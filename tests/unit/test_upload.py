"""An upload: what it sends, when its body is out, how it ends, and that it can be hung up at any moment."""

import email
import email.policy
import logging
import os
import signal
import socket
import ssl
import threading
import time
import traceback
import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import SecretStr

from cognee_dagster.errors import (
    ArchiveError,
    InvalidTargetError,
    RemoteAuthError,
    RemoteError,
    RemoteRejectedError,
    RemoteUnreachableError,
    UnexpectedAnswerError,
)
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import Connection
from cognee_dagster.remote.transport import Timeouts
from cognee_dagster.remote.upload import Upload
from tests.unit.scripted_server import Call, Received, ScriptedServer, answer, refused_port

KEY = "ck_marker_0123456789"
DONE = answer(200, {"status": "completed", "items": [{"kind": "migration_import"}]})
LIMIT = 20.0  # seconds that nothing here may come near, also on a busy machine


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "a graph.cogx.tar.gz"
    path.write_bytes(bytes(range(256)) * 1024)
    return path


@pytest.fixture
def large_archive(tmp_path: Path) -> Path:
    """Far more than the buffers of two sockets hold."""
    path = tmp_path / "large.cogx.tar.gz"
    with path.open("wb") as file:
        file.truncate(64 * 2**20)
    return path


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("cognee-upload")]
    for thread in left:
        thread.join(2)
    assert not [thread for thread in left if thread.is_alive()]


def client_of(url: str, *, timeouts: Timeouts | None = None, ca_bundle: Path | None = None) -> CogneeClient:
    return CogneeClient(Connection(url=url, api_key=SecretStr(KEY), ca_bundle=ca_bundle), timeouts=timeouts)


def begin(url: str, archive: Path, *, timeouts: Timeouts | None = None, **options: Any) -> Upload:
    with client_of(url, timeouts=timeouts) as client:
        return client.upload(archive, **{"dataset_name": "abc", "mode": "preserve", **options})


def failure_of(upload: Upload) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        upload.wait(LIMIT)
    error: BaseException | None = caught.value
    assert KEY not in "".join(traceback.format_exception(caught.value))
    while error is not None:
        assert KEY not in repr((error, error.args, {name: repr(value) for name, value in vars(error).items()}))
        assert not hasattr(error, "request"), "an HTTP request hangs on the error, and the key on that"
        error = error.__cause__ or error.__context__
    return caught.value


def parts_of(request: Received) -> dict[str, bytes]:
    """The form's fields, by an independent parser; the file as ``data``."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + request.body, policy=email.policy.HTTP)
    found: dict[str, bytes] = {}
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        name = part["content-disposition"].params["name"]
        found[name] = content
        if name == "data":
            found["type of data"] = part.get_content_type().encode()
    return found


class TestWhatIsSent:
    @pytest.mark.parametrize(("run_in_background", "text"), [(False, b"false"), (True, b"true")])
    def test_the_form_is_that_of_an_archive_import(self, archive: Path, run_in_background: bool, text: bytes) -> None:
        with ScriptedServer(DONE) as server:
            upload = begin(server.url, archive, mode="hybrid", run_in_background=run_in_background)
            assert upload.wait(LIMIT) == {"status": "completed", "items": [{"kind": "migration_import"}]}
        (request,) = server.requests
        assert request.line == "POST /api/v1/remember HTTP/1.1"
        assert request.headers["x-api-key"] == KEY
        assert "transfer-encoding" not in request.headers, "the length is known: a proxy may insist on it"
        assert int(request.headers["content-length"]) == len(request.body) == upload.total_bytes
        assert parts_of(request) == {
            "datasetName": b"abc",
            "content_type": b"cogx-archive",
            "import_mode": b"hybrid",
            "run_in_background": text,
            "data": archive.read_bytes(),
            "type of data": b"application/gzip",
        }

    @pytest.mark.parametrize("name", ["Übung", "名前", "a/b", 'a"b', "x" * 300])
    def test_any_name_that_the_remote_takes_arrives_as_it_is(self, archive: Path, name: str) -> None:
        with ScriptedServer(DONE) as server:
            begin(server.url, archive, dataset_name=name).wait(LIMIT)
        assert parts_of(server.requests[0])["datasetName"].decode() == name

    def test_a_name_that_it_refuses_is_refused_before_anything_is_sent(self, archive: Path) -> None:
        with ScriptedServer(DONE) as server, pytest.raises(InvalidTargetError, match="target_dataset"):
            begin(server.url, archive, dataset_name="a b")
        assert server.requests == []

    def test_an_archive_that_is_not_there_is_told_at_once(self, tmp_path: Path) -> None:
        with ScriptedServer(DONE) as server, pytest.raises(FileNotFoundError):
            begin(server.url, tmp_path / "none.cogx.tar.gz")
        assert server.requests == []

    def test_progress_grows_to_the_whole_body(self, archive: Path) -> None:
        seen: list[tuple[int, int]] = []
        with ScriptedServer(DONE) as server:
            upload = begin(server.url, archive, progress=lambda sent, total: seen.append((sent, total)))
            upload.wait(LIMIT)
        assert [sent for sent, _ in seen] == sorted({sent for sent, _ in seen})
        assert seen[-1] == (upload.total_bytes, upload.total_bytes)
        assert upload.sent_bytes == upload.total_bytes
        assert {total for _, total in seen} == {upload.total_bytes}

    def test_memory_stays_flat(self, large_archive: Path) -> None:
        def swallow(call: Call) -> None:
            left = int(call.receive_head().headers["content-length"]) - call.buffered
            while left > 0:
                left -= len(call.connection.recv(2**20))
            call.send(DONE)

        tracemalloc.start()
        try:
            with ScriptedServer(swallow) as server:
                assert begin(server.url, large_archive).wait(3 * LIMIT) is not None
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 8 * 2**20, "for a body of 64 MiB"


class TestBodySent:
    def test_it_is_set_when_the_last_byte_is_out_and_not_before(self, large_archive: Path) -> None:
        read_on = threading.Event()

        def hesitate(call: Call) -> None:
            call.receive_head()
            read_on.wait(LIMIT)
            call.wait_for_hang_up()

        began = datetime.now(timezone.utc)
        with ScriptedServer(hesitate) as server, begin(server.url, large_archive) as upload:
            assert upload.wait(0.5) is None
            assert not upload.body_sent.is_set()
            assert upload.body_sent_at is None
            assert 0 < upload.sent_bytes < upload.total_bytes
            read_on.set()
            assert upload.body_sent.wait(LIMIT)
            assert upload.sent_bytes == upload.total_bytes
            assert upload.body_sent_at is not None
            assert began < upload.body_sent_at <= datetime.now(timezone.utc)

    def test_a_proxys_own_exchange_before_ours_does_not_count(
        self, archive: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A tunnel begins with a request to the proxy, whose body is sent long before ours."""
        with ScriptedServer(answer(502)) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            monkeypatch.setenv("https_proxy", proxy.url)
            upload = begin("https://cognee.invalid", archive)
            error = failure_of(upload)
        assert proxy.requests[0].line.startswith("CONNECT ")
        assert not upload.body_sent.is_set()
        assert (error.body_sent, error.retryable) == (False, True)


def in_mid_body(call: Call) -> None:
    """A script that reads a little and breaks the connection."""
    call.receive_head()
    call.connection.recv(4096)
    call.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


class TestFailures:
    @pytest.mark.parametrize(
        ("cut", "kind", "retryable"),
        [
            (b"", RemoteUnreachableError, True),
            (b"HTTP/1.1 200 OK\r\nConte", RemoteUnreachableError, True),
            (DONE[:-5], RemoteUnreachableError, True),
            (answer(200, body=b""), UnexpectedAnswerError, False),
            (answer(200, body=b'{"status": "compl'), UnexpectedAnswerError, False),
            (answer(200, body=b"<html>", content_type="text/html"), UnexpectedAnswerError, False),
            (answer(200, ["completed"]), UnexpectedAnswerError, False),
            (answer(502, body=b"<html>", content_type="text/html"), RemoteUnreachableError, True),
            (answer(504), RemoteUnreachableError, True),
            (answer(429, headers={"Retry-After": "9"}), RemoteUnreachableError, True),
            (answer(400, {"error": "Invalid COGX archive."}), RemoteRejectedError, False),
            (answer(401, {"detail": "no"}), RemoteAuthError, False),
            (answer(409, {"error": "An error occurred during COGX archive import."}), RemoteRejectedError, False),
            (answer(413), RemoteRejectedError, False),
            (answer(307, headers={"Location": "https://elsewhere.example.com/"}), UnexpectedAnswerError, False),
        ],
    )
    def test_an_answer_lost_or_refused_after_the_body_says_that_the_body_was_sent(
        self, archive: Path, cut: bytes, kind: type[RemoteError], retryable: bool
    ) -> None:
        with ScriptedServer(cut) as server:
            upload = begin(server.url, archive)
            error = failure_of(upload)
        assert (type(error), error.retryable, error.body_sent) == (kind, retryable, True)
        assert len(server.requests) == 1, "an upload is never repeated by itself"
        for part in (server.url, "'abc'"):
            assert part in str(error)

    def test_retry_after_is_handed_on(self, archive: Path) -> None:
        with ScriptedServer(answer(503, headers={"Retry-After": "9"})) as server:
            assert failure_of(begin(server.url, archive)).retry_after == 9.0

    def test_a_break_in_mid_body_says_that_it_was_not_sent(self, large_archive: Path) -> None:
        with ScriptedServer(in_mid_body) as server:
            error = failure_of(begin(server.url, large_archive))
        assert isinstance(error, RemoteUnreachableError)
        assert (error.body_sent, error.retryable) == (False, True)

    def test_a_refusal_in_mid_body_is_heard(self, large_archive: Path) -> None:
        """A proxy with a limit answers at once and reads no further."""

        def refuse(call: Call) -> None:
            call.receive_head()
            call.send(answer(413))
            call.connection.shutdown(socket.SHUT_WR)
            call.wait_for_hang_up()

        timeouts = Timeouts(write=LIMIT)
        with ScriptedServer(refuse) as server:
            error = failure_of(begin(server.url, large_archive, timeouts=timeouts))
        assert error.status == 413

    def test_a_success_in_mid_body_is_none(self, large_archive: Path) -> None:
        """Whoever answers so has not seen the archive."""

        def succeed(call: Call) -> None:
            call.receive_head()
            call.send(DONE)
            call.connection.shutdown(socket.SHUT_WR)
            call.server.ended.wait(0.5)

        with ScriptedServer(succeed) as server:
            error = failure_of(begin(server.url, large_archive, timeouts=Timeouts(write=LIMIT)))
        assert isinstance(error, UnexpectedAnswerError)
        assert "before it was sent the whole archive" in str(error)
        assert not error.body_sent

    def test_a_refused_connection_says_that_nothing_was_sent(self, archive: Path) -> None:
        with refused_port() as port:
            error = failure_of(begin(f"http://127.0.0.1:{port}", archive))
        assert isinstance(error, RemoteUnreachableError)
        assert (error.body_sent, error.retryable) == (False, True)

    @pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 Fine\r\n"])
    def test_a_proxy_that_gives_no_leave_to_go_through_is_a_timeout(
        self, archive: Path, monkeypatch: pytest.MonkeyPatch, beginning: bytes
    ) -> None:
        """An import may take any time, and nothing of it has begun: it took ten minutes, which are for slow uploads."""

        def hold_up(call: Call) -> None:
            call.receive_head()
            call.send(beginning)
            call.server.ended.wait(LIMIT)

        with ScriptedServer(hold_up) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            error = failure_of(begin("https://cognee.invalid", archive, timeouts=Timeouts(write=0.3)))
        assert proxy.requests[0].line.startswith("CONNECT ")
        assert isinstance(error, RemoteUnreachableError)
        assert not error.body_sent

    def test_a_server_that_stops_reading_is_a_timeout(self, large_archive: Path) -> None:
        def stall(call: Call) -> None:
            call.receive_head()
            call.server.ended.wait(LIMIT)

        with ScriptedServer(stall) as server:
            error = failure_of(begin(server.url, large_archive, timeouts=Timeouts(write=0.3)))
        assert isinstance(error, RemoteUnreachableError)
        assert not error.body_sent

    def test_a_server_that_only_sips_is_left(self, large_archive: Path) -> None:
        def sip(call: Call) -> None:
            call.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            call.receive_head()
            while not call.server.ended.wait(0.05):
                call.connection.recv(16)

        with ScriptedServer(sip) as server:
            error = failure_of(begin(server.url, large_archive, timeouts=Timeouts(write=LIMIT, chunk=0.5)))
        assert isinstance(error, RemoteUnreachableError)
        assert "took in less than 64 KiB" in str(error)
        assert (error.body_sent, error.retryable) == (False, True)

    def test_a_slow_import_is_no_timeout(self, archive: Path) -> None:
        def slow(call: Call) -> None:
            call.receive()
            call.server.ended.wait(1.0)
            call.send(DONE)

        timeouts = Timeouts(connect=LIMIT, read=0.2, write=0.2, answer=0.2)
        with ScriptedServer(slow) as server:
            assert begin(server.url, archive, timeouts=timeouts).wait(LIMIT) is not None

    def test_an_answer_that_only_drips_ends_once_it_has_begun(self, archive: Path) -> None:
        def drip(call: Call) -> None:
            call.receive()
            call.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
            while not call.server.ended.wait(0.05):
                call.send(b" ")

        with ScriptedServer(drip) as server:
            error = failure_of(begin(server.url, archive, timeouts=Timeouts(answer=0.5)))
        assert isinstance(error, RemoteUnreachableError)
        assert "is still sending its answer" in str(error)
        assert error.body_sent

    @pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["interim answers", "a body"])
    def test_an_answer_without_end_is_not_read_to_it(
        self, archive: Path, head: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cognee_dagster.remote.session.MAX_ANSWER_BYTES", 2**20)

        def flood(call: Call) -> None:
            call.receive()
            call.send(head)
            while not call.server.ended.is_set():
                call.send(b"HTTP/1.1 103 Early\r\n\r\n" * 1000)

        with ScriptedServer(flood) as server:
            error = failure_of(begin(server.url, archive))
        assert isinstance(error, UnexpectedAnswerError)
        assert "more than 1,048,576 bytes" in str(error)

    def test_a_limit_on_the_imports_answer_can_be_set(self, archive: Path) -> None:
        with ScriptedServer(Call.wait_for_hang_up) as server:
            error = failure_of(begin(server.url, archive, timeouts=Timeouts(import_read=0.3)))
        assert (error.body_sent, error.retryable) == (True, True)

    def test_an_archive_that_shrinks_under_the_upload_is_no_hang(self, large_archive: Path) -> None:
        def shrink(call: Call) -> None:
            call.receive_head()
            os.truncate(large_archive, 4096)
            call.wait_for_hang_up()

        with ScriptedServer(shrink) as server, pytest.raises(ArchiveError, match="changed") as caught:
            begin(server.url, large_archive).wait(LIMIT)
        assert str(large_archive) in str(caught.value)

    def test_an_archive_that_grows_under_the_upload_is_no_hang(self, large_archive: Path) -> None:
        def grow(call: Call) -> None:
            call.receive_head()
            os.truncate(large_archive, 2 * large_archive.stat().st_size)
            call.wait_for_hang_up()

        with ScriptedServer(grow) as server, pytest.raises(ArchiveError, match="changed"):
            begin(server.url, large_archive).wait(LIMIT)

    def test_a_failing_progress_bar_ends_the_upload_in_the_callers_thread(self, archive: Path) -> None:
        def fail(sent: int, total: int) -> None:
            raise LookupError("no terminal")

        with ScriptedServer(DONE) as server, pytest.raises(LookupError, match="no terminal"):
            begin(server.url, archive, progress=fail).wait(LIMIT)

    def test_a_failure_is_raised_as_often_as_it_is_asked_for(self, archive: Path) -> None:
        with ScriptedServer(answer(400)) as server:
            upload = begin(server.url, archive)
            assert failure_of(upload) is failure_of(upload)
            assert upload.done
            assert not upload.hung_up


class TestHangUp:
    def test_while_the_server_says_nothing(self, archive: Path) -> None:
        noticed = threading.Event()

        def import_slowly(call: Call) -> None:
            call.receive()
            if call.wait_for_hang_up():
                noticed.set()

        with ScriptedServer(import_slowly) as server:
            upload = begin(server.url, archive)
            assert upload.body_sent.wait(LIMIT)
            assert upload.wait(0.05) is None
            assert upload.hang_up()
            assert noticed.wait(LIMIT)
            assert upload.wait(LIMIT) is None
            assert (upload.done, upload.hung_up) == (True, True)
        assert len(server.requests[0].body) == upload.total_bytes, "the server had got it all"

    def test_in_mid_upload(self, large_archive: Path) -> None:
        def stall(call: Call) -> None:
            call.receive_head()
            call.server.ended.wait(LIMIT)

        with ScriptedServer(stall) as server:
            upload = begin(server.url, large_archive)
            assert upload.wait(0.3) is None
            assert upload.hang_up()
            assert (upload.hung_up, upload.body_sent.is_set(), upload.wait()) == (True, False, None)

    def test_in_the_tls_handshake(self, archive: Path) -> None:
        """The handshake goes on inside the library, which has taken the socket away by then."""
        accepted = threading.Event()

        def never_greet(call: Call) -> None:
            accepted.set()
            call.server.ended.wait(LIMIT)

        with ScriptedServer(never_greet) as server:
            timeouts = Timeouts(connect=LIMIT)
            upload = begin(server.url.replace("http:", "https:"), archive, timeouts=timeouts)
            assert accepted.wait(LIMIT)
            time.sleep(0.1)
            assert upload.hang_up()
            assert upload.hung_up

    def test_over_tls(self, archive: Path, tmp_path: Path) -> None:
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        bundle = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(str(bundle))

        def import_slowly(call: Call) -> None:
            call.receive()
            call.wait_for_hang_up()

        with (
            ScriptedServer(import_slowly, tls=context) as server,
            client_of(server.url, ca_bundle=bundle) as client,
            client.upload(archive, dataset_name="abc", mode="preserve") as upload,
        ):
            assert upload.body_sent.wait(LIMIT)
            assert upload.hang_up()
            assert upload.hung_up

    def test_while_an_answer_drips(self, archive: Path) -> None:
        def drip(call: Call) -> None:
            call.receive()
            call.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
            while not call.server.ended.wait(0.05):
                call.send(b" ")

        with ScriptedServer(drip) as server:
            upload = begin(server.url, archive)
            assert upload.body_sent.wait(LIMIT)
            assert upload.wait(0.2) is None
            assert upload.hang_up()

    def test_before_the_connection_stands_nothing_is_sent(self, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        connecting, connect = threading.Event(), threading.Event()
        create_connection = socket.create_connection

        def slowly(*args: Any, **kwargs: Any) -> socket.socket:
            connecting.set()
            assert connect.wait(LIMIT)
            return create_connection(*args, **kwargs)

        with ScriptedServer(DONE) as server:
            monkeypatch.setattr(socket, "create_connection", slowly)
            upload = begin(server.url, archive)
            assert connecting.wait(LIMIT)
            hanging_up = threading.Thread(target=upload.hang_up)
            hanging_up.start()
            hanging_up.join(0.2)
            connect.set()
            hanging_up.join(LIMIT)
            assert upload.wait(LIMIT) is None
            assert (upload.done, upload.hung_up) == (True, True)
        assert server.requests == []

    def test_after_an_answer_the_answer_stays(self, archive: Path) -> None:
        with ScriptedServer(DONE) as server:
            upload = begin(server.url, archive)
            given = upload.wait(LIMIT)
            assert upload.hang_up()
            assert upload.wait() is given is not None
            assert not upload.hung_up

    def test_after_a_failure_the_failure_stays(self, archive: Path) -> None:
        with ScriptedServer(answer(400)) as server:
            upload = begin(server.url, archive)
            failure_of(upload)
            assert upload.hang_up()
            assert failure_of(upload).status == 400

    def test_twice_is_fine(self, archive: Path) -> None:
        with ScriptedServer(Call.wait_for_hang_up) as server:
            upload = begin(server.url, archive)
            assert upload.hang_up()
            assert upload.hang_up()

    def test_leaving_the_context_hangs_up(self, archive: Path) -> None:
        with ScriptedServer(Call.wait_for_hang_up) as server:
            with begin(server.url, archive) as upload:
                pass
            assert upload.done

    def test_no_file_descriptor_stays(self, archive: Path) -> None:
        if not Path("/proc/self/fd").exists():
            pytest.skip("needs /proc")
        with ScriptedServer(Call.wait_for_hang_up) as server:
            begin(server.url, archive).hang_up()
            before = len(os.listdir("/proc/self/fd"))
            for _ in range(5):
                begin(server.url, archive).hang_up()
        assert len(os.listdir("/proc/self/fd")) <= before


class _TerminatedError(BaseException):
    """As Dagster raises in the main thread when a run is terminated."""


@pytest.fixture
def alarm() -> Iterator[None]:
    """SIGALRM raises in the main thread."""

    def interrupt(number: int, frame: object) -> None:
        raise _TerminatedError

    previous = signal.signal(signal.SIGALRM, interrupt)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
def test_waiting_can_be_interrupted_and_leaves_nothing_behind(archive: Path, alarm: None) -> None:
    def wait(upload: Upload) -> None:
        with upload:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            upload.wait()

    with ScriptedServer(Call.wait_for_hang_up) as server:
        upload = begin(server.url, archive)
        with pytest.raises(_TerminatedError):
            wait(upload)
        assert (upload.done, upload.hung_up) == (True, True)


def test_the_connection_is_kept_alive_while_the_import_runs(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A firewall forgets a connection that is silent, and then the answer of a long import never comes."""
    seen: list[socket.socket] = []
    create_connection = socket.create_connection

    def note(*args: Any, **kwargs: Any) -> socket.socket:
        seen.append(create_connection(*args, **kwargs))
        return seen[-1]

    monkeypatch.setattr(socket, "create_connection", note)
    with ScriptedServer(Call.wait_for_hang_up) as server, begin(server.url, archive) as upload:
        assert upload.body_sent.wait(LIMIT)
        assert seen[-1].getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


def test_no_text_form_and_no_log_shows_the_key(archive: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with ScriptedServer(DONE) as server, begin(server.url, archive) as upload:
        upload.wait(LIMIT)
        assert KEY not in f"{upload!r} {upload.request!r} {vars(upload)}"
    assert caplog.records
    assert KEY not in caplog.text
