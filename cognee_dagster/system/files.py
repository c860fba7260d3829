"""Files that appear whole or not at all, and files without a name."""

import contextlib
import errno
import hashlib
import io
import os
import re
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from cognee_dagster.errors import DirectoryError

_CHUNK_BYTES = 1 << 20
_TEMPORARY = re.compile(r"\.[0-9a-f]{32}\.tmp")
_WRITTEN_WITHIN_SECONDS = 86_400.0
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_KINDS = {
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFLNK: "a symbolic link that leads nowhere",
    stat.S_IFSOCK: "a socket",
}


def make_directory(directory: Path, *, mode: int = 0o777) -> None:
    """Make a directory, and those that it is in, where they are not there yet.

    Raises:
        DirectoryError: That cannot be; the message says what is in the way.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=mode)
    except OSError as error:
        there = next(path for path in (directory, *directory.absolute().parents) if os.path.lexists(path))
        if there.is_dir():
            why = f"{error.strerror} in {there}. Correct its permissions, or name another directory."
        else:
            kind = _KINDS.get(_kind(there), "a file")
            why = f"{there} is {kind}, and no directory. Move it out of the way, or name another directory."
        raise DirectoryError(f"The directory {directory} cannot be made: {why}") from error


@contextlib.contextmanager
def replacing(destination: Path) -> Iterator[Path]:
    """A path for a new file, which takes the destination's place when all went well and is gone otherwise.

    Where the destination is a symbolic link, the file that it leads to is replaced; an existing file's owner and mode
    are kept.

    Raises:
        FileExistsError: The destination is something else than a regular file.
        OSError: The directory does not exist or cannot be written.
    """
    require_replaceable(destination)
    target = Path(os.path.realpath(destination))
    temporary = target.with_name(f".{os.urandom(16).hex()}.tmp")
    try:
        with naming_full(destination):
            yield temporary
        require_replaceable(target)
        _keep_mode(target, temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def require_replaceable(destination: Path) -> None:
    """Refuse to put a file where there is something else: to replace ``/dev/null`` breaks a machine.

    Raises:
        FileExistsError: There is something else than a regular file.
    """
    try:
        kind = _kind(destination)
    except FileNotFoundError:
        return
    if kind != stat.S_IFREG:
        raise FileExistsError(
            f"{destination} is {_KINDS.get(kind, 'not a regular file')}, and stays what it is. Name a file to write."
        )


def kind_of(path: Path) -> str:
    """What it is that is no regular file, in words.

    Raises:
        OSError: It is gone.
    """
    return _KINDS.get(_kind(path), "something else")


def _kind(path: Path) -> int:
    with contextlib.suppress(OSError):  # a link that leads nowhere, or round in a circle
        return stat.S_IFMT(os.stat(path).st_mode)  # /dev/stdout leads to a pipe that has no path
    return stat.S_IFMT(os.lstat(os.path.realpath(path)).st_mode)


def write_whole(destination: Path, content: bytes) -> None:
    """Write or replace a file at once."""
    with replacing(destination) as temporary:
        temporary.write_bytes(content)


def clear_left(directory: Path) -> None:
    """Remove what killed writers have left in a directory: what is older than a day nobody writes any more."""
    clear_older(directory, _TEMPORARY, seconds=_WRITTEN_WITHIN_SECONDS)


def clear_older(directory: Path, names: re.Pattern[str], *, seconds: float) -> None:
    """Remove files of such names that nobody has written for so long, as far as that can be done."""
    oldest = time.time() - seconds
    with contextlib.suppress(OSError):
        for path in [path for path in directory.iterdir() if names.fullmatch(path.name)]:
            with contextlib.suppress(OSError):
                if path.lstat().st_mtime < oldest:
                    path.unlink()


def unnamed_file(directory: Path | None = None) -> BinaryIO:
    """A file that is gone when it is closed or when the process ends, however that ends; called as its directory is."""
    raw: Any = tempfile.TemporaryFile(dir=directory, buffering=0)  # noqa: SIM115 - closed with the file
    raw.name = str(directory or tempfile.gettempdir())
    return io.BufferedRandom(raw)


@contextlib.contextmanager
def naming_full(place: Path | str | int) -> Iterator[None]:
    """Inside it, what says that there is no room says where; a number is of an open file that has no name."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM and error.filename is None and not isinstance(place, int):
            error.filename = str(place)
        raise


def sha256_of(file: BinaryIO) -> str:
    """SHA-256 of what is left to read in a file, 64 hex digits."""
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _keep_mode(existing: Path, replacement: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        status = os.stat(existing)
        if hasattr(os, "chown"):
            with contextlib.suppress(PermissionError):
                os.chown(replacement, status.st_uid, status.st_gid)
        os.chmod(replacement, stat.S_IMODE(status.st_mode))
