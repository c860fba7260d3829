"""Where the remote is and with which key: the first source that names a URL wins, whole."""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from pydantic import SecretStr

from cognee_dagster.environment import cognee_environment
from cognee_dagster.errors import ConnectionConfigError, NoConnectionError
from cognee_dagster.remote.connection import Connection, resolve_connection

KEY = "ck_marker_0123456789"
SAVED_KEY = "ck_saved_0123456789"
STATE_MODULE = "cognee.api.v1.serve.state"


@pytest.fixture(autouse=True)
def no_live_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, STATE_MODULE, raising=False)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The file as ``cognee-cli serve`` leaves it."""
    path = tmp_path / "cloud_credentials.json"
    content = {
        "access_token": "",
        "refresh_token": None,
        "expires_at": 0.0,
        "service_url": "https://saved.example.com",
        "api_key": SAVED_KEY,
        "management_url": "",
        "tenant_id": "",
        "tenant_name": "",
        "email": "local",
    }
    path.write_text(json.dumps(content, indent=2))
    path.chmod(0o600)
    return path


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A live ``cognee.serve()`` connection, as Cognee's state module holds it."""
    client = SimpleNamespace(service_url="https://live.example.com", api_key="ck_live")
    module = ModuleType(STATE_MODULE)
    module.__dict__.update(is_remote_mode=lambda: True, get_remote_client=lambda: client)
    monkeypatch.setitem(sys.modules, STATE_MODULE, module)
    return client


ENVIRON = {"COGNEE_SERVICE_URL": "https://env.example.com", "COGNEE_API_KEY": "ck_env"}


def key_of(connection: Connection) -> str:
    return connection.api_key.get_secret_value()


def everything_about(error: BaseException) -> str:
    """An error and all it drags along, in text."""
    return "".join(traceback.format_exception(error)) + "".join(map(repr, links(error)))


def links(error: BaseException | None) -> Iterator[object]:
    while error is not None:
        yield from (error, error.args, vars(error))
        error = error.__cause__ or error.__context__


class TestOrderOfSources:
    def test_explicit_arguments_win(self, saved: Path, serve: SimpleNamespace) -> None:
        found = resolve_connection("https://a.example.com", KEY, environ=ENVIRON, credentials_file=saved)
        assert (found.url, key_of(found), found.source) == ("https://a.example.com", KEY, "arguments")

    def test_a_live_connection_beats_the_environment(self, saved: Path, serve: SimpleNamespace) -> None:
        found = resolve_connection(environ=ENVIRON, credentials_file=saved)
        assert (found.url, key_of(found), found.source) == ("https://live.example.com", "ck_live", "cognee.serve()")

    def test_no_live_connection_is_asked_of_a_cognee_that_serves_none(
        self, saved: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """``get_remote_client()`` logs a note when there is none, so it must not be called then."""
        module = ModuleType(STATE_MODULE)
        module.__dict__.update(is_remote_mode=lambda: False, get_remote_client=lambda: pytest.fail("asked"))
        monkeypatch.setitem(sys.modules, STATE_MODULE, module)
        assert resolve_connection(environ=ENVIRON, credentials_file=saved).source == "environment"

    def test_the_environment_beats_saved_credentials(self, saved: Path) -> None:
        found = resolve_connection(environ=ENVIRON, credentials_file=saved)
        assert (found.url, key_of(found), found.source) == ("https://env.example.com", "ck_env", "environment")

    def test_saved_credentials_come_last(self, saved: Path) -> None:
        found = resolve_connection(environ={}, credentials_file=saved)
        assert (found.url, key_of(found)) == ("https://saved.example.com", SAVED_KEY)
        assert found.source == "saved credentials"

    def test_the_key_has_a_source_of_its_own(self, saved: Path, tmp_path: Path) -> None:
        given = resolve_connection("https://a.example.com", KEY, environ=ENVIRON)
        assert given.key_source == "the argument api_key or --api-key"
        assert resolve_connection("https://a.example.com", environ=ENVIRON).key_source == "environment"
        assert resolve_connection(environ={}, credentials_file=saved).key_source == "saved credentials"
        file = tmp_path / "cognee.env"
        file.write_text("COGNEE_SERVICE_URL=https://env.example.com\n\nCOGNEE_API_KEY=ck_file\n")
        found = resolve_connection(environ=cognee_environment({"COGNEE_ENV_FILE": str(file)}))
        assert (found.source, found.key_source) == (f"{file}, line 1", f"{file}, line 3")

    @pytest.mark.parametrize("url", ["https://other.example.com", "http://127.0.0.1:1", "https://env.example.com.evil"])
    def test_who_wants_it_so_keeps_the_environments_key_from_another_host_than_the_environments(self, url: str) -> None:
        kept = resolve_connection(url, environ=ENVIRON, lend_key=False)
        assert not kept.has_key
        assert "the environment variable COGNEE_API_KEY goes with COGNEE_SERVICE_URL" in kept.no_key_because
        assert key_of(resolve_connection(url, KEY, environ=ENVIRON, lend_key=False)) == KEY

    @pytest.mark.parametrize(
        ("url", "environ"),
        [
            ("https://ENV.example.com:8443/api/v1", ENVIRON),
            ("https://other.example.com", {"COGNEE_API_KEY": "ck_env"}),
        ],
    )
    def test_the_same_host_and_an_environment_that_names_none_get_its_key(
        self, url: str, environ: dict[str, str]
    ) -> None:
        assert key_of(resolve_connection(url, environ=environ, lend_key=False)) == "ck_env"

    def test_an_explicit_url_gets_the_environments_key_as_in_cognee_unless_told_otherwise(self) -> None:
        assert key_of(resolve_connection("https://other.example.com", environ=ENVIRON)) == "ck_env"

    def test_none_at_all_tells_how_to_log_in(self, tmp_path: Path) -> None:
        with pytest.raises(NoConnectionError) as caught:
            resolve_connection(environ={}, credentials_file=tmp_path / "none.json")
        assert isinstance(caught.value, RuntimeError)
        for hint in ("cognee-cli serve", "url/api_key", "COGNEE_SERVICE_URL", "COGNEE_API_KEY"):
            assert hint in str(caught.value)

    def test_the_env_file_of_cognee_beats_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        env_file = tmp_path / "settings.env"
        env_file.write_text("COGNEE_SERVICE_URL=https://file.example.com\nCOGNEE_API_KEY=ck_file\n")
        monkeypatch.setenv("COGNEE_ENV_FILE", str(env_file))
        monkeypatch.setenv("COGNEE_SERVICE_URL", "https://process.example.com")
        monkeypatch.setenv("COGNEE_API_KEY", "ck_process")
        found = resolve_connection()
        assert (found.url, key_of(found)) == ("https://file.example.com", "ck_file")
        assert found.source == f"{env_file.resolve()}, line 1, which overrides the environment"

    def test_a_distant_env_file_that_names_the_remote_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / ".env").write_text("COGNEE_SERVICE_URL=not an address\n")
        (tmp_path / "a" / "b").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / "a" / "b")
        monkeypatch.delenv("COGNEE_ENV_FILE", raising=False)
        with pytest.raises(ConnectionConfigError) as caught:
            resolve_connection()
        assert f"from COGNEE_SERVICE_URL in {(tmp_path / '.env').resolve()}, line 1)" in str(caught.value)

    def test_an_env_file_that_does_not_name_the_remote_is_not_its_source(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / ".env").write_text("LLM_MODEL=x\n")
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("COGNEE_ENV_FILE", raising=False)
        monkeypatch.setenv("COGNEE_SERVICE_URL", "https://process.example.com")
        assert resolve_connection().source == "environment"

    def test_an_empty_variable_counts_as_unset(self, saved: Path) -> None:
        found = resolve_connection(environ={"COGNEE_SERVICE_URL": " "}, credentials_file=saved)
        assert found.source == "saved credentials"


class TestWhichKeyGoesWhere:
    @pytest.mark.parametrize("environ", [ENVIRON, {}])
    def test_an_explicit_key_overrides_the_key_of_any_source(self, saved: Path, environ: dict[str, str]) -> None:
        assert key_of(resolve_connection(api_key=KEY, environ=environ, credentials_file=saved)) == KEY

    def test_an_explicit_key_overrides_that_of_a_live_connection(self, serve: SimpleNamespace) -> None:
        found = resolve_connection(api_key=KEY, environ={})
        assert (found.url, key_of(found)) == ("https://live.example.com", KEY)

    def test_an_explicit_url_without_a_key_takes_the_environments_key(self) -> None:
        assert key_of(resolve_connection("https://a.example.com", environ=ENVIRON)) == "ck_env"

    def test_a_saved_key_is_never_sent_to_another_url(self, saved: Path) -> None:
        assert key_of(resolve_connection("https://a.example.com", environ={}, credentials_file=saved)) == ""
        environ = {"COGNEE_SERVICE_URL": "https://env.example.com"}
        assert key_of(resolve_connection(environ=environ, credentials_file=saved)) == ""

    def test_the_environments_key_is_not_sent_to_a_saved_url(self, saved: Path) -> None:
        assert key_of(resolve_connection(environ={"COGNEE_API_KEY": "ck_env"}, credentials_file=saved)) == SAVED_KEY

    def test_white_space_around_a_key_is_dropped(self) -> None:
        """A key read from a file or a secret store often ends with a line break."""
        assert key_of(resolve_connection("https://a.example.com", f" {KEY}\n", environ={})) == KEY

    @pytest.mark.parametrize("key", [f"{KEY}\r\nHost: evil", f"{KEY} x", f"{KEY}…", f"{KEY}\x00"])
    def test_a_key_that_is_no_header_is_refused_without_being_shown(self, key: str) -> None:
        with pytest.raises(ConnectionConfigError) as caught:
            resolve_connection("https://a.example.com", key, environ={})
        assert KEY not in everything_about(caught.value)


class TestSavedCredentials:
    @pytest.mark.parametrize(
        "content",
        [
            "",
            "{",
            f'{{"api_key": "{KEY}", ',
            "[]",
            '"text"',
            f'{{"service_url": 1, "api_key": "{KEY}"}}',
            "\xff",
            "[" * 99999,
        ],
    )
    def test_a_damaged_file_is_named_with_the_fix_and_without_its_content(self, saved: Path, content: str) -> None:
        saved.write_bytes(content.encode("latin-1"))
        with pytest.raises(ConnectionConfigError, match="cognee-cli serve") as caught:
            resolve_connection(environ={}, credentials_file=saved)
        assert str(saved) in str(caught.value)
        assert KEY not in everything_about(caught.value)
        assert not isinstance(caught.value, NoConnectionError)

    def test_a_damaged_file_does_not_matter_when_another_source_wins(self, saved: Path) -> None:
        saved.write_text("{")
        assert resolve_connection(environ=ENVIRON, credentials_file=saved).source == "environment"

    def test_a_file_that_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ConnectionConfigError, match=str(tmp_path)):
            resolve_connection(environ={}, credentials_file=tmp_path)

    def test_a_file_without_a_url_names_no_remote(self, saved: Path) -> None:
        saved.write_text('{"access_token": "x", "service_url": ""}')
        with pytest.raises(NoConnectionError):
            resolve_connection(environ={}, credentials_file=saved)

    @pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
    @pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
    def test_a_file_that_others_can_read_is_warned_about(
        self, saved: Path, mode: int, warned: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        saved.chmod(mode)
        with caplog.at_level(logging.WARNING):
            resolve_connection(environ={}, credentials_file=saved)
        assert (f"chmod 600 {saved}" in caplog.text) is warned
        assert SAVED_KEY not in caplog.text

    def test_the_default_place_is_the_home_directory(self, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        home = saved.parent / "home"
        (home / ".cognee").mkdir(parents=True)
        saved.rename(home / ".cognee" / "cloud_credentials.json")
        monkeypatch.setenv("HOME", str(home))
        assert resolve_connection(environ={}).url == "https://saved.example.com"


class TestUrl:
    @pytest.mark.parametrize(
        ("given", "used"),
        [
            ("https://a.example.com/", "https://a.example.com"),
            (" https://a.example.com/cognee// ", "https://a.example.com/cognee"),
            ("HTTPS://A.example.com:8443", "https://A.example.com:8443"),
            ("http://[::1]:8000/", "http://[::1]:8000"),
        ],
    )
    def test_trailing_slashes_and_white_space_are_dropped(self, given: str, used: str) -> None:
        assert Connection(url=given).url == used

    @pytest.mark.parametrize(
        "url",
        [
            "a.example.com",
            "localhost:8000",
            "ftp://a.example.com",
            "file:///etc/passwd",
            "https://",
            "https:///path",
            "https://a.example.com:99999",
            "https://a.example.com:port",
            "https://a.example.com:0",
            "https://:8000",
            "https://a.example.com/\x7f",
            "https://a.exa mple.com",
            "https://a.example.com/\nX: y",
            "https://[::1",
            "https://a.example.com?api_key=" + KEY,
            "https://a.example.com#" + KEY,
            "https://user:" + KEY + "@a.example.com",
            "https://" + KEY + "@a.example.com",
        ],
    )
    def test_what_is_no_base_address_is_refused_without_being_repeated(self, url: str) -> None:
        with pytest.raises(ConnectionConfigError, match=r"from the environment variable COGNEE_SERVICE_URL") as caught:
            resolve_connection(environ={"COGNEE_SERVICE_URL": url})
        assert KEY not in everything_about(caught.value)


class TestPlainHttp:
    @pytest.mark.parametrize("host", ["a.example.com", "10.0.0.1", "localhost.example.com", "[2001:db8::1]", "0.0.0.0"])
    def test_a_key_does_not_travel_unencrypted_to_another_machine(self, host: str) -> None:
        with pytest.raises(ConnectionConfigError, match="COGNEE_DAGSTER_ALLOW_PLAIN_HTTP") as caught:
            resolve_connection(f"http://{host}", KEY, environ={})
        assert KEY not in everything_about(caught.value)

    def test_the_spelling_of_the_scheme_makes_no_difference(self) -> None:
        with pytest.raises(ConnectionConfigError, match="plain http"):
            resolve_connection("HTTP://a.example.com", KEY, environ={})

    @pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1:8000", "127.8.8.8", "[::1]:8000"])
    def test_loopback_is_free(self, host: str) -> None:
        assert resolve_connection(f"http://{host}", KEY, environ={}).is_loopback

    def test_without_a_key_it_does_not_matter(self) -> None:
        assert not resolve_connection("http://a.example.com", environ={}).has_key

    def test_it_can_be_allowed_by_name(self) -> None:
        environ = {"COGNEE_DAGSTER_ALLOW_PLAIN_HTTP": "true"}
        assert resolve_connection("http://a.example.com", KEY, environ=environ).has_key
        assert resolve_connection("http://a.example.com", KEY, environ={}, allow_plain_http=True).has_key
        with pytest.raises(ConnectionConfigError):
            resolve_connection("http://a.example.com", KEY, environ=environ, allow_plain_http=False)

    def test_a_setting_that_is_neither_yes_nor_no_is_named(self) -> None:
        environ = {"COGNEE_DAGSTER_ALLOW_PLAIN_HTTP": "perhaps", "COGNEE_API_KEY": KEY}
        with pytest.raises(ConnectionConfigError, match="COGNEE_DAGSTER_ALLOW_PLAIN_HTTP") as caught:
            resolve_connection("http://a.example.com", environ=environ)
        assert KEY not in everything_about(caught.value)


class TestCaBundle:
    def test_the_argument_beats_the_setting(self, tmp_path: Path) -> None:
        first, second = tmp_path / "a.pem", tmp_path / "b.pem"
        first.touch()
        second.touch()
        environ = {"COGNEE_DAGSTER_CA_BUNDLE": str(first)}
        assert resolve_connection("https://a.example.com", environ=environ).ca_bundle == first
        assert resolve_connection("https://a.example.com", environ=environ, ca_bundle=second).ca_bundle == second

    def test_one_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ConnectionConfigError, match=r"nowhere\.pem"):
            resolve_connection("https://a.example.com", environ={}, ca_bundle=tmp_path / "nowhere.pem")


def test_no_text_form_of_a_connection_shows_the_key() -> None:
    connection = Connection(url="https://a.example.com", api_key=SecretStr(KEY))
    assert KEY not in f"{connection} {connection!r} {vars(connection)}"
