"""What is made of an import whose answer never came, or makes no sense.

A run that was seen is not enough: its rows do not say which upload started it. Before such an import counts as ours,
the remote graph is read back and held against the archive.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from cognee_dagster.errors import (
    ImportFailedError,
    ImportUnconfirmedError,
    RemoteError,
)
from cognee_dagster.pushing.delivery.request import DeliveryRequest
from cognee_dagster.pushing.delivery.result import DeliveryResult, read_back
from cognee_dagster.pushing.delivery.unanswered.followed import is_followed
from cognee_dagster.pushing.delivery.unanswered.held import compared, lacking_of, say_lacking
from cognee_dagster.pushing.delivery.unanswered.run_lookup import RunLookup, Sighting
from cognee_dagster.pushing.delivery.waiting import reports_of
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.pushing.resume import BegunImport
from cognee_dagster.remote.imports.verdict import ImportVerdict
from cognee_dagster.remote.imports.vocabulary import ImportState
from cognee_dagster.remote.imports.watch import wait_for_import
from cognee_dagster.remote.retry import Downtime
from cognee_dagster.remote.wording import quoted

_LEAST_LOOK = 1.0  # seconds for a last look at a remote that has been down for as long as it may be

logger = logging.getLogger(__name__)


def recover(
    request: DeliveryRequest,
    lookup: RunLookup,
    *,
    body_sent_at: datetime,
    error: RemoteError,
    once: bool,
    downtime: Downtime,
) -> DeliveryResult | None:
    """The answer is lost and the body may have arrived: find the import and look whether it brought our archive.

    Args:
        request: The delivery.
        lookup: What was known of the dataset's runs before the upload.
        body_sent_at: When the whole body was out.
        error: How the answer was lost.
        once: Look once only: the server said that it took nothing.
        downtime: How long the remote may go on to be down.

    Returns:
        None: nothing was imported, or what was imported is not ours; upload again.

    Raises:
        ImportFailedError: The one import that can be ours has failed.
        ImportUnconfirmedError: An import came to its end, and the remote graph cannot be read.
    """
    if not lookup.is_possible or request.mode == "re-derive":  # of a re-derive there is no import run, and no graph
        return None
    logger.warning("The remote's answer was lost (%s); looking for the import it started", error)
    sighting = _search(request, lookup, body_sent_at=body_sent_at, once=once, downtime=downtime)
    if not sighting.candidates:
        logger.warning("No import run appeared on the remote: the archive did not arrive")
        return None
    if sighting.run_id is not None:
        logger.info("The remote imports into %r as run %s", request.dataset.name, sighting.run_id)
        request.note(BegunImport(run_id=sighting.run_id))  # it may be another's, also where it was told before
    found = confirm(request, sorted(sighting.candidates), ours=sighting.run_id)
    downtime.is_up()
    if found is None or found.pipeline_run_id is None:
        return found
    again = lookup.look(body_sent_at=body_sent_at)  # another run may have brought the archive, after the one seen first
    if again is not None and again.run_id is not None:
        request.note(BegunImport(run_id=again.run_id, known_by=KnownBy.REMOTE_GRAPH))
        # Where somebody has imported before, the graph may have held the archive, and the run be another's.
        if not lookup.had_imports:
            return found
    repeated = found.response["items"][0]["deduped_edges"]
    return read_back(request, None, repeated_edges=repeated)


def read_an_unknown_answer(
    request: DeliveryRequest, answer: dict[str, Any], *, run_id: str | None, because: str = ""
) -> DeliveryResult:
    """The result of an answer whose status is neither success nor failure, as far as anybody here knows.

    Args:
        request: The delivery.
        answer: The answer.
        run_id: The run that it names.
        because: Why a status that is known is not relied on.

    Raises:
        ImportFailedError: The answer, or its run, says that the import failed.
        ImportUnconfirmedError: The remote graph does not hold the archive, or cannot be read.
    """
    status = str(answer.get("status"))
    said = f"The remote answered the upload into {request.where} with the status {quoted(repr(status))}"
    if ImportState.of_status(status) is ImportState.FAILED:
        raise ImportFailedError(f"{said} (run {run_id}). See the server's log for its cause, then push again.")
    doubt = f"which the rest of it contradicts ({because})" if because else "which is not known here"
    logger.warning("%s, %s: the remote graph decides", said, doubt)
    result = None
    if run_id and request.dataset.id and end_of(request, run_id, cognifies=False).state is ImportState.UNKNOWN:
        logger.warning("The run that it names (%s) is none of %s", run_id, request.where)
        run_id = None
    # That ids are there says nothing where the server makes something of what nodes are like: it takes a run, too.
    is_told_by_graph = request.mode == "preserve" or (request.mode == "hybrid" and run_id is not None)
    if request.dataset.id and is_told_by_graph:
        result = confirm(request, [run_id] if run_id else [], ours=run_id)
    if result is None:
        raise ImportUnconfirmedError(
            f"{said}, {doubt}, and the archive was not found in the remote graph (run {run_id}). "
            "Whether the import goes on is not known: see the server's log, then push again."
        )
    return result


def see_through_to_its_end(request: DeliveryRequest, answer: dict[str, Any], *, run_id: str | None) -> DeliveryResult:
    """The result of an answer that an import which was to be waited for has only begun; no release up to 1.6.5 says so.

    Raises:
        ImportFailedError: The import has failed.
        ImportUnconfirmedError: The answer names no run, and the remote graph does not hold the archive.
    """
    if run_id is None or not request.dataset.id:
        return read_an_unknown_answer(request, answer, run_id=run_id)
    logger.info("The remote has only begun the import into %s (run %s): waiting for its end", request.where, run_id)
    verdict = end_of(request, run_id)
    if verdict.state is ImportState.UNKNOWN:
        return read_an_unknown_answer(request, answer, run_id=None, because=verdict.reason)
    if verdict.state is not ImportState.SUCCEEDED:
        raise _failed(request, run_id, verdict)
    request.note(BegunImport(run_id=run_id, known_by=KnownBy.ANSWER))
    status = ImportState.SUCCEEDED.status
    response = {**answer, "status": status}
    return DeliveryResult(status=status, response=response, pipeline_run_id=run_id, known_by=KnownBy.ANSWER)


def _require_success(request: DeliveryRequest, run_id: str) -> None:
    verdict = end_of(request, run_id)
    if verdict.state is not ImportState.SUCCEEDED:
        raise _failed(request, run_id, verdict)


def _failed(request: DeliveryRequest, run_id: str, verdict: ImportVerdict) -> ImportFailedError:
    return ImportFailedError(
        f"The import into {request.where} (run {run_id}) has {verdict.state.value}: {verdict.reason}"
    )


def _search(
    request: DeliveryRequest, lookup: RunLookup, *, body_sent_at: datetime, once: bool, downtime: Downtime
) -> Sighting:
    """Look until a run that can be ours is there, or there is no reason left to wait for one."""
    settings = request.settings
    began = answered_at = quiet_since = time.monotonic()
    patience = 0.0 if once else settings.recovery_timeout + settings.recovery_per_document * request.num_documents
    while True:
        sighting = lookup.look(body_sent_at=body_sent_at, within=max(downtime.left, _LEAST_LOOK))
        now = time.monotonic()
        if sighting is not None:
            downtime.was_up(now - answered_at)
            answered_at = now
        if sighting is not None and sighting.candidates:
            return sighting
        if sighting is None or sighting.others or sighting.storing:
            quiet_since = now
        is_over = now - began >= patience or now - quiet_since >= settings.quiet_after
        if is_over or (sighting is None and downtime.left <= 0):
            return sighting or Sighting()
        request.pause()


def confirm(request: DeliveryRequest, run_ids: Sequence[str], *, ours: str | None) -> DeliveryResult | None:
    """Wait for the end of these imports, then read the remote graph back; None: it does not hold the archive.

    What a hybrid push makes of texts after that is waited for only where it can be ours: an import of somebody else's
    may be followed by nothing.
    """
    ended_at = [_graph_ended_at(request, run_id, is_ours=run_id == ours) for run_id in run_ids]
    if request.cognifies and ended_at:
        if problems := compared(request, ours).problems:
            say_lacking(problems)
            return None
        followed = [
            run_id for run_id, ended in zip(run_ids, ended_at, strict=True) if is_followed(request, since=ended)
        ]
        if not followed:
            say_lacking(["No texts are stored after it."])
            return None
        for run_id in followed:
            _require_success(request, run_id) if run_id == ours else end_of(request, run_id)
    return result_if_held(request, ours)


def _graph_ended_at(request: DeliveryRequest, run_id: str, *, is_ours: bool) -> datetime | None:
    """Wait for the end of a graph's import, whatever follows it; None where it did not succeed.

    Raises:
        ImportFailedError: It is ours, and failed.
    """
    verdict = end_of(request, run_id, cognifies=False)
    if verdict.state is ImportState.SUCCEEDED:
        return verdict.finished_at
    if is_ours:
        raise _failed(request, run_id, verdict)
    return None


def result_if_held(request: DeliveryRequest, run_id: str | None) -> DeliveryResult | None:
    """The result of an import that has ended, where the remote graph holds the archive; None where it does not."""
    found = compared(request, run_id)
    lacking = lacking_of(request, found, run_id=run_id)
    if lacking:
        say_lacking(lacking)
        return None
    logger.info("The remote graph was read back: it holds all nodes, edges and documents of the archive")
    return read_back(request, run_id, repeated_edges=found.repeated_edges)


def end_of(request: DeliveryRequest, run_id: str, *, cognifies: bool = True) -> ImportVerdict:
    watched = request.watched(run_id, pushed_at=time.time())
    return wait_for_import(
        request.client,
        replace(watched, cognifies=watched.cognifies and cognifies, is_named=True),
        stalled_after=request.settings.stalled_after,
        poll_seconds=request.settings.poll_interval,
        report=reports_of(request, run_id),
        sleep=request.pause,
    )
