"""Multipart bodies of any size in flat memory: the body goes to disk first, its parts are slices of that file."""

import hashlib
import io
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO, Protocol

BLOCK = 1 << 18
_NAME = re.compile(r'\bname="((?:[^"\\]|\\.)*)"')
_FILENAME = re.compile(r'\bfilename="((?:[^"\\]|\\.)*)"')


class Readable(Protocol):
    """What a request's body is read from."""

    def read(self, size: int = -1, /) -> bytes: ...

    def readline(self, size: int = -1, /) -> bytes: ...


class IncompleteBodyError(Exception):
    """The client went away before its whole body was there."""


class MalformedBodyError(Exception):
    """A multipart body that is none."""


class Slice(io.RawIOBase):
    """A read-only, seekable window on a file, so that a tar reader sees one part's bytes and nothing after them."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._start, self._size, self._position = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # the stdlib types it as WriteableBuffer
        self._file.seek(self._start + self._position)
        block = self._file.read(min(len(buffer), max(0, self._size - self._position)))
        buffer[: len(block)] = block
        self._position += len(block)
        return len(block)


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One file of a request."""

    field: str
    filename: str
    size: int
    sha256: str
    content: Slice


@dataclass(frozen=True, kw_only=True)
class Form:
    """The fields (last value wins, as for the server's scalar fields) and files of a request."""

    fields: dict[str, str]
    uploads: tuple[Upload, ...]


def spool(source: Readable, *, length: int | None) -> BinaryIO:
    """The whole body on disk. ``length`` None: chunked transfer encoding.

    Raises:
        IncompleteBodyError: The connection ended before the body did.
    """
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the request
    try:
        for block in body_blocks(source, length=length):
            file.write(block)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def body_blocks(source: Readable, *, length: int | None) -> Iterator[bytes]:
    """A body's bytes in blocks; chunks are decoded. ``length`` None: chunked transfer encoding.

    Raises:
        IncompleteBodyError: The connection ended before the body did.
    """
    return _counted(source, length) if length is not None else _chunked(source)


def _counted(source: Readable, length: int) -> Iterator[bytes]:
    while length:
        block = source.read(min(BLOCK, length))
        if not block:
            raise IncompleteBodyError
        length -= len(block)
        yield block


def _chunked(source: Readable) -> Iterator[bytes]:
    while True:
        header = source.readline(1024)
        if not header.endswith(b"\n"):
            raise IncompleteBodyError
        size = int(header.split(b";")[0], 16)
        yield from _counted(source, size)
        if not source.readline(1024):
            raise IncompleteBodyError
        if size == 0:
            return


def parse(body: BinaryIO, content_type: str) -> Form:
    """The parts of a spooled ``multipart/form-data`` body.

    Raises:
        MalformedBodyError: No boundary, or a part without a name.
    """
    match = re.search(r'boundary="?([^";,]+)"?', content_type)
    if match is None:
        raise MalformedBodyError
    marks = list(_find_all(body, b"--" + match.group(1).encode("latin-1")))
    fields: dict[str, str] = {}
    uploads: list[Upload] = []
    for mark, end in pairwise(marks):
        start = mark + len(match.group(1)) + 4  # past the mark, its dashes and its line break
        head, head_size = _part_head(body, start)
        name = _NAME.search(head)
        if name is None:
            raise MalformedBodyError
        first, size = start + head_size, end - 2 - start - head_size
        filename = _FILENAME.search(head)
        if filename is None:
            body.seek(first)
            fields[name.group(1)] = body.read(size).decode()
        else:
            content = Slice(body, first, size)
            digest = _sha256(content)
            uploads.append(
                Upload(field=name.group(1), filename=filename.group(1), size=size, sha256=digest, content=content)
            )
    return Form(fields=fields, uploads=tuple(uploads))


def _part_head(body: BinaryIO, start: int) -> tuple[str, int]:
    body.seek(start)
    head, separator, _ = body.read(8192).partition(b"\r\n\r\n")
    if not separator:
        raise MalformedBodyError
    return head.decode(), len(head) + len(separator)


def _find_all(body: BinaryIO, needle: bytes) -> Iterator[int]:
    """Where ``needle`` begins a line of ``body`` (or the body itself); blocks overlap, so that no hit is cut in two."""
    body.seek(0)
    carried, offset = b"\r\n", -2
    needle = b"\r\n" + needle
    while block := body.read(BLOCK):
        window = carried + block
        at = window.find(needle)
        while at >= 0:
            yield offset + at + 2
            at = window.find(needle, at + 1)
        carried = window[-(len(needle) - 1) :]
        offset += len(window) - len(carried)
        body.seek(offset + len(carried))  # a consumer may have moved the file


def _sha256(content: Slice) -> str:
    digest = hashlib.sha256()
    while block := content.read(BLOCK):
        digest.update(block)
    content.seek(0)
    return digest.hexdigest()
