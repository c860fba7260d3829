"""The faults that a test switches on in the fake remote itself."""

import time
from collections.abc import Iterator

import httpx
import pytest

from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import (
    DATASETS,
    HEALTH,
    UPLOADS,
    Fault,
    answer,
    cut_answer,
    cut_request,
    delay,
    delay_answer,
    drip,
    drop_answer,
    html,
    reset,
    slow_upload,
)
from tests.contract.archives import people


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    with FakeRemote() as remote:
        yield remote


@pytest.fixture
def http(remote: FakeRemote) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=remote.url, headers={"X-Api-Key": remote.api_key}) as http:
        yield http


def upload(http: httpx.Client) -> httpx.Response:
    form = {"datasetName": "people", "content_type": "cogx-archive"}
    return http.post(UPLOADS, data=form, files={"data": ("x.cogx.tar.gz", people("faults").packed())})


def test_faults_are_used_up_in_order_and_none_lets_one_through(http: httpx.Client, remote: FakeRemote) -> None:
    remote.faults.on(HEALTH, answer(503), None, answer(429, headers={"retry-after": "7"}))
    remote.faults.always(HEALTH, html())

    answers = [http.get(HEALTH) for _ in range(4)]

    assert [answered.status_code for answered in answers] == [503, 200, 429, 200]
    assert answers[2].headers["retry-after"] == "7"
    assert "Sign in" in answers[3].text
    remote.faults.clear()
    assert http.get(HEALTH).json()["status"] == "ready"


def test_a_fault_may_be_for_one_method_alone(http: httpx.Client, remote: FakeRemote) -> None:
    remote.faults.on(DATASETS, answer(500), method="POST")

    assert http.get(DATASETS).status_code == 200
    assert http.post(DATASETS, json={"name": "x"}).status_code == 500
    assert remote.state.datasets == {}


@pytest.mark.parametrize("fault", [reset(), cut_request(100)])
def test_an_upload_that_breaks_off_is_not_imported(fault: Fault, http: httpx.Client, remote: FakeRemote) -> None:
    remote.faults.on(UPLOADS, fault)

    with pytest.raises(httpx.TransportError):
        upload(http)

    assert (remote.uploads, remote.runs) == ([], [])


@pytest.mark.parametrize("fault", [drop_answer(), cut_answer(20), cut_answer(300)])
def test_an_upload_whose_answer_breaks_off_is_imported(fault: Fault, http: httpx.Client, remote: FakeRemote) -> None:
    remote.faults.on(UPLOADS, fault)

    with pytest.raises(httpx.TransportError):
        upload(http)

    assert len(remote.graph("people").nodes) == 2
    assert upload(http).status_code == 200


def test_a_gateway_may_give_up_after_the_import(http: httpx.Client, remote: FakeRemote) -> None:
    remote.faults.on(UPLOADS, answer(504, deliver=True))

    assert upload(http).status_code == 504
    assert remote.runs[0]["outcome"] == "succeeded"


def test_slow_faults_take_their_time(http: httpx.Client, remote: FakeRemote) -> None:
    remote.faults.on(HEALTH, delay(0.1), delay_answer(0.1), drip(0.001))
    remote.faults.on(UPLOADS, slow_upload(5_000))
    began = time.monotonic()

    assert [http.get(HEALTH).json()["status"] for _ in range(3)] == ["ready"] * 3
    assert upload(http).status_code == 200

    assert time.monotonic() - began > 0.4


def test_killing_the_fake_ends_a_fault_that_waits(http: httpx.Client) -> None:
    with FakeRemote() as remote:
        remote.faults.on(HEALTH, delay(60))
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{remote.url}{HEALTH}", timeout=0.2)
        began = time.monotonic()
    assert time.monotonic() - began < 5
