"""A remote that is down for good ends what is asked of it within 90 s, by default, at whatever stage it went down."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from cognee_dagster.dagster.assets.push import PUSH_RETRY_POLICY
from cognee_dagster.dagster.failures import is_retryable
from cognee_dagster.dagster.resources import CogneeRemote
from cognee_dagster.dagster.sensors.budget import TimeBudget
from cognee_dagster.dagster.sensors.import_sensor import _connect
from cognee_dagster.errors import RemoteError, RemoteUnreachableError
from cognee_dagster.pushing.options import DeliverySettings
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import Connection
from cognee_dagster.remote.imports.feed import TimeUpError
from cognee_dagster.remote.imports.watch import WatchedImport, wait_for_import
from cognee_dagster.remote.retry import Downtime, RetryPolicy, wait_before_next
from cognee_dagster.remote.transport import Timeouts
from cognee_dagster.remote.upload import REMEMBER_PATH
from cognee_dagster.testing import FakeRemote
from tests.pushes import demo_archive, push_archive
from tests.unit.down_remote import Down, DownRemote, VirtualTime, in_turn, late, silent, unavailable

LONGEST = 90.0
LAST_LOOK = 1.0  # at the list of runs, before a push gives up an upload that the remote may have got
ADDRESS = "http://127.0.0.1:9"
RUNS = "/api/v1/activity/pipeline-runs"
DATASET = "011a0f69-ce99-5a5e-acf4-81e800cfd2fc"


HOW: dict[str, tuple[Down | None, int]] = {
    "two addresses that swallow packets": (None, 2),
    "an address that swallows packets": (None, 1),
    "ten addresses that swallow packets": (None, 10),
    "no answer": (silent, 1),
    "503 for two minutes, again and again": (unavailable(120), 1),
    "503 for a minute, again and again": (unavailable(60), 1),
    "503 for a second, again and again": (unavailable(1), 1),
}


@pytest.fixture(params=list(HOW.values()), ids=list(HOW))
def down(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], DownRemote]:
    """Makes a remote that goes down, in each of the ways."""

    def make(since: str) -> DownRemote:
        how, addresses = request.param
        remote = DownRemote(VirtualTime(), how, since=since, addresses=addresses)
        remote.install(monkeypatch)
        return remote

    return make


def client_of(url: str, key: str, clock: VirtualTime, *, timeouts: Timeouts | None = None) -> CogneeClient:
    connection = Connection(url=url, api_key=SecretStr(key))
    return CogneeClient(connection, timeouts=timeouts, sleep=clock.sleep, chance=lambda: 1.0)


ASK: dict[str, Callable[[CogneeClient], object]] = {
    "health": CogneeClient.health,
    "datasets": CogneeClient.datasets,
    "runs": CogneeClient.runs,
    "making a dataset": lambda client: client.ensure_dataset("abc"),
    "deletion": lambda client: client.delete_data(DATASET, DATASET),
}


@pytest.mark.parametrize("ask", ASK)
def test_a_request_and_its_retries(down: Callable[[str], DownRemote], ask: str) -> None:
    remote = down("")
    with client_of(ADDRESS, "key", remote.clock) as client, pytest.raises(RemoteUnreachableError):
        ASK[ask](client)
    assert remote.clock.passed <= LONGEST + 0.01


def test_a_runs_step_and_its_retries(down: Callable[[str], DownRemote]) -> None:
    remote = down("")
    for attempt in range(PUSH_RETRY_POLICY.max_retries + 1):
        if attempt:
            remote.clock.sleep(float(PUSH_RETRY_POLICY.calculate_delay(attempt)))
        with client_of(ADDRESS, "key", remote.clock) as client, pytest.raises(RemoteUnreachableError) as failed:
            client.datasets()
        if not is_retryable(failed.value):
            break
    assert remote.clock.passed <= LONGEST + 0.01


@pytest.mark.parametrize(
    "since", ["/health", "/openapi.json", "/api/v1/users/me", "/api/v1/datasets", RUNS, REMEMBER_PATH]
)
@pytest.mark.parametrize("run_in_background", [False, True], ids=["foreground", "background"])
def test_a_push_from_whatever_request_on(
    down: Callable[[str], DownRemote], since: str, run_in_background: bool, tmp_path: Path
) -> None:
    with FakeRemote() as server:
        with client_of(server.url, server.api_key, VirtualTime()) as before:
            before.ensure_dataset("demo")
        remote = down(since)
        with client_of(server.url, server.api_key, remote.clock) as client, pytest.raises(RemoteError):
            push_archive(
                demo_archive(tmp_path),
                client=client,
                settings=DeliverySettings(),
                run_in_background=run_in_background,
                stop=remote.clock.stop(),
            )
        assert remote.is_down
        assert remote.clock.passed <= LONGEST + LAST_LOOK + 0.02


def test_waiting_for_an_import(down: Callable[[str], DownRemote]) -> None:
    remote = down("")
    watched = WatchedImport(run_id="0c7f3d0a-0e0f-5a4e-9d5c-7c4f5a3f1a11", dataset_id=DATASET)
    with client_of(ADDRESS, "key", remote.clock) as client, pytest.raises(RemoteUnreachableError):
        wait_for_import(
            client, watched, stalled_after=timedelta(hours=6), sleep=remote.clock.sleep, clock=remote.clock.time
        )
    assert remote.clock.passed <= LONGEST + 0.01


def test_the_questions_of_a_sensors_tick_have_the_ticks_own_time(down: Callable[[str], DownRemote]) -> None:
    remote = down("")
    budget = TimeBudget(40.0, clock=remote.clock.monotonic)
    with _connect(CogneeRemote(url=ADDRESS, api_key="key"), budget, lambda push: ()) as connected:
        with pytest.raises(RemoteError):
            connected.feed.runs()
        assert remote.clock.passed <= 0.4 * 40.0 + 5.01, "one answer must not use up all of the time"
        for _ in range(10):
            with pytest.raises((RemoteError, TimeUpError)):
                connected.feed.runs()
    assert remote.clock.passed <= 40.1


NOTHING = b'{"nodes":[],"edges":[]}'
OK = b"[]"


@pytest.mark.parametrize(
    ("answers", "seconds"),
    [
        ([unavailable(2), unavailable(2), late(0, OK)], 6.0),
        ([late(55, OK)], 55.0),
        ([unavailable(30), unavailable(30), late(25, OK)], 87.0),
        ([silent, late(28, OK)], 89.0),
    ],
    ids=["twice 503", "slow", "twice 503, and slow", "too slow once, and slow"],
)
def test_an_honest_slow_server_is_waited_for(
    answers: list[Down], seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = DownRemote(VirtualTime(), in_turn(*answers))
    remote.install(monkeypatch)
    with client_of(ADDRESS, "key", remote.clock) as client:
        assert client.datasets() == []
    assert remote.clock.passed == pytest.approx(seconds)


def test_a_server_may_be_at_work_on_a_graph_for_longer_and_a_graph_that_breaks_off_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut = late(200, NOTHING[:9] + b" " * 90 + NOTHING[9:])

    def breaks_off(remote: DownRemote, within: float) -> bytes | None:
        return (cut(remote, within) or b"")[:-95]

    def over(remote: DownRemote, within: float) -> bytes:
        return b""

    remote = DownRemote(VirtualTime(), in_turn(unavailable(20), breaks_off, over, unavailable(20), late(250, NOTHING)))
    remote.install(monkeypatch)
    with client_of(ADDRESS, "key", remote.clock) as client:
        assert client.graph_size(DATASET) == (0, 0)
    assert remote.clock.passed == pytest.approx(21 + 200 + 2 + 21 + 250)


def test_who_allows_longer_pauses_has_them_after_a_503_too(monkeypatch: pytest.MonkeyPatch) -> None:
    remote = DownRemote(VirtualTime(), in_turn(unavailable(20), late(500, OK)))
    remote.install(monkeypatch)
    limits = Timeouts.of(connect=10, read=600)
    with client_of(ADDRESS, "key", remote.clock, timeouts=limits) as client:
        assert client.datasets() == []


def test_who_asks_for_more_time_than_there_is_is_told_so_and_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    remote = DownRemote(VirtualTime(), unavailable(120))
    remote.install(monkeypatch)
    words = r"503.* It asks for 120 s before the next try \(Retry-After\), and 90 s are left of the 90 s"
    with (
        client_of(ADDRESS, "key", remote.clock) as client,
        pytest.raises(RemoteUnreachableError, match=words) as caught,
    ):
        client.datasets()
    assert (caught.value.status, caught.value.retry_after, caught.value.retryable) == (503, 120, True)
    assert (len(remote.asked), remote.clock.passed) == (1, 0)


def test_the_time_in_which_the_remote_was_at_work_on_an_upload_is_not_time_that_it_was_down(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ten minutes of an import, and then a gateway loses the server for a while."""
    lost = late(600, b"", status=b"502 Bad Gateway")
    with FakeRemote() as server:
        remote = DownRemote(VirtualTime(), in_turn(lost, unavailable(0), unavailable(30)), since=REMEMBER_PATH)
        remote.install(monkeypatch)
        with (
            client_of(server.url, server.api_key, remote.clock) as client,
            pytest.raises(RemoteUnreachableError, match="Retry-After"),
        ):
            push_archive(demo_archive(tmp_path), client=client, stop=remote.clock.stop())
    assert 600 + 60 <= remote.clock.passed <= 600 + LONGEST + LAST_LOOK
    assert remote.asked.count(REMEMBER_PATH.encode()) >= 3


def test_a_policy_without_time_is_a_policy_without_a_second_attempt() -> None:
    error = RemoteUnreachableError("down", retryable=True)
    with pytest.raises(RemoteUnreachableError) as caught:
        wait_before_next(error, attempt=1, policy=RetryPolicy(within=0), downtime=Downtime(0), chance=lambda: 0.0)
    assert caught.value is error
