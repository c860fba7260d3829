"""What nobody here owns on a remote is counted and told, at every push and plan, until it is gone; what of it a mirror
has left itself goes without being asked where that is little."""

import logging
import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cognee_dagster.errors import RemovedRecordsError
from cognee_dagster.pushing.mirror.graph.records import NotMirrorableError
from cognee_dagster.pushing.mirror.seen.unowned import Unowned, how_it_goes, in_words
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import answer
from tests.mirrored_graph import ChangingGraph
from tests.unit.mirror_world import Crash, Crashed, Mirror, emptied, push_as_another_tool, unlike
from tests.unit.test_mirror_gone import planned


@pytest.fixture
def mirror(remote: FakeRemote, tmp_path: Path) -> Mirror:
    return Mirror(remote, tmp_path, ChangingGraph(1, nodes=40))


def lose(mirror: Mirror) -> None:
    shutil.rmtree(mirror.directory / "mirrors")


def take_entities(mirror: Mirror, count: int) -> set[str]:
    """Take so many nodes without texts out of the graph."""
    gone = [node_id for node_id, row in mirror.graph.nodes.items() if row[2] != "DocumentChunk"][:count]
    for node_id in gone:
        del mirror.graph.nodes[node_id]
    mirror.graph.edges = {ends: text for ends, text in mirror.graph.edges.items() if not {*ends[:2]} & {*gone}}
    return set(gone)


def unowned(done: Any) -> tuple[int, int] | None:
    """How many nodes and documents a push or a plan tells."""
    told = done if isinstance(done, dict) else done.remote_response["mirror"]
    found = told["unowned"]
    return None if found is None else (found["nodes"], found["documents"])


def extra(mirror: Mirror) -> int:
    return len(mirror.remote.graph("demo").nodes.keys() - mirror.graph.nodes.keys())


def test_what_a_lost_mirror_has_left_goes_where_it_is_no_more_than_is_allowed(mirror: Mirror) -> None:
    mirror.push()
    lose(mirror)
    take_entities(mirror, 1)
    plan = planned(mirror, max_removed=0.2)
    assert (unowned(plan), plan["tidies_unowned"]) == ((1, 0), True)
    assert unowned(mirror.push(max_removed=0.2)) is None
    mirror.assert_exact()
    assert mirror.push(max_removed=0.2).status == "unchanged"
    assert planned(mirror)["in_sync"]


@pytest.mark.parametrize("finish", [{"max_removed": 0.9}, {"adopt": True}, {"on_removed": "replace"}], ids=str)
@pytest.mark.parametrize("changed", [False, True], ids=["unchanged", "changed"])
def test_what_is_more_stays_is_told_each_time_and_goes_when_it_may(
    mirror: Mirror, caplog: pytest.LogCaptureFixture, finish: dict[str, Any], changed: bool
) -> None:
    mirror.push()
    lose(mirror)
    take_entities(mirror, 10)
    with caplog.at_level(logging.INFO):
        assert unowned(mirror.push(max_removed=0.2)) == (10, 0)
        again = mirror.push(max_removed=0.2)
    assert (again.status, unowned(again), extra(mirror)) == ("unchanged", (10, 0), 10)
    told = [record.levelname for record in caplog.records if "10 nodes, " in record.getMessage()]
    assert told == ["WARNING", "INFO"]
    plan = planned(mirror, max_removed=0.2)
    assert (plan["in_sync"], plan["nothing_to_do"], plan["remote"]["in_sync_since"]) == (False, True, None)
    if changed:
        mirror.graph.change(3)
        assert unowned(mirror.push(max_removed=0.2)) == (extra(mirror), 0)
    assert not planned(mirror, **{"max_removed": 1.0, **finish})["nothing_to_do"]
    assert unowned(mirror.push(**finish)) is None
    mirror.assert_exact()
    assert mirror.push().status == "unchanged"
    assert planned(mirror)["in_sync"]


@pytest.mark.parametrize("on_removed", ["keep", "fail"])
def test_it_stays_where_nothing_is_to_be_removed(mirror: Mirror, on_removed: str) -> None:
    mirror.push()
    lose(mirror)
    take_entities(mirror, 1)
    for _ in range(2):
        assert unowned(mirror.push(on_removed=on_removed)) == (1, 0)
    assert unowned(mirror.push()) is None
    mirror.assert_exact()


def test_a_document_that_a_lost_mirror_has_left_is_told_and_goes_with_adopt(mirror: Mirror) -> None:
    mirror.push()
    lose(mirror)
    mirror.graph.remove_chunk()
    assert unowned(mirror.push()) == (0, 1)
    assert unowned(mirror.push(adopt=True)) is None
    mirror.assert_exact()


def test_a_document_stays_and_is_told_where_the_graph_is_emptied_and_that_is_done_once(
    remote: FakeRemote, mirror: Mirror
) -> None:
    mirror.push()
    lose(mirror)
    mirror.graph.remove_chunk()
    assert unowned(mirror.push(on_removed="replace")) == (0, 1)
    assert mirror.push(on_removed="replace").status == "unchanged"
    assert "(--adopt)" in planned(mirror)["unowned"]["in_words"]


@pytest.mark.parametrize("step", range(1, 12, 2))
def test_a_push_after_a_lost_state_that_is_killed_uses_no_name_of_before(mirror: Mirror, step: int) -> None:
    mirror.push()
    lose(mirror)
    take_entities(mirror, 2)
    with pytest.MonkeyPatch.context() as patches:
        Crash(patches, at=step, after=True)
        with pytest.raises(Crashed):
            mirror.push()
    mirror.graph.change(2)
    mirror.push()
    assert extra(mirror) == 0


def test_what_full_pushes_brought_first_is_told_until_it_is_adopted(remote: FakeRemote, mirror: Mirror) -> None:
    push_as_another_tool(remote, mirror, unlike(mirror.graph))
    count = len(remote.graph("demo").nodes)
    plan = planned(mirror)
    assert (unowned(plan), plan["tidies_unowned"]) == ((count, 0), False)
    assert unowned(mirror.push(max_removed=0.2)) == (count, 0)
    assert unowned(mirror.push(max_removed=0.2)) == (count, 0)
    assert "--adopt" in planned(mirror)["unowned"]["in_words"]
    assert unowned(mirror.push(adopt=True)) is None
    assert extra(mirror) == 0


def test_what_full_pushes_brought_since_is_told_until_it_is_adopted(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    push_as_another_tool(remote, mirror, unlike(mirror.graph))
    assert unowned(mirror.push()) == (extra(mirror), 0)
    assert unowned(mirror.push()) == (extra(mirror), 0)
    assert unowned(mirror.push(adopt=True)) is None
    assert extra(mirror) == 0


def test_what_others_brought_that_the_mirror_has_too_is_told_when_the_mirror_no_longer_has_it(
    remote: FakeRemote, mirror: Mirror
) -> None:
    push_as_another_tool(remote, mirror, mirror.graph)
    assert unowned(mirror.push()) is None
    take_entities(mirror, 2)
    assert unowned(mirror.push()) == (2, 0)
    assert extra(mirror) == 2


def test_what_another_mirror_has_is_owned(mirror: Mirror) -> None:
    other = Mirror(mirror.remote, mirror.directory, unlike(mirror.graph))
    other.push(source="other")
    assert unowned(mirror.push(max_removed=0.2)) is None
    mirror.graph.remove_node()
    mirror.push()
    assert set(mirror.remote.graph("demo").nodes) == {*mirror.graph.nodes, *other.graph.nodes}


def test_where_the_remote_cannot_be_read_nothing_goes_and_that_is_said(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    lose(mirror)
    take_entities(mirror, 1)
    remote.faults.on(f"/api/v1/datasets/{remote.dataset('demo').id}/graph", *[answer(400)] * 2)
    told = mirror.push(max_removed=0.2).remote_response["mirror"]["unowned"]
    remote.faults.clear()
    assert (told["nodes"], "it cannot be told how many" in told["in_words"]) == (None, True)
    assert extra(mirror) == 1
    assert unowned(mirror.push(max_removed=1.0)) is None
    mirror.assert_exact()


def refused(mirror: Mirror, **options: Any) -> Any:
    """A push while the graph cannot be mirrored."""

    def refuse(*_: Any) -> None:
        raise NotMirrorableError("node 'ann' has an id that is no UUID")

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr("cognee_dagster.pushing.mirror.mirror.read_fingerprints", refuse)
        return mirror.push(**options)


@pytest.mark.parametrize("first", [True, False], ids=["first push", "later push"])
def test_what_a_push_of_a_graph_that_could_not_be_mirrored_has_left_goes_with_the_next(
    mirror: Mirror, caplog: pytest.LogCaptureFixture, first: bool
) -> None:
    if not first:
        mirror.push()
    mirror.graph.add_node()
    refused(mirror)
    refused(mirror)
    take_entities(mirror, 2)
    mirror.graph.remove_chunk()
    assert "could not be mirrored" in planned(mirror, max_removed=0.2)["sent_whole_because"]
    assert unowned(mirror.push(max_removed=0.2)) is None
    assert "somebody else" not in caplog.text
    mirror.assert_exact()
    assert mirror.push().status == "unchanged"


def test_it_stays_where_it_is_more_than_may_go_and_what_is_told_is_enough(mirror: Mirror) -> None:
    refused(mirror)
    take_entities(mirror, 6)
    assert unowned(mirror.push(max_removed=0.1)) == (6, 0)
    told = re.search(r"max_removed (\d+)%", planned(mirror, max_removed=0.1)["unowned"]["in_words"])
    assert told is not None
    share = int(told[1]) / 100
    assert unowned(mirror.push(max_removed=share - 0.01)) == (6, 0)
    assert unowned(mirror.push(max_removed=share)) is None
    mirror.assert_exact()


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_what_others_brought_is_not_deleted_with_it(remote: FakeRemote, mirror: Mirror, before: bool) -> None:
    mirror.push()
    other = unlike(mirror.graph)
    if before:
        push_as_another_tool(remote, mirror, other)
    refused(mirror)
    if not before:
        push_as_another_tool(remote, mirror, other)
    take_entities(mirror, 1)
    assert unowned(mirror.push()) == (1 + len(other.nodes), 0)
    assert other.nodes.keys() <= remote.graph("demo").nodes.keys()


def rename(remote: FakeRemote, name: str) -> None:
    """A dataset keeps its id then, which the stand-in makes of the name."""
    dataset = remote.dataset("demo")
    dataset.__class__ = type("Renamed", (type(dataset),), {"id": dataset.id})
    dataset.name = name


@pytest.mark.parametrize("killed", [0, 1, 3, 4, 6])
def test_a_remote_dataset_that_was_renamed_ends_in_a_mirror(remote: FakeRemote, mirror: Mirror, killed: int) -> None:
    mirror.push()
    rename(remote, "renamed")
    take_entities(mirror, 2)
    if killed:
        with pytest.MonkeyPatch.context() as patches:
            Crash(patches, at=killed, after=True)
            with pytest.raises(Crashed):
                mirror.push(target="renamed", max_removed=0.2)
    done = mirror.push(target="renamed", max_removed=0.2).remote_response["mirror"]
    assert killed > 1 or done["sent_whole_because"] == "the remote dataset was called 'demo' at the last push"
    mirror.assert_exact(target="renamed")
    assert mirror.push(target="renamed").status == "unchanged"
    mirror.graph.remove_node()
    mirror.push(target="renamed")
    mirror.assert_exact(target="renamed")


def test_what_is_kept_in_a_dataset_that_was_renamed_goes_with_a_later_remove(
    remote: FakeRemote, mirror: Mirror
) -> None:
    mirror.push()
    rename(remote, "renamed")
    gone = take_entities(mirror, 2)
    mirror.push(target="renamed", on_removed="keep")
    assert gone <= remote.graph("renamed").nodes.keys()
    assert mirror.push(target="renamed", on_removed="keep").status == "unchanged"
    mirror.push(target="renamed")
    mirror.assert_exact(target="renamed")


def as_an_earlier_release_left_it(mirror: Mirror) -> None:
    """With nothing about others, nor what else was noted first together with them."""
    files, state = mirror.noted()
    files.save(msgspec.structs.replace(state, unowned=None, dataset_name="", overfull=(), distrusted="", left=()))


def test_what_others_brought_is_not_taken_for_ours_where_an_earlier_release_noted_nothing_of_them(
    remote: FakeRemote, mirror: Mirror
) -> None:
    other = unlike(mirror.graph)
    push_as_another_tool(remote, mirror, other)
    mirror.push()
    as_an_earlier_release_left_it(mirror)
    assert mirror.push().status == "unchanged"
    refused(mirror)
    take_entities(mirror, 1)
    mirror.push()
    assert other.nodes.keys() <= remote.graph("demo").nodes.keys()


def test_what_others_brought_counts_for_what_may_go_where_an_earlier_release_noted_nothing_of_them(
    remote: FakeRemote, mirror: Mirror
) -> None:
    other = unlike(mirror.graph)
    push_as_another_tool(remote, mirror, other)
    mirror.push()
    as_an_earlier_release_left_it(mirror)
    take_entities(mirror, 1)
    with pytest.raises(RemovedRecordsError, match="that nobody here owns"):
        mirror.push(on_removed="replace", max_removed=0.2)
    assert other.nodes.keys() <= remote.graph("demo").nodes.keys()


def test_a_graph_that_cannot_be_read_is_emptied_once_and_not_at_every_push(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    push_as_another_tool(remote, mirror, unlike(mirror.graph))
    remote.faults.on(f"/api/v1/datasets/{remote.dataset('demo').id}/graph", *[answer(400)] * 100)
    mirror.push(on_removed="replace")
    assert emptied(remote) == 1
    for _ in range(2):
        assert mirror.push(on_removed="replace").status == "unchanged"
    assert emptied(remote) == 1


def test_what_is_said_of_it_fits() -> None:
    found = Unowned(nodes=2, edges=0, documents=1, of_nodes=10, of_edges=3, strays=True, others=True)
    assert in_words(found) == "2 nodes, 1 document that nobody here owns"
    assert "max_removed 20%" in how_it_goes(found)
    assert "(--adopt) removes what" in how_it_goes(replace_of(found, strays=False))
    for others in (found, replace_of(found, strays=False)):  # a mirror whose state was lost twice goes with neither
        assert how_it_goes(others).endswith("; what stays after that goes with on_removed replace and max_removed 1")
    assert "on_removed replace" in how_it_goes(replace_of(found, strays=False, others=False))


def replace_of(found: Unowned, **values: Any) -> Unowned:
    return msgspec.structs.replace(found, **values)
