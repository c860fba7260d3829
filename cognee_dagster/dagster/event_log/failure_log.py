"""From failed checks and failed runs to what is told about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import Any

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.event_log.failed_checks import CheckLog, CheckRow
from cognee_dagster.dagster.event_log.failed_runs import FailedRun, FailedRunLog
from cognee_dagster.dagster.event_log.push_failure import (
    IMPORT,
    PUSH,
    PushFailure,
    dagster_url,
    id_of_import,
    id_of_push,
    remote_run_url,
)
from cognee_dagster.dagster.event_log.pushes import GraphKeys, Push, latest_push
from cognee_dagster.dagster.event_log.reports import FAILED, INCOMPLETE, STALLED
from cognee_dagster.dagster.templates import rendered
from cognee_dagster.errors import reason_and_advice

_MAX_TEXT = 2_000  # characters of a reason or an advice: fit for a message, and for a run's config

_ADVICE: Mapping[tuple[str, str], str] = {
    (PUSH, FAILED): "See the run's log in Dagster, then materialize remote_push again.",
    (IMPORT, FAILED): "See the server's log, then push again.",
    (IMPORT, STALLED): "See whether the server still runs, then push again: what is there already is kept.",
    (IMPORT, INCOMPLETE): "Push again: what is there already is kept.",
}


@dataclass(frozen=True, kw_only=True)
class WatchedPush:
    """What a watched push asset pushes.

    Attributes:
        dataset: The local dataset's name; of a chain with partitions, that of all of them.
        target: Which of its targets, of a dataset with several.
    """

    dataset: str
    target: str | None = None

    def of(self, partition: str | None) -> str:
        """The local dataset that a partition is."""
        return self.dataset if partition is None else str(rendered(self.dataset, partition))


class NotYet(Enum):
    """In place of a failure: it is still to be seen whether it is one."""

    KNOWN = "known"


class FailureLog:
    """Reads the failures of watched pushes from the event log.

    Args:
        instance: Dagster's.
        watched: What is pushed, by push asset.
        webserver: The address of Dagster's UI; empty: not known.
        named: The assets that stand for the imports, where a translator has named them.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        watched: Mapping[dg.AssetKey, WatchedPush],
        *,
        webserver: str,
        named: GraphKeys,
    ) -> None:
        self._instance = instance
        self._watched = watched
        self._webserver = webserver
        self.checks = CheckLog(instance, watched, named)
        self.runs = FailedRunLog(instance)

    def of_check(self, push_key: dg.AssetKey, check: str, row_id: int) -> PushFailure | NotYet | None:
        """The import's failure that this row tells of; None where it tells of none, or is gone."""
        row = self.checks.row(push_key, check, row_id)
        if row is None:
            return None
        if row.evaluation is None:
            return NotYet.KNOWN
        state = row.state
        return self._import_failure(row, row.evaluation, state) if state is not None else None

    def of_run(
        self, push_key: dg.AssetKey, run_id: str, partition: str | None, *, patience_is_over: bool
    ) -> PushFailure | NotYet | None:
        """The push's failure in this run; None where another run does or has done its work, or the run was deleted.

        Args:
            push_key: The push asset.
            run_id: The run.
            partition: The partition, if any.
            patience_is_over: Whether a run that was to be retried, and was not, has failed for good.
        """
        failed = self.runs.run(run_id)
        retried = failed is None or failed.retried
        if failed is None or retried is True:
            return None
        if retried is None and not patience_is_over:
            return NotYet.KNOWN
        message, metadata = failed.error(push_key)
        reason, advice = reason_and_advice(message)
        remote = metadata.get(keys.REMOTE_URL)
        newest = latest_push(self._instance, push_key, partition=partition)
        if newest is not None and newest.partition == partition and _makes_good(newest, failed, metadata):
            return None
        return PushFailure(
            id=id_of_push(run_id, push_key, partition),
            kind=PUSH,
            state=FAILED,
            dataset=self._watched[push_key].of(partition),
            target=self._watched[push_key].target,
            push_asset=push_key.to_user_string(),
            partition=partition,
            target_dataset=_text(metadata.get(keys.TARGET_DATASET)),
            remote_url=_text(remote),
            pipeline_run_id=failed.import_run(push_key),
            dagster_run_id=run_id,
            reason=reason[:_MAX_TEXT],
            advice=advice[:_MAX_TEXT] or _ADVICE[PUSH, FAILED],
            error=_text(metadata.get(keys.ERROR)),
            failed_at=_moment(failed.timestamp()),
            dagster_url=dagster_url(self._webserver, run_id=run_id, asset=push_key),
        )

    def _import_failure(self, row: CheckRow, evaluation: dg.AssetCheckEvaluation, state: str) -> PushFailure:
        metadata = row.metadata
        remote, run_id = _text(metadata.get(keys.REMOTE_URL)), _text(metadata.get(keys.PUSH_RUN_ID))
        reason, advice = reason_and_advice(str(metadata.get(keys.REASON) or evaluation.description or state))
        partition = _text(metadata.get(keys.PARTITION))
        return PushFailure(
            id=id_of_import(row.import_id),
            kind=IMPORT,
            state=state,
            dataset=str(metadata.get(keys.DATASET_NAME) or self._watched[row.push_key].of(partition)),
            target=self._watched[row.push_key].target,
            push_asset=row.push_key.to_user_string(),
            partition=partition,
            target_dataset=_text(metadata.get(keys.TARGET_DATASET)),
            remote_url=remote,
            pipeline_run_id=_text(metadata.get(keys.PIPELINE_RUN_ID)),
            dagster_run_id=run_id,
            reason=reason[:_MAX_TEXT],
            advice=advice[:_MAX_TEXT] or _ADVICE[IMPORT, state],
            error=_text(metadata.get(keys.ERROR)),
            failed_at=_moment(row.timestamp),
            dagster_url=dagster_url(self._webserver, run_id=run_id, asset=row.push_key),
            remote_run_url=remote_run_url(remote, _text(metadata.get(keys.REMOTE_DATASET_ID))),
        )


def _makes_good(push: Push, failed: FailedRun, said: Mapping[str, Any]) -> bool:
    """Whether a push was begun after a run had failed to make one, and went where that should have gone.

    What becomes of its import is told by itself.

    Args:
        push: The push.
        failed: The run.
        said: What the step that failed said of its own push, if it came to know that.
    """
    is_newer = push.timestamp - push.seconds > failed.timestamp()
    target, remote = said.get(keys.TARGET_DATASET), said.get(keys.REMOTE_URL)
    return is_newer and target in (None, push.target_dataset) and remote in (None, push.remote_url)


def _text(value: Any) -> str | None:
    return str(value) if value else None


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).isoformat(timespec="seconds")
