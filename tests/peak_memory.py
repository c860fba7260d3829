"""The most memory that this process has held, for programs that tests run."""

import re
import resource
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_mebibytes() -> int:
    """Since this program was started: what ``getrusage`` says counts the process that started it, too, on Linux."""
    if _STATUS.exists():
        found = re.search(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(), flags=re.MULTILINE)
        if found is not None:
            return int(found[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
