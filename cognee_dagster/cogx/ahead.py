"""``map`` on other threads, in order, a bounded number of items ahead.

Encoding happens in Arrow, reading in Ladybug and compressing in ISA-L, all of them outside of Python's lock: with
threads the three overlap, and no process has to be started or fed.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import pyarrow as pa

Item = TypeVar("Item")
Result = TypeVar("Result")

_THREADS = 2
# Batches that wait, encoded or not, while the caller is busy with one: this bounds the memory.
_AHEAD = 2
# A batch is taken in pieces of this size: encoding one needs several times its size.
_PIECE_BYTES = 2 << 20


def pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of about the same size in bytes, whatever a reader holds to be a batch."""
    for batch in batches:
        rows = max(1, batch.num_rows * _PIECE_BYTES // max(1, batch.nbytes))
        for start in range(0, batch.num_rows, rows):
            yield batch.slice(start, rows)


def map_ahead(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Results of ``function`` in the order of ``items``, which are taken from this thread.

    Raises:
        Exception: Whatever ``function`` or ``items`` raise.
    """
    pending: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="cogx-encode") as pool:
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                del item  # or it would stay in memory while the next one is read
                if len(pending) > _AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
