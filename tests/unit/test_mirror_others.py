"""What others do to a mirror's remote dataset is noticed before a push relies on what it knows, and what the mirror
does itself is not taken for theirs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.errors import ImportUnconfirmedError, PushInterruptedError, RemoteRejectedError
from cognee_dagster.pushing.mirror.graph.generations import Generation, owner_of
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import UPLOADS, answer, drop_answer
from cognee_dagster.testing.runs import Operation
from tests.mirrored_graph import ChangingGraph
from tests.pushes import HASTY, client_of
from tests.rivals import Rival, rival_archive
from tests.unit.mirror_world import Crash, Crashed, Mirror, unlike


@pytest.fixture
def mirror(remote: FakeRemote, tmp_path: Path) -> Mirror:
    return Mirror(remote, tmp_path, ChangingGraph(1, nodes=24))


def whole_because(mirror: Mirror, **options: Any) -> str:
    """Why the next push sends everything; the status of the one after it is ``unchanged``."""
    result = mirror.push(**options)
    because: str = result.remote_response["mirror"]["sent_whole_because"]
    assert bool(because) == (result.status == "completed")
    return because


def others(remote: FakeRemote) -> CogneeClient:
    return client_of(remote.url, remote.api_key)


def emptied(remote: FakeRemote) -> None:
    with others(remote) as client:
        client.empty_dataset(remote.dataset("demo").id)


def a_document_deleted(remote: FakeRemote) -> None:
    dataset = remote.dataset("demo")
    with others(remote) as client:
        client.delete_data(dataset.id, next(iter(dataset.documents)))


def a_segment_deleted(remote: FakeRemote) -> None:
    """As another host's mirror does that has no node of it any more: it sends nothing."""
    with others(remote) as client:
        for segment in range(4):
            found = Generation(owner=owner_of("dataset"), segment=segment, letter="a").data_id("demo")
            client.delete_data(remote.dataset("demo").id, found)


def run_of(pipeline: str) -> Callable[[FakeRemote], None]:
    def run(remote: FakeRemote) -> None:
        remote.add_run("demo", pipeline=pipeline, state="COMPLETED")

    return run


def operation(name: str, outcome: str, error_class: str | None = None) -> Callable[[FakeRemote], None]:
    def run(remote: FakeRemote) -> None:
        found = Operation(state=remote.state, dataset=remote.dataset("demo"), user=remote.admin, name=name)
        found.write(outcome, error_class=error_class)

    return run


@pytest.mark.parametrize(
    ("happening", "said"),
    [
        (emptied, "deleted from the remote dataset since, or changed it (forget, operation "),
        (a_document_deleted, "(delete, operation "),
        (a_segment_deleted, "(delete, operation "),
        (run_of("cognify_pipeline"), "changed the remote dataset since (cognify_pipeline, run "),
        (run_of("memify_pipeline"), "(memify_pipeline, run "),
        (operation("improve", "succeeded"), "(improve, operation "),
        (operation("forget", "failed", "TimeoutError"), "(forget, operation "),
        (operation("of a later release", "succeeded"), "(of a later release, operation "),
    ],
)
def test_whatever_somebody_else_did_to_the_dataset_is_made_good_once(
    remote: FakeRemote,
    mirror: Mirror,
    happening: Callable[[FakeRemote], None],
    said: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert mirror.push().status == "completed"
    happening(remote)
    because = whole_because(mirror)
    assert "somebody else has" in because
    assert said in because
    assert "of this push were confirmed" not in caplog.text  # what is made good is not among what this push deleted
    mirror.assert_exact()
    assert whole_because(mirror) == ""


def test_an_import_that_came_in_place_of_ours_is_never_taken_for_it_for_good(
    remote: FakeRemote, mirror: Mirror
) -> None:
    """The gateway swallows a new text of an edge, which no server shows, and somebody else imports then."""
    mirror.push()
    source, target, relationship = ends = next(iter(mirror.graph.edges))
    mirror.graph.edges[ends] = "Another text."
    remote.faults.on(UPLOADS, answer(504))
    theirs = Rival(remote.url, remote.api_key, rival_archive(mirror.directory)).begin_after(
        remote, uploads=len(remote.uploads) + 1
    )
    mirror.push(delivery=replace(HASTY, recovery_timeout=20.0, quiet_after=20.0))
    theirs.join(60)
    assert mirror.push().status == "completed"
    assert remote.graph("demo").edges[source, relationship, target]["edge_text"] == "Another text."
    assert mirror.push().status == "unchanged"


def test_an_import_of_ours_whose_answer_was_lost_is_nobody_elses(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    mirror.graph.change_edge()
    remote.pace.import_seconds = 0.5
    remote.faults.on(UPLOADS, drop_answer())
    assert mirror.push().status == "completed"
    assert mirror.push().status == "unchanged"


def test_a_server_that_was_restored_from_a_backup_is_sent_what_it_lost(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    graph = remote.graph("demo")
    backup = list(remote.state.rows), dict(graph.nodes), dict(graph.edges)
    remote.state.clock.skew = 60.0
    mirror.graph.add_node()
    mirror.push()
    mirror.assert_exact()
    remote.state.rows[:], graph.nodes, graph.edges = backup
    assert "no longer knows this mirror's last import" in whole_because(mirror)
    mirror.assert_exact()
    assert whole_because(mirror) == ""


def test_a_push_that_only_deletes_is_not_missed_among_the_imports(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    remote.state.clock.skew = 60.0
    mirror.graph.nodes = dict(list(mirror.graph.nodes.items())[:1])
    mirror.graph.edges = {}
    mirror.push()
    remote.state.clock.skew = 120.0
    assert whole_because(mirror) == ""


def test_questions_of_readers_and_what_was_refused_or_ran_nothing_cost_no_push(
    remote: FakeRemote, mirror: Mirror
) -> None:
    mirror.push()
    dataset = remote.dataset("demo")
    with others(remote) as client:
        client.search(dataset.id, "Who?")
    stranger = remote.add_user("stranger@example.com")
    with client_of(remote.url, stranger.api_key) as client, pytest.raises(Exception, match="not accessible"):
        client.delete_data(dataset.id, next(iter(dataset.documents)))
    run_of("add_pipeline")(remote)
    for happening in (
        operation("recall", "succeeded"),
        operation("remember", "succeeded"),
        operation("improve", "noop"),
    ):
        happening(remote)
    assert len(remote.runs) > 6
    assert whole_because(mirror) == ""


def removed(mirror: Mirror) -> None:
    mirror.graph.remove_chunk()
    mirror.graph.remove_node()


def rewritten(mirror: Mirror) -> None:
    """A document with another text: a server ignores that unless the one that it has is deleted first."""
    chunk = next(node_id for node_id, row in mirror.graph.nodes.items() if row[2] == "DocumentChunk")
    mirror.graph.nodes[chunk] = (chunk, "", "DocumentChunk", '{"text": "Rewritten."}')


@pytest.mark.parametrize("edit", [removed, rewritten])
@pytest.mark.parametrize("options", [{}, {"adopt": True}, {"on_removed": "replace"}, {"resend": True}], ids=repr)
def test_what_a_push_deletes_itself_is_nobody_elses(
    remote: FakeRemote, mirror: Mirror, options: dict[str, Any], edit: Callable[[Mirror], None]
) -> None:
    mirror.push()
    edit(mirror)
    mirror.push(**options)
    assert any(row["operation_name"] in ("delete", "forget") for row in remote.runs)
    assert whole_because(mirror) == ""
    mirror.graph.change_node()
    assert mirror.push().remote_response["mirror"]["sent_whole_because"] == ""
    mirror.assert_exact()


def deleting(remote: FakeRemote, mirror: Mirror, *, first_arrives: bool, meanwhile: Callable[[], None]) -> None:
    """A push whose first deletion of a segment is answered by a gateway, and is sent again."""
    mirror.push()
    removed(mirror)
    with pytest.MonkeyPatch.context() as patches:
        ours = CogneeClient.delete_data

        def delete_data(client: CogneeClient, dataset_id: str, data_id: str) -> None:
            if data_id not in remote.dataset("demo").documents:
                patches.undo()
                remote.faults.on(f"/api/v1/datasets/{dataset_id}/data/{data_id}", answer(502, deliver=first_arrives))
                meanwhile()
            ours(client, dataset_id, data_id)

        patches.setattr(CogneeClient, "delete_data", delete_data)
        mirror.push()


@pytest.mark.parametrize("first_arrives", [True, False])
def test_a_deletion_that_had_to_be_sent_again_sends_nothing_again(
    remote: FakeRemote, mirror: Mirror, first_arrives: bool
) -> None:
    """Where its first answer was lost it left two rows: the next push reads the graph, and finds everything there."""
    deleting(remote, mirror, first_arrives=first_arrives, meanwhile=lambda: None)
    uploads = len(remote.uploads)
    assert mirror.push().remote_response["mirror"]["sent_whole_because"] == ""
    assert len(remote.uploads) == uploads
    mirror.assert_exact()
    assert whole_because(mirror) == ""


def test_a_deletion_of_somebody_elses_is_not_covered_by_one_of_ours_that_never_arrived(
    remote: FakeRemote, mirror: Mirror
) -> None:
    deleting(remote, mirror, first_arrives=False, meanwhile=lambda: a_document_deleted(remote))
    assert "(delete, operation " in whole_because(mirror)
    mirror.assert_exact()
    assert whole_because(mirror) == ""


def test_what_somebody_else_deletes_while_a_push_deletes_is_noticed_by_the_next(
    remote: FakeRemote, mirror: Mirror, caplog: pytest.LogCaptureFixture
) -> None:
    mirror.push()
    removed(mirror)
    with pytest.MonkeyPatch.context() as patches:
        ours = CogneeClient.delete_data

        def delete_data(client: CogneeClient, dataset_id: str, data_id: str) -> None:
            patches.undo()
            ours(client, dataset_id, data_id)
            a_document_deleted(remote)

        patches.setattr(CogneeClient, "delete_data", delete_data)
        mirror.push()
    assert "somebody else may have changed it, too" in caplog.text
    assert "(delete, operation " in whole_because(mirror)
    mirror.assert_exact()
    assert whole_because(mirror) == ""


def test_what_a_push_had_deleted_that_failed_then_is_nobody_elses(remote: FakeRemote, mirror: Mirror) -> None:
    mirror.push()
    removed(mirror)
    mirror.graph.change(6)
    deleted: list[str] = []
    with pytest.MonkeyPatch.context() as patches:
        ours = CogneeClient.delete_data

        def delete_data(client: CogneeClient, dataset_id: str, data_id: str) -> None:
            ours(client, dataset_id, data_id)
            deleted.append(data_id)
            if len(deleted) == 2:
                raise RemoteRejectedError("no", status=500)

        patches.setattr(CogneeClient, "delete_data", delete_data)
        with pytest.raises(RemoteRejectedError):
            mirror.push()
    assert mirror.push().remote_response["mirror"]["sent_whole_because"] == ""
    mirror.assert_exact()
    assert whole_because(mirror) == ""


def test_what_goes_on_when_it_is_made_good_is_made_good_again_when_it_has_ended(
    remote: FakeRemote, mirror: Mirror
) -> None:
    mirror.push()
    run = remote.add_run("demo", pipeline="cognify_pipeline")
    remote.state.clock.skew = 60.0
    for _ in range(2):
        assert run in whole_because(mirror)
    remote.close_abandoned_runs()
    assert run in whole_because(mirror)
    assert whole_because(mirror) == ""


def test_mirrors_that_have_nothing_in_common_trust_each_others_deletions_and_nobodys_else(
    remote: FakeRemote, mirror: Mirror
) -> None:
    other = Mirror(remote, mirror.directory, unlike(mirror.graph))
    mirror.push(source="one")
    other.push(source="two")
    other.graph.remove_node()
    other.push(source="two")
    assert any(row["operation_name"] == "delete" for row in remote.runs)
    assert whole_because(mirror, source="one") == ""
    emptied(remote)
    assert "(forget, operation " in whole_because(other, source="two")
    assert "(forget, operation " in whole_because(mirror, source="one")
    assert set(remote.graph("demo").nodes) == {*mirror.graph.nodes, *other.graph.nodes}


@pytest.mark.parametrize("killed", [False, True], ids=["whole", "killed"])
def test_mirrors_that_once_had_a_node_in_common_do_not_trust_the_imports_of_that_time(
    remote: FakeRemote, mirror: Mirror, killed: bool
) -> None:
    """The other's values of the node are there, also when the other has given it up."""
    other = Mirror(remote, mirror.directory, unlike(mirror.graph))
    mirror.push(source="one")
    other.push(source="two")
    before = dict(other.graph.nodes)
    shared = next(node_id for node_id, row in mirror.graph.nodes.items() if row[2] == "Entity")
    other.graph.nodes[shared] = (shared, "Another name", "Entity", "{}")
    if killed:
        with pytest.MonkeyPatch.context() as patches:
            Crash(patches, at=1, after=True, steps=["deliver"])
            with pytest.raises(Crashed):
                other.push(source="two")
    else:
        other.push(source="two")
    assert remote.graph("demo").nodes[shared].shown(shared)["label"] == "Another name"
    other.graph.nodes = before
    other.push(source="two")
    mirror.push(source="one")
    assert remote.graph("demo").nodes[shared].shown(shared)["label"] == mirror.graph.nodes[shared][1]
    assert whole_because(other, source="two") == ""
    assert whole_because(mirror, source="one") == ""


def test_a_mirror_that_empties_the_dataset_is_not_trusted_by_the_others(remote: FakeRemote, mirror: Mirror) -> None:
    other = Mirror(remote, mirror.directory, unlike(mirror.graph))
    mirror.push(source="one")
    other.push(source="two")
    other.graph.remove_node()
    other.push(source="two", on_removed="replace")
    assert whole_because(mirror, source="one") == "nothing is known yet of what this dataset has brought there"
    assert set(remote.graph("demo").nodes) == {*mirror.graph.nodes, *other.graph.nodes}


@pytest.mark.parametrize("version", ["1.5.0", "1.6.5"])
def test_documents_that_are_no_longer_listed_are_sent_again_alone(tmp_path: Path, version: str) -> None:
    """Also on servers whose feed shows no deletions."""
    with FakeRemote(version) as remote:
        mirror = Mirror(remote, tmp_path, ChangingGraph(1, nodes=24))
        mirror.push()
        documents = remote.dataset("demo").documents
        del documents[next(iter(documents))]
        done = mirror.push().remote_response["mirror"]
        assert (done["segments_sent"], done["documents"]) == (0, {"added": 1, "changed": 0, "removed": 0})
        mirror.assert_exact()
        assert mirror.push().status == "unchanged"


def test_a_push_at_which_the_servers_clock_was_ahead_is_not_relied_on(remote: FakeRemote, mirror: Mirror) -> None:
    remote.state.clock.skew = 7200.0
    mirror.push()
    remote.state.clock.skew = 0.0
    with Rival(remote.url, remote.api_key, rival_archive(mirror.directory)):
        pass
    assert "clock was ahead" in whole_because(mirror)
    assert whole_because(mirror) == ""


def test_after_a_lost_state_nobody_elses_runs_are_reported(
    remote: FakeRemote, mirror: Mirror, caplog: pytest.LogCaptureFixture
) -> None:
    mirror.push()
    for path in mirror.directory.glob("mirrors/*/*"):
        path.unlink()
    mirror.graph.change_node()
    mirror.push()
    assert whole_because(mirror) == ""
    assert "somebody else" not in caplog.text


@pytest.mark.parametrize("reason", ["others", "resend"])
def test_a_document_that_only_a_failed_push_has_sent_goes_also_where_everything_is_sent(
    remote: FakeRemote, mirror: Mirror, reason: str
) -> None:
    mirror.push()
    before = dict(mirror.graph.nodes), dict(mirror.graph.edges)
    chunk = "00000000-0000-4000-8000-000000000001"
    mirror.graph.nodes[chunk] = (chunk, "", "DocumentChunk", '{"text": "Passing."}')
    remote.faults.on(UPLOADS, None, *[answer(500)] * 9)
    with pytest.raises((RemoteRejectedError, ImportUnconfirmedError, PushInterruptedError)):
        mirror.push()
    remote.faults.clear()
    assert any(chunk in name for name in remote.documents("demo"))
    mirror.graph.nodes, mirror.graph.edges = before
    if reason == "others":
        with Rival(remote.url, remote.api_key, rival_archive(mirror.directory)):
            pass
    assert whole_because(mirror, resend=reason == "resend")
    assert not any(chunk in name for name in remote.documents("demo"))
