"""A fake remote, a real Dagster event log, and a clock that stands still: what the import sensor's tests play in."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest import mock

import dagster as dg
from pydantic import SecretStr

from cognee_dagster.dagster.event_log.import_events import AssetEvent
from cognee_dagster.dagster.event_log.pushes import PushLog, graph_key_of
from cognee_dagster.dagster.keys import CHECK_IMPORT_SUCCEEDED, PIPELINE_RUN_ID
from cognee_dagster.dagster.sensors.budget import TimeBudget
from cognee_dagster.dagster.sensors.policies import WatchPolicy
from cognee_dagster.dagster.sensors.polling import FeedWithin, Remote
from cognee_dagster.dagster.sensors.tick import ImportTick, TickResult
from cognee_dagster.errors import RemoteError
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import Connection
from cognee_dagster.remote.responses import PipelineRun
from cognee_dagster.remote.retry import RetryPolicy
from cognee_dagster.testing import IMPORT_PIPELINE, Dataset, FakeRemote, User
from cognee_dagster.testing.runs import Run
from tests.unit.virtual_clock import VirtualClock


class Feed:
    """The run feed of a fake remote whose time stands still, as ``CogneeClient`` reads it, and what it was asked.

    Args:
        now: Our time, in Unix seconds.

    Attributes:
        remote: The server behind it.
        failures: What questions about a dataset id (or, under None, about all) fail with before they are sent.
        questions: The datasets that were asked about; None: all.
    """

    def __init__(self, *, now: float) -> None:
        self.remote = FakeRemote()
        self.clock = VirtualClock(datetime.fromtimestamp(now, tz=timezone.utc))
        self.remote.state.clock = self.clock
        self.failures: dict[str | None, RemoteError] = {}
        self.questions: list[str | None] = []
        self._runs: dict[str, Run] = {}

    def __enter__(self) -> "Feed":
        self.remote.start()
        connection = Connection(url=self.remote.url, api_key=SecretStr(self.remote.api_key))
        self._client = CogneeClient(connection, retry=RetryPolicy(attempts=1))
        return self

    def __exit__(self, *raised: Any) -> None:
        self._client.close()
        self.remote.__exit__(*raised)

    @property
    def now(self) -> float:
        """Our time, in Unix seconds; the server's is ``clock.skew`` seconds ahead."""
        return self.clock.start.timestamp() + self.clock.seconds

    def wait(self, seconds: float) -> None:
        """Time goes by, here and there."""
        self.clock.seconds += seconds

    @property
    def clock_offset(self) -> timedelta:
        """As ``CogneeClient.clock_offset``, for our time."""
        return timedelta(seconds=self.clock.skew)

    def start(self, dataset: str, *, pipeline: str = IMPORT_PIPELINE) -> str:
        """A run begins."""
        state, admin = self.remote.state, self.remote.admin
        run = Run(state=state, pipeline=pipeline, dataset=state.ensure_dataset(dataset, admin), user=admin).start()
        self._runs[run.id] = run
        return run.id

    def end(self, run_id: str, *, error: str | None = None) -> None:
        """A run ends, well or, with ``error``, badly."""
        if error:
            self._runs[run_id].fail(error)
        else:
            self._runs[run_id].complete()

    def delete(self, dataset: str) -> None:
        """Somebody deletes a dataset; the rows of its runs stay."""
        del self.remote.state.datasets[dataset_id(dataset)]

    def runs(
        self, *, pipeline_name: str = IMPORT_PIPELINE, dataset_id: str | None = None, limit: int = 500, offset: int = 0
    ) -> Sequence[PipelineRun]:
        """As ``CogneeClient.runs``."""
        self.questions.append(dataset_id)
        for about in {None, dataset_id}:
            if about in self.failures:
                raise self.failures[about]
        return self._client.runs(pipeline_name=pipeline_name, dataset_id=dataset_id, limit=limit, offset=offset)


def dataset_id(name: str) -> str:
    """The id that a fake remote gives its superuser's dataset of this name."""
    return Dataset(name=name, owner=User(email="admin@example.com", api_key=""), created_at="").id


@dataclass(frozen=True)
class Reported:
    """The events about one import."""

    materialized: int = 0
    passed: int = 0
    failed: int = 0
    observed: int = 0


class ErrorLog(logging.Handler):
    """A tick's log that keeps what is logged as an error: an import that is passed over must not go unnoticed."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[str] = []
        self.logger = logging.Logger("tick")
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.errors.append(record.getMessage())


class World:
    """One Dagster instance, one remote, any number of sensors."""

    def __init__(
        self,
        *,
        datasets: Sequence[str] = ("a",),
        policy: WatchPolicy | None = None,
        instance: dg.DagsterInstance | None = None,
    ) -> None:
        self.instance = instance or dg.DagsterInstance.ephemeral()
        self.feed = Feed(now=datetime.now(timezone.utc).timestamp())
        self.policy = policy or WatchPolicy()
        self.keys = [push_key(dataset) for dataset in datasets]
        self.cursors: dict[str, str | None] = {}
        self.connect_error: Exception | None = None
        self.log = ErrorLog()
        self.pushers_clock = 0.0  # how many seconds the clock of the machine that pushes is ahead
        self.sensors_clock = 0.0  # and the daemon's

    def __enter__(self) -> "World":
        self.feed.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        self.feed.__exit__(*raised)

    def wait(self, seconds: float) -> None:
        """Time goes by, here and there."""
        self.feed.wait(seconds)

    def push(
        self,
        dataset: str = "a",
        *,
        run_id: str | None = None,
        target: str | None = None,
        partition: str | None = None,
        status: str = "started",
        mode: str = "preserve",
        url: str | None = None,
    ) -> str:
        """A background push begins: the remote has a run of it, and Dagster a materialization."""
        target = target or dataset
        self.feed.remote.state.ensure_dataset(target, self.feed.remote.admin)
        run_id = self.feed.start(target) if run_id is None else run_id
        self._write(
            dg.AssetMaterialization(
                push_key(dataset),
                partition=partition,
                metadata={
                    "status": status,
                    "mode": mode,
                    "num_nodes": 13,
                    "num_edges": 26,
                    "dataset_name": dataset,
                    "target_dataset": target,
                    "pipeline_run_id": run_id or None,
                    "cognee/seconds": 1.5,
                    "cognee/remote_url": self.feed.remote.url if url is None else url,
                    "cognee/remote_dataset_id": dataset_id(target),
                    "cognee/archive_digest": "sha256:graph",
                },
            ),
            at=self.feed.now + self.pushers_clock,
        )
        return run_id

    def evaluate(self, sensor: str = "sensor", *, budget: TimeBudget | None = None) -> TickResult:
        """What a tick of this sensor would hand to Dagster."""
        tick = ImportTick(
            self.instance,
            pushes=PushLog(self.instance, self.keys, {}),
            connect=self._connect,
            policy=self.policy,
            now=self.feed.now + self.sensors_clock,
            log=self.log.logger,
            sensor=sensor,
            budget=budget,
        )
        return tick.run(self.cursors.get(sensor))

    def tick(
        self, sensor: str = "sensor", *, dies_after: int | None = None, budget: TimeBudget | None = None
    ) -> TickResult:
        """A tick, with its events and then its cursor written; ``dies_after`` so many events the daemon is killed."""
        result = self.evaluate(sensor, budget=budget)
        self.write(result, sensor, dies_after=dies_after)
        return result

    def write(self, result: TickResult, sensor: str = "sensor", *, dies_after: int | None = None) -> None:
        """What the daemon does after a tick."""
        for event in result.events[:dies_after]:
            self._write(event, at=self.feed.now + self.sensors_clock)
        if dies_after is None:
            self.cursors[sensor] = result.cursor

    def reported(self, run_id: str, dataset: str = "a") -> Reported:
        """What the event log says of an import."""
        key = graph_key_of(push_key(dataset), {})
        materialized = self.instance.fetch_materializations(key, limit=1000).records
        observed = self.instance.fetch_observations(key, limit=1000).records
        return Reported(
            materialized=sum(_is_about(run_id, record.asset_materialization) for record in materialized),
            observed=sum(_is_about(run_id, record.asset_observation) for record in observed),
            passed=sum(check.passed and _is_about(run_id, check) for check in self.checks(dataset)),
            failed=sum(not check.passed and _is_about(run_id, check) for check in self.checks(dataset)),
        )

    def checks(self, dataset: str = "a") -> list[dg.AssetCheckEvaluation]:
        """The evaluations of ``remote_import_succeeded``, newest first."""
        key = dg.AssetCheckKey(graph_key_of(push_key(dataset), {}), CHECK_IMPORT_SUCCEEDED)
        records = self.instance.event_log_storage.get_asset_check_execution_history(key, limit=1000)
        events = [record.event.dagster_event for record in records if record.event is not None]
        return [event.asset_check_evaluation_data for event in events if event is not None]

    def _write(self, event: AssetEvent, *, at: float) -> None:
        with mock.patch("time.time", return_value=at):  # where Dagster takes an event's time from
            self.instance.report_runless_asset_event(event)

    @contextmanager
    def _connect(self, budget: TimeBudget) -> Iterator[Remote]:
        if self.connect_error is not None:
            raise self.connect_error
        yield Remote(url=self.feed.remote.url, feed=FeedWithin(feed=self.feed, budget=budget))


def push_key(dataset: str) -> dg.AssetKey:
    """The push asset of a dataset."""
    return dg.AssetKey(["team", dataset, "remote_push"])


def _is_about(
    run_id: str, event: dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation | None
) -> bool:
    assert event is not None
    value = event.metadata.get(PIPELINE_RUN_ID)
    return value is not None and value.value == run_id
