"""A push that is killed between its deletions is finished by the next one, which sends nothing again for that; what
somebody else deletes meanwhile is made good all the same."""

import contextlib
import copy
import logging
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.errors import LockLostError, RemoteError
from cognee_dagster.pushing.mirror.done import unfinished
from cognee_dagster.pushing.mirror.graph.generations import Generation
from cognee_dagster.pushing.mirror.kept import one_at_a_time
from cognee_dagster.pushing.mirror.kept.state import MirrorState
from cognee_dagster.pushing.mirror.seen.presence import is_all_there
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import cut_answer
from tests.mirrored_graph import ChangingGraph
from tests.pushes import QUICK_RETRIES, client_of
from tests.unit.mirror_world import Crash, Crashed, Mirror

DELETIONS = 5


@pytest.fixture
def mirror(remote: FakeRemote, tmp_path: Path) -> Mirror:
    """Whose graph has lost two documents since, and nodes of three segments."""
    mirror = Mirror(remote, tmp_path, ChangingGraph(5, nodes=40))
    mirror.push()
    for _ in range(2):
        mirror.graph.remove_chunk()
    return mirror


def kill(mirror: Mirror, *, at: int, after: bool, steps: list[str] | None = None) -> None:
    with pytest.MonkeyPatch.context() as patches:
        Crash(patches, at=at, after=after, steps=steps or ["delete_data"])
        with pytest.raises(Crashed):
            mirror.push()


def test_this_mirror_has_so_many_deletions_ahead(remote: FakeRemote, mirror: Mirror) -> None:
    before = len(remote.runs)
    mirror.push()
    deleted = [row for row in remote.runs[: len(remote.runs) - before] if row["operation_name"] == "delete"]
    assert len(deleted) >= DELETIONS


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, DELETIONS + 1))
def test_the_next_push_finishes_the_deletions_and_sends_nothing(
    remote: FakeRemote, mirror: Mirror, at: int, after: bool
) -> None:
    kill(mirror, at=at, after=after)
    uploads = len(remote.uploads)
    plan = mirror.plan()
    assert (plan["sent_whole_because"], plan["in_sync"], plan["segments_sent"]) == ("", False, 0)
    mirror.push()
    assert len(remote.uploads) == uploads
    mirror.assert_exact()
    assert mirror.plan()["in_sync"]
    assert mirror.push().status == "unchanged"


def test_killed_again_and_again_it_is_finished_in_the_end(remote: FakeRemote, mirror: Mirror) -> None:
    kill(mirror, at=2, after=True)
    uploads = len(remote.uploads)
    kill(mirror, at=1, after=True)
    kill(mirror, at=2, after=True)
    kill(mirror, at=1, after=False, steps=["save"])
    mirror.push()
    assert len(remote.uploads) == uploads
    mirror.assert_exact()
    assert mirror.push().status == "unchanged"


def test_the_graph_may_have_changed_meanwhile(remote: FakeRemote, mirror: Mirror) -> None:
    before = dict(mirror.graph.nodes)
    mirror.graph.remove_chunk()
    (gone,) = before.keys() - mirror.graph.nodes.keys()
    kill(mirror, at=2, after=True)
    mirror.graph.nodes[gone] = before[gone]  # a document that is to be deleted is there again
    mirror.graph.change(4)
    assert mirror.push().remote_response["mirror"]["sent_whole_because"] == ""
    mirror.assert_exact()
    assert mirror.push().status == "unchanged"


def test_what_is_left_to_be_deleted_goes_also_where_everything_is_sent(remote: FakeRemote, mirror: Mirror) -> None:
    kill(mirror, at=1, after=False)
    mirror.push(resend=True)
    mirror.assert_exact()


def test_what_somebody_else_has_deleted_since_is_sent_again(remote: FakeRemote, mirror: Mirror) -> None:
    """Another host's mirror of the same name: nothing of its push is to be seen but a deletion."""
    kill(mirror, at=1, after=True)
    files, state = mirror.noted()
    segment, letter = next((of, letter) for of, letter in state.letters.items() if (of, "a") not in state.deleting)
    with client_of(remote.url, remote.api_key) as client:
        found = Generation(owner=files.owner, segment=segment, letter=letter).data_id("demo")
        client.delete_data(remote.dataset("demo").id, found)
    because = mirror.push().remote_response["mirror"]["sent_whole_because"]
    assert "(delete, operation " in because
    mirror.assert_exact()
    assert mirror.push().status == "unchanged"


def test_a_document_that_somebody_else_has_deleted_since_is_sent_again(remote: FakeRemote, mirror: Mirror) -> None:
    kill(mirror, at=3, after=False)  # both documents are gone, and no segment is
    dataset = remote.dataset("demo")
    with client_of(remote.url, remote.api_key) as client:
        client.delete_data(dataset.id, next(iter(dataset.documents)))
    mirror.push()
    mirror.assert_exact()


def test_an_import_of_somebody_else_since_is_made_good(
    remote: FakeRemote, mirror: Mirror, caplog: pytest.LogCaptureFixture
) -> None:
    kill(mirror, at=2, after=True)
    remote.add_run("demo", pipeline="cognify_pipeline", state="COMPLETED")
    with caplog.at_level(logging.INFO):
        because = mirror.push().remote_response["mirror"]["sent_whole_because"]
    assert because
    assert "they are finished" not in caplog.text
    mirror.assert_exact()


def test_a_remote_graph_that_cannot_be_held_is_read_all_the_same(
    remote: FakeRemote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill(mirror, at=2, after=True)
    uploads = len(remote.uploads)
    monkeypatch.setattr(CogneeClient.graph, "__kwdefaults__", {"max_bytes": 10_000})
    with client_of(remote.url, remote.api_key) as client, pytest.raises(RemoteError, match="10,000 bytes of memory"):
        client.graph(remote.dataset("demo").id)
    mirror.push()
    assert len(remote.uploads) == uploads
    monkeypatch.undo()
    mirror.assert_exact()
    assert mirror.push().status == "unchanged"


@pytest.mark.parametrize("path", ["graph", "data"])
def test_where_the_remote_cannot_be_read_everything_is_sent_again_and_the_plan_says_so(
    remote: FakeRemote, mirror: Mirror, path: str
) -> None:
    """A graph that a proxy cuts off is cut off each time: a push that failed by that would fail for ever."""
    kill(mirror, at=2, after=True)
    address, times = f"/api/v1/datasets/{remote.dataset('demo').id}/{path}", QUICK_RETRIES.attempts
    remote.faults.on(address, *[cut_answer(10)] * times)
    plan = mirror.plan()
    assert ("(delete, operation " in plan["sent_whole_because"], plan["segments_sent"]) == (True, plan["segments"])
    assert mirror.plan()["sent_whole_because"] == ""
    remote.faults.on(address, *[cut_answer(10)] * times)
    assert "(delete, operation " in mirror.push().remote_response["mirror"]["sent_whole_because"]
    mirror.assert_exact()
    assert mirror.push().status == "unchanged"


def test_a_state_without_documents_to_delete_is_written_as_releases_before_it_read_it(mirror: Mirror) -> None:
    _, state = mirror.noted()
    assert b"documents_deleting" not in state.encode()
    kill(mirror, at=1, after=False)
    files, state = mirror.noted()
    assert len(state.documents_deleting) == 2
    assert MirrorState.decode(state.encode()).documents_deleting == state.documents_deleting
    assert files.load() == state


def test_who_stood_still_while_it_looked_does_not_write_over_what_the_next_host_has_noted(
    remote: FakeRemote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kill(mirror, at=2, after=True)
    other, noted = Mirror(remote, tmp_path, copy.deepcopy(mirror.graph)), list[MirrorState]()

    def stand_still(*args: Any) -> bool:
        found = is_all_there(*args)
        monkeypatch.undo()
        (lock,) = (tmp_path / "mirrors").glob("*.lock")
        lock.unlink()  # as that of a dead process
        with monkeypatch.context() as another_host:
            another_host.setattr(one_at_a_time, "host_lock", lambda *_, **__: contextlib.nullcontext(True))
            other.graph.add_node("Entity")
            other.push()
        noted.append(other.noted()[1])
        return found

    monkeypatch.setattr(unfinished, "is_all_there", stand_still)
    with pytest.raises(LockLostError):
        mirror.push()
    assert [other.noted()[1]] == noted
    other.graph.remove_node()
    other.push()
    other.assert_exact()
