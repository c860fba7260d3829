"""A lock that hosts share through a store: a file that says who holds it, and changes as long as he does.

Nobody's clock is compared with another's: a lock is stale when its file has not changed while it was watched for
``Pace.stale``. Where a store can create a file only if it is not there (local and network file systems, and object
stores whose fsspec package has ``mode="create"``), two never begin at once. Where it cannot, both write, and who wrote
last holds it; and who finds that another one took it over after all stops.

No store writes a file only if it is still what was read. A write that took no longer than ``Pace.settle`` since then
is seen by whoever wrote the file in between, before he believes that it is his; one that took longer counts as written
over somebody else's, wherever there can be one.
"""

import contextlib
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec

from cognee_dagster.store.files import is_local, make_parent, open_file, put_bytes
from cognee_dagster.system.files import naming_full

if TYPE_CHECKING:
    from upath import UPath

_READ_BYTES = 64 << 10  # what has more is no lock of ours, and counts as a damaged one

logger = logging.getLogger(__name__)


class LockHolder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a lock, as its file says.

    Attributes:
        host: Processes of one host exclude each other before they come to this lock.
        process: The process's id there.
        token: Tells this holding of the lock from every other one.
        since: When it was taken, by the holder's clock: seconds since 1970.
        beats: How often the file was written since.
    """

    host: str
    process: int
    token: str
    since: float
    beats: int = 0

    def __str__(self) -> str:
        try:
            since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.since))
        except (OverflowError, OSError, ValueError):  # beyond what this machine calls a time
            since = "a time that is none"
        return f"process {self.process} on {self.host.partition('/')[0]}, since {since}"


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often things are done, in seconds.

    Attributes:
        beat: The file is written again.
        stale: Without a change for so long, a lock's holder is dead.
        look: Who waits looks at the file.
        settle: Who wrote over another's file waits so long before he believes that it is his, where he wrote it within
            that time.
    """

    beat: float = 15.0
    stale: float = 120.0
    look: float = 1.0
    settle: float = 1.0


class StoreLock:
    """A lock that is held.

    Attributes:
        ended: Set when the lock is lost, or when the holder was told to stop.
        is_lost: Whether somebody else has taken it over, or nobody can tell any more.
    """

    def __init__(
        self, path: "UPath", holder: LockHolder, *, stop: threading.Event, pace: Pace, written_at: float
    ) -> None:
        self.ended = threading.Event()
        self.is_lost = False
        self._path, self._holder, self._stop, self._pace = path, holder, stop, pace
        self._beat_at = written_at  # monotonic, before the write: nobody has watched what it wrote for longer
        self._access_since: float | None = None  # of a beat that is under way
        self._access = threading.Lock()  # of one thread, to the file
        self._given_back = threading.Event()
        self._threads = [
            threading.Thread(target=target, name="store-lock", daemon=True) for target in (self._keep, self._watch)
        ]

    def keep(self) -> None:
        """Begin to write the file again and again."""
        for thread in self._threads:
            thread.start()

    def look(self) -> None:
        """Look at once, not at the next beat, whether the lock is still held: for what cannot be taken back.

        Who stood still for minutes may have lost it, and does not know that yet.
        """
        if self._stop.is_set():
            self.ended.set()
        while not self._access.acquire(timeout=min(self._pace.beat, 0.2)):
            if self.is_lost:  # a beat hangs
                return
        try:
            is_ours = _is_of(_read(self._path), self._holder)
        except Exception:  # the next beat says so, and looks again
            is_ours = not self._is_overdue()
        finally:
            self._access.release()
        if not is_ours:
            self._lose()

    def give_back(self) -> None:
        """Stop that, and remove the file if it is still ours.

        What was done under the lock is done: a file that stays is taken over as a dead process's. A lock that is lost
        is not touched, whatever its file says: our last beat may have been written over its new holder's.
        """
        self._given_back.set()
        while any(thread.is_alive() for thread in self._threads) and not self.is_lost:
            self._threads[0].join(min(self._pace.beat, 0.2))
            if self._is_late():  # a beat hangs
                self._lose()
        if self.is_lost:
            return
        try:
            if _is_of(_read(self._path), self._holder):
                self._path.unlink(missing_ok=True)
        except Exception as error:  # file systems raise their own kinds of errors
            logger.warning(
                "The lock %s could not be removed, and is waited for a while: %s: %s",
                self._path, type(error).__name__, error,
            )  # fmt: skip

    def _keep(self) -> None:
        while not self._given_back.wait(min(self._pace.beat, 0.2)) and not self.is_lost:
            if time.monotonic() - self._beat_at < self._pace.beat:
                continue
            try:
                with self._access:
                    is_kept = self._beat()
            except Exception as error:  # file systems raise their own kinds of errors
                logger.warning("The lock %s cannot be kept: %s: %s", self._path, type(error).__name__, error)
                is_kept = not self._is_overdue()
            finally:
                self._access_since = None
            if not is_kept:
                self._lose()

    def _beat(self) -> bool:
        """Write the file again; whether the lock is still ours."""
        self._access_since = began = time.monotonic()
        if not _is_of(_read(self._path), self._holder):
            return False
        self._holder = msgspec.structs.replace(self._holder, beats=self._holder.beats + 1)
        put_bytes(msgspec.json.encode(self._holder), self._path)
        if self._is_late():
            logger.warning("The lock %s was written so late that another host may have taken it over", self._path)
            return False
        self._beat_at = began
        return True

    def _watch(self) -> None:
        """Tell the holder what he has to know while a beat hangs, too."""
        while not self._given_back.wait(min(self._pace.beat, 0.2)) and not self.is_lost:
            if self._stop.is_set():
                self.ended.set()
            if self._is_late():
                self._lose()

    def _is_late(self) -> bool:
        """Whether the beat under way has or will have written over whoever took the lock over since it looked."""
        since = self._access_since
        return since is not None and time.monotonic() - since > self._pace.settle and self._is_overdue()

    def _is_overdue(self) -> bool:
        """Whether another host may soon take the lock for a dead process's."""
        return time.monotonic() - self._beat_at > self._pace.stale / 2

    def _lose(self) -> None:
        self.is_lost = True
        self.ended.set()


@contextlib.contextmanager
def store_lock(
    path: "UPath",
    *,
    host: str,
    process: int,
    stop: threading.Event,
    waiting: Callable[[LockHolder | None], None],
    pace: Pace | None = None,
) -> Iterator[StoreLock | None]:
    """Hold the lock at a path; yields None when ``stop`` was set before it was free.

    Args:
        path: The lock's file, in a directory of the store.
        host: Who this is. The caller excludes other processes of the same host, so that a lock of theirs is one that a
            process left which died.
        process: This process's id.
        stop: Ends the waiting.
        waiting: Called once, with who holds it if that can be read, when it has to be waited for.
        pace: How often things are done.

    Raises:
        OSError: The store cannot be read or written.
    """
    pace = pace or Pace()
    holder = LockHolder(host=host, process=process, token=uuid4().hex, since=time.time())
    written_at = _taken(path, holder, stop=stop, waiting=waiting, pace=pace)
    if written_at is None:
        yield None
        return
    lock = StoreLock(path, holder, stop=stop, pace=pace, written_at=written_at)
    lock.keep()
    try:
        yield lock
    finally:
        lock.give_back()


def _taken(
    path: "UPath",
    holder: LockHolder,
    *,
    stop: threading.Event,
    waiting: Callable[[LockHolder | None], None],
    pace: Pace,
) -> float | None:
    """Wait until it is ours; the monotonic time before it was written, or None when ``stop`` was set before."""
    content = msgspec.json.encode(holder)
    watched, since, said = b"", time.monotonic(), False
    written_at = -math.inf  # when a write of ours began that was late
    while not stop.is_set():
        looked = time.monotonic()
        found = _read(path)
        if found is None:
            if _created(path, content, looked=looked, stop=stop, pace=pace):
                return looked
            written_at = looked
            continue
        if found != watched:
            watched, since = found, time.monotonic()
        other = _parsed(found)
        if (other is not None and other.host == holder.host) or time.monotonic() - since >= pace.stale:
            if is_ours := _is_of(found, holder):
                holder = msgspec.structs.replace(holder, beats=holder.beats + 1)
                content = msgspec.json.encode(holder)
            else:
                logger.warning("The lock %s was left by %s: taking it over", path, other or "nobody knows whom")
            put_bytes(content, path)
            if is_ours and time.monotonic() - written_at < pace.stale:  # nobody can have taken it over since
                is_held = _is_still_ours(path, content, settle=pace.settle)
            else:
                is_held = _settled(path, content, looked=looked, stop=stop, pace=pace)
            if is_held:
                return looked
            written_at = looked
            continue
        if not said:
            waiting(other)
            said = True
        stop.wait(pace.look)
    return None


def _created(path: "UPath", content: bytes, *, looked: float, stop: threading.Event, pace: Pace) -> bool:
    """Write the file, unless it is there already."""
    make_parent(path)
    try:
        if is_local(path):
            _make(Path(path.path), content)
            return True
        path.fs.pipe_file(path.path, content, mode="create")
    except FileExistsError:
        return False
    except TypeError:  # a file system that knows no such mode
        put_bytes(content, path)
    except Exception:  # servers refuse in many ways to write what is there, and file systems tell few of them apart
        if _read(path) is None:
            raise
        return False
    else:
        return _is_still_ours(path, content, settle=pace.settle)
    return _settled(path, content, looked=looked, stop=stop, pace=pace)


def _make(path: Path, content: bytes) -> None:
    """Write a file that is not there; what cannot be written whole would be taken for somebody else's."""
    with open(path, "xb", buffering=0) as file:
        try:
            with naming_full(path):
                file.write(content)
        except BaseException:
            if path.exists() and path.stat().st_ino == os.fstat(file.fileno()).st_ino:  # not the next holder's by now
                path.unlink(missing_ok=True)
            raise


def _settled(path: "UPath", content: bytes, *, looked: float, stop: threading.Event, pace: Pace) -> bool:
    """Whether the file is still ours once everybody who looked at it when we did, at ``looked``, has written, too.

    Who wrote it later may have written over one who believes already that it is his. So he waits until that one has
    noticed, and writes again: what he finds to be his own then, and writes in time, nobody else can hold.
    """
    if time.monotonic() - looked > pace.settle:
        stop.wait(pace.stale / 2 + pace.settle)
        return False
    return _is_still_ours(path, content, settle=pace.settle)


def _is_still_ours(path: "UPath", content: bytes, *, settle: float) -> bool:
    time.sleep(settle)
    return _read(path) == content


def _read(path: "UPath") -> bytes | None:
    try:
        with open_file(path) as file:
            return file.read(_READ_BYTES)
    except (FileNotFoundError, NotADirectoryError):  # who writes it says what is in the way
        return None


def _parsed(content: bytes) -> LockHolder | None:
    try:
        return msgspec.json.decode(content, type=LockHolder)
    except (msgspec.MsgspecError, RecursionError):  # not written to its end, or by something else
        return None


def _is_of(content: bytes | None, holder: LockHolder) -> bool:
    found = None if content is None else _parsed(content)
    return found is not None and found.token == holder.token
