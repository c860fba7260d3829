"""From imports that came to their end to the events that are still to be written about them."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import dagster as dg
from msgspec.structs import replace

from cognee_dagster.dagster.event_log.failed_pushes import failed_push
from cognee_dagster.dagster.event_log.import_events import AssetEvent, ImportOutcome, kind_of
from cognee_dagster.dagster.event_log.pushes import Push, PushLog
from cognee_dagster.dagster.event_log.reports import ReportLog, Reports, kinds_as_bits
from cognee_dagster.dagster.sensors.backoff import asked_in_vain
from cognee_dagster.dagster.sensors.cursor import ImportCursor, PendingImport
from cognee_dagster.dagster.sensors.lease import ReporterLease
from cognee_dagster.dagster.sensors.tick_summary import TickSummary
from cognee_dagster.remote.imports.vocabulary import ImportState

_WORDS = {ImportState.SUCCEEDED: "finished", ImportState.STALLED: "stalled"}


@dataclass(frozen=True, kw_only=True)
class Reporting:
    """The reports of one tick.

    An import leaves the cursor in two steps: one tick hands its events to Dagster, and a later one sees them in the
    event log. Dagster drops a tick's events and keeps its cursor when somebody evaluates the sensor in the UI and
    commits the result.

    Attributes:
        instance: Dagster's.
        pushes: The pushes in the event log.
        reports: What the event log says already.
        lease: Which sensor may report.
        now: Our clock, in Unix seconds.
        summary: What the tick says about itself.
        log: The tick's log.
    """

    instance: dg.DagsterInstance
    pushes: PushLog
    reports: ReportLog
    lease: ReporterLease
    now: float
    summary: TickSummary
    log: logging.Logger

    def confirm(self, cursor: ImportCursor) -> ImportCursor:
        """The cursor without the imports whose report has arrived; those whose report was lost are due again."""
        by_asset: dict[str, list[PendingImport]] = defaultdict(list)
        for item in cursor.pending.values():
            if item.handed_over and self.pushes.watches(item.asset_key):
                by_asset[item.asset_key].append(item)
        for asset_key, items in by_asset.items():
            try:
                pushes = self.pushes.read(items)
                reports = self.reports.about(list(pushes.values()))
            except Exception:  # whatever it is about this asset, the others' imports go on
                self._unreadable(asset_key)
                continue
            arrived: list[PendingImport] = []
            lost: list[PendingImport] = []
            for item in items:
                push = pushes.get(item.storage_id)  # None: the asset was wiped
                written = kinds_as_bits(reports.kinds(push.import_id)) if push else item.handed_over
                (arrived if written & item.handed_over == item.handed_over else lost).append(item)
            cursor = cursor.without(item.storage_id for item in arrived)
            cursor = cursor.with_pending(replace(item, handed_over=0, ask_again_at=0) for item in lost)
        return cursor

    def report(self, cursor: ImportCursor, outcomes: Iterable[ImportOutcome]) -> tuple[ImportCursor, list[AssetEvent]]:
        """The events to write, and the cursor that remembers which they are."""
        by_asset: dict[str, list[ImportOutcome]] = defaultdict(list)
        for outcome in outcomes:
            by_asset[outcome.push.asset_key.to_user_string()].append(outcome)
        granted = self.lease.take(by_asset.keys())
        events: list[AssetEvent] = []
        for asset_key, ended in by_asset.items():
            items = [cursor.pending[key] for key in (o.push.storage_id for o in ended) if key in cursor.pending]
            if asset_key not in granted:
                self.summary.count("reported by another sensor", len(ended))
                continue
            try:
                missing = self._missing_events(asset_key, sorted(ended, key=lambda o: o.push.storage_id))
            except Exception:  # whatever it is about this asset, the others' imports are reported
                self._unreadable(asset_key)
                cursor = cursor.with_pending(asked_in_vain(item, now=self.now) for item in items)
                continue
            events += [event for some in missing.values() for event in some]
            kinds = {o.push.storage_id: kinds_as_bits(map(kind_of, missing[o.push.import_id])) for o in ended}
            cursor = cursor.without(key for key, handed_over in kinds.items() if not handed_over)
            cursor = cursor.with_pending(
                replace(item, handed_over=kinds[item.storage_id]) for item in items if kinds[item.storage_id]
            )
        return cursor, events

    def _missing_events(self, asset_key: str, ended: Sequence[ImportOutcome]) -> dict[str, list[AssetEvent]]:
        """By import, the events about one asset's imports, the newest push's last, so that it is what is shown."""
        reports = self.reports.about([outcome.push for outcome in ended])
        later = self.pushes.later(asset_key, than=ended[0].push.storage_id)
        succeeding = {outcome.push.import_id for outcome in ended if outcome.succeeded}
        missing: dict[str, list[AssetEvent]] = {}
        for outcome in ended:
            push = outcome.push
            if push.import_id in missing:
                continue
            if reports.ended(push):
                missing[push.import_id] = []
                continue
            newer_succeeded = self._newest_outcome(push, later, reports, succeeding)
            written = reports.kinds(push.import_id)
            missing[push.import_id] = outcome.missing_events(written, newer_succeeded=newer_succeeded)
            if missing[push.import_id]:
                self._count(outcome, superseded=newer_succeeded is True)
        return missing

    def _newest_outcome(
        self, push: Push, later: Iterable[Push], reports: Reports, succeeding: Collection[str]
    ) -> bool | None:
        """Whether the newest later push into the same remote dataset that has ended succeeded; None if none has ended.

        One that fails in this very tick need not be looked at: it is written after ``push``.
        """
        failed = failed_push(
            self.instance,
            push.asset_key,
            partition=push.partition,
            after=push.storage_id,
            target_dataset=push.target_dataset,
        )
        if failed is not None and not _same_graph(failed, push):
            failed = None
        for other in sorted(later, key=lambda other: other.storage_id, reverse=True):
            if other.storage_id > push.storage_id and other.import_id != push.import_id and _same_graph(other, push):
                if failed is not None and failed.storage_id > other.storage_id:
                    break
                outcome = True if other.import_id in succeeding else reports.outcome(other)
                if outcome is not None:
                    return outcome
        return None if failed is None else False

    def _count(self, outcome: ImportOutcome, *, superseded: bool) -> None:
        word = _WORDS.get(outcome.verdict.state, "failed")
        self.summary.count("superseded" if superseded and word != "finished" else word)
        self.log.info("%s: %s (%s)", outcome.push.asset_key.to_user_string(), word, outcome.verdict.reason)

    def _unreadable(self, asset_key: str) -> None:
        self.log.exception("The imports of %s could not be reported; they are looked at again", asset_key)
        self.summary.note(f"{asset_key} could not be reported, see the sensor's log.")


def _same_graph(one: Push, other: Push) -> bool:
    return (one.partition, one.target_dataset, one.remote_url) == (
        other.partition,
        other.target_dataset,
        other.remote_url,
    )
