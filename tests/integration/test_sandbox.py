"""The sandbox is real Cognee, and leaves nothing behind."""

import fcntl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import httpx
import ladybug
import networkx as nx
import pytest
from dagster.components.testing.utils import component_defs
from pydantic import SecretStr

from cognee_dagster import CogneeComponent
from cognee_dagster.errors import LocalCogneeError
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import Connection
from cognee_dagster.sandbox import CogneeServer
from cognee_dagster.sandbox import server as sandbox_server
from cognee_dagster.sandbox.settings import no_language_model
from tests.asset_chain import metadata_of, people
from tests.conftest import LocalStore
from tests.fault_proxy import FaultProxy
from tests.readers_machine import push_all


def _get(server: CogneeServer, path: str) -> httpx.Response:
    return httpx.get(server.url + path, headers={"X-Api-Key": server.api_key}, timeout=30, trust_env=False)


def test_the_server_answers_with_its_version_and_accepts_its_key(real_remote: CogneeServer) -> None:
    assert httpx.get(real_remote.url + "/health", trust_env=False).json()["version"]
    assert _get(real_remote, "/api/v1/datasets").status_code == 200
    assert httpx.get(real_remote.url + "/api/v1/datasets", trust_env=False).status_code == 401


def test_a_killed_server_comes_back_at_the_same_address_with_the_same_key_and_datasets(
    real_cognee: None, tmp_path: Path
) -> None:
    with CogneeServer(tmp_path) as server:
        url, key = server.url, server.api_key
        created = httpx.post(
            url + "/api/v1/datasets", json={"name": "kept"}, headers={"X-Api-Key": key}, timeout=30, trust_env=False
        )
        assert created.status_code == 200
        server.kill()
        with pytest.raises(httpx.ConnectError):
            _get(server, "/health")
        server.restart()
        assert (server.url, server.api_key) == (url, key)
        assert [dataset["name"] for dataset in _get(server, "/api/v1/datasets").json()] == ["kept"]
    with pytest.raises(httpx.ConnectError):
        _get(server, "/health")


def test_the_next_server_in_a_directory_has_the_same_address_and_key(real_cognee: None, tmp_path: Path) -> None:
    """What is in a project's ``.env`` holds on; a key that the server does not know is made anew."""
    (tmp_path / "api_key").write_text("of a server that is gone")
    with CogneeServer(tmp_path) as server:
        first = server.url, server.api_key
        assert _get(server, "/api/v1/datasets").status_code == 200
    with CogneeServer(tmp_path) as server:
        assert (server.url, server.api_key) == first
        assert _get(server, "/api/v1/datasets").status_code == 200
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("api_key", "password")] == [0o600, 0o600]


def test_a_server_that_cannot_start_says_why_with_the_end_of_its_log(real_cognee: None, tmp_path: Path) -> None:
    server = CogneeServer(tmp_path, settings={"SYSTEM_ROOT_DIRECTORY": "relative/path"})
    with pytest.raises(LocalCogneeError, match="ended with exit code"):
        server.start()


def test_without_a_language_model_a_cognify_fails_at_once_and_is_not_repeated_for_minutes(
    real_cognee: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LLM_API_KEY", raising=False)
    server = CogneeServer(tmp_path)
    with FaultProxy(server.url) as proxy:
        monkeypatch.setattr(sandbox_server, "no_language_model", lambda _: no_language_model(proxy.url))
        with server, httpx.Client(base_url=server.url, timeout=600, trust_env=False) as client:
            assert not server.has_language_model
            with CogneeClient(Connection(url=server.url, api_key=SecretStr(server.api_key))) as asking:
                assert asking.lacks_language_model()
            client.headers["X-Api-Key"] = server.api_key
            added = client.post(
                "/api/v1/add", data={"datasetName": "notes"}, files={"data": ("a.txt", b"Alice works for Acme.")}
            )
            assert added.status_code == 200, added.text
            proxy.passages.clear()
            cognified = client.post("/api/v1/cognify", json={"datasets": ["notes"], "run_in_background": False})
            assert cognified.status_code >= 400
        assert len(proxy.passages) <= 2, "Cognee takes other refusals for a bad day, and asks for minutes"


def test_a_component_in_demo_mode_pushes_to_a_sandbox_that_ends_with_the_run(
    real_cognee: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    nx.write_graphml(people(), tmp_path / "people.graphml")
    attributes = {
        "datasets": [{"name": "people", "graph": str(tmp_path / "people.graphml"), "verify": "graph"}],
        "remote": {"url": "https://cognee.example.com", "api_key": "which nobody asks"},
        "archives": {"base_directory": str(tmp_path / "archives")},
        "demo_mode": True,
    }
    defs = component_defs(component=CogneeComponent.from_attributes_dict(attributes=attributes))
    with dg.DagsterInstance.ephemeral() as instance:
        pushed = push_all(defs, instance)
    assert pushed.success
    said = metadata_of(pushed, "remote_push")
    assert (said["status"], said["num_nodes"]) == ("completed", len(people().nodes))
    sandbox = CogneeServer(tmp_path / ".cognee-dagster" / "demo" / "cognee_remote")
    assert said["cognee/remote_url"] == sandbox.url
    with pytest.raises(httpx.ConnectError):
        httpx.get(sandbox.url + "/health", trust_env=False)


def test_everything_stays_below_the_given_directory(demo_store: LocalStore) -> None:
    assert (demo_store.directory / "system" / "databases" / "cognee_db").is_file()


def test_the_handbook_becomes_a_graph_of_its_names_and_what_they_do(handbook_store: LocalStore) -> None:
    (graph,) = (handbook_store.directory / "system" / "databases").glob("*/*.lbug")
    with ladybug.Database(str(graph), read_only=True) as database, ladybug.Connection(database) as connection:
        answer = connection.execute("MATCH (a:Node)-[r:EDGE]->(b:Node) RETURN a.name, r.relationship_name, b.name")
        assert isinstance(answer, ladybug.QueryResult)
        triples = {tuple(row) for row in answer.get_all()}
    assert ("ada moreno", "leads", "data platform") in triples
    assert ("kestrel", "is_a", "message broker") in triples


PARENT = """
import sys
from pathlib import Path
from cognee_dagster.system.child_process import ChildProcess, tethered
ChildProcess(tethered(sys.argv[1], sys.argv[2]), environ={}, log=Path(sys.argv[3]))
sys.stdin.read()
"""
CHILD = """
import fcntl, sys, time
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(300)
"""


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script, lock, log = tmp_path / "child.py", tmp_path / "lock", tmp_path / "log"
    script.write_text(CHILD)
    command = [sys.executable, "-c", PARENT, str(script), str(lock), str(log)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as parent:
        _wait_until(lambda: log.exists() and "locked" in log.read_text())
        assert not _is_free(lock)
        parent.kill()
    _wait_until(lambda: _is_free(lock))


def _is_free(lock: Path) -> bool:
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
