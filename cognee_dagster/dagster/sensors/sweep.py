"""Taking up new pushes from the event log, a bounded number a tick, without ever passing one by."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from cognee_dagster.dagster.event_log.pushes import Push, PushLog
from cognee_dagster.dagster.event_log.reports import ReportLog
from cognee_dagster.dagster.sensors.cursor import ImportCursor, PendingImport, Sweep

# A database hands out storage ids before it commits, so that a lower id can become visible after a higher one. No
# transaction of Dagster's takes this long; what is younger is looked at again.
SETTLING_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Sweeper:
    """Looks through the event log for background pushes.

    Attributes:
        pushes: The pushes in the event log.
        reports: What the event log says of their imports.
        now: The time, in Unix seconds.
        keep_going: Whether there is time for another page.
        log: The tick's log.
    """

    pushes: PushLog
    reports: ReportLog
    now: float
    keep_going: Callable[[], bool]
    log: logging.Logger

    def run(self, cursor: ImportCursor) -> ImportCursor:
        """The cursor with what was found; the sweep in it says where to go on, if time or room ran out."""
        newest = self.pushes.newest()
        sweep = cursor.sweep or self._begin(cursor, newest)
        if sweep is None:
            return cursor
        keys = sorted(
            key
            for key, newest_id in newest.items()
            if newest_id > cursor.watermark and key >= sweep.asset_key and not self._is_known(cursor, newest_id)
        )
        if keys:
            self.reports.glance([self.pushes.graph_key(key) for key in keys])
        all_read = True
        for key in keys:
            if key > sweep.asset_key:
                sweep = replace(sweep, asset_key=key, after=cursor.watermark)
            try:
                cursor, sweep, finished = self._one_asset(cursor, sweep)
            except Exception:  # whatever it is about this asset, the others' pushes are taken up
                self.log.exception("The pushes of %s could not be read; they are looked at again", key)
                all_read = False
                continue
            if not finished:
                # After an asset that could not be read the sweep is not gone on with: it would be passed by.
                return replace(cursor, sweep=sweep if all_read else None)
        watermark = max(cursor.watermark, sweep.settled) if all_read else cursor.watermark
        return replace(cursor, sweep=None, watermark=watermark)

    def _begin(self, cursor: ImportCursor, newest: dict[str, int]) -> Sweep | None:
        upto = max(newest.values(), default=0)
        return Sweep(upto=upto, began_at=int(self.now), settled=0) if upto > cursor.watermark else None

    def _is_known(self, cursor: ImportCursor, newest_id: int) -> bool:
        """Whether an asset's newest push is pending and was made just now: there is no need to read it every tick."""
        item = cursor.pending.get(newest_id)
        return item is not None and self.now - item.pushed_at < SETTLING_SECONDS

    def _one_asset(self, cursor: ImportCursor, sweep: Sweep) -> tuple[ImportCursor, Sweep, bool]:
        """The rest of the asset that the sweep has come to; whether it is finished."""
        next_page: int | None = sweep.after
        while next_page is not None:
            if not self.keep_going() or cursor.room == 0:
                return cursor, sweep, False
            found, next_page = self.pushes.page(sweep.asset_key, after=sweep.after, upto=sweep.upto)
            unknown = [push for push in found if push.in_background and push.storage_id not in cursor.pending]
            taken = self.reports.unreported(unknown)
            fitting, waiting = taken[: cursor.room], taken[cursor.room :]
            cursor = cursor.with_pending(PendingImport.of(push, now=self.now) for push in fitting)
            if waiting:
                return cursor, replace(sweep, after=waiting[0].storage_id - 1), False
            sweep = replace(sweep, settled=self._settled(sweep, found), after=next_page or sweep.upto)
        return cursor, sweep, True

    def _settled(self, sweep: Sweep, found: Iterable[Push]) -> int:
        """The log is complete up to here: everything before this push was committed when the sweep began."""
        old = (push.storage_id for push in found if push.timestamp < sweep.began_at - SETTLING_SECONDS)
        return max([sweep.settled, *old])
