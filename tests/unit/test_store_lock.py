"""One lock for all hosts that share a store."""

import errno
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from upath import UPath

from cognee_dagster.cli.exit_codes import ExitCode, exit_code_of
from cognee_dagster.errors import LockLostError, PushInterruptedError, UnfitFileError
from cognee_dagster.pushing.mirror.kept import one_at_a_time as pushes
from cognee_dagster.pushing.mirror.kept.one_at_a_time import one_at_a_time
from cognee_dagster.remote.responses import RemoteDataset
from cognee_dagster.store import files
from cognee_dagster.store import lock as store_locks
from cognee_dagster.store.lock import LockHolder, Pace, StoreLock, store_lock
from cognee_dagster.system.host_lock import host_name
from tests.unit.test_archive_prune import EndpointConnectionError

QUICK = Pace(beat=0.05, stale=1.0, look=0.02, settle=0.1)
HOLDER = """
import sys, threading
from upath import UPath
from cognee_dagster.store import lock as store_locks
from cognee_dagster.store.lock import Pace, store_lock
pace = Pace(beat=0.05, stale=5.0, look=0.02, settle=0.1)
with store_lock(UPath(sys.argv[1]), host="one", process=1, stop=threading.Event(), waiting=print, pace=pace) as lock:
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(params=["local", "memory"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> UPath:
    base = UPath(tmp_path) if request.param == "local" else UPath(f"memory://{uuid4().hex}")
    return base / "demo.lock"


class Looks(threading.Event):
    """Lets time pass on a clock of its own, instead of waiting, so often; then it is set."""

    def __init__(self, most: int = 1_000) -> None:
        super().__init__()
        self.left, self.seconds = most, 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        self.seconds += timeout or 0.0
        if self.left < 0:
            self.set()
        return self.is_set()


def held(path: UPath, host: str, **options: Any) -> AbstractContextManager[StoreLock | None]:
    given = {"stop": threading.Event(), "waiting": lambda _: None, "pace": QUICK, **options}
    return store_lock(path, host=host, process=7, **given)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "demo.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_process_of_another_host_waits_until_the_lock_is_given_back_and_says_for_whom(
    holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert holder.stdin is not None
    path, waited_for = UPath(tmp_path / "demo.lock"), list[LockHolder | None]()
    stop = threading.Event()
    threading.Timer(3 * QUICK.stale, stop.set).start()  # longer than a lock without a beat would live
    with held(path, "two", stop=stop, waiting=waited_for.append) as lock:
        assert lock is None
    holder.stdin.close()
    with held(path, "two") as lock:
        assert lock is not None
    (one,) = waited_for
    assert one is not None
    assert str(one).startswith("process 1 on one, since 20")
    assert not path.exists()


def test_a_lock_whose_process_was_killed_is_taken_over_when_it_is_stale_and_no_sooner(
    holder: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = UPath(tmp_path / "demo.lock")
    holder.kill()
    holder.wait()
    stop = Looks()
    monkeypatch.setattr(store_locks, "time", SimpleNamespace(**{**vars(time), "monotonic": lambda: stop.seconds}))
    with held(path, "two", stop=stop, pace=replace(QUICK, look=0.25)) as lock:
        assert lock is not None
        assert stop.seconds == QUICK.stale
    monkeypatch.undo()
    with held(path, "two") as lock:
        assert lock is not None


@pytest.mark.parametrize("is_always_slow", [False, True])
def test_who_took_a_lock_over_by_a_late_write_waits_until_whoever_took_it_over_before_has_noticed(
    path: UPath, monkeypatch: pytest.MonkeyPatch, is_always_slow: bool
) -> None:
    put_down(path, host="dead")
    stop, late, slow = Looks(), list[bytes](), 1.5 * QUICK.settle
    monkeypatch.setattr(store_locks, "time", SimpleNamespace(**{**vars(time), "monotonic": lambda: stop.seconds}))

    def put(content: bytes, target: UPath) -> None:
        if not late or is_always_slow:
            stop.seconds += slow
        late.append(content)
        files.put_bytes(content, target)

    monkeypatch.setattr(store_locks, "put_bytes", put)
    with held(path, "two", stop=stop, pace=replace(QUICK, look=0.25, beat=600.0)) as lock:
        assert lock is not None
        waited = stop.seconds - QUICK.stale - QUICK.stale / 2 - QUICK.settle
        assert waited == pytest.approx(slow * (2 if is_always_slow else 1))
        assert len(set(late)) == 2  # another one that watches it sees that it changes


def test_a_beat_that_hangs_in_the_network_costs_the_lock_and_who_has_it_then_is_told(
    path: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs, goes_on = threading.Event(), threading.Event()

    def put(content: bytes, target: UPath) -> None:
        if msgspec.json.decode(content, type=LockHolder).host == "one" and not hangs.is_set():
            hangs.set()
            assert goes_on.wait(30)
        files.put_bytes(content, target)

    monkeypatch.setattr(store_locks, "put_bytes", put)
    with held(path, "one") as first:
        assert first is not None
        assert hangs.wait(30)
        assert first.ended.wait(30)  # it still hangs
        first.look()
        assert first.is_lost
        with held(path, "two") as second:
            assert second is not None
            goes_on.set()
            assert second.ended.wait(30)
            assert second.is_lost
    assert path.exists()  # whoever lost it removes it from under nobody


def test_who_gives_a_lock_back_waits_for_no_beat_that_hangs(path: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs, goes_on, waited = threading.Event(), threading.Event(), list[bool]()

    def put(content: bytes, target: UPath) -> None:
        hangs.set()
        waited.append(goes_on.wait(10))

    with held(path, "one") as lock:
        assert lock is not None
        monkeypatch.setattr(store_locks, "put_bytes", put)
        assert hangs.wait(30)
    assert waited == []
    assert lock.is_lost
    goes_on.set()
    assert path.exists()


def test_a_beat_that_was_late_has_lost_the_lock_though_the_file_says_otherwise(
    path: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Looks()

    def put(content: bytes, target: UPath) -> None:
        files.put_bytes(content, target)
        clock.seconds += 600.0

    monkeypatch.setattr(store_locks, "time", SimpleNamespace(**{**vars(time), "monotonic": lambda: clock.seconds}))
    with held(path, "one") as lock:
        assert lock is not None
        monkeypatch.setattr(store_locks, "put_bytes", put)
        clock.seconds += QUICK.beat
        assert lock.ended.wait(30)
        assert lock.is_lost
    assert b'"one"' in path.read_bytes()


def test_who_stood_still_between_two_beats_keeps_what_nobody_took(path: UPath, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Looks()
    monkeypatch.setattr(store_locks, "time", SimpleNamespace(**{**vars(time), "monotonic": lambda: clock.seconds}))
    with held(path, "one") as lock:
        assert lock is not None
        before = path.read_bytes()
        clock.seconds += 600.0
        wait_until(lambda: path.read_bytes() not in {before, b""})
        lock.look()
        assert not lock.is_lost


def put_down(path: UPath, *, host: str) -> None:
    """A lock that nobody keeps."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(LockHolder(host=host, process=1, token="left", since=0.0)))


def test_a_lock_that_a_process_of_the_same_host_left_is_taken_at_once(
    path: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_down(path, host="one")
    stop = Looks(most=0)
    monkeypatch.setattr(store_locks, "time", SimpleNamespace(**{**vars(time), "monotonic": lambda: stop.seconds}))
    with held(path, "one", stop=stop, pace=Pace(beat=0.05, stale=600.0, settle=0.0)) as lock:
        assert lock is not None
    assert stop.seconds == 0


def test_who_lost_the_lock_is_told_and_leaves_it_to_who_has_it(path: UPath) -> None:
    with held(path, "one") as lock:
        assert lock is not None
        other = msgspec.json.encode(LockHolder(host="two", process=1, token="other", since=0.0))
        path.write_bytes(other)
        assert lock.ended.wait(30)
        assert lock.is_lost
    assert path.read_bytes() == other


@pytest.mark.parametrize("error", [PermissionError("denied"), EndpointConnectionError("no route")], ids=repr)
def test_who_cannot_write_the_store_any_more_knows_that_the_lock_is_lost_before_it_is_taken_over(
    path: UPath, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(path, "one") as lock:
        assert lock is not None
        with monkeypatch.context() as broken:
            broken.setattr("cognee_dagster.store.lock.put_bytes", raising(error))
            assert lock.ended.wait(30)
        assert lock.is_lost


def test_a_store_that_cannot_be_written_for_a_moment_costs_nobody_the_lock(
    path: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(path, "one", pace=Pace(beat=0.05, stale=600.0, look=0.02, settle=0.1)) as lock:
        assert lock is not None
        refused = threading.Event()
        with monkeypatch.context() as broken:
            broken.setattr("cognee_dagster.store.lock.put_bytes", raising(EndpointConnectionError(), then=refused.set))
            assert refused.wait(30)
        before = path.read_bytes()
        wait_until(lambda: path.read_bytes() != before)  # it beats again
        assert not lock.ended.is_set()


def test_who_looks_at_a_store_that_cannot_be_read_for_a_moment_has_not_lost_the_lock(
    path: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(path, "one", pace=Pace(beat=600.0, stale=1800.0, look=0.02, settle=0.1)) as lock:
        assert lock is not None
        with monkeypatch.context() as broken:
            broken.setattr("cognee_dagster.store.lock._read", raising(EndpointConnectionError()))
            lock.look()
        assert not lock.is_lost
        assert not lock.ended.is_set()


@pytest.mark.parametrize("failing", ["open", "unlink"])
def test_a_lock_that_cannot_be_given_back_hides_neither_success_nor_failure(
    path: UPath, failing: str, caplog: pytest.LogCaptureFixture
) -> None:
    def push(error: Exception | None) -> str:
        with pytest.MonkeyPatch.context() as patched, held(path, "one"):
            patched.setattr(type(path), failing, raising(EndpointConnectionError("no route")))
            if failing == "open":
                patched.setattr(files, "open_regular", raising(EndpointConnectionError("no route")))
            if error is not None:
                raise error
        return "completed"

    assert push(None) == "completed"
    assert "could not be removed" in caplog.text
    with pytest.raises(KeyError, match="the push's own"):
        push(KeyError("the push's own"))
    with held(path, "one") as lock:
        assert lock is not None


def raising(error: Exception, *, then: Callable[[], None] = lambda: None) -> Any:
    def raise_it(*_: object, **__: object) -> None:
        then()
        raise error

    return raise_it


def wait_until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_who_is_told_to_stop_has_not_lost_the_lock(path: UPath) -> None:
    stop = threading.Event()
    with held(path, "one", stop=stop) as lock:
        assert lock is not None
        stop.set()
        assert lock.ended.wait(30)
        assert not lock.is_lost


def test_of_many_that_begin_at_once_only_one_is_at_work_at_a_time(path: UPath) -> None:
    at_work, most, threads = 0, 0, list[threading.Thread]()

    def work(host: str) -> None:
        nonlocal at_work, most
        with held(path, host):
            at_work += 1
            most = max(most, at_work)
            time.sleep(0.05)
            at_work -= 1

    for number in range(5):
        threads.append(threading.Thread(target=work, args=(f"host {number}",)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_store_that_cannot_create_a_file_only_if_it_is_not_there_locks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    path = UPath(f"memory://{uuid4().hex}") / "demo.lock"
    original = type(path.fs).pipe_file

    def pipe_file(self: Any, name: str, value: bytes, **options: Any) -> None:
        if options:
            raise TypeError("got an unexpected keyword argument 'mode'")
        original(self, name, value)

    monkeypatch.setattr(type(path.fs), "pipe_file", pipe_file)
    with held(path, "one") as lock:
        assert lock is not None
        stop = threading.Event()
        threading.Timer(0.2, stop.set).start()
        with held(path, "two", stop=stop) as second:
            assert second is None


@pytest.mark.parametrize(
    "error", [OSError(errno.EINVAL, "PreconditionFailed"), OSError(errno.EIO, "ConditionalRequestConflict")], ids=str
)
def test_who_comes_second_waits_however_the_store_says_that_the_lock_is_there(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As s3fs passes on the answers of some servers to two writers at once."""
    path = UPath(f"memory://{uuid4().hex}") / "demo.lock"
    original, waited_for = type(path.fs).pipe_file, list[LockHolder | None]()

    def pipe_file(self: Any, name: str, value: bytes, **options: Any) -> None:
        if options:  # another one was faster by a moment
            original(self, name, msgspec.json.encode(LockHolder(host="two", process=1, token="other", since=0.0)))
            raise error
        original(self, name, value)

    monkeypatch.setattr(type(path.fs), "pipe_file", pipe_file)
    with held(path, "one", waiting=waited_for.append) as lock:  # the other one never beats
        assert lock is not None
    assert [holder and holder.host for holder in waited_for] == ["two"]


def test_a_store_that_cannot_be_written_at_all_fails_the_push(monkeypatch: pytest.MonkeyPatch) -> None:
    path = UPath(f"memory://{uuid4().hex}") / "demo.lock"
    monkeypatch.setattr(type(path.fs), "pipe_file", raising(OSError(errno.EIO, "no disk")))
    with pytest.raises(OSError, match="no disk"), held(path, "one"):
        pass


def test_a_push_whose_lock_was_taken_over_says_so_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushes, "PACE", QUICK)

    def push() -> None:
        dataset = RemoteDataset(id="d", name="demo")
        turn = one_at_a_time(
            UPath(tmp_path), dataset, url="http://remote", on_wait=lambda: None, stop=threading.Event()
        )
        with turn as held_lock:
            (lock,) = tmp_path.glob("*.lock")
            lock.write_bytes(b"{}")
            assert held_lock.ended.wait(30)
            raise PushInterruptedError("The push to dataset 'demo' was interrupted.")

    with pytest.raises(LockLostError, match=r"another host took over its lock .*Push again") as raised:
        push()
    assert exit_code_of(raised.value) is ExitCode.FAILED  # nobody pressed Ctrl-C


def test_a_host_is_known_by_its_name_and_by_where_its_locks_are(tmp_path: Path) -> None:
    first = host_name(directory=tmp_path / "a")
    assert host_name(directory=tmp_path / "a") == first
    assert host_name(directory=tmp_path / "b") != first


def test_a_lock_that_cannot_be_written_is_nobodys_and_is_told_at_once(tmp_path: Path) -> None:
    path = UPath(tmp_path) / "demo.lock"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"), held(path, "one", stop=Looks()):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())


def test_a_named_pipe_in_a_locks_place_is_told_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "demo.lock")
    with (
        pytest.raises(UnfitFileError, match="is a named pipe, and no file"),
        held(UPath(tmp_path) / "demo.lock", "one", stop=Looks()),
    ):
        pass


def test_an_endless_lock_counts_as_a_damaged_one(tmp_path: Path) -> None:
    with (tmp_path / "demo.lock").open("wb") as file:
        file.truncate(1 << 40)
    with held(UPath(tmp_path) / "demo.lock", "one", stop=Looks(), pace=replace(QUICK, stale=0.0)) as lock:
        assert lock is not None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("since", ["1e300", "-1e18", "1e999"])
def test_a_holder_of_any_time_can_be_told(since: str) -> None:
    content = f'{{"host": "other/1", "process": 1, "token": "x", "since": {since}}}'.encode()
    found = store_locks._parsed(content)
    assert found is None or str(found) == "process 1 on other, since a time that is none"


@pytest.mark.parametrize("content", ["[" * 300_000, '{"x":' * 3_000 + "1" + "}" * 3_000])
def test_a_lock_of_any_depth_counts_as_a_damaged_one(content: str) -> None:
    assert store_locks._parsed(content.encode()) is None
