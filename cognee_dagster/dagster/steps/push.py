"""What the step of ``remote_push`` does: the upload of an archive, and what it says about it."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.config import PushConfig
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.answers import ProbeAnswers
from cognee_dagster.dagster.event_log.begun_imports import BegunImports, archive_counts
from cognee_dagster.dagster.event_log.begun_pushes import BegunPush
from cognee_dagster.dagster.event_log.import_events import ImportOutcome
from cognee_dagster.dagster.event_log.pushes import Push
from cognee_dagster.dagster.links import with_links
from cognee_dagster.dagster.resources import CogneeRemote
from cognee_dagster.dagster.steps.dry_run import observe_plan
from cognee_dagster.dagster.steps.launched_archive import confirmed_archive, launched_archives
from cognee_dagster.dagster.steps.mirror import check_mirror, mirror_place, push_to_mirror
from cognee_dagster.dagster.steps.partitions import dataset_of_step, partition_of, target_of_step
from cognee_dagster.dagster.steps.push_failed import SentSoFar, failure_reported
from cognee_dagster.dagster.steps.push_hold import PushHold
from cognee_dagster.dagster.steps.step import engine_step, progress_in_log
from cognee_dagster.errors import InvalidPushError
from cognee_dagster.pushing.archives import PushResult, push_archives
from cognee_dagster.pushing.comparison.verification import ImportFindings, check_import, num_edges_there
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.pushing.probes.asking import ProbeAnswer, ask_probes
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import Connection
from cognee_dagster.remote.imports.verdict import ImportVerdict
from cognee_dagster.remote.imports.vocabulary import ImportState
from cognee_dagster.store.stored import StoredArchive
from cognee_dagster.tracing import host_of, span

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive


def push_stored(
    context: dg.AssetExecutionContext,
    dataset: CogneeDataset,
    *,
    archive: StoredArchive,
    config: PushConfig,
    remote: CogneeRemote,
) -> Iterator[dg.MaterializeResult[None]]:
    """Upload the archive, and report the remote graph where the import is finished with it."""
    began = time.monotonic()
    with engine_step(context) as known, ExitStack() as opened:
        dataset, partition = dataset_of_step(context, dataset), partition_of(context)
        target = target_of_step(context, dataset, config.target_dataset or None)
        launched = opened.enter_context(launched_archives(context, dataset, made=archive, config=config))
        client = opened.enter_context(remote.client())
        archives = launched.archives
        options = PushOptions(
            target_dataset=target,
            mode=config.mode,
            run_in_background=config.run_in_background,
            delivery=remote.delivery_settings(),
        )
        push = _identity(archives, options, remote_url=client.connection.url)
        known.update(push)
        record = BegunImports(context, archives=archives, push=push, partition=partition)
        begun = BegunPush(context, push=push, partition=partition, imports=record)
        sent = SentSoFar(progress_in_log(context.log, what=f"Upload to {client.connection.url}"), begun=begun)
        of_mirrors = config.resend or config.adopt or config.on_removed or config.max_removed is not None
        if of_mirrors and not launched.as_mirror:
            raise InvalidPushError(
                "Nothing was sent: resend, adopt, on_removed and max_removed are for mirrors, and this push sends "
                f"{dataset} whole. Launch it without them."
            )
        mirror = mirror_place(context, dataset, archive=archive, config=config) if launched.as_mirror else None
        if config.dry_run:
            observe_plan(context, dataset, archives, client=client, options=options, mirror=mirror)
            return
        hold = PushHold(launched.stored, url=client.connection.url, target=push[keys.TARGET_DATASET])
        hold.begin(confirmed=confirmed_archive(context, dataset, partition=partition))
        with failure_reported(context, dataset, sent, push={**push, **launched.metadata}):
            if mirror is not None:
                result = push_to_mirror(
                    archives, mirror=mirror, client=client, options=options, progress=sent.progress, record=record
                )
            else:
                result = push_archives(archives, client=client, options=options, progress=sent.progress, record=record)
            metadata = _push_metadata(result, archives=archives, mode=options.mode, connection=client.connection)
            metadata |= launched.metadata
            findings = _findings(client, archives, result, dataset=dataset)
            if findings is None or not findings.problems:
                hold.end(result, is_needed=_is_mirror(result) or dataset.target_name is not None)
            answers = ask_probes(client, dataset.probes if findings else (), target_dataset=result.target_dataset)
    metadata[keys.SECONDS] = round(time.monotonic() - began, 3)
    yield from _told(context, dataset, result, findings=findings, answers=answers, metadata=metadata)


def _told(
    context: dg.AssetExecutionContext,
    dataset: CogneeDataset,
    result: PushResult,
    *,
    findings: ImportFindings | None,
    answers: Sequence[ProbeAnswer],
    metadata: dict[str, Any],
) -> Iterator[dg.MaterializeResult[None]]:
    """What Dagster is told of a push, and of the remote graph where the import is finished."""
    pushed = dg.MaterializeResult[None](
        metadata=with_links(metadata), data_version=dg.DataVersion(metadata[keys.ARCHIVE_DIGEST])
    )
    if findings is None:
        yield pushed
        _warn_if_nobody_watches(context)
        return
    of_graph = {**metadata, keys.NUM_EDGES: num_edges_there(result.num_edges, result.remote_response)}
    if not findings.problems or not dataset.fail_on_incomplete:
        yield pushed
        _report_remote_graph(context, dataset, findings=findings, answers=answers, metadata=of_graph)
        return
    _report_remote_graph(context, dataset, findings=findings, answers=answers, metadata=of_graph)
    yield pushed  # with it Dagster stores what was reported, which a step that fails would lose
    place = f"{metadata[keys.TARGET_DATASET]!r} on {metadata[keys.REMOTE_URL]}"
    reason = f"{place} is incomplete: {' '.join(findings.problems)}"
    raise dg.Failure(description=reason, metadata={keys.REASON: reason}, allow_retries=False)


def _identity(archives: "Sequence[Archive]", options: PushOptions, *, remote_url: str) -> dict[str, Any]:
    """What is pushed where: what makes two pushes the same."""
    return {
        keys.ARCHIVE_DIGEST: archives[0].digest,
        **archive_counts(len(archives)),
        keys.TARGET_DATASET: options.target_of(archives[0].dataset_name),
        keys.MODE: options.mode,
        keys.REMOTE_URL: remote_url,
    }


def _push_metadata(
    result: PushResult, *, archives: "Sequence[Archive]", mode: str, connection: Connection
) -> dict[str, Any]:
    """The plain names are the fields of ``PushResult``; the import sensor reads these values again."""
    metadata = {
        keys.NUM_NODES: result.num_nodes,
        keys.NUM_EDGES: result.num_edges,
        keys.PIPELINE_RUN_ID: result.pipeline_run_id,
        keys.STATUS: result.status,
        keys.IMPORT_KNOWN_BY: result.known_by.value,
        keys.DATASET_NAME: result.dataset_name,
        keys.TARGET_DATASET: result.target_dataset,
        keys.MODE: mode,
        keys.REMOTE_URL: connection.url,
        keys.CONNECTION_SOURCE: connection.source,
        keys.ARCHIVE_DIGEST: archives[0].digest,
        keys.ARCHIVE_SHA256: " ".join(archive.sha256 for archive in archives),
        keys.ARCHIVE_BYTES: sum(archive.size_bytes for archive in archives),
        **archive_counts(len(archives), done=len(archives)),
    }
    if (mirror := result.remote_response.get("mirror")) is not None:
        metadata[keys.MIRROR] = mirror
    if result.delivered_at is not None:
        metadata[keys.DELIVERED_AT] = result.delivered_at.isoformat()
    if dataset_id := result.remote_response.get("dataset_id"):  # null after a preserve import in the foreground
        metadata[keys.REMOTE_DATASET_ID] = str(dataset_id)
    return metadata


def _is_mirror(result: PushResult) -> bool:
    """Whether it kept a mirror: a graph that cannot be mirrored is pushed whole."""
    return "mirror" in result.remote_response


def _findings(
    client: CogneeClient, archives: "Sequence[Archive]", result: PushResult, *, dataset: CogneeDataset
) -> ImportFindings | None:
    """What a finished import lacks; None for one in the background, whose end is not known yet."""
    if not ImportState.of_status(result.status).has_arrived:
        return None
    target = result.target_dataset
    with span("verify", dataset=result.dataset_name, target_dataset=target, remote_host=host_of(client.connection.url)):
        if _is_mirror(result):
            return check_mirror(client, archives, result, verify=dataset.verify)
        return check_import(client, archives, result.remote_response, target_dataset=target, verify=dataset.verify)


def _report_remote_graph(
    context: dg.AssetExecutionContext,
    dataset: CogneeDataset,
    *,
    findings: ImportFindings,
    answers: Sequence[ProbeAnswer],
    metadata: dict[str, Any],
) -> None:
    """The import is finished: say so last of all, as the import sensor does for one in the background.

    An import that lacks something is finished, but not what was sent: the check fails, and nothing below the remote
    graph is started on it.
    """
    now = datetime.now(timezone.utc)
    push = Push(
        storage_id=0,  # not known to the step
        asset_key=dataset.push_key,
        named_graph=dataset.remote_graph_key,
        partition=partition_of(context),
        dagster_run_id=context.run.run_id,
        timestamp=now.timestamp(),
        metadata={**metadata, **({keys.REMARKS: " ".join(findings.remarks)} if findings.remarks else {})},
    )
    verdict = ImportVerdict(
        state=ImportState.INCOMPLETE if findings.problems else ImportState.SUCCEEDED,
        reason=" ".join(findings.problems),
        started_at=now - timedelta(seconds=metadata[keys.SECONDS]),
        finished_at=now,
    )
    if findings.not_compared:
        context.log_event(_not_compared(push, findings.not_compared))
    outcome = ImportOutcome(
        push=push, verdict=verdict, answers=ProbeAnswers(push=push, items=answers) if answers else None
    )
    for event in outcome.missing_events((), newer_succeeded=None):
        context.log_event(event)


def _not_compared(push: Push, why: str) -> dg.AssetCheckEvaluation:
    """A warning of the check that reads the remote graph back, which is what could not be done."""
    reason = (
        f"Whether all that was sent is in {push.target_dataset!r} on {push.remote_url} is not known; the import has "
        f"finished. {why} Execute this check to compare the remote graph again."
    )
    about = (keys.TARGET_DATASET, keys.REMOTE_URL, keys.ARCHIVE_DIGEST, keys.PIPELINE_RUN_ID)
    return dg.AssetCheckEvaluation(
        asset_key=push.graph_key,
        check_name=keys.CHECK_GRAPH_COMPLETE,
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description=reason,
        metadata={
            keys.REASON: reason,
            **{key: push.metadata.get(key) for key in about},
            keys.PUSH_RUN_ID: push.dagster_run_id,
            **({} if push.partition is None else {keys.PARTITION: push.partition}),
        },
    )


def _warn_if_nobody_watches(context: dg.AssetExecutionContext) -> None:
    if context.instance.is_ephemeral or not os.environ.get("DAGSTER_HOME"):
        context.log.warning(
            "The import goes on in the background, and this Dagster instance is temporary (DAGSTER_HOME is not set): "
            "unless `dagster dev` runs on this very instance, no sensor will see the end of the import, and "
            "remote_graph will not be materialized. Set DAGSTER_HOME and run the Dagster daemon, or push in the "
            "foreground."
        )
