"""What the command line shows nowhere, whoever repeats it: the API key, and what is secret in an address."""

import copy
import json
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from cognee_dagster.remote.responses import parse_import_answer
from cognee_dagster.system.urls import hidden_parts, shown_url
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import DATASETS, RUNS, answer
from cognee_dagster.testing.importing import Importer
from tests.cogx_graphs import demo_reader
from tests.command_line import call, have_datasets, have_no_settings

pytest_plugins = ["cognee_dagster.testing.plugin"]

PASSWORD = "marker-5f1c"


@pytest.mark.parametrize(
    "url",
    [
        f"s3://user:{PASSWORD}@bucket/x",
        f"simplecache::s3://user:{PASSWORD}@bucket/x",
        f"zip://x::s3://user:{PASSWORD}@bucket/x",
        f"sftp://user:a/{PASSWORD}@host/x",
        f"sftp://user:a@{PASSWORD}@host/x",
        f"http://{PASSWORD}@host",
        f"http://user:a?{PASSWORD}@host/",
        f"http://host/?api_key={PASSWORD}",
        f"http://host/?user=a@b&api_key={PASSWORD}",
        f"http://host/#{PASSWORD}",
    ],
)
def test_what_is_secret_in_a_url_is_not_shown(url: str) -> None:
    assert PASSWORD not in shown_url(url)
    assert shown_url(url).startswith(url.partition("://")[0])


@pytest.mark.parametrize(
    "url", ["s3://bucket/a@b", "abfs://container@account.dfs/x", "sftp://user@host/x", "http://host:80/x", "/a?b@c"]
)
def test_what_is_not_secret_in_a_url_is_shown(url: str) -> None:
    assert hidden_parts(url) == {}


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("HTTP_PROXY", f"alice:{PASSWORD}@proxy:3128", "***@proxy:3128"),
        ("https_proxy", f"socks5://alice:{PASSWORD}@proxy:1", "socks5://***@proxy:1"),
        ("COGNEE_SERVICE_URL", f"http://127.0.0.1:9/?api_key={PASSWORD}", "http://127.0.0.1:9/?***"),
        ("COGNEE_DAGSTER_ARCHIVES", f"nowhere://user:{PASSWORD}@bucket/x", "nowhere://***@bucket/x"),
        ("DEFAULT_USER_EMAIL", "alice@example.com", "alice@example.com"),
    ],
)
@pytest.mark.parametrize("option", [(), ("--json",)])
def test_the_doctor_shows_a_setting_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, shown: str, option: tuple[str, ...]
) -> None:
    have_no_settings(monkeypatch, tmp_path)
    have_datasets(monkeypatch, {})
    monkeypatch.setenv(name, value)
    result = call("doctor", *option)
    assert PASSWORD not in result.stdout + result.stderr
    assert shown in result.stdout


@pytest.mark.parametrize("option", [(), ("--json",)])
@pytest.mark.parametrize("command", [("list",), ("prune", "--keep-last", "1")])
def test_a_password_in_the_address_of_archives_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], option: tuple[str, ...]
) -> None:
    have_no_settings(monkeypatch, tmp_path)
    location = f"memory://user:{PASSWORD}@{uuid.uuid4().hex}"
    for address in (location, f"nowhere://user:{PASSWORD}@host/x", "memory://"):
        result = call("archives", *command, "--archives", address, *option)
        assert PASSWORD not in result.stdout + result.stderr
    result = call("push", "demo", "--archive", "latest", "--archives", location, "--url", "http://127.0.0.1:9", *option)
    assert PASSWORD not in result.stdout + result.stderr
    assert "***@" in result.stdout + result.stderr


@pytest.mark.parametrize("command", ["runs", "datasets"])
@pytest.mark.parametrize("option", [(), ("--json",)])
def test_a_key_that_the_server_repeats_is_not_shown(
    fake_remote_environment: FakeRemote, command: str, option: tuple[str, ...]
) -> None:
    remote = fake_remote_environment
    remote.add_run("team", state="COMPLETED")
    for path in (RUNS, DATASETS):
        sent = httpx.get(remote.url + path, headers={"X-Api-Key": remote.api_key}).text
        remote.faults.always(path, answer(200, sent.replace("team", f"x{remote.api_key}y")))
    result = call(command, *option)
    assert "x***y" in result.stdout
    assert remote.api_key not in result.stdout + result.stderr


def test_a_push_says_what_the_server_answered_without_the_key(
    fake_remote_environment: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_datasets(monkeypatch, {"demo": demo_reader})
    remote = fake_remote_environment
    answered = Importer._body

    def with_key(self: Importer, *args: Any) -> dict[str, Any]:
        return answered(self, *args) | {"more": f"x{remote.api_key}y"}

    monkeypatch.setattr(Importer, "_body", with_key)
    result = call("push", "demo", "--json")
    assert "x***y" in result.stdout
    assert remote.api_key not in result.stdout + result.stderr


def test_an_answer_of_any_depth_can_be_handed_on() -> None:
    deep = parse_import_answer(b'{"status":"completed","x":' + b'[{"y":' * 450 + b"1" + b"}]" * 450 + b"}")
    assert json.loads(json.dumps(copy.deepcopy(deep)))["status"] == "completed"
    shallow = {"x": [[[{"y": 1}]]]}
    assert parse_import_answer(json.dumps(shallow).encode()) == shallow
