"""Pushes on two Celery workers behind a real broker, one of which is killed in the middle: every graph arrives.

One half of the datasets are mirrors, the other half are sent whole.

Runs and events are on PostgreSQL; graphs, archives and the state of the mirrors in a bucket of an S3 server. What the
broker and the workers are told is what docs/deployment.md prints.

``make scale`` runs it with 20 datasets.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import networkx as nx
import pytest
import yaml

from cognee_dagster.testing import FakeRemote, Hold
from tests.asset_chain import people
from tests.dagster_project import DagsterUI, program
from tests.postgres import PostgresServer
from tests.printed import ROOT, blocks
from tests.redis_server import redis_server
from tests.s3_server import s3_with

pytestmark = pytest.mark.timeout(1200)

DATASETS = [f"d{number:02}" for number in range(int(os.environ.get("SCALE_DATASETS", "4")))]
MIRRORS = DATASETS[::2]
PATIENCE = 240.0

CODE_LOCATION = """
import json, os
import dagster as dg
from dagster_celery import celery_executor
from cognee_dagster import CogneeDataset, CogneeRemote, CogxArchiveIOManager, build_definitions

names = json.loads(os.environ["DATASETS"])
mirrors = json.loads(os.environ["MIRRORS"])
datasets = [
    CogneeDataset(name=name, graph=f"s3://cognee/{name}.graphml", sync="incremental" if name in mirrors else "full")
    for name in names
]
archives = CogxArchiveIOManager(base_directory="s3://cognee/archives")
defs = dg.Definitions.merge(
    build_definitions(datasets, remote=CogneeRemote(), archives=archives), dg.Definitions(executor=celery_executor)
)
"""


class Workers:
    """Celery workers, each in a session of its own, as on a machine of its own."""

    def __init__(self, directory: Path, environ: dict[str, str]) -> None:
        self._directory, self._environ = directory, environ
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        command = [str(program("dagster-celery")), "worker", "start", "-A", "dagster_celery.app", "-y", "celery.yaml"]
        with (self._directory / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                [*command, "-n", name, "--", "--concurrency=1"],
                cwd=self._directory,
                env=self._environ,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """All of the worker's processes at once, as when its machine dies."""
        process = self._running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._running):
            self.kill(name)


@pytest.fixture
def broker(redis: str) -> Iterator[str]:
    with redis_server(redis) as url:
        yield url


@pytest.fixture
def bucket() -> Iterator[Any]:
    with s3_with("cognee") as files:
        yield files


@pytest.fixture
def environ(postgres: PostgresServer, broker: str, bucket: Any, tmp_path: Path) -> dict[str, str]:
    """What every process gets."""
    (tmp_path / "dagster.yaml").write_text(
        f"telemetry: {{enabled: false}}\nstorage: {{postgres: {{postgres_url: {postgres.new_database()}}}}}\n"
    )
    (tmp_path / "defs.py").write_text(CODE_LOCATION)
    (tmp_path / "empty.env").touch()
    for name in DATASETS:
        bucket.pipe_file(f"cognee/{name}.graphml", "".join(nx.generate_graphml(people())).encode())
    (printed,) = blocks(ROOT / "docs" / "deployment.md", "yaml")
    config = yaml.safe_load(printed.text)
    config["execution"]["config"] |= {"broker": broker, "backend": broker}
    # Redis hands on what no worker has finished within the timeout: the dead one's step, and that of a very slow one.
    config["execution"]["config"]["config_source"]["broker_transport_options"]["visibility_timeout"] = 25
    (tmp_path / "celery.yaml").write_text(yaml.safe_dump(config))
    return {
        **DagsterUI.environment(home=tmp_path),
        **{name: value for name, value in os.environ.items() if name.startswith("AWS_")},
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        "DAGSTER_HOME": str(tmp_path),
        "COGNEE_ENV_FILE": str(tmp_path / "empty.env"),
        "DATASETS": json.dumps(DATASETS),
        "MIRRORS": json.dumps(MIRRORS),
    }


@contextmanager
def launched(directory: Path, environ: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """The process of a run of all datasets."""
    command = [
        str(program("dagster")),
        "job",
        "execute",
        "-f",
        "defs.py",
        "-j",
        "push_all_datasets",
        "-c",
        "celery.yaml",
    ]
    with ExitStack() as stack:
        log = stack.enter_context((directory / "run.log").open("wb"))
        process = subprocess.Popen(command, cwd=directory, env=environ, stdout=log, stderr=subprocess.STDOUT)
        stack.callback(process.wait)
        stack.callback(process.kill)
        yield process


def push_that_has_begun(instance: dg.DagsterInstance, run_id: str) -> tuple[str, str]:
    """The step of a push whose import the event log knows already, and the worker that does it.

    One that is killed before that sends its archive a second time, since nobody can know that the first one arrived.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        workers: dict[str, str] = {}
        for entry in instance.all_logs(run_id):
            event = entry.dagster_event
            if event is not None and "in celery worker" in (event.message or ""):
                metadata = event.engine_event_data.metadata
                workers[str(event.step_key)] = str(metadata["Celery worker"].value).partition("@")[0]
            elif event is not None and event.event_type == dg.DagsterEventType.ASSET_OBSERVATION:
                return str(event.step_key), workers[str(event.step_key)]
        time.sleep(0.2)
    raise AssertionError("no push has noted its import")


def test_every_graph_arrives_though_a_worker_dies(
    environ: dict[str, str], bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with FakeRemote() as remote, dg.DagsterInstance.get() as instance:
        hold = remote.pace.hold = Hold()
        variables = environ | remote.environ
        with Workers(tmp_path, variables) as workers, launched(tmp_path, variables) as process:
            workers.start("one")
            workers.start("two")
            hold.wait_for_import(timeout=PATIENCE)
            (run,) = instance.get_runs()
            step, worker = push_that_has_begun(instance, run.run_id)
            workers.kill(worker)
            remote.pace.hold = None
            hold.release()
            process.wait(PATIENCE * 2)
            assert process.returncode == 0, (tmp_path / "run.log").read_text()[-4000:]
        assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.SUCCESS  # type: ignore[union-attr]
        events = [entry.dagster_event for entry in instance.all_logs(run.run_id) if entry.dagster_event is not None]
        pushes = Counter(
            str(event.step_key)
            for event in events
            if event.event_type == dg.DagsterEventType.STEP_START and str(event.step_key).endswith("remote_push")
        )
        assert pushes == Counter([step, *(f"{name}__remote_push" for name in DATASETS)])
        imported = Counter(
            event.asset_key.path[0]
            for event in events
            if event.is_step_materialization
            and event.asset_key is not None
            and event.asset_key.path[-1] == "remote_graph"
        )
        assert imported == Counter(DATASETS)
        sent = Counter(upload.fields["datasetName"] for upload in remote.uploads)
        # What was sent whole is picked up where it was left; a mirror sends once more what it may have sent.
        killed = {step.removesuffix("__remote_push")} & {*MIRRORS}
        assert sent == Counter([*DATASETS, *killed])
        for name in DATASETS:
            assert len(remote.graph(name).nodes) == len(people().nodes)
        assert len([path for path in bucket.find("cognee/archives") if path.endswith("mirror.json")]) == len(MIRRORS)
        assert list(tmp_path.rglob("*.tar.gz")) == []
