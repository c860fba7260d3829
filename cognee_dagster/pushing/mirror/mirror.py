"""``push_mirror()``: make a remote dataset hold exactly a graph, and send no more than what has changed.

The order of events is what makes it safe to be killed anywhere: note what is about to be sent; send it; note what has
arrived; delete what it replaces; note that. A segment that lost records is sent whole under its other name before the
old one is deleted, so that the remote graph is never without what both states have.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.errors import InvalidModeError, InvalidPushError, InvalidTargetError, RemovedRecordsError
from cognee_dagster.pushing.archives import PushResult, push_archives, require_nodes
from cognee_dagster.pushing.delivery.deliver import refuse_a_shared_one
from cognee_dagster.pushing.mirror.done.carry_out import MirrorPush
from cognee_dagster.pushing.mirror.done.unfinished import finish_deletions
from cognee_dagster.pushing.mirror.graph.fingerprints import GraphFingerprints, read_fingerprints
from cognee_dagster.pushing.mirror.graph.generations import owner_of
from cognee_dagster.pushing.mirror.graph.records import NotMirrorableError
from cognee_dagster.pushing.mirror.kept.elsewhere import known_elsewhere
from cognee_dagster.pushing.mirror.kept.files import DEFAULT_DIRECTORY, MirrorFiles
from cognee_dagster.pushing.mirror.kept.turn import turn_at
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.mirror.plan.guard import require_few_removed
from cognee_dagster.pushing.mirror.plan.outlook import MirrorPlan, look_ahead
from cognee_dagster.pushing.mirror.plan.survey import survey
from cognee_dagster.pushing.mirror.whole import push_whole
from cognee_dagster.pushing.mirror.whole_plan import WholePlan
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.pushing.progress import PushProgress
from cognee_dagster.pushing.resume import ResumeRecord
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.responses import RemoteDataset
from cognee_dagster.system.home import expanded
from cognee_dagster.tracing import host_of, span

if TYPE_CHECKING:
    from upath import UPath

logger = logging.getLogger(__name__)


def push_mirror(
    archives: Sequence[Archive],
    *,
    client: CogneeClient,
    base: "UPath | None" = None,
    options: PushOptions | None = None,
    mirror: MirrorOptions | None = None,
    progress: PushProgress | None = None,
    record: ResumeRecord | None = None,
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
        record: Keeps the imports of a graph that cannot be mirrored, as for ``push_archives``.
        stop: When set from another thread, the push ends with ``PushInterruptedError``.

    Returns:
        What the push did; ``status`` is ``completed``, or ``unchanged`` where there was nothing to do. Its answer has
        ``mirror``, a summary, unless the graph cannot be mirrored: then everything was pushed.

    Raises:
        EmptyGraphError: The graph has no nodes.
        InvalidModeError: The mode is not ``preserve``.
        RemovedRecordsError: More would be removed than is allowed; nothing was sent.
        RemoteError: See ``pushing.delivery.deliver``. The next push goes on from there.
        OSError: What is known of the mirror cannot be read or written; the next push goes on from what is there.
    """
    options, mirror, progress = options or PushOptions(), mirror or MirrorOptions(), progress or PushProgress()
    name = archives[0].dataset_name
    target = _target(archives, options)
    graph = _graph(archives, mirror)  # before a dataset is made, or waited for others
    options = replace(options, target_dataset=target, run_in_background=False)
    owner, stop = owner_of(mirror.source or name), stop or threading.Event()
    with turn_at(client, target, base=base or default_base(), owner=owner, stop=stop) as turn:
        was_finished = finish_deletions(client, turn, progress=progress)
        if isinstance(graph, NotMirrorableError):
            logger.warning("Dataset %r cannot be mirrored (%s): everything is pushed, and nothing removed", name, graph)
            send = partial(
                push_archives,
                archives,
                client=client,
                options=options,
                progress=progress,
                record=record,
                stop=turn.lock.ended,
            )
            return push_whole(send, archives, client=client, turn=turn)
        began_at = time.time() + client.clock_offset.total_seconds()
        with span("plan", **_about(archives, target=target, client=client)):
            found = survey(
                archives,
                graph,
                client=client,
                target_dataset=target,
                dataset=turn.dataset,
                files=turn.files,
                options=mirror,
                is_new=turn.is_new,
            )
        require_few_removed(found, mirror, source=name, where=f"{target!r} on {client.connection.url}")
        return MirrorPush(
            archives=archives,
            client=client,
            turn=turn,
            found=found,
            mirror=mirror,
            options=options,
            progress=progress,
            began_at=began_at,
            was_finished=was_finished,
        ).run()


def plan_mirror(
    archives: Sequence[Archive],
    *,
    client: CogneeClient,
    base: "UPath | None" = None,
    options: PushOptions | None = None,
    mirror: MirrorOptions | None = None,
) -> MirrorPlan | WholePlan:
    """What ``push_mirror`` would do, to a mirror or of a graph that cannot be mirrored; nothing is sent or changed.

    Raises:
        EmptyGraphError, InvalidModeError: As ``push_mirror``.
        InvalidPushError: The graph cannot be mirrored, and nothing is sent then; the message says why.
        RemoteError: The remote cannot be asked.
        OSError: What is known of the mirror cannot be read.
    """
    options, mirror = options or PushOptions(), mirror or MirrorOptions()
    name, target = archives[0].dataset_name, _target(archives, options)
    dataset = client.find_dataset(target)
    files = None
    if dataset is not None:
        owner = owner_of(mirror.source or name)
        base = base or default_base()
        files = MirrorFiles.of(base, remote_url=client.connection.url, dataset_id=dataset.id, owner=owner)
        if files.load() is None:
            files = known_elsewhere(client, dataset, files) or files
    refusal: InvalidPushError | None = None
    try:
        with span("plan", **_about(archives, target=target, client=client)):
            graph = read_fingerprints(archives)
            found = survey(
                archives, graph, client=client, target_dataset=target, dataset=dataset, files=files, options=mirror
            )
        if dataset is None:
            refuse_a_shared_one(client, target)
        require_few_removed(found, mirror, source=name, where=f"{target!r} on {client.connection.url}")
    except (InvalidTargetError, RemovedRecordsError) as error:
        refusal = error
    except NotMirrorableError as error:
        if mirror.on_removed == "fail":
            raise _not_mirrorable(name, error) from error
        return _whole_plan(archives, client, dataset, target=target, reason=str(error))
    outlook = look_ahead(archives, found, client=client, dataset=dataset)
    return MirrorPlan(found=found, outlook=outlook, refusal=refusal)


def _graph(archives: Sequence[Archive], mirror: MirrorOptions) -> GraphFingerprints | NotMirrorableError:
    """The graph's records; or why they cannot be kept apart on a remote, where that is no reason to send nothing.

    Raises:
        InvalidPushError: They cannot, and nothing is to be sent then.
    """
    try:
        return read_fingerprints(archives)
    except NotMirrorableError as error:
        if mirror.on_removed == "fail":
            raise _not_mirrorable(archives[0].dataset_name, error) from error
        return error


def _whole_plan(
    archives: Sequence[Archive], client: CogneeClient, dataset: RemoteDataset | None, *, target: str, reason: str
) -> WholePlan:
    refusal: InvalidPushError | None = None
    try:
        refuse_a_shared_one(client, target)
    except InvalidTargetError as error:
        refusal = error
    return WholePlan(
        reason=reason,
        archives=archives,
        target_dataset=target,
        dataset_id=None if dataset is None else dataset.id,
        refusal=refusal,
    )


def _about(archives: Sequence[Archive], *, target: str, client: CogneeClient) -> dict[str, str | int]:
    """What a span says of what is planned."""
    return {
        "dataset": archives[0].dataset_name,
        "target_dataset": target,
        "remote_host": host_of(client.connection.url),
        "num_nodes": sum(archive.num_nodes for archive in archives),
        "num_edges": sum(archive.num_edges for archive in archives),
        "archive_digest": archives[0].digest,
    }


def _not_mirrorable(name: str, error: NotMirrorableError) -> InvalidPushError:
    return InvalidPushError(
        f"Dataset {name!r} cannot be mirrored: {error}. A push without mirroring sends all of it, and removes nothing."
    )


def default_base() -> "UPath":
    """The directory for what is known of mirrors, of this user on this machine."""
    from upath import UPath  # fsspec comes with it

    return UPath(expanded(DEFAULT_DIRECTORY))


def _target(archives: Sequence[Archive], options: PushOptions) -> str:
    """The remote dataset, of what can be mirrored."""
    name = archives[0].dataset_name
    require_nodes(archives)
    if options.mode != "preserve":
        raise InvalidModeError(
            f"Dataset {name!r} cannot be mirrored in mode {options.mode}: the server makes a graph of its own from the "
            "texts. Push it in mode preserve, or without mirroring."
        )
    return options.target_of(name)
