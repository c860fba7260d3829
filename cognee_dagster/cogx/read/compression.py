"""The ways in which an archive may be compressed, each read within bounded memory."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from isal import igzip, isal_zlib

from cognee_dagster.errors import ArchiveError

_IsalError: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # isal's stub misses that it is a class
_XZ_MEMORY = 128 * 1024 * 1024  # 65 MiB are needed at the highest preset
_CHUNK_BYTES = 64 * 1024
_GZIP, _BZIP2, _XZ, _ZSTD = b"\x1f\x8b", b"BZh", (b"\xfd7zXZ\0", b"\x5d\0\0"), b"\x28\xb5\x2f\xfd"


class DamagedError(Exception):
    """Compressed content that cannot be read on."""


READ_ERRORS = (DamagedError, _IsalError, gzip.BadGzipFile, EOFError, OverflowError)  # of what ``unpacked`` gives


def unpacked(file: BinaryIO, *, path: object) -> BinaryIO:
    """The content of a compressed file, by its first bytes; the file itself if it is not compressed.

    Raises:
        ArchiveError: Compressed in a way that few Cognee servers read.
    """
    magic = file.read(6)
    file.seek(0)
    if magic.startswith(_ZSTD):
        raise ArchiveError(
            f"{path}: compressed with Zstandard, which only Cognee servers on Python 3.14 and newer read. "
            "Compress it with gzip."
        )
    if magic.startswith(_GZIP):
        unzipped: Any = igzip.IGzipFile(fileobj=file)  # type: ignore[no-untyped-call]
        return unzipped  # type: ignore[no-any-return]
    if magic.startswith(_BZIP2):
        return io.BufferedReader(_Pieces(_streams(file, bz2.BZ2Decompressor)))
    if magic.startswith(_XZ):
        return io.BufferedReader(_Pieces(_streams(file, _xz)))
    return file


def _xz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(memlimit=_XZ_MEMORY)


def _streams(file: BinaryIO, new: Callable[[], Any]) -> Iterator[bytes]:
    """The content of one stream after the other; what follows them and is none is passed over, as Python does."""
    data = file.read(_CHUNK_BYTES)
    is_first = True
    while data:
        stream = new()
        while not stream.eof:
            try:
                piece = stream.decompress(data, io.DEFAULT_BUFFER_SIZE)  # as Python's own files: the end is seen late
            except (OSError, ValueError, lzma.LZMAError) as error:
                if is_first:
                    raise DamagedError(str(error)) from error
                return
            if piece:
                yield piece
            data = b""
            if stream.needs_input and not stream.eof and not (data := file.read(_CHUNK_BYTES)):
                raise DamagedError("the compressed content is cut off")
        data = stream.unused_data or file.read(_CHUNK_BYTES)
        is_first = False


class _Pieces(io.RawIOBase):
    """Pieces of content as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._pieces, b"")
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)
