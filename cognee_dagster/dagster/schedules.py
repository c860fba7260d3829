"""The schedule of a chain: a run at every time that its cron expression names, or one for each partition."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from cognee_dagster.dagster.dataset import CogneeDataset


def chain_schedule(dataset: CogneeDataset, job: Any, *, status: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    """The schedule of a dataset that has a ``cron_schedule``.

    Args:
        dataset: It.
        job: The job over its chain, whose type Dagster does not name.
        status: Whether the schedule runs from the start.
    """
    of_each = "" if dataset.partitions is None else ", each partition in a run of its own"
    return dg.ScheduleDefinition(
        job=job,
        cron_schedule=str(dataset.cron_schedule),
        execution_timezone=dataset.execution_timezone,
        default_status=status,
        description=f"Pushes {dataset}{of_each}.",
        execution_fn=None if dataset.partitions is None else _requests(dataset.partitions),
    )


def _requests(partitions: dg.PartitionsDefinition[str]) -> Any:
    def run_requests(context: dg.ScheduleEvaluationContext) -> Iterator[dg.SkipReason | dg.RunRequest]:
        found = partitions.get_partition_keys(dynamic_partitions_store=context.instance)
        moment = context.scheduled_execution_time.isoformat()
        if not found:
            yield dg.SkipReason("There is no partition.")
        for key in found:
            yield dg.RunRequest(partition_key=key, run_key=f"{moment} {key}")

    return run_requests
