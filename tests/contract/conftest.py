"""The same cases against the fake remote and against a real Cognee 1.6.5: what differs is a defect of the fake."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

from cognee_dagster.testing import FakeRemote
from tests.contract.remote_under_test import TIMEOUT, Account, RemoteUnderTest

if TYPE_CHECKING:
    from cognee_dagster.sandbox import CogneeServer

BOB = "bob@example.com"
BOBS_PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="session")
def fake() -> Iterator[RemoteUnderTest]:
    with FakeRemote(rights_after=0.05) as server, httpx.Client(base_url=server.url, timeout=TIMEOUT) as http:
        admin, bob = server.admin, server.add_user(BOB)
        yield RemoteUnderTest(
            url=server.url,
            admin=Account(id=admin.id, email=admin.email, api_key=admin.api_key),
            bob=Account(id=bob.id, email=bob.email, api_key=bob.api_key),
            http=http,
        )


@pytest.fixture(scope="session")
def real(real_remote: "CogneeServer") -> Iterator[RemoteUnderTest]:
    with httpx.Client(base_url=real_remote.url, timeout=TIMEOUT) as http:
        me = http.get("/api/v1/users/me", headers={"X-Api-Key": real_remote.api_key}).json()
        admin = Account(id=me["id"], email=me["email"], api_key=real_remote.api_key)
        yield RemoteUnderTest(url=real_remote.url, admin=admin, bob=_register_bob(http), http=http)


def _register_bob(http: httpx.Client) -> Account:
    made = http.post("/api/v1/auth/register", json={"email": BOB, "password": BOBS_PASSWORD})
    assert made.status_code == 201, made.text
    login = http.post("/api/v1/auth/login", data={"username": BOB, "password": BOBS_PASSWORD}).json()
    token = {"Authorization": f"Bearer {login['access_token']}"}
    key = http.post("/api/v1/auth/api-keys", json={"name": "contract"}, headers=token).json()["key"]
    http.cookies.clear()  # the login left one, with which every request would be Bob's
    return Account(id=made.json()["id"], email=BOB, api_key=key)


@pytest.fixture(params=["fake", "real"])
def remote(request: pytest.FixtureRequest) -> RemoteUnderTest:
    """The server of this case. The real one is started when the first case asks for it."""
    server: RemoteUnderTest = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A dataset name that no other case uses, and that Cognee takes."""
    return re.sub(r"\W+", "_", request.node.name.removeprefix("test_")).strip("_")
