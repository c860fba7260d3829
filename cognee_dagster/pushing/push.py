"""``push()``: one local dataset's graph to a remote Cognee, without Dagster.

The engine is synchronous (an upload has a thread of its own, so that it can be hung up); ``push()`` is its asynchronous
face, with the signature, defaults, results and errors of ``cognee.push()`` (Cognee 1.6.5, ``api/v1/push/push.py``).
"""

import asyncio
import contextlib
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cognee_dagster.errors import EmptyGraphError, InvalidModeError, RemoteError
from cognee_dagster.pushing.delivery import ProgressCallback, deliver
from cognee_dagster.pushing.journal import PushJournal
from cognee_dagster.pushing.options import DEFAULT_DATASET, DeliverySettings, validate_mode
from cognee_dagster.remote.client import CogneeClient, validate_dataset_name
from cognee_dagster.remote.connection import resolve_connection

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive, Limits
    from cognee_dagster.sources.cognee.datasets import LocalCogneeConfig, UserRef

PartCallback = Callable[[int, int], None]
"""Called with (number of the archive from 1, how many there are) when its upload is about to begin."""

logger = logging.getLogger(__name__)


@dataclass
class PushResult:
    """What a push did; field for field the ``PushResult`` of ``cognee.push()``.

    Attributes:
        status: ``completed``, or ``started``/``running`` for an import that goes on in the background.
        dataset_name: The local dataset.
        target_dataset: The remote dataset.
        num_nodes: Nodes of the graph.
        num_edges: Edges of the graph.
        remote_response: The server's own answer; for a detached background import one of the same shape, with
            ``detached: true``. Of a graph in several archives it is the last one's, with the ``items`` of all, as a
            server answers to several archives in one request.
        pipeline_run_id: The import's run on the remote, the last archive's; poll it when in the background.
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
    limits: "Limits | None" = None,
    export_progress: Callable[..., None] | None = None,
    upload_progress: ProgressCallback | None = None,
    on_part: PartCallback | None = None,
    stop: threading.Event | None = None,
) -> PushResult:
    """``push()``, synchronous, with what the command line and tests need besides: progress, limits, a way to stop."""
    # Arrow, Ladybug and SQLite are not needed to find out that a mode or a connection is wrong.
    from cognee_dagster.cogx.archive import SERVER_LIMITS
    from cognee_dagster.cogx.shard.cut import cut
    from cognee_dagster.cogx.write.writer import write_archive
    from cognee_dagster.sources.cognee.datasets import open_dataset

    validate_mode(mode)
    connection = resolve_connection(url, api_key)
    with tempfile.TemporaryDirectory(prefix="cognee-push-") as directory:
        with open_dataset(dataset, user=user, config=config) as reader:
            target = target_dataset or reader.origin.dataset_name
            validate_dataset_name(target)
            whole = write_archive(reader, Path(directory) / "graph.cogx.tar.gz", progress=export_progress)
        archives = cut(whole, limits=limits or SERVER_LIMITS, progress=export_progress)
        journal = PushJournal.of(archives, remote_url=connection.url, target_dataset=target, mode=mode)
        with CogneeClient(connection) as client:
            result = push_archives(
                archives,
                client=client,
                target_dataset=target_dataset,
                mode=mode,
                run_in_background=run_in_background,
                settings=settings,
                progress=upload_progress,
                on_part=on_part,
                on_run=journal.note,
                earlier_runs=journal.runs(),
                stop=stop,
            )
        journal.remove()
        return result


def push_archives(
    archives: "Sequence[Archive]",
    *,
    client: CogneeClient,
    target_dataset: str | None = None,
    mode: str = "preserve",
    run_in_background: bool = False,
    settings: DeliverySettings | None = None,
    progress: ProgressCallback | None = None,
    on_part: PartCallback | None = None,
    on_run: "Callable[[Archive, str], None] | None" = None,
    earlier_runs: Mapping[str, str] | None = None,
    stop: threading.Event | None = None,
) -> PushResult:
    """Upload the archives of one graph, one after another.

    In the background only the last one's import is left to itself; those before it are waited for. So the run that the
    result names means that everything is there.

    Args:
        archives: What ``cut`` returned; the files must still be there.
        client: The remote.
        target_dataset: Dataset name on the remote; default: the archives' dataset name.
        mode: ``preserve``, ``hybrid`` or, for a single archive, ``re-derive``.
        run_in_background: Return when the remote has taken the last archive over.
        settings: How patient to be, and how to import in the background; None: the defaults.
        progress: Called with (bytes sent, total bytes) of the archive under way.
        on_part: Called before each archive.
        on_run: Called with an archive and its import's ``pipeline_run_id``, as soon as it is known. Who keeps these can
            go on after a failure:
        earlier_runs: Runs of an earlier try to push these very archives there, by the archive's SHA-256. What the
            remote confirms is not uploaded again.
        stop: When set from another thread, the upload is hung up and ``PushInterruptedError`` raised.

    Raises:
        EmptyGraphError: The graph has no nodes.
        InvalidModeError: There is no such mode, or it takes a single archive.
        RemoteError: See ``remote.delivery.deliver``. Archives before the one that failed are imported.
    """
    validate_mode(mode)
    name, total = archives[0].dataset_name, len(archives)
    num_nodes = sum(archive.num_nodes for archive in archives)
    num_edges = sum(archive.num_edges for archive in archives)
    require_nodes(name, num_nodes)
    _require_mode_for(name, mode=mode, num_archives=total)
    target, connection = target_dataset or name, client.connection
    message = "Pushing dataset %r (%d nodes, %d edges) to dataset %r on %s (%s)"
    logger.info(message, name, num_nodes, num_edges, target, connection.url, connection.source)
    deliveries = []
    for number, archive in enumerate(archives, start=1):
        with _telling_of_part(number, total, on_part=on_part):
            delivery = deliver(
                client,
                archive,
                target_dataset=target,
                mode=mode,
                run_in_background=run_in_background and number == total,
                settings=settings or DeliverySettings(),
                progress=progress,
                on_run=None if on_run is None else partial(on_run, archive),
                earlier_run=(earlier_runs or {}).get(archive.sha256),
                stop=stop,
            )
        deliveries.append(delivery)
    return PushResult(
        status=deliveries[-1].status,
        dataset_name=name,
        target_dataset=target,
        num_nodes=num_nodes,
        num_edges=num_edges,
        remote_response=_one_answer([delivery.response for delivery in deliveries]),
        pipeline_run_id=deliveries[-1].pipeline_run_id,
    )


def _require_mode_for(dataset_name: str, *, mode: str, num_archives: int) -> None:
    """A server makes documents with fixed ids of entities and facts to re-derive from: a second archive's are ignored.

    Measured on Cognee 1.6.5.
    """
    if mode == "re-derive" and num_archives > 1:
        raise InvalidModeError(
            f"Dataset {dataset_name!r} takes {num_archives} archives, and a Cognee server re-derives from one only. "
            "Push it in mode preserve or hybrid."
        )


@contextlib.contextmanager
def _telling_of_part(number: int, total: int, *, on_part: PartCallback | None) -> Iterator[None]:
    if on_part is not None:
        on_part(number, total)
    if total == 1:
        yield
        return
    logger.info("Archive %d of %d", number, total)
    try:
        yield
    except RemoteError:
        logger.warning(
            "Archive %d of %d did not arrive. The %d before it are imported; push again, and it goes on with this one",
            number,
            total,
            number - 1,
        )
        raise
    logger.info("Archive %d of %d is delivered", number, total)


def _one_answer(answers: list[dict[str, Any]]) -> dict[str, Any]:
    if len(answers) == 1:
        return answers[0]
    processed = [count for answer in answers if isinstance(count := answer.get("items_processed"), int)]
    total = {"items_processed": sum(processed)} if len(processed) == len(answers) else {}
    return {**answers[-1], **total, "items": [item for answer in answers for item in answer.get("items") or ()]}


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
