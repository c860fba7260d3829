"""Removed edges whose nodes stay are gone after a push, or it says that they are not: some servers leave them there."""

import contextlib
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.errors import RemoteError, UnremovableEdgesError
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import answer
from tests.mirrored_graph import ChangingGraph
from tests.unit.mirror_world import Crash, Crashed, Mirror, emptied, push_as_another_tool
from tests.unit.test_mirror_gone import planned


@pytest.fixture
def mirror(remote: FakeRemote, tmp_path: Path) -> Mirror:
    """A graph and its mirror, on a server that deletes edges with their nodes alone."""
    found = Mirror(remote, tmp_path, ChangingGraph(1, nodes=40))
    found.push()
    remote.graph("demo").leaves_single_edges = True
    return found


def take_edge(mirror: Mirror) -> tuple[str, str, str]:
    """Take an edge out of the graph; as the remote shows it."""
    source, target, label = ends = sorted(mirror.graph.edges)[0]
    del mirror.graph.edges[ends]
    return source, label, target


def graph_reads(remote: FakeRemote) -> int:
    return sum(request.method == "GET" and request.path.endswith("/graph") for request in remote.requests)


def test_the_push_that_finds_out_fails_with_what_has_stayed_and_has_done_the_rest(
    remote: FakeRemote, mirror: Mirror
) -> None:
    edge = take_edge(mirror)
    mirror.graph.add_node("Planet")
    mirror.graph.remove_node()

    with pytest.raises(UnremovableEdgesError) as failed:
        mirror.push()

    assert f"lacks 1 edge between nodes that stay, such as {' '.join(edge)}, that 'demo' on " in str(failed.value)
    assert "Everything else was sent, and removed." in str(failed.value)
    assert remote.graph("demo").edges.pop(edge)
    mirror.assert_exact()


def test_from_then_on_nothing_is_sent_and_plan_says_so(remote: FakeRemote, mirror: Mirror) -> None:
    take_edge(mirror)
    with pytest.raises(UnremovableEdgesError):
        mirror.push()
    mirror.graph.add_node("Planet")
    uploads = len(remote.uploads)

    with pytest.raises(UnremovableEdgesError, match=r"Nothing was sent\. Push with on_removed keep"):
        mirror.push()

    plan = planned(mirror)
    assert len(remote.uploads) == uploads
    assert "Nothing was sent." in plan["refusal"]
    assert (plan["in_sync"], plan["edges"]["removed"]) == (False, 1)


def test_edges_that_go_with_a_node_are_removed_there(remote: FakeRemote, mirror: Mirror) -> None:
    take_edge(mirror)
    with pytest.raises(UnremovableEdgesError):
        mirror.push()
    mirror.push(on_removed="replace")
    take_edge(mirror)
    with pytest.raises(UnremovableEdgesError):
        mirror.push()
    mirror.push(on_removed="replace")

    mirror.graph.remove_node()

    assert mirror.push().status == "completed"
    mirror.assert_exact()


def test_with_another_such_edge_it_is_tried_again_and_a_server_that_deletes_it_is_known_by_that(
    remote: FakeRemote, mirror: Mirror
) -> None:
    """The edge that stayed was, it may be, another dataset's, too."""
    stays = take_edge(mirror)
    with pytest.raises(UnremovableEdgesError):
        mirror.push()
    remote.graph("demo").leaves_single_edges = False
    remote.graph("demo").references[stays] = {"somebody else's"}
    goes = take_edge(mirror)

    assert mirror.push().remote_response["mirror"]["unowned"]["edges"] == 1

    assert stays in remote.graph("demo").edges
    assert goes not in remote.graph("demo").edges
    mirror.graph.add_node("Planet")
    assert mirror.push().status == "completed"


def test_beside_what_others_brought_the_graph_is_read_once_to_count_it(remote: FakeRemote, mirror: Mirror) -> None:
    remote.graph("demo").leaves_single_edges = False
    push_as_another_tool(remote, mirror, mirror.graph)
    mirror.push()
    take_edge(mirror)
    before = graph_reads(remote)
    mirror.push()
    assert graph_reads(remote) - before == 1


@pytest.mark.parametrize("becomes_another_kind", [False, True])
def test_replace_makes_it_exact(remote: FakeRemote, mirror: Mirror, becomes_another_kind: bool) -> None:
    """A graph of an older release is like a new one once it was emptied; another store is as it was."""
    take_edge(mirror)
    with pytest.raises(UnremovableEdgesError):
        mirror.push()

    assert mirror.push(on_removed="replace").status == "completed"

    assert emptied(remote) == 1
    mirror.assert_exact()
    remote.graph("demo").leaves_single_edges = not becomes_another_kind
    take_edge(mirror)
    if becomes_another_kind:
        mirror.push()
        mirror.assert_exact()
    else:
        with pytest.raises(UnremovableEdgesError):
            mirror.push()


def test_keep_leaves_it_and_says_so(mirror: Mirror) -> None:
    take_edge(mirror)
    with pytest.raises(UnremovableEdgesError):
        mirror.push()
    assert mirror.push(on_removed="keep").remote_response["mirror"]["edges"]["kept"] == 1
    with pytest.raises(UnremovableEdgesError):
        mirror.push()


def test_an_edge_that_comes_back_is_one_that_is_there(mirror: Mirror) -> None:
    before = dict(mirror.graph.edges)
    take_edge(mirror)
    with pytest.raises(UnremovableEdgesError):
        mirror.push()
    mirror.graph.edges = before
    mirror.push()
    mirror.assert_exact()
    assert planned(mirror)["in_sync"]


def test_a_server_that_deletes_them_is_read_once_before_and_once_after(remote: FakeRemote, mirror: Mirror) -> None:
    remote.graph("demo").leaves_single_edges = False
    reads = []
    for _ in range(3):
        take_edge(mirror)
        before = graph_reads(remote)
        mirror.push()
        reads.append(graph_reads(remote) - before)
    assert reads == [2, 0, 0]
    mirror.assert_exact()


def test_what_others_have_too_says_nothing_of_the_server(remote: FakeRemote, mirror: Mirror) -> None:
    """It stays, and is told, as what others brought is."""
    remote.graph("demo").leaves_single_edges = False
    push_as_another_tool(remote, mirror, mirror.graph)
    mirror.push()
    take_edge(mirror)
    result = mirror.push()
    assert result.remote_response["mirror"]["unowned"]["edges"] == 1
    assert mirror.noted()[1].single_edges == ""
    assert mirror.push().status == "unchanged"


def test_where_others_have_one_of_two_that_one_is_told_and_nothing_is_concluded(
    remote: FakeRemote, mirror: Mirror
) -> None:
    remote.graph("demo").leaves_single_edges = False
    push_as_another_tool(remote, mirror, mirror.graph)
    mirror.graph.add_edge()
    mirror.push()
    mirror.graph.edges.popitem()
    take_edge(mirror)
    result = mirror.push()
    assert result.remote_response["mirror"]["unowned"]["edges"] == 1
    assert mirror.noted()[1].single_edges == ""


def test_where_some_go_the_others_are_told_at_every_push(
    remote: FakeRemote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = [take_edge(mirror) for _ in range(3)]
    delete = CogneeClient.delete_data

    def and_one_more(*args: Any) -> None:
        delete(*args)
        remote.graph("demo").edges.pop(taken[0], None)

    with monkeypatch.context() as patched:
        patched.setattr(CogneeClient, "delete_data", and_one_more)
        assert mirror.push().remote_response["mirror"]["unowned"]["edges"] == 2
    assert not planned(mirror)["in_sync"]
    take_edge(mirror)
    assert mirror.push().remote_response["mirror"]["unowned"]["edges"] == 3


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 10))
def test_a_push_that_was_killed_is_not_followed_by_one_that_calls_it_in_sync(
    remote: FakeRemote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, at: int, after: bool
) -> None:
    edge = take_edge(mirror)
    with monkeypatch.context() as patched:
        crash = Crash(patched, at=at, after=after)
        with contextlib.suppress(Crashed, UnremovableEdgesError):
            mirror.push()
        assert crash.steps >= at

    told: Any = None
    for _ in range(2):
        try:
            told = mirror.push().remote_response["mirror"]["unowned"]
        except UnremovableEdgesError:
            told = "failed"

    assert edge in remote.graph("demo").edges
    assert told is not None
    assert not planned(mirror)["in_sync"]


def test_a_remote_that_cannot_be_read_afterwards_fails_the_push_and_the_next_one_looks(
    remote: FakeRemote, mirror: Mirror
) -> None:
    take_edge(mirror)
    remote.faults.on(f"/api/v1/datasets/{remote.dataset('demo').id}/graph", None, answer(400))
    with pytest.raises(RemoteError):
        mirror.push()

    assert mirror.push().remote_response["mirror"]["unowned"]["edges"] == 1
    assert not planned(mirror)["in_sync"]


def test_a_remote_that_cannot_be_read_beforehand_is_warned_of(
    remote: FakeRemote, mirror: Mirror, caplog: pytest.LogCaptureFixture
) -> None:
    take_edge(mirror)
    remote.faults.on(f"/api/v1/datasets/{remote.dataset('demo').id}/graph", answer(400))
    mirror.push()
    assert "It cannot be told whether 'demo' deletes removed edges whose nodes stay" in caplog.text


def test_an_edge_that_a_killed_push_brought_and_no_list_has_is_counted(
    remote: FakeRemote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target, _ = sorted(mirror.graph.edges)[0]
    mirror.graph.edges[source, target, "new"] = "A text."
    with monkeypatch.context() as patched:
        Crash(patched, at=1, after=True, steps=["deliver"])
        with pytest.raises(Crashed):
            mirror.push()
    del mirror.graph.edges[source, target, "new"]

    result = mirror.push()

    assert (source, "new", target) in remote.graph("demo").edges
    assert result.remote_response["mirror"]["unowned"]["edges"] == 1
    assert not planned(mirror)["in_sync"]
