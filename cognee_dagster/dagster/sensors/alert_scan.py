"""Taking up new failures from the event log."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import dagster as dg
from msgspec.structs import replace

from cognee_dagster.dagster.event_log.failed_checks import CheckLog, CheckRow
from cognee_dagster.dagster.event_log.failed_runs import FailedRunLog
from cognee_dagster.dagster.event_log.push_failure import id_of_import, id_of_push
from cognee_dagster.dagster.sensors.alert_cursor import AlertCursor, BegunRun, Mark, OpenFailure


@dataclass(frozen=True, kw_only=True)
class FailureScan:
    """Looks through the event log for failures of watched pushes.

    A row in which a mark has not passed yet is read again by the next tick: what is open or was told already is left
    out there.

    Attributes:
        checks: The checks of the imports.
        runs: The runs that failed.
        watched: The push assets.
        now: Our clock, in Unix seconds.
        keep_going: Whether there is time for another page.
    """

    checks: CheckLog
    runs: FailedRunLog
    watched: Mapping[str, dg.AssetKey]
    now: float
    keep_going: Callable[[], bool]

    def begin(self, *, look_back: float) -> AlertCursor:
        """The cursor of a sensor that has none: older failures than ``look_back`` seconds are passed by."""
        since = self.now - look_back
        checks, runs = self.checks.since(since, self.checks.newest()), self.runs.since(since)
        return AlertCursor(checks=Mark(upto=checks, seen=checks), runs=Mark(upto=runs, seen=runs))

    def run(self, cursor: AlertCursor) -> AlertCursor:
        """The cursor with what was found. What there is no room or time for stays in the event log."""
        scanned = self._failed_runs(self._failed_checks(cursor))
        return replace(scanned, taken_up=0) if scanned.runs != cursor.runs else scanned

    def _failed_checks(self, cursor: AlertCursor) -> AlertCursor:
        newest = self.checks.newest()
        end, reached = max(cursor.checks.seen, *newest.values(), 0), cursor.checks.upto
        while reached < end:
            reached, rows = self.checks.after(reached, newest)
            for row in rows:
                if (item := self._failed_check(cursor, row)) is None:
                    continue
                if not cursor.room:
                    return replace(cursor, checks=cursor.checks.moved(row.row_id - 1, now=self.now))
                cursor = cursor.with_found(item)
            if not self.keep_going():
                break
        return replace(cursor, checks=cursor.checks.moved(min(reached, end), now=self.now))

    def _failed_check(self, cursor: AlertCursor, row: CheckRow) -> OpenFailure | None:
        """The failure that a row may tell, unless it is known."""
        if row.evaluation is not None and row.state is None:
            return None
        key = row.push_key.to_user_string()
        item = OpenFailure(asset_key=key, check=row.check, row_id=row.row_id, found_at=int(self.now))
        known = cursor.knows(item, id_of_import(row.import_id) if row.evaluation is not None else None)
        return None if known else item

    def _failed_runs(self, cursor: AlertCursor) -> AlertCursor:
        reached = cursor.runs.upto
        while self.keep_going():
            page = self.runs.after(reached)
            if not page:  # what was seen there and is not there any more was deleted
                reached = max(reached, cursor.runs.seen)
                break
            for position, run_id in page:
                cursor, is_whole = self._failed_run(cursor, position, run_id)
                if not is_whole:
                    return replace(cursor, runs=cursor.runs.moved(reached, now=self.now))
                reached = position
        return replace(cursor, runs=cursor.runs.moved(reached, now=self.now))

    def _failed_run(self, cursor: AlertCursor, position: int, run_id: str) -> tuple[AlertCursor, bool]:
        """With the failures of a run for which there is room, and whether those are all.

        A run may have more than are remembered as told: how far it was taken up is remembered then.
        """
        begun = cursor.begun_run(position)
        unknown = [
            item
            for item, failure_id in self._unmade(run_id)
            if (begun is None or _place(item) > _place(begun)) and not cursor.knows(item, failure_id)
        ]
        taken = unknown[: cursor.room]
        is_whole = len(taken) == len(unknown)
        cursor = cursor.with_found(*taken)
        if taken and (begun is not None or not is_whole):
            cursor = cursor.with_begun(position, taken[-1])
        return cursor, is_whole

    def _unmade(self, run_id: str) -> Iterator[tuple[OpenFailure, str]]:
        """The failures of a run, by their places."""
        failed = self.runs.run(run_id)
        unmade = failed.unmade(self.watched.values()) if failed is not None else {}
        for key in sorted(unmade, key=dg.AssetKey.to_user_string):
            for partition in sorted(unmade[key], key=lambda partition: partition or ""):
                item = OpenFailure(
                    asset_key=key.to_user_string(), run_id=run_id, partition=partition, found_at=int(self.now)
                )
                yield item, id_of_push(run_id, key, partition)


def _place(item: OpenFailure | BegunRun) -> tuple[str, str]:
    """Where a failure is among those of its run."""
    return item.asset_key, item.partition or ""
