"""Bring one archive to one remote dataset, once, whatever the network does in between.

The order of events: check the server, make sure of the dataset, upload, and from the moment the whole body is out watch
for the run that our upload started. In the foreground the server's answer ends it. In the background (the *detached
foreground*) the upload is hung up as soon as its run is visible: Cognee goes on importing, and unlike its own
background import this one arrives (measured on 1.6.5; every release since 1.2.0 deletes the unpacked archive under its
own background import). An answer that is lost after the body was sent is made good by the same run, not by a second
upload.
"""

import logging
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cognee_dagster.errors import (
    CogxUnsupportedError,
    ImportFailedError,
    PushInterruptedError,
    RemoteError,
    RemoteUnreachableError,
)
from cognee_dagster.pushing.documents import settle_documents
from cognee_dagster.pushing.options import DeliverySettings, validate_mode
from cognee_dagster.pushing.refusals import NextStep, after_failure, explain
from cognee_dagster.pushing.run_lookup import RunLookup
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.compat import Strategy, choose_background_strategy
from cognee_dagster.remote.imports.verdict import ImportState
from cognee_dagster.remote.imports.watch import ImportWatch, WatchedImport, wait_for_import
from cognee_dagster.remote.names import validate_dataset_name
from cognee_dagster.remote.responses import RemoteDataset, migration_imports
from cognee_dagster.remote.upload import Upload

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive

ProgressCallback = Callable[[int, int], None]

logger = logging.getLogger(__name__)

# Cognee serialises imports per dataset, in one process; two uploads of ours to one dataset would only wait for each
# other over there, and their runs could not be told apart.
_dataset_locks: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What became of an upload.

    Attributes:
        status: ``completed``, ``started`` or ``running``.
        response: The server's answer, or one of the same shape where ours is a detached or recovered import.
        pipeline_run_id: The import's run on the remote.
        dataset: The remote dataset that was written.
    """

    status: str
    response: dict[str, Any]
    pipeline_run_id: str | None
    dataset: RemoteDataset


def deliver(
    client: CogneeClient,
    archive: "Archive",
    *,
    target_dataset: str,
    mode: str,
    run_in_background: bool,
    settings: DeliverySettings,
    progress: ProgressCallback | None = None,
    on_run: Callable[[str], None] | None = None,
    earlier_run: str | None = None,
    stop: threading.Event | None = None,
) -> Delivery:
    """Upload ``archive`` into ``target_dataset`` and see it through.

    Args:
        client: The remote.
        archive: What to upload.
        target_dataset: The remote dataset's name; created if it is not there.
        mode: ``preserve``, ``hybrid`` or ``re-derive``.
        run_in_background: Return as soon as the remote has taken over.
        settings: How patient to be.
        progress: Called with (bytes sent, total bytes).
        on_run: Called once with the import's ``pipeline_run_id``, as soon as it is known.
        earlier_run: Run of an earlier try to deliver this very archive there, which never reported its end: attached to
            if it is running or has succeeded, instead of uploading again.
        stop: Setting it hangs up and raises ``PushInterruptedError``.

    Raises:
        InvalidModeError, InvalidTargetError: Before anything is sent.
        CogxUnsupportedError, BackgroundUnsupportedError: The server cannot do this; before anything is sent.
        RemoteError: The server refused for good, could not be reached, or the import failed.
    """
    validate_mode(mode)
    validate_dataset_name(target_dataset)
    server = client.require_cogx(must_know=run_in_background)
    strategy = Strategy.FOREGROUND
    if run_in_background:
        requested = settings.background_strategy
        strategy = choose_background_strategy(server.version, mode=mode, requested=requested, offer=server.offer)
    with (
        _dataset_locks[client.connection.url, target_dataset],
        tempfile.TemporaryDirectory(prefix="cognee-upload-") as directory,
    ):
        dataset = client.ensure_dataset(target_dataset)
        courier = _Courier(
            client,
            archive,
            dataset=dataset,
            mode=mode,
            strategy=strategy,
            settings=settings,
            on_run=on_run,
            stop=stop or threading.Event(),
        )
        attached = courier.attach(earlier_run) if earlier_run else None
        if attached is not None:
            return attached
        settled = settle_documents(client, archive, dataset=dataset, directory=Path(directory))
        return courier.deliver(settled.path, progress=progress)


class _Courier:
    """One delivery under way: the attempts share what is known about the remote's runs."""

    def __init__(
        self,
        client: CogneeClient,
        archive: "Archive",
        *,
        dataset: RemoteDataset,
        mode: str,
        strategy: Strategy,
        settings: DeliverySettings,
        on_run: Callable[[str], None] | None,
        stop: threading.Event,
    ) -> None:
        self._client = client
        self._archive = archive
        self._dataset = dataset
        self._mode = mode
        self._strategy = strategy
        self._settings = settings
        self._on_run = on_run
        self._stop = stop
        self._lookup = RunLookup(client, dataset.id)
        self._run_id: str | None = None

    def attach(self, run_id: str) -> Delivery | None:
        """See an import through that an earlier try has begun; None: it came to nothing."""
        watch = ImportWatch(feed=self._client, now=time.time(), stalled_after=self._settings.stalled_after)
        verdict = watch.ask(WatchedImport(run_id=run_id, dataset_id=self._dataset.id))
        if verdict.state not in (ImportState.RUNNING, ImportState.SUCCEEDED):
            logger.info("An earlier try's import (run %s) is %s; uploading again", run_id, verdict.state.value)
            return None
        made_at = self._dataset.created_at
        if made_at is not None and verdict.started_at is not None and verdict.started_at < made_at:
            logger.info("Dataset %r was deleted after an earlier try's import; uploading again", self._dataset.name)
            return None
        logger.info("Attaching to the import that an earlier try has begun: run %s", run_id)
        self._run_id = run_id
        return self._without_answer()

    def deliver(self, path: Path, *, progress: ProgressCallback | None) -> Delivery:
        """Upload the archive's file, or a copy with other document ids, and see it through."""
        attempts = max(self._client.retry.attempts, 1)
        conflicts = 0
        for attempt in range(1, attempts + 1):
            self._heed_stop()
            upload = self._client.upload(
                path,
                dataset_name=self._dataset.name,
                mode=self._mode,
                run_in_background=self._strategy is Strategy.NATIVE,
                progress=progress,
            )
            try:
                return self._see_through(upload)
            except RemoteError as error:
                step = after_failure(error, body_sent=upload.body_sent.is_set(), conflicts=conflicts)
                conflicts += error.status == 409
                if step is NextStep.LOOK_FOR_RUN and (recovered := self._recover(error, upload)):
                    return recovered
                if not (error.retryable or step is NextStep.RETRY) or attempt == attempts:
                    raise explain(error, mode=self._mode, target=self._dataset.name) from error
                self._wait(error, attempt)
            finally:
                self._leave(upload)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _see_through(self, upload: Upload) -> Delivery:
        """Wait for the answer; once the body is out, look for the run; detach when that is wanted."""
        told = False
        while True:
            answer = upload.wait(self._settings.poll_interval)
            if answer is not None:
                return self._answered(answer)
            self._heed_stop()
            if upload.body_sent_at is None or self._run_id is not None:
                continue
            if not told:
                logger.info("The archive is delivered; waiting for its import into %r to begin", self._dataset.name)
                told = True
            self._look(upload.body_sent_at)
            if self._run_id is not None and self._strategy is Strategy.DETACHED:
                return self._going_on(detached=True)

    def _look(self, body_sent_at: datetime) -> None:
        """Set ``_run_id`` once our run is visible; before anybody is told, so that an interrupt can name it."""
        try:
            self._run_id = run_id = self._lookup.find(body_sent_at=body_sent_at)
        except RemoteUnreachableError as error:  # a server that is parsing an archive answers nobody else
            logger.info("The remote does not answer just now: %s", error)
            return
        waited = (datetime.now(timezone.utc) - body_sent_at).total_seconds()
        if run_id is not None:
            logger.info("The remote imports into %r as run %s", self._dataset.name, run_id)
            if self._on_run is not None:
                self._on_run(run_id)
        elif self._strategy is Strategy.DETACHED and waited > self._settings.detach_timeout:
            raise ImportFailedError(
                f"The archive was delivered to dataset {self._dataset.name!r} on {self._client.connection.url}, but no "
                f"import run of it became visible within {waited:.0f} s. The server may still be storing documents, or "
                "another import may hold the dataset: look for a new migration_import_pipeline run of that dataset "
                "before you push again, or allow more time with detach_timeout."
            )

    def _answered(self, answer: dict[str, Any]) -> Delivery:
        imports = migration_imports(answer)
        if not imports:
            raise CogxUnsupportedError(
                f"The remote at {self._client.connection.url} answered the upload into dataset {self._dataset.name!r} "
                "but did not run a COGX archive import: it most likely runs a Cognee without it. The archive may have "
                "been stored there as a plain file. Upgrade the remote to Cognee 1.3.0 or newer."
            )
        run_id = answer.get("pipeline_run_id") or imports[-1].pipeline_run_id
        if run_id is not None and self._run_id is None and self._on_run is not None:
            self._on_run(str(run_id))
        if imports[-1].skipped_facts:
            logger.warning(
                "The remote dropped %d facts with an end that is not in the archive", imports[-1].skipped_facts
            )
        return self._delivery(str(answer.get("status", "unknown")), answer, run_id)

    def _going_on(self, **how: bool) -> Delivery:
        return self._delivery("started", self._stand_in_answer("started", "running", **how), self._run_id)

    def _recover(self, error: RemoteError, upload: Upload) -> Delivery | None:
        """The answer is lost, the body arrived: find the run and take it for the answer; None: there is no run."""
        logger.warning("The remote's answer was lost (%s); looking for the import it started", error)
        deadline = time.monotonic() + self._settings.recovery_timeout
        while self._run_id is None and upload.body_sent_at is not None and time.monotonic() < deadline:
            self._pause()
            self._look(upload.body_sent_at)
        if self._run_id is None:
            logger.warning("No import run appeared on the remote: the archive did not arrive")
            return None
        return self._without_answer()

    def _without_answer(self) -> Delivery:
        """The end of a delivery whose run is known and whose answer will not come."""
        if self._strategy is not Strategy.FOREGROUND:
            return self._going_on(recovered=True, detached=self._strategy is Strategy.DETACHED)
        self._follow(str(self._run_id))
        answer = self._stand_in_answer("completed", "completed", recovered=True)
        return self._delivery("completed", answer, self._run_id)

    def _follow(self, run_id: str) -> None:
        """Wait for the end of an import whose answer is lost."""
        verdict = wait_for_import(
            self._client,
            WatchedImport(run_id=run_id, dataset_id=self._dataset.id, pushed_at=time.time()),
            stalled_after=self._settings.stalled_after,
            poll_seconds=self._settings.poll_interval,
            sleep=self._pause,
        )
        if verdict.state is not ImportState.SUCCEEDED:
            raise ImportFailedError(
                f"The import into dataset {self._dataset.name!r} on {self._client.connection.url} (run {run_id}) has "
                f"{verdict.state.value}: {verdict.reason}"
            )

    def _stand_in_answer(self, status: str, graph_import: str, **how: bool) -> dict[str, Any]:
        """An answer in the shape of the server's own, for an import whose answer we did not wait for."""
        return {
            "status": status,
            "dataset_name": self._dataset.name,
            "dataset_id": self._dataset.id,
            "pipeline_run_id": self._run_id,
            "items": [
                {
                    "kind": "migration_import",
                    "source_system": "cognee",
                    "mode": self._mode,
                    "record_counts": dict(self._archive.record_counts),
                    "pipeline_run_id": self._run_id,
                    "graph_import": graph_import,
                }
            ],
            **how,
        }

    def _delivery(self, status: str, response: dict[str, Any], run_id: str | None) -> Delivery:
        return Delivery(status=status, response=response, pipeline_run_id=run_id, dataset=self._dataset)

    def _wait(self, error: RemoteError, attempt: int) -> None:
        seconds = self._client.retry.wait(error.retry_after, attempt=attempt)
        logger.warning(
            "Upload attempt %d of %d failed, trying again in %.1f s: %s",
            attempt,
            self._client.retry.attempts,
            seconds,
            error,
        )
        self._pause(seconds)

    def _pause(self, seconds: float | None = None) -> None:
        self._stop.wait(self._settings.poll_interval if seconds is None else seconds)
        self._heed_stop()

    def _heed_stop(self) -> None:
        if self._stop.is_set():
            raise PushInterruptedError(f"The push to dataset {self._dataset.name!r} was interrupted.")

    def _leave(self, upload: Upload) -> None:
        """Hang up whatever happened, and say what goes on without us when the body is already there."""
        upload.hang_up()
        if not upload.hung_up or not upload.body_sent.is_set():
            return
        if self._run_id is not None:
            logger.info("Hung up; the remote goes on importing into %r as run %s", self._dataset.name, self._run_id)
        else:  # a server that had not yet read all it was sent drops it
            logger.warning(
                "Hung up after the whole archive was sent; the remote may import it into %r: look for a new run with "
                "`cognee-dagster runs` before you push again",
                self._dataset.name,
            )
