"""A Redis server of the machine's own package, on loopback and without files, as the broker of Celery's workers."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.dagster_project import free_port

_STARTS_WITHIN = 60.0


def redis_program() -> str | None:
    """The server's program, if it is installed."""
    return shutil.which("redis-server")


@contextmanager
def redis_server(program: str) -> Iterator[str]:
    """Runs a server; yields its URL."""
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/") as process:
        try:
            _wait_for(port, process)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _STARTS_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1.0) as asked:
                asked.sendall(b"PING\r\n")
                if asked.recv(16).startswith(b"+PONG"):
                    return
        except OSError:  # not up yet
            pass
        time.sleep(0.1)
    raise RuntimeError("Redis does not start.")
