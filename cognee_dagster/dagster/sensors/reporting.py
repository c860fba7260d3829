"""From imports that came to their end to the events that are still to be written about them."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from cognee_dagster.dagster.event_log.import_events import AssetEvent, Standing, events_for
from cognee_dagster.dagster.event_log.pushes import Push, PushLog
from cognee_dagster.dagster.event_log.reports import ReportLog, Reports
from cognee_dagster.dagster.sensors.backoff import asked_in_vain
from cognee_dagster.dagster.sensors.cursor import ImportCursor
from cognee_dagster.dagster.sensors.polling import Concluded
from cognee_dagster.dagster.sensors.tick_summary import TickSummary
from cognee_dagster.remote.imports.verdict import ImportState

_WORDS = {ImportState.SUCCEEDED: "finished", ImportState.STALLED: "stalled"}


@dataclass(frozen=True, kw_only=True)
class Reporting:
    """What one tick reports.

    Attributes:
        pushes: The pushes in the event log.
        reports: What the event log says already.
        now: Our clock, in Unix seconds.
        summary: What the tick says about itself.
        log: The tick's log.
    """

    pushes: PushLog
    reports: ReportLog
    now: float
    summary: TickSummary
    log: logging.Logger

    def report(self, cursor: ImportCursor, concluded: Iterable[Concluded]) -> tuple[ImportCursor, list[AssetEvent]]:
        """The events to write, and the cursor without the imports they are about."""
        by_asset: dict[str, list[Concluded]] = defaultdict(list)
        for item in concluded:
            by_asset[item.push.asset_key.to_user_string()].append(item)
        if by_asset:
            self.reports.glance([self.pushes.graph_key(asset_key) for asset_key in by_asset])
        newest = self.pushes.newest(by_asset)
        events: list[AssetEvent] = []
        for asset_key, items in by_asset.items():
            storage_ids = [item.push.storage_id for item in items]
            try:
                in_order = sorted(items, key=lambda item: item.push.storage_id)
                events += self._about_asset(asset_key, in_order, newest_push=newest.get(asset_key, 0))
            except Exception:  # whatever it is about this asset, the others' imports are reported
                self.log.exception("The imports of %s could not be reported; they are looked at again", asset_key)
                self.summary.note(f"{asset_key} could not be reported, see the sensor's log.")
                again = [cursor.pending[key] for key in storage_ids if key in cursor.pending]
                cursor = cursor.with_pending(asked_in_vain(item, now=self.now) for item in again)
            else:
                cursor = cursor.without(storage_ids)
        return cursor, events

    def _about_asset(self, asset_key: str, items: Sequence[Concluded], *, newest_push: int) -> list[AssetEvent]:
        """The events about one asset's imports, the newest push's last, so that it is what the asset shows."""
        reports = self.reports.about([item.push for item in items])
        oldest = items[0].push.storage_id
        later = self.pushes.later(asset_key, than=oldest) if newest_push > oldest else []
        succeeding = {item.push.import_id for item in items if item.verdict.state is ImportState.SUCCEEDED}
        events: list[AssetEvent] = []
        seen: set[str] = set()
        for item in items:
            push = item.push
            if push.import_id in seen or reports.ended(push):
                continue
            seen.add(push.import_id)
            standing = Standing(
                written=reports.kinds(push), newer_succeeded=_newest_outcome(push, later, reports, succeeding)
            )
            new = events_for(push, item.verdict, standing)
            events += new
            if new:
                self._count(item, superseded=standing.newer_succeeded is True)
        return events

    def _count(self, item: Concluded, *, superseded: bool) -> None:
        word = _WORDS.get(item.verdict.state, "failed")
        self.summary.count("superseded" if superseded and word != "finished" else word)
        self.log.info("%s: %s (%s)", item.push.asset_key.to_user_string(), word, item.verdict.reason)


def _newest_outcome(push: Push, later: Iterable[Push], reports: Reports, succeeding: Collection[str]) -> bool | None:
    """Whether the newest later push into the same remote dataset that has ended succeeded; None if none has ended.

    One that fails in this very tick need not be looked at: it is written after ``push``.
    """
    for other in sorted(later, key=lambda other: other.storage_id, reverse=True):
        if other.storage_id > push.storage_id and other.import_id != push.import_id and _same_graph(other, push):
            outcome = True if other.import_id in succeeding else reports.outcome(other)
            if outcome is not None:
                return outcome
    return None


def _same_graph(one: Push, other: Push) -> bool:
    return (one.partition, one.target_dataset, one.remote_url) == (
        other.partition,
        other.target_dataset,
        other.remote_url,
    )
