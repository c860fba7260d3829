"""What a run stored: one archive's file, or the several of a graph beyond a server's limits."""

import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cognee_dagster.errors import ArchiveError, ArchiveNotStoredError
from cognee_dagster.store.files import is_local
from cognee_dagster.store.holds import in_use
from cognee_dagster.system.files import sha256_of

if TYPE_CHECKING:  # Arrow and fsspec come with them, and loading a code location should not wait for that
    from upath import UPath

    from cognee_dagster.cogx.archive import Archive


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """One archive's file in a store.

    Attributes:
        location: Where it is.
        archive: What is known of it; its ``path`` is where the file was when it was written: use ``local()``.
    """

    location: "UPath"
    archive: "Archive"

    @contextmanager
    def local(self) -> Iterator["Archive"]:
        """The archive as a local file: the stored one, or a copy that is checked, and removed afterwards.

        Raises:
            ArchiveNotStoredError: The file is gone.
            ArchiveError: The file is not the one that was stored.
        """
        with self._file() as path:
            if path is None:
                raise ArchiveNotStoredError(
                    f"{self.location} is gone from the archive store. Materialize the archive again."
                )
            found = _in_file(path, archive=self.archive)
            if found is None:
                raise ArchiveError(
                    f"{self.location} is damaged: its content is not what was stored ({path.stat().st_size} bytes, "
                    f"{self.archive.size_bytes} were stored). Materialize the archive again."
                )
            yield found

    def present(self) -> "StoredFile | None":
        """This file as it is there, whoever compressed it; None where it is gone or damaged."""
        with self._file() as path:
            found = None if path is None else _in_file(path, archive=self.archive)
        if found is None:
            return None
        return dataclasses.replace(self, archive=dataclasses.replace(found, path=self.archive.path))

    @contextmanager
    def _file(self) -> Iterator[Path | None]:
        """The file, or a copy of one that is not local; None where it is gone."""
        if is_local(self.location):
            path = Path(self.location.path)
            yield path if path.is_file() else None
            return
        with tempfile.TemporaryDirectory(prefix="cogx-archive-") as directory:
            path = Path(directory) / self.location.name
            # fsspec before 2023.9 leaves an empty file where there is nothing to copy.
            yield path if self._copied_to(path) else None

    def _copied_to(self, path: Path) -> bool:
        try:
            self.location.fs.get_file(self.location.path, str(path))
        except FileNotFoundError:
            return False
        return True


def _in_file(path: Path, *, archive: "Archive") -> "Archive | None":
    """An archive as it is in a file, whoever compressed it, unless its very bytes matter; None where the file holds
    something else.
    """
    from cognee_dagster.cogx.read.safe_members import content_sha256_of  # numpy comes with it

    with path.open("rb") as file:
        sha256 = sha256_of(file)
    if sha256 != archive.sha256:
        if archive.as_it_is:
            return None
        try:
            if content_sha256_of(path) != archive.content_sha256:
                return None
        except ArchiveError:
            return None
    return dataclasses.replace(archive, path=path, sha256=sha256, size_bytes=path.stat().st_size)


@dataclass(frozen=True, kw_only=True)
class StoredArchive:
    """What a run wrote: one archive, or the several that a graph beyond a server's limits takes.

    Attributes:
        files: Their files, in the order in which they are to be pushed.
    """

    files: tuple[StoredFile, ...]

    @property
    def dataset_name(self) -> str:
        """The dataset that was written."""
        return self.files[0].archive.dataset_name

    @property
    def directory(self) -> "UPath":
        """Where the archives of this place are kept, with what points to them."""
        return self.files[0].location.parent.parent

    @property
    def blobs(self) -> tuple[str, ...]:
        """The names of the files."""
        return tuple(file.location.name for file in self.files)

    @contextmanager
    def local(self) -> "Iterator[tuple[Archive, ...]]":
        """The archives as local files: the stored ones, or copies that are checked, and removed afterwards.

        Inside it, no prune removes them.

        Raises:
            ArchiveNotStoredError: A file is gone.
            ArchiveError: A file is not the one that was stored.
        """
        with in_use(self.directory, self.blobs, what="read"), ExitStack() as stack:
            yield tuple(stack.enter_context(file.local()) for file in self.files)

    def is_intact(self) -> bool:
        """Whether every file is there as it was stored."""
        return all(file.present() is not None for file in self.files)


@dataclass(frozen=True, kw_only=True)
class AbsentArchive(StoredArchive):
    """In place of an archive that is not there, where another one may be sent instead.

    Attributes:
        reason: Why it is not there, and what to do: the message of whatever asks for it.
    """

    files: tuple[StoredFile, ...] = ()
    reason: str

    @property
    def dataset_name(self) -> str:
        """None is known.

        Raises:
            ArchiveNotStoredError: Always.
        """
        raise ArchiveNotStoredError(self.reason)

    @contextmanager
    def local(self) -> "Iterator[tuple[Archive, ...]]":
        """None is there.

        Raises:
            ArchiveNotStoredError: Always.
        """
        raise ArchiveNotStoredError(self.reason)
        yield ()
