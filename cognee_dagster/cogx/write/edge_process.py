"""The edges of a large graph, encoded by a second process while the first one encodes the nodes.

Threads of one process get no further than one and a half processors here: encoding holds Python's lock, and every page
that Ladybug gives back to the system interrupts the others. Two processes share nothing but the graph's file, so that a
graph of 200,000 nodes takes a quarter less time.
"""

import contextlib
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cognee_dagster.cogx.format import FACTS_FILE
from cognee_dagster.cogx.write.spool import Spool
from cognee_dagster.cogx.write.tally import Tally
from cognee_dagster.errors import LocalCogneeError
from cognee_dagster.graph.reader import GraphReader, Reopen
from cognee_dagster.system.child_process import ChildProcess, without_secrets

_STOP_SECONDS = 1.0
_NO_SPINNING = {"OPENBLAS_NUM_THREADS": "1"}  # else numpy's threads, of no use here, spin for a tenth of a second


def write_edges(reader: GraphReader, spool: Spool, *, tally: Tally, report: Callable[[int], None]) -> None:
    """Write all facts of a graph; ``report`` gets the number of facts so far."""
    for edges in tally.edges(reader):
        spool.write(edges.content, records=len(edges.relationships))
        report(spool.records)


class EdgeProcess:
    """``write_edges`` in a process of its own.

    Args:
        reopen: Opens the graph there.
        spool: Where the facts go; nothing else may write to it.
        dataset_name: For messages.
    """

    def __init__(self, reopen: Reopen, spool: Spool, *, dataset_name: str) -> None:
        self._spool = spool
        self._dataset_name = dataset_name
        self._log = tempfile.NamedTemporaryFile(prefix="cognee-dagster-")  # noqa: SIM115 - closed by close()
        self._process = ChildProcess(
            [sys.executable, "-m", __name__],
            environ={
                **without_secrets(os.environ),
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                **_NO_SPINNING,
            },
            log=Path(self._log.name),
            answers=True,
            pass_fds=[spool.descriptor],
            stop_seconds=_STOP_SECONDS,
        )
        with contextlib.suppress(BrokenPipeError):
            pickle.dump((reopen, spool.descriptor), self._process.input)
            self._process.input.flush()

    def wait(self, *, tally: Tally, report: Callable[[int], None]) -> None:
        """Until all is written; what was counted goes into the tally.

        Raises:
            Exception: What ``write_edges`` raised there.
            LocalCogneeError: The process ended without a word.
        """
        for message in self._messages():
            match message:
                case int():
                    report(message)
                case BaseException():
                    raise message
                case (size, records, counted):
                    self._spool.filled(size=size, records=records)
                    tally.merge(counted)
                    return
        code = self._process.wait(None)
        raise LocalCogneeError(
            f"The process that reads the edges of dataset {self._dataset_name!r} ended early, with code {code}. Try "
            "again, with more memory if it was ended for that. It said last: "
            f"{self._process.log_tail() or '(nothing)'}"
        )

    def close(self) -> None:
        """End the process, whatever it is at."""
        self._process.stop()
        self._log.close()

    def _messages(self) -> Iterator[Any]:
        with contextlib.suppress(EOFError, pickle.UnpicklingError):  # cut off in the middle of one
            while True:
                yield pickle.load(self._process.output)  # noqa: S301 - from our own process

    def __enter__(self) -> "EdgeProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def pays_off() -> bool:
    """Whether there is a processor for a second process, and a way to start it."""
    return bool(sys.executable) and os.name == "posix" and _processors() > 1


def _processors() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _main() -> None:
    """What the second process does."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nobody else may write between the answers

        def say(message: object) -> None:
            pickle.dump(message, answers)
            answers.flush()

        reopen, descriptor = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own process
        try:
            with (
                reopen() as reader,
                ThreadPoolExecutor(1) as threads,
                Spool(FACTS_FILE, file=os.fdopen(descriptor, "wb"), threads=threads) as spool,
            ):
                tally = Tally(reader.origin)
                write_edges(reader, spool, tally=tally, report=say)
                spool.flush()
            say((spool.size, spool.records, tally))
        except Exception as error:  # whatever it is, the first process has to know
            say(error)


if __name__ == "__main__":
    _main()
