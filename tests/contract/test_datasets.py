"""Datasets: their ids, deleting them, and who may do what with them."""

import json
from concurrent.futures import ThreadPoolExecutor

from tests.contract.archives import people
from tests.contract.remote_under_test import RemoteUnderTest, in_order, triples

UNKNOWN_ID = "1b6a54cc-9a2a-47fb-af56-5b54cb57a751"


def _denied(permission: str) -> tuple[int, dict[str, str]]:
    words = f"Request owner does not have necessary permission: [{permission}] for all datasets requested."
    return 403, {"detail": f"{words} [PermissionDeniedError]"}


def test_creating_a_dataset_twice_gives_the_same_one(remote: RemoteUnderTest, name: str) -> None:
    first = remote.create_dataset(name)

    listed = [dataset for dataset in remote.get("/api/v1/datasets").json() if dataset["id"] == first]
    assert remote.create_dataset(name) == first
    assert remote.create_dataset(name, as_user=remote.bob) != first
    assert listed == [
        {
            "id": first,
            "name": name,
            "createdAt": listed[0]["createdAt"],
            "updatedAt": None,
            "ownerId": remote.admin.id,
        }
    ]


def test_uploads_that_make_a_dataset_at_the_same_moment_may_be_refused_and_go_through_again(
    remote: RemoteUnderTest, name: str
) -> None:
    """The dataset is there before its owner has any right to it."""
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: remote.upload(people(name), name), range(4)))

    statuses = {answer.status_code for answer in answers}
    refused = [(answer.status_code, answer.json()) for answer in answers if answer.status_code != 200]
    assert 200 in statuses
    assert refused == [_denied("write")] * len(refused)
    assert remote.upload(people(name), name).status_code == 200
    assert triples(remote.graph(name)) == people(name).triples()


def test_a_dataset_without_a_name_is_refused(remote: RemoteUnderTest) -> None:
    headers = {"X-Api-Key": remote.admin.api_key}
    answer = remote.http.post("/api/v1/datasets", json={"nam": "x"}, headers=headers)

    assert answer.status_code == 400
    assert answer.json() == {
        "detail": [{"type": "missing", "loc": ["body", "name"], "msg": "Field required", "input": {"nam": "x"}}],
        "body": {"nam": "x"},
    }


def test_an_import_goes_into_the_dataset_created_before(remote: RemoteUnderTest, name: str) -> None:
    dataset_id = remote.create_dataset(name)

    by_id = remote.upload(people(name), None, datasetId=dataset_id)

    assert by_id.json()["dataset_name"] == name
    assert remote.dataset_ids(name) == [dataset_id]
    assert triples(remote.graph(name)) == people(name).triples()


def test_a_deleted_dataset_is_403_and_comes_back_under_its_id(remote: RemoteUnderTest, name: str) -> None:
    run_id = remote.upload(people(name), name).json()["pipeline_run_id"]
    before = in_order(remote.graph(name))
    (dataset_id,) = remote.dataset_ids(name)

    deleted = remote.delete(f"/api/v1/datasets/{dataset_id}")

    assert (deleted.status_code, deleted.json()) == (200, None)
    assert remote.dataset_ids(name) == []
    for path in ("graph", "data", "data/count"):
        answer = remote.get(f"/api/v1/datasets/{dataset_id}/{path}")
        assert (answer.status_code, answer.json()) == _denied("read")
    feed = remote.get("/api/v1/activity/pipeline-runs", dataset_id=dataset_id)
    assert (feed.status_code, feed.json()) == _denied("read")
    again = remote.delete(f"/api/v1/datasets/{dataset_id}")
    assert (again.status_code, again.json()) == _denied("delete")

    everything = remote.get("/api/v1/activity/pipeline-runs", limit=500).json()
    left = [row for row in everything if row["pipeline_run_id"] == run_id]
    assert [(row["dataset_id"], row["dataset_name"], row["owner_id"], row["owner_email"]) for row in left] == [
        (dataset_id, None, None, None)
    ] * 2

    remote.upload(people(name), name)
    assert remote.dataset_ids(name) == [dataset_id]
    assert in_order(remote.graph(name)) == before


def test_an_unknown_dataset_is_403_never_404(remote: RemoteUnderTest) -> None:
    graph = remote.get(f"/api/v1/datasets/{UNKNOWN_ID}/graph")
    deleted = remote.delete(f"/api/v1/datasets/{UNKNOWN_ID}")

    assert (graph.status_code, graph.json()) == _denied("read")
    assert (deleted.status_code, deleted.json()) == _denied("delete")


def test_other_users_see_and_change_nothing(remote: RemoteUnderTest, name: str) -> None:
    dataset_id = remote.create_dataset(name)

    graph = remote.get(f"/api/v1/datasets/{dataset_id}/graph", as_user=remote.bob)
    feed = remote.get("/api/v1/activity/pipeline-runs", as_user=remote.bob, dataset_id=dataset_id)
    push = remote.upload(people(name), None, as_user=remote.bob, datasetId=dataset_id)
    deleted = remote.delete(f"/api/v1/datasets/{dataset_id}", as_user=remote.bob)

    assert (graph.status_code, graph.json()) == _denied("read")
    assert (feed.status_code, feed.json()) == _denied("read")
    assert (push.status_code, push.json()) == _denied("write")
    assert (deleted.status_code, deleted.json()) == _denied("delete")
    assert remote.dataset_ids(name, as_user=remote.bob) == []


def test_a_dataset_name_is_each_users_own_and_node_ids_each_datasets(remote: RemoteUnderTest, name: str) -> None:
    remote.create_dataset(name)

    assert remote.upload(people(name), name, as_user=remote.bob).status_code == 200
    assert remote.graph(name) == {"nodes": [], "edges": []}

    assert remote.upload(people(name), name).status_code == 200
    assert in_order(remote.graph(name)) == in_order(remote.graph(name, as_user=remote.bob))
    assert triples(remote.graph(name)) == people(name).triples()


def test_accounts_in_an_archive_are_for_superusers(remote: RemoteUnderTest, name: str) -> None:
    """And then the import runs as the archived owner; an empty social layer is none."""
    owner = {"email": f"{name}@example.com", "hashed_password": "x", "is_active": True}
    social = people(name).with_members({"permissions.json": json.dumps({"owner": owner, "grants": []}).encode()})
    nothing = people(name).with_members({"permissions.json": b"{}"})

    refused = remote.upload(social, name, as_user=remote.bob)
    assert refused.status_code == 403
    assert refused.json() == {
        "detail": "Importing an archive that carries a social layer (permissions.json) requires a superuser: "
        "it restores user accounts and credentials. [PermissionDeniedError]"
    }
    assert remote.upload(nothing, name, as_user=remote.bob).status_code == 200

    assert remote.upload(social, f"{name}_2").status_code == 200
    (listed,) = [shown for shown in remote.get("/api/v1/datasets").json() if shown["name"] == f"{name}_2"]
    assert listed["ownerId"] != remote.admin.id
