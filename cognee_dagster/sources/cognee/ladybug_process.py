"""Opens a dataset's Ladybug file in another process: a damaged page ends the process that reads it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cognee_dagster.errors import StoreBusyError, StoreDamagedError
from cognee_dagster.graph.origin import GraphOrigin
from cognee_dagster.graph.reading_process import open_in_process
from cognee_dagster.graph.source import FileState

if TYPE_CHECKING:  # Arrow comes with it
    from cognee_dagster.graph.reader import GraphReader


@contextmanager
def open_ladybug_graph(path: Path, *, origin: GraphOrigin) -> "Iterator[GraphReader]":
    """Open a dataset's graph file for reading, beside a process that may be writing it.

    Args:
        path: The ``.lbug`` file.
        origin: What the reader says about where the graph comes from.

    Raises, when the reader is first used:
        StoreBusyError: A writer did not let go in time, or changed the file in the middle of reading it.
        StoreFormatError: The file was written by a Ladybug with another storage format, or is no Ladybug file.
        StoreDamagedError: The file, or what was left beside it, is damaged.
    """
    before = FileState.of(path)
    try:
        with open_in_process(partial(_open, path, origin), dataset_name=origin.dataset_name) as reader:
            yield reader
    except StoreDamagedError as error:
        if FileState.of(path) == before:
            raise
        raise StoreBusyError(
            f"Another process changed the graph file {path} while it was being read. Try again when no cognify() or "
            "import is running on this dataset."
        ) from error


def _open(path: Path, origin: GraphOrigin) -> "AbstractContextManager[GraphReader]":
    from cognee_dagster.sources.cognee.ladybug_reader import open_in_own_process  # it imports Ladybug's libraries

    return open_in_own_process(path, origin=origin)
