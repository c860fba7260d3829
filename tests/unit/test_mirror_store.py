"""Whatever happens to the store in which a mirror is noted, no push takes what it cannot read, or no longer has, for
its own."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import msgspec
import pytest
from upath import UPath

from cognee_dagster.dagster.failures import is_retryable
from cognee_dagster.errors import LockLostError, PushInterruptedError
from cognee_dagster.pushing.mirror.done import sending
from cognee_dagster.pushing.mirror.graph.contents import MirrorContents
from cognee_dagster.pushing.mirror.graph.generations import owner_of
from cognee_dagster.pushing.mirror.kept.files import MirrorFiles
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.store.lock import LockHolder
from cognee_dagster.system.bounded_reading import open_regular
from cognee_dagster.testing import FakeRemote
from tests.mirrored_graph import ChangingGraph
from tests.unit.mirror_world import Mirror
from tests.unit.test_archive_prune import EndpointConnectionError


@pytest.fixture
def mirror(remote: FakeRemote, tmp_path: Path) -> Mirror:
    return Mirror(remote, tmp_path, ChangingGraph(1, nodes=40))


@contextlib.contextmanager
def unreadable(wanted: Callable[[str], bool], error: Exception) -> Iterator[None]:
    """Files of the store whose paths are wanted cannot be read meanwhile."""

    def open_or_fail(path: Path) -> BinaryIO:
        if wanted(str(path)):
            raise error
        return open_regular(path)

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr("cognee_dagster.store.files.open_regular", open_or_fail)
        yield


def noted(mirror: Mirror) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in mirror.directory.glob("mirrors/*/*") if path.is_file()}


@pytest.mark.parametrize("error", [PermissionError("denied"), EndpointConnectionError("no route")], ids=repr)
@pytest.mark.parametrize("file", ["mirror.json", "contents-"])
def test_what_cannot_be_read_for_a_moment_fails_the_push_and_is_not_taken_for_lost(
    remote: FakeRemote, mirror: Mirror, file: str, error: Exception
) -> None:
    mirror.push()
    uploads, before = len(remote.uploads), noted(mirror)
    mirror.graph.remove_node()
    with (
        unreadable(lambda path: file in path, error),
        pytest.raises(OSError, match=rf"{file}.*Nothing was sent.*Push again") as raised,
    ):
        mirror.push()
    assert is_retryable(raised.value)
    assert (len(remote.uploads), noted(mirror)) == (uploads, before)
    assert mirror.push().remote_response["mirror"]["sent_whole_because"] == ""
    mirror.assert_exact()


def test_another_mirrors_files_that_cannot_be_read_hold_up_no_push(
    remote: FakeRemote, mirror: Mirror, caplog: pytest.LogCaptureFixture
) -> None:
    mirror.push()
    mirror.push(source="another")
    (theirs,) = mirror.directory.glob(f"mirrors/*-{owner_of('another')}/mirror.json")
    with unreadable(lambda path: path == str(theirs), PermissionError("denied")):
        mirror.push()
    assert f"{theirs.parent}: runs of that mirror count as somebody else's" in caplog.text
    mirror.assert_exact()


class Steps:
    """What a push does that others can see, with something that happens right after its n-th step."""

    PLACES = (
        (MirrorFiles, "save"),
        (CogneeClient, "delete_data"),
        (CogneeClient, "empty_dataset"),
        (sending, "deliver"),
    )

    def __init__(self, patches: pytest.MonkeyPatch, happening: Callable[[], None], *, after: int) -> None:
        self.done: list[str] = []
        for owner, name in self.PLACES:
            patches.setattr(owner, name, self._counting(getattr(owner, name), name, happening, after))

    def _counting(self, original: Callable[..., Any], name: str, happening: Callable[[], None], after: int) -> Any:
        def counting(*args: Any, **options: Any) -> Any:
            result = original(*args, **options)
            self.done.append(name)
            if len(self.done) == after:
                happening()
            return result

        return counting


def one_more_round(mirror: Mirror, target: str) -> dict[str, Any]:
    """Make a mirror's next push one that sends, deletes documents and segments, and adopts."""
    mirror.push(target=target)
    mirror.graph.remove_chunk()
    mirror.graph.remove_node()
    mirror.graph.change(4)
    return {"target": target, "adopt": True}


@pytest.mark.parametrize("options", [{}, {"on_removed": "replace"}], ids=["removing", "replacing"])
def test_a_push_whose_turn_another_host_took_over_does_nothing_more(
    remote: FakeRemote, tmp_path: Path, options: dict[str, Any]
) -> None:
    """It may have stood still for minutes, and the other one has sent again what it is about to delete."""
    for number in range(1, 100):
        mirror = Mirror(remote, tmp_path / str(number), ChangingGraph(7, nodes=12))
        mirror.directory.mkdir()
        round_options = one_more_round(mirror, f"demo_{number}") | options
        other = msgspec.json.encode(LockHolder(host="other", process=1, token="other", since=0.0))

        def take_over(directory: Path = mirror.directory, content: bytes = other) -> None:
            (lock,) = directory.glob("mirrors/*.lock")
            lock.write_bytes(content)

        with pytest.MonkeyPatch.context() as patches:
            steps = Steps(patches, take_over, after=number)
            try:
                mirror.push(**round_options)
                break
            except LockLostError as error:
                said, retried = str(error), is_retryable(error)
        assert "another host took over its lock" in said
        assert retried
        assert steps.done[number:] in ([], ["deliver"])  # which had its answer already
        (lock,) = mirror.directory.glob("mirrors/*.lock")
        assert lock.read_bytes() == other
    assert len(steps.done) == number  # only who has done everything may call it completed
    assert {"deliver", "save", "delete_data" if not options else "empty_dataset"} <= {*steps.done}


def test_a_push_that_is_stopped_deletes_nothing_more_and_the_next_one_goes_on(
    remote: FakeRemote, mirror: Mirror
) -> None:
    options = one_more_round(mirror, "demo")
    stop = threading.Event()
    with pytest.MonkeyPatch.context() as patches:
        steps = Steps(patches, lambda: None, after=0)
        patches.setattr(CogneeClient, "delete_data", stopping(CogneeClient.delete_data, steps, stop))
        with pytest.raises(PushInterruptedError, match="'demo' was interrupted"):
            mirror.push(stop=stop, **options)
    assert steps.done.count("delete_data") == 1
    mirror.push(**options)
    mirror.assert_exact()


def stopping(original: Callable[..., Any], steps: Steps, stop: threading.Event) -> Any:
    def delete_data(*args: Any) -> None:
        original(*args)
        stop.set()

    return delete_data


def test_a_mirror_that_another_host_has_made_since_is_seen_however_long_this_process_lives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """File systems of object stores remember listings."""
    base = UPath(f"memory://{uuid4().hex}")
    kind, remembered = type(base.fs), dict[Any, Any]()
    original = kind.glob

    def glob(fs: Any, path: str, **options: Any) -> Any:
        if path not in remembered:
            remembered[path] = original(fs, path, **options)
        return remembered[path]

    monkeypatch.setattr(kind, "glob", glob)
    monkeypatch.setattr(kind, "invalidate_cache", lambda fs, path=None: remembered.clear())
    ours, other = (MirrorFiles.of(base, remote_url="http://r", dataset_id="d", owner=owner) for owner in ("a", "b"))
    ours.save_contents(MirrorContents.empty())
    assert list(ours.siblings()) == []
    before = dict(remembered)
    other.save_contents(MirrorContents.empty())
    remembered.update(before)  # it was another process
    assert [files.owner for files in ours.siblings()] == ["b"]
