"""Parquet tables are read in pieces that fit into memory, whatever their cells and their own figures say."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.formats import graphrag_folder, parquet, parquet_rows
from cognee_dagster.sources.formats.tables import num_rows, num_texts, rows_of

TEXTS = pa.array(["a", "b", None, "a"])
KINDS: dict[str, Any] = {
    "text": TEXTS,
    "large": TEXTS.cast(pa.large_string()),
    "bytes": TEXTS.cast(pa.binary()),
    "coded": TEXTS.dictionary_encode(),
    "nothing": pa.nulls(4),
    "number": pa.array([1, None, 3, 4]),
    "fixed": pa.array([b"ab", b"cd", None, b"ef"], pa.binary(2)),
    "money": pa.array([1, 2, 3, None], pa.decimal128(10, 2)),
    "list": pa.array([["x", "y"], None, [], ["x", None]]),
    "lists": pa.array([[["a"], []], None, [None], [["b", "c"]]]),
    "pair": pa.array([["a", "b"], ["c", None], [None, "d"], ["e", "f"]], pa.list_(pa.string(), 2)),
    "map": pa.array([[("k", "v")], None, [], [("a", None)]], pa.map_(pa.string(), pa.string())),
    "struct": pa.array([{"a": "x", "b": [1]}, None, {"a": None, "b": None}, {"a": "y", "b": []}]),
    "a.b": TEXTS,
}
WAYS: dict[str, dict[str, Any]] = {
    "usual": {},
    "new pages": {"data_page_version": "2.0"},
    "plain": {"use_dictionary": False},
    "small pages": {"data_page_size": 1},
    "row groups": {"row_group_size": 3},
    **{codec: {"compression": codec} for codec in ("none", "gzip", "zstd", "lz4")},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_table_reads_as_pyarrow_reads_it_however_it_is_cut(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(pa.table(KINDS), tmp_path / "t.parquet", **WAYS[way])
    expected = [
        {name: value for name, value in row.items() if value is not None}
        for row in pq.read_table(tmp_path / "t.parquet").to_pylist()
    ]
    assert [row for _, row in rows_of(tmp_path / "t.parquet")] == expected
    monkeypatch.setattr(parquet_rows, "_PIECE_BYTES", 1)
    monkeypatch.setattr(parquet, "_BATCH_BYTES", 1)
    assert list(rows_of(tmp_path / "t.parquet")) == [
        (f"t.parquet, row {number}", row) for number, row in enumerate(expected, 1)
    ]


REPEATED = "x" * 100_000


@pytest.mark.parametrize(
    "cells",
    [
        [REPEATED] * 2_000,
        [REPEATED] * 1_000 + [f"{number}{REPEATED}" for number in range(20)],
        [[REPEATED] * 2] * 1_000,
        [{"a": REPEATED}] * 2_000,
    ],
    ids=["text", "dictionary and plain pages", "lists", "structs"],
)
def test_a_text_that_is_there_many_times_is_read_piece_by_piece(cells: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"c": cells}), path, compression="zstd")
    held = pa.total_allocated_bytes()
    most = number = 0
    for batch in parquet.parquet_batches(path):
        number += batch.num_rows
        most = max(most, pa.total_allocated_bytes() - held)
        assert sum(int(parquet_rows._sizes(column).sum()) for column in batch.columns) < 9 << 20
    assert number == len(cells)
    assert most < 64 << 20  # of 200 MB
    assert num_rows(path) == number


READ = """
import sys
from pathlib import Path
from cognee_dagster.sources.formats.tables import rows_of
from tests.peak_memory import peak_mebibytes
before = peak_mebibytes()
assert sum(1 for _ in rows_of(Path(sys.argv[1]))) == 2_000
print(peak_mebibytes() - before)
"""


def test_lists_of_such_a_text_become_values_piece_by_piece(tmp_path: Path) -> None:
    pq.write_table(pa.table({"c": [[REPEATED] * 2] * 2_000}), tmp_path / "t.parquet")
    command = [sys.executable, "-c", READ, str(tmp_path / "t.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 100  # of 400 MB


def test_texts_are_counted_piece_by_piece(tmp_path: Path) -> None:
    pq.write_table(pa.table({"c": [REPEATED, "", None] * 500, "d": pa.nulls(1_500)}), tmp_path / "t.parquet")
    assert num_texts(tmp_path / "t.parquet", "c", "d", "e") == 500


def test_texts_without_a_dictionary_are_read_by_their_mean_length(tmp_path: Path) -> None:
    pq.write_table(pa.table({"c": [f"{number}{REPEATED}" for number in range(400)]}), tmp_path / "t.parquet")
    held = pa.total_allocated_bytes()
    most = max(pa.total_allocated_bytes() - held for _ in parquet.parquet_batches(tmp_path / "t.parquet"))
    assert most < 96 << 20  # of a page of 40 MB


def test_a_column_that_unpacks_to_more_than_is_sound_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"c": ["x" * (1 << 20)] * 8}), path, compression="zstd", use_dictionary=False)
    assert [len(row["c"]) for _, row in rows_of(path)] == [1 << 20] * 8
    monkeypatch.setattr(parquet, "_ALWAYS_ALLOWED", 1 << 20)
    with pytest.raises(GraphFileError, match=r"t\.parquet that unpacks its column c to .* bytes.*row_group_size"):
        list(rows_of(path))


def test_texts_that_say_what_they_share_with_the_one_before_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    encoding = {"use_dictionary": False, "column_encoding": {"c": "DELTA_BYTE_ARRAY"}}
    pq.write_table(pa.table({"c": [REPEATED] * 1_000}), path, **encoding)
    with pytest.raises(GraphFileError, match="encoding DELTA_BYTE_ARRAY, which is not read"):
        list(rows_of(path))


def test_a_row_that_is_too_large_is_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"c": [["a"], ["b"] * 300_000]}), tmp_path / "t.parquet")
    with pytest.raises(GraphFileError, match=r"has a row 2 in t\.parquet of about .* bytes, and one may have"):
        list(rows_of(tmp_path / "t.parquet"))


def test_a_list_of_millions_of_nothings_is_refused_unread(tmp_path: Path) -> None:
    nothing = pa.array([pa.nulls(20_000_000, pa.int8())], pa.list_(pa.int8()))
    pq.write_table(pa.table({"c": nothing}), tmp_path / "t.parquet")
    with pytest.raises(GraphFileError, match="has 20,000,000 values of"):
        list(rows_of(tmp_path / "t.parquet"))


def test_a_file_that_describes_itself_at_length_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(pa.table({f"c{number}": [1] for number in range(100)}), tmp_path / "t.parquet")
    monkeypatch.setattr(parquet, "_MAX_FOOTER", 1_000)
    for read in (num_rows, lambda path: list(rows_of(path))):
        with pytest.raises(GraphFileError, match="describes itself in"):
            read(tmp_path / "t.parquet")


def test_fields_within_fields_count_as_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(pa.table({"c": [{f"f{number}": 1 for number in range(20)}]}), tmp_path / "t.parquet")
    monkeypatch.setattr(parquet, "MAX_COLUMNS", 10)
    with pytest.raises(GraphFileError, match="has 20 columns and fields"):
        list(rows_of(tmp_path / "t.parquet"))


def test_ids_beyond_what_is_kept_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(pa.table({"id": ["1"], "title": ["A"], "text_unit_ids": [["t"]]}), tmp_path / "entities.parquet")
    pq.write_table(pa.table({"source": ["A"], "target": ["A"]}), tmp_path / "relationships.parquet")
    pq.write_table(pa.table({"id": [f"t{n}" for n in range(20)], "text": ["x"] * 20}), tmp_path / "text_units.parquet")
    folder = graphrag_folder.GraphRagFolder.find(tmp_path)
    assert folder is not None
    list(folder.edges())
    monkeypatch.setattr(graphrag_folder, "_MAX_KEPT", 1_000)
    with pytest.raises(GraphFileError, match=r"more ids and titles than are kept \(text_units\.parquet, row 7\)"):
        list(folder.edges())
