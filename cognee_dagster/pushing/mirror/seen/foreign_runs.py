"""What a server's runs say of a mirror's dataset: who is still at work, what is forgotten, and what was before it."""

import logging
import threading
import time
from datetime import datetime, timezone

from cognee_dagster.errors import ImportUnconfirmedError, PushInterruptedError
from cognee_dagster.pushing.changes import written_at
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.imports.row_end import has_ended
from cognee_dagster.remote.imports.run_times import CLOCK_MARGIN, DEAD_AFTER
from cognee_dagster.remote.responses import PipelineRun, RemoteDataset

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


def has_forgotten(client: CogneeClient, dataset: RemoteDataset, run_id: str, *, began_at: float) -> bool:
    """Whether a server knows imports from before a push and not that push's own, as after it was restored.

    A server that lists the newest few runs only says nothing by leaving one out, unless it shows older ones.

    Raises:
        RemoteError: They cannot be listed.
    """
    rows = client.runs(dataset_id=dataset.id)
    since = datetime.fromtimestamp(began_at, timezone.utc) - CLOCK_MARGIN
    is_listed = any(row.pipeline_run_id == run_id for row in rows)
    return not is_listed and any((moment := written_at(row)) is not None and moment < since for row in rows)


def is_of(dataset: RemoteDataset, row: PipelineRun) -> bool:
    """Whether a row is about a dataset as it is now: one that is deleted and made again keeps its id, and its rows."""
    made_at, moment = dataset.created_at, written_at(row)
    return made_at is None or moment is None or moment >= made_at


def _moment(row: PipelineRun) -> datetime | None:
    """When a run began."""
    return row.started_at or row.created_at
