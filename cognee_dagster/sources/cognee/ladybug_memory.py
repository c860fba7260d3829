"""How much memory a Ladybug file may take, whatever its pages say: a damaged length would take all that there is."""

import contextlib
import os
import resource
from pathlib import Path

import pyarrow as pa

# What Ladybug reserves of the address space when it opens a file, and does not use (its own default, 0.19).
RESERVED_BYTES = 1 << 43
_BOOKS_BYTES = 256 << 20  # about them; seen with Ladybug 0.19
_STACK_BYTES = 8 << 20  # of a thread; Arrow may start one for each processor
_AT_WORK_BYTES = 384 << 20  # with what the libraries take, 512 MiB in all for a small file
_POOL_BYTES = 1 << 30
_USUAL_POOL_BYTES = 64 << 20
_TO_POOL = 4  # the pool itself, and a result of that size once more in Arrow, while pieces of it are put together
_TO_FILE = 4  # equal strings are stored once
_AT_WORK_TO_FILE = 16  # and a result may be there several times, in pieces and as a whole
_ADDRESS_SPACE = Path("/proc/self/statm")


def bound_memory(path: Path, pool_bytes: int) -> None:
    """Let no more memory be taken by this process than reading such a file can need; then Ladybug fails by itself.

    For a process that does nothing else, before it opens the file.

    Args:
        path: The ``.lbug`` file.
        pool_bytes: Its buffer pool, and so the largest result that is then made Arrow; see ``largest_pool``.
    """
    pa.allocate_buffer(64)  # Arrow reserves a gigabyte with its first value, and uses it later
    stacks = _STACK_BYTES * ((os.cpu_count() or 1) + 4)
    at_work = _AT_WORK_BYTES + _AT_WORK_TO_FILE * _size(path) + _TO_POOL * max(pool_bytes - _USUAL_POOL_BYTES, 0)
    limit = _in_use() + RESERVED_BYTES + _BOOKS_BYTES + stacks + at_work
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY:
        limit = min(limit, most)
    with contextlib.suppress(OSError, ValueError):  # a system without such a limit
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))


def _in_use() -> int:
    """The address space that this process has."""
    try:
        return int(_ADDRESS_SPACE.read_text().split()[0]) * resource.getpagesize()
    except OSError:  # no Linux
        return 2 << 30


def largest_pool(path: Path) -> int:
    """The most that one node, or all edges of one, can take in the buffer pool."""
    return max(_POOL_BYTES, _TO_FILE * _size(path))


def _size(path: Path) -> int:
    """What the disk holds of it: holes may make any number of a damaged file's length."""
    try:
        return path.stat().st_blocks * 512
    except OSError:
        return 0
