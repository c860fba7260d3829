"""``push()``: one local dataset's graph to a remote Cognee, without Dagster.

The engine is synchronous (an upload has a thread of its own, so that it can be hung up); ``push()`` is its asynchronous
face, with the signature, defaults, results and errors of ``cognee.push()`` (Cognee 1.6.5, ``api/v1/push/push.py``).
"""

import asyncio
import logging
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cognee_dagster.connection import resolve_connection
from cognee_dagster.errors import EmptyGraphError
from cognee_dagster.remote.client import CogneeClient, validate_dataset_name
from cognee_dagster.remote.delivery import DeliverySettings, ProgressCallback, deliver, validate_mode

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive
    from cognee_dagster.graph.cognee import LocalCogneeConfig, UserRef

DEFAULT_DATASET = "main_dataset"

logger = logging.getLogger(__name__)


@dataclass
class PushResult:
    """What a push did; field for field the ``PushResult`` of ``cognee.push()``.

    Attributes:
        status: ``completed``, or ``started``/``running`` for an import that goes on in the background.
        dataset_name: The local dataset.
        target_dataset: The remote dataset.
        num_nodes: Nodes in the archive.
        num_edges: Edges in the archive.
        remote_response: The server's own answer; for a detached background import one of the same shape, with
            ``detached: true``.
        pipeline_run_id: The import's run on the remote; poll it when in the background.
    """

    status: str
    dataset_name: str
    target_dataset: str
    num_nodes: int
    num_edges: int
    remote_response: dict[str, Any]
    pipeline_run_id: str | None = None


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
    stop = threading.Event()
    try:
        return await asyncio.to_thread(
            push_dataset,
            dataset,
            target_dataset=target_dataset,
            mode=mode,
            run_in_background=run_in_background,
            url=url,
            api_key=api_key,
            user=user,
            stop=stop,
        )
    except asyncio.CancelledError:
        stop.set()  # the thread cannot be cancelled: it hangs up when it sees this
        raise


def push_dataset(
    dataset: str | UUID = DEFAULT_DATASET,
    *,
    target_dataset: str | None = None,
    mode: str = "preserve",
    run_in_background: bool = False,
    url: str | None = None,
    api_key: str | None = None,
    user: "UserRef" = None,
    config: "LocalCogneeConfig | None" = None,
    settings: DeliverySettings | None = None,
    export_progress: Callable[..., None] | None = None,
    upload_progress: ProgressCallback | None = None,
    stop: threading.Event | None = None,
) -> PushResult:
    """``push()``, synchronous, with what the command line and tests need besides: progress, limits, a way to stop."""
    # Arrow, Ladybug and SQLite are not needed to find out that a mode or a connection is wrong.
    from cognee_dagster.cogx.writer import write_archive
    from cognee_dagster.graph.cognee import open_dataset

    validate_mode(mode)
    connection = resolve_connection(url, api_key)
    with (
        open_dataset(dataset, user=user, config=config) as reader,
        tempfile.TemporaryDirectory(prefix="cognee-push-") as directory,
    ):
        validate_dataset_name(target_dataset or reader.origin.dataset_name)
        archive = write_archive(reader, Path(directory) / "graph.cogx.tar.gz", progress=export_progress)
        with CogneeClient(connection) as client:
            return push_archive(
                archive,
                client=client,
                target_dataset=target_dataset,
                mode=mode,
                run_in_background=run_in_background,
                settings=settings,
                progress=upload_progress,
                stop=stop,
            )


def push_archive(
    archive: "Archive",
    *,
    client: CogneeClient,
    target_dataset: str | None = None,
    mode: str = "preserve",
    run_in_background: bool = False,
    settings: DeliverySettings | None = None,
    progress: ProgressCallback | None = None,
    on_run: Callable[[str], None] | None = None,
    earlier_run: str | None = None,
    stop: threading.Event | None = None,
) -> PushResult:
    """Upload an archive that is already written.

    Args:
        archive: What ``write_archive`` returned; its file must still be there.
        client: The remote.
        target_dataset: Dataset name on the remote; default: the archive's dataset name.
        mode: ``preserve``, ``hybrid`` or ``re-derive``.
        run_in_background: Return when the remote has taken over.
        settings: How patient to be, and how to import in the background; None: the defaults.
        progress: Called with (bytes sent, total bytes).
        on_run: Called once with the import's ``pipeline_run_id``, as soon as it is known.
        earlier_run: Run of an earlier try to push this very archive there; attached to instead of uploading again.
        stop: When set from another thread, the upload is hung up and ``PushInterruptedError`` raised.

    Raises:
        EmptyGraphError: The archive has no nodes.
        RemoteError: See ``remote.delivery.deliver``.
    """
    validate_mode(mode)
    require_nodes(archive.dataset_name, archive.num_nodes)
    target = target_dataset or archive.dataset_name
    logger.info(
        "Pushing dataset %r (%d nodes, %d edges) to dataset %r on %s (%s)",
        archive.dataset_name,
        archive.num_nodes,
        archive.num_edges,
        target,
        client.connection.url,
        client.connection.source,
    )
    delivery = deliver(
        client,
        archive,
        target_dataset=target,
        mode=mode,
        run_in_background=run_in_background,
        settings=settings or DeliverySettings(),
        progress=progress,
        on_run=on_run,
        earlier_run=earlier_run,
        stop=stop,
    )
    return PushResult(
        status=delivery.status,
        dataset_name=archive.dataset_name,
        target_dataset=target,
        num_nodes=archive.num_nodes,
        num_edges=archive.num_edges,
        remote_response=delivery.response,
        pipeline_run_id=delivery.pipeline_run_id,
    )


def require_nodes(dataset_name: str, num_nodes: int) -> None:
    """Refuse to push nothing, as ``cognee.push()`` does.

    Raises:
        EmptyGraphError: ``num_nodes`` is 0.
    """
    if num_nodes == 0:
        raise EmptyGraphError(
            f"Dataset {dataset_name!r} has 0 nodes: there is nothing to push. Run cognee.cognify() (or "
            "cognee.remember()) on it first to build its knowledge graph."
        )
