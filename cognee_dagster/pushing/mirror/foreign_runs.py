"""Whether anybody else has imported into a remote dataset since we last did: then what is known of it is not all."""

import logging
import threading
from datetime import datetime, timezone

from cognee_dagster.errors import PushInterruptedError
from cognee_dagster.remote.client import MAX_RUNS_PER_PAGE, CogneeClient
from cognee_dagster.remote.imports.verdict import STALLED_AFTER, has_ended
from cognee_dagster.remote.responses import PipelineRun, RemoteDataset

_MAX_PAGES = 20
# The server's clock is known to the second.
_CLOCK_MARGIN_SECONDS = 2.0
_LOOK_EVERY_SECONDS = 1.0

logger = logging.getLogger(__name__)


def reason_to_distrust(
    client: CogneeClient, dataset: RemoteDataset, *, began_at: float, known_runs: frozenset[str]
) -> str:
    """Why the remote dataset may hold something else than was confirmed; empty if nothing speaks for it.

    Args:
        client: The remote.
        dataset: The remote dataset.
        began_at: When the push began that confirmed what is known: seconds since 1970, by the server's clock.
        known_runs: Runs of ours.

    Raises:
        RemoteError: Its runs cannot be listed.
    """
    if dataset.created_at is not None and dataset.created_at.timestamp() > began_at + _CLOCK_MARGIN_SECONDS:
        return "the remote dataset was made again since"
    others = _others_since(client, dataset, began_at, known_runs)
    if others is None:
        return "more was imported into the remote dataset since than can be looked at"
    if others:
        return f"somebody else has imported into the remote dataset since (run {sorted(others)[0]})"
    return ""


def wait_until_quiet(client: CogneeClient, dataset: RemoteDataset, *, stop: threading.Event) -> None:
    """Until no import into the dataset is under way: one that an earlier push began would undo what is done now.

    Raises:
        PushInterruptedError: ``stop`` was set.
        RemoteError: The runs cannot be listed.
    """
    said = False
    while running := _running(client, dataset):
        if not said:
            logger.info("Run %s imports into %r: waiting for its end", sorted(running)[0], dataset.name)
            said = True
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
        and ((moment := _moment(row)) is None or now - moment < STALLED_AFTER)
    }


def _others_since(
    client: CogneeClient, dataset: RemoteDataset, began_at: float, known_runs: frozenset[str]
) -> set[str] | None:
    """Runs that are not ours; None where they are too many."""
    since = datetime.fromtimestamp(began_at - _CLOCK_MARGIN_SECONDS, timezone.utc)
    others: set[str] = set()
    for page in range(_MAX_PAGES):
        rows = client.runs(dataset_id=dataset.id, offset=page * MAX_RUNS_PER_PAGE)
        new = [row for row in rows if (moment := _moment(row)) is None or moment >= since]
        others.update(row.pipeline_run_id for row in new if row.pipeline_run_id is not None)
        if len(new) < len(rows) or rows.sent < MAX_RUNS_PER_PAGE:
            return others - known_runs
    return None


def _moment(row: PipelineRun) -> datetime | None:
    """When a run began: ours of before are older than the push that confirmed the contents."""
    return row.started_at or row.created_at
