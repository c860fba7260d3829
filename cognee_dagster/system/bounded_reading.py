"""Files of ours are read only where they are files, and no further than such a file can go.

What stands in their place may be anybody's: to open a named pipe waits for ever, and a device has no end.
"""

import os
import stat
from pathlib import Path
from typing import IO, BinaryIO

from cognee_dagster.errors import UnfitFileError
from cognee_dagster.system.files import kind_of


def open_regular(path: Path) -> BinaryIO:
    """Open a file to read it, without waiting for whoever might write it.

    Raises:
        UnfitFileError: It is something else than a regular file, also where a link leads to that.
        OSError: It is not there, or may not be read.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):  # opening a device can do something to it
        raise _unfit(path, f"is {kind_of(path)}, and no file")
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # put there in between
        file.close()
        raise _unfit(path, "is no longer a file")
    return file


def read_within(file: IO[bytes], most: int, *, path: object) -> bytes:
    """All that is left to read in a file.

    Args:
        file: It, open to be read.
        most: Bytes.
        path: What it is called in a message.

    Raises:
        UnfitFileError: It has more.
    """
    content = file.read(most + 1)
    if len(content) > most:
        raise _unfit(path, f"has more than the {most:,} bytes that there can be")
    return content


def read_regular(path: Path, *, most: int) -> bytes:
    """A whole small file.

    Raises:
        UnfitFileError: It is something else than a regular file, or has more bytes.
        OSError: It is not there, or may not be read.
    """
    with open_regular(path) as file:
        return read_within(file, most, path=path)


def _unfit(path: object, problem: str) -> UnfitFileError:
    return UnfitFileError(f"{path} {problem}. Move it out of the way.", problem=problem)
