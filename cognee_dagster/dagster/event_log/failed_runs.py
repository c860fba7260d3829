"""Pushes that failed for good, as the runs that were to make them say it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import dagster as dg

from cognee_dagster.dagster.event_log.pushes import plain_metadata
from cognee_dagster.dagster.keys import PIPELINE_RUN_ID

# Tags that Dagster writes where run retries are switched on, the first one a moment after the failure.
_WILL_RETRY_TAG = "dagster/will_retry"
_RETRIED_BY_TAG = "dagster/auto_retry_run_id"

_PAGE = 100

_EVENTS = {
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_OBSERVATION,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
}


@dataclass(frozen=True, kw_only=True)
class FailedRun:
    """A run that failed.

    Attributes:
        run: It.
        entries: What its log says of assets and failures, oldest first.
        retries_enabled: Whether Dagster may retry whole runs.
    """

    run: dg.DagsterRun
    entries: Sequence[dg.EventLogEntry]
    retries_enabled: bool

    @property
    def retried(self) -> bool | None:
        """Whether another run does its work; None while that is still to be seen."""
        if not self.retries_enabled or self.run.tags.get(_WILL_RETRY_TAG) == "false":
            return False
        return True if _RETRIED_BY_TAG in self.run.tags else None

    def unmade(self, push_keys: Iterable[dg.AssetKey]) -> dict[dg.AssetKey, list[str | None]]:
        """Those of these assets, with their partitions, that it was to materialize and has not."""
        watched = set(push_keys)
        planned = _assets(self._of(dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED))
        made = _assets(self._of(dg.DagsterEventType.ASSET_MATERIALIZATION))
        missing: dict[dg.AssetKey, list[str | None]] = {}
        for key, partition in sorted(planned, key=str):
            if key in watched and not made & {(key, partition), (key, None)}:
                missing.setdefault(key, []).append(partition)
        return missing

    def timestamp(self) -> float:
        """When it failed, in Unix seconds."""
        return max((entry.timestamp for entry in self._of(dg.DagsterEventType.RUN_FAILURE)), default=0.0)

    def error(self, push_key: dg.AssetKey) -> tuple[str, Mapping[str, Any]]:
        """Why the push was not made, and what the step that failed said besides.

        That is the push's own step, else one before it in the same chain, else any other that failed.
        """
        own = push_key.to_python_identifier()
        failures = {entry.step_key: entry for entry in self._of(dg.DagsterEventType.STEP_FAILURE) if entry.step_key}
        by_nearness = sorted(failures, key=lambda step: (step != own, -_num_common(str(step), own)))
        for step in by_nearness[:1]:
            message, metadata = _failure(failures[step])
            return (message if step == own else f"Step {step} failed before it. {message}"), metadata
        return _run_failure(self._of(dg.DagsterEventType.RUN_FAILURE)), {}

    def import_run(self, push_key: dg.AssetKey) -> str | None:
        """The import on the remote that it had begun last, if it had."""
        for entry in reversed(self._of(dg.DagsterEventType.ASSET_OBSERVATION)):
            observation = entry.asset_observation
            if observation is not None and observation.asset_key == push_key:
                found = plain_metadata(observation.metadata).get(PIPELINE_RUN_ID)
                if found:  # what was deleted is observed, too
                    return str(found)
        return None

    def _of(self, kind: dg.DagsterEventType) -> list[dg.EventLogEntry]:
        return [entry for entry in self.entries if entry.dagster_event_type is kind]


class FailedRunLog:
    """Reads failed runs from Dagster's event log.

    Args:
        instance: Dagster's.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance

    def newest(self) -> int:
        """The storage id of the newest failure of a run."""
        return max((position for position, _, _ in self._fetch(1)), default=0)

    def since(self, moment: float) -> int:
        """The storage id after which the failures begin that were logged since then."""
        before: int | None = None
        first = self.newest() + 1
        while page := self._fetch(_PAGE, before_storage_id=before):
            for position, _, timestamp in page:
                if timestamp < moment:
                    return first - 1
                first = min(first, position)
            before = page[-1][0]
        return first - 1

    def after(self, position: int) -> list[tuple[int, str]]:
        """The next failures after a storage id, oldest first: storage id and run; empty at the end."""
        page = self._fetch(_PAGE, ascending=True, after_storage_id=position)
        return [(found, run_id) for found, run_id, _ in page]

    def run(self, run_id: str) -> FailedRun | None:
        """A failed run; None when it was deleted."""
        run = self._instance.get_run_by_id(run_id)
        if run is None:
            return None
        entries = self._instance.all_logs(run_id, of_type=_EVENTS)
        return FailedRun(run=run, entries=entries, retries_enabled=self._instance.run_retries_enabled)

    def _fetch(self, limit: int, *, ascending: bool = False, **wanted: Any) -> list[tuple[int, str, float]]:
        records_filter = dg.RunStatusChangeRecordsFilter(event_type=dg.DagsterEventType.RUN_FAILURE, **wanted)
        found = self._instance.fetch_run_status_changes(records_filter, limit=limit, ascending=ascending)
        return [(record.storage_id, record.run_id, record.timestamp) for record in found.records]


def _num_common(one: str, other: str) -> int:
    """How many segments of their keys two steps have in common: those of a target's chain more than its dataset's."""
    pairs = zip(one.split("__"), other.split("__"), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _assets(entries: Iterable[dg.EventLogEntry]) -> set[tuple[dg.AssetKey, str | None]]:
    events = [entry.dagster_event for entry in entries if entry.dagster_event is not None]
    return {(event.asset_key, event.partition) for event in events if event.asset_key is not None}


def _failure(entry: dg.EventLogEntry) -> tuple[str, Mapping[str, Any]]:
    event = entry.dagster_event
    details = event.step_failure_data if event is not None else None
    if details is None:
        return entry.message, {}
    said = details.user_failure_data
    if said is not None and said.description:
        return said.description, plain_metadata(said.metadata)
    error = details.error
    while error is not None and error.cause is not None:  # Dagster wraps what a step raises
        error = error.cause
    return (error.message.strip() if error is not None else entry.message), {}


def _run_failure(entries: Sequence[dg.EventLogEntry]) -> str:
    event = entries[-1].dagster_event if entries else None
    return (event.message if event is not None else None) or "The run ended without saying why."
