"""What a push that fails leaves behind: nothing is said of one that changed nothing; of any other, that it failed."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.begun_pushes import BegunPush
from cognee_dagster.dagster.event_log.failed_pushes import events_of
from cognee_dagster.dagster.event_log.pushes import Push
from cognee_dagster.dagster.steps.partitions import partition_of
from cognee_dagster.errors import CogneeDagsterError, ImportFailedError, RemoteError
from cognee_dagster.pushing.progress import DeliveredArchive, PushProgress
from cognee_dagster.pushing.refusals import is_refused

_OF_AN_IMPORT = (409, 415, 422)


class SentSoFar:
    """What a push has done to the remote.

    Args:
        on_upload: Who else is told how an upload is getting on.
        begun: Who else is told of what was deleted and imported.

    Attributes:
        progress: To be handed to the push.
        run_id: The import on the remote that was begun last, where its run is known.
    """

    def __init__(self, on_upload: Callable[[int, int], None], *, begun: BegunPush) -> None:
        self.run_id: str | None = None
        self.progress = PushProgress(
            on_upload=self._uploading,
            on_import=self._has_begun,
            on_deleted=self._has_deleted,
            on_delivered=self._has_arrived,
        )
        self._told = on_upload
        self._begun = begun
        self._bytes = 0
        self._changed = False

    def may_have_changed(self, error: BaseException) -> bool:
        """Whether the remote graph may be another one than it was before the push that ended with this error."""
        return self._changed or (self._bytes > 0 and not is_refused(error))

    def _uploading(self, done: int, total: int) -> None:
        self._bytes = max(self._bytes, done)
        self._told(done, total)

    def _has_begun(self, run_id: str) -> None:
        self._changed, self.run_id = True, run_id
        self._begun.has_begun(run_id)

    def _has_deleted(self) -> None:
        self._changed = True
        self._begun.has_deleted()

    def _has_arrived(self, _: DeliveredArchive) -> None:
        self._changed = True


@contextmanager
def failure_reported(
    context: dg.AssetExecutionContext, dataset: CogneeDataset, sent: SentSoFar, *, push: Mapping[str, Any]
) -> Iterator[None]:
    """Inside it, an error that comes when the remote may have changed is written to the event log, and raised.

    At once, and not with the step's own events: what it reports is stored with what it yields, and it yields nothing.

    Args:
        context: The step of ``remote_push``.
        dataset: What it pushes.
        sent: What it has done so far.
        push: What is pushed where, by metadata keys.
    """
    try:
        yield
    except BaseException as error:  # a run that is canceled, too
        if sent.may_have_changed(error):
            _report(context, dataset, sent, push=push, error=error)
        raise


def _report(
    context: dg.AssetExecutionContext,
    dataset: CogneeDataset,
    sent: SentSoFar,
    *,
    push: Mapping[str, Any],
    error: BaseException,
) -> None:
    failed = Push(
        storage_id=0,  # not known to the step
        asset_key=dataset.push_key,
        named_graph=dataset.remote_graph_key,
        partition=partition_of(context),
        dagster_run_id=context.run.run_id,
        timestamp=0,
        metadata={**push, keys.PIPELINE_RUN_ID: sent.run_id},
    )
    try:
        for event in events_of(failed, reason=_reason(error), error=error):
            context.instance.report_runless_asset_event(event)
    except Exception as trouble:  # the push's own error is what the step fails with
        context.log.warning(f"That the push failed could not be written to the event log: {trouble}")


def _reason(error: BaseException) -> str:
    said = str(error) if isinstance(error, CogneeDagsterError) else f"{type(error).__name__}: {error}".rstrip(": ")
    if isinstance(error, ImportFailedError) or (isinstance(error, RemoteError) and error.status in _OF_AN_IMPORT):
        return f"the push failed. {said}"
    return f"the push failed, and what the remote has imported of it is not known. {said}"
