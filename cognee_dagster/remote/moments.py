"""Times that a server names, made safe to reckon with."""

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

# Outside of these no clock is merely wrong, and adding a margin to one would leave Python's calendar.
_EARLIEST = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LATEST = datetime(2200, 1, 1, tzinfo=timezone.utc)


def in_utc(moment: datetime | None) -> datetime | None:
    """The time in UTC, which is what Cognee writes without saying so; None for one that makes no sense."""
    if moment is None:
        return None
    try:
        moment = moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    except (OverflowError, ValueError):
        return None
    return moment if _EARLIEST <= moment <= _LATEST else None


def http_date(value: str | None) -> datetime | None:
    """The time in an HTTP date, to the second; None when there is none, or none that makes sense."""
    if not value or len(value) > 100:
        return None
    try:
        return in_utc(parsedate_to_datetime(value))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
