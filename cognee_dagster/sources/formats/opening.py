"""Graph files as bytes: plain or compressed, within bounds."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.formats.damage import WRITE_AGAIN, decompressing

# Graph files shrink to a tenth or a thirtieth; what grows by more than this is made to exhaust whoever reads it.
MAX_GROWTH = 300
ALWAYS_ALLOWED = 256 << 20
_BEGINNING = 1 << 16
_FILES: dict[str, Callable[[IO[bytes]], IO[bytes]]] = {
    ".gz": lambda file: cast(IO[bytes], gzip.GzipFile(fileobj=file, mode="rb")),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}
COMPRESSED_SUFFIXES = tuple(_FILES)


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """The file's content; decompressed where its name ends in one of ``COMPRESSED_SUFFIXES``.

    Raises:
        GraphFileError: When it is read: it is damaged, or unpacks to more than is sound.
    """
    with path.open("rb") as file:
        decompressed = _FILES.get(path.suffix.lower())
        if decompressed is None:
            yield file
            return
        allowed = allowed_size(path)
        with decompressed(file) as content:
            yield cast(IO[bytes], io.BufferedReader(_Bounded(content, path=path, allowed=allowed), 1 << 16))


def allowed_size(path: Path) -> int:
    """How much may become of a file's bytes, unpacked or repeated."""
    return max(ALWAYS_ALLOWED, path.stat().st_size * MAX_GROWTH)


def read_whole(path: Path, *, most: int, instead: str) -> bytearray:
    """The content of a file that can only be read whole; how long it is, is known before it is held.

    Args:
        path: The file.
        most: Bytes, decompressed.
        instead: What to do with a larger one.

    Raises:
        GraphFileError: It is larger, damaged, or holds nothing but zeros, as files do that were not written to the end.
    """
    if _is_longer(path, most):
        raise GraphFileError(
            f"cannot be read: {path.name} has more than {most:,} bytes{_unpacked(path)}, and such a file is read "
            f"whole. {instead}"
        )
    with open_bytes(path) as file:
        beginning = file.read(_BEGINNING)
        if beginning and not beginning.strip(b"\0"):
            raise GraphFileError(f"cannot be read: {path.name} begins with {len(beginning):,} zeros. {WRITE_AGAIN}")
        content = bytearray(beginning)  # grows in place: joined pieces would take twice the memory
        while chunk := file.read(_BEGINNING):
            content += chunk
        return content


def _is_longer(path: Path, most: int) -> bool:
    if path.suffix.lower() not in _FILES:
        return path.stat().st_size > most
    with open_bytes(path) as file:
        while chunk := file.read(_BEGINNING):
            most -= len(chunk)
            if most < 0:
                return True
    return False


def _unpacked(path: Path) -> str:
    return " unpacked" if path.suffix.lower() in _FILES else ""


class _Bounded(io.RawIOBase):
    """Reads a stream up to a limit."""

    def __init__(self, stream: IO[bytes], *, path: Path, allowed: int) -> None:
        self._stream = stream
        self._path = path
        self._allowed = allowed
        self._seen = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        with decompressing(self._path):
            chunk = self._stream.read(len(buffer))
        self._seen += len(chunk)
        if self._seen > self._allowed:
            raise GraphFileError(
                f"unpacks to more than {self._allowed >> 20} MiB, {MAX_GROWTH} times its size. If that is right, "
                "unpack it yourself and name the unpacked file."
            )
        buffer[: len(chunk)] = chunk
        return len(chunk)
