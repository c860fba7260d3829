"""Whether anybody else has imported into a remote dataset since we last did: then what is known of it is not all."""

import logging
import threading
import time
from datetime import datetime, timedelta, timezone

from cognee_dagster.errors import ImportUnconfirmedError, PushInterruptedError
from cognee_dagster.remote.client import MAX_RUNS_PER_PAGE, CogneeClient
from cognee_dagster.remote.imports.verdict import has_ended
from cognee_dagster.remote.responses import PipelineRun, RemoteDataset

_MAX_PAGES = 100
# The server's clock is known to the second.
_CLOCK_MARGIN_SECONDS = 2.0
_LOOK_EVERY_SECONDS = 1.0
_QUIET_WITHIN_SECONDS = 600.0
# Cognee itself closes a run without an end from this age on (1.6.5).
_DEAD_AFTER = timedelta(hours=1)

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
        and ((moment := _moment(row)) is None or now - moment < _DEAD_AFTER)
    }


def others_since(
    client: CogneeClient, dataset: RemoteDataset, *, began_at: float, known_runs: frozenset[str]
) -> frozenset[str] | None:
    """Runs of imports that are not ours.

    Args:
        client: The remote.
        dataset: The remote dataset.
        began_at: When the push began that confirmed what is known: seconds since 1970, by the server's clock.
        known_runs: Runs that are accounted for.

    Returns:
        None where there are too many to look at.

    Raises:
        RemoteError: They cannot be listed.
    """
    since = datetime.fromtimestamp(began_at - _CLOCK_MARGIN_SECONDS, timezone.utc)
    others: set[str] = set()
    for page in range(_MAX_PAGES):
        rows = client.runs(dataset_id=dataset.id, offset=page * MAX_RUNS_PER_PAGE)
        new = [row for row in rows if (moment := _moment(row)) is None or moment >= since]
        others.update(row.pipeline_run_id for row in new if row.pipeline_run_id is not None)
        if len(new) < len(rows) or rows.sent < MAX_RUNS_PER_PAGE:
            return frozenset(others - known_runs)
    return None


def _moment(row: PipelineRun) -> datetime | None:
    """When a run began: ours of before are older than the push that confirmed the contents."""
    return row.started_at or row.created_at
