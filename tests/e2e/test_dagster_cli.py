"""The real ``dagster`` command on the root definitions.py, each step in a process of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.testing import FakeRemote
from tests.dagster_project import REPOSITORY, Project

pytestmark = pytest.mark.timeout(400)
IN_PROCESS: dict[str, Any] = {"execution": {"config": {"in_process": {}}}}


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    with FakeRemote() as server:
        yield server


def test_the_assets_are_listed(tmp_path: Path) -> None:
    done = Project.over(tmp_path, remote=None).dagster("asset", "list", "-f", str(REPOSITORY / "definitions.py"))
    assert done.stdout.split()[-3:] == ["people/cognified_graph", "people/cogx_archive", "people/remote_push"]


def test_the_workspace_loads(tmp_path: Path) -> None:
    done = Project.over(tmp_path, remote=None).dagster(
        "definitions", "validate", "-w", str(REPOSITORY / "workspace.yaml")
    )
    assert done.returncode == 0, done.stdout


def test_the_chain_runs_in_separate_processes_and_without_a_home(tmp_path: Path, remote: FakeRemote) -> None:
    done = Project.over(tmp_path, remote=remote).materialize("+key:people/remote_push")
    assert done.returncode == 0, done.stdout
    assert len(remote.graph("people").nodes) == 3
    assert len(remote.uploads) == 1
    assert done.stdout.count("The graph was read: 3 nodes, 2 edges.") == 1
    assert done.stdout.count("The graph's store has not changed since it was read") == 1


def test_the_steps_can_be_run_one_by_one_and_configured(tmp_path: Path, remote: FakeRemote) -> None:
    """Two commands that share no event log: the push takes the archive that was stored last."""
    project = Project.over(tmp_path, remote=remote)
    archived = project.materialize("key:people/cogx_archive", config=IN_PROCESS)
    assert archived.returncode == 0, archived.stdout
    config = {"target_dataset": "others", "run_in_background": True}
    with remote.hold_imports():
        pushed = project.materialize(
            "key:people/remote_push", config={**IN_PROCESS, "ops": {"people__remote_push": {"config": config}}}
        )
    assert pushed.returncode == 0, pushed.stdout
    assert remote.dataset("others")
    assert "no sensor will see the end of the import" in pushed.stdout


def test_with_nothing_configured_it_loads_and_says_what_is_missing(tmp_path: Path) -> None:
    project = Project.over(tmp_path, remote=None, datasets=[])
    listed = project.dagster("asset", "list", "-f", str(REPOSITORY / "definitions.py"))
    assert "main_dataset/remote_push" in listed.stdout
    missing = {"SYSTEM_ROOT_DIRECTORY": str(tmp_path / "nowhere")}
    done = project.materialize("key:main_dataset/cognified_graph", config=IN_PROCESS, **missing)
    assert done.returncode != 0
    assert "main_dataset" in done.stdout
    assert "dagster._core.definitions.events.Failure" in done.stdout


def test_a_remote_that_is_missing_is_said_to_be(tmp_path: Path) -> None:
    project = Project.over(tmp_path, remote=None)
    project.materialize("key:people/cogx_archive", config=IN_PROCESS)
    done = project.materialize("key:people/remote_push", config=IN_PROCESS)
    assert done.returncode != 0
    assert "COGNEE_SERVICE_URL" in done.stdout


def test_a_broken_setting_is_named(tmp_path: Path) -> None:
    project = Project.over(tmp_path, remote=None, datasets=[{"name": "people", "mode": "merge"}])
    done = project.dagster("asset", "list", "-f", str(REPOSITORY / "definitions.py"))
    assert done.returncode != 0
    assert "COGNEE_DAGSTER_DATASETS[0]: CogneeDataset 'people': mode='merge'" in done.stdout


def test_the_key_is_written_nowhere(tmp_path: Path, remote: FakeRemote) -> None:
    """Neither by a push that succeeds nor by one that fails: output, event log, compute logs, archives."""
    key = remote.api_key
    project = Project.over(tmp_path, remote=remote, DAGSTER_HOME=str(tmp_path / "home"))
    pushed = project.materialize("+key:people/remote_push", config=IN_PROCESS)
    assert pushed.returncode == 0, pushed.stdout
    refused = project.materialize("key:people/remote_push", config=IN_PROCESS, COGNEE_API_KEY=f"wrong-{key}")
    assert refused.returncode != 0
    assert key not in pushed.stdout + refused.stdout
    holding = [path for path in tmp_path.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]
    assert holding == []
