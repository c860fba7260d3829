"""How much memory a Ladybug file may take, whatever its pages say: a damaged length would take all that there is."""

import contextlib
import resource
from pathlib import Path

# What Ladybug reserves of the address space when it opens a file, and does not use (its own default, 0.19).
RESERVED_BYTES = 1 << 43
_ALLOWANCE_BYTES = 3 << 30  # of address space, of which Arrow alone reserves more than half
_POOL_BYTES = 1 << 30
_POOL_TO_FILE = 4  # equal strings are stored once


def bound_memory(path: Path) -> None:
    """Let no more memory be taken by this process than reading such a file can need; then Ladybug fails by itself.

    For a process that does nothing else. Only the buffer pool lies in what was reserved: see ``largest_pool``.
    """
    limit = RESERVED_BYTES + _ALLOWANCE_BYTES + _size(path)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY:
        limit = min(limit, most)
    with contextlib.suppress(OSError, ValueError):  # a system without such a limit
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))


def largest_pool(path: Path) -> int:
    """The most that one node, or all edges of one, can take in the buffer pool."""
    return max(_POOL_BYTES, _POOL_TO_FILE * _size(path))


def _size(path: Path) -> int:
    """What the disk holds of it: holes may make any number of a damaged file's length."""
    try:
        return path.stat().st_blocks * 512
    except OSError:
        return 0
