"""``--progress``: how a command shows on standard error how far it is; as ``json``, one object a line.

What was chosen stands in click's context, so that whatever the command says there is said in that way.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cognee_dagster import remote
from cognee_dagster.cli.standard_output import write_error

if TYPE_CHECKING:
    from cognee_dagster.cogx.write.writer import Progress as ExportProgress
    from cognee_dagster.pushing.archives import PushResult
    from cognee_dagster.pushing.progress import DeliveredArchive, PushBeginning

SECONDS_BETWEEN = 1.0  # lines about the same thing: a program that reads them is to see that it goes on, not each block

_Command = TypeVar("_Command", bound=Callable[..., Any])


class ProgressLines:
    """Events of a push, each a JSON object on a line of standard error.

    A reader that has gone away ends the lines, not the push.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_at = clock()
        self._lock = threading.RLock()  # the upload and the messages come from threads of their own
        self._about: dict[str, Any] = {}
        self._shard: dict[str, int] = {}
        self._told_at: dict[str, float] = {}
        self._untold: dict[str, dict[str, Any]] = {}
        self._is_read = True

    def export(self, state: "ExportProgress") -> None:
        """A ``progress`` for ``write_archive`` and ``cut``."""
        fields = {"phase": state.phase, "done": state.done, "total": state.total}
        self._move("export", state.phase, whole=state.done == state.total, fields=fields)

    def begin(self, beginning: "PushBeginning") -> None:
        """An ``on_begin``: what is pushed where, which all later lines say again."""
        with self._lock:
            self._about = {"dataset": beginning.dataset_name, "target_dataset": beginning.target_dataset}
        counts = {"num_nodes": beginning.num_nodes, "num_edges": beginning.num_edges}
        self.tell("push", remote=beginning.url, **counts)

    def shard(self, number: int, total: int) -> None:
        """An ``on_shard``: which archive the next lines are of."""
        with self._lock:
            self._shard = {"archive": number, "archives": total}

    def upload(self, sent: int, total: int) -> None:
        """An ``on_upload``; called from the upload's thread."""
        fields = {**self._shard, "bytes": sent, "total_bytes": total}
        self._move("upload", f"upload {self._shard}", whole=sent >= total, fields=fields)
        if sent >= total:
            self.tell("waiting", **self._shard)

    def delivered(self, result: "DeliveredArchive") -> None:
        """An ``on_delivered``: the import has ended, or goes on without us."""
        event = "imported" if result.status == remote.ImportState.SUCCEEDED.status else "importing"
        run = {"pipeline_run_id": result.pipeline_run_id, "known_by": result.known_by}
        self.tell(event, **self._shard, status=result.status, **run)

    def pushed(self, result: "PushResult") -> None:
        """The last line of a push that did what it was to do."""
        with self._lock:
            self._about = {"dataset": result.dataset_name, "target_dataset": result.target_dataset}
        counts = {"num_nodes": result.num_nodes, "num_edges": result.num_edges}
        self.tell("pushed", status=result.status, pipeline_run_id=result.pipeline_run_id, **counts)

    def tell(self, event: str, **fields: Any) -> None:
        """A line, after those that were held back."""
        with self._lock:
            self._tell_held()
            self._write({"event": event, **self._about, **fields, "seconds": self._seconds()})

    def _move(self, event: str, what: str, *, whole: bool, fields: dict[str, Any]) -> None:
        """A line about something that moves, unless there was one just now."""
        with self._lock:
            now = self._clock()
            if what not in self._told_at:
                self._tell_held()
            line = {"event": event, **self._about, **fields, "seconds": self._seconds()}
            if whole or what not in self._told_at or now - self._told_at[what] >= SECONDS_BETWEEN:
                self._told_at[what] = now
                self._untold.pop(what, None)
                self._write(line)
            else:
                self._untold[what] = line

    def _tell_held(self) -> None:
        """The last state of what moved before something else begins."""
        held, self._untold = self._untold, {}
        for line in held.values():
            self._write(line)

    def _seconds(self) -> float:
        return round(self._clock() - self._began_at, 3)

    def _write(self, line: dict[str, Any]) -> None:
        self._is_read = self._is_read and write_error(json.dumps(line, default=str))


class MessageLines(logging.Handler):
    """What the engine says of its work, as events among the others."""

    def __init__(self, lines: ProgressLines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.tell("message", level=record.levelname.lower(), text=self.format(record))


def progress_option(command: _Command) -> _Command:
    """``--progress``; the command need not know of it."""
    return click.option(
        "--progress",
        type=click.Choice(["auto", "json", "none"]),
        default="auto",
        show_default=True,
        is_eager=True,
        expose_value=False,
        callback=_choose,
        help="auto shows bars on a terminal and lines elsewhere; json writes one JSON object a line to standard error; "
        "none only says warnings there.",
    )(command)


def _choose(context: click.Context, _: click.Parameter, style: str) -> None:
    context.meta[__name__] = ProgressLines() if style == "json" else style


def chosen_lines() -> ProgressLines | None:
    """Where this command's events go, with ``--progress json``."""
    chosen = _chosen()
    return chosen if isinstance(chosen, ProgressLines) else None


def is_quiet() -> bool:
    """Whether nothing but warnings is to be said, with ``--progress none``."""
    return _chosen() == "none"


def _chosen() -> object:
    context = click.get_current_context(silent=True)
    return None if context is None else context.meta.get(__name__)
