"""The entries of a tar, as Python's ``tarfile`` understands them, which is what a Cognee server uses.

Our own reader instead of ``tarfile.open``, which follows whatever a header says: extended headers of any size are
read into memory and sparse maps of any length are parsed before a caller sees the member. (Python's ``TarInfo`` still
reads the 512 bytes.)
"""

import contextlib
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cognee_dagster.cogx.advice import PACK_AGAIN, WRITE_AGAIN
from cognee_dagster.cogx.read.tar_stream import TarStream
from cognee_dagster.errors import ArchiveError

_MAX_EXTENDED_HEADER_BYTES = 64 * 1024
_FILE_TYPES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_EXTENDED_TYPES = (
    tarfile.XHDTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_TYPE_NAMES = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a named pipe",
}

Remark = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A file, a directory or something else.

    Attributes:
        name: Its name, whatever that is.
        size: Of a file: how many bytes it has, which can be read from the stream now.
        modified: Its time.
        is_directory: Whether it is a directory.
        other: What it is if it is neither a file nor a directory, in words.
    """

    name: str
    size: int
    modified: float
    is_directory: bool = False
    other: str = ""


def read_entries(stream: TarStream, *, remark: Remark | None = None) -> Iterator[Entry]:
    """The entries in their order; the consumer may read a file's content before it asks for the next one.

    Args:
        stream: The tar.
        remark: Told what a server does not mind, such as a missing end mark; default: that is an error, too.

    Raises:
        ArchiveError: It is not a tar, damaged or cut off, or has headers that no archive needs.
    """
    shared: dict[str, str] = {}
    while (header := _next_header(stream, is_first=stream.position == 0, remark=remark)) is not None:
        own: dict[str, str] = {}
        while header.type in _EXTENDED_TYPES:
            if header.type == tarfile.XGLTYPE:
                shared |= _extended(header, stream)
            else:
                own = _extended(header, stream) | own
            following = _next_header(stream, is_first=True, remark=None)
            if following is None:
                raise ArchiveError(f"{stream.path}: ends after an extended header. {WRITE_AGAIN}")
            header = following
        start = stream.position
        length = _length(header, shared | own if own else {})
        yield _entry(header, shared | own, length=length, path=stream.path)
        stream.skip(start + length + -length % tarfile.BLOCKSIZE - stream.position)


def _next_header(stream: TarStream, *, is_first: bool, remark: Remark | None) -> tarfile.TarInfo | None:
    """The next header; None at the mark that ends the archive.

    The mark is asked for: without it nobody could tell an archive that was cut off between two files.
    """
    block = stream.read_block()
    if len(block) == tarfile.BLOCKSIZE and not block.strip(b"\0"):
        return None
    try:
        if len(block) < tarfile.BLOCKSIZE:
            raise ArchiveError(f"{stream.path}: not a tar archive, or cut off: it has no end. {WRITE_AGAIN}")
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (ArchiveError, tarfile.TarError) as error:
        if is_first or remark is None:
            if isinstance(error, ArchiveError):
                raise
            raise ArchiveError(f"{stream.path}: not a tar archive, or a damaged one: {error}. {WRITE_AGAIN}") from error
        remark(
            "is damaged or cut off after some file, so that more of it may be missing; a Cognee server takes what it "
            "finds before. Write or copy it again"
        )
        return None


def _extended(header: tarfile.TarInfo, stream: TarStream) -> dict[str, str]:
    """What an extended header says of the next entry, or of all that follow."""
    if not 0 <= header.size <= _MAX_EXTENDED_HEADER_BYTES:
        raise ArchiveError(
            f"{stream.path}: an extended header has {header.size:,} bytes; no COGX archive needs that. {PACK_AGAIN}"
        )
    content = stream.read(header.size)
    stream.skip(-header.size % tarfile.BLOCKSIZE)
    if header.type == tarfile.GNUTYPE_LONGLINK:
        return {}
    if header.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": content.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")}
    return dict(_pax_records(content, stream.path))


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
            raise ArchiveError(f"{path}: a damaged extended header. {WRITE_AGAIN}")
        record = content[len(length) + 1 : int(length)].rstrip(b"\n").decode("utf-8", "surrogateescape")
        key, _, value = record.partition("=")
        yield key, value
        content = content[int(length) :]


def _entry(header: tarfile.TarInfo, extended: Mapping[str, str], *, length: int, path: Path) -> Entry:
    name = extended["path"].rstrip("/") if "path" in extended else header.name
    if header.type == tarfile.GNUTYPE_SPARSE or any(key.startswith("GNU.sparse.") for key in extended):
        raise ArchiveError(f"{path}: {name!r:.200} is a sparse file; an archive holds plain files only. {PACK_AGAIN}")
    modified = _fraction(extended["mtime"]) if "mtime" in extended else float(header.mtime)
    if header.type == tarfile.DIRTYPE:
        return Entry(name=name, size=0, modified=modified, is_directory=True)
    if header.type not in _FILE_TYPES:
        other = _TYPE_NAMES.get(header.type, f"of the unknown type {header.type!r}")
        return Entry(name=name, size=0, modified=modified, other=other)
    size = _whole(extended["size"]) if "size" in extended else header.size
    if not 0 <= size <= length:
        raise ArchiveError(
            f"{path}: {name!r:.200} has {size:,} bytes and {length:,}, as two headers say. {WRITE_AGAIN}"
        )
    return Entry(name=name, size=size, modified=modified)


def _length(header: tarfile.TarInfo, extended: Mapping[str, str]) -> int:
    """How many bytes follow the header before the next one."""
    if header.type == tarfile.DIRTYPE or header.type in _TYPE_NAMES:
        return 0
    return max(0, _whole(extended["size"]) if "size" in extended else header.size)


def _whole(text: str) -> int:
    """A number of an extended header; what is none counts as 0."""
    with contextlib.suppress(ValueError):
        return int(text)
    return 0


def _fraction(text: str) -> float:
    with contextlib.suppress(ValueError):
        return float(text)
    return 0.0
