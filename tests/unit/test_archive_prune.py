"""Pruning an archive store: what goes, what stays whatever the rules say, and what a killed prune leaves."""

import contextlib
import itertools
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from upath import UPath

from cognee_dagster import store as face
from cognee_dagster.errors import ArchiveError, ArchiveNotStoredError, DatasetDefinitionError
from cognee_dagster.store import files, holds, place, place_pointers
from cognee_dagster.store.archives import ArchiveStore
from cognee_dagster.store.keep import Keep, seconds_of, spelled_duration
from cognee_dagster.store.prune import prune_archives
from cognee_dagster.store.prune_plan import PruneReport, plan_place
from cognee_dagster.system.bounded_reading import open_regular
from tests.unit.test_io_manager import PLACE, content_of, make_archive

DAY = 86_400.0
LAST = Keep(last=1)


@pytest.fixture(params=["directory", "file", "memory"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return {
        "directory": str(tmp_path / "store"),
        "file": f"file://{tmp_path / 'store'}",
        "memory": f"memory://{uuid.uuid4().hex}",
    }[request.param]


class EndpointConnectionError(Exception):
    """As botocore's, which is no ``OSError``."""


class Clock:
    """Stands in for ``time.time`` where the store asks for it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.time()
        monkeypatch.setattr(time, "time", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Store:
    """A store with a few archives, an hour between each two."""

    def __init__(self, base: str, directory: Path, clock: Clock) -> None:
        self.store = ArchiveStore.at(base)
        self._directory = directory
        self._clock = clock

    def save(self, *contents: bytes, run: str, partition: str | None = None, hours: int = 1) -> None:
        self._clock.now += 3_600 * hours
        archives = [make_archive(self._directory, content) for content in contents]
        self.store.save(archives, place=PLACE, run_id=run, partition=partition)

    def prune(self, keep: Keep = LAST, **more: Any) -> PruneReport:
        return prune_archives(self.store, keep, **more)

    def content(self, run: str | None, partition: str | None = None) -> bytes:
        return content_of(self.store.find(place=PLACE, run_id=run, partition=partition))

    @property
    def directory(self) -> UPath:
        return self.store.directory(PLACE)

    def blobs(self) -> set[str]:
        return set(files.entries(self.directory / "blobs"))

    def require_whole(self) -> None:
        """Whatever points to an archive points to one that is there."""
        for path in [self.directory / "latest.json", *(self.directory / "runs").iterdir()]:
            stored, _ = self.store.read_pointer(path)
            assert stored.is_intact(), path


@pytest.fixture
def stored(base: str, tmp_path: Path, clock: Clock) -> Store:
    """Three archives, written by four runs."""
    made = Store(base, tmp_path, clock)
    made.save(b"one", run="run-1")
    made.save(b"second", run="run-2")
    made.save(b"one", run="run-3")
    made.save(b"the third", run="run-4")
    return made


def removed_sizes(report: PruneReport) -> list[int]:
    return sorted(judged.size for judged in report.removed)


def test_the_last_archives_of_a_dataset_stay_and_an_unchanged_one_counts_once(stored: Store) -> None:
    report = stored.prune(Keep(last=2))
    assert removed_sizes(report) == [len(b"second")]
    assert report.bytes_freed == len(b"second")
    assert (stored.content("run-1"), stored.content("run-3"), stored.content("run-4")) == (b"one", b"one", b"the third")
    with pytest.raises(ArchiveNotStoredError, match="run-2"):
        stored.store.find(place=PLACE, run_id="run-2")
    assert len(stored.blobs()) == 2
    stored.require_whole()


def test_archives_that_were_written_lately_stay(stored: Store, clock: Clock) -> None:
    clock.now += 28 * 3_600  # "one" was written 29 hours ago for the last time, "second" 30
    report = stored.prune(Keep(within=seconds_of("29h")))
    assert removed_sizes(report) == [len(b"second")]


def test_either_rule_keeps_an_archive(stored: Store, clock: Clock) -> None:
    clock.now += 365 * DAY
    assert removed_sizes(stored.prune(Keep(last=2, within=seconds_of("1d")))) == [len(b"second")]


def test_the_newest_archive_stays_however_old_it_is(stored: Store, clock: Clock) -> None:
    clock.now += 365 * DAY
    report = stored.prune(Keep(within=seconds_of("1d")))
    assert removed_sizes(report) == [len(b"one"), len(b"second")]
    assert [judged.reasons for judged in report.kept] == [("the newest",)]
    assert stored.content(None) == b"the third"


def test_each_partition_keeps_its_own(stored: Store) -> None:
    stored.save(b"a", run="run-5", partition="eu")
    stored.save(b"bb", run="run-6", partition="eu")
    stored.save(b"ccc", run="run-7", partition="us")
    assert removed_sizes(stored.prune()) == [len(b"a"), len(b"one"), len(b"second")]
    assert (stored.content(None, "eu"), stored.content(None, "us"), stored.content(None)) == (
        b"bb",
        b"ccc",
        b"the third",
    )


@pytest.mark.parametrize("dry_run", [True, False])
def test_of_a_place_that_two_datasets_share_only_the_one_that_is_asked_for_loses_archives(
    base: str, tmp_path: Path, clock: Clock, dry_run: bool
) -> None:
    shared = ArchiveStore.at(base)
    for number, dataset_name in enumerate(["eu", "us", "eu", "us", "us"]):
        clock.now += 3_600
        archive = replace(make_archive(tmp_path, f"{dataset_name} {number}".encode()), dataset_name=dataset_name)
        shared.save([archive], place=PLACE, run_id=f"run-{number}")
    report = prune_archives(shared, LAST, wanted=lambda it: it.stored.dataset_name == "us", dry_run=dry_run)
    assert [judged.listed.stored.dataset_name for judged in report.removed] == ["us", "us"]
    assert [(judged.listed.stored.dataset_name, judged.reasons) for judged in report.kept] == [
        ("us", ("the newest",)),
        ("eu", ("of a dataset that was not asked for",)),
        ("eu", ("of a dataset that was not asked for",)),
    ]
    assert len(files.entries(shared.directory(PLACE) / "blobs")) == (5 if dry_run else 3)


def test_a_dry_run_tells_the_same_numbers_and_removes_nothing(stored: Store) -> None:
    before = stored.blobs()
    planned = stored.prune(dry_run=True)
    assert stored.blobs() == before
    done = stored.prune()
    assert (planned.bytes_freed, removed_sizes(planned)) == (done.bytes_freed, removed_sizes(done))
    assert [j.listed.digest for j in planned.removed] == [j.listed.digest for j in done.removed]
    assert done.bytes_freed == len(b"one") + len(b"second")
    assert stored.prune().bytes_freed == 0


def test_a_file_that_two_archives_share_goes_with_the_last_of_them(stored: Store) -> None:
    stored.save(b"shared", b"left", run="run-5")
    stored.save(b"shared", b"right", run="run-6")
    stored.save(b"newest", run="run-7")
    report = stored.prune(Keep(last=2))
    assert report.bytes_freed == sum(map(len, (b"one", b"second", b"the third", b"left")))
    with stored.store.find(place=PLACE, run_id="run-6").local() as archives:
        assert [archive.path.read_bytes() for archive in archives] == [b"shared", b"right"]
    assert stored.prune().bytes_freed == len(b"shared") + len(b"right")


def test_the_latest_snapshot_of_a_graph_stays(stored: Store, tmp_path: Path) -> None:
    snapshot = stored.store.save_snapshot([make_archive(tmp_path, b"snapshot")], {"key": "k"}, place=PLACE)
    report = stored.prune()
    assert snapshot.is_intact()
    assert ("the latest snapshot of the graph",) in [judged.reasons for judged in report.kept]
    assert stored.content(None) == b"the third"


def test_an_archive_that_is_being_read_stays(stored: Store) -> None:
    with stored.store.find(place=PLACE, run_id="run-2").local() as (archive,):
        report = stored.prune()
        assert archive.path.read_bytes() == b"second"
        (why,) = [reason for judged in report.kept for reason in judged.reasons if reason.startswith("read")]
        assert str(os.getpid()) in why
    assert stored.content("run-2") == b"second"
    assert removed_sizes(stored.prune()) == [len(b"second")]


def test_a_reader_that_was_killed_holds_its_archive_for_a_week(stored: Store, clock: Clock) -> None:
    blobs = stored.store.find(place=PLACE, run_id="run-2").blobs
    holds.hold(stored.directory, "of a process that is gone", blobs, why="read by process 1 on gone")
    clock.now += 6.9 * DAY
    assert removed_sizes(stored.prune()) == [len(b"one")]
    clock.now += 0.2 * DAY
    assert removed_sizes(stored.prune()) == [len(b"second")]
    assert files.entries(stored.directory / "holds") == {}


def test_other_files_in_a_store_stay(stored: Store, clock: Clock) -> None:
    (stored.directory / "blobs" / "notes.txt").write_bytes(b"mine")
    (stored.store.base / "mirrors" / "abc").mkdir(parents=True)
    (stored.store.base / "mirrors" / "abc" / "mirror.json").write_bytes(b"{}")
    clock.now += 365 * DAY
    assert stored.prune().problems == []
    assert (stored.directory / "blobs" / "notes.txt").read_bytes() == b"mine"
    assert (stored.store.base / "mirrors" / "abc" / "mirror.json").exists()


def test_what_a_killed_writer_left_goes_after_a_day(stored: Store, clock: Clock) -> None:
    left = f"{'0' * 64}.cogx.tar.gz"
    (stored.directory / "blobs" / left).write_bytes(b"left behind")
    (stored.directory / "blobs" / f".{'0' * 32}.tmp").write_bytes(b"half")
    clock.now = (files.modified_at(stored.directory / "blobs" / left) or 0) + 3_600
    assert stored.prune(Keep(last=3)).bytes_freed == 0
    clock.now += DAY
    report = stored.prune(Keep(last=3), dry_run=True)
    assert (report.leftover_files, report.bytes_freed) == (2, len(b"left behind") + len(b"half"))
    assert stored.prune(Keep(last=3)).bytes_freed == report.bytes_freed
    assert left not in stored.blobs()
    stored.require_whole()


class SlowRemoval:
    """Removing a file takes some seconds of the prune's time; when each was removed, and whether that was announced."""

    def __init__(self, stored: Store, seconds: float, patched: pytest.MonkeyPatch) -> None:
        self._directory, self._seconds, self._now = stored.directory, seconds, time.monotonic()
        self.removed: dict[str, bool] = {}
        self._until = 0.0
        patched.setattr("cognee_dagster.store.prune.time", SimpleNamespace(time=time.time, monotonic=lambda: self._now))
        patched.setattr("cognee_dagster.store.prune.remove", self._remove)
        patched.setattr("cognee_dagster.store.prune.announced", self._announced)

    @contextlib.contextmanager
    def _announced(self, directory: UPath, blobs: Collection[str], *, seconds: float) -> Iterator[None]:
        self._until = self._now + seconds
        with holds.announced(directory, blobs, seconds=seconds):
            yield

    def _remove(self, path: UPath) -> bool:
        self._now += self._seconds
        self.removed[path.name] = self._now <= self._until
        return files.remove(path)


@pytest.mark.parametrize("seconds", [1.0, 40.0])
def test_nothing_is_removed_that_is_not_announced_any_more_and_the_prune_goes_round_until_nothing_is_left(
    stored: Store, clock: Clock, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [f"{number:064}.cogx.tar.gz" for number in range(4)]
    for name in left:
        (stored.directory / "blobs" / name).write_bytes(b"left behind")
    clock.now += 40 * DAY
    with monkeypatch.context() as patched:
        slow = SlowRemoval(stored, seconds, patched)
        report = stored.prune()
    assert {*left} <= slow.removed.keys()
    assert all(slow.removed.values())
    assert (removed_sizes(report), report.leftover_files, report.problems) == ([3, 6], 4, [])
    assert len(stored.blobs()) == 1
    stored.require_whole()


@pytest.mark.parametrize("damaged", ["latest.json", "runs/run-3.json", "holds/x.json", "snapshot.json"])
def test_a_place_in_which_anything_cannot_be_read_is_left_alone(stored: Store, damaged: str) -> None:
    files.put_bytes(b'{"format": 99}', stored.directory / damaged)
    before = stored.blobs()
    report = stored.prune()
    assert stored.blobs() == before
    assert (report.removed, report.bytes_freed) == ([], 0)
    (problem,) = report.problems
    assert damaged in problem
    assert "left alone" in problem


@pytest.mark.parametrize("error", [PermissionError("denied"), EndpointConnectionError("no route")], ids=repr)
@pytest.mark.parametrize("broken", ["partitions", "eu", "runs"])
def test_a_place_that_the_store_does_not_let_be_read_is_named_and_the_others_are_pruned(
    stored: Store, broken: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run, partition in enumerate(("eu", "eu", "us", "us")):
        stored.save(f"{partition} {run}".encode(), run=f"run-{run}", partition=partition)
    path = stored.store.directory(PLACE, partition=broken) if broken == "eu" else stored.directory / broken
    with monkeypatch.context() as patched:
        forbid(path, error, patched)
        report, listed = stored.prune(), face.list_archives(stored.store)
    pruned = {"partitions": [3, 6], "eu": [3, 4, 6], "runs": [4, 4]}[broken]
    assert removed_sizes(report) == pruned
    for problem in (*report.problems, *listed.problems):
        assert str(path if broken == "eu" else path.parent) in problem
        assert f"{type(error).__name__}: {error}" in problem
    assert "was left alone" in report.problems[0]
    assert (len(report.problems), len(listed.problems)) == (1, 1)
    assert stored.prune().problems == []


def forbid(forbidden: UPath, error: Exception, patched: pytest.MonkeyPatch) -> None:
    """Neither a directory, nor what is in it, can be listed or read."""

    def refusing(original: Callable[..., Any]) -> Callable[..., Any]:
        def read(path: Any, *args: Any, **options: Any) -> Any:
            if UPath(path) == forbidden or forbidden in UPath(path).parents:
                raise error
            return original(path, *args, **options)

        return read

    kind = type(forbidden)
    for name in ("iterdir", "open"):
        patched.setattr(kind, name, refusing(getattr(kind, name)))
    patched.setattr("cognee_dagster.store.files.open_regular", refusing(open_regular))
    for module in (vars(holds), vars(place), vars(place_pointers)):
        patched.setitem(module, "entries", refusing(files.entries))


def test_what_was_removed_before_a_store_fails_is_told(stored: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = EndpointConnectionError("no route")
    removed: list[str] = []

    def remove(path: UPath) -> bool:
        if len(removed) == 4:  # of one archive all, of another the pointer
            raise failing
        removed.append(path.name)
        return files.remove(path)

    with monkeypatch.context() as patched:
        patched.setattr("cognee_dagster.store.prune.remove", remove)
        report = stored.prune()
    assert len(report.removed) == 1
    (problem,) = report.problems
    assert f"{stored.directory} was left alone, wholly or in part: EndpointConnectionError: no route" in problem
    stored.require_whole()
    assert stored.prune().problems == []
    assert len(stored.blobs()) > 1  # a file without a pointer, which goes when it is a day old


def test_pointers_of_release_0_1_0_are_as_old_as_their_files(tmp_path: Path) -> None:
    """They do not say when they were written."""
    store = ArchiveStore.at(str(tmp_path / "store"))
    for number, content in enumerate((b"one", b"two")):
        store.save([make_archive(tmp_path, content)], place=PLACE, run_id=f"run-{number}")
    directory = Path(str(store.directory(PLACE)))
    for path in directory.rglob("*.json"):
        facts = json.loads(path.read_text())
        del facts["stored_at"]
        path.write_text(json.dumps(facts))
        age = 40 * DAY if path.stem == "run-0" else 1 * DAY
        os.utime(path, (time.time() - age, time.time() - age))
    report = prune_archives(store, Keep(within=seconds_of("30d")))
    assert [judged.size for judged in report.removed] == [3]
    assert content_of(store.find(place=PLACE, run_id="run-1")) == b"two"


class Killed(BaseException):
    """As if the process were gone: nothing more is removed by it."""


@contextlib.contextmanager
def killed_at(number: int, *, after: bool, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The process ends before, or right after, it removes its n-th file."""
    removed: list[str] = []
    remove = files.remove

    def removing(path: UPath) -> bool:
        if len(removed) > number or (len(removed) == number and not after):
            raise Killed
        was_there = remove(path)
        removed.append(path.name)
        if len(removed) > number:
            raise Killed
        return was_there

    with monkeypatch.context() as patched:
        for module in ("cognee_dagster.store.prune", "cognee_dagster.store.holds"):
            patched.setattr(f"{module}.remove", removing)
        yield removed


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_prune_that_is_killed_at_any_file_leaves_a_whole_store_and_the_next_one_goes_on(
    after: bool, base: str, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = clock.now
    for number in itertools.count():
        clock.now = began
        stored = Store(f"{base}/{number}", tmp_path, clock)
        stored.save(b"shared", b"left", run="run-1")
        stored.save(b"shared", b"right", run="run-2")
        stored.save(b"one", run="run-3")
        stored.save(b"newest", run="run-4")
        try:
            with killed_at(number, after=after, monkeypatch=monkeypatch) as removed:
                stored.prune()
        except Killed:
            killed = True
        else:
            killed = False
        stored.require_whole()
        assert stored.content(None) == b"newest"
        clock.now += 2 * DAY  # what is left without a pointer is old now, and the killed prune's word has ended
        stored.prune()
        assert len(stored.blobs()) == 1
        assert files.entries(stored.directory / "pruning") == {}
        if not killed:
            break
    assert len(removed) > 7  # three pointers, four files, and what it had announced


class Paused:
    """A prune in another thread, stopped before its n-th access to the store."""

    def __init__(self, stored: Store, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self._reached, self._go_on = threading.Event(), threading.Event()
        self._left = number
        self.was_stopped = False
        self.report: PruneReport | None = None
        self._thread = threading.Thread(target=self._run, args=(stored,))
        for module, name in (
            ("prune", "remove"), ("holds", "remove"), ("holds", "put_bytes"), ("holds", "entries"),
            ("place", "entries"), ("place_pointers", "entries"),
        ):  # fmt: skip
            where = {"prune": face.prune_archives.__globals__, "holds": vars(holds), "place": vars(place),
                     "place_pointers": vars(place_pointers)}[module]  # fmt: skip
            monkeypatch.setitem(where, name, self._stopping(where[name]))

    def _stopping(self, access: Callable[..., Any]) -> Callable[..., Any]:
        def stopped(*arguments: Any) -> Any:
            if threading.current_thread() is self._thread:
                if self._left == 0:
                    self.was_stopped = True
                    self._reached.set()
                    assert self._go_on.wait(60)
                self._left -= 1
            return access(*arguments)

        return stopped

    def _run(self, stored: Store) -> None:
        self.report = stored.prune()
        self._reached.set()

    def begin(self) -> None:
        self._thread.start()
        assert self._reached.wait(60)

    def finish(self) -> None:
        self._go_on.set()
        self._thread.join(60)
        assert self.report is not None


def _reads(stored: Store) -> None:
    """Has its archive, or hears that it is gone before it has begun with it."""
    try:
        with stored.store.find(place=PLACE, run_id="run-2").local() as (archive,):
            for _ in range(3):
                assert archive.path.read_bytes() == b"second"
                time.sleep(0.001)
    except ArchiveNotStoredError:
        assert "run-2.json" not in files.entries(stored.directory / "runs")


def _writes(stored: Store) -> None:
    """Writes an old graph again, whose file is there, or was."""
    stored.save(b"second", run="run-9", hours=0)
    assert stored.content("run-9") == b"second"
    assert stored.content(None) == b"second"


def _after_a_writer_has_begun(stored: Store) -> Callable[[bytes, UPath], None]:
    """A writer finds its file there right before the prune announces to remove it."""
    blobs = stored.store.find(place=PLACE, run_id="run-2").blobs

    def put_bytes(content: bytes, path: UPath) -> None:
        if path.parent.name == "pruning":
            held = holds.Hold(blobs=blobs, why="written", until=time.time() + DAY)
            files.put_bytes(msgspec.json.encode(held), stored.directory / "holds" / "writer.json")
        files.put_bytes(content, path)

    return put_bytes


def _ends_writing(stored: Store) -> None:
    """Points to what it has found."""
    if "writer.json" not in files.entries(stored.directory / "holds"):
        return
    old = stored.store.find(place=PLACE, run_id="run-2")
    stored.store._point(old, place=PLACE, run_id="run-9", partition=None)
    holds.release(stored.directory, "writer")


@pytest.mark.parametrize("other", [_reads, _writes, _ends_writing])
def test_a_prune_meets_a_reader_or_a_writer_at_any_access(
    other: Callable[[Store], None], tmp_path: Path, clock: Clock
) -> None:
    """The other one runs while the prune stands still; where it waits for the prune, that goes on."""
    monkeypatch = pytest.MonkeyPatch()
    for number in itertools.count():
        stored = Store(f"memory://{uuid.uuid4().hex}", tmp_path, clock)
        for run, content in enumerate((b"one", b"second", b"the third"), start=1):
            stored.save(content, run=f"run-{run}")
        with monkeypatch.context() as patched:
            if other is _ends_writing:
                patched.setattr(holds, "put_bytes", _after_a_writer_has_begun(stored))
            paused = Paused(stored, number, patched)
            paused.begin()
            problems: list[BaseException] = []

            def run_other(stored: Store = stored, problems: list[BaseException] = problems) -> None:
                try:
                    other(stored)
                except BaseException as error:
                    problems.append(error)

            thread = threading.Thread(target=run_other)
            thread.start()
            thread.join(0.25)  # long enough, unless it waits
            paused.finish()
            thread.join(60)
        assert problems == []
        stored.require_whole()
        if not paused.was_stopped:
            break
    assert number > 8


def test_what_only_a_newer_archive_has_made_superfluous_waits_for_the_next_prune(stored: Store, clock: Clock) -> None:
    """Nobody was told that it is about to go."""
    plan = plan_place(place.read_place(stored.store, stored.directory), LAST, now=clock.now, only=())
    assert plan.removed == ()
    assert [judged.reasons for judged in plan.kept] == [("the newest",), *2 * [("written since the prune began",)]]


def test_a_prune_that_stands_still_is_not_waited_for_for_ever(stored: Store, clock: Clock) -> None:
    blobs = stored.store.find(place=PLACE, run_id="run-2").blobs
    announced = holds.Hold(blobs=blobs, why="killed", until=clock.now + 0.3, seconds=0.3)
    files.put_bytes(msgspec.json.encode(announced), stored.directory / "pruning" / "killed.json")
    assert stored.content("run-2") == b"second"


class Waiting:
    """Stands in for the time that passes where the store waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, looks: Callable[[int], object] = lambda _: None) -> None:
        self.seconds, self.looks, self._looks = 1e6, 0, looks
        own = SimpleNamespace(time=time.time, monotonic=lambda: self.seconds, sleep=self._sleep)
        monkeypatch.setattr(holds, "time", own)

    def _sleep(self, _: float) -> None:
        self.looks, self.seconds = self.looks + 1, self.seconds + 10
        assert self.looks < 100
        self._looks(self.looks)


def announce(stored: Store, *, until: float, seconds: float | None = 300.0) -> UPath:
    """As a prune on another host does, about to remove what the second run wrote."""
    path = stored.directory / "pruning" / "another.json"
    blobs = stored.store.find(place=PLACE, run_id="run-2").blobs
    said = holds.Hold(blobs=blobs, why="about to be removed", until=until, seconds=seconds)
    files.put_bytes(msgspec.json.encode(said), path)
    return path


@pytest.mark.parametrize("ahead", [-20 * 3_600.0, 0.0, 20 * 3_600.0])
def test_a_reader_waits_for_a_prune_whatever_the_clock_of_its_host_says(
    stored: Store, clock: Clock, ahead: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = announce(stored, until=clock.now + ahead + 300)
    waiting = Waiting(monkeypatch, looks=lambda number: files.remove(path) if number == 7 else None)
    assert stored.content("run-2") == b"second"
    assert waiting.looks == 7


@pytest.mark.parametrize("ahead", [-20 * 3_600.0, 0.0, 20 * 3_600.0])
@pytest.mark.parametrize(("said", "seconds"), [(None, holds.ANNOUNCED_SECONDS), (500.0, 500.0)])
def test_one_reader_waits_for_a_prune_that_was_killed_by_its_own_clock_and_no_other_one(
    stored: Store, clock: Clock, ahead: float, said: float | None, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(stored, until=clock.now + ahead + seconds, seconds=said)
    waiting = Waiting(monkeypatch)
    assert stored.content("run-2") == b"second"
    assert waiting.looks == seconds / 10
    assert stored.content("run-2") == b"second"
    assert waiting.looks == seconds / 10


def test_a_prune_leaves_the_word_of_another_one_whose_hosts_clock_is_behind(stored: Store, clock: Clock) -> None:
    path = announce(stored, until=clock.now - 20 * 3_600)
    stored.prune()
    assert path.exists()
    clock.now += DAY
    stored.prune()
    assert not path.exists()


@pytest.mark.parametrize("error", [PermissionError("read-only"), EndpointConnectionError("no route")], ids=repr)
def test_a_store_that_may_only_be_read_is_read(
    stored: Store, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(holds, "put_bytes", refuse)
    monkeypatch.setattr(holds, "remove", refuse)
    assert stored.content("run-2") == b"second"


@pytest.mark.parametrize("text", ["", "30", "d", "0d", "-1d", "1.5d", "30 d", "30days", "1m", "1y", "1234567d", "٣d"])
def test_what_is_no_duration_is_told_what_one_looks_like(text: str) -> None:
    with pytest.raises(DatasetDefinitionError, match="12h, 30d or 8w"):
        seconds_of(text)


def test_durations_are_hours_days_and_weeks() -> None:
    assert [seconds_of(text) for text in ("12h", "30d", "8w")] == [12 * 3_600, 30 * DAY, 56 * DAY]
    assert [spelled_duration(seconds_of(text)) for text in ("12h", "30d", "8w", "36h")] == ["12h", "30d", "56d", "36h"]


@pytest.mark.parametrize("last", [0, -1, True, 10**9])
def test_what_is_no_number_of_archives_is_told_what_one_is(last: int) -> None:
    with pytest.raises(DatasetDefinitionError, match="a whole number, 1 or more"):
        Keep(last=last)


def test_no_rule_at_all_would_keep_nothing_and_is_refused() -> None:
    with pytest.raises(DatasetDefinitionError, match=r"not said.*30d"):
        Keep()


def test_a_hold_that_cannot_be_read_is_named(stored: Store) -> None:
    files.put_bytes(b"{", stored.directory / "holds" / "x.json")
    with pytest.raises(ArchiveError, match=r"x\.json cannot be read"):
        holds.held(stored.directory, now=0)
