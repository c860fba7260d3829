"""Bringing an archive to a remote: in the foreground, detached, and refused before anything is sent."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.errors import (
    BackgroundUnsupportedError,
    CogxUnsupportedError,
    EmptyGraphError,
    ImportUnconfirmedError,
    InvalidModeError,
    InvalidTargetError,
    PushInterruptedError,
    RemoteAuthError,
    RemoteRejectedError,
)
from cognee_dagster.graph.reader import GraphOrigin
from cognee_dagster.pushing.archives import PushResult
from cognee_dagster.pushing.options import DeliverySettings
from cognee_dagster.testing import IMPORT_PIPELINE, FakeRemote, faults
from cognee_dagster.testing.faults import RUNS, UPLOADS
from tests.cogx_graphs import MemoryReader
from tests.pushes import HASTY, client_of, demo_archive, push_archive


def push_demo(remote: FakeRemote, directory: Path, **options: Any) -> PushResult:
    with client_of(remote.url, options.pop("api_key", remote.api_key)) as client:
        return push_archive(demo_archive(directory), client=client, **{"settings": HASTY, **options})


def test_a_foreground_push_returns_the_servers_own_answer(remote: FakeRemote, tmp_path: Path) -> None:
    result = push_demo(remote, tmp_path)
    assert (result.status, result.dataset_name, result.target_dataset) == ("completed", "demo", "demo")
    assert (result.num_nodes, result.num_edges) == (3, 2)
    assert result.pipeline_run_id == result.remote_response["pipeline_run_id"]
    assert (len(remote.graph("demo").nodes), len(remote.graph("demo").edges)) == (3, 2)


def test_a_refusal_of_which_nothing_more_is_known_is_not_its_own_cause(remote: FakeRemote, tmp_path: Path) -> None:
    remote.faults.always(UPLOADS, faults.answer(400, '{"detail": "no"}'))
    with pytest.raises(RemoteRejectedError) as raised:
        push_demo(remote, tmp_path)
    assert raised.value.__cause__ is not raised.value


def test_the_target_may_have_another_name(remote: FakeRemote, tmp_path: Path) -> None:
    assert push_demo(remote, tmp_path, target_dataset="elsewhere").target_dataset == "elsewhere"
    assert len(remote.graph("elsewhere").nodes) == 3


def test_a_background_push_returns_while_the_import_is_running_and_it_arrives(
    remote: FakeRemote, tmp_path: Path
) -> None:
    with remote.hold_imports():
        result = push_demo(remote, tmp_path, run_in_background=True)
        assert result.status == "started"
        assert [row["status"] for row in remote.runs if row["pipeline_run_id"] == result.pipeline_run_id] == [
            "DATASET_PROCESSING_STARTED"
        ]
    item = result.remote_response["items"][0]
    assert (item["kind"], item["graph_import"], result.remote_response["detached"]) == (
        "migration_import",
        "running",
        True,
    )
    wait_until(lambda: import_outcomes(remote) == {result.pipeline_run_id: "succeeded"})
    assert len(remote.graph("demo").nodes) == 3


def test_a_background_push_uploads_as_a_foreground_import(remote: FakeRemote, tmp_path: Path) -> None:
    """The server's own background preserve deletes the archive before it reads it."""
    push_demo(remote, tmp_path, run_in_background=True)
    assert remote.uploads[0].fields["run_in_background"] == "false"


def test_a_run_of_somebody_else_is_not_taken_for_ours(remote: FakeRemote, tmp_path: Path) -> None:
    foreign = remote.add_run("demo", state="COMPLETED")
    with remote.hold_imports():
        ours = push_demo(remote, tmp_path, run_in_background=True).pipeline_run_id
        assert ours is not None
        assert ours != foreign
        assert ours in import_outcomes(remote)


def test_a_run_that_never_appears_ends_in_an_error_that_says_where_to_look(remote: FakeRemote, tmp_path: Path) -> None:
    impatient = DeliverySettings(detach_timeout=0.2, poll_interval=0.02)
    lock = remote.state.ensure_dataset("demo", remote.admin).lock
    with lock, pytest.raises(ImportUnconfirmedError, match="no import run of it became visible") as caught:
        push_demo(remote, tmp_path, run_in_background=True, settings=impatient)
    assert "detach_timeout" in str(caught.value)


@pytest.mark.parametrize("skew", [-3600.0, 3600.0])
def test_our_run_is_found_on_a_server_whose_clock_is_off(remote: FakeRemote, tmp_path: Path, skew: float) -> None:
    remote.state.clock.skew = skew
    with remote.hold_imports():
        result = push_demo(remote, tmp_path, run_in_background=True)
    assert result.status == "started"
    assert result.pipeline_run_id in import_outcomes(remote)


def test_between_two_looks_for_a_lost_import_the_remote_is_left_alone(remote: FakeRemote, tmp_path: Path) -> None:
    class Counting(threading.Event):
        waits = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.waits += 1
            return super().wait(timeout)

    stop = Counting()
    remote.faults.on(UPLOADS, faults.answer(504))
    assert push_demo(remote, tmp_path, stop=stop).status == "completed"
    looks = [r for r in remote.requests if r.path == RUNS and r.query["pipeline_name"] == IMPORT_PIPELINE]
    assert len(looks) > 5
    assert stop.waits >= len(looks) - 5  # the first look of each upload and the last are not waited for


@pytest.mark.parametrize("skew", [-3600.0, 0.0, 3600.0])
def test_a_re_derive_in_the_background_says_when_the_server_had_it_by_its_own_clock(
    remote: FakeRemote, tmp_path: Path, skew: float
) -> None:
    remote.state.clock.skew = skew
    before = remote.state.clock.now()
    result = push_demo(remote, tmp_path, mode="re-derive", run_in_background=True)
    assert result.delivered_at is not None
    full_seconds = timedelta(seconds=2)  # as servers write the time
    assert before - full_seconds < result.delivered_at < remote.state.clock.now() + full_seconds


def test_in_a_re_derive_no_import_run_is_looked_for(remote: FakeRemote, tmp_path: Path) -> None:
    """There is none, and a server's language model may be at work for hours."""
    remote.pace.llm_works, remote.pace.cognify_seconds = True, 1.0
    push_demo(remote, tmp_path, mode="re-derive")
    looks = [request for request in remote.requests if request.path == RUNS]
    assert len(looks) <= 2  # what there was before the upload


def test_the_run_is_told_as_soon_as_it_is_known(remote: FakeRemote, tmp_path: Path) -> None:
    runs: list[str] = []
    result = push_demo(remote, tmp_path, on_run=runs.append)
    assert runs == [result.pipeline_run_id]


def test_stopping_hangs_up_and_leaves_a_delivered_import_to_the_server(
    remote: FakeRemote, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stop = threading.Event()
    caplog.set_level("INFO", logger="cognee_dagster")
    with remote.hold_imports(), pytest.raises(PushInterruptedError):
        push_demo(remote, tmp_path, stop=stop, on_run=lambda run: stop.set())
    run_id = remote.runs[0]["pipeline_run_id"]
    assert f"goes on importing into 'demo' as run {run_id}" in caplog.text


@pytest.mark.parametrize("run_in_background", [False, True])
def test_a_second_try_attaches_to_the_import_that_the_first_began(
    remote: FakeRemote, tmp_path: Path, run_in_background: bool
) -> None:
    with remote.hold_imports() as hold:
        first = push_demo(remote, tmp_path, run_in_background=True)
        if not run_in_background:
            hold.release()
        again = push_demo(remote, tmp_path, run_in_background=run_in_background, earlier_run=first.pipeline_run_id)
    assert again.pipeline_run_id == first.pipeline_run_id
    assert again.status == ("started" if run_in_background else "completed")
    assert len(remote.uploads) == 1


@pytest.mark.parametrize("end", ["ERRORED", None])
def test_a_second_try_uploads_when_the_first_came_to_nothing(
    remote: FakeRemote, tmp_path: Path, end: str | None
) -> None:
    earlier = remote.add_run("demo", state=end) if end else "00000000-0000-4000-8000-000000000000"
    assert push_demo(remote, tmp_path, earlier_run=earlier).status == "completed"
    assert len(remote.uploads) == 1


def test_a_push_that_is_stopped_before_its_upload_sends_nothing(remote: FakeRemote, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(PushInterruptedError):
        push_demo(remote, tmp_path, stop=stop)
    assert remote.uploads == []


def test_hybrid_in_the_background_is_the_servers_own(remote: FakeRemote, tmp_path: Path) -> None:
    result = push_demo(remote, tmp_path, run_in_background=True, mode="hybrid")
    assert remote.uploads[0].fields["run_in_background"] == "true"
    assert result.status in ("started", "running")
    assert "detached" not in result.remote_response


@pytest.mark.parametrize("version", ["1.0.0", "1.1.3", "1.2.0"])
def test_an_old_server_gets_nothing(version: str, tmp_path: Path) -> None:
    with FakeRemote(version) as old:
        with pytest.raises(CogxUnsupportedError, match=version):
            push_demo(old, tmp_path)
        assert old.uploads == []
        assert old.state.datasets == {}


def test_a_server_whose_runs_cannot_be_watched_refuses_the_background_before_the_upload(tmp_path: Path) -> None:
    with FakeRemote("1.5.3") as old, pytest.raises(BackgroundUnsupportedError, match=r"1\.5\.4"):
        push_demo(old, tmp_path, run_in_background=True)
    assert old.uploads == []


def test_bad_arguments_are_refused_before_any_request(remote: FakeRemote, tmp_path: Path) -> None:
    with pytest.raises(InvalidModeError, match="Unknown push mode 'bogus'"):
        push_demo(remote, tmp_path, mode="bogus")
    with pytest.raises(InvalidTargetError, match="target_dataset"):
        push_demo(remote, tmp_path, target_dataset="a name")
    assert remote.requests == []


def test_an_empty_graph_is_refused_with_the_hint_to_build_one(remote: FakeRemote, tmp_path: Path) -> None:
    from cognee_dagster.cogx.write.writer import write_archive

    origin = GraphOrigin(dataset_name="demo", embedding_model="a-model")  # as every local dataset has one
    archive = write_archive(MemoryReader([], origin=origin), tmp_path / "empty.cogx.tar.gz")
    with client_of(remote.url, remote.api_key) as client, pytest.raises(EmptyGraphError, match=r"cognify\(\)"):
        push_archive(archive, client=client)
    assert remote.requests == []


def test_a_wrong_key_uploads_nothing(remote: FakeRemote, tmp_path: Path) -> None:
    with pytest.raises(RemoteAuthError) as caught:
        push_demo(remote, tmp_path, api_key="wrong-key-marker")
    assert "wrong-key-marker" not in str(caught.value)
    assert remote.uploads == []


def import_outcomes(remote: FakeRemote) -> dict[str, str | None]:
    """The outcome of every import run by its id; None while it is running."""
    rows = [row for row in reversed(remote.runs) if row["pipeline_name"] == IMPORT_PIPELINE]
    return {row["pipeline_run_id"]: row["outcome"] for row in rows}


def wait_until(condition: Any, *, seconds: float = 10.0) -> None:
    finished = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        finished.wait(0.02)
    raise AssertionError("It did not come true in time.")
