"""The graph that another process reads, as its batches come through a pipe."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pyarrow as pa

from cognee_dagster.graph.batch_sender import EDGES, NODES
from cognee_dagster.graph.crash import reading_ended
from cognee_dagster.graph.origin import GraphOrigin
from cognee_dagster.graph.reader import EDGE_SCHEMA, NODE_SCHEMA, Reopen
from cognee_dagster.system.worker import Worker, WorkerEndedError

_SCHEMAS = {NODES: NODE_SCHEMA, EDGES: EDGE_SCHEMA}


class ProcessReader:
    """A ``GraphReader`` over the one that a worker has open. One pass at a time: a new one ends the one before."""

    def __init__(self, worker: Worker, *, dataset_name: str) -> None:
        self._worker = worker
        self._what = f"the graph of dataset {dataset_name!r}"
        self._pass = 0
        self._unfinished = False

    @property
    def origin(self) -> GraphOrigin:
        return self._opened[0]

    @property
    def reopen(self) -> Reopen | None:
        return self._opened[1]

    def nodes(self) -> Iterator[pa.RecordBatch]:
        """Batches of ``NODE_SCHEMA``; raises what the reader over there raises."""
        return self._batches(NODES)

    def edges(self) -> Iterator[pa.RecordBatch]:
        """Batches of ``EDGE_SCHEMA``; raises what the reader over there raises."""
        return self._batches(EDGES)

    @cached_property
    def _opened(self) -> tuple[GraphOrigin, Reopen | None]:
        """What the other process says when it has opened the graph."""
        origin, reopen = self._receive()
        return origin, reopen

    def _batches(self, part: str) -> Iterator[pa.RecordBatch]:
        _ = self._opened
        while self._unfinished:  # an earlier pass was left before its end
            self._unfinished = self._receive() is not None
        self._pass += 1
        this_pass, self._unfinished = self._pass, True
        self._worker.send(part)
        while (content := self._receive()) is not None:
            yield pa.ipc.read_record_batch(content, _SCHEMAS[part])
            if this_pass != self._pass:
                raise RuntimeError("Another pass over this graph began before this one was over.")
        self._unfinished = False

    def _receive(self) -> Any:
        try:
            return self._worker.receive()
        except WorkerEndedError as ended:
            raise reading_ended(ended, what=self._what) from ended
