"""What is in one place of an archive store: archives with what points to them, files that nothing names, holds."""

import re
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cognee_dagster.cogx.format import ARCHIVE_SUFFIX
from cognee_dagster.store.archives import ArchiveStore
from cognee_dagster.store.files import entries, modified_at
from cognee_dagster.store.holds import held
from cognee_dagster.store.listing import ListedArchive
from cognee_dagster.store.place_pointers import PlacePointer, pointers_in
from cognee_dagster.store.pointers import BLOBS

if TYPE_CHECKING:  # fsspec comes with it
    from upath import UPath

# Releases up to 0.1.0 hold nothing while they write, so that what they wrote a moment ago is not yet pointed to.
GRACE_SECONDS = 86_400.0

_OURS = re.compile(rf"[0-9a-f]{{64}}({re.escape(ARCHIVE_SUFFIX)}|\.tar)|\.[0-9a-f]{{32}}\.tmp")


@dataclass(frozen=True, kw_only=True)
class PlacedArchive:
    """One archive, however many runs wrote it.

    Attributes:
        listed: It.
        runs: The pointers of the runs that wrote it.
        is_snapshot: Whether it is the latest snapshot of its graph.
        size: Bytes of its files.
        gone: The names of those of its files that are not there.
        why: Why somebody needs it now; None where nobody has said so.
    """

    listed: ListedArchive
    runs: "tuple[UPath, ...]"
    is_snapshot: bool
    size: int
    gone: tuple[str, ...]
    why: str | None

    @property
    def blobs(self) -> tuple[str, ...]:
        """The names of its files."""
        return self.listed.stored.blobs


@dataclass(frozen=True, kw_only=True)
class Place:
    """One place's, or one partition's, archives.

    Attributes:
        directory: Where it is.
        archives: The newest first.
        sizes: Bytes by file.
        unnamed: Files of ours that no pointer names, and nobody has written lately.
    """

    directory: "UPath"
    archives: tuple[PlacedArchive, ...]
    sizes: Mapping[str, int]
    unnamed: tuple[str, ...]


def read_place(store: ArchiveStore, directory: "UPath") -> Place:
    """What is in a directory of the store.

    The holds are read first, and the pointers after them: who ends a hold has written a pointer before.

    Raises:
        ArchiveError: A pointer, or a hold, cannot be read, so that it is not known what may be removed.
    """
    now = time.time()
    needed = held(directory, now=now)
    pointers = pointers_in(store, directory)
    sizes = entries(directory / BLOBS)
    by_content: dict[tuple[str, ...], list[PlacePointer]] = defaultdict(list)
    for pointer in pointers:
        by_content[pointer.stored.blobs].append(pointer)
    archives = [_placed(group, sizes=sizes, needed=needed) for group in by_content.values()]
    archives.sort(key=lambda archive: (archive.listed.stored_at, archive.listed.is_latest), reverse=True)
    named = {blob for content in by_content for blob in content} | needed.keys()
    unnamed = (name for name in sizes if name not in named and _OURS.fullmatch(name))
    return Place(
        directory=directory,
        archives=tuple(archives),
        sizes=sizes,
        unnamed=tuple(name for name in unnamed if _is_old(directory / BLOBS / name, now=now)),
    )


def _placed(group: list[PlacePointer], *, sizes: Mapping[str, int], needed: Mapping[str, str]) -> PlacedArchive:
    written = [pointer for pointer in group if not pointer.is_snapshot]
    newest = max(written or group, key=lambda pointer: pointer.stored_at)
    blobs = newest.stored.blobs
    return PlacedArchive(
        listed=ListedArchive(
            stored=newest.stored,
            place=newest.place,
            partition=newest.partition,
            stored_at=newest.stored_at,
            is_latest=any(pointer.is_latest for pointer in group),
        ),
        runs=tuple(pointer.path for pointer in group if pointer.is_of_run),
        is_snapshot=len(written) < len(group),
        size=sum(sizes.get(blob, 0) for blob in dict.fromkeys(blobs)),
        gone=tuple(blob for blob in dict.fromkeys(blobs) if blob not in sizes),
        why=next((needed[blob] for blob in blobs if blob in needed), None),
    )


def _is_old(path: "UPath", *, now: float) -> bool:
    written = modified_at(path)
    return written is not None and written < now - GRACE_SECONDS
