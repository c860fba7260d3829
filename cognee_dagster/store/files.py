"""Files of a store on any fsspec file system; on a local one each appears whole or not at all.

Object stores promise that by themselves.
"""

import shutil
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from cognee_dagster.errors import DirectoryError
from cognee_dagster.system.bounded_reading import open_regular, read_within
from cognee_dagster.system.files import make_directory, replacing, write_whole

if TYPE_CHECKING:  # fsspec comes with it
    from upath import UPath

LOCAL_PROTOCOLS = ("", "file", "local")


def is_local(path: "UPath") -> bool:
    """Whether a path is one of this machine's own."""
    return path.protocol in LOCAL_PROTOCOLS


def make_parent(target: "UPath") -> None:
    """Make the directory that a file of the store is to be in.

    Raises:
        DirectoryError: It is one of this machine's, and cannot be made.
    """
    if is_local(target):
        make_directory(Path(target.parent.path))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)


def put_file(source: Path, target: "UPath") -> None:
    """Copy a local file into the store."""
    make_parent(target)
    if is_local(target):
        with replacing(Path(target.path)) as temporary:
            shutil.copyfile(source, temporary)
    else:
        target.fs.put_file(str(source), target.path)


def put_bytes(content: bytes, target: "UPath") -> None:
    """Write a small file in the store."""
    make_parent(target)
    if is_local(target):
        write_whole(Path(target.path), content)
    else:
        target.fs.pipe_file(target.path, content)


def open_file(path: "UPath") -> IO[bytes]:
    """Open a file of the store to read it.

    Raises:
        UnfitFileError: It is on this machine, and something else than a regular file.
        OSError: It is not there, or may not be read.
    """
    opened: IO[bytes] = open_regular(Path(path.path)) if is_local(path) else path.open("rb")
    return opened


def get_bytes(path: "UPath", *, most: int) -> bytes:
    """Read a small file of the store: no more than so many bytes, whatever is there.

    Raises:
        UnfitFileError: It has more, or is something else than a file.
        OSError: It is not there, or may not be read.
    """
    with open_file(path) as file:
        return read_within(file, most, path=path)


def entries(directory: "UPath") -> dict[str, int]:
    """The files in a directory with their sizes, as they are now; none where it does not exist.

    Raises:
        DirectoryError: It is on this machine, and something else than a directory.
    """
    if is_local(directory) and directory.exists() and not directory.is_dir():  # a file would be listed as its own
        raise DirectoryError(f"{directory} is no directory. Move it out of the way.")
    directory.fs.invalidate_cache(directory.path)  # listings that this process has seen before may be old
    try:
        found = directory.fs.ls(directory.path, detail=True)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return {PurePosixPath(entry["name"]).name: int(entry["size"] or 0) for entry in found if entry["type"] == "file"}


def matching(directory: "UPath", pattern: str) -> "list[UPath]":
    """What a directory has by a pattern of names, as it is now, directories included."""
    directory.fs.invalidate_cache(directory.path)
    return list(directory.glob(pattern))


def modified_at(path: "UPath") -> float | None:
    """When a file was last written, in Unix seconds; None where the file system does not say, or the file is gone."""
    try:
        return float(path.fs.modified(path.path).timestamp())
    except (FileNotFoundError, NotImplementedError, AttributeError, KeyError):
        return None


def remove(path: "UPath") -> bool:
    """Delete a file; whether it was there."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True
