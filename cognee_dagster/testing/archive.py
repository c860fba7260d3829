"""Reads a COGX archive as Cognee's import does, with code of its own: never the writer's, which it helps to judge.

Behaviour: Cognee 1.6.5, ``modules/migration/archive.py`` (unpacking and its limits), ``cogx.py`` (records), and what a
running server answered to damaged archives.
"""

import json
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from cognee_dagster.testing.multipart import Slice

MIB = 1024 * 1024
RECORD_FILES = {
    "document": "documents.jsonl",
    "episode": "episodes.jsonl",
    "entity": "entities.jsonl",
    "fact": "facts.jsonl",
    "memory": "memories.jsonl",
    "memory_block": "memory_blocks.jsonl",
}
RAW_NODES_FILE = "nodes.jsonl"
_REQUIRED_TEXT = {
    "document": ("external_id", "content"),
    "episode": ("external_id",),
    "entity": ("external_id", "name"),
    "fact": ("external_id", "subject_ref", "predicate", "object_ref"),
    "memory": ("external_id", "content"),
    "memory_block": ("external_id", "label", "value"),
}
Record = dict[str, Any]


class InvalidArchiveError(Exception):
    """Answered with 400 "Invalid COGX archive."."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the server unpacks at most."""

    members: int = 100_000
    member_bytes: int = 512 * MIB
    total_bytes: int = 2048 * MIB


@dataclass(frozen=True, kw_only=True)
class Archive:
    """An unpacked archive; its records can be read again and again."""

    root: Path
    source_system: str
    social_layer: dict[str, Any]

    def records(self) -> Iterator[tuple[str, Record]]:
        """``(kind, record)`` of every line, in the server's order: record files, then raw nodes.

        Raises:
            InvalidArchiveError: A line that is not a valid record.
        """
        for record in self._typed_records():
            yield validate(record)
        for line in self._lines(RAW_NODES_FILE):
            yield "raw_node", _parse(line)

    def facts(self) -> Iterator[Record]:
        """The facts, once ``records`` has found every line to be valid."""
        return (record for record in self._typed_records() if record["kind"] == "fact")

    def _typed_records(self) -> Iterator[Record]:
        for kind, name in RECORD_FILES.items():
            for line in self._lines(name):
                record = _parse(line)
                record.setdefault("kind", kind)
                yield record

    def _lines(self, name: str) -> Iterator[bytes]:
        path = self.root / name
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as lines:
                yield from (stripped for line in lines if (stripped := line.strip()))


@contextmanager
def unpacked(content: Slice, *, limits: Limits) -> Iterator[Archive]:
    """The archive, unpacked for as long as the context lasts.

    Raises:
        InvalidArchiveError: Not an archive, unsafe, beyond the limits, or without a readable manifest.
        EOFError: A truncated gzip stream, which the server does not recognise as a bad archive.
    """
    with tempfile.TemporaryDirectory(prefix="fake-remote-") as directory:
        try:
            _extract(cast(IO[bytes], content), Path(directory), limits)
        except tarfile.TarError as error:
            raise InvalidArchiveError(str(error)) from error
        root = _root(Path(directory))
        manifest = _parse((root / "manifest.json").read_bytes())
        _check(manifest)
        social = root / "permissions.json"
        yield Archive(
            root=root,
            source_system=str(manifest.get("source_system", "unknown")),
            social_layer=json.loads(social.read_text()) if social.is_file() else {},
        )


def _extract(content: IO[bytes], directory: Path, limits: Limits) -> None:
    members = declared = 0
    with tarfile.open(fileobj=content, mode="r:*") as tar:
        for member in tar:
            members += 1
            path = Path(member.name)
            if members > limits.members or path.is_absolute() or ".." in path.parts:
                raise InvalidArchiveError(f"unsafe path, or more than {limits.members} members")
            if not (member.isfile() or member.isdir()):
                continue
            declared += member.size
            if member.size > limits.member_bytes or declared > limits.total_bytes:
                raise InvalidArchiveError("beyond the size limits")
            tar.extract(member, directory, filter="data")


def _root(directory: Path) -> Path:
    if (directory / "manifest.json").exists():
        return directory
    folders = [path for path in directory.iterdir() if path.is_dir()]
    if len(folders) == 1 and (folders[0] / "manifest.json").exists():
        return folders[0]
    raise InvalidArchiveError("no manifest")


def _check(manifest: Record) -> None:
    version = manifest.get("cogx_version", "0.1")
    counts = manifest.get("counts", {})
    if not isinstance(version, str) or not re.match(r"0*(?:\.|$)", version):
        raise InvalidArchiveError(f"cogx_version {version!r} is none that this reader knows")
    if not isinstance(counts, dict) or not all(isinstance(count, int) for count in counts.values()):
        raise InvalidArchiveError("counts that are no numbers")


def _parse(line: bytes) -> Record:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # NaN and Infinity, which Python's parser takes
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidArchiveError(str(error)) from error
    if not isinstance(value, dict):
        raise InvalidArchiveError("a line that is no object")
    return cast(Record, value)


def validate(record: Record) -> tuple[str, Record]:
    """The record with its kind.

    Raises:
        InvalidArchiveError: A missing field, or one of the wrong type.
    """
    kind = record["kind"]
    if kind == "raw_node":
        return kind, record.get("properties") or {}
    required = _REQUIRED_TEXT.get(kind)
    if required is None:
        raise InvalidArchiveError(f"kind {kind!r}")
    for name in required:
        if not isinstance(record.get(name), str):
            raise InvalidArchiveError(f"{kind} without {name}")
    for name, value in record.items():
        fits = _FITTING.get(name)
        if fits is not None and not fits(value):
            raise InvalidArchiveError(f"{kind} with a wrong {name}")
    return kind, record


def _is_text(value: object) -> bool:
    return isinstance(value, str | None)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | None)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_moment(value: object) -> bool:
    if isinstance(value, str):
        try:
            datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            return False
        return True
    return isinstance(value, int | float | None)


# What an optional field must be like, whatever the kind of its record.
_FITTING: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(("title", "mime_type", "entity_type", "description", "fact_text"), _is_text),
    **dict.fromkeys(("created_at", "updated_at", "valid_at", "invalid_at"), _is_moment),
    **dict.fromkeys(("aliases", "provenance", "categories"), _is_texts),
    **dict.fromkeys(("metadata", "attributes", "scope"), _is_object),
    "external_system": lambda value: isinstance(value, str),
    "confidence": _is_number,
}
