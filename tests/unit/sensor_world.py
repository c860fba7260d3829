"""A remote's run feed in memory, a real Dagster event log, and a clock: what the import sensor's tests play in."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from uuid import NAMESPACE_URL, uuid4, uuid5

import dagster as dg
import msgspec
from dagster._core.test_utils import freeze_time

from cognee_dagster.dagster.event_log.import_events import AssetEvent
from cognee_dagster.dagster.event_log.pushes import graph_key_of
from cognee_dagster.dagster.keys import CHECK_IMPORT_SUCCEEDED, PIPELINE_RUN_ID
from cognee_dagster.dagster.sensors.budget import TimeBudget
from cognee_dagster.dagster.sensors.policies import WatchPolicy
from cognee_dagster.dagster.sensors.polling import Remote
from cognee_dagster.dagster.sensors.tick import ImportTick, TickResult
from cognee_dagster.errors import RemoteError, RemotePermissionError
from cognee_dagster.remote.imports.verdict import IMPORT_PIPELINE
from cognee_dagster.remote.responses import PipelineRun

URL = "https://cognee.example.com"


def dataset_id(name: str) -> str:
    """The id that the feed gives a dataset of this name."""
    return str(uuid5(NAMESPACE_URL, name))


@dataclass
class Feed:
    """The rows that a Cognee 1.6.5 would show, and what it was asked.

    ``skew``: how far the server's clock is ahead of ours, in seconds. ``failures``: what questions about a dataset (or,
    under None, about all) are answered with.
    """

    now: float
    skew: float = 0.0
    rows: list[PipelineRun] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    failures: dict[str | None, RemoteError] = field(default_factory=dict)
    questions: list[str | None] = field(default_factory=list)
    began: dict[str, datetime] = field(default_factory=dict)

    def start(self, dataset: str, *, run_id: str | None = None, pipeline: str = IMPORT_PIPELINE) -> str:
        """A run begins."""
        run_id = run_id or str(uuid4())
        self.began[run_id] = self.moment
        self._write(run_id, dataset, pipeline, status="STARTED", outcome=None, error=None)
        return run_id

    def end(self, run_id: str, dataset: str, *, error: str | None = None, pipeline: str = IMPORT_PIPELINE) -> None:
        """A run ends, well or, with ``error``, badly."""
        status, outcome = ("ERRORED", "failed") if error else ("COMPLETED", "succeeded")
        self._write(run_id, dataset, pipeline, status=status, outcome=outcome, error=error)

    def runs(
        self,
        *,
        pipeline_name: str = IMPORT_PIPELINE,
        dataset_id: str | None = None,
        limit: int = 500,
        offset: int = 0,
    ) -> Sequence[PipelineRun]:
        """As ``CogneeClient.runs``."""
        self.questions.append(dataset_id)
        for about in {None, dataset_id}:
            if about in self.failures:
                raise self.failures[about]
        if dataset_id in self.deleted:
            raise RemotePermissionError("Request owner does not have necessary permission: [read]", status=403)
        fitting = [
            row for row in self.rows if row.pipeline_name == pipeline_name and dataset_id in (None, row.dataset_id)
        ]
        newest_first = sorted(fitting, key=lambda row: (row.created_at, row.row_id), reverse=True)
        return [
            _without_name(row) if row.dataset_id in self.deleted else row
            for row in newest_first[offset : offset + limit]
        ]

    @property
    def moment(self) -> datetime:
        """The server's time; never the same twice."""
        return datetime.fromtimestamp(self.now + self.skew, tz=timezone.utc) + timedelta(microseconds=len(self.rows))

    def _write(
        self, run_id: str, dataset: str, pipeline: str, *, status: str, outcome: str | None, error: str | None
    ) -> None:
        moment = self.moment
        self.rows.append(
            PipelineRun(
                row_id=str(uuid4()),
                kind="pipeline",
                pipeline_name=pipeline,
                pipeline_run_id=run_id,
                status=f"DATASET_PROCESSING_{status}",
                outcome=outcome,
                error_class=error,
                background=None,
                dataset_id=dataset_id(dataset),
                dataset_name=dataset,
                user_id="user",
                created_at=moment,
                started_at=self.began.get(run_id, moment),
                ended_at=moment if outcome else None,
            )
        )


def _without_name(row: PipelineRun) -> PipelineRun:
    return msgspec.structs.replace(row, dataset_name=None)


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

    def __init__(self, *, datasets: Sequence[str] = ("a",), policy: WatchPolicy | None = None) -> None:
        self.instance = dg.DagsterInstance.ephemeral()
        self.start = datetime.now(timezone.utc).timestamp()
        self.feed = Feed(now=self.start)
        self.policy = policy or WatchPolicy()
        self.keys = [push_key(dataset) for dataset in datasets]
        self.cursors: dict[str, str | None] = {}
        self.connect_error: Exception | None = None
        self.log = ErrorLog()
        self.pushers_clock = 0.0  # how many seconds the clock of the machine that pushes is ahead
        self.sensors_clock = 0.0  # and the daemon's

    def wait(self, seconds: float) -> None:
        """Time goes by, here and there."""
        self.feed.now += seconds

    def push(
        self,
        dataset: str = "a",
        *,
        run_id: str | None = None,
        target: str | None = None,
        partition: str | None = None,
        status: str = "started",
        mode: str = "preserve",
        url: str = URL,
    ) -> str:
        """A background push begins: the remote has a run of it, and Dagster a materialization."""
        target = target or dataset
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
                    "cognee/remote_url": url,
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
            push_keys=self.keys,
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
        key = graph_key_of(push_key(dataset))
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
        key = dg.AssetCheckKey(graph_key_of(push_key(dataset)), CHECK_IMPORT_SUCCEEDED)
        records = self.instance.event_log_storage.get_asset_check_execution_history(key, limit=1000)
        events = [record.event.dagster_event for record in records if record.event is not None]
        return [event.asset_check_evaluation_data for event in events if event is not None]

    def _write(self, event: AssetEvent, *, at: float) -> None:
        with freeze_time(at):
            self.instance.report_runless_asset_event(event)

    @contextmanager
    def _connect(self) -> Iterator[Remote]:
        if self.connect_error is not None:
            raise self.connect_error
        yield Remote(url=URL, feed=self.feed)


def push_key(dataset: str) -> dg.AssetKey:
    """The push asset of a dataset."""
    return dg.AssetKey(["team", dataset, "remote_push"])


def _is_about(
    run_id: str, event: dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation | None
) -> bool:
    assert event is not None
    value = event.metadata.get(PIPELINE_RUN_ID)
    return value is not None and value.value == run_id
