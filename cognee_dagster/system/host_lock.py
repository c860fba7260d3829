"""A lock that all threads and processes of this machine share; it ends with its process, however that ends."""

import contextlib
import fcntl
import hashlib
import os
import platform
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO
from uuid import uuid4

from cognee_dagster.system.files import make_directory
from cognee_dagster.system.home import expanded

_DIRECTORY = "~/.cognee-dagster/locks"
_LOOK_EVERY = 0.1


@contextlib.contextmanager
def host_lock(
    *what: str, stop: threading.Event, waiting: Callable[[str], None], directory: Path | None = None
) -> Iterator[bool]:
    """Hold the lock of that name; yields False when ``stop`` was set before it was free.

    Args:
        what: What is locked.
        stop: Ends the waiting.
        waiting: Called once, with the id of the process that holds it, when it has to be waited for.
        directory: For the lock's file; default: in the user's home directory, else that for temporary files.

    Raises:
        OSError: No directory can be written.
    """
    name = hashlib.sha256("\0".join(what).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    with _opened(f"{name}.lock", directory) as file:
        if not _locked(file):
            waiting(os.pread(file.fileno(), 20, 0).decode("ascii", "replace") or "unknown")
            while not _locked(file):
                if stop.wait(_LOOK_EVERY):
                    yield False
                    return
        os.ftruncate(file.fileno(), 0)
        os.pwrite(file.fileno(), str(os.getpid()).encode(), 0)
        yield True  # closing the file gives the lock back


def host_name(*, directory: Path | None = None) -> str:
    """A name for all processes that these locks keep apart: the host's, and a mark of where the locks are.

    Containers may be called alike, and hosts may share a home directory.

    Raises:
        OSError: No directory can be written.
    """
    with _opened("mark", directory) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        mark = os.pread(file.fileno(), 32, 0)
        if not mark:
            mark = uuid4().hex.encode()
            os.pwrite(file.fileno(), mark, 0)
    return f"{platform.node()}/{mark.decode('ascii', 'replace')}"


def _opened(name: str, directory: Path | None) -> IO[bytes]:
    """The lock's file; it stays, empty but for a number, since deleting it could part those who wait for it."""
    home = directory or expanded(_DIRECTORY)
    for place in (home, Path(tempfile.gettempdir()) / f"cognee-dagster-{os.getuid()}" / "locks"):
        with contextlib.suppress(OSError):
            make_directory(place, mode=0o700)
            file = os.fdopen(os.open(place / name, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # a named pipe keeps no number
                return file
            file.close()
    raise PermissionError(
        f"No lock file can be written in {home} or {tempfile.gettempdir()}. Make one of them a directory that may be "
        "written to."
    )


def _locked(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
