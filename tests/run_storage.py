"""Where a secret stands in what Dagster keeps: in files as they are, and in what its databases hold compressed.

Dagster packs the snapshots of jobs and plans with zlib, so that looking through the files' bytes does not see them.
"""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

_SQLITE = b"SQLite format 3\0"


def places_holding(text: str, directory: Path) -> list[str]:
    """The files below a directory, and the tables of SQLite databases in it, in which a text stands.

    Args:
        text: What is looked for.
        directory: Where.
    """
    found: list[str] = []
    for path in directory.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        found += [str(path)] if text.encode() in data else []
        if data.startswith(_SQLITE):
            found += [f"{path}: {table}" for table, cell in unpacked_cells(path) if text.encode() in cell]
    return found


def unpacked_cells(database: Path) -> Iterator[tuple[str, bytes]]:
    """What a database holds compressed, unpacked, with the table that it is in."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                for cell in row:
                    if isinstance(cell, bytes):
                        try:
                            yield table, zlib.decompress(cell)
                        except zlib.error:
                            continue
