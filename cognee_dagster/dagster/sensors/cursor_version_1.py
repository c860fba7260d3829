"""The cursor of release 0.1.0, read so that an update of this package does not begin with a scan of the event log."""

from typing import Any

CURSOR_VERSION = "1"


def as_version_2(state: Any) -> dict[str, Any]:
    """The state of today's cursor, to be checked by who converts it; an import was a row with its asset's number.

    A scan in progress begins again at the watermark.

    Raises:
        ValueError, TypeError, LookupError: It is not a cursor of that release.
    """
    assets, watermark, _scan, feed_offset, silent_ticks, silent_until, keys, *rows = state
    return {
        "assets": assets,
        "watermark": watermark,
        "audited": watermark,
        "pending": [_import(row, keys) for row in rows],
        "feed_offset": feed_offset,
        "unanswered_ticks": silent_ticks,
        "paused_until": silent_until,
    }


def _import(row: Any, keys: Any) -> list[Any]:
    storage_id, number, run_id, pushed_at, *backoff = row
    failures, wait = backoff or (0, 0)
    ask_again_at = pushed_at + wait if backoff else 0
    return [storage_id, keys[number], run_id, pushed_at, failures, ask_again_at]
