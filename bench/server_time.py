"""Time on a processor of a server with all processes that it starts."""

import os
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(session: int) -> float:
    """What the processes of a session have taken so far, those that have ended and were waited for included."""
    return sum(_ticks(process, session) for process in filter(str.isdecimal, os.listdir(_PROC))) / _TICKS


def _ticks(process: str, session: int) -> int:
    try:
        fields = (_PROC / process / "stat").read_text().rpartition(")")[2].split()
    except OSError:  # it ended
        return 0
    return sum(map(int, fields[11:15])) if int(fields[3]) == session else 0  # user, system, and both of children
