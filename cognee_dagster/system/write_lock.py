"""Whether another process has a file locked for writing."""

import fcntl
import struct
import sys
from pathlib import Path

# struct flock, as the C library has it: Linux on 64 bits, and the BSDs with macOS.
_FLOCK = "@hhqqi4x" if sys.platform == "linux" else "@qqihh"


def is_write_locked(path: Path) -> bool | None:
    """Whether some other process holds a POSIX lock for writing; None where the file system cannot tell.

    Not for a process that has a lock on that file: closing it, as here, gives the lock up.

    Raises:
        OSError: The file cannot be opened.
    """
    with path.open("rb") as file:
        try:
            answer = fcntl.fcntl(file, fcntl.F_GETLK, _question())
        except OSError:
            return None
    return _kind(answer) != fcntl.F_UNLCK


def _question() -> bytes:
    """Would a lock for reading, of the whole file, be granted?"""
    if sys.platform == "linux":
        return struct.pack(_FLOCK, fcntl.F_RDLCK, 0, 0, 0, 0)
    return struct.pack(_FLOCK, 0, 0, 0, fcntl.F_RDLCK, 0)


def _kind(answer: bytes) -> int:
    fields = struct.unpack(_FLOCK, answer)
    return int(fields[0] if sys.platform == "linux" else fields[3])
