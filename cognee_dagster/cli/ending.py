"""How a command ends that does not reach its end: by an error, a signal, or what nobody has thought of.

In words on standard error; with ``--json`` as one JSON object on standard output instead, and with ``--progress json``
as an event on standard error.
"""

import signal
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

from cognee_dagster.cli.exit_codes import ADVICE, ExitCode, exit_code_of
from cognee_dagster.cli.progress_lines import chosen_lines
from cognee_dagster.cli.terminal import print_json, say
from cognee_dagster.environment import DEBUG_VARIABLE
from cognee_dagster.errors import CogneeDagsterError, reason_and_advice
from cognee_dagster.system.causes import causes_of


class TerminatedError(KeyboardInterrupt):
    """SIGTERM: everything that Ctrl-C ends in good order, temporary directories among it, ends likewise."""


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """SIGTERM is raised as ``TerminatedError`` where the command is; a second one does not disturb what that ends."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def raise_terminated(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise TerminatedError

    before = signal.signal(signal.SIGTERM, raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def exit_of(error: BaseException) -> ExitCode:
    """The exit code for whatever ended a command."""
    if any(isinstance(cause, TerminatedError) for cause in causes_of(error)):
        return ExitCode.TERMINATED
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    if isinstance(error, click.UsageError):
        return ExitCode.USAGE
    return exit_code_of(error) if isinstance(error, CogneeDagsterError) else ExitCode.FAILED


def done_so_far(words: str, **fields: Any) -> None:
    """What the command has done that stays done, whatever ends it from now on: that is told besides.

    Args:
        words: For a person: on standard output, before the error.
        fields: For a program: they are in the object that tells the error.
    """
    click.get_current_context().meta[__name__] = (words, fields)


def _so_far() -> tuple[str, Mapping[str, Any]]:
    context = click.get_current_context(silent=True)
    return ("", {}) if context is None else context.meta.get(__name__, ("", {}))


def report(error: BaseException, *, as_json: bool, debug: bool) -> ExitCode:
    """Say what ended the command; its exit code."""
    code = exit_of(error)
    message = _message(error, code)
    if debug:
        say("".join(traceback.format_exception(error)).rstrip(), err=True)
    lines = chosen_lines()
    words, fields = _so_far()
    if words and not as_json:
        say(words)
    reason, advice = reason_and_advice(message)
    if not as_json and lines is None:
        besides = "" if advice else f" {ADVICE[code]}"
        say(f"Error: {_as_sentence(message)}{besides}" if code < ExitCode.INTERRUPTED else message, err=True)
        return code
    told = {
        **fields,
        "error": type(error).__name__,
        "reason": reason,
        "advice": advice or ADVICE[code],
        "exit_code": int(code),
    }
    if lines is not None:
        lines.tell("failed", **told)
    if as_json:
        print_json(told)
    return code


def _as_sentence(message: str) -> str:
    return message if message.endswith((".", "?", "!", "`")) or "\n" in message else f"{message}."


def _message(error: BaseException, code: ExitCode) -> str:
    if code is ExitCode.TERMINATED:
        return "Terminated."
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted."
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, OSError) and error.strerror and not isinstance(error, CogneeDagsterError):
        named = " and ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
        return f"{named}: {error.strerror}." if named else f"{error.strerror}."
    if isinstance(error, CogneeDagsterError | OSError):
        return str(error) or type(error).__name__
    what = " ".join(str(error).split())[:300]
    return (
        f"This is a defect of cognee-dagster, or of what it uses: {type(error).__name__}{what and f': {what}'}. "
        f"Run it again with `cognee-dagster --debug …` or {DEBUG_VARIABLE}=1 to see the traceback, and report that."
    )
