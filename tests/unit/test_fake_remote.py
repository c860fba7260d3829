"""What tests arrange with the fake remote; how it answers otherwise is the contract suite's matter."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from cognee_dagster.testing import IMPORT_PIPELINE, FakeRemote
from cognee_dagster.testing.pace import Pace
from tests.contract.archives import Records, document, handbook, people

HTTP = httpx.Client(timeout=30)  # one for all: each new one reads the certificate authorities


def push(remote: FakeRemote, archive: Records, dataset: str, **fields: str) -> httpx.Response:
    form = {"datasetName": dataset, "content_type": "cogx-archive", **fields}
    files = {"data": ("x.cogx.tar.gz", archive.packed(), "application/gzip")}
    headers = {"X-Api-Key": remote.api_key}
    return HTTP.post(f"{remote.url}/api/v1/remember", data=form, files=files, headers=headers)


def get(remote: FakeRemote, path: str, **params: Any) -> httpx.Response:
    return HTTP.get(f"{remote.url}{path}", params=params, headers={"X-Api-Key": remote.api_key})


def states(remote: FakeRemote, pipeline: str = IMPORT_PIPELINE) -> list[str]:
    """How the pipeline's rows stand, newest first."""
    return [row["status"].rpartition("_")[2] for row in remote.runs if row["pipeline_name"] == pipeline]


def eventually(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < deadline, "it did not happen within 10 s"
        time.sleep(0.01)


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_requests_are_recorded_with_their_fields_and_files(remote: FakeRemote) -> None:
    content = people("a").packed()
    push(remote, people("a"), "team", import_mode="preserve")

    (upload,) = remote.uploads
    assert upload.fields == {"datasetName": "team", "content_type": "cogx-archive", "import_mode": "preserve"}
    assert [(file.field, file.filename, file.size) for file in upload.uploads] == [
        ("data", "x.cogx.tar.gz", len(content))
    ]
    assert upload.status == 200
    assert upload.body_bytes > len(content)


def test_what_was_imported_can_be_looked_at(remote: FakeRemote) -> None:
    push(remote, people("a").plus(document=[document("a", "a.md", "text")]), "team")

    assert set(remote.graph("team").nodes) == people("a").node_ids()
    assert remote.graph("team").triples == people("a").triples()
    assert list(remote.documents("team").values()) == ["text"]
    with pytest.raises(LookupError):
        remote.graph("nobody")


def test_a_held_import_is_visible_and_half_done(remote: FakeRemote) -> None:
    with remote.hold_imports() as hold:
        pushing = in_thread(lambda: push(remote, handbook("a"), "team"))
        hold.wait_for_import()
        assert states(remote) == ["STARTED"]
        assert 0 < len(remote.graph("team").nodes) < 7
        assert remote.graph("team").edges == {}
        hold.release()
        pushing.join(10)

    assert states(remote) == ["COMPLETED", "STARTED"]
    assert len(remote.graph("team").edges) == 7


def test_nobody_waits_for_ever_at_a_hold(remote: FakeRemote) -> None:
    with remote.hold_imports() as hold, pytest.raises(TimeoutError):
        hold.wait_for_import(timeout=0.01)


def test_imports_into_one_dataset_wait_for_each_other_even_to_answer(remote: FakeRemote) -> None:
    answered = threading.Event()

    def push_in_background() -> None:
        push(remote, people("b"), "team", import_mode="hybrid", run_in_background="true")
        answered.set()

    with remote.hold_imports() as hold:
        pushing = [in_thread(lambda: push(remote, people("a"), "team"))]
        hold.wait_for_import()
        pushing.append(in_thread(push_in_background))
        pushing.append(in_thread(lambda: push(remote, people("c"), "other")))
        hold.wait_for_import()
        assert not answered.wait(0.1)
    for thread in pushing:
        thread.join(10)
    assert answered.is_set()
    eventually(lambda: len(remote.graph("team").nodes) == 4)


def test_a_killed_server_breaks_connections_and_leaves_its_runs_started(remote: FakeRemote) -> None:
    failures: list[httpx.HTTPError] = []

    def push_and_fail() -> None:
        try:
            push(remote, handbook("a"), "team")
        except httpx.HTTPError as error:
            failures.append(error)

    url = remote.url
    with remote.hold_imports() as hold:
        pushing = in_thread(push_and_fail)
        hold.wait_for_import()
        remote.kill()
        pushing.join(10)
    with pytest.raises(httpx.ConnectError):
        get(remote, "/health")
    remote.start()

    assert [type(error) for error in failures] == [httpx.RemoteProtocolError]
    assert remote.url == url
    assert states(remote) == ["STARTED"]
    assert remote.graph("team").edges == {}
    assert push(remote, handbook("a"), "team").status_code == 200
    assert len(remote.graph("team").edges) == 7


def test_the_recovery_sweep_writes_late_rows_for_dead_runs_alone(remote: FakeRemote) -> None:
    """After it the dataset's latest row says ERRORED although a newer run succeeded."""
    dead = remote.add_run("team")
    push(remote, people("a"), "team")

    assert remote.close_abandoned_runs(min_age=3600) == []
    assert remote.close_abandoned_runs() == [dead]
    assert remote.close_abandoned_runs() == []

    newest = remote.runs[0]
    assert (newest["pipeline_run_id"], newest["error_class"]) == (dead, "AbandonedPipelineRunError")
    assert states(remote) == ["ERRORED", "COMPLETED", "STARTED", "STARTED"]
    dataset_id = remote.dataset("team").id
    latest = get(remote, "/api/v1/datasets/status", dataset=dataset_id, pipeline=IMPORT_PIPELINE).json()
    assert latest == {dataset_id: "DATASET_PROCESSING_ERRORED"}


def test_an_import_can_be_made_to_fail(remote: FakeRemote) -> None:
    remote.fail_next_import("ValueError")

    failed, succeeded = push(remote, people("a"), "team"), push(remote, people("a"), "team")

    assert (failed.status_code, failed.json()) == (409, {"error": "An error occurred during COGX archive import."})
    assert succeeded.status_code == 200
    assert states(remote) == ["COMPLETED", "STARTED", "ERRORED", "STARTED"]


def test_imports_take_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[float] = []
    monkeypatch.setattr(Pace, "sleep", lambda _, seconds: taken.append(seconds))
    with FakeRemote(import_seconds=100.0, seconds_per_node=1.0, seconds_per_document=10.0) as remote:
        push(remote, people("a").plus(document=[document("a", "a.md", "text")]), "team")
        assert sorted(seconds for seconds in taken if seconds >= 1.0) == [10.0, 100.0 + len(remote.graph("team").nodes)]


def test_the_servers_clock_can_be_off(remote: FakeRemote) -> None:
    remote.state.clock.skew = -86_400.0

    shown = parsedate_to_datetime(get(remote, "/health").headers["date"])
    push(remote, people("a"), "team")
    written = datetime.fromisoformat(remote.runs[0]["created_at"]).replace(tzinfo=timezone.utc)

    for moment in (shown, written):
        assert timedelta(hours=23) < datetime.now(timezone.utc) - moment < timedelta(hours=25)


def test_hybrid_with_documents_and_no_language_model_is_422_with_its_graph_imported(remote: FakeRemote) -> None:
    sent = people("a").plus(document=[document("a", "a.md", "text")])

    answer = push(remote, sent, "team", import_mode="hybrid")

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("Cognify failed for dataset '[UUID(")
    assert answer.json()["detail"].endswith("[CognifyFailedError]")
    assert states(remote) == ["COMPLETED", "STARTED"]
    assert states(remote, "cognify_pipeline") == ["ERRORED", "STARTED"]
    assert remote.runs[0]["error_class"] == "CognifyFailedError"
    assert len(remote.graph("team").nodes) == 2


def test_background_hybrid_with_documents_names_the_import_run_and_cognifies_after_it() -> None:
    sent = people("a").plus(document=[document("a", "a.md", "text")])
    with FakeRemote(llm_works=True) as remote:
        answer = push(remote, sent, "team", import_mode="hybrid", run_in_background="true").json()

        dataset_id = remote.dataset("team").id
        eventually(lambda: "COMPLETED" in states(remote, "cognify_pipeline"))
        import_run = next(row for row in remote.runs if row["pipeline_name"] == IMPORT_PIPELINE)
        (operation,) = [row for row in remote.runs if row["operation_name"] == "remember"]
    assert (answer["status"], answer["dataset_id"], answer["elapsed_seconds"]) == ("running", dataset_id, None)
    assert answer["pipeline_run_id"] == import_run["pipeline_run_id"]
    assert (operation["background"], operation["outcome"]) == (True, "succeeded")


def test_rederive_works_for_one_dataset_a_server() -> None:
    with FakeRemote(llm_works=True) as remote:
        first = push(remote, people("a"), "first", import_mode="re-derive")
        second = push(remote, people("b"), "second", import_mode="re-derive")
        third = push(remote, people("c"), "third", import_mode="re-derive", run_in_background="true").json()
        eventually(lambda: states(remote, "add_pipeline")[0] == "ERRORED" and len(states(remote, "add_pipeline")) == 6)

    assert first.status_code == 200
    assert second.status_code == 415
    assert (third["status"], third["pipeline_run_id"], third["items_processed"]) == ("running", None, 0)
    assert third["items"][0]["graph_nodes"] == third["items"][0]["graph_edges"] == 0


def test_a_repaired_release_would_bring_its_background_preserve_to_an_end() -> None:
    with FakeRemote(repaired_background=True) as remote:
        push(remote, people("a"), "team", run_in_background="true")
        eventually(lambda: states(remote) == ["COMPLETED", "STARTED"])
        assert len(remote.graph("team").nodes) == 2


def test_users_see_what_they_are_granted(remote: FakeRemote) -> None:
    """Pushing to a shared dataset by its id writes to a new one of that name."""
    bob = remote.add_user("bob@example.com")
    push(remote, people("a"), "team")
    remote.grant("team", bob, "read", "write")
    dataset_id = remote.dataset("team").id
    headers = {"X-Api-Key": bob.api_key}

    listed = HTTP.get(f"{remote.url}/api/v1/datasets", headers=headers).json()
    form = {"datasetId": dataset_id, "content_type": "cogx-archive"}
    files = {"data": ("x", people("b").packed())}
    pushed = HTTP.post(f"{remote.url}/api/v1/remember", data=form, files=files, headers=headers)

    assert [dataset["id"] for dataset in listed] == [dataset_id]
    assert pushed.json()["dataset_name"] == "team"
    assert set(remote.graph("team").nodes) == people("a").node_ids()
    assert set(remote.graph("team", owner=bob).nodes) == people("b").node_ids()


@pytest.mark.parametrize(
    ("version", "status", "body"),
    [
        ("1.1.3", 409, {"error": "Invalid request data for remember operation."}),
        ("1.1.0", 409, {"error": "Invalid request data for remember operation."}),
    ],
)
def test_servers_before_1_2_0_refuse_the_content_type(version: str, status: int, body: dict[str, str]) -> None:
    with FakeRemote(version) as remote:
        answer = push(remote, people("a"), "team")
        description = get(remote, "/openapi.json").text

    assert (answer.status_code, answer.json()) == (status, body)
    assert "import_mode" not in description


def test_1_0_0_takes_an_archive_for_a_plain_file_and_says_completed() -> None:
    with FakeRemote("1.0.0") as remote:
        answer = push(remote, people("a"), "team").json()

        assert answer["status"] == "completed"
        assert not any(item.get("kind") == "migration_import" for item in answer["items"])
        assert remote.graph("team").nodes == {}


def test_1_2_0_gives_entities_new_ids() -> None:
    with FakeRemote("1.2.0") as remote:
        push(remote, people("a"), "team")

        assert len(remote.graph("team").nodes) == 2
        assert set(remote.graph("team").nodes).isdisjoint(people("a").node_ids())


def test_servers_before_1_4_2_hide_which_document_was_refused() -> None:
    sent = Records({"document": [document("a", "a.md", "text")]})
    with FakeRemote("1.4.0") as remote:
        push(remote, sent, "first")
        refused = push(remote, sent, "second")

    assert (refused.status_code, refused.json()) == (409, {"error": "An error occurred during COGX archive import."})


def test_the_feed_before_1_5_4_is_the_50_newest_rows_without_an_outcome() -> None:
    with FakeRemote("1.5.3") as remote:
        for number in range(30):
            remote.add_run(f"team{number}", state="COMPLETED")
        rows = get(remote, "/api/v1/activity/pipeline-runs", limit=500, pipeline_name="nothing").json()
        count = get(remote, f"/api/v1/datasets/{remote.dataset('team1').id}/data/count")

    assert len(rows) == 50
    assert "outcome" not in rows[0]
    assert rows[0]["status"] == "DATASET_PROCESSING_COMPLETED"
    assert count.status_code == 405


def test_a_defect_of_the_fake_is_no_answer_of_the_server() -> None:
    remote = FakeRemote()
    remote.start()
    remote.state.datasets = None  # type: ignore[assignment]
    assert get(remote, "/api/v1/datasets").status_code == 500

    with pytest.raises(AssertionError, match="The fake remote itself failed"):
        remote.__exit__()
