"""Alert sensors in a real Dagster daemon that is killed: one run a failure, one call a failure."""

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

from tests.daemon import wait_for_ticks

DATASETS = [f"d{number}" for number in range(8)]
TIME_LIMIT = 240.0
CODE_LOCATION = """
from pathlib import Path

import dagster as dg
from cognee_dagster import PushFailure, build_alert_sensor

keys = [dg.AssetKey([name, "remote_push"]) for name in {datasets!r}]


def note(failure: PushFailure) -> None:
    with Path("calls").open("a") as notes:
        notes.write(failure.id + chr(10))


@dg.op
def tell(config: PushFailure) -> None: ...


@dg.job(executor_def=dg.in_process_executor)
def tell_job() -> None:
    tell()


def request(failure: PushFailure) -> dg.RunRequest:
    return dg.RunRequest(run_config=dg.RunConfig(ops={{"tell": failure}}))


defs = dg.Definitions(
    assets=[dg.AssetSpec(key) for key in keys],
    jobs=[tell_job],
    sensors=[
        build_alert_sensor(keys, on_failure=note, name="calling", minimum_interval_seconds=1),
        build_alert_sensor(keys, on_failure=request, job=tell_job, name="launching", minimum_interval_seconds=1),
    ],
)
"""

pytestmark = pytest.mark.timeout(TIME_LIMIT + 120)


@pytest.fixture
def home(storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dagster.yaml").write_text(
        f"telemetry: {{enabled: false}}\nsensors: {{use_threads: true, num_workers: 4}}\n{storage}"
    )
    (tmp_path / "alerts.py").write_text(CODE_LOCATION.format(datasets=DATASETS))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as instance:
        yield instance


def fail(instance: dg.DagsterInstance, import_id: str, dataset: str) -> str:
    """What the import sensor writes of an import that failed; the failure's id."""
    instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey([dataset, "remote_graph"]),
            check_name="remote_import_succeeded",
            passed=False,
            metadata={"status": "failed", "pipeline_run_id": import_id, "cognee/reason": "It failed. Push again."},
        )
    )
    return f"import {import_id}"


def called(home: Path) -> Counter[str]:
    path = home / "calls"
    return Counter(path.read_text().split("\n")[:-1]) if path.exists() else Counter()


@contextmanager
def daemon(home: Path) -> Iterator[None]:
    """A daemon with its code server, killed with SIGKILL at the end, by its process group."""
    with (home / "daemon.log").open("ab") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "dagster-daemon"), "run", "-f", "alerts.py"],
            cwd=home,
            env={**os.environ, "DAGSTER_HOME": str(home)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield
            assert process.poll() is None, (home / "daemon.log").read_text()[-4000:]
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def wait(home: Path, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIME_LIMIT
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail((home / "daemon.log").read_text()[-4000:])
        time.sleep(0.05)


def test_failures_are_told_once_by_a_daemon_that_is_killed_twice(home: Path, instance: dg.DagsterInstance) -> None:
    def runs() -> Counter[str]:
        return Counter(str(run.tags.get("dagster/run_key")) for run in instance.get_runs())

    expected = {fail(instance, f"{dataset} 1", dataset) for dataset in DATASETS}
    with daemon(home):
        wait(home, lambda: bool(called(home)))  # in the middle of a tick, most likely
    expected |= {fail(instance, f"{dataset} 2", dataset) for dataset in DATASETS}
    with daemon(home):
        wait(home, lambda: bool(runs()))
    expected |= {fail(instance, f"{dataset} 3", dataset) for dataset in DATASETS}

    with daemon(home):
        wait(home, lambda: set(called(home)) == expected == set(runs()))
        wait_for_ticks(instance, 2, patience=TIME_LIMIT)
    assert set(runs().values()) == {1}
    calls = called(home)
    assert set(calls) == expected
    # A call whose process was killed before it could be noted is repeated: at most the one under way at each kill.
    assert sum(calls.values()) <= len(expected) + 2
