"""What a client asks before it uploads anything."""

import pytest

from cognee_dagster.testing.answers import AUTHENTICATION_REQUIRED
from tests.contract.remote_under_test import RemoteUnderTest


def test_health_needs_no_key_and_says_the_version(remote: RemoteUnderTest) -> None:
    answer = remote.http.get("/health")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "health": "healthy", "version": "1.6.5"}


def test_every_answer_carries_the_servers_clock(remote: RemoteUnderTest) -> None:
    assert remote.http.get("/health").headers["date"].endswith(" GMT")


def test_openapi_shows_that_archives_are_taken(remote: RemoteUnderTest) -> None:
    answer = remote.http.get("/openapi.json")

    description = answer.json()
    content = description["paths"]["/api/v1/remember"]["post"]["requestBody"]["content"]
    name = content["multipart/form-data"]["schema"]["$ref"].rpartition("/")[2]
    assert answer.status_code == 200
    assert description["info"]["version"] == "1.0.0", "it is not Cognee's version"
    assert name == "Body_remember_api_v1_remember_post"
    assert {"data", "datasetName", "datasetId", "content_type", "import_mode", "run_in_background"} <= set(
        description["components"]["schemas"][name]["properties"]
    )


@pytest.mark.parametrize("path", ["/api/v1/datasets", "/api/v1/activity/pipeline-runs", "/api/v1/users/me"])
@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "wrong"}, {"Authorization": "Bearer wrong"}])
def test_without_a_valid_key_every_request_is_401(remote: RemoteUnderTest, path: str, headers: dict[str, str]) -> None:
    answer = remote.http.get(path, headers=headers)

    assert (answer.status_code, answer.json()) == (401, {"detail": AUTHENTICATION_REQUIRED})


def test_an_upload_without_a_valid_key_is_401_after_its_body(remote: RemoteUnderTest, name: str) -> None:
    for headers in ({}, {"X-Api-Key": "wrong"}, {"Authorization": f"Bearer {remote.admin.api_key}"}):
        answer = remote.upload(b"x" * 1_000_000, name, headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"detail": AUTHENTICATION_REQUIRED})
    assert remote.dataset_ids(name) == []


def test_a_key_says_whose_it_is(remote: RemoteUnderTest) -> None:
    answer = remote.get("/api/v1/users/me", as_user=remote.bob)

    assert answer.status_code == 200
    assert answer.json() == {
        "id": remote.bob.id,
        "email": remote.bob.email,
        "is_active": True,
        "is_superuser": False,
        "is_verified": answer.json()["is_verified"],
        "tenant_id": None,
        "parent_user_id": None,
    }


def test_what_is_not_there_is_404_and_a_wrong_method_405(remote: RemoteUnderTest) -> None:
    missing = remote.get("/api/v1/nothing")
    wrong = remote.http.put("/api/v1/datasets", headers={"X-Api-Key": remote.admin.api_key})

    assert (missing.status_code, missing.json()) == (404, {"detail": "Not Found"})
    assert (wrong.status_code, wrong.json()) == (405, {"detail": "Method Not Allowed"})
