"""``push_archives()``: the archives of one graph, one after another, to a remote Cognee."""

import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from cognee_dagster.cogx.format import TEXT_KINDS
from cognee_dagster.cogx.read.manifest import is_of_cognee
from cognee_dagster.errors import EmptyGraphError, InvalidModeError, RemoteError
from cognee_dagster.graph.counting import counted
from cognee_dagster.graph.empty import empty_graph
from cognee_dagster.pushing.comparison.verification import count_problems
from cognee_dagster.pushing.delivery.deliver import deliver
from cognee_dagster.pushing.delivery.result import DeliveryResult
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.pushing.progress import PushBeginning, PushProgress
from cognee_dagster.pushing.resume import NoRecord, ResumeRecord
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import Connection
from cognee_dagster.remote.imports.watch import time_of

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive

logger = logging.getLogger(__name__)


@dataclass
class PushResult:
    """What a push did; field for field the ``PushResult`` of ``cognee.push()``.

    Attributes:
        status: ``completed``, or ``started``/``running`` for an import that goes on in the background; of a push to a
            mirror ``completed``, or ``unchanged`` where nothing was to be done.
        dataset_name: The local dataset.
        target_dataset: The remote dataset.
        num_nodes: Nodes of the graph.
        num_edges: Edges of the graph.
        remote_response: The server's own answer; for a detached background import one of the same shape, with
            ``detached: true``. Of a graph in several archives it is the last one's, with the ``items`` of all, as a
            server answers to several archives in one request.
        pipeline_run_id: The import's run on the remote, the last archive's; poll it when in the background. None where
            the answer was lost and the run cannot be told from others'.
    """

    status: str
    dataset_name: str
    target_dataset: str
    num_nodes: int
    num_edges: int
    remote_response: dict[str, Any] = field(repr=False)
    pipeline_run_id: str | None = None

    @property
    def known_by(self) -> KnownBy:
        """What this rests on: the server's own answer, the remote graph that was read back, the import's run, or what
        an earlier push has confirmed.
        """
        return KnownBy(self.remote_response.get("known_by", KnownBy.ANSWER))

    @property
    def delivered_at(self) -> datetime | None:
        """When the whole archive was out, by the server's clock; for an import in the background without a run."""
        return time_of(self.remote_response.get("delivered_at"))


def push_archives(
    archives: "Sequence[Archive]",
    *,
    client: CogneeClient,
    options: PushOptions | None = None,
    progress: PushProgress | None = None,
    record: ResumeRecord | None = None,
    stop: threading.Event | None = None,
) -> PushResult:
    """Upload the archives of one graph, one after another.

    In the background only the last one's import is left to itself; those before it are waited for. So the run that the
    result names means that everything is there.

    Args:
        archives: What ``cut`` returned; the files must still be there.
        client: The remote.
        options: Where to, and how; a re-derive takes a single archive. None: the defaults.
        progress: Who is told how the push is getting on.
        record: Keeps the imports that were begun, so that the next try of this push goes on from there: what the remote
            confirms is not uploaded again.
        stop: When set from another thread, the upload is hung up and ``PushInterruptedError`` raised.

    Raises:
        EmptyGraphError: The graph has no nodes; an archive that is sent as it is, no record.
        InvalidModeError: The mode takes a single archive.
        InvalidTargetError: The remote would refuse the target's name, or it is another owner's dataset.
        RemoteError: See ``pushing.delivery.deliver``. Archives before the one that failed are imported.
    """
    options, progress, record = options or PushOptions(), progress or PushProgress(), record or NoRecord()
    name, total = archives[0].dataset_name, len(archives)
    num_nodes = sum(archive.num_nodes for archive in archives)
    num_edges = sum(archive.num_edges for archive in archives)
    if any(archive.as_it_is for archive in archives):
        _require_records(archives, mode=options.mode)
    else:
        require_nodes(archives)
    _require_mode_for(name, mode=options.mode, num_archives=total)
    target = options.target_of(name)
    announce(archives, target=target, connection=client.connection, progress=progress)
    begun = record.begun()
    results = []
    for number, archive in enumerate(archives, start=1):
        with _announced(number, total, on_shard=progress.on_shard):
            result = deliver(
                client,
                archive,
                options=options if number == total else replace(options, run_in_background=False),
                progress=progress,
                note=partial(record.note, archive),
                begun=begun.get(archive.content_sha256),
                stop=stop or threading.Event(),
            )
        results.append(result)
    record.done()
    response = one_answer(results)
    if problems := count_problems(archives, response):
        logger.warning("Not everything has arrived in %r on %s: %s", target, client.connection.url, " ".join(problems))
        response["incomplete"] = problems
    return PushResult(
        status=results[-1].status,
        dataset_name=name,
        target_dataset=target,
        num_nodes=num_nodes,
        num_edges=num_edges,
        remote_response=response,
        pipeline_run_id=results[-1].pipeline_run_id,
    )


def announce(archives: "Sequence[Archive]", *, target: str, connection: Connection, progress: PushProgress) -> None:
    """Say what is about to be pushed where."""
    beginning = PushBeginning(
        dataset_name=archives[0].dataset_name,
        target_dataset=target,
        num_nodes=sum(archive.num_nodes for archive in archives),
        num_edges=sum(archive.num_edges for archive in archives),
        url=connection.url,
    )
    nodes, edges = counted(beginning.num_nodes, "node"), counted(beginning.num_edges, "edge")
    message = "Pushing dataset %r (%s, %s) to dataset %r on %s (%s)"
    logger.info(message, beginning.dataset_name, nodes, edges, target, connection.url, connection.url_from)
    progress.on_begin(beginning)


def _weakest(results: Sequence[DeliveryResult]) -> KnownBy:
    """How the whole push is known: no better than that of any archive."""
    known = {result.known_by for result in results}
    return next(kind for kind in (KnownBy.RUN, KnownBy.REMOTE_GRAPH, KnownBy.ANSWER) if kind in known)


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
def _announced(number: int, total: int, *, on_shard: Callable[[int, int], None]) -> Iterator[None]:
    on_shard(number, total)
    if total == 1:
        yield
        return
    logger.info("Archive %d of %d", number, total)
    try:
        yield
    except RemoteError:
        logger.warning(
            "Archive %d of %d did not arrive. Before it, %s imported; push again, and it goes on with this one",
            number,
            total,
            counted(number - 1, "archive is", "archives are"),
        )
        raise
    logger.info("Archive %d of %d is delivered", number, total)


def one_answer(results: Sequence[DeliveryResult]) -> dict[str, Any]:
    """The answers to the archives of one graph as one; anything but the server's own says what it rests on."""
    answers = [result.response for result in results]
    known_by = _weakest(results)
    knowing = {} if known_by is KnownBy.ANSWER else {"known_by": known_by.value}
    if len(answers) == 1:
        return {**answers[0], **knowing}
    processed = [count for answer in answers if isinstance(count := answer.get("items_processed"), int)]
    total = {"items_processed": sum(processed)} if len(processed) == len(answers) else {}
    items = [item for answer in answers for item in answer.get("items") or ()]
    return {**answers[-1], **total, **knowing, "items": items}


def _require_records(archives: "Sequence[Archive]", *, mode: str) -> None:
    """Refuse to push nothing; say what becomes of texts without a graph, such as those of a memory's archive."""
    counts = sum((Counter(archive.record_counts) for archive in archives), Counter[str]())
    if not counts.total():
        raise EmptyGraphError(f"The archive {archives[0].path.name} holds no record: there is nothing to push.")
    if mode == "preserve" and all(kind in TEXT_KINDS for kind in counts):
        logger.warning(
            "The archive holds texts (%s) and no graph: in mode preserve the remote only keeps them. In mode hybrid it "
            "builds a graph of them, which takes a language model there",
            ", ".join(counted(count, f"{kind} record") for kind, count in counts.items()),
        )


def require_nodes(archives: "Sequence[Archive]") -> None:
    """Refuse to push nothing, as ``cognee.push()`` does.

    Raises:
        EmptyGraphError: The graph has no nodes.
    """
    if not any(archive.num_nodes for archive in archives):
        raise EmptyGraphError(empty_graph(archives[0].dataset_name, is_of_cognee=is_of_cognee(archives[0].path)))
