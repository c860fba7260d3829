"""What is made of an import that an earlier try of the same push has begun: one that was killed, or has failed."""

import logging
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from cognee_dagster.errors import RemotePermissionError, RemoteRejectedError, UnexpectedAnswerError
from cognee_dagster.pushing.changes import changes_since, name_of
from cognee_dagster.pushing.delivery.request import DeliveryRequest
from cognee_dagster.pushing.delivery.result import DeliveryResult, going_on, read_back
from cognee_dagster.pushing.delivery.unanswered.recovery import confirm, end_of, result_if_held
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.pushing.resume import BegunImport
from cognee_dagster.remote.compat import Strategy
from cognee_dagster.remote.imports.verdict import ImportVerdict
from cognee_dagster.remote.imports.vocabulary import ImportState
from cognee_dagster.remote.imports.watch import ImportWatch

# What was imported longer ago may have been changed there by others since.
_TRUSTED_FOR = timedelta(days=7)
_ADDS_ONLY = frozenset({"improve"})  # it follows a remember (Cognee 1.6.5)

logger = logging.getLogger(__name__)


def attach(request: DeliveryRequest, begun: BegunImport) -> DeliveryResult | None:
    """See an import through that an earlier try has begun; None: it came to nothing, or was not ours."""
    verdict = _verdict_of(request, begun)
    if verdict is None:
        return None
    logger.info("Attaching to the import that an earlier try has begun: run %s", begun.run_id)
    request.note(begun)
    if verdict.state is ImportState.SUCCEEDED and not _is_as_it_was(request, begun, since=verdict.finished_at):
        return result_if_held(request, begun.run_id)
    if request.strategy is not Strategy.FOREGROUND and begun.known_by is not None:
        return going_on(request, begun.run_id, recovered=True, detached=request.strategy is Strategy.DETACHED)
    if begun.known_by is KnownBy.ANSWER and verdict.state is ImportState.SUCCEEDED:
        from cognee_dagster.pushing.comparison.rows import SentGraph  # Arrow comes with it

        repeated = SentGraph([request.archive]).repeated_edges
        return replace(read_back(request, begun.run_id, repeated_edges=repeated), known_by=KnownBy.ANSWER)
    return _wait_and_read_back(request, begun)


def _verdict_of(request: DeliveryRequest, begun: BegunImport) -> ImportVerdict | None:
    """How an import stands by now; None: it came to nothing, or a server that lists no runs does not show it."""
    watch = ImportWatch(feed=request.client, now=time.time(), stalled_after=request.settings.stalled_after)
    try:
        verdict = watch.ask(request.watched(begun.run_id))
    except (RemotePermissionError, RemoteRejectedError, UnexpectedAnswerError) as refusal:
        if request.strategy is not Strategy.FOREGROUND or refusal.retryable:
            raise
        logger.warning("It cannot be seen what became of an earlier try's import; uploading again: %s", refusal)
        return None
    return None if _came_to_nothing(request, begun, verdict) else verdict


def _wait_and_read_back(request: DeliveryRequest, begun: BegunImport) -> DeliveryResult | None:
    if begun.known_by is None and request.cognifies:  # it may be another's, which nothing follows
        return confirm(request, [begun.run_id], ours=None)
    verdict = end_of(request, begun.run_id)
    if verdict.state is not ImportState.SUCCEEDED:
        _say_came_to_nothing(begun.run_id, verdict)
        return None
    return result_if_held(request, begun.run_id)


def _came_to_nothing(request: DeliveryRequest, begun: BegunImport, verdict: ImportVerdict) -> bool:
    if not verdict.state.is_under_way and verdict.state is not ImportState.SUCCEEDED:
        _say_came_to_nothing(begun.run_id, verdict)
        return True
    made_at = request.dataset.created_at
    if made_at is not None and verdict.started_at is not None and verdict.started_at < made_at:
        logger.info("Dataset %r was deleted after an earlier try's import; uploading again", request.dataset.name)
        return True
    return False


def _is_as_it_was(request: DeliveryRequest, begun: BegunImport, *, since: datetime | None) -> bool:
    """Whether nobody has taken anything out of the remote dataset since then, by the server's clock.

    Its list of runs shows that. Servers before 1.5.4 list no deletions, and of a run no name of the operation.
    """
    now = datetime.now(timezone.utc) + request.client.clock_offset
    if since is None or now - since >= _TRUSTED_FOR:
        return False
    found = changes_since(request.client, request.dataset, began_at=since.timestamp())
    if found is None or begun.run_id not in found or found[begun.run_id].operation_name is None:
        return False
    taken_out = [row for row in found.values() if row.pipeline_name is None and name_of(row) not in _ADDS_ONLY]
    for row in taken_out[:1]:
        logger.info("Since that import something was taken out of %s (%s)", request.where, name_of(row))
    return not taken_out


def _say_came_to_nothing(run_id: str, verdict: ImportVerdict) -> None:
    logger.info("An earlier try's import (run %s) is %s; uploading again", run_id, verdict.state.value)
