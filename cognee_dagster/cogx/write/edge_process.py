"""The edges of a large graph, encoded by a second process while the first one encodes the nodes.

Threads of one process get no further than one and a half processors here: encoding holds Python's lock, and every page
that Ladybug gives back to the system interrupts the others. Two processes share nothing but the graph's file, so that a
graph of 200,000 nodes takes a quarter less time.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from cognee_dagster.cogx.format import FACTS_FILE
from cognee_dagster.cogx.write.spool import Spool
from cognee_dagster.cogx.write.tally import Tally
from cognee_dagster.graph.crash import reading_ended
from cognee_dagster.graph.reader import GraphReader, Reopen
from cognee_dagster.system.files import naming_full
from cognee_dagster.system.worker import Receive, Send, Worker, WorkerEndedError


def write_edges(reader: GraphReader, spool: Spool, *, tally: Tally, report: Callable[[int], None]) -> None:
    """Write all facts of a graph; ``report`` gets the number of facts so far."""
    for edges in tally.edges(reader):
        spool.write(edges.content, records=len(edges.relationships))
        report(spool.records)


class EdgeProcess:
    """``write_edges`` in a second process.

    Args:
        reopen: Opens the graph there.
        spool: Where the facts go; nothing else may write to it.
        dataset_name: For messages.
    """

    def __init__(self, reopen: Reopen, spool: Spool, *, dataset_name: str) -> None:
        self._spool = spool
        self._dataset_name = dataset_name
        self._worker = Worker(partial(_write_all_edges, reopen, spool.descriptor), pass_fds=[spool.descriptor])

    def wait(self, *, tally: Tally, report: Callable[[int], None]) -> None:
        """Until all is written; what was counted goes into the tally.

        Raises:
            Exception: What ``write_edges`` raised there.
            LocalCogneeError: The process was ended.
            StoreDamagedError: The process crashed.
        """
        try:
            with naming_full(self._spool.place):
                for message in self._worker.messages():
                    if isinstance(message, int):
                        report(message)
                    else:
                        size, records, sha256, counted = message
                        self._spool.filled(size=size, records=records, sha256=sha256)
                        tally.merge(counted)
        except WorkerEndedError as ended:
            raise reading_ended(ended, what=f"the edges of dataset {self._dataset_name!r}") from ended

    def close(self) -> None:
        """End the process, whatever it is at."""
        self._worker.close()

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


def _write_all_edges(reopen: Reopen, descriptor: int, _receive: Receive, send: Send) -> None:
    """What the second process does."""
    with (
        reopen() as reader,
        ThreadPoolExecutor(1) as threads,
        Spool(FACTS_FILE, file=os.fdopen(descriptor, "wb"), threads=threads) as spool,
    ):
        tally = Tally(reader.origin)
        write_edges(reader, spool, tally=tally, report=send)
        spool.flush()
        send((spool.size, spool.records, spool.sha256, tally))
