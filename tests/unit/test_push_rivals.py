"""Somebody else pushes into the same remote dataset: what is reported is ours, or is said not to be known."""

import json
import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.errors import (
    ImportFailedError,
    ImportUnconfirmedError,
    InvalidTargetError,
    PushInterruptedError,
    RemoteError,
    RemoteUnreachableError,
    UnexpectedAnswerError,
)
from cognee_dagster.pushing.archives import PushResult, push_archives
from cognee_dagster.pushing.delivery.unanswered import recovery
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.pushing.options import DeliverySettings, PushOptions
from cognee_dagster.pushing.resume import BegunImport
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.retry import RetryPolicy
from cognee_dagster.testing import IMPORT_PIPELINE, FakeRemote, faults
from cognee_dagster.testing.faults import UPLOADS
from cognee_dagster.testing.runs import Run
from tests.cogx_graphs import ID_A, MemoryReader
from tests.pushes import HASTY, Noting, client_of, demo_archive, push_archive
from tests.rivals import Rival, rival_archive
from tests.unit.test_delivery import import_outcomes, wait_until

GRAPHS = r"/api/v1/datasets/[^/]+/graph"
DATASETS = "/api/v1/datasets"
PATIENT = replace(HASTY, recovery_timeout=20.0, quiet_after=20.0)
LOST = {
    "502": faults.answer(502),
    "504": faults.answer(504),
    "reset": faults.reset(),
    "html": faults.html(200),
    "empty": faults.answer(200),
}


def push_demo(remote: FakeRemote, directory: Path, **options: Any) -> PushResult:
    with client_of(remote.url, remote.api_key) as client:
        return push_archive(demo_archive(directory), client=client, **{"settings": HASTY, **options})


def holds_demo(remote: FakeRemote) -> bool:
    """Whether the remote graph has the three nodes and two edges of the demo archive."""
    names = {node.name for node in remote.graph("demo").nodes.values()}
    return len(names - {f"Rival {number}" for number in range(9)}) == 3 and len(remote.graph("demo").edges) == 2


@pytest.mark.parametrize("run_in_background", [False, True], ids=["foreground", "background"])
@pytest.mark.parametrize("fault", LOST)
def test_a_gateway_that_drops_the_upload_while_somebody_else_imports_never_makes_it_complete(
    remote: FakeRemote, tmp_path: Path, fault: str, run_in_background: bool
) -> None:
    with remote.hold_imports() as hold, Rival(remote.url, remote.api_key, rival_archive(tmp_path)) as rival:
        hold.wait_for_import()
        remote.faults.on(UPLOADS, LOST[fault])
        threading.Timer(0.5, hold.release).start()
        try:
            result = push_demo(remote, tmp_path, run_in_background=run_in_background)
        except UnexpectedAnswerError:
            assert fault in ("html", "empty")
            return
        rival.wait()
        assert result.pipeline_run_id != rival.run_id
        wait_until(lambda: import_outcomes(remote).get(str(result.pipeline_run_id)) == "succeeded")
        assert holds_demo(remote)


def test_a_run_that_began_after_our_last_byte_and_is_not_ours_is_found_out_by_reading_the_graph_back(
    remote: FakeRemote, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The gateway swallows our upload, and only then does the other one's import begin."""
    remote.faults.on(UPLOADS, replace(faults.answer(504), answer_delay=0.6))
    caplog.set_level("INFO", logger="cognee_dagster")
    rival = Rival(remote.url, remote.api_key, rival_archive(tmp_path))
    with ExitStack() as stack:
        threading.Timer(0.2, lambda: stack.enter_context(rival)).start()
        result = push_demo(remote, tmp_path)
    assert "did not bring this archive" in caplog.text
    assert (result.status, result.known_by) == ("completed", KnownBy.ANSWER)
    assert result.pipeline_run_id != rival.run_id
    assert holds_demo(remote)


def test_a_lost_answer_is_made_good_by_the_remote_graph_and_the_result_says_so(
    remote: FakeRemote, tmp_path: Path
) -> None:
    remote.faults.on(UPLOADS, faults.drop_answer())
    result = push_demo(remote, tmp_path)
    assert (result.status, result.known_by) == ("completed", KnownBy.REMOTE_GRAPH)
    assert result.remote_response["known_by"] == "remote_graph"
    assert len(remote.uploads) == 1


def test_a_remote_graph_that_cannot_be_read_back_leaves_a_lost_answer_unknown(
    remote: FakeRemote, tmp_path: Path
) -> None:
    remote.faults.on(UPLOADS, faults.drop_answer())
    remote.faults.always(GRAPHS, faults.answer(403, '{"detail": "No."}'))
    with pytest.raises(ImportUnconfirmedError, match="whether it brought this archive is not known"):
        push_demo(remote, tmp_path)


def test_a_background_push_does_not_hang_up_while_it_cannot_tell_the_runs_apart(
    remote: FakeRemote, tmp_path: Path
) -> None:
    remote.pace.import_seconds = 0.4
    with Rival(remote.url, remote.api_key, rival_archive(tmp_path)) as rival:
        wait_until(lambda: None in import_outcomes(remote).values())
        result = push_demo(remote, tmp_path, run_in_background=True)
        assert (result.status, result.known_by) == ("completed", KnownBy.ANSWER)
    assert result.pipeline_run_id not in (None, rival.run_id)


def test_two_pushers_with_documents_are_not_taken_for_each_other(remote: FakeRemote, tmp_path: Path) -> None:
    """The other one stores its documents when our last byte is out: its import begins before ours."""
    remote.pace.seconds_per_document = 0.1
    remote.pace.import_seconds = 0.3
    archive = rival_archive(tmp_path, documents=5)
    with Rival(remote.url, remote.api_key, archive) as rival:
        wait_until(lambda: any(row["pipeline_name"] == "add_pipeline" for row in remote.runs))
        result = push_demo(remote, tmp_path, run_in_background=True)
    assert result.pipeline_run_id not in (None, rival.run_id)
    assert holds_demo(remote) or result.status == "started"


def test_an_import_that_follows_documents_stored_before_our_upload_is_not_taken_for_ours(
    remote: FakeRemote, tmp_path: Path
) -> None:
    """Between the end of another's documents and the beginning of its import, nothing of it is at work."""
    remote.add_run("demo", pipeline="add_pipeline", state="COMPLETED")
    remote.pace.import_seconds = 0.4
    result = push_demo(remote, tmp_path, run_in_background=True)
    assert (result.status, result.known_by) == ("completed", KnownBy.ANSWER)


def test_in_the_foreground_documents_of_a_push_before_do_not_hide_which_run_is_ours(
    remote: FakeRemote, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A mirror sends its documents in an archive of their own, of which no import comes."""
    remote.add_run("demo", pipeline="add_pipeline", state="COMPLETED")
    remote.pace.import_seconds = 0.4
    caplog.set_level("INFO", logger="cognee_dagster")
    assert push_demo(remote, tmp_path).status == "completed"
    assert "The remote imports into 'demo' as run" in caplog.text


def test_documents_whose_import_has_come_do_not_hold_up_a_background_push(remote: FakeRemote, tmp_path: Path) -> None:
    remote.add_run("demo", pipeline="add_pipeline", state="COMPLETED")
    remote.add_run("demo", state="COMPLETED")
    remote.pace.import_seconds = 0.4
    assert push_demo(remote, tmp_path, run_in_background=True).status == "started"


@pytest.mark.parametrize("run_in_background", [False, True], ids=["foreground", "background"])
def test_pushes_of_one_machine_into_one_dataset_wait_for_each_other(
    remote: FakeRemote, tmp_path: Path, caplog: pytest.LogCaptureFixture, run_in_background: bool
) -> None:
    caplog.set_level("INFO", logger="cognee_dagster")
    results: list[PushResult] = []

    def push(name: str) -> None:
        (tmp_path / name).mkdir()
        results.append(push_demo(remote, tmp_path / name, run_in_background=run_in_background))

    with remote.hold_imports() as hold:
        threads = [threading.Thread(target=push, args=(name,)) for name in ("one", "two")]
        for thread in threads:
            thread.start()
        hold.wait_for_import()
        wait_until(lambda: "Another push into dataset 'demo'" in caplog.text or run_in_background)
        assert run_in_background or len(remote.uploads) == 1
        hold.release()
        for thread in threads:
            thread.join(30)
    assert len({result.pipeline_run_id for result in results}) == 2


def test_a_push_that_waits_for_another_can_be_stopped(
    remote: FakeRemote, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="cognee_dagster")
    stop = threading.Event()
    with remote.hold_imports() as hold:
        (tmp_path / "first").mkdir()
        first = threading.Thread(target=push_demo, args=(remote, tmp_path / "first"))
        first.start()
        hold.wait_for_import()
        threading.Timer(0.3, stop.set).start()
        with pytest.raises(PushInterruptedError):
            push_demo(remote, tmp_path, stop=stop)
        hold.release()
        first.join(30)
    assert "waiting for its end" in caplog.text
    assert len(remote.uploads) == 1


def test_a_dataset_that_its_owner_shares_is_refused_naming_the_owner(remote: FakeRemote, tmp_path: Path) -> None:
    """A server would take it and make a second dataset of that name."""
    owner = remote.add_user("owner@example.com")
    remote.state.ensure_dataset("demo", owner)
    remote.grant("demo", remote.admin, "read", "write", owner=owner)
    with pytest.raises(InvalidTargetError, match=f"belongs to user {owner.id} and is shared"):
        push_demo(remote, tmp_path)
    assert remote.uploads == []


def test_an_own_dataset_beside_a_shared_one_is_pushed_to(remote: FakeRemote, tmp_path: Path) -> None:
    owner = remote.add_user("owner@example.com")
    remote.state.ensure_dataset("demo", owner)
    remote.state.ensure_dataset("demo", remote.admin)
    remote.grant("demo", remote.admin, "read", owner=owner)
    assert push_demo(remote, tmp_path).status == "completed"
    assert len(remote.graph("demo", owner=owner).nodes) == 0


def strange_answer(status: str, **more: object) -> faults.Fault:
    """The server imports, and something on the way spells its answer in its own words."""
    item = {"kind": "migration_import", "record_counts": {}, **more}
    return faults.answer(200, json.dumps({"status": status, "items": [item]}), deliver=True)


@pytest.mark.parametrize("status", ["errored", "Completed", "partial", ""])
def test_a_status_that_nobody_knows_is_verified_by_reading_back(
    remote: FakeRemote, tmp_path: Path, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    remote.faults.on(UPLOADS, strange_answer(status))
    result = push_demo(remote, tmp_path)
    assert (result.status, result.known_by) == ("completed", KnownBy.REMOTE_GRAPH)
    assert "which is not known here" in caplog.text


def test_a_status_that_nobody_knows_without_the_graph_is_no_success(remote: FakeRemote, tmp_path: Path) -> None:
    remote.faults.on(UPLOADS, replace(strange_answer("errored"), deliver=False))
    with pytest.raises(ImportUnconfirmedError, match=r"'errored'.*was not found in the remote graph"):
        push_demo(remote, tmp_path)


def test_a_status_that_nobody_knows_is_not_made_good_by_ids_where_the_server_makes_something_of_texts(
    remote: FakeRemote, tmp_path: Path
) -> None:
    """They are there since the push before; in mode hybrid what the nodes are like is not compared."""
    push_demo(remote, tmp_path)
    remote.faults.on(UPLOADS, replace(strange_answer("errored"), deliver=False))
    with pytest.raises(ImportUnconfirmedError, match=r"'errored'.*was not found in the remote graph"):
        push_demo(remote, tmp_path, mode="hybrid")


@pytest.mark.timeout(60)
def test_a_hybrid_push_that_did_not_arrive_does_not_wait_for_what_follows_nobodys_import(
    remote: FakeRemote, tmp_path: Path
) -> None:
    """An import of another tool's is not followed by anything, for hours."""
    remote.pace.llm_works = True
    push_demo(remote, tmp_path)
    remote.faults.on(UPLOADS, faults.answer(502))
    rival = Rival(remote.url, remote.api_key, rival_archive(tmp_path))
    begins = rival.begin_after(remote, uploads=2)
    settings = replace(HASTY, recovery_timeout=2.0, quiet_after=2.0)
    result = push_demo(remote, tmp_path, mode="hybrid", settings=settings)
    begins.join(30)
    assert (result.status, result.known_by) == ("completed", KnownBy.ANSWER)
    (cognified,) = [row for row in remote.runs if row["pipeline_name"] == "cognify_pipeline" and row["ended_at"]]
    assert result.pipeline_run_id == cognified["pipeline_run_id"]


@pytest.mark.parametrize("status", ["started", "running"])
@pytest.mark.parametrize("names_its_run", [True, False])
def test_an_answer_that_an_import_in_the_foreground_has_only_begun_is_no_end(
    remote: FakeRemote, tmp_path: Path, status: str, names_its_run: bool
) -> None:
    """Of several archives, the next one would be sent, and a mirror would delete what was there before."""
    dataset = remote.state.ensure_dataset("demo", remote.admin)
    run = Run(state=remote.state, pipeline=IMPORT_PIPELINE, dataset=dataset, user=remote.admin).start()
    answer = strange_answer(status, **({"pipeline_run_id": run.id} if names_its_run else {}))
    remote.faults.on(UPLOADS, answer)
    threading.Timer(0.5, run.complete).start()
    result = push_demo(remote, tmp_path)
    assert result.status == "completed"
    assert import_outcomes(remote)[run.id] == "succeeded" or not names_its_run
    assert holds_demo(remote)


def test_an_import_in_the_foreground_that_was_only_begun_and_fails_is_a_failure(
    remote: FakeRemote, tmp_path: Path
) -> None:
    dataset = remote.state.ensure_dataset("demo", remote.admin)
    run = Run(state=remote.state, pipeline=IMPORT_PIPELINE, dataset=dataset, user=remote.admin).start()
    remote.faults.on(UPLOADS, replace(strange_answer("started", pipeline_run_id=run.id), deliver=False))
    threading.Timer(0.3, run.fail, args=("RuntimeError",)).start()
    with pytest.raises(ImportFailedError, match="RuntimeError"):
        push_demo(remote, tmp_path)


def test_an_answer_that_says_failed_is_a_failure(remote: FakeRemote, tmp_path: Path) -> None:
    remote.faults.on(UPLOADS, strange_answer("failed"))
    with pytest.raises(ImportFailedError, match="'failed'"):
        push_demo(remote, tmp_path)


@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/api/v1/activity/pipeline-runs", DATASETS])
@pytest.mark.parametrize("fault", [faults.html(200), faults.answer(403, '{"detail": "No."}')], ids=["page", "403"])
def test_a_foreground_push_needs_nothing_but_the_upload(
    remote: FakeRemote, tmp_path: Path, path: str, fault: faults.Fault
) -> None:
    """An ingress without /health, a key that may not list runs: ``cognee.push()`` gets along with both."""
    remote.faults.always(path, fault)
    assert push_demo(remote, tmp_path).status == "completed"
    assert holds_demo(remote)


def test_a_background_push_needs_the_list_of_runs(remote: FakeRemote, tmp_path: Path) -> None:
    remote.faults.always("/api/v1/activity/pipeline-runs", faults.answer(403, '{"detail": "No."}'))
    with pytest.raises(RemoteError, match="403"):
        push_demo(remote, tmp_path, run_in_background=True)
    assert remote.uploads == []


class Waits(threading.Event):
    """Waits that are only noted. Time, as who looks for a run sees it, goes on by them alone."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.asked.append(timeout)
        return self.is_set()

    def monotonic(self) -> float:
        return sum(self.asked)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    waits = Waits()
    monkeypatch.setattr(recovery, "time", SimpleNamespace(monotonic=waits.monotonic))
    return waits


def push_by_default_settings(remote: FakeRemote, directory: Path, waits: Waits) -> PushResult:
    """With the waits of a real push."""
    with client_of(remote.url, remote.api_key) as hasty:
        client = CogneeClient(hasty.connection, retry=RetryPolicy())
    with client:
        return push_archive(demo_archive(directory), client=client, settings=DeliverySettings(), stop=waits)


def test_a_server_that_says_503_twice_is_through_after_its_two_waits(
    remote: FakeRemote, tmp_path: Path, waits: Waits
) -> None:
    remote.faults.on(UPLOADS, faults.answer(503), faults.answer(503))
    assert push_by_default_settings(remote, tmp_path, waits).status == "completed"
    assert len(waits.asked) == 2
    assert sum(waits.asked) < 8


@pytest.mark.parametrize("status", [502, 503])
def test_a_proxy_whose_server_is_down_for_good_fails_within_ninety_seconds(
    remote: FakeRemote, tmp_path: Path, waits: Waits, status: int
) -> None:
    """Five attempts, and between them at most 15 s of backoff."""
    remote.faults.always(UPLOADS, faults.answer(status))
    with pytest.raises(RemoteUnreachableError, match=str(status)):
        push_by_default_settings(remote, tmp_path, waits)
    assert sum(request.path == UPLOADS for request in remote.requests) == 5
    assert sum(waits.asked) < 75


def described(directory: Path, description: str) -> Archive:
    """One node, the same at every push but for what is said of it."""
    directory.mkdir()
    row = (ID_A, "Ada", "Entity", json.dumps({"description": description}))
    return write_archive(MemoryReader([row]), directory / "described.cogx.tar.gz")


def test_ids_that_were_there_before_are_no_proof_of_an_upload(
    remote: FakeRemote, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Yesterday's push had all the ids of today's, whose answer is lost while somebody else imports."""
    with client_of(remote.url, remote.api_key) as client:
        push_archive(described(tmp_path / "yesterday", "A mathematician"), client=client, settings=HASTY)
        remote.faults.on(UPLOADS, faults.answer(504))
        theirs = Rival(remote.url, remote.api_key, rival_archive(tmp_path)).begin_after(remote, uploads=2)
        push_archive(described(tmp_path / "today", "A programmer"), client=client, settings=PATIENT)
        theirs.join(60)
    assert remote.graph("demo").nodes[ID_A].properties["description"] == "A programmer"
    assert "another type or other properties" in caplog.text


@pytest.mark.parametrize("run_in_background", [False, True], ids=["foreground", "background"])
def test_a_run_that_was_found_to_be_somebody_elses_is_not_attached_to_by_the_next_try(
    remote: FakeRemote, tmp_path: Path, run_in_background: bool
) -> None:
    """The gateway swallows every upload of the first try, and another's import begins meanwhile."""
    record = Noting()
    rival = Rival(remote.url, remote.api_key, rival_archive(tmp_path))
    remote.faults.on(UPLOADS, faults.answer(502), None, faults.answer(401))
    with client_of(remote.url, remote.api_key) as client:
        theirs = rival.begin_after(remote)
        with pytest.raises(RemoteError, match="401"):
            push_demo_noting(client, tmp_path, record, run_in_background=run_in_background)
        theirs.join(60)
        assert [run.run_id for run in record.runs.values()] == [rival.run_id]
        result = push_demo_noting(client, tmp_path, record, run_in_background=run_in_background)
    assert result.pipeline_run_id != rival.run_id
    wait_until(lambda: import_outcomes(remote).get(str(result.pipeline_run_id)) == "succeeded")
    assert holds_demo(remote)


def push_demo_noting(client: CogneeClient, directory: Path, record: Noting, **options: Any) -> PushResult:
    options = {"target_dataset": "demo", "delivery": PATIENT, **options}
    return push_archives((demo_archive(directory),), client=client, options=PushOptions(**options), record=record)


def test_an_import_that_may_be_somebody_elses_and_fails_is_no_failure_of_the_next_try(
    remote: FakeRemote, tmp_path: Path
) -> None:
    dataset = remote.state.ensure_dataset("demo", remote.admin)
    theirs = Run(state=remote.state, pipeline=IMPORT_PIPELINE, dataset=dataset, user=remote.admin).start()
    record = Noting({demo_archive(tmp_path).content_sha256: BegunImport(run_id=theirs.id)})
    threading.Timer(0.3, theirs.fail, args=("RuntimeError",)).start()
    with client_of(remote.url, remote.api_key) as client:
        assert push_demo_noting(client, tmp_path, record).status == "completed"
    assert holds_demo(remote)
