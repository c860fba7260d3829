"""A mirror holds exactly the graph, whatever was added, changed or removed, and is sent no more than that takes."""

import contextlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from cognee_dagster.errors import InvalidModeError, RemoteRejectedError, RemovedRecordsError
from cognee_dagster.pushing.mirror.graph.segments import usual_segment_nodes
from cognee_dagster.pushing.mirror.mirror import push_mirror
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import UPLOADS, answer
from tests.mirrored_graph import ChangingGraph
from tests.pushes import HASTY, client_of, push_archive
from tests.unit.mirror_world import Crash, Crashed, Mirror, emptied, push_as_another_tool, unlike


@pytest.fixture
def mirror(remote: FakeRemote, tmp_path: Path) -> Mirror:
    return Mirror(remote, tmp_path, ChangingGraph(1, nodes=40))


@pytest.mark.parametrize("seed", range(6))
def test_after_any_edits_the_remote_graph_is_the_local_one(remote: FakeRemote, tmp_path: Path, seed: int) -> None:
    mirror = Mirror(remote, tmp_path, ChangingGraph(seed, nodes=30))
    for _ in range(8):
        mirror.push()
        mirror.assert_exact()
        mirror.graph.change(mirror.graph.random.randrange(12))


def test_an_unchanged_graph_sends_nothing_and_names_the_run_that_brought_it(remote: FakeRemote, mirror: Mirror) -> None:
    first = mirror.push()
    uploads, requests = len(remote.uploads), len(remote.requests)
    again = mirror.push()
    assert (first.status, again.status) == ("completed", "unchanged")
    assert again.pipeline_run_id == first.pipeline_run_id is not None
    assert len(remote.uploads) == uploads
    assert [request.path for request in remote.requests[requests:]] == [
        "/api/v1/datasets",
        "/api/v1/activity/pipeline-runs",
        f"/api/v1/datasets/{remote.dataset('demo').id}/data",  # only of a mirror with documents
    ]


def test_a_server_describes_itself_once_however_many_segments_it_is_sent(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    paths = [request.path for request in remote.requests]
    assert len(remote.uploads) > 3
    assert (paths.count("/health"), paths.count("/openapi.json")) == (1, 1)


def test_a_change_sends_what_has_changed_and_the_other_ends_of_its_edges(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    uploads = len(remote.uploads)
    source, target = list(mirror.graph.nodes)[:2]
    mirror.graph.edges[source, target, "met"] = "They met."
    result = mirror.push()
    assert len(remote.uploads) == uploads + 1
    (item,) = result.remote_response["items"]
    assert item["record_counts"] == {"fact": 1, "raw_node": 2}
    mirror.assert_exact()


def test_a_node_that_is_gone_is_removed_with_its_edges_and_its_document(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    chunk = next(node_id for node_id, row in mirror.graph.nodes.items() if row[2] == "DocumentChunk")
    del mirror.graph.nodes[chunk]
    mirror.graph.edges = {ends: text for ends, text in mirror.graph.edges.items() if chunk not in ends[:2]}
    result = mirror.push()
    assert result.remote_response["mirror"]["nodes"] == {"added": 0, "changed": 0, "removed": 1}
    assert chunk not in remote.graph("demo").nodes
    mirror.assert_exact()


def test_a_document_goes_where_only_its_text_is_gone(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    chunk = next(node_id for node_id, row in mirror.graph.nodes.items() if row[2] == "DocumentChunk")
    mirror.graph.nodes[chunk] = (chunk, "", "DocumentChunk", "{}")
    mirror.push()
    mirror.assert_exact()


def test_what_is_gone_stays_with_keep_and_goes_with_a_later_remove(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    gone = next(iter(mirror.graph.nodes))
    mirror.graph.remove_node()
    mirror.graph.nodes.pop(gone, None)
    mirror.graph.edges = {ends: text for ends, text in mirror.graph.edges.items() if gone not in ends[:2]}
    mirror.push(on_removed="keep")
    assert gone in remote.graph("demo").nodes
    mirror.push()
    mirror.assert_exact()


@pytest.mark.parametrize(("options", "rule"), [({"on_removed": "fail"}, "fail"), ({"max_removed": 0.01}, "1%")])
def test_more_removed_than_allowed_sends_nothing_and_names_some(
    remote: FakeRemote, mirror: Mirror, options: dict[str, Any], rule: str
) -> None:
    mirror.push()
    uploads = len(remote.uploads)
    before = set(mirror.graph.nodes)
    mirror.graph.remove_node()
    (gone,) = before - set(mirror.graph.nodes)
    with pytest.raises(RemovedRecordsError, match=rf"1 node of 40.*{rule}.*nothing was sent.*{gone}"):
        mirror.push(**options)
    assert len(remote.uploads) == uploads


def test_another_tools_push_is_noticed_and_the_mirror_made_good(
    remote: FakeRemote, mirror: Mirror, caplog: pytest.LogCaptureFixture
) -> None:
    mirror.push()
    with client_of(remote.url, remote.api_key) as client:
        other = ChangingGraph(2, nodes=3)
        other.nodes = {
            node_id: (*row[:1], "Changed", *row[2:]) for node_id, row in list(mirror.graph.nodes.items())[:3]
        }
        other.edges = {}
        push_archive(
            other.archive(mirror.directory / "o.cogx.tar.gz"), client=client, target_dataset="demo", settings=HASTY
        )
    mirror.push()
    assert "somebody else has imported" in caplog.text
    mirror.assert_exact()


@pytest.mark.parametrize("options", [{"on_removed": "fail"}, {"max_removed": 0.01}])
def test_the_rules_about_removed_records_hold_also_after_another_tools_push(
    remote: FakeRemote, mirror: Mirror, options: dict[str, Any]
) -> None:
    mirror.push()
    push_as_another_tool(remote, mirror, ChangingGraph(2, nodes=3))
    mirror.graph.remove_node()
    with pytest.raises(RemovedRecordsError, match="1 node of 40"):
        mirror.push(**options)


def test_records_that_are_kept_stay_also_after_another_tools_push_and_go_with_a_later_remove(
    remote: FakeRemote, mirror: Mirror
) -> None:
    mirror.push()
    before = set(mirror.graph.nodes)
    mirror.graph.remove_node()
    (gone,) = before - set(mirror.graph.nodes)
    push_as_another_tool(remote, mirror, mirror.graph)
    mirror.push(on_removed="keep")
    assert gone in remote.graph("demo").nodes
    mirror.push()
    mirror.assert_exact()


@pytest.mark.parametrize("options", [{"on_removed": "fail"}, {"max_removed": 0.2}])
def test_records_that_were_kept_over_another_tools_push_are_not_removed_unasked(
    remote: FakeRemote, mirror: Mirror, options: dict[str, Any]
) -> None:
    mirror.push()
    before = set(mirror.graph.nodes)
    for _ in range(24):
        mirror.graph.remove_node()
    kept = before - set(mirror.graph.nodes)
    mirror.push(on_removed="keep")
    other = ChangingGraph(2, nodes=3)
    push_as_another_tool(remote, mirror, other)
    mirror.push(on_removed="keep")
    with pytest.raises(RemovedRecordsError, match="24 nodes of 40"):
        mirror.push(**options)
    assert kept <= set(remote.graph("demo").nodes)
    assert mirror.push(on_removed="keep").status == "unchanged"
    mirror.push()
    assert set(remote.graph("demo").nodes) == {*mirror.graph.nodes, *other.nodes}


@pytest.mark.parametrize("on_removed", ["keep", "remove"])
def test_a_record_that_was_kept_until_somebody_emptied_the_graph_is_sent_when_it_is_back(
    remote: FakeRemote, mirror: Mirror, on_removed: str
) -> None:
    mirror.push()
    whole = dict(mirror.graph.nodes), dict(mirror.graph.edges)
    mirror.graph.remove_node()
    mirror.push(on_removed="keep")
    with client_of(remote.url, remote.api_key) as client:
        client.empty_dataset(remote.dataset("demo").id)
    mirror.push(on_removed="keep")
    mirror.graph.nodes, mirror.graph.edges = whole
    mirror.push(on_removed=on_removed)
    mirror.assert_exact()


def test_records_that_are_kept_stay_also_after_a_push_was_killed(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    before = set(mirror.graph.nodes)
    mirror.graph.remove_node()
    (gone,) = before - set(mirror.graph.nodes)
    mirror.push(on_removed="keep")
    mirror.graph.change_node()
    with pytest.MonkeyPatch.context() as patches:
        Crash(patches, at=1, after=True, steps=["deliver"])
        with pytest.raises(Crashed):
            mirror.push(on_removed="keep")
    mirror.push(on_removed="keep")
    assert gone in remote.graph("demo").nodes
    mirror.push()
    mirror.assert_exact()


@pytest.mark.parametrize("crashes", [1, 2])
def test_a_text_that_another_tool_changed_is_made_good_however_often_the_push_is_killed(
    remote: FakeRemote, mirror: Mirror, crashes: int
) -> None:
    mirror.push()
    nodes = dict(mirror.graph.nodes)
    chunk = next(node_id for node_id, row in nodes.items() if row[2] == "DocumentChunk")
    mirror.graph.nodes[chunk] = (chunk, "", "DocumentChunk", '{"text": "Another tool\'s text."}')
    push_as_another_tool(remote, mirror, mirror.graph)
    mirror.graph.nodes = nodes
    for _ in range(crashes):
        with pytest.MonkeyPatch.context() as patches:
            Crash(patches, at=1, after=False, steps=["deliver"])
            with pytest.raises(Crashed):
                mirror.push()
    mirror.push()
    mirror.assert_exact()


def test_lost_contents_are_sent_again_only_where_anything_may_be_removed(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    (contents,) = mirror.directory.glob("mirrors/*/contents-*.bin")
    contents.unlink()
    with pytest.raises(RemovedRecordsError, match="cannot be told how much"):
        mirror.push(max_removed=0.5)
    mirror.graph.remove_node()
    mirror.push(max_removed=1.0)
    mirror.assert_exact()


def test_what_a_full_push_left_stays_until_it_is_adopted(remote: FakeRemote, mirror: Mirror) -> None:
    with client_of(remote.url, remote.api_key) as client:
        push_archive(mirror.archive(), client=client, target_dataset="demo", settings=HASTY)
    before = set(mirror.graph.nodes)
    mirror.graph.remove_node()
    (gone,) = before - set(mirror.graph.nodes)
    mirror.push()
    assert gone in remote.graph("demo").nodes
    mirror.push(adopt=True)
    assert gone not in remote.graph("demo").nodes


def test_replace_leaves_nothing_that_others_brought_and_keeps_dataset_readers_and_documents(
    remote: FakeRemote, mirror: Mirror
) -> None:
    mirror.push()
    dataset = remote.dataset("demo")
    dataset.grants["reader"] = {"read"}
    push_as_another_tool(remote, mirror, unlike(mirror.graph))
    mirror.graph.remove_node()
    result = mirror.push(on_removed="replace")
    assert (emptied(remote), result.remote_response["mirror"]["emptied_first"]) == (1, True)
    mirror.assert_exact()
    assert remote.dataset("demo") is dataset
    assert dataset.grants == {"reader": {"read"}}


def test_replace_empties_only_where_something_is_removed(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push(on_removed="replace")
    assert mirror.push(on_removed="replace").status == "unchanged"
    mirror.graph.add_node()
    mirror.graph.change_node()
    mirror.push(on_removed="replace")
    mirror.graph.remove_chunk()
    assert emptied(remote) == 0
    mirror.push(on_removed="replace")
    assert emptied(remote) == 1
    mirror.assert_exact()


def test_a_replacing_push_that_was_killed_is_made_good_without_replacing_too(
    remote: FakeRemote, mirror: Mirror
) -> None:
    mirror.push()
    mirror.graph.remove_node()
    with pytest.MonkeyPatch.context() as patches:
        Crash(patches, at=1, after=True, steps=["empty_dataset"])
        with pytest.raises(Crashed):
            mirror.push(on_removed="replace")
    assert not remote.graph("demo").nodes
    mirror.push()
    mirror.assert_exact()


def test_a_server_that_cannot_empty_a_graph_keeps_it_and_the_next_push_relies_on_it(
    remote: FakeRemote, mirror: Mirror
) -> None:
    mirror.push()
    mirror.graph.remove_node()
    remote.faults.on("/api/v1/forget", answer(404))
    with pytest.raises(RemoteRejectedError, match=r"Nothing was sent\. Push with on_removed remove"):
        mirror.push(on_removed="replace")
    assert mirror.push().remote_response["mirror"]["sent_whole_because"] == ""
    mirror.assert_exact()


def test_a_server_that_refuses_to_empty_a_graph_of_which_nothing_is_known_leaves_it_so(
    remote: FakeRemote, mirror: Mirror, caplog: pytest.LogCaptureFixture
) -> None:
    push_as_another_tool(remote, mirror, unlike(mirror.graph))
    remote.faults.on("/api/v1/forget", answer(404))
    with pytest.raises(RemoteRejectedError, match="Nothing was sent"):
        mirror.push(on_removed="replace")
    assert list(mirror.directory.glob("mirrors/*/*")) == []
    again = mirror.push().remote_response["mirror"]
    assert again["sent_whole_because"] == "nothing is known yet of what this dataset has brought there"
    assert "did not come to its end" not in caplog.text


def test_a_server_that_fails_while_it_empties_a_graph_is_not_taken_to_have_kept_it(
    remote: FakeRemote, mirror: Mirror
) -> None:
    mirror.push()
    mirror.graph.remove_node()
    remote.faults.on("/api/v1/forget", *[answer(500, deliver=True)] * 3)
    with pytest.raises(RemoteRejectedError, match="500") as raised:
        mirror.push(on_removed="replace")
    assert raised.value.retryable
    assert not remote.graph("demo").nodes
    mirror.push()
    mirror.assert_exact()


def test_replace_removes_nothing_of_which_nothing_is_known_unless_anything_may_be(
    remote: FakeRemote, mirror: Mirror
) -> None:
    push_as_another_tool(remote, mirror, unlike(mirror.graph))
    before = set(remote.graph("demo").nodes)
    with pytest.raises(RemovedRecordsError, match=r"everything in 'demo' on .* would be removed"):
        mirror.push(on_removed="replace", max_removed=0.9)
    assert set(remote.graph("demo").nodes) == before
    mirror.push(on_removed="replace")
    mirror.assert_exact()


@pytest.mark.parametrize("gone", [False, True], ids=["all there", "one gone"])
def test_documents_under_the_ids_that_cognee_gives_them_are_adopted_where_they_are_in_the_graph(
    remote: FakeRemote, mirror: Mirror, gone: bool
) -> None:
    with client_of(remote.url, remote.api_key) as client:
        as_cognee = replace(mirror.archive(), as_it_is=True)  # under ids without the dataset's
        push_archive(as_cognee, client=client, target_dataset="demo", settings=HASTY)
    if gone:
        mirror.graph.remove_chunk()
    mirror.push(adopt=True)
    chunks = [row for row in mirror.graph.nodes.values() if row[2] == "DocumentChunk"]
    texts = sorted(document.text for document in remote.dataset("demo").documents.values())
    assert texts == sorted(json.loads(str(row[3]))["text"] for row in chunks)


def test_documents_that_others_left_stay_until_they_are_adopted(remote: FakeRemote, mirror: Mirror) -> None:
    push_as_another_tool(remote, mirror, mirror.graph)
    mirror.graph.remove_chunk()
    mirror.push()
    assert len(remote.documents("demo")) == 1 + sum(row[2] == "DocumentChunk" for row in mirror.graph.nodes.values())
    mirror.push(adopt=True)
    mirror.assert_exact()


def test_two_mirrors_in_one_dataset_never_remove_each_others(remote: FakeRemote, tmp_path: Path) -> None:
    mirrors = [Mirror(remote, tmp_path / name, ChangingGraph(seed, nodes=20)) for seed, name in enumerate("ab")]
    mirrors[1].graph = unlike(mirrors[1].graph)
    for _ in range(3):
        for number, mirror in enumerate(mirrors):
            mirror.directory.mkdir(exist_ok=True)
            mirror.graph.remove_node()
            mirror.push(source=f"source {number}")
    assert set(remote.graph("demo").nodes) == {*mirrors[0].graph.nodes, *mirrors[1].graph.nodes}


def test_mirrors_that_share_a_dataset_and_a_state_directory_trust_each_others_runs(
    remote: FakeRemote, mirror: Mirror
) -> None:
    other = Mirror(remote, mirror.directory, unlike(mirror.graph))
    mirror.push(source="one")
    other.push(source="two")
    assert mirror.push(source="one").status == "unchanged"


def test_mirrors_that_have_nodes_in_common_do_not_rely_on_each_other(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push(source="one")
    other = Mirror(remote, mirror.directory, ChangingGraph(1, nodes=40))
    other.graph.change_node()
    other.push(source="two")
    mirror.push(source="one")
    mirror.assert_exact()


def test_a_dataset_that_was_deleted_is_made_again(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    with client_of(remote.url, remote.api_key) as client:
        client.delete_dataset(remote.dataset("demo").id)
    mirror.push()
    mirror.assert_exact()


@pytest.mark.parametrize("damage", ["state lost", "contents lost", "contents damaged", "state damaged"])
def test_a_lost_or_damaged_state_still_ends_in_a_mirror(remote: FakeRemote, mirror: Mirror, damage: str) -> None:
    mirror.push()
    mirror.graph.change(5)
    mirror.push()
    (state,) = mirror.directory.glob("mirrors/*/mirror.json")
    (contents,) = mirror.directory.glob("mirrors/*/contents-*.bin")
    if damage == "state lost":
        state.unlink()
    elif damage == "contents lost":
        contents.unlink()
    elif damage == "contents damaged":
        contents.write_bytes(contents.read_bytes()[:-1] + b"?")
    else:
        state.write_bytes(state.read_bytes().replace(b':"a"', b':"b"'))
    mirror.graph.change_node()
    mirror.push()
    mirror.assert_exact()


def test_after_a_lost_state_no_more_is_removed_than_may_be(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    shutil.rmtree(mirror.directory / "mirrors")
    before = set(mirror.graph.nodes)
    mirror.graph.remove_node()
    (gone,) = before - set(mirror.graph.nodes)
    mirror.push(max_removed=0.01)
    assert gone in remote.graph("demo").nodes


def test_what_a_mirror_left_that_lost_its_state_twice_goes_when_the_graph_is_emptied(
    remote: FakeRemote, mirror: Mirror
) -> None:
    gone = list[str]()
    for _ in range(3):
        mirror.push()
        shutil.rmtree(mirror.directory / "mirrors")
        before = set(mirror.graph.nodes)
        mirror.graph.remove_node()
        gone += before - set(mirror.graph.nodes)
    mirror.push()
    left = [node for node in gone if node in remote.graph("demo").nodes]
    assert left == gone[1:]  # those of the first mirror were found
    mirror.push(resend=True, on_removed="replace")
    assert set(remote.graph("demo").nodes) == set(mirror.graph.nodes)


def test_what_is_gone_stays_with_keep_also_where_what_was_confirmed_was_lost(
    remote: FakeRemote, mirror: Mirror
) -> None:
    mirror.push()
    (contents,) = mirror.directory.glob("mirrors/*/contents-*.bin")
    contents.unlink()
    before = set(mirror.graph.nodes)
    mirror.graph.remove_node()
    (gone,) = before - set(mirror.graph.nodes)
    mirror.graph.change_node()
    mirror.push(on_removed="keep", max_removed=0.2)
    assert gone in remote.graph("demo").nodes


def test_a_remote_that_came_to_differ_is_made_good_by_sending_everything_again(
    remote: FakeRemote, mirror: Mirror
) -> None:
    mirror.push()
    lost = next(iter(mirror.graph.nodes))
    del remote.graph("demo").nodes[lost]
    assert mirror.push().status == "unchanged"
    mirror.push(resend=True)
    mirror.assert_exact()


def test_what_a_failed_push_has_overwritten_is_made_good_though_the_graph_went_back(
    remote: FakeRemote, mirror: Mirror
) -> None:
    mirror.push()
    before = dict(mirror.graph.nodes), dict(mirror.graph.edges)
    mirror.graph.remove_chunk()
    mirror.graph.remove_node()
    for _ in range(12):
        mirror.graph.change_node()
    remote.faults.on(UPLOADS, None, None, answer(400))
    with pytest.raises(RemoteRejectedError):
        mirror.push()
    mirror.graph.nodes, mirror.graph.edges = before
    mirror.push()
    mirror.assert_exact()


@pytest.mark.parametrize("edit", ["changed", "added", "removed"])
def test_documents_of_a_failed_push_are_made_good_though_the_graph_went_back(
    remote: FakeRemote, mirror: Mirror, edit: str
) -> None:
    mirror.push()
    before = dict(mirror.graph.nodes), dict(mirror.graph.edges)
    chunk = next(node_id for node_id, row in mirror.graph.nodes.items() if row[2] == "DocumentChunk")
    if edit == "changed":
        mirror.graph.nodes[chunk] = (chunk, "", "DocumentChunk", '{"text": "Another."}')
    elif edit == "removed":
        mirror.graph.remove_chunk()
    else:
        added = "00000000-0000-4000-8000-000000000002"
        mirror.graph.nodes[added] = (added, "", "DocumentChunk", '{"text": "Passing."}')
    for faults in ((answer(400),), (None, answer(400))):  # the documents' upload, or the one after it
        remote.faults.on(UPLOADS, *faults)
        with contextlib.suppress(RemoteRejectedError):
            mirror.push()
        remote.faults.clear()
    mirror.graph.nodes, mirror.graph.edges = before
    mirror.push()
    mirror.assert_exact()


def test_documents_that_were_never_confirmed_do_not_count_as_removed(remote: FakeRemote, mirror: Mirror) -> None:
    with pytest.MonkeyPatch.context() as patches:
        Crash(patches, at=1, after=True, steps=["deliver"])
        with pytest.raises(Crashed):
            mirror.push()
    mirror.graph.remove_chunk()
    mirror.push(on_removed="fail")
    mirror.assert_exact()


def test_a_document_that_could_not_be_deleted_is_deleted_by_the_next_push(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    mirror.graph.remove_chunk()
    with pytest.MonkeyPatch.context() as patches:
        Crash(patches, at=1, after=False, steps=["delete_data"])
        with pytest.raises(Crashed):
            mirror.push()
    mirror.push()
    mirror.assert_exact()


def test_only_preserve_can_be_mirrored(remote: FakeRemote, mirror: Mirror) -> None:
    with client_of(remote.url, remote.api_key) as client, pytest.raises(InvalidModeError, match="hybrid"):
        push_mirror([mirror.archive()], client=client, base=UPath(mirror.directory), options=PushOptions(mode="hybrid"))


@pytest.mark.parametrize(("nodes", "wanted"), [(10, 250), (6_000, 400), (1_000_000, 2_000)])
def test_a_segment_is_a_fifteenth_of_the_graph_within_bounds(nodes: int, wanted: int) -> None:
    assert usual_segment_nodes(nodes) == wanted


@pytest.mark.parametrize("crashes", [1, 2])
def test_what_a_killed_push_has_added_to_a_segment_goes_again(
    remote: FakeRemote, mirror: Mirror, crashes: int, caplog: pytest.LogCaptureFixture
) -> None:
    """It was sent under the segment's present name, so that only the whole segment's other name gets rid of it."""
    mirror.push()
    before = dict(mirror.graph.nodes)
    mirror.graph.nodes["00000000-0000-4000-8000-000000000001"] = (
        "00000000-0000-4000-8000-000000000001",
        "Passing",
        "Planet",
        "{}",
    )
    mirror.graph.edges[next(iter(before)), "00000000-0000-4000-8000-000000000001", "met"] = "They met."
    for _ in range(crashes):
        with pytest.MonkeyPatch.context() as patches:
            Crash(patches, at=1, after=True, steps=["deliver"])
            with pytest.raises(Crashed):
                mirror.push()
        mirror.graph.nodes = dict(before)
        mirror.graph.edges = {ends: text for ends, text in mirror.graph.edges.items() if {*ends[:2]} <= {*before}}
        mirror.graph.change_edge()
    mirror.push()
    assert "somebody else" not in caplog.text
    mirror.assert_exact()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("first", "options"),
    [(True, {}), (False, {}), (False, {"on_removed": "replace"})],
    ids=["first push", "later push", "replacing push"],
)
def test_killed_at_any_step_the_next_push_ends_in_a_mirror(
    remote: FakeRemote, tmp_path: Path, after: bool, first: bool, options: dict[str, Any]
) -> None:
    steps = 0
    while True:
        steps += 1
        directory = tmp_path / str(steps)
        directory.mkdir()
        mirror = Mirror(remote, directory, ChangingGraph(steps, nodes=20))
        target = f"demo_{steps}"
        if not first:
            mirror.push(target=target)
            mirror.graph.remove_chunk()
            mirror.graph.change(4)
        with pytest.MonkeyPatch.context() as patches:
            crash = Crash(patches, at=steps, after=after)
            try:
                mirror.push(target=target, **options)
            except Crashed:
                pass
            else:
                assert crash.steps < crash.at
                break
        mirror.graph.change(2)
        mirror.push(target=target)
        mirror.assert_exact(target=target)
    assert steps > 5
