"""An import of an earlier try is relied on only where nobody has taken anything out of the remote dataset since."""

import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cognee_dagster.pushing.archives import PushResult, push_archives
from cognee_dagster.pushing.delivery import waiting
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.pushing.resume import BegunImport
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.imports import watch
from cognee_dagster.remote.imports.vocabulary import ImportState
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import RUNS, UPLOADS, Fault, answer, cut_request, html, reset
from tests.mirrored_graph import ChangingGraph
from tests.pushes import HASTY, Noting, client_of, demo_archive


def emptied(client: CogneeClient, dataset_id: str) -> None:
    client.empty_dataset(dataset_id)


def a_document_deleted(client: CogneeClient, dataset_id: str) -> None:
    client.delete_data(dataset_id, next(client.data(dataset_id)).id)


def nothing(*_: Any) -> None:
    pass


def pushed_again(remote: FakeRemote, directory: Path, meanwhile: Callable[..., None], **options: Any) -> PushResult:
    """The second try of a push whose first one got the server's answer, and was killed before it said so."""
    archive, record = demo_archive(directory), Noting()
    with client_of(remote.url, remote.api_key) as client:
        first = push_archives([archive], client=client, options=PushOptions(delivery=HASTY), record=record)
        assert set(record.runs.values()) == {BegunImport(run_id=str(first.pipeline_run_id), known_by=KnownBy.ANSWER)}
        meanwhile(client, remote.dataset("demo").id)
        again = PushOptions(delivery=HASTY, **options)
        return push_archives([archive], client=client, options=again, record=Noting(record.runs))


@pytest.mark.parametrize("in_background", [False, True], ids=["foreground", "background"])
@pytest.mark.parametrize("meanwhile", [emptied, a_document_deleted])
def test_what_was_taken_out_since_is_uploaded_again(
    remote: FakeRemote, tmp_path: Path, meanwhile: Callable[..., None], in_background: bool
) -> None:
    pushed_again(remote, tmp_path, meanwhile, run_in_background=in_background)
    assert len(remote.uploads) == 2


def graphs_read(remote: FakeRemote) -> int:
    return sum(request.path.endswith("/graph") for request in remote.requests)


def test_what_nobody_touched_costs_neither_an_upload_nor_the_remote_graph(remote: FakeRemote, tmp_path: Path) -> None:
    assert pushed_again(remote, tmp_path, nothing).known_by is KnownBy.ANSWER
    assert (len(remote.uploads), graphs_read(remote)) == (1, 0)


def test_what_was_deleted_beside_it_costs_no_upload(remote: FakeRemote, tmp_path: Path) -> None:
    result = pushed_again(remote, tmp_path, lambda client, dataset_id: client.delete_data(dataset_id, dataset_id))
    assert (result.status, result.known_by) == ("completed", KnownBy.REMOTE_GRAPH)
    assert (len(remote.uploads), graphs_read(remote)) == (1, 1)


def test_a_server_that_lists_no_deletions_is_read_back(tmp_path: Path) -> None:
    with FakeRemote("1.5.0") as remote:
        assert pushed_again(remote, tmp_path, nothing).known_by is KnownBy.REMOTE_GRAPH
        assert (len(remote.uploads), graphs_read(remote)) == (1, 1)


@pytest.mark.parametrize("odd", [answer(403, "no"), answer(404, "{}"), html()], ids=["403", "404", "page"])
def test_a_second_try_in_the_foreground_needs_no_list_of_runs_either(
    remote: FakeRemote, tmp_path: Path, odd: Fault
) -> None:
    archive, record = demo_archive(tmp_path), Noting()
    with client_of(remote.url, remote.api_key) as client:
        push_archives([archive], client=client, options=PushOptions(delivery=HASTY), record=record)
        remote.faults.always(RUNS, odd)
        again = push_archives([archive], client=client, options=PushOptions(delivery=HASTY), record=record)
    assert (again.status, len(remote.uploads)) == ("completed", 2)


def test_a_hybrid_push_waits_for_no_cognify_after_an_import_that_may_be_anothers(tmp_path: Path) -> None:
    """The import that was seen was somebody else's, in mode preserve: nothing follows it."""
    with FakeRemote(llm_works=True) as remote, client_of(remote.url, remote.api_key) as client:
        other = ChangingGraph(3, nodes=4).archive(tmp_path / "other.cogx.tar.gz")
        theirs = push_archives([other], client=client, options=PushOptions(delivery=HASTY))
        archive = demo_archive(tmp_path)
        seen = Noting({archive.content_sha256: BegunImport(run_id=str(theirs.pipeline_run_id))})
        patient = replace(HASTY, stalled_after=timedelta(hours=6))
        options = PushOptions(delivery=patient, mode="hybrid")
        result = push_archives([archive], client=client, options=options, record=seen)
    assert (result.status, len(remote.uploads)) == ("completed", 2)
    assert result.pipeline_run_id != theirs.pipeline_run_id


def test_a_run_without_an_end_is_waited_for_with_a_word(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(waiting, "pauses", lambda: itertools.repeat(0.0))
    archive = demo_archive(tmp_path)
    record = Noting({archive.content_sha256: BegunImport(run_id=remote.add_run("demo"))})
    hasty = PushOptions(delivery=replace(HASTY, stalled_after=timedelta(seconds=0.2)))
    with caplog.at_level(logging.INFO), client_of(remote.url, remote.api_key) as client:
        push_archives([archive], client=client, options=hasty, record=record)
    assert "Waiting for the import into dataset 'demo'" in caplog.text


def test_a_step_of_our_own_clock_makes_no_import_stalled(remote: FakeRemote, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = remote.add_run("demo")
    hours_ahead = [0]
    clock = SimpleNamespace(time=lambda: time.time() + 3600 * hours_ahead[0], monotonic=time.monotonic)
    monkeypatch.setattr(watch, "time", clock)

    def sleep(_: float) -> None:
        hours_ahead[0] += 7
        if hours_ahead[0] > 14:
            remote.close_abandoned_runs()

    with client_of(remote.url, remote.api_key) as client:
        watched = watch.WatchedImport(
            run_id=run_id, dataset_id=remote.dataset("demo").id, pushed_at=time.time(), cognifies=False
        )
        verdict = watch.wait_for_import(client, watched, stalled_after=timedelta(hours=6), sleep=sleep)
    assert verdict.state is ImportState.FAILED


@pytest.mark.parametrize("fault", [reset(), cut_request(300)], ids=["reset", "cut off"])
def test_a_run_that_began_meanwhile_is_not_ours_because_the_graph_held_the_archive_before(
    remote: FakeRemote, tmp_path: Path, fault: Fault
) -> None:
    archive = demo_archive(tmp_path)
    with client_of(remote.url, remote.api_key) as client:
        push_archives([archive], client=client, options=PushOptions(delivery=HASTY))
        remote.faults.on(UPLOADS, replace(fault, delay=0.2))
        rival = threading.Timer(0.1, lambda: remote.add_run("demo", state="COMPLETED"))
        rival.start()
        again = push_archives([archive], client=client, options=PushOptions(delivery=HASTY))
        rival.join()
    theirs = {run["pipeline_run_id"] for run in remote.runs if run["pipeline_name"] == "migration_import_pipeline"}
    assert again.status == "completed"
    assert again.pipeline_run_id is None or len(remote.uploads) == 2
    assert len(theirs) >= 2
