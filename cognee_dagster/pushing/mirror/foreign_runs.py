"""What others have done to a remote dataset since we last pushed: then what is known of it is not all."""

import logging
import threading
import time
from collections.abc import Collection
from datetime import datetime, timezone

from cognee_dagster.errors import ImportUnconfirmedError, PushInterruptedError
from cognee_dagster.remote.client import MAX_RUNS_PER_PAGE, CogneeClient
from cognee_dagster.remote.imports.run_times import CLOCK_MARGIN, DEAD_AFTER
from cognee_dagster.remote.imports.verdict import has_ended
from cognee_dagster.remote.responses import PipelineRun, RemoteDataset

_MAX_PAGES = 400  # questions of readers are among the rows
# They change nothing that is there (Cognee 1.6.5): ``remember`` has a row of its own for each pipeline that it runs,
# and ``add_pipeline`` stores documents beside those that are there, ours among them.
_HARMLESS = frozenset({"search", "recall", "remember", "add_pipeline"})
_REFUSED = frozenset({"PermissionDeniedError", "UnauthorizedDataAccessError"})
_LOOK_EVERY_SECONDS = 1.0
_QUIET_WITHIN_SECONDS = 600.0

logger = logging.getLogger(__name__)


def wait_until_quiet(client: CogneeClient, dataset: RemoteDataset, *, stop: threading.Event) -> None:
    """Until no import into the dataset is under way: one that an earlier push began would undo what is done now.

    Raises:
        ImportUnconfirmedError: One is still under way after ``_QUIET_WITHIN_SECONDS``.
        PushInterruptedError: ``stop`` was set.
        RemoteError: The runs cannot be listed.
    """
    said = False
    limit = time.monotonic() + _QUIET_WITHIN_SECONDS
    while running := _running(client, dataset):
        if not said:
            logger.info("Run %s imports into %r: waiting for its end", sorted(running)[0], dataset.name)
            said = True
        if time.monotonic() > limit:
            raise ImportUnconfirmedError(
                f"Nothing was sent: run {sorted(running)[0]} still imports into dataset {dataset.name!r} on "
                f"{client.connection.url} after {_QUIET_WITHIN_SECONDS:.0f} s, and would undo what this push sends. "
                "Push again when it has ended; a run whose server was killed counts as dead an hour after it began.",
                retryable=True,
            )
        if stop.wait(_LOOK_EVERY_SECONDS):
            raise PushInterruptedError(f"The push to dataset {dataset.name!r} was interrupted.")


def _running(client: CogneeClient, dataset: RemoteDataset) -> set[str]:
    """Runs without an end, but for those that are so old that their server has died."""
    rows = client.runs(dataset_id=dataset.id)
    now = datetime.now(timezone.utc) + client.clock_offset
    ended = {row.pipeline_run_id for row in rows if has_ended(row)}
    return {
        row.pipeline_run_id
        for row in rows
        if row.pipeline_run_id is not None
        and row.pipeline_run_id not in ended
        and ((moment := _moment(row)) is None or now - moment < DEAD_AFTER)
    }


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
        The newest row of each by the id of its run or operation; None where there are too many rows to look at.

    Raises:
        RemoteError: They cannot be listed.
    """
    since = datetime.fromtimestamp(began_at, timezone.utc) - CLOCK_MARGIN
    found: dict[str, PipelineRun] = {}
    for page in range(_MAX_PAGES):
        rows = client.runs(pipeline_name=None, dataset_id=dataset.id, offset=page * MAX_RUNS_PER_PAGE)
        new = [row for row in rows if (moment := _written(row)) is None or moment >= since]
        for row in new:
            if may_change(row) and (number := id_of(row)) not in known:
                found.setdefault(number, row)
        if len(new) < len(rows) or rows.sent < MAX_RUNS_PER_PAGE:
            return found
    return None


def has_forgotten(client: CogneeClient, dataset: RemoteDataset, run_id: str, *, began_at: float) -> bool:
    """Whether a server knows imports from before a push and not that push's own, as after it was restored.

    A server that lists the newest few runs only says nothing by leaving one out, unless it shows older ones.

    Raises:
        RemoteError: They cannot be listed.
    """
    rows = client.runs(dataset_id=dataset.id)
    since = datetime.fromtimestamp(began_at, timezone.utc) - CLOCK_MARGIN
    is_listed = any(row.pipeline_run_id == run_id for row in rows)
    return not is_listed and any((moment := _written(row)) is not None and moment < since for row in rows)


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


def _moment(row: PipelineRun) -> datetime | None:
    """When a run began."""
    return row.started_at or row.created_at


def _written(row: PipelineRun) -> datetime | None:
    """When a row was written, by which the server orders them; what began long before may have ended after."""
    return row.created_at or row.started_at
