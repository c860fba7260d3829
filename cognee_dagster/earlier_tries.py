"""An import that a failed or killed run has begun, so that the next run attaches to it instead of starting another.

As soon as the remote shows the import's run, ``remote_push`` observes it in the event log. Where no materialization of
``remote_push`` followed, the run that began the import did not get that far, and nobody has reported it.
"""

from typing import Any

import dagster as dg

from cognee_dagster import metadata as keys

# One dataset may be pushed to several places in turn; what lies deeper is of long ago.
_LOOK_BACK = 50

_PLACE = (keys.TARGET_DATASET, keys.REMOTE_URL)
_CONTENT = (keys.ARCHIVE_DIGEST, keys.MODE)


def observe_begun_import(context: dg.AssetExecutionContext, *, pipeline_run_id: str, push: dict[str, Any]) -> None:
    """Write down that the remote has begun an import.

    Args:
        context: The step that pushes.
        pipeline_run_id: The import's run.
        push: What is pushed where, by metadata keys: archive digest, target dataset, mode and remote.
    """
    context.log_event(
        dg.AssetObservation(
            context.asset_key,
            description="The remote has begun the import.",
            metadata={**push, keys.PIPELINE_RUN_ID: pipeline_run_id, keys.PUSH_RUN_ID: context.run.run_id},
        )
    )


def find_begun_import(instance: dg.DagsterInstance, push_key: dg.AssetKey, *, push: dict[str, Any]) -> str | None:
    """The run of the latest import into that remote dataset, if it is of this archive and no push has ended since.

    Args:
        instance: Where the events are.
        push_key: The ``remote_push`` asset.
        push: As for ``observe_begun_import``.
    """
    for record in instance.fetch_observations(push_key, limit=_LOOK_BACK).records:
        observation = record.asset_observation
        found = {key: value.value for key, value in observation.metadata.items()} if observation else {}
        if all(found.get(key) == push[key] for key in _PLACE):
            same = all(found.get(key) == push[key] for key in _CONTENT)
            return str(found[keys.PIPELINE_RUN_ID]) if same and not _ended_since(instance, push_key, record) else None
    return None


def _ended_since(instance: dg.DagsterInstance, push_key: dg.AssetKey, record: dg.EventLogRecord) -> bool:
    newer = dg.AssetRecordsFilter(asset_key=push_key, after_storage_id=record.storage_id)
    return bool(instance.fetch_materializations(newer, limit=1).records)
