"""A child process in a group of its own that never outlives us."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

TETHER = Path(__file__).with_name("tether.py")
STOP_SECONDS = 20.0


class ChildProcess:
    """A Python program running in the background, its output in a file; a context manager that stops it.

    It is stopped through its own handle and process group, never by name, and stops by itself when this process dies.

    Args:
        program: A module's name, or the path of a Python script (a console script of the environment is one).
        arguments: Its arguments.
        environ: Its whole environment.
        log: Where its output goes; appended to.
        directory: Its working directory.
    """

    def __init__(
        self, program: str | Path, *arguments: str, environ: Mapping[str, str], log: Path, directory: Path | None = None
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  (our own interpreter, no shell)
                tethered(program, *arguments),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environ),
                cwd=directory,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.poll()

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
            self.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the whole group, at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says EPERM for a group of zombies
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def log_tail(self, *, lines: int = 25) -> str:
        """The last lines of its output."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def __enter__(self) -> "ChildProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def tethered(program: str | Path, *arguments: str) -> Sequence[str]:
    """The command line that runs a module or script and ends when standard input closes."""
    return [sys.executable, str(TETHER), str(program), *arguments]
