"""Pushes that failed when the remote had been sent something: the remote graph may not be the last one's any more.

There is no materialization of ``remote_push`` then. What there is instead is an observation of it, which says so and
has its place among the pushes, and a failed check ``remote_import_succeeded``. The step of a run that was killed says
nothing; what it was seen to begin does (``begun_pushes``, ``begun_imports``).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.event_log.import_events import ImportOutcome
from cognee_dagster.dagster.event_log.pushes import Push, of_partition, plain_metadata
from cognee_dagster.remote.imports.verdict import ImportVerdict
from cognee_dagster.remote.imports.vocabulary import ImportState

_PAGE = 50


@dataclass(frozen=True, kw_only=True)
class FailedPush(Push):
    """A push that is no materialization: ``storage_id`` is that of the newest observation of it."""

    @property
    def reason(self) -> str:
        """Why, as far as anybody saw it."""
        what = f"Import {self.run_id}" if self.run_id else "A push"
        return str(self.metadata.get(keys.REASON) or "") or (
            f"{what} into dataset {self.target_dataset!r} on {self.remote_url} was begun, and the run that pushed it "
            f"({self.dagster_run_id}) did not see its end. Push again: it goes on from there."
        )


def events_of(push: Push, *, reason: str, error: BaseException) -> tuple[dg.AssetObservation, dg.AssetCheckEvaluation]:
    """What is written about a push that failed, the first one first.

    Args:
        push: The push, which was not materialized.
        reason: What is known of its import.
        error: Why the push failed.
    """
    marked = replace(push, metadata={**push.metadata, keys.PUSH_FAILED: True})
    verdict = ImportVerdict(state=ImportState.FAILED, reason=reason, error_class=type(error).__name__)
    evaluation = ImportOutcome(push=marked, verdict=verdict).check_evaluation()
    observation = dg.AssetObservation(
        push.asset_key, partition=push.partition, description=evaluation.description, metadata=evaluation.metadata
    )
    return observation, evaluation


def failed_push(
    instance: dg.DagsterInstance,
    push_key: dg.AssetKey,
    *,
    partition: str | None,
    after: int,
    target_dataset: str | None = None,
) -> FailedPush | None:
    """The newest push after a place in the event log that began, and did not come to its end.

    Args:
        instance: Dagster's.
        push_key: The push asset.
        partition: The partition, if any.
        after: The storage id of the newest push that was made; 0: there is none.
        target_dataset: Only pushes into this remote dataset. None: into any.

    Returns:
        None: there is none, or it is under way.
    """
    for storage_id, timestamp, metadata in _observed(instance, push_key, partition=partition, after=after):
        run_id = str(metadata.get(keys.PUSH_RUN_ID) or "")
        if not run_id or target_dataset not in (None, metadata.get(keys.TARGET_DATASET)):
            continue
        if not metadata.get(keys.PUSH_FAILED) and _is_under_way(instance, run_id):
            continue
        return FailedPush(
            storage_id=storage_id,
            asset_key=push_key,
            partition=partition,
            dagster_run_id=run_id,
            timestamp=timestamp,
            metadata={**metadata, keys.PUSH_FAILED: True},
        )
    return None


def failed_pushes(
    instance: dg.DagsterInstance, push_key: dg.AssetKey, partitions: Collection[str], *, after: Mapping[str, Push]
) -> dict[str, FailedPush]:
    """The pushes of these partitions that failed, where none has succeeded since; ``after``: the newest that has."""
    newest = instance.get_latest_storage_id_by_partition(push_key, dg.DagsterEventType.ASSET_OBSERVATION)
    found: dict[str, FailedPush] = {}
    for partition in newest.keys() & partitions:
        made = after[partition].storage_id if partition in after else 0
        if newest[partition] > made:
            failed = failed_push(instance, push_key, partition=partition, after=made)
            found |= {partition: failed} if failed is not None else {}
    return found


def _observed(
    instance: dg.DagsterInstance, push_key: dg.AssetKey, *, partition: str | None, after: int
) -> Iterator[tuple[int, float, Mapping[str, object]]]:
    """The newest first; what a dry run would have done is none."""
    wanted = of_partition(push_key, partition, after=after)
    cursor: str | None = None
    more = True
    while more:
        page = instance.fetch_observations(wanted, limit=_PAGE, cursor=cursor)
        for record in page.records:
            observation = record.asset_observation
            metadata = plain_metadata(observation.metadata) if observation is not None else {}
            if keys.DRY_RUN not in metadata:
                yield record.storage_id, record.timestamp, metadata
        cursor, more = page.cursor, page.has_more and bool(page.records)


def _is_under_way(instance: dg.DagsterInstance, run_id: str) -> bool:
    run = instance.get_run_by_id(run_id)
    return run is not None and not run.is_finished
