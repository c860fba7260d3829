"""A lock that hosts share through a store: a file that says who holds it, and changes as long as he does.

Nobody's clock is compared with another's: a lock is stale when its file has not changed while it was watched for
``Pace.stale``. Where a store can create a file only if it is not there (local and network file systems, and object
stores whose fsspec package has ``mode="create"``), two never begin at once. Where it cannot, both write, and who wrote
last holds it; and who finds that another one took it over after all stops.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec

from cognee_dagster.store.files import is_local, make_parent, put_bytes

if TYPE_CHECKING:
    from upath import UPath

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
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.since))
        return f"process {self.process} on {self.host.partition('/')[0]}, since {since}"


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often things are done, in seconds.

    Attributes:
        beat: The file is written again.
        stale: Without a change for so long, a lock's holder is dead.
        look: Who waits looks at the file.
        settle: Who wrote over another's file waits so long before he believes that it is his.
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

    def __init__(self, path: "UPath", holder: LockHolder, *, stop: threading.Event, pace: Pace) -> None:
        self.ended = threading.Event()
        self.is_lost = False
        self._path, self._holder, self._stop, self._pace = path, holder, stop, pace
        self._beat_at = time.monotonic()
        self._access = threading.Lock()  # of one thread, to the file
        self._given_back = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="store-lock", daemon=True)

    def keep(self) -> None:
        """Begin to write the file again and again."""
        self._thread.start()

    def look(self) -> None:
        """Look at once, not at the next beat, whether the lock is still held: for what cannot be taken back.

        Who stood still for minutes may have lost it, and does not know that yet.
        """
        if self._stop.is_set():
            self.ended.set()
        try:
            with self._access:
                is_ours = _is_of(_read(self._path), self._holder)
        except Exception:  # the next beat says so, and looks again
            is_ours = not self._is_overdue()
        if not is_ours:
            self._lose()

    def give_back(self) -> None:
        """Stop that, and remove the file if it is still ours.

        What was done under the lock is done: a file that stays is taken over as a dead process's.
        """
        self._given_back.set()
        self._thread.join()
        try:
            if _is_of(_read(self._path), self._holder):
                self._path.unlink(missing_ok=True)
        except Exception as error:  # file systems raise their own kinds of errors
            logger.warning(
                "The lock %s could not be removed, and is waited for a while: %s: %s",
                self._path, type(error).__name__, error,
            )  # fmt: skip

    def _keep(self) -> None:
        while not self._given_back.wait(min(self._pace.beat, 0.2)):
            if self._stop.is_set():
                self.ended.set()
            if time.monotonic() - self._beat_at < self._pace.beat:
                continue
            try:
                with self._access:
                    if not _is_of(_read(self._path), self._holder):
                        break
                    self._holder = msgspec.structs.replace(self._holder, beats=self._holder.beats + 1)
                    put_bytes(msgspec.json.encode(self._holder), self._path)
                self._beat_at = time.monotonic()
            except Exception as error:  # file systems raise their own kinds of errors
                logger.warning("The lock %s cannot be kept: %s: %s", self._path, type(error).__name__, error)
                if self._is_overdue():
                    break
        else:
            return
        self._lose()

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
    if not _taken(path, holder, stop=stop, waiting=waiting, pace=pace):
        yield None
        return
    lock = StoreLock(path, holder, stop=stop, pace=pace)
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
) -> bool:
    """Wait until it is ours; False when ``stop`` was set before."""
    content = msgspec.json.encode(holder)
    watched, since, said = b"", time.monotonic(), False
    while not stop.is_set():
        found = _read(path)
        if found is None:
            if _created(path, content, settle=pace.settle):
                return True
            continue
        if found != watched:
            watched, since = found, time.monotonic()
        other = _parsed(found)
        if (other is not None and other.host == holder.host) or time.monotonic() - since >= pace.stale:
            logger.warning("The lock %s was left by %s: taking it over", path, other or "nobody knows whom")
            put_bytes(content, path)
            if _settled(path, content, settle=pace.settle):
                return True
            continue
        if not said:
            waiting(other)
            said = True
        stop.wait(pace.look)
    return False


def _created(path: "UPath", content: bytes, *, settle: float) -> bool:
    """Write the file, unless it is there already."""
    make_parent(path)
    try:
        if is_local(path):
            with open(path.path, "xb") as file:
                file.write(content)
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
    return _settled(path, content, settle=settle)


def _settled(path: "UPath", content: bytes, *, settle: float) -> bool:
    """Whether the file is still ours once everybody who found it free at the same time has written, too."""
    time.sleep(settle)
    return _read(path) == content


def _read(path: "UPath") -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):  # who writes it says what is in the way
        return None


def _parsed(content: bytes) -> LockHolder | None:
    try:
        return msgspec.json.decode(content, type=LockHolder)
    except msgspec.MsgspecError:  # not written to its end, or by something else
        return None


def _is_of(content: bytes | None, holder: LockHolder) -> bool:
    found = None if content is None else _parsed(content)
    return found is not None and found.token == holder.token
