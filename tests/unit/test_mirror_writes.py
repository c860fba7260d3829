"""Every write of what is known of a mirror fails once, in turn: the push says so, and the next one ends in a mirror."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from upath import UPath

from cognee_dagster.pushing.archives import PushResult
from cognee_dagster.pushing.mirror.mirror import push_mirror
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.store import lock as store_locks
from cognee_dagster.testing import FakeRemote
from tests.mirrored_graph import ChangingGraph
from tests.pushes import HASTY, client_of, push_archive
from tests.unit.mirror_world import Mirror

IN_WORDS = re.compile(
    r"^(What is known of the mirror|The lock by which pushes to a mirror take turns) cannot be written: memory:.*: "
    r"StoreError: .* Push again when the store can be written"
)


class StoreError(Exception):
    """The store does not take it, and says so in its own kind of error."""


class Writes:
    """What is written to the store and removed from it; one of it fails, before it is done or after."""

    NAMES = ("pipe_file", "rm_file")

    def __init__(self, patches: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self._failing = 0
        self._after = False
        for name in self.NAMES:
            patches.setattr(MemoryFileSystem, name, self._counting(getattr(MemoryFileSystem, name), name))

    def fail(self, at: int, *, after: bool) -> None:
        """The n-th of those to come fails; 0: none."""
        self.done.clear()
        self._failing, self._after = at, after

    def _counting(self, original: Callable[..., Any], name: str) -> Callable[..., Any]:
        def counting(fs: MemoryFileSystem, path: str, *args: Any, **options: Any) -> Any:
            self.done.append(f"{name} {path.rpartition('/')[2]}")
            fails = len(self.done) == self._failing
            if fails and not self._after:
                raise StoreError(f"{name} {path}")
            result = original(fs, path, *args, **options)
            if fails:
                raise StoreError(f"{name} {path}, which was done")
            return result

        return counting


@pytest.fixture(scope="module")
def remotes() -> Iterator[tuple[FakeRemote, FakeRemote]]:
    with FakeRemote() as remote, FakeRemote() as fresh:
        yield remote, fresh


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Writes:
    """Of a store that needs no time to settle."""
    monkeypatch.setattr(store_locks, "time", SimpleNamespace(**{**vars(time), "sleep": lambda _: None}))
    return Writes(monkeypatch)


class StoredMirror:
    """A mirror that is noted in a store of its own."""

    def __init__(self, remotes: tuple[FakeRemote, FakeRemote], directory: Path, graph: ChangingGraph) -> None:
        self.remote, self.fresh = remotes
        self.path = directory / "graph.cogx.tar.gz"
        self.base = UPath(f"memory://{uuid4().hex}")
        self.target = f"demo_{uuid4().hex}"
        self.graph = graph

    def push(self, **options: Any) -> PushResult:
        with client_of(self.remote.url, self.remote.api_key) as client:
            return push_mirror(
                [self.graph.archive(self.path)],
                client=client,
                base=self.base,
                options=PushOptions(target_dataset=self.target, delivery=HASTY),
                mirror=MirrorOptions(segment_nodes=5, max_removed=1.0, **options),
            )

    def assert_exact(self) -> None:
        with client_of(self.fresh.url, self.fresh.api_key) as client:
            archive = self.graph.archive(self.path)
            push_archive(archive, client=client, target_dataset=self.target, settings=HASTY)
        assert Mirror.shown(self.remote, self.target) == Mirror.shown(self.fresh, self.target)


@pytest.mark.parametrize(
    ("first", "options", "after"),
    [
        (True, {}, False),
        (False, {}, False),
        (False, {}, True),
        (False, {"on_removed": "replace"}, False),
        (False, {"resend": True}, True),
    ],
    ids=["first push", "later push", "later push, done", "replacing push", "everything again, done"],
)
def test_whichever_write_fails_the_next_push_ends_in_a_mirror_and_the_one_after_sends_nothing(
    remotes: tuple[FakeRemote, FakeRemote],
    tmp_path: Path,
    writes: Writes,
    first: bool,
    options: dict[str, Any],
    after: bool,
) -> None:
    failed, said = Counter[str](), list[str]()
    for number in range(1, 100):
        mirror = StoredMirror(remotes, tmp_path, ChangingGraph(3, nodes=10))
        if not first:
            mirror.push()
            mirror.graph.remove_chunk()
            mirror.graph.change(3)
        writes.fail(number, after=after)
        try:
            mirror.push(**options)
        except OSError as error:
            said.append(str(error))
            failed[writes.done[number - 1].partition("-")[0]] += 1
        else:
            if len(writes.done) < number:
                break
            assert writes.done[number - 1].endswith(".lock")  # which is given back when all is done
        writes.fail(0, after=False)
        mirror.push()
        mirror.assert_exact()
        assert mirror.push().status == "unchanged"
    assert [words for words in said if not IN_WORDS.search(words)] == []
    assert failed["pipe_file mirror.json"] > 2
    assert failed["pipe_file contents"] > 0
