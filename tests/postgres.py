"""A PostgreSQL server of the machine's own package, on loopback and in a temporary directory, for storage tests."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

_STARTS_WITHIN = 60.0
_ENDS_WITHIN = 30.0


def postgres_binaries() -> Path | None:
    """The directory of the newest server that is installed: where Debian puts it, else on the search path."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    found = debian[-1] if debian else shutil.which("postgres")
    return Path(found).parent if found else None


class PostgresServer:
    """A running server; a context manager. It refuses to run as root, so root gives it to another user."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._directory = Path(tempfile.mkdtemp(prefix="cognee-dagster-postgres-"))
        self._as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = _unprivileged()
            self._as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(self._directory, user.pw_uid, user.pw_gid)
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "PostgresServer":
        data = self._directory / "data"
        self._run("initdb", "-D", str(data), "-U", "dagster", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        self._port = _free_port()
        command = ["postgres", "-D", str(data), "-h", "127.0.0.1", "-p", str(self._port), "-k", str(self._directory)]
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [self._binaries / command[0], *command[1:], "-F"],  # -F: what is lost with the machine may be lost
                stdout=log,
                stderr=log,
                cwd=self._directory,
                start_new_session=True,
                **self._as_user,
            )
        deadline = time.monotonic() + _STARTS_WITHIN
        while self._ask("pg_isready").returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start:\n{(self._directory / 'log').read_text()}")
            time.sleep(0.1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # "fast": it hangs up on who is connected
            try:
                self._process.wait(_ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def new_database(self) -> str:
        """The URL of a database that nobody else uses."""
        name = f"dagster_{uuid4().hex}"
        self._run("createdb", *self._where(), name)
        return f"postgresql://dagster@127.0.0.1:{self._port}/{name}"

    def _where(self) -> list[str]:
        return ["-h", "127.0.0.1", "-p", str(self._port), "-U", "dagster"]

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._binaries / program, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self._directory,
            **self._as_user,
        )

    def _ask(self, program: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [self._binaries / program, *self._where()], check=False, stdout=subprocess.DEVNULL, cwd=self._directory
        )


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("Neither a user 'postgres' nor 'nobody' is there to run PostgreSQL as.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
