"""What a command shows: one JSON object or words on standard output, everything else on standard error.

rich is imported where something moves on a terminal, and only there: it costs as much as to export a small graph.
"""

import contextlib
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from cognee_dagster.cli.progress_lines import MessageLines, ProgressLines, chosen_lines, is_quiet
from cognee_dagster.cli.standard_output import write_error, write_output
from cognee_dagster.remote.slow_answers import LOGGER as SLOW_ANSWERS

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console
    from rich.progress import Progress, TaskID

    from cognee_dagster.cogx.write.writer import Progress as ExportProgress
    from cognee_dagster.pushing.progress import DeliveredArchive, PushBeginning


def say(text: object, *, err: bool = False, level: str = "warning") -> None:
    """Lines of text: what would move the cursor or colour the terminal is shown as an escape, not done.

    With ``--progress json`` what goes to standard error is an event there, of that level.
    """
    if err and (lines := chosen_lines()):
        lines.tell("message", level=level, text=str(text))
        return
    stream = sys.stderr if err else sys.stdout
    shown = printable(str(text), encoding=getattr(stream, "encoding", None) or "utf-8")
    if err:
        write_error(shown)
    else:
        write_output(shown)


def printable(text: str, *, encoding: str = "utf-8") -> str:
    """The text with escapes (``\\x1b``) for what does not print and for what the encoding does not have."""
    shown = "".join(
        character if character.isprintable() or character == "\n" else character.encode("unicode_escape").decode()
        for character in text
    )
    return shown.encode(encoding, "backslashreplace").decode(encoding)


def print_json(value: Mapping[str, Any]) -> None:
    """The one JSON object of ``--json``."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    prints = text == printable(text, encoding=sys.stdout.encoding or "utf-8")
    write_output(text if prints else json.dumps(value, default=str).replace("\x7f", "\\u007f"))


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns wide enough for their widest cell, separated by two spaces."""
    cells = [[printable(cell).replace("\n", " ") for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)
    say("\n".join(lines))


def spelled_time(moment: "datetime | None") -> str:
    """A time as people read it, in this machine's time zone."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def stderr_console() -> "Console":
    """A new one each time, so that a redirected ``sys.stderr`` is respected."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


_SECONDS_BETWEEN_LINES = 60.0
_TOGETHER = ("export: nodes", "export: edges")  # two processes may write them at the same time


class Bars:
    """Progress bars for export and upload; they show nothing unless standard error is a terminal."""

    def __init__(self, progress: "Progress | None") -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._shard = ""

    def export(self, state: "ExportProgress") -> None:
        """A ``progress`` for ``write_archive`` and ``cut``."""
        self._show(f"export: {state.phase}", done=state.done, total=state.total)

    def upload(self, sent: int, total: int) -> None:
        """A ``progress`` for ``push_archives``; called from the upload's thread."""
        self._show(f"upload: {self._shard}bytes", done=sent, total=total)
        if sent >= total:
            self._show(f"import: {self._shard}the remote is at work", done=None, total=None)

    def shard(self, number: int, total: int) -> None:
        """An ``on_shard`` for ``push_archives``: what the next upload's bar is of."""
        self._shard = f"archive {number} of {total}: " if total > 1 else ""

    def begin(self, beginning: "PushBeginning") -> None:
        """An ``on_begin``: the engine's message says it."""

    def delivered(self, result: "DeliveredArchive") -> None:
        """An ``on_delivered``: the bar of the next archive, or what the command says at its end, shows it."""

    def _show(self, what: str, *, done: int | None, total: int | None) -> None:
        """Move a bar; when another begins, the clocks of those before it stop."""
        if self._progress is None:
            return
        if what not in self._tasks:
            if what not in _TOGETHER:
                for task in self._tasks.values():
                    self._progress.stop_task(task)
            self._tasks[what] = self._progress.add_task(what, total=None, count="")
        if done is not None:
            self._progress.update(self._tasks[what], completed=done, total=total, count=f"{done:,}")


@contextlib.contextmanager
def progress_bars(*, reminders: bool) -> Iterator[Bars | ProgressLines]:
    """Bars, and the engine's messages above them; see ``log_to_stderr``. Or what ``--progress`` has for them."""
    if lines := chosen_lines():
        with log_to_stderr(reminders=reminders):
            yield lines
        return
    if is_quiet() or not sys.stderr.isatty():
        with log_to_stderr(reminders=reminders):
            yield Bars(None)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = stderr_console()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"), TimeElapsedColumn())
    with (
        log_to_stderr(lambda line: console.print(line, markup=False, soft_wrap=True), reminders=reminders),
        Progress(*columns, console=console, transient=True) as progress,
    ):
        yield Bars(progress)


@contextlib.contextmanager
def log_to_stderr(write: Callable[[str], None] | None = None, *, reminders: bool) -> Iterator[None]:
    """Show what the engine says of its work, such as which run imports and how long a retry waits, one line each.

    With ``--progress json`` each is an event; with ``none`` only warnings are shown.

    Args:
        write: Shows a line.
        reminders: Whether it is also said that a slow answer is still waited for: to a person, not to a script.
    """
    lines = chosen_lines()
    handler = MessageLines(lines) if lines else _Lines(write or partial(say, err=True))
    handler.addFilter(lambda record: reminders or record.name != SLOW_ANSWERS)
    if is_quiet():
        handler.setLevel(logging.WARNING)
    logger = logging.getLogger("cognee_dagster")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextlib.contextmanager
def waiting(first: str) -> Iterator[Callable[[str], None]]:
    """A line that changes, for as long as something takes; without a terminal a line a minute, so that a log has it."""
    if is_quiet():
        yield lambda _: None
        return
    if sys.stderr.isatty() and chosen_lines() is None:
        from rich.markup import escape

        with stderr_console().status(escape(first)) as line:
            yield lambda text: line.update(escape(printable(text)))
        return
    say(first, err=True, level="info")
    next_line = time.monotonic() + _SECONDS_BETWEEN_LINES

    def show(text: str) -> None:
        nonlocal next_line
        if time.monotonic() >= next_line:
            next_line = time.monotonic() + _SECONDS_BETWEEN_LINES
            say(text, err=True, level="info")

    yield show


class _Lines(logging.Handler):
    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        self._write(printable(self.format(record)))
