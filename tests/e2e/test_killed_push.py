"""The process that pushes is killed while the remote imports: the next run goes on with that import."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from cognee_dagster.testing import FakeRemote
from tests.asset_chain import NO_RETRY, Chain, metadata_of
from tests.unit.test_delivery import wait_until

PUSHES = """
import sys
from pathlib import Path
from types import SimpleNamespace
import dagster as dg
from tests.asset_chain import Chain

url, api_key, directory = sys.argv[1:]
remote = SimpleNamespace(url=url, api_key=api_key)
Chain(remote=remote, directory=Path(directory), instance=dg.DagsterInstance.get()).run()
"""


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    with FakeRemote() as server:
        yield server


def test_the_next_run_attaches_to_the_import_of_a_killed_process(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    chain = Chain(
        remote=remote,
        directory=tmp_path,
        options={"retry_policy": NO_RETRY},
        instance=dg.DagsterInstance.get(),
    )
    with remote.hold_imports() as hold:
        command = [sys.executable, "-c", PUSHES, remote.url, remote.api_key, str(tmp_path)]
        pushing = subprocess.Popen(command, cwd=Path(__file__).parents[2])
        try:
            hold.wait_for_import(timeout=90)
            wait_until(lambda: chain.instance.fetch_observations(chain.dataset.push_key, limit=1).records, seconds=30)
        finally:
            pushing.kill()
            pushing.wait()
    result = chain.run("remote_push")
    assert result.success
    assert len(remote.uploads) == 1
    assert metadata_of(result, "remote_push")["pipeline_run_id"] == remote.runs[0]["pipeline_run_id"]
    assert len(remote.graph("people").nodes) == 3
