"""Wall time and memory of a command in a fresh process, with all the processes it starts."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_SECONDS = 0.02
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What one run cost.

    Attributes:
        seconds: From the start of the process to its end.
        cpu_seconds: Time on a processor, of the process and the children it waited for.
        peak_bytes: Largest sum of the resident memory of all its processes, sampled every 20 ms; 0 without /proc.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def measure(command: list[str], *, environ: Mapping[str, str], directory: Path) -> Measurement:
    """Run a command to its end.

    Raises:
        RuntimeError: It failed; with what it said.
    """
    before = os.times()
    start = time.perf_counter()
    with subprocess.Popen(
        command,
        env=dict(environ),
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # its processes are found by their session
    ) as process:
        sampler = _Sampler(process.pid)
        output, _ = process.communicate()
        seconds = time.perf_counter() - start
        sampler.stop()
    after = os.times()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with exit code {process.returncode}:\n{output}")
    cpu_seconds = after.children_user - before.children_user + after.children_system - before.children_system
    return Measurement(seconds=seconds, cpu_seconds=cpu_seconds, peak_bytes=sampler.peak_bytes)


class _Sampler:
    """Adds up the memory of a session's processes until told to stop."""

    def __init__(self, session: int) -> None:
        self.peak_bytes = 0
        self._session = session
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(_SAMPLE_SECONDS):
            self.peak_bytes = max(self.peak_bytes, sum(map(self._resident, Path("/proc").glob("[0-9]*/stat"))))

    def _resident(self, stat: Path) -> int:
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended
            return 0
        # Of proc_pid_stat(5), without the first two: session is the sixth, resident pages the twenty-fourth.
        return int(fields[21]) * _PAGE_BYTES if int(fields[3]) == self._session else 0
