"""The files in a packed archive, streamed: nothing is trusted, nothing is held in memory.

Our own reader instead of ``tarfile.open``, which follows whatever a header says: extended headers of any size are
read into memory and sparse maps of any length are parsed before a caller sees the member. Here a member is a plain file
with a harmless name and an honest size, or the archive is refused. (Python's ``TarInfo`` still reads the 512 bytes.)
"""

import gzip
import hashlib
import math
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO

from isal import igzip, isal_zlib

from cognee_dagster.cogx.digest import content_sha256
from cognee_dagster.cogx.format import (
    MANIFEST_FILE,
    MAX_MEMBER_BYTES,
    MAX_MEMBERS,
    MAX_TOTAL_BYTES,
    PERMISSIONS_FILE,
    RECORD_KINDS,
)
from cognee_dagster.errors import ArchiveError, ArchiveLimitError

# JSON lines shrink 5 to 30 times; beyond this an archive is a bomb. Small ones may be anything.
MAX_RATIO = 250
_RATIO_MATTERS_BYTES = 64 * 1024 * 1024

# A line is held in memory, up to ten times: as bytes, as characters of four bytes each, and as a value.
MAX_LINE_BYTES = 16 * 1024 * 1024

_CHUNK_BYTES = 256 * 1024
_BLOCK_BYTES = 1 << 20
_MAX_EXTENDED_HEADER_BYTES = 64 * 1024
_BLOCK = tarfile.BLOCKSIZE
_UnzipError: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # isal's stub misses that it is a class
_GZIP_MAGIC = b"\x1f\x8b"
_COGX_FILES = frozenset((MANIFEST_FILE, PERMISSIONS_FILE, *RECORD_KINDS))
_FILE_TYPES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_TYPE_NAMES = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a named pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


@dataclass(frozen=True, kw_only=True)
class Member:
    """One COGX file in the archive; readable until the next one is asked for.

    Attributes:
        name: Its name without a directory, e.g. ``facts.jsonl``.
        size: Its size in bytes.
    """

    name: str
    size: int
    _content: "_Stream"
    _max_line_bytes: float = MAX_LINE_BYTES

    def chunks(self) -> Iterator[bytes]:
        """The content in pieces."""
        remaining = self.size
        while remaining:
            chunk = self._content.read(min(remaining, _CHUNK_BYTES))
            remaining -= len(chunk)
            yield chunk

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """The lines that are not blank, with their numbers from 1.

        Raises:
            ArchiveLimitError: One is longer than ``MAX_LINE_BYTES``.
        """
        parts: list[bytes] = []
        number = length = 0
        for chunk in self.chunks():
            *complete, rest = chunk.split(b"\n")
            for piece in complete:
                number += 1
                if line := b"".join((*parts, piece)).strip():
                    yield number, line
                parts, length = [], 0
            parts.append(rest)
            length += len(rest)
            if length > self._max_line_bytes:
                raise ArchiveLimitError(
                    f"{self._content.path}: {self.name}, line {number + 1} is longer than {MAX_LINE_BYTES:,} bytes; "
                    "refusing to read it."
                )
        if line := b"".join(parts).strip():
            yield number + 1, line

    def blocks(self) -> Iterator[list[bytes]]:
        """The lines that are not blank, a megabyte or a line at a time.

        Raises:
            ArchiveLimitError: A line is longer than ``MAX_LINE_BYTES``.
        """
        block: list[bytes] = []
        size = 0
        for _, line in self.lines():
            block.append(line)
            size += len(line)
            if size >= _BLOCK_BYTES:
                yield block
                block, size = [], 0
        if block:
            yield block


def read_members(path: Path, *, any_size: bool = False) -> Iterator[Member]:
    """The COGX files of a packed archive in the order in which they are stored; other files in it are passed over.

    Args:
        path: The archive.
        any_size: Do not look at limits: for an archive that this process has just written.

    Raises:
        ArchiveError: The file is not a tar archive, is damaged or cut off, or holds what an archive may not hold.
        ArchiveLimitError: It is larger, unpacked, than a Cognee server accepts.
        OSError: The file cannot be read.
    """
    if not stat.S_ISREG(path.stat().st_mode):  # to open a named pipe would wait for whoever writes to it
        raise ArchiveError(f"{path} is not a regular file. Write or copy the archive to a file first.")
    with path.open("rb") as file:
        stream = _Stream(file, path, any_size=any_size)
        try:
            yield from _members(stream, path, any_size=any_size)
        except tarfile.TarError as error:
            raise ArchiveError(f"{path}: not a tar archive, or a damaged one: {error}.") from error


def content_sha256_of(path: Path) -> str:
    """The identity of a packed archive, as ``Archive.content_sha256``; raises as ``read_members``."""
    return content_sha256((member.name, member.size, _sha256(member.chunks())) for member in read_members(path))


def _sha256(chunks: Iterator[bytes]) -> bytes:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()


def _members(stream: "_Stream", path: Path, *, any_size: bool) -> Iterator[Member]:
    seen: set[str] = set()
    directory: PurePosixPath | None = None
    count = 0
    for count, (name, size) in enumerate(_entries(stream, path), start=1):
        if count > MAX_MEMBERS:
            raise ArchiveLimitError(f"{path}: more than {MAX_MEMBERS:,} files; a Cognee server refuses that.")
        start = stream.position
        place = _checked(name, path)
        if size is not None:
            _check_size(name, size, path, any_size=any_size)
            # Like Cognee, look at the top and in one directory, wherever the manifest is.
            if place.name in _COGX_FILES and len(place.parts) <= 2:
                if place.name in seen or (directory is not None and place.parent != directory):
                    raise ArchiveError(f"{path}: holds {place.name} or its companions more than once ({name!r}).")
                seen.add(place.name)
                directory = place.parent
                most = math.inf if any_size else MAX_LINE_BYTES
                yield Member(name=place.name, size=size, _content=stream, _max_line_bytes=most)
            stream.skip(start + size + -size % _BLOCK - stream.position)
    if not count:  # zeros, which a damaged disk may hold, look like the end of an archive
        raise ArchiveError(f"{path}: holds no file: not an archive, or a damaged one. Write or copy it again.")
    stream.drain()


def _entries(stream: "_Stream", path: Path) -> Iterator[tuple[str, int | None]]:
    """Name and size of files, name and None of directories; the consumer reads or skips the content."""
    extended: dict[str, str] = {}
    while (block := stream.read_header()) is not None:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if header.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE):
            extended |= _extended_header(header, stream, path)
            continue
        size = header.size
        if "size" in extended:
            if not extended["size"].isdecimal():
                raise ArchiveError(f"{path}: a header says that {header.name!r} has {extended['size']!r:.40} bytes.")
            size = int(extended["size"][:20])
        name = extended.get("path", header.name)
        extended = {}
        if header.type == tarfile.DIRTYPE:
            yield name, None
        elif header.type in _FILE_TYPES:
            yield name, size
        else:
            kind = _TYPE_NAMES.get(header.type, f"of the unknown type {header.type!r}")
            raise ArchiveError(f"{path}: {name!r} is {kind}; an archive holds plain files only.")


def _extended_header(header: tarfile.TarInfo, stream: "_Stream", path: Path) -> dict[str, str]:
    """The ``path`` and ``size`` that a pax or GNU header gives to the next member."""
    if not 0 <= header.size <= _MAX_EXTENDED_HEADER_BYTES:
        raise ArchiveError(f"{path}: an extended header has {header.size:,} bytes; no COGX archive needs that.")
    content = stream.read(header.size)
    stream.skip(-header.size % _BLOCK)
    if header.type == tarfile.XGLTYPE:
        return {}
    if header.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": content.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")}
    return {key: value for key, value in _pax_records(content, path) if key in ("path", "size")}


def _pax_records(content: bytes, path: Path) -> Iterator[tuple[str, str]]:
    """``"<length> <key>=<value>\\n"``, one after the other."""
    while content.strip(b"\0"):
        length, separator, _ = content.partition(b" ")
        if (
            not separator
            or not length.isdigit()
            or len(length) > 6
            or not len(length) + 2 < int(length) <= len(content)
        ):
            raise ArchiveError(f"{path}: a damaged extended header.")
        record = content[len(length) + 1 : int(length)].rstrip(b"\n").decode("utf-8", "surrogateescape")
        key, _, value = record.partition("=")
        yield key, value
        content = content[int(length) :]


def _checked(name: str, path: Path) -> PurePosixPath:
    place = PurePosixPath(name)
    windows = PureWindowsPath(name)
    if not name or "\0" in name or place.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        raise ArchiveError(f"{path}: the file name {name!r:.200} leads out of the archive; refusing to read it.")
    return place


def _check_size(name: str, size: int, path: Path, *, any_size: bool) -> None:
    if size < 0:
        raise ArchiveError(f"{path}: {name!r:.200} has a negative size.")
    if size > MAX_MEMBER_BYTES and not any_size:
        raise ArchiveLimitError(
            f"{path}: {name!r:.200} has {size:,} bytes unpacked; a Cognee server accepts {MAX_MEMBER_BYTES:,} a file."
        )


class _Stream:
    """The unpacked tar, read forward only, with its limits."""

    def __init__(self, file: BinaryIO, path: Path, *, any_size: bool) -> None:
        self.position = 0
        self._any_size = any_size
        self._file = file
        self.path = path
        magic = file.read(len(_GZIP_MAGIC))
        file.seek(0)
        unzipped: Any = igzip.IGzipFile(fileobj=file)  # type: ignore[no-untyped-call]
        self._content: BinaryIO = unzipped if magic == _GZIP_MAGIC else file

    def read(self, size: int) -> bytes:
        """Exactly ``size`` bytes."""
        content = self._read(size)
        if len(content) < size:
            raise ArchiveError(f"{self.path}: cut off: it ends in the middle of a file. Write or copy it again.")
        return content

    def read_header(self) -> bytes | None:
        """The next header; None at the mark that ends the archive.

        The mark is asked for: without it nobody could tell an archive that was cut off between two files.
        """
        block = self._read(_BLOCK)
        if len(block) < _BLOCK:
            raise ArchiveError(f"{self.path}: not a tar archive, or cut off: it has no end. Write or copy it again.")
        return block if block.strip(b"\0") else None

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
        except (_UnzipError, gzip.BadGzipFile, EOFError, OverflowError) as error:
            raise ArchiveError(f"{self.path}: damaged or cut off: {error}. Write or copy it again.") from error
        self.position += len(content)
        if self._any_size:
            return content
        if self.position > MAX_TOTAL_BYTES:
            raise ArchiveLimitError(
                f"{self.path}: more than {MAX_TOTAL_BYTES:,} bytes unpacked; a Cognee server refuses that."
            )
        if self.position > _RATIO_MATTERS_BYTES and self.position > MAX_RATIO * self._file.tell():
            raise ArchiveLimitError(
                f"{self.path}: unpacks to more than {MAX_RATIO} times its size; refusing to read a likely bomb."
            )
        return content
