"""Whether two archives hold the same records, whatever their order; in memory that does not grow with them."""

import json
from collections.abc import Iterable
from pathlib import Path

from xxhash import xxh3_128_intdigest

from cognee_dagster.cogx.unpack import unpack


def same_records(archive: Path, directory: Path, *, workspace: Path) -> bool:
    """Whether a packed archive has the records of an unpacked one, each compared as parsed JSON."""
    unpacked = unpack(archive, workspace)
    return _fingerprints(unpacked) == _fingerprints(directory)


def _fingerprints(directory: Path) -> dict[str, tuple[int, int]]:
    return {path.name: _fingerprint(path.open("rb")) for path in directory.glob("*.jsonl")}


def _fingerprint(lines: Iterable[bytes]) -> tuple[int, int]:
    """Number of records, and a sum that does not depend on their order."""
    count = total = 0
    for line in lines:
        count += 1
        total += xxh3_128_intdigest(json.dumps(json.loads(line), sort_keys=True).encode())
    return count, total
