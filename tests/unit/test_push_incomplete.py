"""A push whose own answer says that records were not read is not called done by anybody."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from cognee_dagster.pushing import archives
from cognee_dagster.pushing.archives import push_archives
from cognee_dagster.pushing.delivery.deliver import deliver
from cognee_dagster.pushing.delivery.result import DeliveryResult
from cognee_dagster.pushing.mirror.done import sending
from cognee_dagster.testing import FakeRemote
from tests.command_line import call
from tests.pushes import client_of, demo_archive


@pytest.fixture
def half_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server reads half of the records of each kind, and says so."""

    def read(*args: Any, **options: Any) -> DeliveryResult:
        result = deliver(*args, **options)
        (item,) = result.response["items"]
        counts = {kind: count // 2 for kind, count in item["record_counts"].items()}
        return replace(result, response={**result.response, "items": [{**item, "record_counts": counts}]})

    monkeypatch.setattr(archives, "deliver", read)
    monkeypatch.setattr(sending, "deliver", read)


@pytest.mark.usefixtures("half_read")
@pytest.mark.parametrize("sync", ["full", "incremental"])
def test_the_command_line_ends_as_with_a_failed_import(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sync: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    nx.write_graphml(nx.path_graph(30, create_using=nx.DiGraph), tmp_path / "path.graphml")
    where = ("--url", remote.url, "--api-key", remote.api_key)
    done = call("push", str(tmp_path / "path.graphml"), "--sync", sync, "--json", *where)
    assert done.exit_code == 6
    assert "Not everything has arrived in 'path', though the remote says completed" in done.stderr
    assert json.loads(done.stdout)["num_nodes"] == 30


@pytest.mark.usefixtures("half_read")
def test_the_engine_warns_and_says_so_in_its_answer(
    remote: FakeRemote, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), client_of(remote.url, remote.api_key) as client:
        result = push_archives([demo_archive(tmp_path)], client=client)
    assert f"Not everything has arrived in 'demo' on {remote.url}: The remote read" in caplog.text
    assert "The remote read 1 of 2 fact records. Push again." in result.remote_response["incomplete"]


def test_a_push_that_was_read_whole_says_nothing_of_it(remote: FakeRemote, tmp_path: Path) -> None:
    with client_of(remote.url, remote.api_key) as client:
        assert "incomplete" not in push_archives([demo_archive(tmp_path)], client=client).remote_response


@pytest.mark.parametrize("sync", ["full", "incremental"])
def test_facts_that_the_server_drops_are_not_called_arrived(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sync: str
) -> None:
    def drop(*args: Any, **options: Any) -> DeliveryResult:
        result = deliver(*args, **options)
        (item,) = result.response["items"]
        return replace(result, response={**result.response, "items": [{**item, "skipped_facts": 3}]})

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(archives, "deliver", drop)
    monkeypatch.setattr(sending, "deliver", drop)
    nx.write_graphml(nx.path_graph(30, create_using=nx.DiGraph), tmp_path / "path.graphml")
    where = ("--url", remote.url, "--api-key", remote.api_key)
    done = call("push", str(tmp_path / "path.graphml"), "--sync", sync, *where)
    assert done.exit_code == 6
    assert "Not everything has arrived in 'path'" in done.stderr
