"""Holds: who needs which archives of a place, so that no prune takes them away, on whichever host either runs.

::

    <place>/holds/<name>.json      what somebody needs, why, and until when at the latest
    <place>/pruning/<name>.json    what a prune is about to remove

Who needs an archive writes a hold first, and looks afterwards whether a prune has announced its removal. A prune
announces first, and looks for holds afterwards. So one of the two sees the other at least: a prune leaves what is held,
and who wants what is about to go waits until that prune is over. That rests on a store which shows a file to everybody
once it is written, as local file systems, S3, GCS and Azure do.

Who waits for a prune goes by no clock but its own: it waits until the announcement is gone, or has been there for as
long as it is valid. When holds, and what killed prunes left, end by themselves is told by clocks of different hosts:
they may be wrong by ``CLOCKS_WITHIN``.
"""

import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import msgspec

from cognee_dagster.errors import ArchiveError, DirectoryError, UnfitFileError
from cognee_dagster.store.files import entries, get_bytes, put_bytes, remove

if TYPE_CHECKING:  # fsspec comes with it
    from upath import UPath

HOLD_SECONDS = 7 * 86_400
"""What is left of a process that was killed holds an archive for so long at most."""

ANNOUNCED_SECONDS = 300.0
"""A prune that was killed is waited for so long at most; one that goes on announces itself again long before."""

CLOCKS_WITHIN = 86_400.0
"""Seconds by which the clocks of hosts that share a store may differ."""

_FORMAT = 1
_HOLDS = "holds"
_PRUNING = "pruning"
_LOOK_EVERY = 0.2
_MAX_BYTES = 32 << 20  # the names of 380,000 files

logger = logging.getLogger(__name__)


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a hold, or of an announcement.

    Attributes:
        format: Which release's file this is.
        blobs: The archives' files, by name.
        why: Who needs them, and what for.
        until: When it ends by itself, in Unix seconds.
        seconds: How long that is from when it was written; None in those of releases up to 0.1.0.
    """

    blobs: tuple[str, ...]
    why: str
    until: float
    seconds: float | None = None
    format: int = _FORMAT


def hold(directory: "UPath", name: str, blobs: Collection[str], *, why: str, seconds: float = HOLD_SECONDS) -> None:
    """Hold archives under a name, in place of what it held before; wait for a prune that is about to remove them.

    Raises:
        OSError: The store cannot be written.
    """
    _write(directory / _HOLDS / f"{name}.json", blobs, why=why, seconds=seconds)
    seen: dict[UPath, float] = {}
    while _is_announced(directory, blobs, seen=seen):
        time.sleep(_LOOK_EVERY)


def release(directory: "UPath", name: str) -> None:
    """End a hold, if it is there."""
    remove(directory / _HOLDS / f"{name}.json")


@contextlib.contextmanager
def in_use(directory: "UPath", blobs: Collection[str], *, what: str) -> Iterator[None]:
    """Inside it, archives are held by this process, unless it cannot write the store: whoever reads goes on."""
    name = secrets.token_hex(16)
    try:
        try:
            hold(directory, name, blobs, why=f"{what} by process {os.getpid()} on {socket.gethostname()}")
        except Exception as error:  # file systems raise their own kinds of errors
            logger.debug("No prune can see that archives in %s are %s: %s", directory, what, error)
        yield
    finally:
        with contextlib.suppress(Exception):
            release(directory, name)


def held(directory: "UPath", *, now: float) -> dict[str, str]:
    """Why archives of a place are needed, by their files' names.

    Raises:
        ArchiveError: A hold cannot be read, so that it is not known what is needed.
    """
    found: dict[str, str] = {}
    for each in _read(directory / _HOLDS).values():
        if each.until > now:
            found.update(dict.fromkeys(each.blobs, each.why))
    return found


def clear_ended(directory: "UPath", *, now: float) -> None:
    """Remove holds that have ended by themselves, and announcements that have by anybody's clock."""
    for kind, margin in ((_HOLDS, 0.0), (_PRUNING, CLOCKS_WITHIN)):
        for path, each in _read(directory / kind).items():
            if each.until <= now - margin:
                remove(path)


@contextlib.contextmanager
def announced(directory: "UPath", blobs: Collection[str], *, seconds: float) -> Iterator[None]:
    """Inside it, and for so long at most, everybody can see that these are about to be removed."""
    path = directory / _PRUNING / f"{secrets.token_hex(16)}.json"
    try:
        _write(path, blobs, why="about to be removed", seconds=seconds)
        yield
    finally:
        remove(path)


def _is_announced(directory: "UPath", blobs: Collection[str], *, seen: "dict[UPath, float]") -> bool:
    """Whether a prune may be about to remove some of these.

    Args:
        directory: Their place.
        blobs: They.
        seen: When each announcement was seen first, by this process's own clock; new ones are added.
    """
    wanted = set(blobs)
    try:
        announcements = _read(directory / _PRUNING)
    except (ArchiveError, DirectoryError) as error:  # a push need not fail for that
        logger.warning("%s", error)
        return False
    for path, each in announcements.items():
        if each.until <= time.time() - CLOCKS_WITHIN or wanted.isdisjoint(each.blobs):
            continue
        valid = ANNOUNCED_SECONDS if each.seconds is None else each.seconds
        if time.monotonic() - seen.setdefault(path, time.monotonic()) < valid:
            return True
        with contextlib.suppress(Exception):  # of a prune that was killed: the next one need not wait for it, too
            remove(path)
    return False


def _write(path: "UPath", blobs: Collection[str], *, why: str, seconds: float) -> None:
    written = Hold(blobs=tuple(blobs), why=why, until=time.time() + seconds, seconds=seconds)
    put_bytes(msgspec.json.encode(written), path)


def _read(directory: "UPath") -> "dict[UPath, Hold]":
    found = {}
    for name in entries(directory):
        path = directory / name
        if not name.endswith(".json") or name.startswith("."):
            continue
        with contextlib.suppress(FileNotFoundError):
            try:
                each = msgspec.json.decode(get_bytes(path, most=_MAX_BYTES), type=Hold)
                if each.format != _FORMAT:
                    raise ValueError(f"format {each.format} is not {_FORMAT}")
            except (ValueError, RecursionError, UnfitFileError) as error:  # msgspec's errors are ValueErrors
                problem = f"it {error.problem}" if isinstance(error, UnfitFileError) else error
                raise ArchiveError(
                    f"{path} cannot be read: {problem}. Delete it if no other release uses it."
                ) from None
            found[path] = each
    return found
