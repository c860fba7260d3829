"""What may have changed a remote dataset since a moment, by the server's list of runs and operations."""

from collections.abc import Collection
from datetime import datetime, timezone

from cognee_dagster.remote.client import MAX_RUNS_PER_PAGE, CogneeClient
from cognee_dagster.remote.imports.feed import Look
from cognee_dagster.remote.imports.run_times import CLOCK_MARGIN
from cognee_dagster.remote.responses import PipelineRun, RemoteDataset

_MAX_PAGES = 400  # questions of readers are among the rows
# They change nothing that is there (Cognee 1.6.5): ``remember`` has a row of its own for each pipeline that it runs,
# and ``add_pipeline`` stores documents beside those that are there, ours among them.
_HARMLESS = frozenset({"search", "recall", "remember", "add_pipeline"})
_REFUSED = frozenset({"PermissionDeniedError", "UnauthorizedDataAccessError"})


def changes_since(
    client: CogneeClient, dataset: RemoteDataset, *, began_at: float, known: Collection[str] = ()
) -> dict[str, PipelineRun] | None:
    """Whatever may have changed what a remote dataset holds since then, ours included; newest first.

    Args:
        client: The remote.
        dataset: The remote dataset.
        began_at: Since when: seconds since 1970, by the server's clock.
        known: Ids of runs and operations that are accounted for, and left out.

    Returns:
        The newest row of each by the id of its run or operation; None where there are too many rows to look at, or
        that takes too long.

    Raises:
        RemoteError: They cannot be listed.
    """
    since = datetime.fromtimestamp(began_at, timezone.utc) - CLOCK_MARGIN
    found: dict[str, PipelineRun] = {}
    look = Look()
    for page in range(_MAX_PAGES):
        if look.is_over:
            break
        rows = client.runs(pipeline_name=None, dataset_id=dataset.id, offset=page * MAX_RUNS_PER_PAGE)
        new = [row for row in rows if (moment := written_at(row)) is None or moment >= since]
        for row in new:
            if may_change(row) and (number := id_of(row)) not in known:
                found.setdefault(number, row)
        if len(new) < len(rows) or rows.sent < MAX_RUNS_PER_PAGE:
            return found
    return None


def id_of(row: PipelineRun) -> str:
    """What a run or operation is known by."""
    return row.pipeline_run_id or row.row_id


def name_of(row: PipelineRun) -> str:
    """What a run or operation does."""
    return row.pipeline_name or row.operation_name or "an operation without a name"


def may_change(row: PipelineRun) -> bool:
    """Whether what wrote a row may have changed or removed what a mirror has brought."""
    is_refused = row.kind == "operation" and row.outcome == "failed" and row.error_class in _REFUSED
    return not (is_refused or row.outcome == "noop" or name_of(row) in _HARMLESS)


def written_at(row: PipelineRun) -> datetime | None:
    """When a row was written, by which the server orders them; what began long before may have ended after."""
    return row.created_at or row.started_at
