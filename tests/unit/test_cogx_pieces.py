"""Batches are cut small, whatever a reader hands out."""

import pyarrow as pa

from cognee_dagster.cogx.write.slices import pieces


def test_pieces_have_the_rows_of_the_batches_and_not_too_many_bytes() -> None:
    batch = pa.RecordBatch.from_pydict({"text": ["x" * 100_000] * 100})
    cut = list(pieces([batch, batch.slice(0, 0), batch]))
    assert sum(piece.num_rows for piece in cut) == 200
    assert max(piece.nbytes for piece in cut) < 3_000_000


def test_a_large_row_is_a_piece_of_its_own() -> None:
    batch = pa.RecordBatch.from_pydict({"text": ["x" * 9_000_000] * 3})
    assert [piece.num_rows for piece in pieces([batch])] == [1, 1, 1]
