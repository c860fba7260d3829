"""Where archives wait between the step that writes them and the step that uploads them: any fsspec file system.

An archive's file is stored once, under the SHA-256 of what is in it, uncompressed. What a run wrote is a small JSON
*pointer* to it, or to the several archives that a large graph takes, one per run, and one more, ``latest``. So
re-executing an old run finds what that run wrote, however much newer there is, and an unchanged graph costs no space::

    <base>/<place>/blobs/<content SHA-256>.cogx.tar.gz
    <base>/<place>/runs/<run id>.json
    <base>/<place>/latest.json
    <base>/<place>/snapshot.json

The last one is a pointer, too: to the archives of the latest snapshot of the graph, with what else is known of it.
A partition's pointers and blobs are in ``<base>/<place>/partitions/<partition>/``.
On a local file system a blob and a pointer appear whole or not at all; object stores promise that by themselves.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cognee_dagster import cogx
from cognee_dagster.cogx.format import ARCHIVE_SUFFIX
from cognee_dagster.errors import ArchiveError, ArchiveNotStoredError
from cognee_dagster.store.files import put_bytes, put_file
from cognee_dagster.store.names import safe_segment
from cognee_dagster.store.stored import StoredArchive, StoredFile

if TYPE_CHECKING:  # Arrow and fsspec come with them, and loading a code location should not wait for that
    from upath import UPath

    from cognee_dagster.cogx.archive import Archive

DEFAULT_ARCHIVE_DIRECTORY = "~/.cognee-dagster/archives"
POINTER_FORMAT = 2
MAX_FILE_NAME_LENGTH = 200  # file systems allow 255 bytes
_LATEST = "latest"
_SNAPSHOT = "snapshot"


@dataclass(frozen=True)
class ArchiveStore:
    """Archives under one base directory."""

    base: "UPath"

    def save(
        self, archives: "Sequence[Archive]", *, place: Sequence[str], run_id: str, partition: str | None = None
    ) -> StoredArchive:
        """Copy the archives' files into the store, and point the run and ``latest`` to them.

        Args:
            archives: One graph's; their files are only read.
            place: Whose archive it is, such as an asset key's segments; any text is safe.
            run_id: The run that wrote it.
            partition: The partition of ``place`` that it belongs to; any text is safe.
        """
        stored = self.put(archives, place=place, partition=partition)
        self.point(stored, place=place, run_id=run_id, partition=partition)
        return stored

    def put(
        self, archives: "Sequence[Archive]", *, place: Sequence[str], partition: str | None = None
    ) -> StoredArchive:
        """Copy the archives' files into the store, those that are not there yet; nothing points to them so far."""
        files = []
        for file in _stored(archives, self._directory(place, partition=partition)).files:
            present = file.present()
            if present is None:
                put_file(file.archive.path, file.location)
            files.append(present or file)
        return StoredArchive(files=tuple(files))

    def point(self, stored: StoredArchive, *, place: Sequence[str], run_id: str, partition: str | None = None) -> None:
        """Point a run, and ``latest``, to archives that were put into this place."""
        for name in (self._run_name(run_id), f"{_LATEST}.json"):
            self._write_pointer(name, stored, place=place, partition=partition)

    def find(self, *, place: Sequence[str], run_id: str | None, partition: str | None = None) -> StoredArchive:
        """What a run wrote; without a run, what was written last.

        Raises:
            ArchiveNotStoredError: There is none.
            ArchiveError: The pointer is damaged.
        """
        name = self._run_name(run_id) if run_id else f"{_LATEST}.json"
        try:
            return self._read_pointer(name, place=place, partition=partition)[0]
        except FileNotFoundError:
            pointer = self._directory(place, partition=partition) / name
            raise _not_stored(pointer, place=place, run_id=run_id) from None

    def note_snapshot(self, stored: StoredArchive, facts: Mapping[str, Any], *, place: Sequence[str]) -> None:
        """Note the latest snapshot of a graph, in place of the one before.

        Args:
            stored: The archives, put into this place.
            facts: What else is known of the snapshot; anything that JSON can hold.
            place: Whose archives they are.
        """
        self._write_pointer(f"{_SNAPSHOT}.json", stored, place=place, partition=None, facts=facts)

    def find_snapshot(self, *, place: Sequence[str]) -> tuple[StoredArchive, dict[str, Any]] | None:
        """The latest snapshot: its archives and what else is known of it; None if there is none.

        Raises:
            ArchiveError: The note is damaged.
        """
        try:
            return self._read_pointer(f"{_SNAPSHOT}.json", place=place, partition=None)
        except FileNotFoundError:
            return None

    def _write_pointer(
        self,
        name: str,
        stored: StoredArchive,
        *,
        place: Sequence[str],
        partition: str | None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        values = _to_json([file.archive for file in stored.files], place=place, partition=partition)
        content = json.dumps({**values, **(facts or {})}, indent=2, default=str).encode()
        put_bytes(content, self._directory(place, partition=partition) / name)

    def _read_pointer(
        self, name: str, *, place: Sequence[str], partition: str | None
    ) -> tuple[StoredArchive, dict[str, Any]]:
        directory = self._directory(place, partition=partition)
        try:
            values = json.loads((directory / name).read_bytes())
            return _stored(_from_json(values, place=place, partition=partition), directory), values
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ArchiveError(
                f"{directory / name} is not a pointer to an archive: {error}. Materialize the archive again."
            ) from None

    def _directory(self, place: Sequence[str], *, partition: str | None) -> "UPath":
        # No segment holds a dot, so different places have different names, and none has a separator.
        name = ".".join(safe_segment(part) for part in place)
        directory = self.base / (name if len(name) <= MAX_FILE_NAME_LENGTH else safe_segment(name))
        return directory if partition is None else directory / "partitions" / safe_segment(partition)

    @staticmethod
    def _run_name(run_id: str) -> str:
        return f"runs/{safe_segment(run_id)}.json"


def _stored(archives: "Sequence[Archive]", directory: "UPath") -> StoredArchive:
    return StoredArchive(
        files=tuple(
            StoredFile(location=directory / "blobs" / f"{archive.content_sha256}{ARCHIVE_SUFFIX}", archive=archive)
            for archive in archives
        )
    )


def _to_json(archives: "Sequence[Archive]", *, place: Sequence[str], partition: str | None) -> dict[str, Any]:
    listed = [dataclasses.asdict(dataclasses.replace(archive, summary=None)) for archive in archives]
    for facts in listed:
        del facts["path"], facts["summary"]  # where it was, and what no step after this one needs
    return {"format": POINTER_FORMAT, "place": list(place), "partition": partition, "archives": listed}


def _from_json(values: dict[str, Any], *, place: Sequence[str], partition: str | None) -> "list[Archive]":
    if values["format"] != POINTER_FORMAT:
        raise ValueError(f"format {values['format']!r} is not {POINTER_FORMAT}")
    owner = (values["place"], values["partition"])
    if owner != (list(place), partition):  # a file system that does not tell upper from lower case
        raise ValueError(f"it belongs to {owner}, not to {(list(place), partition)}")
    if not values["archives"]:
        raise ValueError("it names no archive")
    # Pointers of release 0.1.0 know an archive by its file alone, and its blob has that name.
    return [cogx.Archive(path=Path(), **{"content_sha256": facts["sha256"], **facts}) for facts in values["archives"]]


def _not_stored(pointer: "UPath", *, place: Sequence[str], run_id: str | None) -> ArchiveNotStoredError:
    name = "/".join(place)
    if run_id is None:
        return ArchiveNotStoredError(
            f"No archive of {name} is stored yet ({pointer} does not exist). Materialize {name} first, with the same "
            "archive directory."
        )
    return ArchiveNotStoredError(
        f"Run {run_id} stored no archive of {name} here ({pointer} does not exist): it was deleted, or that run used "
        f"another archive directory. Materialize {name} again."
    )
