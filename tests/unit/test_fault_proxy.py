"""The fault proxy does what a fault test relies on, and nothing to other requests."""

import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import (
    UPLOADS,
    Fault,
    answer,
    cut_answer,
    cut_request,
    delay,
    delay_answer,
    drip,
    html,
    redirect,
    reset,
    slow_upload,
)
from tests.contract.archives import people
from tests.fault_proxy import FaultProxy


@pytest.fixture
def proxy(remote: FakeRemote) -> Iterator[FaultProxy]:
    with FaultProxy(remote.url) as proxy:
        yield proxy


@pytest.fixture
def http(remote: FakeRemote, proxy: FaultProxy) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=proxy.url, headers={"X-Api-Key": remote.api_key}) as http:
        yield http


def upload(http: httpx.Client) -> httpx.Response:
    form = {"datasetName": "people", "content_type": "cogx-archive"}
    return http.post(UPLOADS, data=form, files={"data": ("x.cogx.tar.gz", people("proxy").packed())})


def test_what_meets_no_fault_passes_unchanged(http: httpx.Client, remote: FakeRemote, proxy: FaultProxy) -> None:
    assert upload(http).json()["status"] == "completed"
    assert http.get("/api/v1/datasets", params={"a": "b c"}).status_code == 200
    assert proxy.uploads_delivered == 1
    assert remote.requests[-1].query == {"a": "b c"}


def test_chunked_bodies_pass(http: httpx.Client, remote: FakeRemote) -> None:
    answered = http.post(
        "/api/v1/datasets", content=iter([b'{"na', b'me": "x"}']), headers={"content-type": "application/json"}
    )

    assert answered.json()["name"] == "x"


def test_faults_are_used_up_in_order_and_none_lets_one_pass(http: httpx.Client, proxy: FaultProxy) -> None:
    proxy.on("/health", answer(503), None, answer(429, headers={"retry-after": "7"}))
    proxy.always("/health", html())

    answers = [http.get("/health") for _ in range(4)]

    assert [answered.status_code for answered in answers] == [503, 200, 429, 200]
    assert answers[2].headers["retry-after"] == "7"
    assert "Sign in" in answers[3].text
    proxy.clear()
    assert http.get("/health").json()["status"] == "ready"


def test_a_fault_may_be_for_one_method_alone(http: httpx.Client, proxy: FaultProxy) -> None:
    proxy.on("/api/v1/datasets", answer(500), method="POST")

    assert http.get("/api/v1/datasets").status_code == 200
    assert http.post("/api/v1/datasets", json={"name": "x"}).status_code == 500


@pytest.mark.parametrize("fault", [reset(), cut_request(100)])
def test_an_upload_that_breaks_off_does_not_arrive(
    fault: Fault, http: httpx.Client, remote: FakeRemote, proxy: FaultProxy
) -> None:
    proxy.on(UPLOADS, fault)

    with pytest.raises(httpx.TransportError):
        upload(http)

    assert proxy.uploads_delivered == 0
    assert remote.uploads == []


@pytest.mark.parametrize("size", [0, 20, 300])
def test_an_answer_that_breaks_off_belongs_to_an_upload_that_arrived(
    size: int, http: httpx.Client, remote: FakeRemote, proxy: FaultProxy
) -> None:
    proxy.on(UPLOADS, cut_answer(size))

    with pytest.raises(httpx.TransportError):
        upload(http)

    assert proxy.uploads_delivered == 1
    deadline = time.monotonic() + 10
    while not any(run["outcome"] == "succeeded" for run in remote.runs) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(remote.graph("people").nodes) == 2


def test_a_gateway_may_give_up_after_it_delivered(http: httpx.Client, remote: FakeRemote, proxy: FaultProxy) -> None:
    proxy.on(UPLOADS, answer(504, deliver=True))

    with remote.hold_imports() as hold:
        assert upload(http).status_code == 504
        hold.wait_for_import()
    assert proxy.uploads_delivered == 1


def test_nobody_listens_while_refusing(http: httpx.Client, proxy: FaultProxy) -> None:
    with proxy.refusing(), pytest.raises(httpx.ConnectError):
        http.get("/health")

    assert http.get("/health").status_code == 200


def test_a_redirect_names_its_target(http: httpx.Client, proxy: FaultProxy) -> None:
    proxy.on("/health", redirect("http://elsewhere.example/"))

    answered = http.get("/health")

    assert (answered.status_code, answered.headers["location"]) == (307, "http://elsewhere.example/")


def test_slow_faults_take_their_time(http: httpx.Client, proxy: FaultProxy) -> None:
    taken: list[float] = []
    proxy.sleep = taken.append

    def taken_by(fault: Fault, ask: Callable[[], httpx.Response], path: str = "/health") -> list[float]:
        taken.clear()
        proxy.on(path, fault)
        assert ask().status_code == 200
        return [seconds for seconds in taken if seconds]

    assert taken_by(delay(600), lambda: http.get("/health")) == [600]
    assert taken_by(delay_answer(600), lambda: http.get("/health")) == [600]
    assert taken_by(drip(5), lambda: http.get("/health"))[:100] == [5] * 100
    uploading = taken_by(slow_upload(5_000), lambda: upload(http), UPLOADS)
    assert sum(uploading) == pytest.approx(proxy.passages[-1].body_bytes / 5_000)


def test_answers_may_be_empty_or_huge(http: httpx.Client, proxy: FaultProxy) -> None:
    proxy.on("/health", answer(200), answer(200, b"x" * 5_000_000))

    assert http.get("/health").content == b""
    assert len(http.get("/health").content) == 5_000_000
