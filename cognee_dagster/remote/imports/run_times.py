"""When the runs of a feed began and ended, by the server's clock, and how far that can be relied on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cognee_dagster.remote.imports.row_end import has_ended
from cognee_dagster.remote.responses import PipelineRun

# The server's clock is known to the second, by the Date of its answers.
CLOCK_MARGIN = timedelta(seconds=2)
# Cognee itself closes a run without an end from this age on (1.6.5).
DEAD_AFTER = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class RunTimes:
    """One run, of whatever pipeline. Times are None where the server does not say."""

    id: str
    pipeline: str | None
    dataset_id: str | None
    began: datetime | None
    ended: datetime | None


def run_times(rows: Iterable[PipelineRun]) -> list[RunTimes]:
    """The runs that these rows are of, in no order."""
    by_id: dict[str, list[PipelineRun]] = {}
    for row in rows:
        if row.pipeline_run_id is not None:
            by_id.setdefault(row.pipeline_run_id, []).append(row)
    return [
        RunTimes(
            id=run_id,
            pipeline=found[0].pipeline_name,
            dataset_id=next((row.dataset_id for row in found if row.dataset_id), None),
            began=min((moment for row in found if (moment := row.started_at or row.created_at)), default=None),
            ended=max(
                (end for row in found if has_ended(row) and (end := row.ended_at or row.created_at)), default=None
            ),
        )
        for run_id, found in by_id.items()
    ]
