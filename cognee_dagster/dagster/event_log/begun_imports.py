"""Imports that a failed or killed run has begun, so that the next run attaches to them instead of starting others.

As soon as the remote shows an import's run, ``remote_push`` observes it in the event log. Where no materialization of
``remote_push`` followed, the run that began the import did not get that far, and nobody has reported it. Of a graph in
several archives, those that arrived are not uploaded again.
"""

from typing import Any

import dagster as dg

from cognee_dagster.dagster import keys

# One dataset may be pushed to several places in turn; what lies deeper is of long ago.
_LOOK_BACK = 50

_PLACE = (keys.TARGET_DATASET, keys.REMOTE_URL)
_CONTENT = (keys.ARCHIVE_DIGEST, keys.MODE, keys.ARCHIVES_TOTAL)


def observe_begun_import(
    context: dg.AssetExecutionContext, *, pipeline_run_id: str, push: dict[str, Any], content_sha256: str, done: int
) -> None:
    """Write down that the remote has begun an import.

    Args:
        context: The step that pushes.
        pipeline_run_id: The import's run.
        push: What is pushed where, by metadata keys: archive digest, number of archives, target dataset, mode, remote.
        content_sha256: Which archive.
        done: How many archives the remote has already.
    """
    total = push[keys.ARCHIVES_TOTAL]
    which = f" of archive {done + 1} of {total}" if total > 1 else ""
    context.log_event(
        dg.AssetObservation(
            context.asset_key,
            description=f"The remote has begun the import{which}.",
            metadata={
                **push,
                keys.ARCHIVE_CONTENT: content_sha256,
                keys.ARCHIVES_DONE: done,
                keys.PIPELINE_RUN_ID: pipeline_run_id,
                keys.PUSH_RUN_ID: context.run.run_id,
            },
        )
    )


def find_begun_imports(instance: dg.DagsterInstance, push_key: dg.AssetKey, *, push: dict[str, Any]) -> dict[str, str]:
    """The runs of the latest imports into that remote dataset, by the archive's ``content_sha256``.

    Only those of this very graph count, since another one was pushed there or a push has ended.

    Args:
        instance: Where the events are.
        push_key: The ``remote_push`` asset.
        push: As for ``observe_begun_import``.
    """
    runs: dict[str, str] = {}
    observed = instance.fetch_observations(push_key, limit=_LOOK_BACK + push[keys.ARCHIVES_TOTAL]).records
    if not observed:
        return runs
    ended = instance.fetch_materializations(push_key, limit=1).records
    last_end = ended[0].storage_id if ended else 0
    for record in observed:
        observation = record.asset_observation
        found = {key: value.value for key, value in observation.metadata.items()} if observation else {}
        if any(found.get(key) != push[key] for key in _PLACE):
            continue
        if record.storage_id < last_end or any(found.get(key) != push[key] for key in _CONTENT):
            break
        runs.setdefault(str(found.get(keys.ARCHIVE_CONTENT)), str(found[keys.PIPELINE_RUN_ID]))
    return runs
