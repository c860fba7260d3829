"""How much a push says that it removes or leaves there is what is known of it, and where it is not known it says so."""

from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.pushing.mirror.wording import kept_in_words
from cognee_dagster.testing import FakeRemote
from tests.mirrored_graph import ChangingGraph
from tests.pushes import client_of
from tests.unit.mirror_world import Crash, Crashed, Mirror, push_as_another_tool


@pytest.fixture
def mirror(remote: FakeRemote, tmp_path: Path) -> Mirror:
    mirror = Mirror(remote, tmp_path, ChangingGraph(1, nodes=30))
    mirror.push()
    return mirror


def without_one_node(mirror: Mirror) -> str:
    before = set(mirror.graph.nodes)
    mirror.graph.remove_node()
    (gone,) = before - set(mirror.graph.nodes)
    return gone


def test_what_stays_is_counted(mirror: Mirror) -> None:
    without_one_node(mirror)
    for done in (mirror.plan(on_removed="keep"), mirror.push(on_removed="keep").remote_response["mirror"]):
        assert (done["nodes"]["kept"], done["kept_is_known"]) == (1, True)
        assert kept_in_words(done).startswith("1 node and ")
        assert kept_in_words(done).endswith(" edges that the graph no longer has stay there")


def test_what_stays_is_not_known_where_what_was_confirmed_was_lost(mirror: Mirror) -> None:
    (contents,) = mirror.directory.glob("mirrors/*/contents-*.bin")
    contents.unlink()
    without_one_node(mirror)
    planned_before = mirror.plan(on_removed="keep")
    pushed = mirror.push(on_removed="keep").remote_response["mirror"]
    for done in (planned_before, pushed, mirror.plan(on_removed="keep")):
        assert not done["kept_is_known"]
        assert kept_in_words(done) == (
            "whether anything that the graph no longer has stays there is not known here, `cognee-dagster verify` looks"
        )


def test_what_stays_is_counted_as_far_as_it_is_known_after_another_tools_push(
    remote: FakeRemote, mirror: Mirror
) -> None:
    push_as_another_tool(remote, mirror, ChangingGraph(2, nodes=3))
    without_one_node(mirror)
    done = mirror.push(on_removed="keep").remote_response["mirror"]
    assert (done["nodes"]["kept"], done["kept_is_known"]) == (1, False)
    assert kept_in_words(done).endswith("; whether more does is not known here, `cognee-dagster verify` looks")


def test_what_goes_is_counted_and_named_also_where_everything_is_sent(remote: FakeRemote, mirror: Mirror) -> None:
    push_as_another_tool(remote, mirror, ChangingGraph(2, nodes=3))
    gone = without_one_node(mirror)
    plan = mirror.plan()
    assert (plan["nodes"]["removed"], plan["examples"]["nodes"]["removed"]) == (1, [gone])
    assert mirror.push().remote_response["mirror"]["nodes"]["removed"] == 1
    assert gone not in remote.graph("demo").nodes


def test_nothing_goes_from_a_dataset_that_was_made_again(remote: FakeRemote, mirror: Mirror) -> None:
    with client_of(remote.url, remote.api_key) as client:
        client.delete_dataset(remote.dataset("demo").id)
    without_one_node(mirror)
    assert mirror.push(on_removed="fail").remote_response["mirror"]["nodes"]["removed"] == 0
    mirror.assert_exact()


def test_what_another_mirror_has_brought_already_is_told_apart(mirror: Mirror) -> None:
    plan = mirror.plan(source="another")
    assert plan["nodes_added_that_other_mirrors_brought"] == plan["nodes"]["added"] == len(mirror.graph.nodes)
    assert plan["sent_whole_because"] == "nothing is known yet of what this dataset has brought there"
    mirror.graph.add_node()
    plan = mirror.plan(source="another")
    assert plan["nodes_added_that_other_mirrors_brought"] == plan["nodes"]["added"] - 1


def kill(mirror: Mirror, **options: Any) -> None:
    """A push that dies once it has sent its first archive."""
    with pytest.MonkeyPatch.context() as patches:
        Crash(patches, at=1, after=True, steps=["deliver"])
        with pytest.raises(Crashed):
            mirror.push(**options)


@pytest.mark.parametrize("what", ["a push that was killed", "another tool's push"])
def test_what_was_sent_again_with_keep_is_not_sent_a_third_time_and_still_goes_with_a_later_remove(
    remote: FakeRemote, mirror: Mirror, what: str
) -> None:
    gone = without_one_node(mirror)
    mirror.push(on_removed="keep")
    mirror.graph.change_node()
    if what == "another tool's push":
        push_as_another_tool(remote, mirror, ChangingGraph(2, nodes=3))
    else:
        kill(mirror, on_removed="keep")
    assert mirror.push(on_removed="keep").status == "completed"
    uploads = len(remote.uploads)
    assert mirror.plan(on_removed="keep")["nothing_to_do"]
    for _ in range(2):
        assert mirror.push(on_removed="keep").status == "unchanged"
    assert (len(remote.uploads), gone in remote.graph("demo").nodes) == (uploads, True)
    assert mirror.push().status == "completed"
    assert gone not in remote.graph("demo").nodes


def test_what_a_killed_push_alone_has_brought_goes_though_pushes_with_keep_came_between(mirror: Mirror) -> None:
    mirror.graph.add_node()
    node = list(mirror.graph.nodes)[-1]
    kill(mirror, on_removed="keep")
    del mirror.graph.nodes[node]
    mirror.graph.edges = {ends: text for ends, text in mirror.graph.edges.items() if node not in ends[:2]}
    for _ in range(2):
        mirror.push(on_removed="keep")
    assert node in mirror.remote.graph("demo").nodes
    mirror.push()
    mirror.assert_exact()


def test_a_kept_document_that_somebody_deletes_is_not_said_to_be_sent_again(
    remote: FakeRemote, mirror: Mirror, caplog: pytest.LogCaptureFixture
) -> None:
    """The graph no longer has it, so that nobody can send it."""
    mirror.graph.remove_chunk()
    mirror.push(on_removed="keep", adopt=True)
    caplog.clear()
    assert mirror.push(on_removed="keep").status == "unchanged"
    assert "sent again" not in caplog.text
