"""Batches are cut small, and worked on a bounded number ahead."""

import pyarrow as pa
import pytest

from cognee_dagster.cogx.ahead import map_ahead, pieces


def test_pieces_have_the_rows_of_the_batches_and_not_too_many_bytes() -> None:
    batch = pa.RecordBatch.from_pydict({"text": ["x" * 100_000] * 100})
    cut = list(pieces([batch, batch.slice(0, 0), batch]))
    assert sum(piece.num_rows for piece in cut) == 200
    assert max(piece.nbytes for piece in cut) < 3_000_000
    assert [piece.num_rows for piece in pieces([pa.RecordBatch.from_pydict({"text": ["x" * 9_000_000] * 3})])] == [
        1
    ] * 3


def test_results_come_in_order_and_errors_come_through() -> None:
    assert list(map_ahead(str, range(100))) == [str(number) for number in range(100)]
    with pytest.raises(ZeroDivisionError):
        list(map_ahead(lambda number: 1 // number, [2, 1, 0, 1]))


def test_no_more_items_are_taken_than_are_needed_soon() -> None:
    taken: list[int] = []
    results = map_ahead(str, (taken.append(number) or number for number in range(100)))  # type: ignore[func-returns-value]
    next(results)
    assert len(taken) <= 4
    results.close()  # type: ignore[attr-defined]
