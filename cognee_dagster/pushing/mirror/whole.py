"""A graph that cannot be mirrored is pushed whole: what that leaves on the remote is noted in the mirror's state.

It goes under the name ``cognee``, as what full pushes and other tools bring. Where nobody else has brought anything,
all under that name is this owner's, and a later push to the mirror may delete it.
"""

import time
from collections.abc import Callable, Sequence

import msgspec

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.pushing.archives import PushResult
from cognee_dagster.pushing.mirror.graph.contents import MirrorContents
from cognee_dagster.pushing.mirror.graph.documents import compare_documents
from cognee_dagster.pushing.mirror.kept.files import MirrorFiles
from cognee_dagster.pushing.mirror.kept.state import MirrorState, latest
from cognee_dagster.pushing.mirror.kept.turn import Turn
from cognee_dagster.pushing.mirror.plan.known import Known, look_up
from cognee_dagster.pushing.mirror.seen.unowned import Unowned
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.responses import RemoteDataset, migration_imports

_REASON = "the push before was of a graph that could not be mirrored, and sent all of it"


def push_whole(
    send: Callable[[], PushResult],
    archives: Sequence[Archive],
    *,
    client: CogneeClient,
    turn: Turn,
) -> PushResult:
    """Send everything under the name of full pushes, and note it before and after.

    Args:
        send: Sends it.
        archives: What is sent.
        client: The remote.
        turn: The push's at the mirror.

    Raises:
        ArchiveError: An archive is damaged.
        RemoteError: The remote's runs cannot be listed, or nothing could be sent.
        OSError: What is known of the mirror cannot be read or written.
    """
    begun = _begin(archives, client=client, turn=turn)
    turn.note(begun)
    result = send()
    _end(begun, result, turn=turn)
    return result


def _begin(archives: Sequence[Archive], *, client: CogneeClient, turn: Turn) -> MirrorState:
    known = look_up(client, turn.dataset, turn.files, resend=False, is_new=turn.is_new)
    before = known.state or _nothing(client, turn.dataset, turn.files)
    documents = compare_documents(archives, MirrorContents.empty()).sent_keys
    return msgspec.structs.replace(
        before,
        distrusted=_REASON,
        unowned=_with_whole(known),
        documents_begun=tuple(sorted({*before.documents_begun, *documents})),
        accounted=latest((*sorted(known.others), *before.accounted)),
    )


def _end(begun: MirrorState, result: PushResult, *, turn: Turn) -> None:
    """Note its runs, so that they do not count as somebody else's, unless that is another host's to note by now.

    Mirrors beside this one cannot rely on these runs: they may have what those have brought, too.
    """
    turn.lock.look()
    if turn.lock.is_lost:
        return
    found = [item.pipeline_run_id for item in migration_imports(result.remote_response)]
    runs = [run for run in (*found, result.pipeline_run_id) if run is not None]
    state = msgspec.structs.replace(
        begun, run_ids=latest((*begun.run_ids, *runs)), accounted=latest((*begun.accounted, *runs))
    )
    turn.files.save(state)


def _nothing(client: CogneeClient, dataset: RemoteDataset, files: MirrorFiles) -> MirrorState:
    """A state of a mirror that has nothing on the remote yet."""
    return MirrorState(
        remote_url=client.connection.url,
        contents=files.save_contents(MirrorContents.empty()),
        letters={},
        began_at=time.time() + client.clock_offset.total_seconds(),
        dataset_made_at=None if dataset.created_at is None else dataset.created_at.timestamp(),
        dataset_name=dataset.name,
    )


def _with_whole(known: Known) -> Unowned:
    """What the remote may have besides then: only where nobody else has brought anything is all of it ours."""
    if known.unowned is None:
        return Unowned(whole=True)
    return msgspec.structs.replace(known.unowned, nodes=None, edges=None, documents=None)
