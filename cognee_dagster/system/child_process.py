"""A child process in its own process group that never outlives us."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import IO

from cognee_dagster.environment import API_KEY_VARIABLE

TETHER = Path(__file__).with_name("tether.py")
STOP_SECONDS = 20.0
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
_LOG_BYTES = 20_000


class ChildProcess:
    """A program running in the background; a context manager that stops it and all that it started.

    It is stopped through its handle and process group, never by name. Its standard input stays open for as long as this
    process lives: a program that has to end with this process reads it to the end (``tethered`` does that for any
    Python program).

    Args:
        command: The program and its arguments.
        environ: Its whole environment, but for the key of the remote, which it gets only if it is named in ``secrets``.
        log: Where its standard error goes, and its output if ``answers`` is false; appended to.
        directory: Its working directory.
        answers: Whether its output is read by this process, from ``output``.
        pass_fds: Open files that it inherits.
        stop_seconds: How long it may take to end when asked to, before it is killed.
        secrets: Of the variables that no child gets, those that this one needs.

    Raises:
        OSError: The program cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environ: Mapping[str, str],
        log: Path,
        directory: Path | None = None,
        answers: bool = False,
        pass_fds: Sequence[int] = (),
        stop_seconds: float = STOP_SECONDS,
        secrets: Collection[str] = (),
    ) -> None:
        self.log = log
        self._stop_seconds = stop_seconds
        with log.open("ab") as log_file:
            self._process = subprocess.Popen(  # noqa: S603  (a program that the caller names, no shell)
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if answers else log_file,
                stderr=log_file,
                env=without_remote_key(environ, but=secrets),
                cwd=directory,
                pass_fds=pass_fds,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.poll()

    @property
    def input(self) -> IO[bytes]:
        """Its standard input."""
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        return self._process.stdin

    @property
    def output(self) -> IO[bytes]:
        """Its standard output, if ``answers`` was set."""
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        return self._process.stdout

    def wait(self, seconds: float | None) -> int | None:
        """The exit code, waiting for it at most ``seconds`` (None: as long as it takes); None if it still runs then."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """Ask it to end, wait, and kill what is left of its group."""
        if self._process.poll() is None:
            self._process.terminate()
            self.wait(self._stop_seconds)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the whole group, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says EPERM for a group of zombies
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def log_tail(self, *, lines: int = 25) -> str:
        """The last lines of what it said."""
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_BYTES))
            return "\n".join(log.read().decode("utf-8", "replace").splitlines()[-lines:])

    def __enter__(self) -> "ChildProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def tethered(program: str | Path, *arguments: str) -> Sequence[str]:
    """The command line that runs a Python module or script and ends when standard input closes."""
    return [sys.executable, str(TETHER), str(program), *arguments]


def without_remote_key(environ: Mapping[str, str], *, but: Collection[str] = ()) -> dict[str, str]:
    """The variables without the key of the remote, unless it is named in ``but``."""
    return {name: value for name, value in environ.items() if name.upper() != API_KEY_VARIABLE or name in but}


def is_secret(name: str) -> bool:
    """Whether a variable of that name holds a secret, by its name."""
    return _SECRET_NAME.search(name) is not None


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of a process that has nobody to log in to."""
    return {name: value for name, value in environ.items() if not is_secret(name)}
