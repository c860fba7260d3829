"""The client against servers that answer as Cognee does, and as proxies, strangers and broken networks do."""

import json
import logging
import ssl
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import SecretStr

from cognee_dagster.errors import (
    CogxUnsupportedError,
    ConnectionConfigError,
    InvalidTargetError,
    RemoteAuthError,
    RemoteError,
    RemotePermissionError,
    RemoteRejectedError,
    RemoteUnreachableError,
    UnexpectedAnswerError,
)
from cognee_dagster.remote import session as session_module
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import Connection
from cognee_dagster.remote.responses import RemoteDataset
from cognee_dagster.remote.retry import RetryPolicy
from cognee_dagster.remote.transport import Timeouts
from cognee_dagster.testing import FakeRemote, faults
from tests.fault_proxy import FaultProxy
from tests.unit.scripted_server import Call, ScriptedServer, answer, refused_port

KEY = "ck_marker_0123456789"
ID = "011a0f69-ce99-5a5e-acf4-81e800cfd2fc"
NO_WAITING = RetryPolicy(attempts=3)
OK = answer(200, [])
DELETIONS: dict[str, Callable[[CogneeClient], None]] = {
    "a document": lambda client: client.delete_data(ID, ID),
    "a dataset": lambda client: client.delete_dataset(ID),
    "a graph": lambda client: client.empty_dataset(ID),
}


class Naps(list[float]):
    """Sleeps that are only noted."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def client_of(
    url: str,
    *,
    key: str = KEY,
    naps: Naps | None = None,
    retry: RetryPolicy = NO_WAITING,
    timeouts: Timeouts | None = None,
    ca_bundle: Path | None = None,
) -> CogneeClient:
    return CogneeClient(
        Connection(url=url, api_key=SecretStr(key), ca_bundle=ca_bundle),
        retry=retry,
        timeouts=timeouts,
        sleep=Naps() if naps is None else naps,
        chance=lambda: 1.0,
    )


def links(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def assert_key_is_nowhere(error: BaseException) -> None:
    """Neither in the text of an error nor in anything that hangs on it."""
    text = "".join(traceback.format_exception(error))
    for link in links(error):
        text += repr(link) + repr(link.args) + repr({name: repr(value) for name, value in vars(link).items()})
        assert not hasattr(link, "request"), "an HTTP request hangs on the error, and the key on that"
    assert KEY not in text


def failure_of(server_answer: bytes, *, ask: Callable[[CogneeClient], object] = CogneeClient.datasets) -> RemoteError:
    """How asking fails when the server always answers this."""
    with ScriptedServer(server_answer) as server, client_of(server.url) as client:
        with pytest.raises(RemoteError) as caught:
            ask(client)
        assert server.url in str(caught.value)
    assert_key_is_nowhere(caught.value)
    return caught.value


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "kind", "hint"),
        [
            (400, RemoteRejectedError, "trying again will not help"),
            (401, RemoteAuthError, "COGNEE_API_KEY"),
            (403, RemotePermissionError, "does not exist"),
            (404, RemoteRejectedError, "base address"),
            (409, RemoteRejectedError, "incomplete"),
            (413, RemoteRejectedError, "client_max_body_size"),
            (415, RemoteRejectedError, ""),
            (422, RemoteRejectedError, ""),
        ],
    )
    def test_a_final_answer_is_its_own_error_at_the_first_attempt(
        self, status: int, kind: type[RemoteError], hint: str
    ) -> None:
        with (
            ScriptedServer(answer(status, {"detail": "its own words"})) as server,
            client_of(server.url) as client,
            pytest.raises(kind) as caught,
        ):
            client.graph(ID)
        assert len(server.requests) == 1
        assert (caught.value.status, caught.value.retryable) == (status, False)
        for part in (server.url, str(status), "its own words", ID, hint):
            assert part in str(caught.value)

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ({"detail": "a text"}, "a text"),
            ({"error": "Invalid COGX archive."}, "Invalid COGX archive."),
            (
                {"detail": [{"loc": ["body", "datasetId"], "msg": "not a UUID", "input": "nope"}]},
                "body.datasetId: not a",
            ),
            ({"detail": {"code": 7}}, '{"code":7}'),
            ({"status": "not ready"}, "not ready"),
            ("plain", "plain"),
            (["a", 1], "a; 1"),
        ],
    )
    def test_both_envelopes_and_neither_are_quoted(self, body: object, words: str) -> None:
        assert words in str(failure_of(answer(400, body)))

    def test_a_long_answer_is_cut(self) -> None:
        error = failure_of(answer(400, {"detail": "word " * 10_000}))
        assert len(str(error)) < 1000
        assert "…" in str(error)

    def test_control_characters_do_not_reach_the_terminal(self) -> None:
        assert "\x1b" not in str(failure_of(answer(400, {"detail": "\x1b[31mred\r\nnext"})))

    @pytest.mark.parametrize("status", [400, 403, 503])
    @pytest.mark.parametrize(
        "body", [f'{{"detail": "you sent {KEY}"}}', f"you sent {KEY}", f"<title>{KEY}</title>", "x" * 1995 + KEY]
    )
    def test_a_key_that_the_server_echoes_is_blanked_out(self, status: int, body: str) -> None:
        error = failure_of(answer(status, body=body.encode(), content_type="text/plain"))
        assert KEY[:10] not in str(error)

    def test_a_missing_key_is_told_from_a_wrong_one(self) -> None:
        with ScriptedServer(answer(401, {"detail": "no"})) as server, client_of(server.url, key="") as client:
            with pytest.raises(RemoteAuthError, match="No API key was given"):
                client.datasets()
            assert "x-api-key" not in server.requests[0].headers

    def test_a_wrong_key_is_traced_to_where_it_was_set_and_the_servers_advice_to_its_deployer_left_out(self) -> None:
        words = "Authentication required (auth posture: x). For single-user local use, set Y=false and restart."
        error = failure_of(answer(401, {"detail": words}))
        assert "the key is from the argument api_key or --api-key, the URL from the argument url or --url" in str(error)
        assert str(error).endswith("The answer is: `Authentication required (auth posture: x)`.")

    def test_an_html_page_is_recognized_as_a_proxys(self) -> None:
        page = b"<html>\n<head><title>502 Bad\n Gateway</title></head><body>" + b"x" * 9999
        error = failure_of(answer(502, body=page, content_type="text/html"))
        assert "an HTML page titled '502 Bad Gateway'" in str(error)
        assert isinstance(error, RemoteUnreachableError)

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_proxys_page_is_not_explained_as_cognees_answer(self, status: int) -> None:
        """Nor taken for word that a dataset is gone, which is what Cognee's own 403 means."""
        error = failure_of(answer(status, body=b"<html><title>Forbidden</title>", content_type="text/html"))
        assert isinstance(error, UnexpectedAnswerError)
        assert error.status == status
        assert "not Cognee" in str(error)
        assert "Forbidden" in str(error)
        assert "key" not in str(error)

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 503])
    def test_our_verdict_and_advice_come_before_the_servers_words(self, status: int) -> None:
        text = str(failure_of(answer(status, {"detail": "its own words"})))
        assert text.index(f"answers {status}") < text.index("The answer is: `its own words`")
        assert text.endswith("`its own words`.")


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed_and_named_without_its_secrets(self, status: int) -> None:
        with ScriptedServer(OK) as other:
            target = f"http://user:{KEY}@127.0.0.1:{other.port}/login?token={KEY}#{KEY}"
            error = failure_of(answer(status, headers={"Location": target}))
            assert other.requests == []
        assert isinstance(error, UnexpectedAnswerError)
        assert f"http://127.0.0.1:{other.port}/login" in str(error)
        assert "use that address" in str(error)

    @pytest.mark.parametrize("location", ["/elsewhere", "//[::1", "\x7f", "http://a:b:c/"])
    def test_an_odd_location_is_no_crash(self, location: str) -> None:
        assert isinstance(failure_of(answer(302, headers={"Location": location})), UnexpectedAnswerError)

    def test_a_redirect_without_a_location_is_no_crash(self) -> None:
        assert isinstance(failure_of(answer(307)), UnexpectedAnswerError)


class TestRetries:
    @pytest.mark.parametrize("status", [408, 425, 429, 502, 503, 504, 521, 524, 525, 526, 530])
    def test_an_overloaded_gateway_is_asked_again(self, status: int) -> None:
        naps = Naps()
        with ScriptedServer(answer(status), answer(status), OK) as server, client_of(server.url, naps=naps) as client:
            assert client.datasets() == []
        assert naps == [1.0, 2.0]

    def test_in_the_end_the_last_failure_is_raised(self) -> None:
        naps = Naps()
        with (
            ScriptedServer(answer(503, {"detail": "starting"})) as server,
            client_of(server.url, naps=naps) as client,
            pytest.raises(RemoteUnreachableError, match="starting") as caught,
        ):
            client.datasets()
        assert (len(server.requests), len(naps)) == (3, 2)
        assert (caught.value.status, caught.value.retryable) == (503, True)
        assert_key_is_nowhere(caught.value)

    def test_a_refused_connection_is_tried_again(self) -> None:
        naps = Naps()
        with (
            refused_port() as port,
            client_of(f"http://127.0.0.1:{port}", naps=naps) as client,
            pytest.raises(RemoteUnreachableError, match="refused") as caught,
        ):
            client.health()
        assert len(naps) == 2
        assert_key_is_nowhere(caught.value)

    def test_an_unknown_host_is_named(self) -> None:
        with (
            client_of("https://nowhere.invalid") as client,
            pytest.raises(RemoteUnreachableError, match=r"nowhere\.invalid \(from the argument url or --url\)"),
        ):
            client.health()

    @pytest.mark.parametrize(
        "cut",
        [b"", b"HTTP/1.1 200 OK\r\nContent-", answer(200, ["x" * 1000])[:200], b"\x00\x01 no HTTP at all\r\n\r\n"],
        ids=["at once", "in the head", "in the body", "not HTTP"],
    )
    def test_a_cut_answer_is_asked_for_again(self, cut: bytes) -> None:
        with ScriptedServer(cut, OK) as server, client_of(server.url) as client:
            assert client.datasets() == []

    def test_a_server_that_says_nothing_is_asked_again_after_the_read_timeout(self) -> None:
        timeouts = Timeouts(read=0.2)
        silent = Call.wait_for_hang_up
        with ScriptedServer(silent, OK) as server, client_of(server.url, timeouts=timeouts) as client:
            assert client.datasets() == []

    def test_a_slow_graph_is_no_timeout_where_a_slow_list_is(self) -> None:
        def slow(call: Call) -> None:
            call.receive()
            call.server.ended.wait(0.6)
            call.send(answer(200, {"nodes": [], "edges": []}))

        timeouts = Timeouts(read=0.2, graph_read=20.0)
        with ScriptedServer(slow) as server, client_of(server.url, timeouts=timeouts) as client:
            assert client.graph(ID).nodes == ()
            with pytest.raises(RemoteUnreachableError, match="no progress in time"):
                client.datasets()

    def test_every_wait_is_told_with_its_reason_and_length(self, caplog: pytest.LogCaptureFixture) -> None:
        with ScriptedServer(answer(503, {"detail": "starting"}), OK) as server, client_of(server.url) as client:
            client.datasets()
        (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
        for part in ("Listing its datasets", server.url, "attempt 1 of 3", "1.0 s", "starting"):
            assert part in record.getMessage()

    def test_retry_after_goes_before_backoff(self) -> None:
        naps = Naps()
        later = answer(429, headers={"Retry-After": "7"})
        with ScriptedServer(later, OK) as server, client_of(server.url, naps=naps) as client:
            client.datasets()
        assert naps == [8.0]  # and one second of jitter on top

    def test_retry_after_as_a_date_is_taken_by_the_servers_own_clock(self) -> None:
        naps = Naps()
        dates = {"Date": "Wed, 21 Oct 2015 07:28:00 GMT", "Retry-After": "Wed, 21 Oct 2015 07:28:20 GMT"}
        with ScriptedServer(answer(503, headers=dates), OK) as server, client_of(server.url, naps=naps) as client:
            client.datasets()
        assert naps == [21.0]

    def test_a_retry_after_of_a_day_ends_it_and_is_told(self) -> None:
        naps = Naps()
        with (
            ScriptedServer(answer(503, headers={"Retry-After": "86400"}), OK) as server,
            client_of(server.url, naps=naps) as client,
            pytest.raises(RemoteUnreachableError, match="asks for 86400 s"),
        ):
            client.datasets()
        assert naps == []

    def test_a_wait_can_be_interrupted(self) -> None:
        def interrupt(seconds: float) -> None:
            raise KeyboardInterrupt

        with ScriptedServer(answer(503)) as server:
            connection = Connection(url=server.url, api_key=SecretStr(KEY))
            with CogneeClient(connection, sleep=interrupt) as client, pytest.raises(KeyboardInterrupt):
                client.datasets()


class TestStrangeAnswers:
    @pytest.mark.parametrize(
        ("body", "content_type", "told"),
        [
            (b"", "application/json", "nothing"),
            (b"  \n", "application/json", "nothing"),
            (b'[{"id": "x"', "application/json", "not JSON"),
            (b"hello", "text/plain", "not JSON"),
            (b"<!doctype html><title>Sign in</title>", "text/html", "'Sign in'"),
            (b'{"detail": "ok"}', "application/json", "dict instead of a list of datasets"),
            (b"[1]", "application/json", "int instead of a dataset"),
            (b'[{"id": "x"}]', "application/json", "a dataset without name"),
            (b"null", "application/json", "NoneType"),
            (b"\xff\xfe", "application/json", "not JSON"),
            (b"[" * 100_000, "application/json", "not JSON"),
        ],
    )
    def test_what_is_not_cognees_is_an_unexpected_answer(self, body: bytes, content_type: str, told: str) -> None:
        error = failure_of(answer(200, body=body, content_type=content_type))
        assert isinstance(error, UnexpectedAnswerError)
        assert told in str(error)
        assert "check the URL" in str(error)

    def test_an_answer_longer_than_its_bound_is_not_read_to_its_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(session_module, "MAX_ANSWER_BYTES", 100_000)

        def flood(call: Call) -> None:
            call.receive()
            call.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
            while not call.server.ended.is_set():
                call.send(b" " * 65536)

        with (
            ScriptedServer(flood) as server,
            client_of(server.url) as client,
            pytest.raises(UnexpectedAnswerError, match="more than 100,000 bytes"),
        ):
            client.datasets()
        assert len(server.requests) == 1

    def test_an_answer_that_only_drips_ends(self) -> None:
        def drip(call: Call) -> None:
            call.receive()
            call.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
            while not call.server.ended.wait(0.05):
                call.send(b" ")

        timeouts = Timeouts(read=20.0, answer=0.5)
        with (
            ScriptedServer(drip) as server,
            client_of(server.url, timeouts=timeouts) as client,
            pytest.raises(RemoteUnreachableError, match="still sending"),
        ):
            client.datasets()

    def test_an_encoding_that_cannot_be_undone_is_no_crash(self) -> None:
        error = failure_of(answer(200, body=b"not gzip", headers={"Content-Encoding": "gzip"}))
        assert isinstance(error, RemoteUnreachableError)


class TestTheKey:
    def test_it_travels_in_its_header_only(self) -> None:
        with ScriptedServer(OK) as server, client_of(server.url) as client:
            client.datasets()
        (request,) = server.requests
        assert request.headers["x-api-key"] == KEY
        assert KEY not in request.line
        assert "authorization" not in request.headers

    def test_no_text_form_and_no_log_shows_it(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        with ScriptedServer(answer(503), OK) as server, client_of(server.url) as client:
            client.datasets()
            http = client._session.http
            assert KEY not in f"{client!r} {vars(client)} {http.headers!r} {vars(http)}"
        assert caplog.records
        assert KEY not in caplog.text

    def test_a_proxy_is_not_asked_for_what_is_on_this_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with ScriptedServer(OK) as proxy, ScriptedServer(OK) as server:
            for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url)
            with client_of(server.url) as client:
                client.datasets()
        assert (len(proxy.requests), len(server.requests)) == (0, 1)

    def test_a_proxy_is_honoured_for_everything_else(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with ScriptedServer(answer(407)) as proxy:
            monkeypatch.setenv("https_proxy", proxy.url)
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            with (
                client_of("https://cognee.invalid") as client,
                pytest.raises(RemoteUnreachableError, match=r"proxy .* 407 .*HTTPS_PROXY") as caught,
            ):
                client.datasets()
        (request,) = proxy.requests
        assert request.line.startswith("CONNECT cognee.invalid:443")
        assert "x-api-key" not in request.headers
        assert_key_is_nowhere(caught.value)

    def test_proxy_settings_that_make_no_sense_are_named_without_their_password(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", f"gopher://user:{KEY}@proxy.example.com")
        monkeypatch.setenv("https_proxy", f"gopher://user:{KEY}@proxy.example.com")
        with pytest.raises(ConnectionConfigError, match="HTTPS_PROXY") as caught:
            client_of("https://a.example.com")
        assert_key_is_nowhere(caught.value)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


class TestTls:
    def test_an_unknown_certificate_is_refused_once_with_the_setting_that_helps(self, tls: ssl.SSLContext) -> None:
        naps = Naps()
        with (
            ScriptedServer(OK, tls=tls) as server,
            client_of(server.url, naps=naps) as client,
            pytest.raises(RemoteUnreachableError, match="COGNEE_DAGSTER_CA_BUNDLE") as caught,
        ):
            client.datasets()
        assert (naps, server.requests) == ([], [])
        assert_key_is_nowhere(caught.value)

    def test_a_ca_bundle_makes_it_known(self, tls: ssl.SSLContext, authority: trustme.CA, tmp_path: Path) -> None:
        bundle = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(str(bundle))
        with ScriptedServer(OK, tls=tls) as server, client_of(server.url, ca_bundle=bundle) as client:
            assert client.datasets() == []

    def test_a_ca_bundle_that_is_none_is_a_configuration_error(self, tmp_path: Path) -> None:
        bundle = tmp_path / "ca.pem"
        bundle.write_text("not a certificate")
        with pytest.raises(ConnectionConfigError, match="COGNEE_DAGSTER_CA_BUNDLE"):
            client_of("https://a.example.com", ca_bundle=bundle)


def openapi(*fields: str) -> bytes:
    """The part of Cognee's API description that counts."""
    name = "Body_remember_api_v1_remember_post"
    content = {"multipart/form-data": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    return answer(
        200,
        {
            "paths": {"/api/v1/remember": {"post": {"requestBody": {"content": content}}}},
            "components": {"schemas": {name: {"properties": {field: {} for field in fields}}}},
        },
    )


def health(version: str) -> bytes:
    return answer(200, {"status": "ready", "health": "healthy", "version": version})


class TestRequireCogx:
    @pytest.mark.parametrize("version", ["1.3.0", "1.6.5", "1.10.0", "2.0", "1.6.5-local", "1.7.0.dev1"])
    def test_a_server_with_faithful_imports_passes(self, version: str) -> None:
        with ScriptedServer(health(version), openapi("data", "import_mode")) as server, client_of(server.url) as client:
            assert client.require_cogx().version == version

    @pytest.mark.parametrize("version", ["1.0.0", "1.1.3", "1.2.0", "0.5", "", "unknown"])
    def test_one_that_is_too_old_or_does_not_say_is_refused_by_its_version(self, version: str) -> None:
        with (
            ScriptedServer(health(version), openapi("data", "import_mode")) as server,
            client_of(server.url) as client,
            pytest.raises(CogxUnsupportedError, match="Upgrade") as caught,
        ):
            client.require_cogx()
        assert (version or "does not say its version") in str(caught.value)
        assert isinstance(caught.value, RuntimeError)

    def test_one_whose_remember_has_no_import_mode_is_refused(self) -> None:
        with (
            ScriptedServer(health("1.6.5"), openapi("data")) as server,
            client_of(server.url) as client,
            pytest.raises(CogxUnsupportedError, match=r"1\.6\.5.*import_mode"),
        ):
            client.require_cogx()

    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_one_that_hides_its_api_description_is_judged_by_its_version(self, status: int) -> None:
        with ScriptedServer(health("1.6.5"), answer(status)) as server, client_of(server.url) as client:
            assert client.require_cogx().version == "1.6.5"

    @pytest.mark.parametrize("version", ["1.3.0", "1.5.3", "1.6.5"])
    def test_the_fake_remote_passes_and_an_old_one_does_not(self, version: str) -> None:
        with FakeRemote(version) as remote, client_of(remote.url, key=remote.api_key) as client:
            assert client.require_cogx().version == version
        with (
            FakeRemote("1.1.3") as remote,
            client_of(remote.url, key=remote.api_key) as client,
            pytest.raises(CogxUnsupportedError, match=r"1\.1\.3"),
        ):
            client.require_cogx()

    def test_a_version_that_says_nothing_is_judged_by_the_api(self) -> None:
        with (
            FakeRemote() as remote,
            FaultProxy(remote.url) as proxy,
            client_of(proxy.url, key=remote.api_key) as client,
        ):
            proxy.always("/health", faults.answer(200, '{"status": "ready", "version": "0.1.0-local"}'))
            assert client.require_cogx().version == "0.1.0-local"

    @pytest.mark.parametrize("fault", [faults.html(200), faults.html(403), faults.answer(404), faults.answer(403)])
    def test_a_health_check_that_something_else_answers_is_done_without_in_the_foreground(
        self, fault: faults.Fault, caplog: pytest.LogCaptureFixture
    ) -> None:
        with (
            FakeRemote() as remote,
            FaultProxy(remote.url) as proxy,
            client_of(proxy.url, key=remote.api_key) as client,
        ):
            proxy.always("/health", fault)
            with pytest.raises(RemoteError):
                client.require_cogx()
            assert client.require_cogx(must_know=False).version == ""
        assert "cannot be checked before the upload" in caplog.text

    def test_an_api_without_import_mode_is_refused_also_where_the_version_cannot_be_asked(self) -> None:
        with (
            FakeRemote("1.1.3") as remote,
            FaultProxy(remote.url) as proxy,
            client_of(proxy.url, key=remote.api_key) as client,
        ):
            proxy.always("/health", faults.answer(404))
            with pytest.raises(CogxUnsupportedError, match="import_mode"):
                client.require_cogx(must_know=False)

    def test_a_server_that_is_not_ready_is_asked_again(self) -> None:
        not_ready = answer(503, {"status": "not ready", "health": "unhealthy", "version": "1.6.5"})
        with ScriptedServer(not_ready, health("1.6.5")) as server, client_of(server.url) as client:
            assert client.health().status == "ready"


class TestDatasets:
    def test_ensure_makes_it_once(self) -> None:
        with FakeRemote() as remote, client_of(remote.url, key=remote.api_key) as client:
            made = client.ensure_dataset("abc")
            assert client.ensure_dataset("abc") == made
            assert client.datasets() == [made]
            assert client.find_dataset("abc") == made
            assert client.find_dataset("abcd") is None

    def test_find_takes_the_own_one_of_two_with_the_same_name(self) -> None:
        with FakeRemote() as remote:
            bob = remote.add_user("bob@example.com")
            with client_of(remote.url, key=remote.api_key) as client:
                client.ensure_dataset("abc")
            remote.grant("abc", bob, "read", "write")
            with client_of(remote.url, key=bob.api_key) as client:
                assert len(client.datasets()) == 1
                assert client.find_dataset("abc") is None, "a push by name would not write to the shared one"
                own = client.ensure_dataset("abc")
                assert len(client.datasets()) == 2
                assert client.find_dataset("abc") == own
                assert own.owner_id == client.me().id == bob.id

    @pytest.mark.parametrize(("owners", "found"), [(["a"], "a"), (["a", "b"], None)])
    def test_a_server_without_authentication_has_the_only_one_found(self, owners: list[str], found: str | None) -> None:
        rows = [{"id": owner, "name": "abc", "ownerId": owner} for owner in owners]
        no_user = answer(401, {"detail": "Unauthorized"})
        with ScriptedServer(answer(200, rows), no_user) as server, client_of(server.url, key="") as client:
            dataset = client.find_dataset("abc")
        assert dataset == (RemoteDataset(id=found, name="abc", owner_id=found) if found else None)

    @pytest.mark.parametrize("name", ["a b", "a.b", "", "a\nb", "a\x00", "\ud800"])
    def test_a_name_that_the_import_refuses_is_refused_before_anything_is_sent(self, name: str) -> None:
        with (
            ScriptedServer(OK) as server,
            client_of(server.url) as client,
            pytest.raises(InvalidTargetError, match="target_dataset"),
        ):
            client.ensure_dataset(name)
        assert server.requests == []

    @pytest.mark.parametrize("name", ["a", "a/b", "__", "Übung", "名前", "x" * 300, "a-b_c", "a'b\"c;"])
    def test_other_names_are_cognees_business(self, name: str) -> None:
        with FakeRemote() as remote, client_of(remote.url, key=remote.api_key) as client:
            assert client.ensure_dataset(name).name == name

    def test_delete_leaves_nothing_and_may_be_repeated(self) -> None:
        with FakeRemote() as remote, client_of(remote.url, key=remote.api_key) as client:
            dataset = client.ensure_dataset("abc")
            client.delete_dataset(dataset.id)
            assert client.datasets() == []
            client.delete_dataset(dataset.id)

    @pytest.mark.parametrize("delete", DELETIONS)
    @pytest.mark.parametrize("failures", [1, 99])
    def test_a_delete_at_which_the_server_fails_is_repeated_as_often_as_any_request(
        self, failures: int, delete: str
    ) -> None:
        failing = [answer(500, {"detail": "busy"})] * min(failures, 5)
        with ScriptedServer(*failing, answer(200, {})) as server, client_of(server.url) as client:
            if failures < client.retry.attempts:
                DELETIONS[delete](client)
            else:
                with pytest.raises(RemoteRejectedError, match="500") as raised:
                    DELETIONS[delete](client)
                assert raised.value.retryable, "a run's later attempt may get past it, too"
            assert len(server.requests) == min(failures + 1, client.retry.attempts)

    def test_a_dataset_is_made_sure_of_again_after_a_500_since_that_makes_it_once(self) -> None:
        with FakeRemote() as remote, client_of(remote.url, key=remote.api_key) as client:
            remote.faults.on(faults.DATASETS, faults.answer(500, "busy", deliver=True), method="POST")
            made = client.ensure_dataset("abc")
            assert [dataset.id for dataset in client.datasets()] == [made.id]

    def test_a_dataset_that_is_there_and_must_not_be_deleted_is_told(self) -> None:
        with FakeRemote() as remote:
            bob = remote.add_user("bob@example.com")
            with client_of(remote.url, key=remote.api_key) as client:
                dataset = client.ensure_dataset("abc")
            remote.grant("abc", bob, "read")
            with client_of(remote.url, key=bob.api_key) as client, pytest.raises(RemotePermissionError):
                client.delete_dataset(dataset.id)

    def test_a_deletion_is_done_that_is_answered_with_no_content_and_not_one_with_a_page(self) -> None:
        with ScriptedServer(answer(204, body=b"")) as server, client_of(server.url) as client:
            client.delete_data("a", "b")
        with (
            ScriptedServer(answer(200, body=b"<html>")) as server,
            client_of(server.url) as client,
            pytest.raises(UnexpectedAnswerError),
        ):
            client.delete_data("a", "b")

    def test_an_id_stays_one_segment_of_the_path(self) -> None:
        with ScriptedServer(answer(200, {"nodes": [], "edges": []})) as server, client_of(server.url) as client:
            client.graph("../users/me?x=1")
        assert server.requests[0].path == "/api/v1/datasets/..%2Fusers%2Fme%3Fx%3D1/graph"


def document(number: int) -> dict[str, Any]:
    return {
        "id": f"id-{number}",
        "name": "text",
        "dataSize": 27,
        "externalMetadata": {"external_system": "cognee", "external_id": f"ext-{number}"},
    }


def test_rows_that_make_no_sense_are_left_out_and_said_so_once(caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"id": ID, "name": "abc"}, {"id": None, "name": "b"}, 7]
    with ScriptedServer(answer(200, rows)) as server, client_of(server.url) as client:
        assert [dataset.name for dataset in client.datasets()] == ["abc"]
        assert len(client.datasets()) == 1
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    for part in (server.url, "2 rows that make no sense when listing its datasets", "a dataset without id"):
        assert part in warning


class TestDocuments:
    def test_all_pages_are_read(self) -> None:
        def page(call: Call) -> None:
            offset = int(call.receive().path.rpartition("offset=")[2])
            call.send(answer(200, [document(number) for number in range(offset, min(offset + 1000, 2500))]))

        with ScriptedServer(page) as server, client_of(server.url) as client:
            ids = [found.external_id for found in client.data(ID)]
        assert ids == [f"ext-{number}" for number in range(2500)]
        assert len(server.requests) == 3

    def test_a_server_that_does_not_page_is_read_once_and_not_for_ever(self) -> None:
        everything = answer(200, [document(number) for number in range(1000)])
        with ScriptedServer(everything) as server, client_of(server.url) as client:
            assert len(list(client.data(ID))) == 1000
        assert len(server.requests) == 2

    def test_a_document_without_metadata_is_fine(self) -> None:
        row = {"id": "x", "name": None, "externalMetadata": None}
        with ScriptedServer(answer(200, [row])) as server, client_of(server.url) as client:
            (found,) = client.data(ID)
        assert (found.external_id, found.data_size) == (None, None)


class TestRuns:
    @pytest.mark.parametrize(("pipeline", "called"), [("migration_import_pipeline", "imports"), ("x", "x runs")])
    def test_a_refused_listing_is_said_to_be_of_imports(self, pipeline: str, called: str) -> None:
        refused = pytest.raises(RemoteAuthError, match=f"when listing the {called}")
        with ScriptedServer(answer(401)) as server, client_of(server.url) as client, refused:
            client.runs(pipeline_name=pipeline)

    def test_filters_and_page_are_asked_for(self) -> None:
        with ScriptedServer(OK) as server, client_of(server.url) as client:
            client.runs(dataset_id=ID, limit=7, offset=14)
        for part in ("pipeline_name=migration_import_pipeline", "limit=7", "offset=14", f"dataset_id={ID}"):
            assert part in server.requests[0].path

    def test_a_server_that_ignores_the_filter_is_filtered_here(self) -> None:
        """Cognee before 1.5.4: its newest 50 rows of whatever pipeline, without outcome."""
        old = {
            "id": "1",
            "status": "DATASET_PROCESSING_COMPLETED",
            "dataset_id": ID,
            "dataset_name": "abc",
            "owner_id": "o",
            "owner_email": "o@example.com",
            "created_at": "2026-11-22T19:44:59.485971",
            "pipeline_run_id": "r",
        }
        rows = [{**old, "pipeline_name": name} for name in ("add_pipeline", "migration_import_pipeline")]
        with ScriptedServer(answer(200, rows)) as server, client_of(server.url) as client:
            (row,) = client.runs()
        assert (row.pipeline_run_id, row.kind, row.outcome) == ("r", "pipeline", None)
        assert row.created_at is not None
        assert row.created_at.isoformat() == "2026-11-22T19:44:59.485971+00:00"

    def test_runs_of_other_datasets_are_left_out_where_a_server_sends_them_all_the_same(self) -> None:
        """Cognee before 1.5.4 does; another dataset's run could be taken for that of an upload."""
        rows = [
            {"id": f"r{number}", "pipeline_name": "migration_import_pipeline", "dataset_id": dataset_id}
            for number, dataset_id in enumerate([ID, "another", None])
        ]
        with ScriptedServer(answer(200, rows)) as server, client_of(server.url) as client:
            assert [row.row_id for row in client.runs(dataset_id=ID)] == ["r0", "r2"]

    def test_of_more_rows_than_were_asked_for_the_first_are_taken(self) -> None:
        """They would fill the memory; and the next page begins where this one was to end."""
        rows = [{"id": f"r{number}", "pipeline_name": "migration_import_pipeline"} for number in range(5)]
        with ScriptedServer(answer(200, rows)) as server, client_of(server.url) as client:
            page = client.runs(limit=3)
        assert [row.row_id for row in page] == ["r0", "r1", "r2"]
        assert page.sent == 3

    def test_a_deleted_dataset_is_a_permission_error(self) -> None:
        with (
            FakeRemote() as remote,
            client_of(remote.url, key=remote.api_key) as client,
            pytest.raises(RemotePermissionError),
        ):
            client.runs(dataset_id=ID)


def test_a_base_address_with_a_path_is_kept() -> None:
    with ScriptedServer(OK) as server, client_of(f"{server.url}/cognee/") as client:
        client.datasets()
    assert server.requests[0].path == "/cognee/api/v1/datasets"


def test_the_name_is_sent_as_json() -> None:
    row = {"id": ID, "name": 'a"b', "ownerId": "o"}
    with ScriptedServer(answer(200, row)) as server, client_of(server.url) as client:
        client.ensure_dataset('a"b')
    assert json.loads(server.requests[0].body) == {"name": 'a"b'}
