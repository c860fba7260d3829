"""Wall time and memory of a command in a fresh process, with all the processes it starts."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_SAMPLE_SECONDS = 0.02
_PROC = Path("/proc")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What one run cost.

    Attributes:
        seconds: From the start of the process to its end.
        cpu_seconds: Time on a processor, of the process and the children it waited for.
        peak_bytes: Largest memory of all its processes together, sampled every 20 ms; 0 without /proc.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def median_of(runs: Sequence[Measurement]) -> Measurement:
    """Medians of the times; of the memory the largest."""
    return Measurement(
        seconds=median(run.seconds for run in runs),
        cpu_seconds=median(run.cpu_seconds for run in runs),
        peak_bytes=max(run.peak_bytes for run in runs),
    )


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
    """Adds up the memory of a session's processes until told to stop.

    What a process belongs to is read once: on two cores, reading it of all processes each time would take a tenth of
    the machine from what is measured.
    """

    def __init__(self, session: int) -> None:
        self.peak_bytes = 0
        self._session = session
        self._belongs: dict[str, bool] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        if not _PROC.is_dir():
            return
        while not self._stopped.wait(_SAMPLE_SECONDS):
            running = filter(str.isdecimal, os.listdir(_PROC))
            memory = [_memory(process) for process in filter(self._is_ours, running)]
            together = sum(own for own, _ in memory) + max((mapped for _, mapped in memory), default=0)
            self.peak_bytes = max(self.peak_bytes, together)

    def _is_ours(self, process: str) -> bool:
        if process not in self._belongs:
            self._belongs[process] = _session_of(process) == self._session
        return self._belongs[process]


def _session_of(process: str) -> int | None:
    try:
        return os.getsid(int(process))
    except OSError:  # it ended
        return None


def _memory(process: str) -> tuple[int, int]:
    """Resident bytes that are a process's own, and of files that it has mapped.

    The files are the interpreter and its libraries, of which all processes share one copy. What each of them really
    shares (``Pss`` in ``smaps_rollup``) takes the system 9 ms to find out and stops the process meanwhile.
    """
    try:
        _, resident, mapped, *_ = map(int, (_PROC / process / "statm").read_bytes().split())
    except OSError:  # it ended
        return 0, 0
    return (resident - mapped) * _PAGE_BYTES, mapped * _PAGE_BYTES
