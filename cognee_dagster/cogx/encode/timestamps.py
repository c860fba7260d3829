"""Timestamps in a graph, as ``cognee.export()`` reads and writes them (Cognee 1.6.5, ``modules/migration/cogx.py``)."""

import math
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cognee_dagster.graph.arrow import text

# Beyond this a number cannot be seconds (it would be after the year 2603) and is taken for a finer unit.
_MAX_SECONDS = 2e10
# Whole milliseconds in this range (2001 to 2223) survive the division by 1000 and the rounding to microseconds exactly.
EXACT_MILLISECONDS = range(1_000_000_000_000, 8_000_000_000_000)

_NOTHING, _QUOTE, _T, _Z = text(""), text('"'), text("T"), text('Z"')
_WHOLE_SECOND, _MICROSECONDS = text(".000000"), text("000")


def timestamp_json(value: Any) -> str | None:
    """The JSON text of a timestamp as Cognee's export writes it, or None where Cognee sees no timestamp.

    Args:
        value: What the graph holds: epoch seconds, milli-, micro- or nanoseconds, or ISO 8601 text.

    Raises:
        OverflowError: An integer too large for a float; Cognee's own export fails there, too.
    """
    # Cognee stores epoch milliseconds: by far the most frequent case, and worth 2 µs each.
    if type(value) is int and value in EXACT_MILLISECONDS:
        seconds, milliseconds = divmod(value, 1000)
        fraction = f".{milliseconds:03d}000" if milliseconds else ""
        return f'"{_whole_seconds(seconds)}{fraction}Z"'
    parsed = parse_timestamp(value)
    if parsed is None:
        return None
    from pydantic_core import to_json  # pydantic itself prints it, as it does for Cognee

    return to_json(parsed).decode("ascii")


def timestamps_json(milliseconds: pa.Int64Array) -> pa.StringArray:
    """``timestamp_json`` of a column of epoch milliseconds, all of them in ``EXACT_MILLISECONDS`` or null."""
    printed = milliseconds.cast(pa.timestamp("ms")).cast(pa.string())  # as 2026-01-31 23:59:59.000
    day, second = pc.utf8_slice_codeunits(printed, 0, 10), pc.utf8_slice_codeunits(printed, 11, 19)
    fraction = pc.binary_join_element_wise(pc.utf8_slice_codeunits(printed, 19, 23), _MICROSECONDS, _NOTHING)
    fraction = pc.if_else(pc.equal(fraction, _WHOLE_SECOND), _NOTHING, fraction)
    return pc.binary_join_element_wise(_QUOTE, day, _T, second, fraction, _Z, _NOTHING)


def parse_timestamp(value: Any) -> datetime | None:
    """What Cognee's ``parse_timestamp`` makes of a value: naive times are UTC, what cannot be read is None."""
    if isinstance(value, (int, float)):
        return _from_epoch(float(value))
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            return None
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)
    return None


def _from_epoch(seconds: float) -> datetime | None:
    if not math.isfinite(seconds):
        return None
    while abs(seconds) > _MAX_SECONDS:
        seconds /= 1000
    try:
        return datetime.fromtimestamp(seconds, tz=timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None


@lru_cache(maxsize=4096)
def _whole_seconds(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
