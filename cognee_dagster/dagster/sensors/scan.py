"""Taking up new pushes from the event log, a bounded number a tick, without ever passing one by."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from cognee_dagster.dagster.event_log.pushes import PushLog
from cognee_dagster.dagster.event_log.reports import ReportLog
from cognee_dagster.dagster.sensors.cursor import ImportCursor, PendingImport, Scan
from cognee_dagster.dagster.sensors.policies import COMMITTED_AFTER_SECONDS

# Dagster writes an event first and the index of assets in another transaction: a process that is killed in between
# leaves a push that the index does not show. So every now and then each asset's events are read without it.
AUDIT_INTERVAL_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class PushScanner:
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
        """The cursor with what was found; the scan in it says where to go on, if time or room ran out."""
        newest = self.pushes.newest()
        scan = cursor.scan or self._begin(cursor, newest)
        if scan is None:
            return cursor
        start = cursor.audited if scan.audit else cursor.watermark
        all_read = True
        for key in self._keys(cursor, scan, newest):
            if key > scan.asset_key:
                scan = replace(scan, asset_key=key, after=start)
            try:
                cursor, scan, finished = self._one_asset(cursor, scan)
            except Exception:  # whatever it is about this asset, the others' pushes are taken up
                self.log.exception("The pushes of %s could not be read; they are looked at again", key)
                all_read = False
                continue
            if not finished:
                # After an asset that could not be read the scan is not gone on with: it would be passed by.
                return replace(cursor, scan=scan if all_read else None)
        cursor = replace(cursor, scan=None)
        return self._finished(cursor, scan) if all_read else cursor

    def _begin(self, cursor: ImportCursor, newest: dict[str, int]) -> Scan | None:
        audit = not 0 < cursor.audit_at - self.now <= AUDIT_INTERVAL_SECONDS  # a clock may have been put back
        upto = max(newest.values(), default=0)
        if not audit and upto <= cursor.watermark:
            return None
        return Scan(upto=max(upto, cursor.watermark), began_at=int(self.now), audit=audit)

    def _keys(self, cursor: ImportCursor, scan: Scan, newest: dict[str, int]) -> list[str]:
        """The assets to read, in order.

        Without an audit those where the index shows something new. While that is pending already it need not be read
        again, but for the scan that moves the watermark.
        """
        if scan.audit:
            keys = set(self.pushes.asset_keys)
        else:
            known = () if self._completes(cursor, scan) else cursor.pending
            keys = {key for key, at in newest.items() if at > cursor.watermark and at not in known}
        return sorted(key for key in keys if key >= scan.asset_key)

    def _one_asset(self, cursor: ImportCursor, scan: Scan) -> tuple[ImportCursor, Scan, bool]:
        """The rest of the asset that the scan has come to; whether it is finished."""
        next_page: int | None = scan.after
        while next_page is not None:
            if not self.keep_going() or cursor.room == 0:
                return cursor, scan, False
            found, next_page = self.pushes.page(scan.asset_key, after=scan.after, upto=scan.upto)
            unknown = [push for push in found if push.in_background and push.storage_id not in cursor.pending]
            unreported = self.reports.unreported(unknown)
            fitting, waiting = unreported[: cursor.room], unreported[cursor.room :]
            cursor = cursor.with_pending(PendingImport.of(push, now=self.now) for push in fitting)
            if waiting:
                return cursor, replace(scan, after=waiting[0].storage_id - 1), False
            scan = replace(scan, after=next_page or scan.upto)
        return cursor, scan, True

    def _completes(self, cursor: ImportCursor, scan: Scan) -> bool:
        """Whether all that the scan before this one may have missed was committed when this one began.

        A clock that was put back must not stop the watermark for as long as it was ahead.
        """
        return not 0 <= scan.began_at - cursor.seen_at < COMMITTED_AFTER_SECONDS

    def _finished(self, cursor: ImportCursor, scan: Scan) -> ImportCursor:
        if self._completes(cursor, scan):
            watermark = max(cursor.watermark, min(cursor.seen_upto, scan.upto))
            cursor = replace(cursor, watermark=watermark, seen_upto=scan.upto, seen_at=scan.began_at)
        if scan.audit:
            cursor = replace(cursor, audited=cursor.watermark, audit_at=int(self.now) + AUDIT_INTERVAL_SECONDS)
        return cursor
