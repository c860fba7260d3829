"""What a run stored: one archive's file, or the several of a graph beyond a server's limits."""

import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cognee_dagster.errors import ArchiveError, ArchiveNotStoredError
from cognee_dagster.store.files import file_sha256, is_local

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
        if is_local(self.location):
            yield self._checked(Path(self.location.path))
            return
        with tempfile.TemporaryDirectory(prefix="cogx-archive-") as directory:
            path = Path(directory) / self.location.name
            try:
                self.location.fs.get_file(self.location.path, str(path))
            except FileNotFoundError:
                raise self._gone() from None
            yield self._checked(path, digest=file_sha256(path))

    def is_intact(self) -> bool:
        """Whether the very bytes that were stored are there; reads them."""
        try:
            if self.location.stat().st_size != self.archive.size_bytes:
                return False
            return file_sha256(self.location) == self.archive.sha256
        except FileNotFoundError:
            return False

    def _checked(self, path: Path, *, digest: str | None = None) -> "Archive":
        """Truncation shows in the size; a transfer may damage more than that."""
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            raise self._gone() from None
        if size != self.archive.size_bytes or digest not in (None, self.archive.sha256):
            raise ArchiveError(
                f"{self.location} is damaged: its content is not what was stored ({size} bytes, "
                f"{self.archive.size_bytes} were stored). Materialize the archive again."
            )
        return dataclasses.replace(self.archive, path=path)

    def _gone(self) -> ArchiveNotStoredError:
        return ArchiveNotStoredError(f"{self.location} is gone from the archive store. Materialize the archive again.")


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

    @contextmanager
    def local(self) -> "Iterator[tuple[Archive, ...]]":
        """The archives as local files: the stored ones, or copies that are checked, and removed afterwards.

        Raises:
            ArchiveNotStoredError: A file is gone.
            ArchiveError: A file is not the one that was stored.
        """
        with ExitStack() as stack:
            yield tuple(stack.enter_context(file.local()) for file in self.files)

    def is_intact(self) -> bool:
        """Whether every file is there as it was stored."""
        return all(file.is_intact() for file in self.files)
