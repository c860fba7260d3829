"""A graph that was found, and may be read, but is not open yet; and whether its store changed, told without reading."""

import hashlib
import os
import stat
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Arrow comes with it
    from cognee_dagster.graph.reader import GraphOrigin, GraphReader

# File systems note times in steps, of two seconds on the coarsest (FAT): two changes within a step may look like one.
SETTLED_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class FoundGraph:
    """One dataset's graph before it is opened.

    Attributes:
        open: Opens it for reading.
        file: The file that holds all of it; None where only reading can tell whether the graph changed.
        origin: What is known of it beside the file's content.
    """

    open: "Callable[[], AbstractContextManager[GraphReader]]"
    file: Path | None = None
    origin: "GraphOrigin | None" = None

    def state(self) -> "FileState | None":
        """The state that the graph's store is in; None where that cannot be told without reading it."""
        return None if self.file is None else FileState.of(self.file)


@dataclass(frozen=True, kw_only=True)
class FileState:
    """What changes when a file is written or replaced.

    Attributes:
        fingerprint: 64 hex digits, of path, inode, size and times of the file and of those beside it whose names begin
            with its own: Ladybug keeps what is not in the file yet in ``<file>.wal``.
        changed: When the last of them changed, in nanoseconds since 1970.
    """

    fingerprint: str
    changed: int

    @classmethod
    def of(cls, path: Path) -> "FileState | None":
        """None where it is not a regular file: the times of a directory or a link say little of what is behind it."""
        path = path.absolute()
        try:
            with os.scandir(path.parent) as entries:
                found = {entry.name: os.lstat(entry.path) for entry in entries if entry.name.startswith(path.name)}
        except (FileNotFoundError, PermissionError):  # who may not list a directory may read a file in it
            return None
        if path.name not in found or not all(stat.S_ISREG(status.st_mode) for status in found.values()):
            return None
        facts = [
            (name, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            for name, status in sorted(found.items())
        ]
        text = repr((str(path), facts)).encode("utf-8", "surrogateescape")
        changed = max(max(status.st_mtime_ns, status.st_ctime_ns) for status in found.values())
        return cls(fingerprint=hashlib.sha256(text).hexdigest(), changed=changed)

    @property
    def is_settled(self) -> bool:
        """Whether every later change will show: the last one is not so recent that another could bear its time."""
        return time.time_ns() - self.changed >= SETTLED_SECONDS * 1e9
