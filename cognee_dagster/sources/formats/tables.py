"""Tables as rows of values: CSV and Parquet, read in pieces."""

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cognee_dagster.errors import GraphFileError
from cognee_dagster.graph.counting import counted
from cognee_dagster.sources.formats.damage import WRITE_AGAIN, first_line
from cognee_dagster.sources.formats.opening import COMPRESSED_SUFFIXES, open_bytes
from cognee_dagster.sources.formats.parquet import MAX_COLUMNS, parquet_batches, require_small_footer
from cognee_dagster.sources.formats.parquet_rows import values_of

_TEXT_SUFFIXES = (".csv", ".tsv")
TABLE_SUFFIXES = (
    ".parquet",
    *(kind + compressed for compressed in ("", *COMPRESSED_SUFFIXES) for kind in _TEXT_SUFFIXES),
)
MAX_LINE = 4 << 20  # characters of a line, and of a row of several lines
_MAX_CELLS = 100_000  # of a row
_SEPARATORS = ",;\t|"

Row = dict[str, Any]


def find_table(folder: Path, names: Iterable[str]) -> Path | None:
    """The table of one of these names in a folder.

    Raises:
        GraphFileError: There are several.
    """
    candidates = (folder / f"{name}{suffix}" for name in names for suffix in TABLE_SUFFIXES)
    found = [path for path in candidates if path.is_file()]
    if len(found) > 1:
        raise GraphFileError(f"holds both {found[0].name} and {found[1].name}. Take one out of the folder.")
    return found[0] if found else None


def columns_of(path: Path) -> list[str]:
    """Names of a table's columns."""
    if path.suffix.lower() == ".parquet":
        with _reading_parquet(path):
            require_small_footer(path)
            return list(pq.read_schema(path).names)
    with open_bytes(path) as file:
        return _header(_Lines(file, path), path=path)[0]


def num_rows(path: Path) -> int:
    """How many rows a table has, counted without making values of them.

    Raises:
        GraphFileError: It is not the table that its name says.
    """
    if path.suffix.lower() == ".parquet":
        with _reading_parquet(path):
            require_small_footer(path)
            return int(pq.read_metadata(path).num_rows)
    return sum(1 for _ in _cells(path))


def num_texts(path: Path, *columns: str) -> int:
    """How many rows of a Parquet file have a text that is not empty in one of these columns, of those that it has."""
    there = columns_of(path)
    with _reading_parquet(path):
        batches = parquet_batches(path, without={column for column in there if column not in columns})
        return sum(map(_num_with_text, batches))


def _num_with_text(batch: pa.RecordBatch) -> int:
    has_text = [pc.fill_null(pc.greater(_lengths(column), 0), False) for column in batch.columns]
    return int(pc.sum(reduce(pc.or_, has_text)).as_py() or 0) if has_text else 0


def _lengths(texts: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(texts.type):
        texts = texts.dictionary_decode()
    return pc.utf8_length(texts.cast(pa.string()) if pa.types.is_null(texts.type) else texts)


def require_columns(path: Path, *names: str) -> None:
    """Refuse a table without one of these columns.

    Raises:
        GraphFileError: It has no such column; the message names those that it has.
    """
    there = columns_of(path)
    for name in names:
        if name not in there:
            raise GraphFileError(
                f"has a table {path.name} without a column {name!r}. It has: {', '.join(there) or 'none'}. Write it "
                "again with the program that made it, or add the column."
            )


def keys_in(row: Row, column: str) -> list[Any]:
    """The keys in a cell, which holds one or a list of them; what can be no key is none."""
    cell = row.get(column)
    return [key for key in (cell if isinstance(cell, list) else [cell]) if isinstance(key, (str, int))]


def rows_of(path: Path, *, without: Collection[str] = ()) -> Iterator[tuple[str, Row]]:
    """The rows of a table by column, each with its place for error messages; cells without a value are left out.

    Args:
        path: The table.
        without: Columns of a Parquet file that are not read.

    Raises:
        GraphFileError: A row has more cells than the table has columns, or is not text.
    """
    return _parquet_rows(path, without) if path.suffix.lower() == ".parquet" else _csv_rows(path)


def _parquet_rows(path: Path, without: Collection[str]) -> Iterator[tuple[str, Row]]:
    table, number = path.name, 0
    _require_distinct(columns_of(path), path)
    with _reading_parquet(path):
        for batch in parquet_batches(path, without=without):
            names = batch.schema.names
            for values in zip(*map(values_of, batch.columns), strict=True):
                number += 1
                row = {name: value for name, value in zip(names, values, strict=True) if value is not None}
                yield f"{table}, row {number}", row


@contextmanager
def _reading_parquet(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise GraphFileError(
            f"has a table {path.name} that is no Parquet file, or a damaged one: {first_line(error)}. {WRITE_AGAIN}"
        ) from error


def _csv_rows(path: Path) -> Iterator[tuple[str, Row]]:
    table, names = path.name, columns_of(path)
    for line, cells in _cells(path):
        if len(cells) > len(names):
            raise GraphFileError(
                f"has {counted(len(cells), 'cell')} in line {line} of {table}, for {counted(len(names), 'column')}. "
                "Put values that contain the separator in quotes."
            )
        yield f"{table}, line {line}", {name: cell for name, cell in zip(names, cells, strict=False) if cell}


def _cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file below its header, with the number of the line where each ends; without empty lines."""
    with open_bytes(path) as file:
        lines = _Lines(file, path)
        _, separator = _header(lines, path=path)
        lines.separator = separator
        lines.row_ended()
        # Strict, or a quote that nobody closes would swallow all rows behind it.
        rows = csv.reader(lines, delimiter=separator, strict=True)
        try:
            for cells in rows:
                lines.row_ended()
                if cells:
                    yield rows.line_num + 1, cells
        except csv.Error as error:
            line = rows.line_num + 1
            raise GraphFileError(f"has a line {line} in {path.name} that is not CSV: {error}. Correct it.") from error
        except UnicodeDecodeError as error:
            raise _not_text(path) from error


class _Lines:
    """The lines of a CSV file, none of which can fill the memory, nor can a row that never ends.

    Raises:
        GraphFileError: When they are read: a line or a row is too long.
    """

    separator: str | None = None  # when it is known

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._text = io.TextIOWrapper(file, "utf-8-sig", newline="")
        self._path = path
        self._number = 0
        self.row_ended()

    def row_ended(self) -> None:
        """What comes next belongs to another row."""
        self._length = self._cells = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_LINE)
        if not line:
            raise StopIteration
        self._number += 1
        self._length += len(line)
        self._cells += line.count(self.separator) if self.separator is not None else 0
        if len(line) == MAX_LINE and not line.endswith(("\n", "\r")):
            raise self._too_long(f"more than {MAX_LINE:,} characters")
        if self._length > MAX_LINE:
            raise self._too_long(f"a row that ends in it of more than {MAX_LINE:,} characters")
        if self._cells > _MAX_CELLS:
            raise self._too_long(f"more than {_MAX_CELLS:,} cells")
        return line

    def _too_long(self, what: str) -> GraphFileError:
        return GraphFileError(
            f"has a line {self._number} in {self._path.name} of {what}. Correct it, or write the table as Parquet."
        )


def _not_text(path: Path) -> GraphFileError:
    return GraphFileError(f"has a table {path.name} that is not UTF-8. Save it as UTF-8.")


def _header(lines: Iterator[str], *, path: Path) -> tuple[list[str], str]:
    try:
        first = next(lines, "")
    except UnicodeDecodeError as error:
        raise _not_text(path) from error
    separator = max(_SEPARATORS, key=first.count)
    try:
        names = [name.strip() for name in next(csv.reader([first], delimiter=separator), [])]
    except csv.Error as error:
        raise GraphFileError(f"has a header in {path.name} that is not CSV: {error}. Correct it.") from error
    _require_distinct(names, path)
    return names, separator


def _require_distinct(names: list[str], path: Path) -> None:
    if len(names) > MAX_COLUMNS:
        raise GraphFileError(
            f"has a table {path.name} of {len(names):,} columns, and at most {MAX_COLUMNS:,} are read. Write fewer."
        )
    if twice := next((name for name, number in Counter(names).items() if number > 1), None):
        raise GraphFileError(f"has a table {path.name} with two columns called {twice!r}. Rename one.")
