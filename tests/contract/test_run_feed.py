"""The feed of pipeline runs: rows, order, paging, who sees what."""

from datetime import datetime
from typing import Any

import pytest

from tests.contract.archives import document, people
from tests.contract.remote_under_test import RemoteUnderTest

DENIED = {
    "detail": "Request owner does not have necessary permission: [read] for all datasets requested. "
    "[PermissionDeniedError]"
}
UNKNOWN_ID = "1b6a54cc-9a2a-47fb-af56-5b54cb57a751"


def test_a_run_has_two_rows_newest_first(remote: RemoteUnderTest, name: str) -> None:
    run_id = remote.upload(people(name), name).json()["pipeline_run_id"]
    (dataset_id,) = remote.dataset_ids(name)

    ended, started = remote.runs(dataset_id)

    common: dict[str, Any] = {
        "kind": "pipeline",
        "pipeline_name": "migration_import_pipeline",
        "dataset_id": dataset_id,
        "dataset_name": name,
        "owner_id": remote.admin.id,
        "owner_email": remote.admin.email,
        "pipeline_run_id": run_id,
        "operation_name": "migration_import_pipeline",
        "origin": "api",
        "background": None,
        "error_class": None,
        "user_id": remote.admin.id,
        "session_id": None,
        "parent_operation_id": None,
        "started_at": started["started_at"],
    }
    of_the_row = ("id", "created_at")
    assert started == {
        **common,
        **{key: started[key] for key in of_the_row},
        "status": "DATASET_PROCESSING_STARTED",
        "outcome": None,
        "tokens_in": None,
        "tokens_out": None,
        "embedding_tokens": None,
        "ended_at": None,
    }
    assert ended == {
        **common,
        **{key: ended[key] for key in of_the_row},
        "status": "DATASET_PROCESSING_COMPLETED",
        "outcome": "succeeded",
        "tokens_in": 0,
        "tokens_out": 0,
        "embedding_tokens": 0,
        "ended_at": ended["ended_at"],
    }
    moments = [datetime.fromisoformat(row[key]) for row, key in ((started, "started_at"), (ended, "ended_at"))]
    assert moments[0] <= moments[1]
    assert all(moment.tzinfo is None for moment in moments), "UTC without saying so"


def test_the_feed_is_filtered_and_paged_and_the_latest_status_is_per_pipeline(
    remote: RemoteUnderTest, name: str
) -> None:
    remote.upload(people(name).plus(document=[document(name, "a.md", "text")]), name)
    (dataset_id,) = remote.dataset_ids(name)

    rows = remote.runs(dataset_id)

    assert [row["pipeline_name"] for row in rows] == ["migration_import_pipeline"] * 2 + ["add_pipeline"] * 2
    assert remote.runs(dataset_id, pipeline_name="add_pipeline") == rows[2:]
    assert remote.runs(dataset_id, pipeline_name="no_pipeline") == []
    assert remote.runs(dataset_id, limit=2, offset=1) == rows[1:3]
    everything = remote.get("/api/v1/activity/pipeline-runs", limit=500).json()
    assert [row for row in everything if row["dataset_id"] == dataset_id] == rows
    assert [row["created_at"] for row in everything] == sorted((row["created_at"] for row in everything), reverse=True)

    about_imports = remote.get("/api/v1/datasets/status", dataset=dataset_id, pipeline="migration_import_pipeline")
    about_cognify = remote.get("/api/v1/datasets/status", dataset=dataset_id)
    assert about_imports.json() == {dataset_id: "DATASET_PROCESSING_COMPLETED"}
    assert about_cognify.json() == {}


def test_deleting_emptying_and_searching_are_a_row_each_without_a_pipeline(remote: RemoteUnderTest, name: str) -> None:
    """Also where nothing was deleted or found; and a deletion that is refused, where it names the dataset."""
    remote.upload(people(name), name)
    (dataset_id,) = remote.dataset_ids(name)
    data = f"/api/v1/datasets/{dataset_id}/data/{UNKNOWN_ID}"
    asked = {"query": "Who?", "onlyContext": True, "verbose": True, "datasetIds": [dataset_id]}

    remote.delete(data)
    refused = remote.delete(data, as_user=remote.bob)
    remote.search({**asked, "searchType": "CHUNKS"})
    remote.empty(dataset_id)
    remote.empty(dataset_id, as_user=remote.bob)

    assert refused.status_code == 401
    assert refused.json() == {"detail": f"Dataset {dataset_id} not accessible. [UnauthorizedDataAccessError]"}
    rows = remote.runs(dataset_id)[:-2]
    told = ("operation_name", "outcome", "error_class", "user_id")
    assert [tuple(row[key] for key in told) for row in reversed(rows)] == [
        ("delete", "succeeded", None, remote.admin.id),
        ("delete", "failed", "UnauthorizedDataAccessError", remote.bob.id),
        ("search", "failed", "NoDataError", remote.admin.id),
        ("forget", "succeeded", None, remote.admin.id),
    ]
    common: dict[str, Any] = {
        "kind": "operation",
        "pipeline_name": None,
        "status": None,
        "dataset_id": dataset_id,
        "origin": "api",
    }
    common |= {"background": None, "parent_operation_id": None, "session_id": None, "dataset_name": name}
    common |= dict.fromkeys(("tokens_in", "tokens_out", "embedding_tokens"), 0)
    assert [{key: row[key] for key in common} for row in rows] == [common] * 4
    assert all(row["started_at"] <= row["ended_at"] <= row["created_at"] for row in rows)
    assert len({row["pipeline_run_id"] for row in rows}) == 4


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ({"limit": "0"}, "greater_than_equal"),
        ({"limit": "501"}, "less_than_equal"),
        ({"offset": "-1"}, "greater_than_equal"),
        ({"dataset_id": "nope"}, "uuid_parsing"),
    ],
)
def test_a_query_out_of_range_is_400(remote: RemoteUnderTest, query: dict[str, Any], kind: str) -> None:
    answer = remote.get("/api/v1/activity/pipeline-runs", **query)

    ((parameter, value),) = query.items()
    assert answer.status_code == 400
    (problem,) = answer.json()["detail"]
    assert (problem["type"], problem["loc"], problem["input"]) == (kind, ["query", parameter], value)


def test_the_runs_of_an_unknown_dataset_are_403(remote: RemoteUnderTest) -> None:
    answer = remote.get("/api/v1/activity/pipeline-runs", dataset_id=UNKNOWN_ID)

    assert (answer.status_code, answer.json()) == (403, DENIED)
