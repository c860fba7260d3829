"""Batches of about the same size in bytes, whatever a reader holds to be a batch: this bounds the memory."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

# What is made of a piece, several times its size, should fit into the processor's cache.
_PIECE_BYTES = 1 << 20


def pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of at most some 1 MB, or of a single row."""
    for batch in batches:
        rows = max(1, batch.num_rows * _PIECE_BYTES // max(1, batch.nbytes))
        for start in range(0, batch.num_rows, rows):
            yield batch.slice(start, rows)
