"""Parquet files in batches that fit into memory, whatever their cells hold.

A text that stands a million times in a column may be there once in the file, in a dictionary: how many rows are read at
once follows the longest text in it, and lists of texts are read as dictionaries.
"""

from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.formats.opening import MAX_GROWTH
from cognee_dagster.sources.formats.parquet_rows import pieces

MAX_COLUMNS = 10_000
_MAX_FOOTER = 8 << 20
_MAX_ROWS = 4_096
_BATCH_BYTES = 16 << 20  # of a column
_ALWAYS_ALLOWED = 64 << 20  # bytes of a column in a row group
_MAX_LIST_BYTES = 192 << 20  # of a column of lists in a row group, of which all may be held
_MAX_LIST_VALUES = 8 << 20
_PREFIXED = (
    "DELTA_BYTE_ARRAY"  # says of each text what it shares with the one before, so that a few bytes may be a long text
)
_BUFFER_BYTES = 1 << 16


def parquet_batches(path: Path, *, without: Collection[str] = ()) -> Iterator[pa.RecordBatch]:
    """Batches of at most some megabytes as Python's values, or of a single row; texts in lists are dictionaries.

    Args:
        path: The file.
        without: Columns that are not read.

    Raises:
        GraphFileError: A row, or what is unpacked to read it, is larger than is sound.
        pyarrow.ArrowException: It is no Parquet file, or a damaged one.
    """
    require_small_footer(path)
    metadata = pq.read_metadata(path)
    leaves = [metadata.schema.column(number) for number in range(len(metadata.schema))]
    names = [name for name in metadata.schema.to_arrow_schema().names if name not in without]
    if len(leaves) > MAX_COLUMNS:
        raise _too_large(path, f"has {len(leaves):,} columns and fields, of {MAX_COLUMNS:,} that are read")
    listed = [leaf.path for leaf in leaves if leaf.max_repetition_level and leaf.physical_type == "BYTE_ARRAY"]
    before = 0
    for group in range(metadata.num_row_groups):
        # One reader each: a dictionary that it has begun is never forgotten.
        with pq.ParquetFile(path, read_dictionary=listed, buffer_size=_BUFFER_BYTES) as file:
            rows = min(
                (
                    _rows_at_once(path, metadata, group, number)
                    for number, leaf in enumerate(leaves)
                    if _is_read(leaf, names)
                ),
                default=_MAX_ROWS,
            )
            for batch in file.iter_batches(batch_size=rows, row_groups=[group], columns=names):
                yield from pieces(batch, path, before=before)
                before += batch.num_rows


def require_small_footer(path: Path) -> None:
    """Refuse a file whose description alone would fill the memory.

    Raises:
        GraphFileError: It is too long.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 8))
        length, magic = int.from_bytes(file.read(4), "little"), file.read(4)
    if magic == b"PAR1" and length > _MAX_FOOTER:
        raise _too_large(path, f"describes itself in {length:,} bytes, of {_MAX_FOOTER:,} that are read")


def _is_read(leaf: pq.ColumnSchema, names: Collection[str]) -> bool:
    parts = leaf.path.split(".")  # a column's own name may have dots, and this is how pyarrow finds it
    return any(".".join(parts[:length]) in names for length in range(1, len(parts) + 1))


def _rows_at_once(path: Path, metadata: pq.FileMetaData, group: int, number: int) -> int:
    """How many rows of a row group are read at once for the sake of a column."""
    chunk, leaf = metadata.row_group(group).column(number), metadata.schema.column(number)
    name = chunk.path_in_schema
    packed: int = chunk.total_compressed_size
    unpacked: int = chunk.total_uncompressed_size
    if unpacked > max(_ALWAYS_ALLOWED, MAX_GROWTH * packed):
        raise _too_large(path, f"unpacks its column {name} to {unpacked:,} bytes, from {packed:,}")
    if _PREFIXED in chunk.encodings:
        raise _too_large(path, f"has its column {name} in the encoding {_PREFIXED}, which is not read")
    num_rows: int = max(1, metadata.row_group(group).num_rows)
    size = unpacked // num_rows + 1
    if leaf.max_repetition_level:
        if unpacked > _MAX_LIST_BYTES or chunk.num_values > _MAX_LIST_VALUES:
            raise _too_large(
                path, f"has {chunk.num_values:,} values of {unpacked:,} bytes in lists of its column {name}"
            )
        size += 16 * int(chunk.num_values) // num_rows
    elif leaf.physical_type == "BYTE_ARRAY" and chunk.has_dictionary_page:
        size = max(size, _longest_in_dictionary(path, group, name))
    elif leaf.physical_type == "FIXED_LEN_BYTE_ARRAY":
        size = max(size, int(leaf.length))
    return max(1, min(_MAX_ROWS, _BATCH_BYTES // size))


def _longest_in_dictionary(path: Path, group: int, column: str) -> int:
    """The length of the longest text in a column's dictionary, of which the first row brings all."""
    with pq.ParquetFile(path, read_dictionary=[column], buffer_size=_BUFFER_BYTES) as file:
        first = next(file.iter_batches(batch_size=1, row_groups=[group], columns=[column]), None)
    values = first.column(0) if first is not None and first.num_columns else None
    while values is not None and pa.types.is_struct(values.type):
        values = values.field(0)
    if values is None or not pa.types.is_dictionary(values.type):
        return 1
    return int(pc.max(pc.binary_length(values.dictionary)).as_py() or 1)


def _too_large(path: Path, what: str) -> GraphFileError:
    return GraphFileError(
        f"has a table {path.name} that {what}. Leave out columns, write it with smaller row groups "
        "(row_group_size=10_000 in pandas and pyarrow), or write it as CSV."
    )
