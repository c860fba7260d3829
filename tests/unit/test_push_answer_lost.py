"""An answer that never comes: whose import is looked for, and for how long is it waited for."""

import itertools
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cognee_dagster.errors import RemoteUnreachableError
from cognee_dagster.pushing.delivery import waiting
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.testing import IMPORT_PIPELINE, FakeRemote, faults
from cognee_dagster.testing.faults import RUNS, UPLOADS
from cognee_dagster.testing.runs import Run
from tests.pushes import HASTY
from tests.unit.test_push_rivals import holds_demo, push_demo


def test_another_datasets_failed_import_is_not_ours_on_a_server_that_lists_all_runs(tmp_path: Path) -> None:
    """Cognee before 1.5.4 knows no filter: the push ended with the other import's failure."""
    with FakeRemote("1.5.3") as remote:
        other = remote.state.ensure_dataset("other", remote.admin)
        run = Run(state=remote.state, pipeline=IMPORT_PIPELINE, dataset=other, user=remote.admin)
        remote.faults.on(UPLOADS, faults.answer(502))
        timer = threading.Timer(0.3, lambda: run.start().fail("ValueError"))
        timer.start()
        result = push_demo(remote, tmp_path, settings=replace(HASTY, recovery_timeout=1.5, quiet_after=1.5))
        timer.join()
        assert result.status == "completed"
        assert holds_demo(remote)


def test_an_answer_that_does_not_follow_the_end_of_its_import_is_lost(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection stands, and a proxy on the way has forgotten whose it is: it was waited for without end."""
    monkeypatch.setattr(waiting, "pauses", lambda: itertools.repeat(0.05))
    monkeypatch.setattr(waiting, "_ANSWER_FOLLOWS_WITHIN", 0.2)
    remote.faults.on(UPLOADS, faults.delay_answer(60))
    began = time.monotonic()
    result = push_demo(remote, tmp_path)
    assert (result.status, result.known_by) == ("completed", KnownBy.REMOTE_GRAPH)
    assert time.monotonic() - began < 30
    assert len(remote.uploads) == 1


def test_an_answer_to_an_import_that_is_never_seen_is_waited_for_no_longer_than_one_may_take(
    remote: FakeRemote, tmp_path: Path
) -> None:
    """It was waited for without end, where the server lists no run of it."""
    remote.faults.on(RUNS, *[faults.answer(200, body="[]")] * 10_000)
    remote.faults.on(UPLOADS, faults.delay_answer(60))
    began = time.monotonic()
    with pytest.raises(RemoteUnreachableError, match="whole archive for 0:00:01, and no import of it has been seen"):
        push_demo(remote, tmp_path, settings=replace(HASTY, stalled_after=timedelta(seconds=1)))
    assert time.monotonic() - began < 30
    assert len(remote.uploads) == 1


def test_an_answer_is_waited_for_as_long_as_its_import_goes_on(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "pauses", lambda: itertools.repeat(0.05))
    monkeypatch.setattr(waiting, "_ANSWER_FOLLOWS_WITHIN", 0.4)
    with remote.hold_imports() as held:
        threading.Timer(1.5, held.release).start()
        result = push_demo(remote, tmp_path, settings=replace(HASTY, stalled_after=timedelta(hours=6)))
    assert (result.status, result.known_by) == ("completed", KnownBy.ANSWER)
