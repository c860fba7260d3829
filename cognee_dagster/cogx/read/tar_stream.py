"""The unpacked tar, read forward only, within its limits."""

import tarfile
from pathlib import Path
from typing import BinaryIO

from cognee_dagster.cogx.advice import SEND_LESS, WRITE_AGAIN
from cognee_dagster.cogx.format import MAX_TOTAL_BYTES
from cognee_dagster.cogx.read.compression import READ_ERRORS, unpacked
from cognee_dagster.errors import ArchiveError, ArchiveLimitError

_CHUNK_BYTES = 256 * 1024


class TarStream:
    """The unpacked tar of an archive.

    Attributes:
        position: How many bytes were read.
        path: The archive.
    """

    def __init__(self, file: BinaryIO, path: Path, *, any_size: bool) -> None:
        self.position = 0
        self.path = path
        self._any_size = any_size
        self._content = unpacked(file, path=path)

    def read(self, size: int) -> bytes:
        """Exactly ``size`` bytes."""
        content = self._read(size)
        if len(content) < size:
            raise ArchiveError(f"{self.path}: cut off: it ends in the middle of a file. {WRITE_AGAIN}")
        return content

    def read_block(self) -> bytes:
        """The next block, which is shorter where the tar ends."""
        return self._read(tarfile.BLOCKSIZE)

    def skip(self, size: int) -> None:
        """Pass over ``size`` bytes."""
        while size > 0:
            size -= len(self.read(min(size, _CHUNK_BYTES)))

    def drain(self) -> None:
        """Read what follows the end of the archive, so that the last checksum is checked, too."""
        while self._read(_CHUNK_BYTES):
            pass

    def _read(self, size: int) -> bytes:
        try:
            content = self._content.read(size)
        except READ_ERRORS as error:
            raise ArchiveError(f"{self.path}: damaged or cut off: {error}. {WRITE_AGAIN}") from error
        self.position += len(content)
        if self.position > MAX_TOTAL_BYTES and not self._any_size:
            raise ArchiveLimitError(
                f"{self.path}: more than {MAX_TOTAL_BYTES:,} bytes unpacked; a Cognee server refuses that. {SEND_LESS}"
            )
        return content
