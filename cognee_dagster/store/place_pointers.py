"""What points to archives in one place: the runs' pointers, that to the latest, and that to the graph's snapshot."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cognee_dagster.errors import ArchiveError
from cognee_dagster.store.archives import LATEST, RUNS, SNAPSHOT, ArchiveStore
from cognee_dagster.store.files import entries, modified_at
from cognee_dagster.store.pointers import owner_in, stored_at_in

if TYPE_CHECKING:  # fsspec comes with it
    from upath import UPath

    from cognee_dagster.store.stored import StoredArchive


@dataclass(frozen=True, kw_only=True)
class PlacePointer:
    """One pointer.

    Attributes:
        path: Its file.
        stored: What it points to.
        place: Whose archive that is.
        partition: The partition of ``place`` that it belongs to.
        stored_at: When it was written, in Unix seconds: releases up to 0.1.0 do not note that, but their file systems
            do; 0 where nobody does.
    """

    path: "UPath"
    stored: "StoredArchive"
    place: tuple[str, ...]
    partition: str | None
    stored_at: float

    @property
    def is_of_run(self) -> bool:
        """Whether a run wrote it for itself, whatever the run is called."""
        return self.path.parent.name == RUNS

    @property
    def is_latest(self) -> bool:
        """Whether it is the one to what was written last."""
        return not self.is_of_run and self.path.stem == LATEST

    @property
    def is_snapshot(self) -> bool:
        """Whether it is the one to the graph's snapshot."""
        return not self.is_of_run and self.path.stem == SNAPSHOT


def pointers_in(store: ArchiveStore, directory: "UPath") -> list[PlacePointer]:
    """All pointers of a place.

    Raises:
        ArchiveError: One is damaged.
        OSError: The store does not let one be read.
    """
    found = []
    for path in _paths(directory):
        with contextlib.suppress(FileNotFoundError):
            found.append(_pointer(store, path))
    return found


def readable_pointers_in(store: ArchiveStore, directory: "UPath") -> list[PlacePointer]:
    """Those pointers of a place that can be read: whoever needs one of the others hears of it there."""
    found = []
    with contextlib.suppress(OSError):
        for path in _paths(directory):
            with contextlib.suppress(ArchiveError, OSError):
                found.append(_pointer(store, path))
    return found


def _paths(directory: "UPath") -> "Iterator[UPath]":
    for name in (LATEST, SNAPSHOT):
        yield directory / f"{name}.json"
    for name in sorted(entries(directory / RUNS)):
        if name.endswith(".json"):
            yield directory / RUNS / name


def _pointer(store: ArchiveStore, path: "UPath") -> PlacePointer:
    stored, values = store.read_pointer(path)
    place, partition = owner_in(values)
    stored_at = stored_at_in(values) or modified_at(path) or 0.0
    return PlacePointer(path=path, stored=stored, place=place, partition=partition, stored_at=stored_at)
