"""What Dagster's record of a check's execution holds."""

from typing import Any

import dagster as dg


def evaluation_in(record: Any) -> dg.AssetCheckEvaluation | None:
    """The evaluation; None of an execution that has not come to one. Dagster does not name the record's type."""
    event = record.event.dagster_event if record.event is not None else None
    details = event.event_specific_data if event is not None else None
    return details if isinstance(details, dg.AssetCheckEvaluation) else None
