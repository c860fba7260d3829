"""A chain that leaves nothing on this machine: graph, archives, mirror and lock are in a bucket; steps are processes.

The bucket is moto's, on loopback; the remote is the fake one.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import dagster as dg
import networkx as nx
import pytest
from click.testing import CliRunner
from fsspec.implementations.dirfs import DirFileSystem
from upath import UPath

from cognee_dagster import CogneeDataset, CogneeRemote, CogxArchiveIOManager, build_definitions
from cognee_dagster.cli import main
from cognee_dagster.store.lock import Pace, store_lock
from cognee_dagster.testing import FakeRemote, Hold
from tests.asset_chain import checks, materialized, metadata_of, people
from tests.s3_server import s3_with

WHERE = "PLACE_IN_THE_BUCKET"  # each test's own, told to the steps' processes by this variable
QUICK = Pace(beat=0.05, stale=2.0, look=0.02, settle=0.1)


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """The file system with the empty bucket; its variables are this process's and its children's."""
    with s3_with("cognee") as files:
        yield files


@pytest.fixture
def bucket(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A file system that begins at a place of the test's own."""
    place = f"cognee/{uuid4().hex}"
    monkeypatch.setenv(WHERE, f"s3://{place}")
    return DirFileSystem(path=place, fs=s3)


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeRemote]:
    with FakeRemote() as server:
        (tmp_path / "empty.env").touch()
        here = {"HOME": str(tmp_path), "COGNEE_ENV_FILE": str(tmp_path / "empty.env")}
        for name, value in {**server.environ, **here}.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def definitions() -> dg.Definitions:
    place = os.environ[WHERE]
    dataset = CogneeDataset(name="people", graph=f"{place}/people.graphml", verify="graph")
    archives = CogxArchiveIOManager(base_directory=f"{place}/archives")
    return build_definitions([dataset], remote=CogneeRemote(), archives=archives)


def push_job() -> dg.JobDefinition:
    """What the steps' processes load."""
    return definitions().resolve_job_def("push_all_datasets")


def run(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return push_job().execute_in_process(instance=instance, raise_on_error=False)


def write_graph(bucket: Any, size: int) -> None:
    graph: Any = nx.MultiDiGraph(people(size=size))
    bucket.pipe_file("people.graphml", "".join(nx.generate_graphml(graph)).encode())


def names_there(remote: FakeRemote) -> set[str | None]:
    return {node.name for node in remote.graph("people").nodes.values() if str(node.name).startswith("Person ")}


def persons(size: int) -> set[str]:
    return {f"Person {number}" for number in range(size)}


@contextmanager
def held_elsewhere(path: UPath) -> Iterator[None]:
    """Holds a lock as another host does."""
    stop = threading.Event()
    with store_lock(path, host="elsewhere", process=7, stop=stop, waiting=lambda _: None, pace=QUICK) as lock:
        assert lock is not None
        yield


def wait_for(caplog: pytest.LogCaptureFixture, words: str) -> None:
    deadline = time.monotonic() + 60
    while words not in caplog.text:
        assert time.monotonic() < deadline, caplog.text
        time.sleep(0.05)


def test_each_step_in_a_process_of_its_own_finds_what_the_one_before_left_in_the_bucket(
    bucket: Any, remote: FakeRemote, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    write_graph(bucket, 9)
    with dg.execute_job(dg.reconstructable(push_job), instance=instance) as result:
        assert result.success
        said = [entry.message for entry in instance.all_logs(result.run_id)]
        assert sum(message.startswith("Launching subprocess for") for message in said) == 3, said
    assert names_there(remote) == persons(9)
    assert bucket.glob("archives/mirrors/*/mirror.json")
    assert bucket.glob("archives/mirrors/*.lock") == []
    assert not (tmp_path / ".cognee-dagster" / "archives").exists()


def test_a_mirror_in_the_bucket_removes_what_is_gone_and_sends_nothing_where_nothing_changed(
    bucket: Any, remote: FakeRemote, instance: dg.DagsterInstance
) -> None:
    write_graph(bucket, 9)
    assert run(instance).success
    write_graph(bucket, 8)
    changed = run(instance)
    assert metadata_of(changed, "remote_push")["cognee/mirror"]["nodes"] == {"added": 0, "changed": 0, "removed": 1}
    assert names_there(remote) == persons(8)
    assert checks(changed)["remote_import_succeeded"].passed
    uploads = len(remote.uploads)
    assert metadata_of(run(instance), "remote_push")["status"] == "unchanged"
    assert len(remote.uploads) == uploads


def test_a_push_waits_for_that_of_another_host_which_keeps_the_same_bucket(
    bucket: Any, remote: FakeRemote, instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    write_graph(bucket, 9)
    hold = remote.pace.hold = Hold()
    with ThreadPoolExecutor(1) as thread:
        pushing = thread.submit(run, instance)
        hold.wait_for_import(timeout=60)
        bucket.invalidate_cache()
        (lock,) = bucket.glob("archives/mirrors/*.lock")
        hold.release()
        assert pushing.result().success
    remote.pace.hold = None
    write_graph(bucket, 8)
    uploads = len(remote.uploads)
    caplog.set_level(logging.INFO)
    with ThreadPoolExecutor(1) as thread:
        with held_elsewhere(UPath(f"{os.environ[WHERE]}/{lock}")):
            pushing = thread.submit(run, instance)
            wait_for(caplog, "Another push keeps the same mirror (process 7 on elsewhere")
            assert len(remote.uploads) == uploads
        assert pushing.result().success
    assert names_there(remote) == persons(8)


def test_a_prune_leaves_what_the_mirror_and_the_check_need(
    bucket: Any, remote: FakeRemote, instance: dg.DagsterInstance
) -> None:
    for size in (9, 8, 7):
        write_graph(bucket, size)
        assert run(instance).success
    bucket.invalidate_cache()
    before = bucket.glob("archives/*/blobs/*")
    pruned = CliRunner().invoke(
        main, ["archives", "prune", "--keep-last", "1", "--archives", f"{os.environ[WHERE]}/archives"]
    )
    assert pruned.exit_code == 0, pruned.output
    bucket.invalidate_cache()
    after = bucket.glob("archives/*/blobs/*")
    assert set(after) < set(before), pruned.output
    defs = definitions()
    check = dg.AssetCheckKey(dg.AssetKey(["people", "remote_graph"]), "remote_import_succeeded")
    asked = dg.materialize(
        cast(Any, defs.assets),
        instance=instance,
        resources=dict(defs.resources or {}),
        selection=dg.AssetSelection.checks(check),
        raise_on_error=False,
    )
    assert checks(asked)["remote_import_succeeded"].passed
    write_graph(bucket, 6)
    again = run(instance)
    assert "remote_graph" in materialized(again)
    assert names_there(remote) == persons(6)
