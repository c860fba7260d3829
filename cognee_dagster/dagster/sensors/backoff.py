"""When an import, or a remote as a whole, that gave no answer is asked about again."""

from msgspec.structs import replace

from cognee_dagster.dagster.sensors.cursor import ImportCursor, PendingImport

FIRST_WAIT_SECONDS = 30
LONGEST_WAIT_SECONDS = 900
LONGEST_PAUSE_SECONDS = 300


def is_due(item: PendingImport, *, now: float) -> bool:
    """Whether the import is to be asked about."""
    return item.ask_again_at <= now


def in_order(items: list[PendingImport]) -> list[PendingImport]:
    """Who waited longest first: never asked singly, then by when they were to be asked again; older pushes first."""
    return sorted(items, key=lambda item: (item.ask_again_at, item.storage_id))


def asked_in_vain(item: PendingImport, *, now: float) -> PendingImport:
    """To be asked again later, and later still each time."""
    failures = min(item.failures + 1, 1_000)
    return replace(item, failures=failures, ask_again_at=int(now) + wait_after(failures, longest=LONGEST_WAIT_SECONDS))


def found_running(item: PendingImport, *, now: float | None = None) -> PendingImport:
    """Running; to be asked about with all others, or, if that took its own question, after those who wait."""
    return replace(item, failures=0, ask_again_at=0 if now is None else int(now) + FIRST_WAIT_SECONDS)


def paused(cursor: ImportCursor, *, now: float, retry_after: float | None = None) -> ImportCursor:
    """The remote as a whole gave no answer: leave it alone for a while."""
    ticks = min(cursor.unanswered_ticks + 1, 1_000)
    wait = max(wait_after(ticks, longest=LONGEST_PAUSE_SECONDS), int(min(retry_after or 0, LONGEST_WAIT_SECONDS)))
    return replace(cursor, unanswered_ticks=ticks, paused_until=int(now) + wait)


def answered(cursor: ImportCursor) -> ImportCursor:
    """The remote answers (again)."""
    return replace(cursor, unanswered_ticks=0, paused_until=0)


def wait_after(failures: int, *, longest: int) -> int:
    """Seconds to wait after so many failures in a row: twice as long each time."""
    return int(min(longest, FIRST_WAIT_SECONDS * 2 ** min(failures - 1, 20)))
