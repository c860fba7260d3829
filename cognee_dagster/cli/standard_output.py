"""Standard output and standard error as a command has them: a disk may be full, a descriptor closed, a reader gone.

What cannot be written to standard output is said on standard error instead, whatever it is: what a command has done
is done, and somebody has to hear of it.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator
from typing import IO, Any, TextIO, cast

from cognee_dagster.cli.hidden import without_hidden

_CLOSED = OSError(errno.EBADF, "it is closed")


class StandardOutput:
    """Stands in for ``sys.stdout``.

    A reader that goes away after it has read some has seen enough, and ends the command as it ends any other one.

    Attributes:
        failure: Why it cannot be written; None as long as it can.
    """

    def __init__(self, stream: TextIO | None, *, instead: Callable[[str], object]) -> None:
        self.failure: OSError | None = None
        self._stream = stream
        self._instead = instead
        self._is_begun = self._is_told = False

    @property
    def encoding(self) -> str:
        """As of any text stream."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write it now, here or to standard error."""
        if self.failure is None:
            try:
                _write_now(self._stream, text)
                self._is_begun = True
                return len(text)
            except OSError as error:
                _discard(self._stream)
                if isinstance(error, BrokenPipeError) and self._is_begun:
                    raise
                self.failure = error
        self._instead(text.rstrip("\n"))
        return len(text)

    def tell_failure(self) -> None:
        """Say, once and after all that belongs there, that it cannot be written."""
        if self.failure is not None and not self._is_told:
            self._is_told = True
            self._instead(
                f"Error: Standard output cannot be written: {self.failure.strerror}. What belongs there is on standard "
                "error."
            )

    def flush(self) -> None:
        """Each text has been written when it was given."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def guarded_output(*, instead: Callable[[str], object]) -> Iterator[StandardOutput]:
    """Inside it, all that is written to standard output is written, or told to ``instead``."""
    output = StandardOutput(sys.stdout, instead=instead)
    if sys.stderr is None:  # of a descriptor that was closed when Python began; libraries ask it what it is
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    with contextlib.redirect_stdout(cast("IO[str]", output)):
        try:
            yield output
        finally:
            output.tell_failure()


def tell_failed_output() -> None:
    """Where standard output cannot be written, say so in the way in which this command says things."""
    if isinstance(output := sys.stdout, StandardOutput):
        output.tell_failure()


def write_output(text: str) -> None:
    """Write lines to standard output."""
    sys.stdout.write(without_hidden(text) + "\n")


def write_error(text: str) -> bool:
    """Write a line to standard error; whether that was possible."""
    try:
        _write_now(sys.stderr, without_hidden(text) + "\n")
    except OSError:
        _discard(sys.stderr)
        return False
    return True


def _write_now(stream: TextIO | None, text: str) -> None:
    if stream is None or stream.closed:  # Python has no stream for a descriptor that was closed when it began
        raise _CLOSED
    stream.write(text)
    stream.flush()


def _discard(stream: TextIO | None) -> None:
    """What is still in the buffer would fail again when Python ends, and change the exit code."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        descriptor = cast("TextIO", stream).fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
