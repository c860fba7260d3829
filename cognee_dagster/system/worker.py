"""A function of this package in a child process: messages go there and come back, pickled.

For work that may crash its process, or that needs one of its own to run beside this one. Such a process has nobody to
log in to, so it gets no secret.
"""

import contextlib
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cognee_dagster.system.child_process import ChildProcess, without_secrets

_STOP_SECONDS = 1.0
_NO_SPINNING = {"OPENBLAS_NUM_THREADS": "1"}  # else numpy's threads, of no use here, spin for a tenth of a second

Send = Callable[[object], None]
Receive = Callable[[], Any]


class WorkerEndedError(Exception):
    """The process ended before its function did.

    Attributes:
        code: Its exit code; the negative number of the signal that ended it.
        last_words: The end of what it wrote to standard error.
    """

    def __init__(self, *, code: int | None, last_words: str) -> None:
        super().__init__(f"exit code {code}: {last_words}")
        self.code = code
        self.last_words = last_words


class Worker:
    """A running function; a context manager that ends it.

    Args:
        function: Can be pickled; called in the other process with what receives a message from here (raising EOFError
            when there will be none) and what sends one.
        pass_fds: Open files that the process inherits, under the same numbers.
    """

    def __init__(self, function: Callable[[Receive, Send], None], *, pass_fds: Sequence[int] = ()) -> None:
        self._log = tempfile.NamedTemporaryFile(prefix="cognee-dagster-")  # noqa: SIM115 - closed by close()
        search_path = os.pathsep.join(filter(None, sys.path))
        self.process = ChildProcess(
            [sys.executable, "-m", __name__],
            environ={**without_secrets(os.environ), "PYTHONPATH": search_path, **_NO_SPINNING},
            log=Path(self._log.name),
            answers=True,
            pass_fds=pass_fds,
            stop_seconds=_STOP_SECONDS,
        )
        self.send(function)

    def send(self, message: object) -> None:
        """Hand a message over; if the process has ended, ``receive`` says so."""
        with contextlib.suppress(BrokenPipeError):
            pickle.dump(message, self.process.input)
            self.process.input.flush()

    def receive(self) -> Any:
        """The next message.

        Raises:
            EOFError: There is none: the function has returned.
            WorkerEndedError: There is none: the process was ended.
            Exception: What the function raised.
        """
        try:
            message = pickle.load(self.process.output)  # noqa: S301 - from our own process
        except (EOFError, pickle.UnpicklingError) as error:  # cut off between two messages, or in the middle of one
            code = self.process.wait(_STOP_SECONDS)
            raise WorkerEndedError(code=code, last_words=self.process.log_tail() or "(nothing)") from error
        if isinstance(message, _Returned):
            raise EOFError
        if isinstance(message, BaseException):
            raise message
        return message

    def messages(self) -> Iterator[Any]:
        """All messages, until the function returns."""
        with contextlib.suppress(EOFError):
            while True:
                yield self.receive()

    def close(self) -> None:
        """End the process, whatever it is at."""
        self.process.stop()
        self._log.close()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Returned:
    """The last message of a function that did what it had to."""


def _main() -> None:
    """What the other process does."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nobody else may write between the answers

        def send(message: object) -> None:
            pickle.dump(message, answers, protocol=pickle.HIGHEST_PROTOCOL)
            answers.flush()

        def receive() -> Any:
            return pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own process

        try:
            receive()(receive, send)
        except Exception as error:  # whatever it is, the first process has to know
            send(_picklable(error))
        else:
            send(_Returned())


def _picklable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


if __name__ == "__main__":
    # Under its own name, so that what is pickled here is known there.
    from cognee_dagster.system.worker import _main as main

    main()
