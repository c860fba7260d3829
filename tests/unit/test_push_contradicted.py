"""An answer that says ``completed`` and something else that cannot be so with it: the remote graph decides."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.errors import ImportUnconfirmedError
from cognee_dagster.pushing.archives import PushResult
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.remote.imports import watch
from cognee_dagster.testing import FakeRemote, faults
from cognee_dagster.testing.faults import UPLOADS
from tests.pushes import HASTY, client_of, demo_archive, push_archive

COUNTS = {"document": 0, "entity": 2, "fact": 2, "raw_node": 1}
IMPORT = {"kind": "migration_import", "mode": "preserve", "record_counts": COUNTS, "graph_nodes": 3, "graph_edges": 2}
ANSWER = {"status": "completed", "dataset_name": "demo", "dataset_id": None, "items": [IMPORT]}


def whole(**fields: Any) -> dict[str, Any]:
    return {**ANSWER, **fields}


def of_import(**fields: Any) -> dict[str, Any]:
    return {**ANSWER, "items": [{**IMPORT, **fields}]}


CONTRADICTED = {
    "another dataset": (whole(dataset_name="other"), "about dataset `other`"),
    "another dataset's id": (whole(dataset_id="11111111-1111-1111-1111-111111111111"), "about the dataset with the id"),
    "errors": (whole(errors=["disk full"]), r"names an error: `\['disk full'\]`"),
    "an error": (whole(error="disk full"), "names an error: `disk full`"),
    "no success": (whole(success=False), "it was no success"),
    "two imports": (whole(items=[IMPORT, IMPORT]), "about 2 archives, and one was sent"),
    "an import that failed": (of_import(graph_import="failed"), "import has the graph_import `failed`"),
    "an import that goes on": (of_import(graph_import="running"), "import has the graph_import `running`"),
    "an import with a status": (of_import(status="errored"), "import has the status `errored`"),
    "an import with an error": (of_import(error="boom"), "names an error: `boom`"),
    "another mode": (of_import(mode="re-derive"), "import has the mode `re-derive`"),
    "no nodes": (of_import(graph_nodes=0), "imported none of 3 nodes"),
    "no counts": (of_import(record_counts={}), "does not say how many records"),
    "counts that make no sense": (of_import(record_counts={"entity": "2"}), "does not say how many records"),
}


def push(remote: FakeRemote, directory: Path, answer: dict[str, Any], *, imports: bool) -> PushResult:
    remote.faults.on(UPLOADS, faults.answer(200, json.dumps(answer), deliver=imports))
    with client_of(remote.url, remote.api_key) as client:
        return push_archive(demo_archive(directory), client=client, settings=HASTY)


@pytest.mark.parametrize("case", CONTRADICTED)
def test_a_success_that_its_own_answer_contradicts_is_none_without_the_graph(
    remote: FakeRemote, tmp_path: Path, case: str
) -> None:
    answer, words = CONTRADICTED[case]
    with pytest.raises(ImportUnconfirmedError, match=rf"contradicts \(.*{words}.*was not found in the remote graph"):
        push(remote, tmp_path, answer, imports=False)


@pytest.mark.parametrize("case", ["errors", "an import that goes on", "no counts"])
def test_a_success_that_its_own_answer_contradicts_is_one_where_the_graph_holds_the_archive(
    remote: FakeRemote, tmp_path: Path, case: str
) -> None:
    result = push(remote, tmp_path, CONTRADICTED[case][0], imports=True)
    assert (result.status, result.known_by) == ("completed", KnownBy.REMOTE_GRAPH)


def test_an_answer_that_agrees_with_itself_is_believed(remote: FakeRemote, tmp_path: Path) -> None:
    """Nothing is read back for it, also where it says less than a server of today: ``graph_nodes``, the dataset."""
    item = {name: value for name, value in IMPORT.items() if name != "graph_nodes"}
    result = push(remote, tmp_path, {"status": "completed", "items": [item]}, imports=False)
    assert (result.status, result.known_by) == ("completed", KnownBy.ANSWER)


@pytest.mark.parametrize("status", ["completed", "started", "unheard of"])
def test_a_run_that_no_list_shows_is_not_waited_for_and_not_named(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    """It is another dataset's, or made up. An import without an end would be waited for for hours."""
    monkeypatch.setattr(watch, "_GONE_FOR_GOOD", timedelta(0))
    strange = whole(status=status, error="boom", pipeline_run_id="22222222-2222-2222-2222-222222222222")
    result = push(remote, tmp_path, strange, imports=True)
    assert (result.status, result.known_by, result.pipeline_run_id) == ("completed", KnownBy.REMOTE_GRAPH, None)


@pytest.mark.parametrize("status", [201, 202, 204, 206])
def test_an_unusable_answer_of_success_after_the_whole_archive_is_read_back_whatever_its_number(
    remote: FakeRemote, tmp_path: Path, status: int
) -> None:
    remote.faults.on(UPLOADS, faults.answer(status, deliver=True))
    with client_of(remote.url, remote.api_key) as client:
        result = push_archive(demo_archive(tmp_path), client=client, settings=HASTY)
    assert (result.status, result.known_by, len(remote.uploads)) == ("completed", KnownBy.REMOTE_GRAPH, 1)


def test_a_server_that_makes_another_dataset_is_not_pushed_to_under_its_name(
    remote: FakeRemote, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The upload went into the other one, and its graph was read back for ours."""
    with client_of(remote.url, remote.api_key) as client:
        push_archive(demo_archive(tmp_path), client=client, settings=HASTY, target_dataset="old")
        old = remote.state.ensure_dataset("old", remote.admin)
        shown = json.dumps({"id": str(old.id), "name": "old", "ownerId": str(remote.admin.id)})
        remote.faults.always("/api/v1/datasets", faults.answer(200, shown), method="POST")
        result = push_archive(demo_archive(tmp_path), client=client, settings=HASTY, target_dataset="new")
    assert (result.status, result.target_dataset) == ("completed", "new")
    assert "names dataset `old`" in caplog.text
    assert len(remote.graph("new").nodes) == 3
