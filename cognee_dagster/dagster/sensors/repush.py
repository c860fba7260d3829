"""Which failed imports are to be pushed again, and as which attempt. Stateless: runs and events say what was tried."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from cognee_dagster.dagster.event_log.evaluations import evaluation_in
from cognee_dagster.dagster.event_log.pushes import GraphKeys, graph_key_of, latest_push, plain_metadata, pushed_by
from cognee_dagster.dagster.event_log.reports import FAILED, STALLED
from cognee_dagster.dagster.keys import (
    CHECK_IMPORT_SUCCEEDED,
    CHOSEN_ARCHIVE,
    ERROR,
    MODE,
    PARTITION,
    PARTITIONS,
    PIPELINE_RUN_ID,
    PUSH_FAILED,
    PUSH_RUN_ID,
    REPUSH_ATTEMPT_TAG,
    REPUSH_OF_TAG,
    STATUS,
)
from cognee_dagster.dagster.sensors.policies import RepushPolicy
from cognee_dagster.graph.counting import counted
from cognee_dagster.remote.meanings import PERMANENT_ERROR_CLASSES

# Whoever switches the sensor on does not want last year's failures pushed.
_FORGOTTEN_AFTER_SECONDS = 86_400.0

_PAGE = 200  # evaluations


@dataclass(frozen=True, kw_only=True)
class FailedImport:
    """The end of the newest push of an asset, or of one of its partitions.

    Attributes:
        push_key: The push asset.
        root: The import whose failure was the first of this chain of attempts; see ``Push.import_id``.
        partition: The partition, if any.
        target_dataset: The remote dataset, and
        mode: the import mode of the push that failed, and
        archive: the stored archive that was chosen for it, if one was; the new push has the same.
    """

    push_key: dg.AssetKey
    root: str
    partition: str | None
    target_dataset: str | None
    mode: str | None
    archive: str | None = None


class RepushPlan:
    """Reads what failed and what was tried since.

    Args:
        instance: Dagster's.
        policies: By push asset.
        now: Unix seconds.
        named: The assets that stand for the imports, where a translator has named them.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        policies: Mapping[dg.AssetKey, RepushPolicy],
        *,
        now: float,
        named: GraphKeys,
    ) -> None:
        self._instance = instance
        self._watched = {graph_key_of(key, named): key for key, policy in policies.items() if policy.attempts > 0}
        self._policies = policies
        self._now = now

    def requests(self) -> tuple[list[dg.RunRequest], list[str]]:
        """The runs to launch, and sentences on what is not pushed again any more."""
        requests: list[dg.RunRequest] = []
        notes: list[str] = []
        for failed in self.failed_imports():
            policy = self._policies[failed.push_key]
            runs = self._instance.get_runs(filters=dg.RunsFilter(tags={REPUSH_OF_TAG: failed.root}))
            if any(not run.is_finished for run in runs):
                continue
            if len(runs) < policy.attempts:
                requests.append(_request(failed, policy, attempt=len(runs) + 1))
            else:
                name = failed.push_key.to_user_string()
                pushes = counted(len(runs), "push", "pushes")
                notes.append(f"{name} is not pushed again: {pushes} after import {failed.root} did not help.")
        return requests, notes

    def failed_imports(self) -> Iterator[FailedImport]:
        """Imports that failed, whose push is the newest, and that pushing again may help."""
        checks = [dg.AssetCheckKey(key, CHECK_IMPORT_SUCCEEDED) for key in self._watched]
        storage = self._instance.event_log_storage
        for check_key, latest in storage.get_latest_asset_check_execution_by_key(checks).items():
            seen: set[object] = set()
            for record in self._recent(check_key, latest):
                if (evaluation := evaluation_in(record)) is None or PARTITIONS in evaluation.metadata:
                    continue
                metadata = plain_metadata(evaluation.metadata)
                partition = metadata.get(PARTITION)
                if partition not in seen and not evaluation.passed:
                    failed = self._failed(self._watched[check_key.asset_key], metadata, partition)
                    yield from [failed] if failed is not None else []
                seen.add(partition)

    def _recent(self, check_key: dg.AssetCheckKey, latest: Any) -> Iterator[Any]:
        """Evaluations that are not forgotten yet, the newest first: of a chain with partitions all, else the last."""
        newest = evaluation_in(latest)
        if newest is None or not {PARTITION, PARTITIONS} & newest.metadata.keys():
            yield from [latest] if self._is_recent(latest) else []
            return
        storage, before, more = self._instance.event_log_storage, None, True
        while more:
            page = storage.get_asset_check_execution_history(check_key, limit=_PAGE, cursor=before)
            recent = [record for record in page if self._is_recent(record)]
            yield from recent
            more = len(recent) == _PAGE
            before = page[-1].id if page else None

    def _is_recent(self, record: Any) -> bool:
        return record.event is not None and self._now - record.event.timestamp < _FORGOTTEN_AFTER_SECONDS

    def _failed(self, push_key: dg.AssetKey, metadata: Mapping[str, Any], partition: str | None) -> FailedImport | None:
        pushed_by_run = str(metadata.get(PUSH_RUN_ID) or "")
        import_id = str(metadata.get(PIPELINE_RUN_ID) or pushed_by(pushed_by_run, partition))
        if metadata.get(STATUS) not in (FAILED, STALLED) or metadata.get(ERROR) in PERMANENT_ERROR_CLASSES:
            return None
        newest = latest_push(self._instance, push_key, partition=partition)
        if newest is None or not newest.in_background:
            return None
        root = self._root(pushed_by_run, otherwise=import_id)
        if metadata.get(PUSH_FAILED):  # an attempt that was not made counts as one; a push of somebody's is left alone
            is_newest = root == self._root(newest.dagster_run_id, otherwise=newest.import_id)
        else:
            is_newest = newest.import_id == import_id
        if not is_newest:
            return None
        return FailedImport(
            push_key=push_key,
            root=root,
            partition=partition,
            target_dataset=newest.target_dataset or None,
            mode=newest.metadata.get(MODE),
            archive=newest.metadata.get(CHOSEN_ARCHIVE),
        )

    def _root(self, run_id: str, *, otherwise: str) -> str:
        """The import that a run pushes again; of a run that does not, the other one."""
        run = self._instance.get_run_by_id(run_id) if run_id else None
        return run.tags.get(REPUSH_OF_TAG, otherwise) if run is not None else otherwise


def _request(failed: FailedImport, policy: RepushPolicy, *, attempt: int) -> dg.RunRequest:
    """A run of the push alone; the archive is the chosen one, else the newest there is.

    It is full, as is every push whose import goes on without it: one that waits for it, where the dataset does not say
    ``sync``, would keep a mirror, and remove what the push that it repeats would have left.
    A run key is used once for ever, so it counts.
    """
    config: dict[str, Any] = {"run_in_background": policy.run_in_background, "full": True}
    if failed.target_dataset is not None:
        config["target_dataset"] = failed.target_dataset
    if failed.mode is not None:
        config["mode"] = failed.mode
    if failed.archive is not None:
        config["archive"] = failed.archive
    return dg.RunRequest(
        run_key=f"{failed.root} {attempt}",
        asset_selection=[failed.push_key],
        partition_key=failed.partition,
        run_config={"ops": {failed.push_key.to_python_identifier(): {"config": config}}},
        tags={REPUSH_OF_TAG: failed.root, REPUSH_ATTEMPT_TAG: str(attempt)},
    )
