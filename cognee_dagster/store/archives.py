"""Where archives wait between the step that writes them and the step that uploads them: any fsspec file system.

An archive's file is stored once, under the SHA-256 of what is in it, uncompressed. What a run wrote is a small JSON
*pointer* to it, or to the several archives that a large graph takes, one per run, and one more, ``latest``. So
re-executing an old run finds what that run wrote, however much newer there is, and an unchanged graph costs no space::

    <base>/<place>/blobs/<content SHA-256>.cogx.tar.gz  (an archive of others: <file's SHA-256>.tar)
    <base>/<place>/runs/<run id>.json
    <base>/<place>/latest.json
    <base>/<place>/snapshot.json
    <base>/<place>/holds/, pruning/

``snapshot.json`` is a pointer, too: to the archives of the latest snapshot of the graph, with what else is known of it.
Whoever reads or writes archives holds them meanwhile against a prune: see ``store.holds``.
A partition's pointers and blobs are in ``<base>/<place>/partitions/<partition>/``.
On a local file system a blob and a pointer appear whole or not at all; object stores promise that by themselves.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cognee_dagster.errors import ArchiveNotStoredError, DatasetDefinitionError
from cognee_dagster.store.files import get_bytes, is_local, put_bytes, put_file
from cognee_dagster.store.holds import in_use
from cognee_dagster.store.names import safe_segment
from cognee_dagster.store.pointers import (
    MAX_POINTER_BYTES,
    archives_of,
    owner_in,
    pointer_to,
    require_owner,
    stored_at_in,
    stored_in,
    understood,
)
from cognee_dagster.store.stored import StoredArchive
from cognee_dagster.system.home import expanded
from cognee_dagster.system.urls import shown_url

if TYPE_CHECKING:  # Arrow and fsspec come with them, and loading a code location should not wait for that
    from upath import UPath

    from cognee_dagster.cogx.archive import Archive

DEFAULT_ARCHIVE_DIRECTORY = "~/.cognee-dagster/archives"
MAX_FILE_NAME_LENGTH = 200  # file systems allow 255 bytes
RUNS = "runs"
LATEST = "latest"
SNAPSHOT = "snapshot"


@dataclass(frozen=True)
class ArchiveStore:
    """Archives under one base directory."""

    base: "UPath"

    @classmethod
    def at(cls, location: str) -> "ArchiveStore":
        """The store in a directory or at an fsspec URL.

        Raises:
            DatasetDefinitionError: The URL's file system is not known, or its package is not installed.
            OSError: It cannot be opened now.
        """
        from upath import UPath

        shown = shown_url(location)
        try:
            base = UPath(location)
            if is_local(base):
                # A step may run in another working directory than the one that wrote the archive.
                return cls(UPath(expanded(base.path).absolute()))
            _ = base.fs  # only this imports its package
        except (ImportError, ValueError, RuntimeError) as error:  # the last: no such user has a home directory
            raise DatasetDefinitionError(
                f"Archives cannot be kept in {shown}: {error}. Correct base_directory, or install the package of "
                "its file system (s3fs, gcsfs, adlfs, …) in every environment in which steps run."
            ) from error
        except Exception as error:  # file systems raise their own kinds of errors; some connect at once
            raise OSError(
                f"The archive store {shown} cannot be opened: {type(error).__name__}: {error}. Correct its address, or "
                "give what its file system asks for, such as credentials."
            ) from error
        return cls(base)

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
        with self._written(archives, place=place, partition=partition):
            stored = self._put(archives, place=place, partition=partition)
            self._point(stored, place=place, run_id=run_id, partition=partition)
        return stored

    def point(self, stored: StoredArchive, *, place: Sequence[str], run_id: str, partition: str | None = None) -> None:
        """Point a run, and ``latest``, to archives that are in this place already.

        Raises:
            ArchiveNotStoredError: They are no longer there; nothing points to them.
        """
        with self._written([file.archive for file in stored.files], place=place, partition=partition):
            if gone := next((file.location for file in stored.files if not file.location.exists()), None):
                raise ArchiveNotStoredError(f"{gone} was removed a moment ago. Materialize the archive again.")
            self._point(stored, place=place, run_id=run_id, partition=partition)

    def find(self, *, place: Sequence[str], run_id: str | None, partition: str | None = None) -> StoredArchive:
        """What a run wrote; without a run, what was written last.

        Raises:
            ArchiveNotStoredError: There is none.
            ArchiveError: The pointer is damaged.
        """
        name = self._run_name(run_id) if run_id else f"{LATEST}.json"
        try:
            return self._read_pointer(name, place=place, partition=partition)[0]
        except FileNotFoundError:
            pointer = self.directory(place, partition=partition) / name
            raise _not_stored(pointer, place=place, run_id=run_id) from None

    def save_snapshot(
        self,
        archives: "Sequence[Archive]",
        facts: Mapping[str, Any],
        *,
        place: Sequence[str],
        partition: str | None = None,
    ) -> StoredArchive:
        """Copy the archives' files into the store as the latest snapshot of a graph, in place of the one before.

        Args:
            archives: One graph's; their files are only read.
            facts: What else is known of the snapshot; anything that JSON can hold.
            place: Whose archives they are.
            partition: The partition of ``place`` that they belong to.
        """
        with self._written(archives, place=place, partition=partition):
            stored = self._put(archives, place=place, partition=partition)
            self._write_pointer(f"{SNAPSHOT}.json", stored, place=place, partition=partition, facts=facts)
        return stored

    def find_snapshot(
        self, *, place: Sequence[str], partition: str | None = None
    ) -> tuple[StoredArchive, dict[str, Any]] | None:
        """The latest snapshot: its archives and what else is known of it; None if there is none.

        Raises:
            ArchiveError: The note is damaged.
        """
        try:
            return self._read_pointer(f"{SNAPSHOT}.json", place=place, partition=partition)
        except FileNotFoundError:
            return None

    def directory(self, place: Sequence[str], *, partition: str | None = None) -> "UPath":
        """Where the archives of a place, or of one of its partitions, are kept, with what points to them."""
        # No segment holds a dot, so different places have different names, and none has a separator.
        name = ".".join(safe_segment(part) for part in place)
        directory = self.base / (name if len(name) <= MAX_FILE_NAME_LENGTH else safe_segment(name))
        return directory if partition is None else directory / "partitions" / safe_segment(partition)

    def directories(self, *, failed: "Callable[[UPath, Exception], None] | None" = None) -> "Iterator[UPath]":
        """Where pointers are: of every place, and of each of its partitions.

        Args:
            failed: Told of what cannot be listed, the store itself or the partitions of a place; default: that raises.

        Raises:
            DatasetDefinitionError: The store cannot be listed.
        """
        try:
            places = [] if not self.base.exists() else _inside(self._listable_base())
        except Exception as error:  # file systems raise their own kinds of errors
            if failed is not None:
                failed(self.base, error)
                return
            raise DatasetDefinitionError(
                f"The archive store {self.base} cannot be read: {type(error).__name__}: {error}. Correct its address, "
                "or give what its file system asks for, such as credentials."
            ) from error
        for directory in places:
            yield directory
            partitions = directory / "partitions"
            try:
                found = _inside(partitions)
            except Exception as error:  # file systems raise their own kinds of errors
                if failed is None:
                    raise
                failed(partitions, error)
                continue
            yield from found

    def _listable_base(self) -> "UPath":
        if self.base.is_file():
            raise NotADirectoryError("it is a file, and no directory")
        if is_local(self.base) and not self.base.is_dir():
            raise NotADirectoryError("it is no directory")
        return self.base

    def read_pointer(self, path: "UPath") -> tuple[StoredArchive, dict[str, Any]]:
        """The archives that a pointer names, whosesoever they are, and all that it says.

        Raises:
            FileNotFoundError: It is gone.
            ArchiveError: It is damaged.
        """
        directory = path.parent.parent if path.parent.name == RUNS else path.parent
        with understood(path):
            values = json.loads(get_bytes(path, most=MAX_POINTER_BYTES))
            stored = stored_in(directory, archives_of(values))
            _ = owner_in(values), stored_at_in(values)  # whoever lists pointers relies on them
            return stored, values

    def _written(
        self, archives: "Sequence[Archive]", *, place: Sequence[str], partition: str | None = None
    ) -> AbstractContextManager[None]:
        """Inside it, no prune removes these archives, whether they are there already or not."""
        directory = self.directory(place, partition=partition)
        return in_use(directory, stored_in(directory, archives).blobs, what="written")

    def _put(
        self, archives: "Sequence[Archive]", *, place: Sequence[str], partition: str | None = None
    ) -> StoredArchive:
        """Copy the archives' files into the store, those that are not there yet; nothing points to them so far."""
        files = []
        for file in stored_in(self.directory(place, partition=partition), archives).files:
            present = file.present()
            if present is None:
                put_file(file.archive.path, file.location)
            files.append(present or file)
        return StoredArchive(files=tuple(files))

    def _point(self, stored: StoredArchive, *, place: Sequence[str], run_id: str, partition: str | None) -> None:
        for name in (self._run_name(run_id), f"{LATEST}.json"):
            self._write_pointer(name, stored, place=place, partition=partition, facts={"stored_at": time.time()})

    def _write_pointer(
        self,
        name: str,
        stored: StoredArchive,
        *,
        place: Sequence[str],
        partition: str | None,
        facts: Mapping[str, Any],
    ) -> None:
        values = pointer_to([file.archive for file in stored.files], place=place, partition=partition)
        content = json.dumps({**values, **facts}, indent=2, default=str).encode()
        put_bytes(content, self.directory(place, partition=partition) / name)

    def _read_pointer(
        self, name: str, *, place: Sequence[str], partition: str | None
    ) -> tuple[StoredArchive, dict[str, Any]]:
        path = self.directory(place, partition=partition) / name
        stored, values = self.read_pointer(path)
        with understood(path):
            require_owner(values, place=place, partition=partition)
        return stored, values

    @staticmethod
    def _run_name(run_id: str) -> str:
        return f"{RUNS}/{safe_segment(run_id)}.json"


def _inside(directory: "UPath") -> "list[UPath]":
    try:
        return sorted((path for path in directory.iterdir() if path.is_dir()), key=str)
    except (FileNotFoundError, NotADirectoryError):
        return []


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
