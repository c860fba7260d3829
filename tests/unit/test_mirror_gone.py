"""A remote dataset that is gone, or was made again, has nothing to lose; and what a push has deleted, it says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.errors import InvalidPushError
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.pushing.mirror.graph.records import NotMirrorableError
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.testing import FakeRemote
from tests.mirrored_graph import ChangingGraph
from tests.pushes import client_of
from tests.unit.mirror_world import Crash, Crashed, Mirror, push_as_another_tool, unlike


@pytest.fixture
def mirror(remote: FakeRemote, tmp_path: Path) -> Mirror:
    return Mirror(remote, tmp_path, ChangingGraph(1, nodes=40))


def planned(mirror: Mirror, **options: Any) -> dict[str, Any]:
    """With the usual bound."""
    return mirror.plan(**{"max_removed": MirrorOptions.max_removed, **options})


def delete_dataset(mirror: Mirror) -> None:
    with client_of(mirror.remote.url, mirror.remote.api_key) as client:
        client.delete_dataset(mirror.remote.dataset("demo").id)


def delete_and_make_again(mirror: Mirror) -> None:
    delete_dataset(mirror)
    with client_of(mirror.remote.url, mirror.remote.api_key) as client:
        client.ensure_dataset("demo")


@pytest.mark.parametrize("happening", [delete_dataset, delete_and_make_again])
@pytest.mark.parametrize("on_removed", ["remove", "fail", "keep", "replace"])
@pytest.mark.parametrize("lost", ["nothing", "contents", "state"])
def test_a_dataset_that_is_gone_has_nothing_to_lose(
    remote: FakeRemote, mirror: Mirror, happening: Callable[[Mirror], None], on_removed: str, lost: str
) -> None:
    mirror.push()
    happening(mirror)
    for _ in range(20):
        mirror.graph.remove_node()
    if lost != "nothing":
        (path,) = mirror.directory.glob("mirrors/*/contents-*.bin" if lost == "contents" else "mirrors/*/mirror.json")
        path.unlink()
    options: dict[str, Any] = {"on_removed": on_removed, "max_removed": 0.0}
    plan = planned(mirror, **options)
    assert (plan["refusal"], plan["nodes"]["removed"]) == ("", 0)
    done = mirror.push(**options).remote_response["mirror"]
    assert (done["nodes"], done["segments_replaced"]) == (plan["nodes"], 0)
    mirror.assert_exact()
    assert mirror.push(**options).status == "unchanged"


def test_a_push_to_a_dataset_that_was_made_again_can_be_killed(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    delete_and_make_again(mirror)
    with pytest.MonkeyPatch.context() as patches:
        Crash(patches, at=3, after=True, steps=["deliver"])
        with pytest.raises(Crashed):
            mirror.push()
    mirror.graph.change(9)
    mirror.push()
    mirror.assert_exact()


def test_what_others_brought_into_a_dataset_that_was_made_again_is_not_emptied_unasked(
    remote: FakeRemote, mirror: Mirror
) -> None:
    mirror.push()
    delete_and_make_again(mirror)
    push_as_another_tool(remote, mirror, unlike(mirror.graph))
    assert "everything in 'demo'" in planned(mirror, on_removed="replace", max_removed=0.9)["refusal"]


def test_a_graph_that_is_refused_makes_no_dataset(
    remote: FakeRemote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise NotMirrorableError("node 'ann' has an id that is no UUID")

    monkeypatch.setattr("cognee_dagster.pushing.mirror.mirror.read_fingerprints", refuse)
    with pytest.raises(InvalidPushError, match="cannot be mirrored"):
        mirror.push(on_removed="fail")
    assert remote.state.datasets == {}


def test_a_push_that_deletes_what_a_killed_one_has_left_does_not_say_unchanged(
    remote: FakeRemote, mirror: Mirror
) -> None:
    mirror.push()
    mirror.graph.remove_node()
    with pytest.MonkeyPatch.context() as patches:
        Crash(patches, at=1, after=False, steps=["delete_data"])
        with pytest.raises(Crashed):
            mirror.push()
    before = len(remote.graph("demo").nodes)
    result = mirror.push()
    assert len(remote.graph("demo").nodes) == before - 1
    assert (result.status, result.known_by) == ("completed", KnownBy.CONFIRMED_BEFORE)  # no upload was answered
    assert mirror.push().status == "unchanged"
