"""What is known of a mirror whose server was reached under another URL before.

A remote dataset has one id, whatever its server is called. But a copy of a server has the same ids: so what is kept
under another URL is used only where the server shows the last import, or deletion, that it tells of.
"""

import logging
from collections.abc import Callable

import msgspec

from cognee_dagster.errors import InvalidPushError
from cognee_dagster.pushing.changes import changes_since
from cognee_dagster.pushing.mirror.kept.files import MirrorFiles
from cognee_dagster.pushing.mirror.kept.state import MirrorState
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.responses import RemoteDataset

logger = logging.getLogger(__name__)


def known_elsewhere(client: CogneeClient, dataset: RemoteDataset, files: MirrorFiles) -> MirrorFiles | None:
    """The files that know a mirror of which its own know nothing; None where there are none, or none that fit.

    Args:
        client: The remote.
        dataset: The remote dataset.
        files: The mirror's, under the present URL.

    Raises:
        RemoteError: The remote's runs cannot be listed.
        OSError: The store does not let them be read.
    """
    found = [(other, state) for other in files.elsewhere() if (state := _readable(other)) is not None]
    fitting = [(other, state) for other, state in found if _is_shown(client, dataset, state)]
    if len(fitting) == 1:
        other, state = fitting[0]
        logger.info("The mirror %r is known under another URL of its server, %s", dataset.name, state.remote_url)
        return other
    for _, state in found:
        why = "the same is known of several" if fitting else "this server does not show its last import"
        logger.warning(
            "A mirror of this graph is known in the dataset %r on %s, and not on %s, since %s: here it counts as a new "
            "one, and everything is sent",
            dataset.name,
            state.remote_url,
            client.connection.url,
            why,
        )
    return None


def move_here(files: MirrorFiles, other: MirrorFiles, *, remote_url: str, note: Callable[[MirrorState], None]) -> None:
    """Keep from now on under the present URL what was kept under another.

    Args:
        files: The mirror's.
        other: Its former ones.
        remote_url: The present URL.
        note: Keeps the state; raises where it is not this push's turn any more.

    Raises:
        OSError: It cannot be read or written.
    """
    state = other.load()
    if state is None:
        return
    contents = other.load_contents(state)
    if contents is not None:
        files.save_contents(contents)
    note(msgspec.structs.replace(state, remote_url=remote_url))
    other.remove()


def _readable(files: MirrorFiles) -> MirrorState | None:
    try:
        return files.load()
    except InvalidPushError as error:
        logger.warning("%s: what is known there of the mirror is not used: %s", files.directory, error)
        return None


def _is_shown(client: CogneeClient, dataset: RemoteDataset, state: MirrorState) -> bool:
    """Whether a server shows what the push that confirmed a state did there."""
    if not state.runs:  # nothing yet
        return True
    found = changes_since(client, dataset, began_at=state.began_at) or {}
    return state.last_import in found if state.last_import else not state.runs.isdisjoint(found)
