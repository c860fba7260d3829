"""Pointers: what a run wrote, as a small JSON file that names the archives by their content."""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cognee_dagster import cogx
from cognee_dagster.cogx.format import ARCHIVE_SUFFIX
from cognee_dagster.errors import ArchiveError, UnfitFileError
from cognee_dagster.store.stored import StoredArchive, StoredFile

if TYPE_CHECKING:  # Arrow and fsspec come with them, and loading a code location should not wait for that
    from upath import UPath

    from cognee_dagster.cogx.archive import Archive

POINTER_FORMAT = 2
MAX_POINTER_BYTES = 8 << 20
"""Of ten thousand archives there are not so many, with the graph's picture of a snapshot."""

BLOBS = "blobs"
_YEAR_10000 = 253_402_300_800  # from which on Python has no dates
_USUAL = {"source_system": "cognee", "as_it_is": False}


def stored_in(directory: "UPath", archives: "Sequence[Archive]") -> StoredArchive:
    """Where these archives are in a place's directory."""
    return StoredArchive(
        files=tuple(
            StoredFile(location=directory / BLOBS / _blob_name(archive), archive=archive) for archive in archives
        )
    )


def _blob_name(archive: "Archive") -> str:
    """By the content; by the file itself, however it is compressed, where its very bytes matter."""
    return f"{archive.sha256}.tar" if archive.as_it_is else f"{archive.content_sha256}{ARCHIVE_SUFFIX}"


@contextlib.contextmanager
def understood(pointer: "UPath") -> Iterator[None]:
    """Whatever does not fit what a pointer must be is an ``ArchiveError`` that names it."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, UnfitFileError) as error:
        if isinstance(error, ArchiveError):
            raise
        problem = f"it {error.problem}" if isinstance(error, UnfitFileError) else error
        raise ArchiveError(
            f"{pointer} is not a pointer to an archive: {problem}. Materialize the archive again."
        ) from None


def pointer_to(archives: "Sequence[Archive]", *, place: Sequence[str], partition: str | None) -> dict[str, Any]:
    """A pointer, as JSON values."""
    listed = [dataclasses.asdict(dataclasses.replace(archive, summary=None)) for archive in archives]
    for facts in listed:
        del facts["path"], facts["summary"]  # where it was, and what no step after this one needs
        for name, usual in _USUAL.items():  # which releases up to 0.1.0 do not know
            if facts[name] == usual:
                del facts[name]
    return {"format": POINTER_FORMAT, "place": list(place), "partition": partition, "archives": listed}


def require_owner(values: dict[str, Any], *, place: Sequence[str], partition: str | None) -> None:
    """Refuse a pointer of another place: a file system need not tell upper from lower case.

    Raises:
        ValueError: It is another's.
    """
    owner = owner_in(values)
    if owner != (tuple(place), partition):
        raise ValueError(f"it belongs to {owner}, not to {(tuple(place), partition)}")


def owner_in(values: dict[str, Any]) -> tuple[tuple[str, ...], str | None]:
    """Whose archives they are, as a pointer says: a place, and its partition.

    Raises:
        KeyError, TypeError, ValueError: It does not say that.
    """
    place, partition = values["place"], values["partition"]
    segments = [*place, *([] if partition is None else [partition])]
    if not isinstance(place, list) or not all(isinstance(segment, str) for segment in segments):
        raise ValueError(f"{place!r}, partition {partition!r}, is no place")
    return tuple(place), partition


def stored_at_in(values: dict[str, Any]) -> float:
    """When it was written, in Unix seconds; 0 where it does not say, as in releases up to 0.1.0 and of snapshots.

    Raises:
        ValueError: That is no time.
    """
    moment = values.get("stored_at")
    if moment is None:
        return 0.0
    if type(moment) not in (int, float) or not 0 <= moment < _YEAR_10000:
        raise ValueError(f"stored_at {moment!r:.50} is no time")
    return float(moment)


def archives_of(values: dict[str, Any]) -> "list[Archive]":
    """The archives that a pointer names.

    Raises:
        KeyError, TypeError, ValueError: It is no pointer.
    """
    if values["format"] != POINTER_FORMAT:
        raise ValueError(f"format {values['format']!r} is not {POINTER_FORMAT}")
    if not values["archives"]:
        raise ValueError("it names no archive")
    return [_archive_of(facts) for facts in values["archives"]]


def _archive_of(facts: dict[str, Any]) -> "Archive":
    # Pointers of release 0.1.0 know an archive by its file alone, and its blob has that name.
    archive = cogx.Archive(path=Path(), **{"content_sha256": facts["sha256"], **facts})
    names = (archive.dataset_name, archive.digest, archive.content_sha256, archive.sha256)
    counts = (archive.num_nodes, archive.num_edges, archive.size_bytes, *archive.member_bytes.values())
    if not all(isinstance(name, str) for name in names) or not all(type(n) is int and n >= 0 for n in counts):
        raise ValueError(f"what it says of the archive {archive.digest!r:.50} has names or counts that are none")
    return archive
