"""The rest of the deletions of a push that was killed between them, so that nothing needs to be sent again.

A server shows that something was deleted, and not what. What was deleted since may be what that push has deleted, or
what somebody else has. So the rest is deleted first, and then the remote is read: if it still has all that it has
confirmed, nothing but what was to go is gone.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from uuid import UUID

import msgspec
import numpy as np

from cognee_dagster.pushing.mirror.contents import MirrorContents
from cognee_dagster.pushing.mirror.deletions import Deletions
from cognee_dagster.pushing.mirror.documents import missing_documents
from cognee_dagster.pushing.mirror.foreign_runs import changes_since
from cognee_dagster.pushing.mirror.known import only_deletions, runs_of_mirrors
from cognee_dagster.pushing.mirror.records import edge_key, key_of
from cognee_dagster.pushing.mirror.state import MirrorFiles, latest
from cognee_dagster.pushing.progress import PushProgress
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.remote_graph import RemoteGraph
from cognee_dagster.remote.responses import RemoteDataset

logger = logging.getLogger(__name__)


def finish_deletions(
    client: CogneeClient,
    dataset: RemoteDataset,
    files: MirrorFiles,
    *,
    heed: Callable[[], None],
    progress: PushProgress,
) -> None:
    """Delete the generations that a push before has left to be deleted, and note whether all the rest is there.

    Documents that it has left are then like those that a push has begun to send: deleted if they are not in the graph.

    Args:
        client: The remote.
        dataset: The remote dataset.
        files: The mirror's.
        heed: Called before each deletion; raises where it is not this push's turn any more.
        progress: Who is told of each.

    Raises:
        RemoteError: The remote does not answer, or refuses a deletion.
        OSError: What is known of the mirror cannot be read or written.
        InvalidPushError: A later release has written it.
    """
    state = files.load()
    if state is None or not state.has_deletions_left:
        return
    contents = files.load_contents(state)
    known = runs_of_mirrors(files, state, contents)
    began_at = min(state.began_at, time.time() + client.clock_offset.total_seconds())
    found = changes_since(client, dataset, began_at=began_at, known=known)
    deletions = Deletions(
        client,
        dataset,
        owner=files.owner,
        seen=known | frozenset(found or {}),
        began_at=began_at,
        is_shared=True,
        heed=heed,
        progress=progress,
    )
    deletions.generations(state.deleting)
    is_proven = found and contents is not None and only_deletions(found) and _has_all(client, dataset, contents)
    if is_proven:
        logger.info("The push before was killed between its deletions from %r: they are finished", dataset.name)
    state = msgspec.structs.replace(
        state,
        deleting=(),
        documents_deleting=(),
        documents_begun=tuple(sorted({*state.documents_begun, *state.documents_deleting})),
        accounted=latest((*state.accounted, *reversed(found or {}))) if is_proven else state.accounted,
    )
    files.save(deletions.noted(state))


def _has_all(client: CogneeClient, dataset: RemoteDataset, contents: MirrorContents) -> bool:
    """Whether a remote dataset shows all nodes, edges and documents that it has confirmed."""
    if missing_documents(client, dataset, contents.document_keys, at_most=sys.maxsize):
        return False
    graph = client.graph(dataset.id)
    nodes = np.fromiter((key_of(one) for one in _ids(graph)), np.uint64)
    if not np.isin(contents.node_keys, nodes).all():
        return False
    edges = np.fromiter(_edge_keys(graph), np.uint64)
    return bool(np.isin(contents.edge_keys, edges).all())


def _ids(graph: RemoteGraph) -> Iterator[bytes]:
    for node in graph.nodes:
        if (found := _uuid(node.id)) is not None:
            yield found


def _edge_keys(graph: RemoteGraph) -> Iterator[int]:
    for edge in graph.edges:
        source, target = _uuid(edge.source), _uuid(edge.target)
        if source is not None and target is not None:
            yield edge_key(source, edge.label, target)


def _uuid(node_id: str) -> bytes | None:
    """The bytes of an id; None for a node of others that has another kind."""
    try:
        return UUID(node_id).bytes
    except ValueError:
        return None
