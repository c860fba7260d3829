"""What the event log already says about imports that came to their end.

Dagster writes a tick's events before its cursor, so a tick that is killed in between is repeated: the event log, not
the cursor, decides whether an import was reported. Every terminal event names the import's run and its push.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import dagster as dg

from cognee_dagster.dagster.event_log.evaluations import evaluation_in
from cognee_dagster.dagster.event_log.pushes import Push, plain_metadata, pushed_by
from cognee_dagster.dagster.keys import (
    CHECK_IMPORT_SUCCEEDED,
    PARTITION,
    PIPELINE_RUN_ID,
    PUSH_FAILED,
    PUSH_RUN_ID,
    STATUS,
)
from cognee_dagster.remote.imports.vocabulary import ImportState

# Values of STATUS in events about an import that came to its end.
COMPLETED = ImportState.SUCCEEDED.status
FAILED = ImportState.FAILED.status
STALLED = ImportState.STALLED.status
INCOMPLETE = ImportState.INCOMPLETE.status
SUPERSEDED = ImportState.SUPERSEDED.status
ENDED = frozenset({COMPLETED, FAILED, STALLED, INCOMPLETE, SUPERSEDED})

# A re-run that adopts a running import logs a second push for it, perhaps just after the first one's report. Looking
# back this many events finds that; the log's own order is used because the clocks of several machines disagree.
_LOOK_BACK_EVENTS = 2_000

# Check evaluations can be ordered by time only, of machines whose clocks may be a week apart.
_LOOK_BACK_SECONDS = 14 * 86_400.0

_PAGE = 200
_FIRST_PAGE_OF_CHECKS = 10  # newest first, of which most often one is looked for

EventKind = Literal["materialization", "observation", "check"]
_BITS: Mapping[EventKind, int] = {"materialization": 1, "observation": 2, "check": 4}


def kinds_as_bits(kinds: Iterable[EventKind]) -> int:
    """Kinds of events as a bit field."""
    return sum(_BITS[kind] for kind in set(kinds))


@dataclass(frozen=True, kw_only=True)
class Report:
    """One event about an import that came to its end.

    Attributes:
        kind: What it is for Dagster.
        import_id: Which import; see ``Push.import_id``.
        succeeded: Whether the import did.
    """

    kind: EventKind
    import_id: str
    succeeded: bool


@dataclass(frozen=True)
class Reports:
    """What the log says about the imports into one ``remote_graph``."""

    items: tuple[Report, ...] = ()

    def kinds(self, import_id: str) -> frozenset[EventKind]:
        """Which events there are about this import."""
        return frozenset(item.kind for item in self._of(import_id))

    def ended(self, push: Push) -> bool:
        """Whether this push's import is reported in full: a success has two events, any other end has one."""
        failed = any(not item.succeeded for item in self._of(push.import_id))
        return failed or self.kinds(push.import_id) >= {"materialization", "check"}

    def outcome(self, push: Push) -> bool | None:
        """Whether this push's import succeeded; None if it is not reported."""
        outcomes = [item.succeeded for item in self._of(push.import_id)]
        return all(outcomes) if outcomes else None

    def _of(self, import_id: str) -> Iterator[Report]:
        return (item for item in self.items if item.import_id == import_id)


class ReportLog:
    """Reads reports from Dagster's event log, from the events themselves.

    Dagster's index of assets is written after the event, in another transaction: a daemon that was killed in
    between leaves a materialization that the index does not show.

    Args:
        instance: Dagster's.
        now: Our clock, in Unix seconds.
    """

    def __init__(self, instance: dg.DagsterInstance, *, now: float) -> None:
        self._instance = instance
        self._now = now

    def about(self, pushes: Sequence[Push]) -> Reports:
        """Everything about the imports of these pushes and later ones; the pushes are of one asset."""
        return Reports(tuple(self._reports(pushes)))

    def unreported(self, pushes: Sequence[Push]) -> list[Push]:
        """Those of these pushes, all of one asset, whose import is not reported; stops reading as soon as all are."""
        found: list[Report] = []
        for report in self._reports(pushes):
            found.append(report)
            if not any(report.import_id == push.import_id for push in pushes):
                continue
            known = Reports(tuple(found))
            if all(known.ended(push) for push in pushes):
                return []
        known = Reports(tuple(found))
        return [push for push in pushes if not known.ended(push)]

    def _reports(self, pushes: Sequence[Push]) -> Iterator[Report]:
        if not pushes:
            return
        graph_key = pushes[0].graph_key
        after = max(0, min(push.storage_id for push in pushes) - _LOOK_BACK_EVENTS)
        # A push from the future was made by a clock that is ahead; what is said of it has today's time.
        since = min(self._now, *(push.timestamp for push in pushes)) - _LOOK_BACK_SECONDS
        yield from self._check_evaluations(graph_key, since=since)
        yield from self._asset_events(graph_key, after=after, kind="materialization")
        # Also where there is no materialization: a tick that was killed may have written the observation of an older
        # import, and not yet the newer one's success, which made it one.
        yield from self._asset_events(graph_key, after=after, kind="observation")

    def _asset_events(
        self, graph_key: dg.AssetKey, *, after: int, kind: Literal["materialization", "observation"]
    ) -> Iterator[Report]:
        fetch = {
            "materialization": self._instance.fetch_materializations,
            "observation": self._instance.fetch_observations,
        }[kind]
        more = True
        while more:
            page = fetch(dg.AssetRecordsFilter(asset_key=graph_key, after_storage_id=after), _PAGE, ascending=True)
            for record in page.records:
                event = record.asset_materialization or record.asset_observation
                if event is not None:
                    yield from _report(kind, plain_metadata(event.metadata))
                after = record.storage_id
            more = page.has_more and bool(page.records)

    def _check_evaluations(self, graph_key: dg.AssetKey, *, since: float) -> Iterator[Report]:
        """Newest first. Dagster has no decorated-public way to read them; this one has been there since 1.5."""
        storage = self._instance.event_log_storage
        check_key = dg.AssetCheckKey(graph_key, CHECK_IMPORT_SUCCEEDED)
        before: int | None = None
        limit = _FIRST_PAGE_OF_CHECKS
        while True:
            records = storage.get_asset_check_execution_history(check_key, limit=limit, cursor=before)
            for record in records:
                event = record.event
                if event is not None and max(event.timestamp, record.create_timestamp) < since:
                    return
                evaluation = evaluation_in(record)
                if evaluation is not None:
                    yield from _report("check", plain_metadata(evaluation.metadata), passed=evaluation.passed)
            if len(records) < limit:
                return
            before, limit = records[-1].id, _PAGE


def _report(kind: EventKind, metadata: Mapping[str, Any], *, passed: bool = True) -> Iterator[Report]:
    """The report in an event's metadata; nothing for an event that says something else.

    A push that failed may be tried again, and go on with the very import that it had begun.
    """
    if metadata.get(PUSH_FAILED):
        return
    import_id = metadata.get(PIPELINE_RUN_ID) or pushed_by(
        str(metadata.get(PUSH_RUN_ID) or ""), metadata.get(PARTITION)
    )
    if metadata.get(STATUS) in ENDED:
        yield Report(kind=kind, import_id=str(import_id), succeeded=passed and metadata[STATUS] == COMPLETED)
