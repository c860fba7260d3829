"""``push_mirror()``: make a remote dataset hold exactly a graph, and send no more than what has changed.

The order of events is what makes it safe to be killed anywhere: note what is about to be sent; send it; note what has
arrived; delete what it replaces; note that. A segment that lost records is sent whole under its other name before the
old one is deleted, so that the remote graph is never without what both states have.
"""

import logging
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cognee_dagster.cogx.archive import Archive, check_limits
from cognee_dagster.errors import InvalidModeError, InvalidPushError, PushInterruptedError
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.archives import PushResult, one_answer, push_archives, require_nodes
from cognee_dagster.pushing.delivery import deliver, own_dataset
from cognee_dagster.pushing.delivery_result import DeliveryResult
from cognee_dagster.pushing.mirror.archives import write_documents, write_segments
from cognee_dagster.pushing.mirror.documents import removed_documents
from cognee_dagster.pushing.mirror.foreign_runs import wait_until_quiet
from cognee_dagster.pushing.mirror.generations import LETTERS, Generation, import_reference, owner_of
from cognee_dagster.pushing.mirror.guard import require_few_removed
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.mirror.records import NotMirrorableError
from cognee_dagster.pushing.mirror.state import DEFAULT_DIRECTORY, MirrorFiles, MirrorState
from cognee_dagster.pushing.mirror.summary import summary_of
from cognee_dagster.pushing.mirror.survey import MirrorSurvey, survey
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.pushing.progress import PushProgress
from cognee_dagster.pushing.resume import BegunImport
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.imports.verdict import ImportState
from cognee_dagster.remote.responses import RemoteDataset
from cognee_dagster.system.host_lock import host_lock

if TYPE_CHECKING:
    from upath import UPath

UNCHANGED = "unchanged"
FULL_SOURCE_SYSTEM = "cognee"
# Names of segments beyond the present ones that may be left of a mirror whose state was lost.
_STRAYS_BEYOND = 16
# Runs of ours that are told from others'; those of earlier pushes are older than what is looked at.
_RUNS_KEPT = 2_000

logger = logging.getLogger(__name__)


def push_mirror(
    archives: Sequence[Archive],
    *,
    client: CogneeClient,
    base: "UPath | None" = None,
    options: PushOptions | None = None,
    mirror: MirrorOptions | None = None,
    progress: PushProgress | None = None,
    stop: threading.Event | None = None,
) -> PushResult:
    """Send what has changed of a graph since the last push, and remove what is gone.

    The push waits for the imports, whatever ``options.run_in_background`` says: what they replace is deleted after.

    Args:
        archives: The graph's archives, as ``write_archive`` or ``cut`` wrote them.
        client: The remote.
        base: Where what is known of mirrors is kept; default: ``~/.cognee-dagster/mirrors``.
        options: Where to; the mode has to be ``preserve``.
        mirror: How the mirror is kept.
        progress: Who is told how the push is getting on.
        stop: When set from another thread, the push ends with ``PushInterruptedError``.

    Returns:
        What the push did; ``status`` is ``completed``, or ``unchanged`` where there was nothing to do.

    Raises:
        EmptyGraphError: The graph has no nodes.
        InvalidModeError: The mode is not ``preserve``.
        RemovedRecordsError: More would be removed than is allowed; nothing was sent.
        RemoteError: See ``pushing.delivery.deliver``. The next push goes on from there.
    """
    options, mirror = options or PushOptions(), mirror or MirrorOptions()
    name = archives[0].dataset_name
    target = _target(archives, options)
    owner = owner_of(mirror.source or name)
    stop = stop or threading.Event()
    with ExitStack() as stack:
        if not stack.enter_context(host_lock("mirror", client.connection.url, target, stop=stop, waiting=_say_waiting)):
            raise PushInterruptedError(f"The push to dataset {target!r} was interrupted.")
        dataset, files = _dataset(client, target, base=base or default_base(), owner=owner)
        try:
            found = survey(archives, client=client, target_dataset=target, dataset=dataset, files=files, options=mirror)
        except NotMirrorableError as error:
            logger.warning("Dataset %r cannot be mirrored (%s): everything is pushed, and nothing removed", name, error)
            return push_archives(archives, client=client, options=options, progress=progress, stop=stop)
        require_few_removed(found, mirror, source=name, where=f"{target!r} on {client.connection.url}")
        job = _MirrorPush(
            archives=archives,
            client=client,
            dataset=dataset,
            files=files,
            owner=owner,
            found=found,
            mirror=mirror,
            options=replace(options, target_dataset=target, run_in_background=False),
            progress=progress or PushProgress(),
            stop=stop,
        )
        return job.run()


def plan_mirror(
    archives: Sequence[Archive],
    *,
    client: CogneeClient,
    base: "UPath | None" = None,
    options: PushOptions | None = None,
    mirror: MirrorOptions | None = None,
) -> MirrorSurvey:
    """What ``push_mirror`` would do; nothing is sent or changed.

    Raises:
        EmptyGraphError, InvalidModeError: As ``push_mirror``.
        InvalidPushError: The graph cannot be mirrored; the message says why.
        RemoteError: The remote cannot be asked.
    """
    options, mirror = options or PushOptions(), mirror or MirrorOptions()
    name, target = archives[0].dataset_name, _target(archives, options)
    dataset = client.find_dataset(target)
    files = None
    if dataset is not None:
        owner = owner_of(mirror.source or name)
        base = base or default_base()
        files = MirrorFiles.of(base, remote_url=client.connection.url, dataset_id=dataset.id, owner=owner)
    try:
        return survey(archives, client=client, target_dataset=target, dataset=dataset, files=files, options=mirror)
    except NotMirrorableError as error:
        raise InvalidPushError(
            f"Dataset {name!r} cannot be mirrored: {error}. A push sends all of it, and removes nothing."
        ) from error


def default_base() -> "UPath":
    """The directory for what is known of mirrors, of this user on this machine."""
    from upath import UPath  # fsspec comes with it

    return UPath(Path(DEFAULT_DIRECTORY).expanduser())


def _target(archives: Sequence[Archive], options: PushOptions) -> str:
    """The remote dataset, of what can be mirrored."""
    name = archives[0].dataset_name
    require_nodes(name, sum(archive.num_nodes for archive in archives))
    if options.mode != "preserve":
        raise InvalidModeError(
            f"Dataset {name!r} cannot be mirrored in mode {options.mode}: the server makes a graph of its own from the "
            "texts. Push it in mode preserve, or without mirroring."
        )
    return options.target_of(name)


@dataclass(frozen=True, kw_only=True)
class _MirrorPush:
    """One push, with all that it goes by."""

    archives: Sequence[Archive]
    client: CogneeClient
    dataset: RemoteDataset
    files: MirrorFiles
    owner: str
    found: MirrorSurvey
    mirror: MirrorOptions
    options: PushOptions
    progress: PushProgress
    stop: threading.Event

    def run(self) -> PushResult:
        """Do what the plan says."""
        known = self.found.known
        if known.reason:
            logger.warning(
                "The mirror %r is sent whole: %s. What others brought stays", self.dataset.name, known.reason
            )
        if self.found.is_in_sync and not self.mirror.adopt and known.state is not None:
            return self._result((), state=known.state)
        began_at = time.time() + self.client.clock_offset.total_seconds()
        state = self._begin()
        results, state = self._send(state)
        state = self._confirm(state, began_at=began_at)
        self._delete(state.deleting)
        self._delete_documents()
        if self.mirror.adopt:
            self.client.delete_data(self.dataset.id, import_reference(FULL_SOURCE_SYSTEM, self.dataset.name))
        self.files.save(msgspec.structs.replace(state, deleting=()))
        return self._result(results, state=state)

    def _begin(self) -> MirrorState:
        """Clear away what an earlier push left, and note what is about to be sent."""
        known, plan = self.found.known, self.found.plan
        if known.state is not None and (known.state.begun or known.leftovers):
            wait_until_quiet(self.client, self.dataset, stop=self.stop)
            self._delete(known.leftovers)
        state = MirrorState(
            remote_url=self.client.connection.url,
            contents=self.files.save_contents(known.contents),
            letters=known.letters,
            began_at=known.state.began_at if known.state is not None else 0.0,
            run_ids=known.state.run_ids if known.state is not None else (),
            begun={upload.segment: upload.letter for upload in plan.uploads},
            dirty=tuple(sorted(known.dirty)),
        )
        self.files.save(state)
        return state

    def _send(self, state: MirrorState) -> tuple[list[DeliveryResult], MirrorState]:
        """Documents, then segment by segment; the state with the runs that this took."""
        plan, documents = self.found.plan, self.found.documents
        total = len(plan.uploads) + bool(documents.sent)
        results: list[DeliveryResult] = []
        runs = _Runs(self.files, state)
        with tempfile.TemporaryDirectory(prefix="cognee-mirror-") as name:
            directory = Path(name)
            if documents.sent:
                self.progress.on_shard(1, total)
                results.append(self._deliver(write_documents(self.archives, documents.sent, directory), runs))
            uploads = write_segments(
                self.archives, self.found.prints, plan.uploads, owner=self.owner, directory=directory
            )
            for upload, archive in uploads:
                self.progress.on_shard(len(results) + 1, total)
                nodes, edges = counted(archive.num_nodes, "node"), counted(archive.num_edges, "edge")
                logger.info("Segment %d of %r: %s, %s", upload.segment, self.dataset.name, nodes, edges)
                results.append(self._deliver(archive, runs))
        return results, runs.state

    def _deliver(self, archive: Archive, runs: "_Runs") -> DeliveryResult:
        check_limits(archive)
        try:
            return deliver(
                self.client,
                archive,
                options=self.options,
                progress=self.progress,
                note=runs.note,
                begun=None,
                stop=self.stop,
            )
        finally:
            archive.path.unlink()

    def _confirm(self, state: MirrorState, *, began_at: float) -> MirrorState:
        """Everything has arrived: note that, and what is to be deleted now."""
        known, plan, keeps = self.found.known, self.found.plan, self.mirror.on_removed == "keep"
        contents = plan.contents_after(self.found.prints, known.contents, keeps_removed=keeps)
        confirmed = MirrorState(
            remote_url=state.remote_url,
            contents=self.files.save_contents(self.found.documents.contents_after(contents)),
            letters=dict(plan.letters),
            began_at=began_at,
            run_ids=state.run_ids,
            deleting=plan.deleted if known.state is not None else self._strays(),
        )
        self.files.save(confirmed)
        return confirmed

    def _strays(self) -> tuple[tuple[int, str], ...]:
        """What a mirror of this owner may have left whose state was lost: names that are not used now."""
        if not self.client.runs(dataset_id=self.dataset.id, limit=1, offset=len(self.found.plan.uploads) * 2):
            return ()  # nobody has imported before us
        used = self.found.plan.letters
        numbers = range(max(used, default=-1) + 1 + _STRAYS_BEYOND)
        return tuple((number, letter) for number in numbers for letter in LETTERS if used.get(number) != letter)

    def _delete(self, generations: Iterable[tuple[int, str]]) -> None:
        for segment, letter in generations:
            generation = Generation(owner=self.owner, segment=segment, letter=letter)
            logger.info("Deleting what %s has brought", generation.source_system)
            self.client.delete_data(self.dataset.id, generation.data_id(self.dataset.name))

    def _delete_documents(self) -> None:
        removed = self.found.documents.removed_keys
        if removed:
            listed = list(removed_documents(self.client.data(self.dataset.id), removed, dataset_id=self.dataset.id))
            for data_id in listed:
                self.client.delete_data(self.dataset.id, data_id)

    def _result(self, results: Sequence[DeliveryResult], *, state: MirrorState) -> PushResult:
        changed = not (self.found.plan.is_empty and self.found.documents.is_empty)
        status = ImportState.SUCCEEDED.status if changed else UNCHANGED
        run_id = state.run_ids[-1] if state.run_ids else None
        answer = one_answer(results) if results else {"dataset_name": self.dataset.name, "items": []}
        return PushResult(
            status=status,
            dataset_name=self.archives[0].dataset_name,
            target_dataset=self.dataset.name,
            num_nodes=len(self.found.prints.node_keys),
            num_edges=len(self.found.prints.edge_keys),
            remote_response={
                **answer,
                "status": status,
                "dataset_id": self.dataset.id,
                "pipeline_run_id": run_id,
                "mirror": summary_of(self.found),
            },
            pipeline_run_id=run_id,
        )


def _dataset(client: CogneeClient, target: str, *, base: "UPath", owner: str) -> tuple[RemoteDataset, MirrorFiles]:
    """The remote dataset, made if it is not there, and the mirror's files; one request where there is a mirror."""
    url = client.connection.url
    found = [dataset for dataset in client.datasets() if dataset.name == target]
    if len(found) == 1:
        files = MirrorFiles.of(base, remote_url=url, dataset_id=found[0].id, owner=owner)
        if files.load() is not None:
            return found[0], files
    dataset = own_dataset(client, target, is_needed=True)
    return dataset, MirrorFiles.of(base, remote_url=url, dataset_id=dataset.id, owner=owner)


class _Runs:
    """The runs of a push, noted as soon as they are known: after a kill they are still told from others'."""

    def __init__(self, files: MirrorFiles, state: MirrorState) -> None:
        self.state = state
        self._files = files

    def note(self, run: BegunImport) -> None:
        """Remember a run."""
        if run.run_id not in self.state.run_ids[-1:]:
            run_ids = (*self.state.run_ids, run.run_id)[-_RUNS_KEPT:]
            self.state = msgspec.structs.replace(self.state, run_ids=run_ids)
            self._files.save(self.state)


def _say_waiting(pid: str) -> None:
    logger.info("Another push of this machine keeps the same mirror (process %s): waiting for its end", pid)
