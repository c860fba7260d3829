"""The import sensor in a real Dagster daemon that is killed: every import is reported exactly once."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from cognee_dagster.testing import FakeRemote
from tests.daemon import wait_for_ticks

DATASETS = [f"d{number:02}" for number in range(20)]
STALLED_AFTER = 45.0
TIME_LIMIT = 240.0

# Sensors tick at the same time.
SETTINGS = """
telemetry: {enabled: false}
sensors: {use_threads: true, num_workers: 4}
"""

# Two code locations with a sensor over the same assets each: within one, the second sensor is refused.
LOCATIONS = ("one.py", "two.py")
CODE_LOCATION = """
import dagster as dg
from cognee_dagster.dagster.resources import REMOTE_RESOURCE, CogneeRemote
from cognee_dagster.dagster.sensors.import_sensor import build_import_sensor

keys = [dg.AssetKey([name, "remote_push"]) for name in {datasets!r}]
defs = dg.Definitions(
    assets=[dg.AssetSpec(key) for key in keys],
    sensors=[build_import_sensor(keys, minimum_interval_seconds=1, stalled_after_seconds={stalled_after})],
    resources={{REMOTE_RESOURCE: CogneeRemote(url=dg.EnvVar("REMOTE_URL"), api_key=dg.EnvVar("REMOTE_KEY"))}},
)
"""

pytestmark = pytest.mark.timeout(TIME_LIMIT + 120)


class Scene:
    """A Dagster instance, a remote, and the pushes between them."""

    def __init__(self, remote: FakeRemote, directory: Path, instance: dg.DagsterInstance) -> None:
        self.remote = remote
        self.directory = directory
        self.instance = instance
        self.ended: dict[str, bool] = {}  # by run id, whether well
        self.running: dict[str, str] = {}

    def push(self, dataset: str) -> str:
        """The remote begins an import, and Dagster logs the push."""
        run = self.remote.add_run(dataset)
        self.instance.report_runless_asset_event(
            dg.AssetMaterialization(
                dg.AssetKey([dataset, "remote_push"]),
                metadata={
                    "status": "started",
                    "mode": "preserve",
                    "pipeline_run_id": run,
                    "target_dataset": dataset,
                    "cognee/remote_url": self.remote.url,
                    "cognee/remote_dataset_id": self.remote.dataset(dataset).id,
                },
            )
        )
        self.running[run] = dataset
        return run

    def end(self, runs: list[str], *, well: bool) -> None:
        """The remote's imports come to their end."""
        for run in runs:
            self.remote.add_run(self.running.pop(run), state="COMPLETED" if well else "ERRORED", run_id=run)
            self.ended[run] = well

    def reports(self) -> Counter[tuple[str, str]]:
        """How often each import was materialized, and failed."""
        found: Counter[tuple[str, str]] = Counter()
        for dataset in DATASETS:
            key = dg.AssetKey([dataset, "remote_graph"])
            for record in self.instance.fetch_materializations(key, limit=100).records:
                assert record.asset_materialization is not None
                found[_run_of(record.asset_materialization), "materialized"] += 1
            for record in self.instance.fetch_observations(key, limit=100).records:
                assert record.asset_observation is not None
                found[_run_of(record.asset_observation), "observed"] += 1
            for check in self.checks(dataset):
                found[_run_of(check), "passed" if check.passed else "failed"] += 1
        return found

    def checks(self, dataset: str) -> list[dg.AssetCheckEvaluation]:
        key = dg.AssetCheckKey(dg.AssetKey([dataset, "remote_graph"]), "remote_import_succeeded")
        records = self.instance.event_log_storage.get_asset_check_execution_history(key, limit=100)
        events = [record.event.dagster_event for record in records if record.event is not None]
        return [event.asset_check_evaluation_data for event in events if event is not None]

    @contextmanager
    def daemon(self) -> Iterator[subprocess.Popen[bytes]]:
        """A daemon with its code servers, killed with SIGKILL at the end, by its process group."""
        environ = {**os.environ, "REMOTE_URL": self.remote.url, "REMOTE_KEY": self.remote.api_key}
        environ["DAGSTER_HOME"] = str(self.directory)
        files = [argument for location in LOCATIONS for argument in ("-f", location)]
        with (self.directory / "daemon.log").open("ab") as log:
            process = subprocess.Popen(
                [str(Path(sys.executable).parent / "dagster-daemon"), "run", *files],
                cwd=self.directory,
                env=environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                yield process
                assert process.poll() is None, (self.directory / "daemon.log").read_text()[-4000:]
            finally:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)

    def wait_until(self, condition: Callable[[], bool], *, interval: float = 0.5) -> None:
        """Polls until it holds."""
        deadline = time.monotonic() + TIME_LIMIT
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"{self.reports()}\n{(self.directory / 'daemon.log').read_text()[-4000:]}")
            time.sleep(interval)


def _run_of(event: dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation) -> str:
    return str(event.metadata["pipeline_run_id"].value)


@pytest.fixture
def scene(storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    (tmp_path / "dagster.yaml").write_text(f"{SETTINGS}{storage}")
    for location in LOCATIONS:
        (tmp_path / location).write_text(CODE_LOCATION.format(datasets=DATASETS, stalled_after=STALLED_AFTER))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with FakeRemote() as remote, dg.DagsterInstance.get() as instance:
        yield Scene(remote, tmp_path, instance)


def test_sixty_imports_are_reported_once_by_a_daemon_that_is_killed_twice(scene: Scene) -> None:
    first = [scene.push(dataset) for dataset in DATASETS]
    stalled, ending = first[:3], first[3:]
    scene.end(ending[:4], well=False)
    scene.end(ending[4:], well=True)
    with scene.daemon():
        # The first of the tick's events is there; its last one, most likely, and its cursor are not.
        scene.wait_until(lambda: bool(scene.checks(DATASETS[3])), interval=0.02)

    second = [scene.push(dataset) for dataset in DATASETS]
    scene.remote.restart()
    with scene.daemon():
        scene.end(second[:10], well=True)
        scene.wait_until(lambda: any(run in second for run, _ in scene.reports()), interval=0.02)
        scene.end(second[10:], well=False)

    third = [scene.push(dataset) for dataset in DATASETS]
    scene.end(third, well=True)
    everything = {*first, *second, *third}
    with scene.daemon():
        scene.wait_until(lambda: {run for run, _ in scene.reports()} == everything)
        wait_for_ticks(scene.instance, 2, patience=TIME_LIMIT)

    reports = scene.reports()
    assert {report: count for report, count in reports.items() if count != 1} == {}
    for run in everything - set(stalled):
        kinds = {kind for reported, kind in reports if reported == run}
        assert kinds == {"materialized", "passed"} if scene.ended[run] else kinds <= {"failed", "observed"}
    # A newer import of the same dataset succeeded before they were given up: told, but not overturning it.
    assert {kind for run, kind in reports if run in stalled} == {"observed"}
    assert all(scene.checks(dataset)[0].passed for dataset in DATASETS)
