"""The Execute button of ``remote_import_succeeded`` asks the remote now, about the latest push."""

import time
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster.testing import IMPORT_PIPELINE, FakeRemote
from tests.asset_chain import Chain, metadata_of


@pytest.fixture
def chain(remote: FakeRemote, tmp_path: Path) -> Chain:
    return Chain(remote=remote, directory=tmp_path)


def wait_for_the_end(remote: FakeRemote) -> None:
    deadline = time.monotonic() + 10
    while not any(run["ended_at"] for run in remote.runs if run["pipeline_name"] == IMPORT_PIPELINE):
        assert time.monotonic() < deadline, "the import does not end"
        time.sleep(0.01)


def test_a_finished_import_passes(chain: Chain) -> None:
    run_id = metadata_of(chain.run(), "remote_push")["pipeline_run_id"]
    evaluation = chain.check()
    assert evaluation.passed
    assert evaluation.metadata["pipeline_run_id"].value == run_id
    assert evaluation.metadata["status"].value == "completed"


def test_an_import_that_is_under_way_has_not_passed_but_is_no_error(chain: Chain, remote: FakeRemote) -> None:
    with remote.hold_imports():
        chain.run(config={"run_in_background": True})
        evaluation = chain.check()
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.WARN
    assert evaluation.metadata["status"].value == "running"


def test_a_background_import_that_finished_since_passes(chain: Chain, remote: FakeRemote) -> None:
    with remote.hold_imports() as hold:
        chain.run(config={"run_in_background": True})
        hold.release()
    wait_for_the_end(remote)
    assert chain.check().passed


def test_an_import_that_failed_is_an_error_with_its_reason(chain: Chain, remote: FakeRemote) -> None:
    remote.fail_next_import("RuntimeError")
    with remote.hold_imports() as hold:
        chain.run(config={"run_in_background": True})
        hold.release()
    wait_for_the_end(remote)
    evaluation = chain.check()
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.ERROR
    assert evaluation.metadata["status"].value == "failed"
    assert "'people'" in str(evaluation.description)


def test_while_the_remote_is_down_it_warns_with_the_reason(chain: Chain, remote: FakeRemote) -> None:
    assert chain.run().success
    remote.kill()
    evaluation = chain.check()
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.WARN
    assert f"The remote could not be asked: {remote.url}" in str(evaluation.description)
    assert evaluation.metadata["cognee/reason"].value == evaluation.description


def test_without_a_known_remote_it_warns_with_the_reason(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    assert chain.run().success
    monkeypatch.delenv("ABSENT_KEY", raising=False)
    chain.remote_options = {"api_key": dg.EnvVar("ABSENT_KEY")}
    evaluation = chain.check()
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.WARN
    assert "ABSENT_KEY is not set" in str(evaluation.description)


def test_before_the_first_push_it_says_what_to_materialize(chain: Chain) -> None:
    evaluation = chain.check()
    assert not evaluation.passed
    assert "Materialize people/remote_push first" in str(evaluation.description)


@pytest.mark.parametrize(("push_seconds", "status"), [(120.0, "failed"), (None, "running")])
def test_a_rederive_is_told_by_the_runs_since_its_upload_began(
    chain: Chain, remote: FakeRemote, push_seconds: float | None, status: str
) -> None:
    """Of such an import the remote names no run. The event log has the end of its push, and how long it took."""
    remote.state.clock.skew = -100
    remote.add_run("people", pipeline="add_pipeline", state="ERRORED")
    remote.state.clock.skew = 0
    metadata: dict[str, Any] = {
        "status": "running",
        "mode": "re-derive",
        "target_dataset": "people",
        "cognee/remote_url": remote.url,
        "cognee/remote_dataset_id": remote.dataset("people").id,
        **({"cognee/seconds": push_seconds} if push_seconds else {}),
    }
    chain.instance.report_runless_asset_event(dg.AssetMaterialization(chain.dataset.push_key, metadata=metadata))
    assert chain.check().metadata["status"].value == status


@pytest.mark.parametrize("status", ["completed", "unchanged"])
def test_a_push_that_has_arrived_without_a_run_passes(chain: Chain, remote: FakeRemote, status: str) -> None:
    """Its answer was lost and more than one run may be its own, or a mirror was only deleted from: no cognify run."""
    metadata: dict[str, Any] = {
        "status": status,
        "mode": "preserve",
        "target_dataset": "people",
        "cognee/remote_url": remote.url,
        "cognee/seconds": 7 * 3600.0,  # longer ago than any import takes
    }
    chain.instance.report_runless_asset_event(dg.AssetMaterialization(chain.dataset.push_key, metadata=metadata))
    evaluation = chain.check()
    assert evaluation.passed, evaluation.description
    assert "the push has seen that it arrived" in str(evaluation.description)


def test_a_push_to_another_remote_is_not_asked_about_here(chain: Chain) -> None:
    chain.run()
    with FakeRemote() as other:
        chain.remote_options = {"url": other.url, "api_key": other.api_key}
        evaluation = chain.check()
    assert not evaluation.passed
    assert other.url in str(evaluation.description)
