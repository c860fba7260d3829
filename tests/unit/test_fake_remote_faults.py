"""The faults that a test switches on in the fake remote itself."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import httpx
import pytest

from cognee_dagster.testing import FakeRemote, faults
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
from cognee_dagster.testing.pace import Pace, ServerKilledError
from tests.contract.archives import people


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


def test_slow_faults_take_their_time(http: httpx.Client, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    monkeypatch.setattr(remote.pace, "sleep", naps.append)
    monkeypatch.setattr(faults, "time", SimpleNamespace(sleep=naps.append))
    for fault, count, seconds in ((delay(7), 1, 7), (delay_answer(8), 1, 8), (drip(0.25), 10, 0.25)):
        naps.clear()
        remote.faults.on(HEALTH, fault)
        assert http.get(HEALTH).json()["status"] == "ready"
        assert naps.count(seconds) >= count

    naps.clear()
    remote.faults.on(UPLOADS, slow_upload(5))
    assert upload(http).status_code == 200
    assert sum(naps) > len(people("faults").packed()) / 5


def test_killing_the_fake_ends_a_fault_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def sleep(pace: Pace, seconds: float) -> None:
        try:
            pause(pace, seconds)
        except ServerKilledError:
            ended.set()
            raise

    pause = Pace.sleep
    monkeypatch.setattr(Pace, "sleep", sleep)
    with FakeRemote() as remote:
        remote.faults.on(HEALTH, delay(3600))
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{remote.url}{HEALTH}", timeout=0.2)
        assert not ended.is_set()
    assert ended.wait(60)
