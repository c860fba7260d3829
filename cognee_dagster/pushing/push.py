"""``push()``: one local dataset's graph to a remote Cognee, without Dagster.

The engine is synchronous (an upload has its own thread, so that it can be hung up); ``push()`` is its asynchronous
face, with the signature, defaults, results and errors of ``cognee.push()`` (Cognee 1.6.5, ``api/v1/push/push.py``).
"""

import asyncio
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from cognee_dagster import cogx, sources
from cognee_dagster.pushing.archives import PushResult, push_archives
from cognee_dagster.pushing.journal import PushJournal
from cognee_dagster.pushing.mirror.mirror import plan_mirror, push_mirror
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.mirror.plan.outlook import MirrorPlan
from cognee_dagster.pushing.mirror.whole_plan import WholePlan
from cognee_dagster.pushing.options import DEFAULT_DATASET, PushOptions
from cognee_dagster.pushing.progress import PushProgress
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import Connection, resolve_connection
from cognee_dagster.tracing import host_of, span

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive, Limits
    from cognee_dagster.graph.reader import GraphReader
    from cognee_dagster.sources.cognee.datasets import LocalCogneeConfig, UserRef


async def push(
    dataset: str | UUID = DEFAULT_DATASET,
    *,
    target_dataset: str | None = None,
    mode: str = "preserve",
    run_in_background: bool = False,
    url: str | None = None,
    api_key: str | None = None,
    user: "UserRef" = None,
) -> PushResult:
    """Upload a local dataset's knowledge graph to a remote Cognee: a drop-in for ``cognee.push()``.

    Args:
        dataset: Local dataset: a ``str`` is a name, a ``UUID`` an id. Needs read permission.
        target_dataset: Dataset name on the remote; default: the local dataset's name.
        mode: ``preserve`` maps the exported graph directly, without any LLM call; ``hybrid`` also cognifies the raw
            content; ``re-derive`` ignores the graph and rebuilds it from the raw content.
        run_in_background: Return as soon as the remote has taken the archive over; poll ``pipeline_run_id``.
        url: The remote's address. Without it: an active ``cognee.serve()`` connection, then ``COGNEE_SERVICE_URL``,
            then the credentials saved by ``cognee-cli serve``.
        api_key: The remote's API key; falls back like ``url``.
        user: Who reads the dataset: None (Cognee's default user), an e-mail, a UUID or a Cognee user object.

    Returns:
        What the push did. In the background ``status`` is ``started`` and ``pipeline_run_id`` is the import's run.

    Raises:
        ValueError: Unknown mode (before anything is done), 0 nodes, or a name that the remote would refuse.
        LookupError: There is no such dataset.
        PermissionError: The user may not read the dataset.
        RuntimeError: No remote is configured, it cannot be reached or refuses, or it has no COGX import.
    """
    options = PushOptions(target_dataset=target_dataset, mode=mode, run_in_background=run_in_background)
    connection = resolve_connection(url, api_key)
    stop = threading.Event()
    try:
        return await asyncio.to_thread(
            push_dataset, dataset, connection=connection, options=options, user=user, stop=stop
        )
    except asyncio.CancelledError:
        stop.set()  # the thread cannot be cancelled: it hangs up when it sees this
        raise


def push_dataset(
    dataset: str | UUID = DEFAULT_DATASET,
    *,
    connection: Connection,
    options: PushOptions | None = None,
    user: "UserRef" = None,
    config: "LocalCogneeConfig | None" = None,
    limits: "Limits | None" = None,
    progress: PushProgress | None = None,
    stop: threading.Event | None = None,
) -> PushResult:
    """``push()``, synchronous, with what the command line and tests need besides: progress, limits, a way to stop."""
    return push_graph(
        sources.open_dataset(dataset, user=user, config=config),
        connection=connection,
        options=options,
        limits=limits,
        progress=progress,
        stop=stop,
    )


def push_graph(
    graph: "AbstractContextManager[GraphReader]",
    *,
    connection: Connection,
    options: PushOptions | None = None,
    mirror: MirrorOptions | None = None,
    limits: "Limits | None" = None,
    progress: PushProgress | None = None,
    stop: threading.Event | None = None,
) -> PushResult:
    """``push_dataset`` of a graph from anywhere: what ``sources.open_graph`` gives, not entered yet.

    The graph is closed before anything is sent: an import takes minutes, and its memory and lock belong to others then.

    Args:
        graph: What to push.
        connection: The remote.
        options: Where to, and how.
        mirror: Send what has changed since the last push, and remove what is gone; None: send everything.
        limits: What one archive may hold.
        progress: Who is told how the push is getting on.
        stop: When set from another thread, the push ends.

    Raises:
        GraphFileError: The graph holds what a Cognee server would refuse after the upload; the message names it.
        CogneeDagsterError: As opening and reading the graph, ``push_archives`` and ``push_mirror`` do.
    """
    options, progress = options or PushOptions(), progress or PushProgress()
    with (
        span("push", remote_host=host_of(connection.url)),
        archives_of_graph(graph, options=options, limits=limits, progress=progress) as archives,
        CogneeClient(connection) as client,
    ):
        target = options.target_of(archives[0].dataset_name)
        journal = PushJournal.of(archives, remote_url=connection.url, target_dataset=target, mode=options.mode)
        if mirror is not None:
            return push_mirror(
                archives,
                client=client,
                options=options,
                mirror=mirror,
                progress=progress,
                record=journal,
                stop=stop,
            )
        return push_archives(archives, client=client, options=options, progress=progress, record=journal, stop=stop)


def plan_graph(
    graph: "AbstractContextManager[GraphReader]",
    *,
    connection: Connection,
    options: PushOptions | None = None,
    mirror: MirrorOptions | None = None,
    progress: PushProgress | None = None,
) -> MirrorPlan | WholePlan:
    """What ``push_graph`` with these ``MirrorOptions`` would do; nothing is sent or changed.

    Raises:
        CogneeDagsterError: As opening and reading the graph, and asking the remote do.
    """
    options, progress = options or PushOptions(), progress or PushProgress()
    with (
        archives_of_graph(graph, options=options, limits=None, progress=progress) as archives,
        CogneeClient(connection) as client,
    ):
        return plan_mirror(archives, client=client, options=options, mirror=mirror)


@contextmanager
def archives_of_graph(
    graph: "AbstractContextManager[GraphReader]",
    *,
    options: PushOptions,
    limits: "Limits | None",
    progress: PushProgress,
) -> "Iterator[tuple[Archive, ...]]":
    """The archives of a graph that is read, and closed again."""
    with tempfile.TemporaryDirectory(prefix="cognee-push-") as directory:
        with graph as reader:
            options.target_of(reader.origin.dataset_name)  # a name that the remote refuses is known before the reading
            # The writer is loaded here, while the process that reads the graph starts.
            whole = cogx.write_archive(reader, Path(directory) / "graph.cogx.tar.gz", progress=progress.on_export)
        if options.mode != "re-derive":  # which makes a graph of its own
            cogx.check_accepted(whole)
        yield cogx.cut(whole, limits=limits or cogx.SERVER_LIMITS, progress=progress.on_export)
