"""``push_archives()``: the archives of one graph, one after another, to a remote Cognee."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from cognee_dagster.errors import EmptyGraphError, InvalidModeError, RemoteError
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.delivery import ProgressCallback, deliver
from cognee_dagster.pushing.options import DeliverySettings, validate_mode
from cognee_dagster.remote.client import CogneeClient

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive

logger = logging.getLogger(__name__)

PartCallback = Callable[[int, int], None]
"""Called with (number of the archive from 1, how many there are) when its upload is about to begin."""


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
    remote_response: dict[str, Any] = field(repr=False)
    pipeline_run_id: str | None = None


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
        earlier_runs: Runs of an earlier try to push these very archives there, by the archive's ``content_sha256``.
            What the remote confirms is not uploaded again.
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
    message = "Pushing dataset %r (%s, %s) to dataset %r on %s (%s)"
    nodes, edges = counted(num_nodes, "node"), counted(num_edges, "edge")
    logger.info(message, name, nodes, edges, target, connection.url, connection.source)
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
                earlier_run=(earlier_runs or {}).get(archive.content_sha256),
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
