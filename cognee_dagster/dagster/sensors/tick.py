"""One tick of the import sensor: take up new pushes, ask the remote, report what has come to its end."""

import hashlib
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import dagster as dg
from msgspec.structs import replace

from cognee_dagster.dagster.event_log.import_events import AssetEvent, ImportOutcome
from cognee_dagster.dagster.event_log.pushes import PushLog
from cognee_dagster.dagster.event_log.reports import ReportLog
from cognee_dagster.dagster.sensors.backoff import in_order, is_due, paused
from cognee_dagster.dagster.sensors.budget import TimeBudget
from cognee_dagster.dagster.sensors.cursor import ImportCursor, PendingImport
from cognee_dagster.dagster.sensors.lease import ReporterLease
from cognee_dagster.dagster.sensors.policies import UNANSWERED_AFTER_SECONDS, WatchPolicy
from cognee_dagster.dagster.sensors.polling import Polling, Remote
from cognee_dagster.dagster.sensors.reporting import Reporting
from cognee_dagster.dagster.sensors.scan import PushScanner
from cognee_dagster.dagster.sensors.tick_summary import TickSummary
from cognee_dagster.errors import CogneeDagsterError, RemoteError
from cognee_dagster.graph.counting import counted

_SCAN_SHARE = 0.5  # of a tick's time at most, so that a long look through the event log leaves some for the remote


@dataclass(frozen=True, kw_only=True)
class TickResult:
    """What a tick hands to Dagster, which writes the events first and the cursor after them."""

    events: list[AssetEvent]
    cursor: str
    summary: str


class ImportTick:
    """One tick of one sensor.

    Args:
        instance: Dagster's, whose event log is read.
        pushes: Of the assets to watch.
        connect: Opens the remote, for as long as a budget lasts; raises ``CogneeDagsterError`` where it cannot.
        policy: How to watch.
        now: Our clock, in Unix seconds.
        log: The tick's log.
        sensor: What distinguishes the sensor from others over the same assets: code location, repository and name.
        budget: The tick's time; default: as the policy says, from now.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        *,
        pushes: PushLog,
        connect: Callable[[TimeBudget], AbstractContextManager[Remote]],
        policy: WatchPolicy,
        now: float,
        log: logging.Logger,
        sensor: str = "",
        budget: TimeBudget | None = None,
    ) -> None:
        self._assets = hashlib.sha256("\n".join(sorted(pushes.asset_keys)).encode()).hexdigest()[:12]
        self._connect = connect
        self._now = now
        self._log = log
        self._budget = budget or TimeBudget(policy.time_budget)
        self._summary = TickSummary()
        self._pushes = pushes
        self._reports = ReportLog(instance, now=now)
        self._polling = Polling(
            pushes=self._pushes, policy=policy, now=now, budget=self._budget, summary=self._summary, log=log
        )
        self._lease = ReporterLease(instance, holder=sensor, now=now)
        self._reporting = Reporting(
            instance=instance,
            pushes=self._pushes,
            reports=self._reports,
            lease=self._lease,
            now=now,
            summary=self._summary,
            log=log,
        )

    def run(self, text: str | None) -> TickResult:
        """Everything a tick does.

        Args:
            text: The cursor that the last tick left, in whatever state it is.
        """
        cursor = self._remember(text)
        held = _awaiting(cursor)
        cursor = self._take_up(self._reporting.confirm(cursor))
        cursor, outcomes = self._ask(cursor)
        cursor, events = self._reporting.report(cursor, outcomes)
        held |= {outcome.push.asset_key.to_user_string() for outcome in outcomes}
        self._lease.give_back(held - _awaiting(cursor))
        return TickResult(events=events, cursor=cursor.encode(), summary=str(self._summary))

    def _remember(self, text: str | None) -> ImportCursor:
        cursor = ImportCursor.decode(text)
        if cursor is None:
            if text:
                self._summary.note("The cursor could not be read, so the event log is looked through again.")
            return ImportCursor(assets=self._assets)
        if cursor.assets != self._assets:  # another asset is watched, whose pushes may be older than the watermark
            return replace(cursor, assets=self._assets, watermark=0, audited=0, audit_at=0, seen_upto=0, scan=None)
        return cursor

    def _take_up(self, cursor: ImportCursor) -> ImportCursor:
        scanner = PushScanner(
            pushes=self._pushes,
            reports=self._reports,
            now=self._now,
            keep_going=self._budget.part(_SCAN_SHARE).lasts,
            log=self._log,
        )
        cursor = scanner.run(cursor)
        if cursor.scan is not None:
            pending = counted(len(cursor.pending), "import is", "imports are")
            reason = "time is up" if cursor.room else f"{pending} pending already"
            self._summary.note(f"Not all new pushes are taken up yet: {reason}.")
        return self._prune(cursor)

    def _prune(self, cursor: ImportCursor) -> ImportCursor:
        """Forget imports of assets that have not been watched for long; what is watched again soon is not lost."""
        forgotten = [
            item.storage_id
            for item in cursor.pending.values()
            if not self._pushes.watches(item.asset_key) and self._now - item.pushed_at > UNANSWERED_AFTER_SECONDS
        ]
        return cursor.without(forgotten)

    def _ask(self, cursor: ImportCursor) -> tuple[ImportCursor, list[ImportOutcome]]:
        waiting = (item for item in cursor.pending.values() if not item.handed_over)
        watched = [item for item in waiting if self._pushes.watches(item.asset_key)]
        due = in_order([item for item in watched if is_due(item, now=self._now)])
        self._summary.count("not asked this time", len(watched) - len(due))
        if not due:
            return cursor, []
        if cursor.paused_until > self._now:
            wait = cursor.paused_until - int(self._now)
            self._summary.count("not asked this time", len(due))
            self._summary.note(f"The remote gave no answer; it is asked again in {wait} s.")
            return cursor, []
        try:
            with self._connect(self._budget) as remote:
                cursor, outcomes = self._polling.ask(remote, cursor, due)
                if remote.prober is not None:
                    outcomes = remote.prober.with_answers(outcomes, budget=self._budget, summary=self._summary)
                return cursor, outcomes
        except CogneeDagsterError as error:
            return self._without_answer(cursor, due, error)

    def _without_answer(
        self, cursor: ImportCursor, due: list[PendingImport], error: CogneeDagsterError
    ) -> tuple[ImportCursor, list[ImportOutcome]]:
        """Nothing is known about anything: wait, and give up only what has been waiting for very long."""
        self._log.warning("%s", error)
        self._summary.note(str(error))
        old = [item for item in due if self._now - item.pushed_at >= UNANSWERED_AFTER_SECONDS]
        pushes = self._pushes.read(old)
        outcomes = [
            given_up
            for item in old
            if item.storage_id in pushes
            and (
                given_up := self._polling.give_up(
                    item,
                    pushes[item.storage_id],
                    after=UNANSWERED_AFTER_SECONDS,
                    reason=f"nothing could be learnt about it since it was pushed: {error}",
                )
            )
        ]
        self._summary.count("not asked this time", len(due) - len(outcomes))
        retry_after = error.retry_after if isinstance(error, RemoteError) else None
        return paused(cursor, now=self._now, retry_after=retry_after), outcomes


def _awaiting(cursor: ImportCursor) -> set[str]:
    """The assets with events that were handed to Dagster and not seen in the event log yet."""
    return {item.asset_key for item in cursor.pending.values() if item.handed_over}
