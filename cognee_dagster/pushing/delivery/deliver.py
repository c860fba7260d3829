"""Bring one archive to one remote dataset, once, whatever the network does in between.

The order of events: check the server, make sure of the dataset, upload, and from the moment the whole body is out watch
for the run that our upload started (``attempt``). In the foreground the server's answer ends it. In the background (the
*detached foreground*) the upload is hung up as soon as its run is visible: Cognee goes on importing, and unlike its own
background import this one arrives (measured on 1.6.5; every release since 1.2.0 deletes the unpacked archive under its
own background import). An answer that is lost after the body was sent is made good by the remote graph, read back after
the import that was seen (``recovery``); where that does not hold the archive, it is uploaded again.
"""

import contextlib
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cognee_dagster.errors import (
    InvalidTargetError,
    PushInterruptedError,
    RemoteError,
    RemotePermissionError,
    RemoteRejectedError,
    UnexpectedAnswerError,
)
from cognee_dagster.pushing.delivery.attempt import DeliveryAttempt
from cognee_dagster.pushing.delivery.documents import prepare_documents
from cognee_dagster.pushing.delivery.just_made import JustMade
from cognee_dagster.pushing.delivery.request import DeliveryRequest
from cognee_dagster.pushing.delivery.result import DeliveryResult
from cognee_dagster.pushing.delivery.unanswered.earlier_try import attach
from cognee_dagster.pushing.delivery.unanswered.recovery import recover
from cognee_dagster.pushing.delivery.unanswered.run_lookup import RunLookup
from cognee_dagster.pushing.delivery.undone import undone_if_refused
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.pushing.progress import DeliveredArchive, PushProgress
from cognee_dagster.pushing.refusals import NextStep, after_failure, explain
from cognee_dagster.pushing.resume import BegunImport
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.compat import Strategy, choose_background_strategy
from cognee_dagster.remote.responses import RemoteDataset
from cognee_dagster.remote.retry import Downtime, FailedAttempts, wait_before_next
from cognee_dagster.system.host_lock import host_lock
from cognee_dagster.tracing import span

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive

logger = logging.getLogger(__name__)

# What a server, or a proxy before it, says that has no such endpoint, or none for this key. An upload may well work.
# A gateway may say the same once, by chance: so it is asked twice.
_NO_ENDPOINT = (RemotePermissionError, RemoteRejectedError, UnexpectedAnswerError)


def deliver(
    client: CogneeClient,
    archive: "Archive",
    *,
    options: PushOptions,
    progress: PushProgress,
    note: Callable[[BegunImport], None],
    begun: BegunImport | None,
    stop: threading.Event,
) -> DeliveryResult:
    """Upload ``archive`` into its target dataset and see it through.

    Args:
        client: The remote.
        archive: What to upload.
        options: Where to, and how.
        progress: Who is told how many bytes are sent, of deletions and imports, and of the end.
        note: Called with the import as soon as its run is known, and again when the server has answered.
        begun: The import of an earlier try to deliver this very archive there, which never reported its end: attached
            to if it is running or has brought the archive, instead of uploading again.
        stop: Setting it hangs up and raises ``PushInterruptedError``.

    Raises:
        InvalidTargetError: The remote would refuse the name, or it is another owner's dataset.
        CogxUnsupportedError, BackgroundUnsupportedError: The server cannot do this; before anything is sent.
        RemoteError: The server refused for good, could not be reached, or the import failed.
    """

    def noted(begun: BegunImport) -> None:
        note(begun)
        progress.on_import(begun.run_id)

    target = options.target_of(archive.dataset_name)
    strategy = _strategy(client, options)
    with (
        _one_at_a_time(client.connection.url, target, stop=stop),
        tempfile.TemporaryDirectory(prefix="cognee-upload-") as directory,
        undone_if_refused(client, target, is_needed=archive.as_it_is),
    ):
        request = DeliveryRequest(
            client=client,
            archive=archive,
            dataset=own_dataset(client, target, is_needed=strategy is not Strategy.FOREGROUND),
            mode=options.mode,
            strategy=strategy,
            settings=options.delivery,
            note=noted,
            on_upload=progress.on_upload,
            stop=stop,
        )
        _warn_of_no_language_model(request)
        just_made = JustMade(request)
        try:
            result = _attach_or_upload(request, begun, directory=Path(directory), progress=progress)
        except RemotePermissionError as refused:
            if not just_made.gets_rights(refused):
                raise
            result = _attach_or_upload(request, begun, directory=Path(directory), progress=progress)
    progress.on_delivered(
        DeliveredArchive(status=result.status, pipeline_run_id=result.pipeline_run_id, known_by=result.known_by.value)
    )
    return result


def _attach_or_upload(
    request: DeliveryRequest, begun: BegunImport | None, *, directory: Path, progress: PushProgress
) -> DeliveryResult:
    result = attach(request, begun) if begun and request.dataset.id else None
    if result is not None:
        return result
    prepared = prepare_documents(
        request.client, request.archive, dataset=request.dataset, directory=directory, progress=progress
    )
    with RunLookup(request, is_needed=request.strategy is Strategy.DETACHED) as lookup:
        return _upload(request, prepared.path, lookup)


def _upload(request: DeliveryRequest, path: Path, lookup: RunLookup) -> DeliveryResult:
    """Upload the archive's file, or a copy with other document ids, until one upload of it is seen through."""
    policy = request.client.retry
    attempts = max(policy.attempts, 1)
    conflicts = 0
    failed = FailedAttempts("The upload", attempts=attempts, log=logger)
    downtime = Downtime(policy.within)
    for number in range(1, attempts + 1):
        request.heed_stop()
        with span("upload", **request.about) as sending:
            upload = request.client.upload(
                path,
                dataset_name=request.dataset.name,
                mode=request.mode,
                run_in_background=request.strategy is Strategy.NATIVE,
                progress=request.on_upload,
                down_within=None if number == 1 else max(downtime.left, 0.01),
            )
            attempt = DeliveryAttempt(request, upload, lookup)
            try:
                result = attempt.see_through()
                sending.set(pipeline_run_id=result.pipeline_run_id)
                return result
            except RemoteError as error:
                downtime.was_up(upload.seconds_at_work)
                step = after_failure(error, body_sent=upload.body_sent.is_set(), conflicts=conflicts)
                conflicts += error.status == 409
                if step.looks and upload.body_sent_at is not None:
                    once = step is NextStep.LOOK_ONCE
                    found = recover(
                        request, lookup, body_sent_at=upload.body_sent_at, error=error, once=once, downtime=downtime
                    )
                    if found is not None:
                        sending.set(pipeline_run_id=found.pipeline_run_id)
                        return found
                    if not once:
                        lookup.expect_another()
                error.down_for = downtime.lasted
                if not (error.retryable or step is NextStep.RETRY) or number == attempts:
                    explained = explain(error, mode=request.mode, target=request.dataset.name)
                    if explained is error:
                        raise
                    raise explained from error
                seconds = wait_before_next(error, attempt=number, policy=policy, downtime=downtime)
                sending.fail(error)
                failed.say(error, attempt=number, seconds=seconds)
            finally:
                attempt.leave()
        request.pause(seconds)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _warn_of_no_language_model(request: DeliveryRequest) -> None:
    if request.cognifies and request.client.lacks_language_model():
        logger.warning(
            "%s is a sandbox without a language model: what mode %s does with the texts will fail, after some minutes. "
            "Set LLM_API_KEY before `cognee-dagster sandbox` is started, or push in mode preserve",
            request.client.connection.url,
            request.mode,
        )


def _strategy(client: CogneeClient, options: PushOptions) -> Strategy:
    """How the import gets done on that server."""
    server = client.require_cogx(must_know=options.run_in_background)
    if not options.run_in_background:
        return Strategy.FOREGROUND
    requested = options.delivery.background_strategy
    return choose_background_strategy(server.version, mode=options.mode, requested=requested, offer=server.offer)


def own_dataset(client: CogneeClient, name: str, *, is_needed: bool) -> RemoteDataset:
    """The remote dataset, made if it is not there; without an id where the remote does not let us see or make it.

    Raises:
        RemoteError: The server fails, or says twice that it does not let us, where that is needed.
        InvalidTargetError: A dataset of that name is shared with the key's user by its owner. A server would not write
            to it but make a second one of the same name (Cognee 1.6.5).
    """
    try:
        return _own_dataset(client, name)
    except _NO_ENDPOINT as refusal:
        if refusal.retryable:  # a server that fails has it, and documents without its id would be there twice
            raise
    try:
        return _own_dataset(client, name)
    except _NO_ENDPOINT as refusal:
        if is_needed or refusal.retryable:
            raise
        logger.warning(
            "Dataset %r cannot be looked at before the upload, so that its import cannot be watched, its documents "
            "keep the ids they have, and one whose text has changed does not arrive: %s",
            name,
            refusal,
        )
        return RemoteDataset(id="", name=name, owner_id=None)


def _own_dataset(client: CogneeClient, name: str) -> RemoteDataset:
    """Where the list has it and it cannot be made sure of, the list is enough."""
    refuse_a_shared_one(client, name)
    try:
        return client.ensure_dataset(name)
    except _NO_ENDPOINT:
        found = client.find_dataset(name)
        if found is None:
            raise
        return found


def refuse_a_shared_one(client: CogneeClient, name: str) -> None:
    """Nothing, where a push to a dataset of that name reaches it, or makes the first one.

    Raises:
        InvalidTargetError: Its owner shares it with this key's user: a server would make a second one (Cognee 1.6.5).
        RemoteError: The remote cannot be asked.
    """
    found = [dataset for dataset in client.datasets() if dataset.name == name and dataset.owner_id]
    user = client.user() if found else None
    if user is None:
        return
    owners = {dataset.owner_id for dataset in found}
    if user.id not in owners:
        raise InvalidTargetError(
            f"The dataset {name!r} on {client.connection.url} belongs to user {', '.join(sorted(map(str, owners)))} "
            f"and is shared with this key's user ({user.id}): a push would not reach it, but make a second dataset of "
            "that name. Nothing was sent. Push with its owner's key, or set target_dataset to another name."
        )


@contextlib.contextmanager
def _one_at_a_time(url: str, target: str, *, stop: threading.Event) -> Iterator[None]:
    """Two uploads of this machine to one dataset would only wait for each other on the server, which imports one at a
    time, and their runs could not be told apart.
    """

    def waiting(pid: str) -> None:
        message = "Another push into dataset %r on %s is under way on this machine (process %s): waiting for its end"
        logger.info(message, target, url, pid)

    with contextlib.ExitStack() as stack:
        try:
            held = stack.enter_context(host_lock(url, target, stop=stop, waiting=waiting))
        except OSError as error:
            logger.warning("Other pushes of this machine cannot be kept apart from this one: %s", error)
            held = True
        if not held:
            raise PushInterruptedError(f"The push to dataset {target!r} was interrupted.")
        yield
