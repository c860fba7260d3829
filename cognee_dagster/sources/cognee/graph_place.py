"""What stands where Cognee keeps a dataset's graph file: nothing yet, the file, or what is none and may never end."""

import os
import stat
from pathlib import Path

from cognee_dagster.errors import LocalCogneeError, StoreDamagedError, StoreNotFoundError
from cognee_dagster.system.files import kind_of

# Ladybug keeps books on every page of a file, also of those that were never written: 761 MiB of memory for 256 GiB.
_LONG_BYTES = 1 << 30
_MOST_TO_DISK = 64  # no file system packs a graph like that
BESIDE = (".wal", ".wal.checkpoint", ".shadow")  # what Ladybug 0.19 reads, too, when it opens a file


def is_there(path: Path) -> bool:
    """Whether there is anything; nothing means that the dataset was never cognified.

    Raises:
        StoreNotFoundError: There is only a link to it, such as to a disk that is not mounted.
        LocalCogneeError: That cannot be told.
    """
    try:
        path.stat()
    except FileNotFoundError as error:
        if (link := next((place for place in (path, path.parent) if place.is_symlink()), None)) is None:
            return False
        raise StoreNotFoundError(
            f"There is no graph file {path}: {link} is a symbolic link to {os.readlink(link)}, and nothing is there. "
            "Bring back what it leads to, such as a disk that is not mounted."
        ) from error
    except OSError as error:
        raise LocalCogneeError(
            f"The graph file {path} cannot be reached: {error.strerror}. Correct that, or read the dataset as a system "
            "user who may."
        ) from error
    return True


def require_files(path: Path) -> None:
    """Refuse what Ladybug would wait for without end, or take for an empty graph.

    Raises:
        StoreDamagedError: In the place of the graph file, or of what belongs to it, is something else than a file, or
            next to nothing of a long one.
    """
    for place in (path, *(path.with_name(path.name + suffix) for suffix in BESIDE)):
        if not place.exists():
            continue
        found = place.stat()
        if found.st_size > max(_LONG_BYTES, _MOST_TO_DISK * found.st_blocks * 512):
            raise StoreDamagedError(
                f"{place} is damaged: it is {found.st_size:,} bytes long, of which the disk holds "
                f"{found.st_blocks * 512:,}. Restore the store from a backup."
            )
        if not stat.S_ISREG(found.st_mode):
            raise StoreDamagedError(
                f"{place} is {kind_of(place)}, and no file: the graph cannot be read. Move it out of the way"
                f"{', and restore the store from a backup' if place == path else ''}."
            )
