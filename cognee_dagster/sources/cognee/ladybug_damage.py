"""What is wrong with a Ladybug file that cannot be read although nobody is writing it, and how to go on.

Seen with Ladybug 0.19: a process that is killed while it checkpoints leaves ``.wal.checkpoint`` and ``.shadow`` beside
the file, which are refused by who only reads and used up by the next one who opens the file for writing. A damaged
``.wal`` is refused by both.
"""

import re
from pathlib import Path

from cognee_dagster.errors import LocalCogneeError, StoreDamagedError

_UNFINISHED = (".wal.checkpoint", ".shadow")
_LOG = ".wal"
_OTHER_VERSION = re.compile(r"different version", re.IGNORECASE)
_NOT_ONE = re.compile(r"not a valid \w+ database file", re.IGNORECASE)
_MAGIC = re.compile(rb"[A-Z]{4}")  # Ladybug's files begin with LBUG, those of what it comes from with KUZU
_NOT_THE_FILE_S_FAULT = re.compile(r"mmap|permission denied|too many open files|no such file|no space", re.IGNORECASE)


def is_of_another_format(path: Path, *, reason: str) -> bool:
    """Whether another Ladybug can read a file that this one refuses: it begins as such a file does."""
    if _OTHER_VERSION.search(reason):
        return True
    if not _NOT_ONE.search(reason):
        return False
    with path.open("rb") as file:
        return _MAGIC.fullmatch(file.read(4)) is not None


def what_is_wrong(path: Path, *, reason: str) -> LocalCogneeError:
    """The error for a file that nobody is writing and that Ladybug refuses.

    Args:
        path: The ``.lbug`` file.
        reason: What Ladybug said.
    """
    if _NOT_THE_FILE_S_FAULT.search(reason):
        return LocalCogneeError(f"Ladybug cannot read {path}: {reason}.")
    if left := [name for name in (path.name + suffix for suffix in _UNFINISHED) if (path.parent / name).exists()]:
        return StoreDamagedError(
            f"The graph file {path} was left in the middle of a change: {' and '.join(left)} beside it, and no process "
            f"that is writing it. Most often its writer was killed. Copy the directory {path.parent}, then let Cognee "
            f"use the dataset once (cognee.search() will do): opening the file for writing finishes the change. "
            f"Ladybug says: {reason}."
        )
    log = path.with_name(path.name + _LOG)
    if log.exists() and log.stat().st_size:
        return StoreDamagedError(
            f"The log {log} of the last changes to a graph is damaged, and no process is writing it; Cognee cannot "
            f"open the graph either. Copy the directory {path.parent}, then restore it from a backup, or move "
            f"{log.name} away: the graph is then without those changes, and cognee.cognify() makes them again. "
            f"Ladybug says: {reason}."
        )
    return StoreDamagedError(
        f"The graph file {path} is damaged, and no process is writing it. Restore the store from a backup, or delete "
        f"the dataset and cognify its documents again. Ladybug says: {reason}."
    )
