"""Rows of Parquet tables in pieces that are small as Python's values, too."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cognee_dagster.errors import GraphFileError

_PIECE_BYTES = 8 << 20
_MAX_ROW_BYTES = 16 << 20
_VALUE_BYTES = 60
_TEXTS = {pa.string(), pa.binary(), pa.large_string(), pa.large_binary()}
_Sizes = np.ndarray[Any, np.dtype[np.int64]]


def pieces(batch: pa.RecordBatch, path: Path, *, before: int) -> Iterator[pa.RecordBatch]:
    """A batch cut into pieces of some megabytes, or of a single row.

    Args:
        batch: Its texts may be dictionaries.
        path: Of which file.
        before: How many rows there are before it.

    Raises:
        GraphFileError: A row is too large.
    """
    sizes = sum((_sizes(column) for column in batch.columns), start=np.zeros(batch.num_rows, np.int64))
    if len(sizes) and (most := int(sizes.max())) > _MAX_ROW_BYTES:
        raise GraphFileError(
            f"has a row {before + int(sizes.argmax()) + 1:,} in {path.name} of about {most:,} bytes, and one may have "
            f"{_MAX_ROW_BYTES:,}. Shorten it, or leave out columns."
        )
    ends, start = np.cumsum(sizes), 0
    while start < batch.num_rows:
        full = (ends[start - 1] if start else 0) + _PIECE_BYTES
        stop = max(start + 1, int(np.searchsorted(ends, full, side="right")))
        yield batch.slice(start, stop - start)
        start = stop


def values_of(column: pa.Array) -> list[Any]:
    """A column as Python's values."""
    if (plain := _plain(column.type)) != column.type:
        # A cast would otherwise decode what a list has beyond the piece, too.
        part = column.take(pa.array(range(len(column))))
        column = part.dictionary_decode() if pa.types.is_dictionary(part.type) else part.cast(plain)
    values: list[Any] = column.to_pylist()
    return values


def _plain(kind: pa.DataType) -> pa.DataType:
    """A type without dictionaries, of which values are made one by one; in structs and maps they stay."""
    if pa.types.is_dictionary(kind):
        return kind.value_type
    if pa.types.is_list(kind):
        return pa.list_(_plain(kind.value_type))
    return pa.large_list(_plain(kind.value_type)) if pa.types.is_large_list(kind) else kind


def _sizes(values: pa.Array) -> _Sizes:  # noqa: PLR0911 - a return for each kind of type
    """How large each value is as Python's, about."""
    kind = values.type
    sizes = np.full(len(values), _VALUE_BYTES, np.int64)
    if pa.types.is_dictionary(kind):
        return sizes + _known(pc.take(pc.binary_length(values.dictionary), values.indices))
    if pa.types.is_struct(kind):
        return sum(map(_sizes, values.flatten()), start=sizes)
    if pa.types.is_fixed_size_list(kind):
        inner = values.values.slice(values.offset * kind.list_size, len(values) * kind.list_size)
        each: _Sizes = _sizes(inner).reshape(len(values), kind.list_size).sum(axis=1)
        return sizes + each
    if pa.types.is_map(kind):
        return sizes + _in_lists(values, _sizes(values.keys) + _sizes(values.items))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return sizes + _in_lists(values, _sizes(values.values))
    if kind in _TEXTS:
        return sizes + _known(pc.binary_length(values))
    mean: int = -(-values.nbytes // max(1, len(values)))
    return sizes + mean


def _in_lists(lists: pa.Array, sizes: _Sizes) -> _Sizes:
    before = np.concatenate([[0], np.cumsum(sizes)])
    return np.diff(before[_numbers(lists.offsets.cast(pa.int64()))])


def _known(lengths: pa.Array) -> _Sizes:
    return _numbers(pc.fill_null(lengths, 0).cast(pa.int64()))


def _numbers(array: pa.Array) -> _Sizes:
    """The numbers of an array without nulls; pyarrow's own way imports pandas."""
    if not len(array):
        return np.zeros(0, np.int64)
    return np.frombuffer(array.buffers()[1], np.int64, len(array), 8 * array.offset)
