"""What a command shows: one JSON object or words on standard output, everything else on standard error.

rich is imported where something moves on a terminal, and only there: it costs as much as to export a small graph.
"""

import contextlib
import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from cognee_dagster.cogx.write.writer import Progress as ExportProgress


def print_json(value: Mapping[str, Any]) -> None:
    """The one JSON object of ``--json``."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def stderr_console() -> "Console":
    """Made anew each time, so that a redirected ``sys.stderr`` is respected."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


class Bars:
    """Progress bars for export and upload; they show nothing unless standard error is a terminal."""

    def __init__(self, progress: "Progress | None") -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._part = ""

    def export(self, state: "ExportProgress") -> None:
        """A ``progress`` for ``write_archive`` and ``cut``."""
        self._show(f"export: {state.phase}", done=state.done, total=state.total)

    def upload(self, sent: int, total: int) -> None:
        """A ``progress`` for ``push_archives``; called from the upload's thread."""
        self._show(f"upload: {self._part}bytes", done=sent, total=total)

    def part(self, number: int, total: int) -> None:
        """An ``on_part`` for ``push_archives``: what the next upload's bar is of."""
        self._part = f"archive {number} of {total}: " if total > 1 else ""

    def _show(self, what: str, *, done: int, total: int | None) -> None:
        if self._progress is None:
            return
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=None)
        self._progress.update(self._tasks[what], completed=done, total=total)


@contextlib.contextmanager
def progress_bars() -> Iterator[Bars]:
    """Bars, and the engine's messages above them."""
    if not sys.stderr.isatty():
        with log_to_stderr():
            yield Bars(None)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = stderr_console()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,}"), TimeElapsedColumn())
    with (
        log_to_stderr(lambda line: console.print(line, markup=False, soft_wrap=True)),
        Progress(*columns, console=console, transient=True) as progress,
    ):
        yield Bars(progress)


@contextlib.contextmanager
def log_to_stderr(write: Callable[[str], None] | None = None) -> Iterator[None]:
    """Show what the engine says of its work, such as which run imports and how long a retry waits, one line each."""
    handler = _Lines(write or (lambda line: click.echo(line, err=True)))
    logger = logging.getLogger("cognee_dagster")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


class _Lines(logging.Handler):
    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        self._write(self.format(record))
