"""Asking the remote about pending imports, and finding those that have come to their end."""

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cognee_dagster.dagster.event_log.import_events import ImportOutcome
from cognee_dagster.dagster.event_log.pushes import Push, PushLog
from cognee_dagster.dagster.sensors.answers import Prober
from cognee_dagster.dagster.sensors.backoff import answered, asked_in_vain, found_running, in_order, paused
from cognee_dagster.dagster.sensors.budget import TimeBudget
from cognee_dagster.dagster.sensors.cursor import ImportCursor, PendingImport
from cognee_dagster.dagster.sensors.policies import UNANSWERED_AFTER_SECONDS, WatchPolicy
from cognee_dagster.dagster.sensors.tick_summary import TickSummary
from cognee_dagster.errors import RemoteError, RemoteUnreachableError
from cognee_dagster.remote.imports.feed import FeedReading, RunFeed, TimeUpError
from cognee_dagster.remote.imports.verdict import ImportVerdict
from cognee_dagster.remote.imports.vocabulary import ImportState
from cognee_dagster.remote.imports.watch import ImportWatch, WatchedImport
from cognee_dagster.remote.responses import PipelineRun

_ENDED = (ImportState.SUCCEEDED, ImportState.FAILED)


@dataclass(frozen=True, kw_only=True)
class Remote:
    """The remote to ask.

    Attributes:
        url: Its address; imports elsewhere are not asked about here.
        feed: Its feed of runs.
        prober: Who asks it the probes of what has arrived; None: there are none.
    """

    url: str
    feed: RunFeed
    prober: Prober | None = None


@dataclass(frozen=True, kw_only=True)
class FeedWithin:
    """A feed that is asked within a budget of time: an answer that this cuts off is no failure of the remote.

    Attributes:
        feed: The remote, whose answers take no longer than is left.
        budget: The tick's time.
    """

    feed: RunFeed
    budget: TimeBudget

    @property
    def clock_offset(self) -> timedelta:
        """As ``RunFeed.clock_offset``."""
        return self.feed.clock_offset

    def runs(self, **wanted: Any) -> Sequence[PipelineRun]:
        """As ``RunFeed.runs``."""
        try:
            return self.feed.runs(**wanted)
        except RemoteUnreachableError as error:
            if self.budget.lasts():
                raise
            raise TimeUpError from error


@dataclass(frozen=True, kw_only=True)
class Polling:
    """The questions of one tick.

    Attributes:
        pushes: Where the pushes behind the imports are read.
        policy: How to watch.
        now: Our clock, in Unix seconds.
        budget: The tick's time.
        summary: What the tick says about itself.
        log: The tick's log.
    """

    pushes: PushLog
    policy: WatchPolicy
    now: float
    budget: TimeBudget
    summary: TickSummary
    log: logging.Logger

    def ask(
        self, remote: Remote, cursor: ImportCursor, due: Sequence[PendingImport]
    ) -> tuple[ImportCursor, list[ImportOutcome]]:
        """What has become of the imports that are due.

        Raises:
            RemoteError: The remote does not answer at all.
        """
        watch = ImportWatch(
            feed=remote.feed,
            now=self.now,
            stalled_after=timedelta(seconds=self.policy.stalled_after),
            keep_going=self.budget.lasts,
        )
        items = [WatchedImport(run_id=item.run_id, pushed_at=item.pushed_at) for item in due]
        reading = watch.read(items, offset=cursor.feed_offset)
        cursor = replace(answered(cursor), feed_offset=reading.next_offset)
        ended: list[PendingImport] = []
        doubtful: list[PendingImport] = []
        recovered: list[PendingImport] = []
        for item, watched in zip(due, items, strict=True):
            rows = reading.rows.get(item.run_id, ())
            state = watch.judge(watched, rows).state
            if not rows and item.run_id and not reading.complete:
                self.summary.count("not asked this time")
            elif state is ImportState.RUNNING:
                self.summary.count("running")
                recovered += [found_running(item)] if item.failures else []
            else:
                (ended if state in _ENDED else doubtful).append(item)
        chosen = [
            *self._first(ended, self.policy.reports_per_tick, rest="to be reported next"),
            *self._first(doubtful, self.policy.questions_per_tick, rest="not asked this time"),
        ]
        return self._outcomes(cursor.with_pending(recovered), chosen, remote=remote, watch=watch, reading=reading)

    def give_up(self, item: PendingImport, push: Push, *, after: float, reason: str) -> ImportOutcome | None:
        """The import as failed, if it has been pending for longer than ``after`` seconds."""
        if self.now - item.pushed_at < after:
            return None
        verdict = ImportVerdict(state=ImportState.UNKNOWN, reason=reason)
        return ImportOutcome(push=push, verdict=verdict)

    def _first(self, items: list[PendingImport], number: int, *, rest: str) -> list[PendingImport]:
        self.summary.count(rest, max(0, len(items) - number))
        return in_order(items)[:number]

    def _outcomes(
        self,
        cursor: ImportCursor,
        chosen: Sequence[PendingImport],
        *,
        remote: Remote,
        watch: ImportWatch,
        reading: FeedReading,
    ) -> tuple[ImportCursor, list[ImportOutcome]]:
        """Verdicts on the chosen imports; where that takes more than the feed, each is asked about singly."""
        pushes = self.pushes.read(chosen)
        cursor = cursor.without(item.storage_id for item in chosen if item.storage_id not in pushes)  # wiped
        here: list[tuple[PendingImport, Push]] = []
        outcomes: list[ImportOutcome | PendingImport] = []
        for item in chosen:
            push = pushes.get(item.storage_id)
            if push is None:
                continue
            if item.run_id in reading.rows or push.remote_url in ("", remote.url):
                here.append((item, push))
            else:
                outcomes.append(self._elsewhere(item, push, remote))
        answers = watch.ask_about([_watched(item, push) for item, push in here], reading)
        for index, (item, push) in enumerate(here):
            if index in answers.verdicts:
                outcomes.append(self._outcome(item, push, answers.verdicts[index]))
            elif index in answers.errors:
                outcomes.append(self._in_vain(item, push, answers.errors[index]))
            else:
                self.summary.count("not asked this time")
        if answers.unreachable is not None:
            self.summary.note(str(answers.unreachable))
            cursor = paused(cursor, now=self.now, retry_after=answers.unreachable.retry_after)
        cursor = cursor.with_pending(outcome for outcome in outcomes if isinstance(outcome, PendingImport))
        return cursor, [outcome for outcome in outcomes if isinstance(outcome, ImportOutcome)]

    def _outcome(self, item: PendingImport, push: Push, verdict: ImportVerdict) -> ImportOutcome | PendingImport:
        if verdict.state is ImportState.RUNNING:
            self.summary.count("running")
            return found_running(item, now=self.now)
        if verdict.state is ImportState.UNKNOWN:
            given_up = self.give_up(item, push, after=self.policy.stalled_after, reason=verdict.reason)
            if given_up is None:
                self.summary.count("not found yet")
            return given_up or asked_in_vain(item, now=self.now)
        return ImportOutcome(push=push, verdict=verdict)

    def _elsewhere(self, item: PendingImport, push: Push, remote: Remote) -> ImportOutcome | PendingImport:
        """The remote's key is for that remote only, so another one is not asked with it."""
        reason = (
            f"it was pushed to {push.remote_url}, and the import sensor asks {remote.url}. Give the sensor's resource "
            "the address that was pushed to, or push again."
        )
        given_up = self.give_up(item, push, after=self.policy.stalled_after, reason=reason)
        if given_up is None:
            self.summary.count("pushed elsewhere")
            self.summary.note(f"{push.asset_key.to_user_string()}: {reason}")
        return given_up or asked_in_vain(item, now=self.now)

    def _in_vain(self, item: PendingImport, push: Push, error: RemoteError) -> ImportOutcome | PendingImport:
        self.log.warning("%s: %s", push.asset_key.to_user_string(), error)
        given_up = self.give_up(item, push, after=UNANSWERED_AFTER_SECONDS, reason=f"nothing could be learnt: {error}")
        if given_up is None:
            self.summary.count("not found yet")
            self.summary.note(str(error))
        return given_up or asked_in_vain(item, now=self.now)


def _watched(item: PendingImport, push: Push) -> WatchedImport:
    return dataclasses.replace(push.watched, run_id=item.run_id, pushed_at=item.pushed_at)
