"""What the end of an import means in Dagster: which events, with which words."""

from dataclasses import dataclass
from typing import Any

import dagster as dg

from cognee_dagster.dagster.event_log.pushes import Push
from cognee_dagster.dagster.event_log.reports import COMPLETED, FAILED, STALLED, SUPERSEDED, EventKind
from cognee_dagster.dagster.keys import (
    ARCHIVE_DIGEST,
    CHECK_IMPORT_SUCCEEDED,
    ERROR,
    PARTITION,
    PUSH_RUN_ID,
    REASON,
    SECONDS,
    STATUS,
)
from cognee_dagster.remote.imports.verdict import ImportState, ImportVerdict

AssetEvent = dg.AssetMaterialization | dg.AssetCheckEvaluation | dg.AssetObservation

_DATA_VERSION_TAG = "dagster/data_version"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the event log says that bears on what is to be written about one import.

    Attributes:
        written: The kinds of events about it that are there already.
        newer_succeeded: How the newest later push into the same remote dataset ended; None: none has ended.
    """

    written: frozenset[EventKind] = frozenset()
    newer_succeeded: bool | None = None


def events_for(push: Push, verdict: ImportVerdict, standing: Standing) -> list[AssetEvent]:
    """The events that are still to be written about an import that came to its end.

    A success is a materialization of ``remote_graph`` and a passed check; any other end is a failed check. The check
    speaks of the newest push: when an older import ends after a newer one was reported, its failure is only observed if
    the newer one succeeded, and its success does not turn a newer failure green.
    """
    if verdict.state is ImportState.SUCCEEDED:
        events: list[AssetEvent] = [_materialization(push, verdict)]
        if standing.newer_succeeded is not False:
            events.append(_passed_check(push, verdict))
    elif standing.newer_succeeded:
        events = [_observation(push, verdict)]
    else:
        events = [_failed_check(push, verdict)]
    return [event for event in events if _kind(event) not in standing.written]


def _kind(event: AssetEvent) -> EventKind:
    if isinstance(event, dg.AssetCheckEvaluation):
        return "check"
    return "materialization" if isinstance(event, dg.AssetMaterialization) else "observation"


def _materialization(push: Push, verdict: ImportVerdict) -> dg.AssetMaterialization:
    digest = push.metadata.get(ARCHIVE_DIGEST)
    return dg.AssetMaterialization(
        push.graph_key,
        description="The remote has finished the import.",
        metadata=_metadata(push, verdict, status=COMPLETED),
        partition=push.partition,
        tags={_DATA_VERSION_TAG: str(digest)} if digest else None,
    )


def _passed_check(push: Push, verdict: ImportVerdict) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=push.graph_key,
        check_name=CHECK_IMPORT_SUCCEEDED,
        passed=True,
        description="The remote has finished the import.",
        metadata=_metadata(push, verdict, status=COMPLETED),
    )


def _failed_check(push: Push, verdict: ImportVerdict) -> dg.AssetCheckEvaluation:
    status = STALLED if verdict.state is ImportState.STALLED else FAILED
    return dg.AssetCheckEvaluation(
        asset_key=push.graph_key,
        check_name=CHECK_IMPORT_SUCCEEDED,
        passed=False,
        description=reason_of(push, verdict),
        metadata=_metadata(push, verdict, status=status),
    )


def _observation(push: Push, verdict: ImportVerdict) -> dg.AssetObservation:
    return dg.AssetObservation(
        push.graph_key,
        description=f"{reason_of(push, verdict)} A newer push has succeeded, so nothing is to be done.",
        metadata=_metadata(push, verdict, status=SUPERSEDED),
        partition=push.partition,
    )


def reason_of(push: Push, verdict: ImportVerdict) -> str:
    """What has become of which import, in a sentence."""
    run = f"Import {push.run_id}" if push.run_id else "The import"
    return f"{run} into dataset {push.target_dataset!r} on {push.remote_url}: {verdict.reason}"


def _metadata(push: Push, verdict: ImportVerdict, *, status: str) -> dict[str, Any]:
    """The push's own metadata, with what the end of its import adds; SECONDS is how long the remote took.

    A check's partition stands here only: Dagster 1.13 takes one evaluation of a check, partition and run, and a second
    one from a sensor, which has no run, would fail the tick for ever (``asset_check_executions``, unique index).
    """
    carried = {key: value for key, value in push.metadata.items() if value is not None and key != SECONDS}
    added: dict[str, Any] = {STATUS: status, PUSH_RUN_ID: push.dagster_run_id}
    if verdict.started_at is not None and verdict.finished_at is not None:
        added[SECONDS] = round(max(0.0, (verdict.finished_at - verdict.started_at).total_seconds()), 3)
    if push.partition is not None:
        added[PARTITION] = push.partition
    if status != COMPLETED:
        added[REASON] = reason_of(push, verdict)
    if verdict.error_class is not None:
        added[ERROR] = verdict.error_class
    return {**carried, **added}
