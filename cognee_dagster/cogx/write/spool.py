"""Compressed members that become a ``.tar.gz`` without being compressed, or even stored, uncompressed.

A tar file states each member's size before its content, so that a member must be complete before it can be written. It
waits on disk already compressed: a gzip file may consist of several gzip members, hence ``gzip(header)`` +
``gzip(content)`` + ``gzip(padding)`` one after the other is the gzip of the tar file.
"""

import hashlib
import shutil
import tarfile
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO

from isal import isal_zlib

from cognee_dagster.cogx.digest import content_sha256
from cognee_dagster.system.files import naming_full

# ISA-L's levels go from 0 to 3. Level 1 is some 20 times faster than zlib's default and 10 to 20 % larger.
_LEVEL = 1
_GZIP_WINDOW = 31  # zlib's wbits for a gzip member of its own; isal leaves its time stamp at zero
# What ISA-L makes of a text depends on where its pieces end, so that they are of equal size. In another thread every
# piece waits up to 5 ms for Python's lock, twice: many small ones would be late.
_PIECE_BYTES = 1 << 20
_PIECE_BYTES_IN_THREAD = 2 << 20
_AHEAD = 2  # pieces of a spool that wait to be compressed: this bounds the memory
_MODE = 0o644


class Spool:
    """One member of the archive to be, compressed, in an unnamed temporary file.

    Args:
        name: The member's name.
        file: Where the compressed content goes; see ``unnamed_file``.
        threads: One thread, in which pieces are compressed in their order; default: the caller's.
    """

    def __init__(self, name: str, *, file: BinaryIO, threads: Executor | None = None) -> None:
        self.name = name
        self.size = 0
        self.records = 0
        self.sha256 = b""  # of all that was written, uncompressed; known when nothing more will be
        self._file = file
        self._flushed = False
        self._sha256 = hashlib.sha256()
        self._compressor = isal_zlib.compressobj(_LEVEL, wbits=_GZIP_WINDOW)
        self._threads = threads
        self._piece_bytes = _PIECE_BYTES if threads is None else _PIECE_BYTES_IN_THREAD
        self._pending: deque[Future[None]] = deque()
        self._uncompressed: list[bytes] = []
        self._uncompressed_bytes = 0

    def write(self, content: bytes, *, records: int = 0) -> None:
        """Append bytes, that are so many records; with threads they are compressed while the caller goes on."""
        self.size += len(content)
        self.records += records
        self._uncompressed.append(content)
        self._uncompressed_bytes += len(content)
        if self._uncompressed_bytes >= self._piece_bytes:
            self._cut_pieces()

    def flush(self) -> None:
        """Nothing more will be written: put what is left into the file."""
        self._wait(0)
        self._compress(b"".join(self._uncompressed))
        with naming_full(self._file.name):
            self._file.write(self._compressor.flush())
            self._file.flush()
        self.sha256 = self._sha256.digest()
        self._flushed = True

    def finish(self) -> BinaryIO:
        """The compressed content, from its beginning."""
        if not self._flushed:
            self.flush()
        self._file.seek(0)
        return self._file

    @property
    def place(self) -> str:
        """Where the file is."""
        return self._file.name

    @property
    def descriptor(self) -> int:
        """The file's, for another process that fills it instead of this one."""
        return self._file.fileno()

    def filled(self, *, size: int, records: int, sha256: bytes) -> None:
        """Take note of what another process has written to the file, with its own spool."""
        self.size, self.records, self.sha256, self._flushed = size, records, sha256, True

    def close(self) -> None:
        """Give the disk space back."""
        for future in self._pending:
            future.exception()  # the file must not be closed under it
        with naming_full(self._file.name):  # what could not be written is tried again
            self._file.close()

    def _cut_pieces(self) -> None:
        whole = memoryview(b"".join(self._uncompressed))
        rest = len(whole) % self._piece_bytes
        for start in range(0, len(whole) - rest, self._piece_bytes):
            piece = whole[start : start + self._piece_bytes]
            if self._threads is None:
                self._compress(piece)
            else:
                self._pending.append(self._threads.submit(self._compress, piece))
                self._wait(_AHEAD)
        self._uncompressed, self._uncompressed_bytes = [bytes(whole[len(whole) - rest :])], rest

    def _compress(self, piece: bytes | memoryview) -> None:
        self._sha256.update(piece)
        with naming_full(self._file.name):
            self._file.write(self._compressor.compress(piece))

    def _wait(self, most: int) -> None:
        """Until no more than so many pieces wait to be compressed."""
        while len(self._pending) > most:
            self._pending.popleft().result()

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Hashing:
    """A file that knows the SHA-256 of what was written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def write(self, content: bytes) -> int:
        self._hash.update(content)
        return self._file.write(content)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Packed:
    """What was written.

    Attributes:
        content_sha256: The archive's identity, whatever the compressor makes of it.
        sha256: SHA-256 of the file.
        size_bytes: Size of the file.
    """

    content_sha256: str
    sha256: str
    size_bytes: int


def assemble(spools: Sequence[Spool], destination: BinaryIO) -> Packed:
    """Write the ``.tar.gz`` of the members, in their order; times and owners are zero."""
    output = _Hashing(destination)
    for spool in spools:
        output.write(_gzip(_header(spool.name, spool.size)))
        shutil.copyfileobj(spool.finish(), output, _PIECE_BYTES)
        if padding := -spool.size % tarfile.BLOCKSIZE:
            output.write(_gzip(bytes(padding)))
    output.write(_gzip(bytes(2 * tarfile.BLOCKSIZE)))
    return Packed(
        content_sha256=content_sha256((spool.name, spool.size, spool.sha256) for spool in spools),
        sha256=output.hexdigest(),
        size_bytes=destination.tell(),
    )


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = _MODE
    member.mtime = 0
    return member.tobuf(tarfile.GNU_FORMAT)


def _gzip(content: bytes) -> bytes:
    compressor = isal_zlib.compressobj(_LEVEL, wbits=_GZIP_WINDOW)
    return bytes(compressor.compress(content)) + bytes(compressor.flush())
