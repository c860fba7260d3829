"""The files in a packed archive, streamed: nothing is trusted, nothing is held in memory.

A member is a plain file with a harmless name and an honest size, or the archive is refused.
"""

import contextlib
import hashlib
import math
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from cognee_dagster.cogx.advice import DISTRUST, PACK_AGAIN, SEND_LESS, WRITE_AGAIN
from cognee_dagster.cogx.digest import content_sha256
from cognee_dagster.cogx.format import MANIFEST_FILE, MAX_MEMBER_BYTES, MAX_MEMBERS, PERMISSIONS_FILE, RECORD_KINDS
from cognee_dagster.cogx.read.tar_entries import read_entries
from cognee_dagster.cogx.read.tar_stream import TarStream
from cognee_dagster.errors import ArchiveError, ArchiveLimitError

# A line is held in memory, up to ten times: as bytes, as characters of four bytes each, and as a value.
MAX_LINE_BYTES = 16 * 1024 * 1024

COGX_FILES = frozenset((MANIFEST_FILE, PERMISSIONS_FILE, *RECORD_KINDS))
_CHUNK_BYTES = 256 * 1024
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Member:
    """One COGX file in the archive; readable until the next one is asked for.

    Attributes:
        name: Its name without a directory, e.g. ``facts.jsonl``.
        size: Its size in bytes.
    """

    name: str
    size: int
    _content: TarStream
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
                whole = b"".join((*parts, piece)) if parts else piece
                parts, length = [], 0
                if whole:
                    for line in _stripped(whole):
                        yield number, line
            parts.append(rest)
            length += len(rest)
            if length > self._max_line_bytes:
                raise ArchiveLimitError(
                    f"{self._content.path}: {self.name}, line {number + 1} is longer than {MAX_LINE_BYTES:,} bytes, "
                    "which cognee-dagster does not read of a file, though a server may. Shorten its longest text."
                )
        for line in _stripped(b"".join(parts)):
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


def _stripped(line: bytes) -> Iterator[bytes]:
    """A line, or several if there are carriage returns in it, without blanks around; none if it is blank.

    As a server reads a text file: any line end counts, and so do the blanks of all scripts.
    """
    for part in line.split(b"\r"):
        content = part.strip()
        if content[:1] != b"{" or content[-1:] != b"}":
            with contextlib.suppress(UnicodeDecodeError):
                content = content.decode().strip().encode()
        if content:
            yield content


def read_members(path: Path, *, any_size: bool = False) -> Iterator[Member]:
    """The COGX files of a packed archive in the order in which they are stored; other files in it are passed over.

    Args:
        path: The archive.
        any_size: Do not look at limits: for an archive that was written here, or is known to be within them.

    Raises:
        ArchiveError: The file is not a tar archive, is damaged or cut off, or holds what an archive may not hold.
        ArchiveLimitError: It is larger, unpacked, than a Cognee server accepts.
        OSError: The file cannot be read.
    """
    require_regular(path)
    with path.open("rb") as file:
        yield from _members(TarStream(file, path, any_size=any_size), path, any_size=any_size)


def content_sha256_of(path: Path) -> str:
    """The identity of a packed archive, as ``Archive.content_sha256``; raises as ``read_members``."""
    return content_sha256((member.name, member.size, _sha256(member.chunks())) for member in read_members(path))


def _sha256(chunks: Iterator[bytes]) -> bytes:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()


def require_regular(path: Path) -> None:
    """Refuse what is not a file: to open a named pipe would wait for whoever writes to it.

    Raises:
        ArchiveError: It is not a regular file.
        OSError: It is not there.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise ArchiveError(f"{path} is not a regular file. Write or copy the archive to a file first.")


def _members(stream: TarStream, path: Path, *, any_size: bool) -> Iterator[Member]:
    seen: set[str] = set()
    directory: PurePosixPath | None = None
    count = 0
    for count, entry in enumerate(read_entries(stream), start=1):
        if count > MAX_MEMBERS:
            raise ArchiveLimitError(
                f"{path}: more than {MAX_MEMBERS:,} files; a Cognee server refuses that. {PACK_AGAIN}"
            )
        place = _checked(entry.name, path)
        if entry.other:
            raise ArchiveError(
                f"{path}: {entry.name!r} is {entry.other}; an archive holds plain files only. {PACK_AGAIN}"
            )
        if entry.is_directory:
            continue
        if not any_size:
            check_size(entry.name, entry.size, path)
        # Like Cognee, look at the top and in one directory, wherever the manifest is.
        if place.name in COGX_FILES and len(place.parts) <= 2:
            if place.name in seen or (directory is not None and place.parent != directory):
                raise ArchiveError(
                    f"{path}: holds {place.name} or its companions more than once ({entry.name!r}). {PACK_AGAIN}"
                )
            seen.add(place.name)
            directory = place.parent
            most = math.inf if any_size else MAX_LINE_BYTES
            yield Member(name=place.name, size=entry.size, _content=stream, _max_line_bytes=most)
    if not count:  # zeros, which a damaged disk may hold, look like the end of an archive
        raise ArchiveError(f"{path}: holds no file: not an archive, or a damaged one. {WRITE_AGAIN}")
    stream.drain()


def _checked(name: str, path: Path) -> PurePosixPath:
    place = PurePosixPath(name)
    windows = PureWindowsPath(name)
    if not name or "\0" in name or place.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        raise ArchiveError(
            f"{path}: the file name {name!r:.200} leads out of the archive; refusing to read it. {DISTRUST}"
        )
    return place


def check_size(name: str, size: int, path: Path) -> None:
    """Raise ``ArchiveLimitError`` if a server refuses a file for its size."""
    if size > MAX_MEMBER_BYTES:
        raise ArchiveLimitError(
            f"{path}: {name!r:.200} has {size:,} bytes unpacked; a Cognee server accepts {MAX_MEMBER_BYTES:,} a file. "
            f"{SEND_LESS}"
        )
