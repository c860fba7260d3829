"""What an archive store holds, and which of it is meant by a digest: for promoting an archive, or going back to one."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from cognee_dagster.errors import ArchiveNotStoredError
from cognee_dagster.graph.counting import counted
from cognee_dagster.store.archives import LATEST, ArchiveStore
from cognee_dagster.store.place_pointers import readable_pointers_in
from cognee_dagster.store.stored import StoredArchive

if TYPE_CHECKING:  # fsspec comes with it
    from upath import UPath

_DIGEST = re.compile(r"[0-9a-f]+")
_LISTED = 10


@dataclass(frozen=True, kw_only=True)
class ListedArchive:
    """What a store holds of one graph, once however many runs wrote it.

    Attributes:
        stored: It.
        place: Whose archive it is, such as an asset key's segments.
        partition: The partition of ``place`` that it belongs to.
        stored_at: When a run last wrote it, in Unix seconds; 0 where nobody can tell.
        is_latest: Whether it is what was written last in its place.
    """

    stored: StoredArchive
    place: tuple[str, ...]
    partition: str | None
    stored_at: float
    is_latest: bool

    @property
    def digest(self) -> str:
        """The graph's content digest."""
        return self.stored.files[0].archive.digest

    @property
    def owner(self) -> str:
        """Whose archive it is, in words."""
        return "/".join(self.place) + (f" of partition {self.partition}" if self.partition is not None else "")

    @property
    def stored_moment(self) -> datetime | None:
        """When a run last wrote it; None where that is not known."""
        return datetime.fromtimestamp(self.stored_at, tz=timezone.utc) if self.stored_at else None

    def __str__(self) -> str:
        archives = [file.archive for file in self.stored.files]
        nodes = counted(sum(archive.num_nodes for archive in archives), "node")
        edges = counted(sum(archive.num_edges for archive in archives), "edge")
        moment = f", {self.stored_moment:%Y-%m-%d %H:%M:%S} UTC" if self.stored_moment else ""
        return f"{self.digest} ({nodes}, {edges}, {self.owner}{moment})"


def listed(store: ArchiveStore, *, wanted: Callable[[ListedArchive], bool]) -> list[ListedArchive]:
    """The archives of a store that are wanted, the newest first.

    Pointers that cannot be read are passed over: whoever needs one of them hears of it there.
    """
    found = [archive for directory in store.directories() for archive in _in(store, directory) if wanted(archive)]
    return sorted(found, key=lambda archive: (archive.stored_at, archive.is_latest), reverse=True)


def choose(archives: Sequence[ListedArchive], wanted: str, *, of: str) -> StoredArchive:
    """The archive that is meant.

    Args:
        archives: Those that it may be, the newest first.
        wanted: ``latest``; or the beginning of a content digest, or of the SHA-256 of an archive's content or file. Of
            several with the same digest it is the newest.
        of: Whose archives they are, in words.

    Raises:
        ArchiveNotStoredError: There is none, or there are several; the message lists what is stored.
    """
    if not archives:
        raise ArchiveNotStoredError(f"No archive of {of} is stored here. Materialize its cogx_archive first.")
    if wanted == LATEST:
        found = [archive for archive in archives if archive.is_latest]
    else:
        found = [archive for archive in archives if _DIGEST.fullmatch(wanted) and _is_meant(archive, wanted)]
    if len({archive.owner if wanted == LATEST else archive.digest for archive in found}) == 1:
        return found[0].stored
    ambiguous = "give a digest" if wanted == LATEST else "give more of its digest"
    problem = f"is more than one of them: {ambiguous}" if found else "is none of them"
    told = "; ".join(map(str, archives[:_LISTED]))
    more = f"; and {counted(len(archives) - _LISTED, 'older one')}" if len(archives) > _LISTED else ""
    raise ArchiveNotStoredError(f"Of {of} these archives are stored, and {wanted!r} {problem}: {told}{more}.")


def _is_meant(listed_archive: ListedArchive, prefix: str) -> bool:
    archives = [file.archive for file in listed_archive.stored.files]
    names = {name for archive in archives for name in (archive.digest, archive.content_sha256, archive.sha256)}
    return any(name.startswith(prefix) for name in names)


def _in(store: ArchiveStore, directory: "UPath") -> Iterator[ListedArchive]:
    """Of one directory, each content once, as of the last run that wrote it."""
    newest: dict[tuple[str, ...], ListedArchive] = {}
    for archive in sorted(_archives(store, directory), key=lambda archive: (archive.is_latest, archive.stored_at)):
        newest[tuple(file.location.name for file in archive.stored.files)] = archive
    yield from newest.values()


def _archives(store: ArchiveStore, directory: "UPath") -> Iterator[ListedArchive]:
    for pointer in readable_pointers_in(store, directory):
        if not pointer.is_snapshot:
            yield ListedArchive(
                stored=pointer.stored,
                place=pointer.place,
                partition=pointer.partition,
                stored_at=pointer.stored_at,
                is_latest=pointer.is_latest,
            )
