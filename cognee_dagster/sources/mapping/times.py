"""Times of facts, as a Cognee server reads them: a year is a year, not so many seconds since 1970."""

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cognee_dagster.cogx.encode.timestamps import parse_timestamp

_YEARS = range(1_000, 10_000)
_MAX_DIGITS = 30  # of a number of nanoseconds there are 19
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_ZONED = re.compile(r"(?P<time>[^\[\]]+)\[(?P<zone>[^\[\]]+)\]")  # as Java writes it


def as_time(value: Any) -> Any:
    """The value as Cognee reads it as a time: ISO 8601, or a number since 1970; None if it is not a time.

    What Cognee already reads rightly is returned as it is.
    """
    if isinstance(value, str):
        text = value.strip()
        return _read_number(_number(text)) if _NUMBER.fullmatch(text) else _read_text(text)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _read_number(value)
    return None


def _number(text: str) -> int | float:
    return float(text) if "." in text or len(text) > _MAX_DIGITS else int(text)


def _read_number(value: int | float) -> int | float | str | None:
    if value in _YEARS:
        return f"{int(value)}-01-01T00:00:00+00:00"
    try:
        return value if parse_timestamp(value) is not None else None
    except OverflowError:  # larger than any float
        return None


def _read_text(text: str) -> str | None:
    if _MONTH.fullmatch(text):
        return f"{text}-01T00:00:00+00:00"
    if zoned := _ZONED.fullmatch(text):
        return _in_zone(zoned["time"], zoned["zone"])
    return text if parse_timestamp(text) is not None else None


def _in_zone(text: str, zone: str) -> str | None:
    try:
        time = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return (time if time.tzinfo else time.replace(tzinfo=ZoneInfo(zone))).isoformat()
    except (ValueError, OSError, LookupError):  # no such time, or no such zone
        return None
