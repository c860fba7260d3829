"""The check ``remote_import_succeeded``: asks the remote, now, what has become of the latest push.

The import sensor and a push in the foreground evaluate the same check when an import ends; this is what the Execute
button runs in between.
"""

import time

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.import_events import reason_of
from cognee_dagster.dagster.event_log.pushes import Push, latest_push
from cognee_dagster.dagster.resources import REMOTE_RESOURCE, CogneeRemote
from cognee_dagster.dagster.steps.step import engine_step
from cognee_dagster.remote.imports.verdict import STALLED_AFTER, ImportState, ImportVerdict
from cognee_dagster.remote.imports.watch import ImportWatch, WatchedImport


def check_import(context: dg.AssetCheckExecutionContext, dataset: CogneeDataset) -> dg.AssetCheckResult:
    """Ask about the dataset's latest push."""
    cognee_remote: CogneeRemote = getattr(context.resources, REMOTE_RESOURCE)
    push = latest_push(context.instance, dataset.push_key)
    if push is None:
        return _not_yet(f"Nothing was pushed yet. Materialize {dataset.push_key.to_user_string()} first.")
    with engine_step(context), cognee_remote.client() as client:
        if push.remote_url != client.connection.url:
            return _not_yet(
                f"The latest push went to {push.remote_url}, and the remote is now {client.connection.url} "
                f"({client.connection.source}). Push again, or point cognee_remote to where the push went."
            )
        watch = ImportWatch(feed=client, now=time.time(), stalled_after=STALLED_AFTER)
        verdict = watch.ask(
            WatchedImport(
                run_id=push.run_id,
                dataset_id=push.dataset_id,
                pushed_at=push.timestamp,
                push_seconds=float(push.metadata.get(keys.SECONDS) or 0.0),
                cognifies=push.cognifies,
            )
        )
    return _result(push, verdict)


def _not_yet(reason: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=False, severity=dg.AssetCheckSeverity.WARN, description=reason, metadata={keys.REASON: reason}
    )


def _result(push: Push, verdict: ImportVerdict) -> dg.AssetCheckResult:
    """An import that is still running has not succeeded, but nothing is wrong with it, either."""
    reason = reason_of(push, verdict)
    passed = verdict.state is ImportState.SUCCEEDED
    ended = verdict.state.is_final or verdict.state is ImportState.STALLED
    metadata = {
        keys.STATUS: verdict.state.status,
        keys.PIPELINE_RUN_ID: push.run_id,
        keys.TARGET_DATASET: push.target_dataset,
        keys.REMOTE_URL: push.remote_url,
        keys.PUSH_RUN_ID: push.dagster_run_id,
    }
    if not passed:
        metadata[keys.REASON] = reason
    if verdict.error_class is not None:
        metadata[keys.ERROR] = verdict.error_class
    return dg.AssetCheckResult(
        passed=passed,
        severity=dg.AssetCheckSeverity.ERROR if passed or ended else dg.AssetCheckSeverity.WARN,
        description=reason,
        metadata=metadata,
    )
