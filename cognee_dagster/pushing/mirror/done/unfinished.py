"""The rest of the deletions of a push that was killed between them, so that nothing needs to be sent again.

A server shows that something was deleted, and not what. What was deleted since may be what that push has deleted, or
what somebody else has. So the rest is deleted first, and then the remote is read: if it still has all that it has
confirmed, nothing but what was to go is gone.
"""

import logging
import time

import msgspec

from cognee_dagster.pushing.changes import changes_since
from cognee_dagster.pushing.mirror.done.deletions import Deletions
from cognee_dagster.pushing.mirror.kept.state import latest
from cognee_dagster.pushing.mirror.kept.turn import Turn
from cognee_dagster.pushing.mirror.plan.happened import only_deletions, runs_of_mirrors
from cognee_dagster.pushing.mirror.seen.presence import is_all_there
from cognee_dagster.pushing.progress import PushProgress
from cognee_dagster.remote.client import CogneeClient

logger = logging.getLogger(__name__)


def finish_deletions(client: CogneeClient, turn: Turn, *, progress: PushProgress) -> bool:
    """Delete the generations that a push before has left to be deleted, and note whether all the rest is there.

    Documents that it has left are then like those that a push has begun to send: deleted if they are not in the graph.

    Args:
        client: The remote.
        turn: The push's at the mirror.
        progress: Who is told of each.

    Returns:
        Whether there were any to delete.

    Raises:
        RemoteError: The remote does not answer, or refuses a deletion.
        OSError: What is known of the mirror cannot be read or written.
        PushInterruptedError: The push was told to stop, or has lost its turn.
        InvalidPushError: A later release has written it.
    """
    dataset, files = turn.dataset, turn.files
    state = files.load()
    if state is None or not state.has_deletions_left:
        return False
    contents = files.load_contents(state)
    known = runs_of_mirrors(files, state, contents)
    began_at = min(state.began_at, time.time() + client.clock_offset.total_seconds())
    found = changes_since(client, dataset, began_at=began_at, known=known)
    deletions = Deletions(
        client,
        turn,
        seen=known | frozenset(found or {}),
        began_at=began_at,
        is_shared=True,
        progress=progress,
    )
    deletions.generations(state.deleting, target=state.dataset_name)
    is_proven = found and contents is not None and only_deletions(found) and is_all_there(client, dataset, contents)
    if is_proven:
        logger.info("The push before was killed between its deletions from %r: they are finished", dataset.name)
    state = msgspec.structs.replace(
        state,
        deleting=(),
        documents_deleting=(),
        documents_begun=tuple(sorted({*state.documents_begun, *state.documents_deleting})),
        accounted=latest((*state.accounted, *reversed(found or {}))) if is_proven else state.accounted,
    )
    turn.note(deletions.noted(state))
    return deletions.were_sent
