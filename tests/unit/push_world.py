"""A remote in virtual time, made of the fake remote's own parts: one dataset, our pushes, rivals, faults on the way.

Nothing waits: whoever would sleep moves the clock instead, and what the server does until then happens.
"""

import heapq
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from pydantic import SecretStr

from cognee_dagster.errors import RemoteError, RemoteUnreachableError, UnexpectedAnswerError
from cognee_dagster.remote.connection import Connection
from cognee_dagster.remote.graph_answer import GraphAnswer
from cognee_dagster.remote.remote_graph import GraphRows
from cognee_dagster.remote.responses import (
    PipelineRun,
    RemoteDataset,
    RemoteUser,
    parse_dataset,
    parse_datasets,
    parse_runs,
)
from cognee_dagster.remote.retry import RetryPolicy
from cognee_dagster.remote.server_check import Server
from cognee_dagster.testing.graph import Graph
from cognee_dagster.testing.runs import IMPORT_PIPELINE, Run
from cognee_dagster.testing.state import State, User
from tests.remote_graphs import pour
from tests.unit.virtual_clock import VirtualClock

_Rows = TypeVar("_Rows", bound=GraphRows)

ROUND_TRIP = 0.02


@dataclass(kw_only=True)
class Job:
    """An archive that arrived: runs that store documents, then one that imports the graph, each behind the lock.

    Attributes:
        graph: What it brings.
        add_runs: How many runs store its documents.
        add_seconds: How long each of them takes.
        import_seconds: How long the import takes.
        fails: Whether the import fails.
    """

    graph: Graph
    add_runs: int = 0
    add_seconds: float = 1.0
    import_seconds: float = 1.0
    fails: bool = False
    run: Run | None = None
    ended: bool = False
    began_at: float | None = None
    arrived_at: float = 0.0
    steps_done: int = 0


@dataclass(kw_only=True)
class UploadFault:
    """What becomes of one of our uploads.

    Attributes:
        delivered: Whether the server gets it.
        lost_after: When the connection breaks, or a gateway answers, in seconds after our last byte; None: never.
        error: How that looks.
        whole: Whether the whole body goes out.
    """

    delivered: bool = True
    lost_after: float | None = None
    error: str = "502"
    whole: bool = True

    def as_error(self) -> RemoteError:
        if self.error == "reset":
            return RemoteUnreachableError("reset", retryable=True)
        if self.error == "html":
            return UnexpectedAnswerError("an HTML page", status=200)
        return RemoteUnreachableError(self.error, status=int(self.error), retryable=True)


@dataclass
class World:
    """The server and the time."""

    parse_seconds: float = 0.1
    clock: VirtualClock = field(default_factory=VirtualClock)
    faults: list[UploadFault] = field(default_factory=list)
    runs_fail: Callable[[], bool] = lambda: False
    uploads: "list[ModelUpload]" = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = State()
        self.state.clock = self.clock
        self.user = User(email="we@example.com", api_key="key")
        self.state.users[self.user.email] = self.user
        self.dataset = self.state.ensure_dataset("demo", self.user)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._queue: deque[Job] = deque()
        self._busy = False
        self._number = 0

    @property
    def now(self) -> float:
        return self.clock.seconds

    def at(self, seconds: float, what: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (seconds, self._number, what))

    def advance(self, seconds: float) -> None:
        """Let that much time pass, with all that happens in it."""
        until = self.now + seconds
        while self._events and self._events[0][0] <= until:
            moment, _, what = heapq.heappop(self._events)
            self.clock.seconds = max(self.now, moment)
            what()
        self.clock.seconds = max(self.now, until)

    def settle(self) -> None:
        """Until nothing is left to happen."""
        while self._events:
            self.advance(max(0.0, self._events[0][0] - self.now))

    def arrive(self, job: Job) -> None:
        job.arrived_at = self.now
        self.at(self.now + self.parse_seconds, lambda: self._wait_for_lock(job))

    def _wait_for_lock(self, job: Job) -> None:
        self._queue.append(job)
        if not self._busy:
            self._next()

    def _next(self) -> None:
        self._busy = bool(self._queue)
        if not self._queue:
            return
        job = self._queue.popleft()
        stores = job.steps_done < job.add_runs
        pipeline = "add_pipeline" if stores else IMPORT_PIPELINE
        run = Run(state=self.state, pipeline=pipeline, dataset=self.dataset, user=self.user).start()
        if not stores:
            job.run, job.began_at = run, self.now
        self.at(self.now + (job.add_seconds if stores else job.import_seconds), lambda: self._end(job, run, stores))

    def _end(self, job: Job, run: Run, stores: bool) -> None:
        job.steps_done += 1
        if stores:
            run.complete()
            self._queue.append(job)
        else:
            job.ended = True
            if job.fails:
                run.fail("RuntimeError")
            else:
                self.dataset.graph.nodes.update(job.graph.nodes)
                self.dataset.graph.edges.update(job.graph.edges)
                run.complete()
        self._next()


class ModelUpload:
    """An upload under way, as ``remote.upload.Upload`` looks to a delivery."""

    def __init__(self, world: World, job: Job, fault: UploadFault) -> None:
        self.job = job
        self.fault = fault
        self.hung_up = False
        self.body_sent = threading.Event()
        self.body_sent_at: datetime | None = None
        self._world = world
        world.advance(ROUND_TRIP)
        self._sent_at = world.now
        if not fault.whole:
            return
        self.body_sent.set()
        self.body_sent_at = world.clock.now()
        if fault.delivered:
            world.arrive(job)

    @property
    def seconds_at_work(self) -> float:
        return self._world.now - self._sent_at

    def wait(self, timeout: float) -> dict[str, Any] | None:
        for _ in range(10):
            if not self.fault.whole:
                raise RemoteUnreachableError("cut", retryable=True)
            lost_after = self.fault.lost_after
            if lost_after is not None and self._world.now >= self._sent_at + lost_after:
                raise self.fault.as_error()
            if self.job.ended and self.job.run is not None and lost_after is None:
                return self._answer(self.job.run)
            self._world.advance(timeout / 10)
        return None

    def hang_up(self) -> None:
        self.hung_up = True

    def _answer(self, run: Run) -> dict[str, Any]:
        if self.job.fails:
            raise RemoteUnreachableError("the import failed", status=500)
        counts = {"raw_node": 2, "fact": 1}
        item = {"kind": "migration_import", "record_counts": counts, "skipped_facts": 0, "pipeline_run_id": run.id}
        return {"status": "completed", "pipeline_run_id": run.id, "items": [item]}


class ModelClient:
    """The remote, as ``CogneeClient`` looks to a delivery."""

    def __init__(self, world: World, make_job: Callable[[], Job], *, clock_error: float) -> None:
        self.connection = Connection(url="http://127.0.0.1:1", api_key=SecretStr("key"), source="arguments")
        self.retry = RetryPolicy(attempts=4, first_wait=0.5, max_wait=2.0)
        self.clock_offset = timedelta(seconds=clock_error)
        self._world = world
        self._make_job = make_job

    def __enter__(self) -> "ModelClient":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def close(self) -> None:
        return None

    def without_retries(self, **_: object) -> "ModelClient":
        return _FlakyClient(self._world, self._make_job, clock_error=self.clock_offset.total_seconds())

    def require_cogx(self, *, must_know: bool) -> Server:
        return Server(version="1.6.5")

    def user(self) -> RemoteUser:
        return RemoteUser(id=self._world.user.id, email=None)

    def datasets(self) -> list[RemoteDataset]:
        return list(parse_datasets(msgspec.json.encode([self._world.dataset.shown()])))

    def find_dataset(self, name: str) -> RemoteDataset | None:
        return self.ensure_dataset(name)

    def ensure_dataset(self, name: str) -> RemoteDataset:
        return parse_dataset(msgspec.json.encode(self._world.dataset.shown()))

    def data(self, dataset_id: str) -> Iterator[Any]:
        return iter(())

    def read_graph(self, dataset_id: str, begin: Callable[[], _Rows]) -> GraphAnswer[_Rows]:
        self._world.advance(ROUND_TRIP)
        return pour(msgspec.json.encode(self._world.dataset.graph.shown()), begin())

    def runs(
        self, *, pipeline_name: str = IMPORT_PIPELINE, dataset_id: str | None = None, limit: int = 500, offset: int = 0
    ) -> list[PipelineRun]:
        self._world.advance(ROUND_TRIP)
        feed = self._world.state.feed(self._world.user, dataset_id=dataset_id, pipeline_name=pipeline_name)
        return list(parse_runs(msgspec.json.encode(list(feed)[offset : offset + limit])))

    def upload(self, path: Path, **_: object) -> ModelUpload:
        fault = self._world.faults.pop(0) if self._world.faults else UploadFault()
        upload = ModelUpload(self._world, self._make_job(), fault)
        self._world.uploads.append(upload)
        return upload


class _FlakyClient(ModelClient):
    """Looks that may fail."""

    def runs(self, **options: Any) -> list[PipelineRun]:
        if self._world.runs_fail():
            self._world.advance(ROUND_TRIP)
            raise RemoteUnreachableError("The list of runs cannot be read.", retryable=True)
        return super().runs(**options)


class VirtualStop(threading.Event):
    """An event that nobody sets; waiting for it lets the time pass."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def wait(self, timeout: float | None = None) -> bool:
        self._world.advance(timeout or 0.0)
        return False
