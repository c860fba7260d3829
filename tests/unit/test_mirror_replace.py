"""A push with ``replace`` empties the remote where something of its own has to go, and says what of others goes."""

from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.cli.mirror import _sentences
from cognee_dagster.errors import RemovedRecordsError
from cognee_dagster.testing import FakeRemote
from tests.mirrored_graph import ChangingGraph
from tests.unit.mirror_world import Mirror, emptied, push_as_another_tool, unlike
from tests.unit.test_mirror_kept import kill, without_one_node


@pytest.fixture
def mirror(remote: FakeRemote, tmp_path: Path) -> Mirror:
    mirror = Mirror(remote, tmp_path, ChangingGraph(1, nodes=30))
    mirror.push()
    return mirror


@pytest.fixture
def other(mirror: Mirror) -> Mirror:
    """Another mirror beside it, of 15 nodes; it has nothing in common with it."""
    other = Mirror(mirror.remote, mirror.directory, unlike(ChangingGraph(2, nodes=20)))
    other.push(source="other")
    return other


def words(plan: dict[str, Any]) -> str:
    return "\n".join(_sentences(plan, url="http://remote"))


def test_an_unchanged_graph_never_empties_what_another_mirror_has_brought(mirror: Mirror, other: Mirror) -> None:
    for _ in range(2):
        assert mirror.push(on_removed="replace", max_removed=0.0).status == "unchanged"
        other.graph.change_node()
        assert other.push(source="other", on_removed="replace", max_removed=0.0).status == "completed"
    assert emptied(mirror.remote) == 0
    assert set(other.graph.nodes) | set(mirror.graph.nodes) <= set(mirror.remote.graph("demo").nodes)
    plan = mirror.plan(on_removed="replace")
    assert words(plan).startswith(
        "Nothing to do: demo on http://remote has all of the graph\n15 nodes of another mirror"
    )


def test_what_another_mirror_has_brought_counts_for_what_may_go(mirror: Mirror, other: Mirror) -> None:
    without_one_node(mirror)
    with pytest.raises(RemovedRecordsError, match=r"also 15 nodes of other mirrors, which .* 20%"):
        mirror.push(on_removed="replace", max_removed=0.2)
    assert set(other.graph.nodes) <= set(mirror.remote.graph("demo").nodes)
    said = words(mirror.plan(on_removed="replace"))
    assert "The remote graph would be emptied first, also of 15 nodes of other mirrors\n" in said
    assert "stay there" not in said
    mirror.push(on_removed="replace")
    assert set(mirror.remote.graph("demo").nodes) == set(mirror.graph.nodes)


def test_what_another_tool_has_brought_counts_for_what_may_go(remote: FakeRemote, mirror: Mirror) -> None:
    theirs = unlike(ChangingGraph(2, nodes=20))
    push_as_another_tool(remote, mirror, theirs)
    for allowed in (0.0, 0.2):
        with pytest.raises(RemovedRecordsError, match="also 15 nodes that nobody here owns, which"):
            mirror.push(on_removed="replace", max_removed=allowed)
    assert set(theirs.nodes) <= set(remote.graph("demo").nodes)
    said = words(mirror.plan(on_removed="replace"))
    assert "emptied first, also of 15 nodes that nobody here owns\n" in said
    assert "stay there" not in said
    mirror.push(on_removed="replace")
    mirror.assert_exact()


def test_a_plan_does_not_say_that_an_emptied_graph_is_tidied_up(mirror: Mirror) -> None:
    kill(mirror, resend=True)
    said = words(mirror.plan(on_removed="replace"))
    assert "The remote graph would be emptied first" in said
    assert "tidied up" not in said


def test_a_plan_says_that_segments_are_replaced_that_may_have_more(mirror: Mirror) -> None:
    mirror.graph.change_node()
    kill(mirror, on_removed="keep")
    mirror.push(on_removed="keep")
    said = words(mirror.plan())
    assert "demo on http://remote may not have just what an earlier push has sent: 1 of " in said
    assert " would be sent, 1 replaced, about " in said
    assert " in 1 archive" in said
