"""Reading an archive in tests with nothing but the standard library: what is checked must not check itself."""

import json
import tarfile
from collections import Counter
from pathlib import Path


def records_of(archive: Path) -> dict[str, Counter[str]]:
    """Records by file name, order apart."""
    with tarfile.open(archive) as tar:
        members = {member.name: tar.extractfile(member) for member in tar if member.name.endswith(".jsonl")}
        return {
            name: Counter(json.dumps(json.loads(line), sort_keys=True) for line in file)
            for name, file in members.items()
            if file is not None
        }
