"""The records of an archive, read with Python's own library, in memory that does not grow with them."""

import hashlib
import json
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from xxhash import xxh3_128_intdigest

_BLOCK_BYTES = 1 << 20


def same_records(archive: Path, other: Path) -> bool:
    """Whether two packed archives hold the same records, whatever their order; each compared as parsed JSON."""
    return _fingerprints(archive) == _fingerprints(other)


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def unpack_records(archive: Path, directory: Path) -> None:
    """Write the record files of an archive of any size into a directory, which is made."""
    directory.mkdir()
    for name, content in _record_files(archive):
        with (directory / name).open("wb") as file:
            shutil.copyfileobj(content, file, _BLOCK_BYTES)


def _record_files(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is not None and member.name.endswith(".jsonl"):
                yield PurePosixPath(member.name).name, content


def _fingerprints(archive: Path) -> dict[str, tuple[int, int]]:
    """By file; one without records is as good as none."""
    found = {name: _fingerprint(content) for name, content in _record_files(archive)}
    return {name: fingerprint for name, fingerprint in found.items() if fingerprint[0]}


def _fingerprint(lines: Iterable[bytes]) -> tuple[int, int]:
    """Number of records, and a sum that does not depend on their order."""
    count = total = 0
    for line in lines:
        count += 1
        total += xxh3_128_intdigest(json.dumps(json.loads(line), sort_keys=True).encode())
    return count, total
