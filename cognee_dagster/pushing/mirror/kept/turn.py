"""A push's turn at a mirror: what it holds meanwhile, and whether it still has it."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cognee_dagster.pushing.delivery.deliver import own_dataset
from cognee_dagster.pushing.mirror.kept.elsewhere import known_elsewhere, move_here
from cognee_dagster.pushing.mirror.kept.files import MirrorFiles
from cognee_dagster.pushing.mirror.kept.one_at_a_time import interrupted, one_at_a_time
from cognee_dagster.pushing.mirror.kept.state import MirrorState
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.responses import RemoteDataset
from cognee_dagster.store.lock import StoreLock

if TYPE_CHECKING:
    from upath import UPath


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A push's turn at a mirror.

    Attributes:
        lock: Keeps other pushes waiting; that it has ended ends this one.
        dataset: The remote dataset.
        files: The mirror's.
        is_new: Whether the dataset had to be made.
    """

    lock: StoreLock
    dataset: RemoteDataset
    files: MirrorFiles
    is_new: bool

    def heed(self) -> None:
        """Before what cannot be taken back: another host may have sent again by now what this push is to delete.

        Raises:
            PushInterruptedError: The push was told to stop, or has lost its turn.
        """
        self.lock.look()
        if self.lock.ended.is_set():
            raise interrupted(self.dataset.name)

    def note(self, state: MirrorState) -> None:
        """Keep what is known of the mirror, also where the push was told to stop: what it has done is done.

        Raises:
            PushInterruptedError: The push has lost its turn: it is another host's to note by now.
            OSError: It cannot be written.
        """
        self.lock.look()
        if self.lock.is_lost:
            raise interrupted(self.dataset.name)
        self.files.save(state)


@contextlib.contextmanager
def turn_at(client: CogneeClient, target: str, *, base: "UPath", owner: str, stop: threading.Event) -> Iterator[Turn]:
    """Make sure of the remote dataset, and wait for the turn at the mirror that ``owner`` has there.

    Raises:
        As ``own_dataset`` and ``one_at_a_time``.
    """
    url, waited = client.connection.url, threading.Event()
    dataset, files, is_new = _dataset(client, target, base=base, owner=owner)
    with one_at_a_time(base, dataset, url=url, on_wait=waited.set, stop=stop) as lock:
        if waited.is_set():
            dataset, files, is_new = _dataset(client, target, base=base, owner=owner)
        turn = Turn(lock=lock, dataset=dataset, files=files, is_new=is_new)
        other = None if files.load() is not None else known_elsewhere(client, dataset, files)
        if other is not None:
            move_here(files, other, remote_url=url, note=turn.note)
        yield turn


def _dataset(
    client: CogneeClient, target: str, *, base: "UPath", owner: str
) -> tuple[RemoteDataset, MirrorFiles, bool]:
    """The remote dataset, the mirror's files, and whether it had to be made; one request where there is a mirror."""
    url = client.connection.url
    found = [dataset for dataset in client.datasets() if dataset.name == target]
    if len(found) == 1:
        files = MirrorFiles.of(base, remote_url=url, dataset_id=found[0].id, owner=owner)
        if files.load() is not None:
            return found[0], files, False
    dataset = own_dataset(client, target, is_needed=True)
    is_new = dataset.id not in {one.id for one in found}
    return dataset, MirrorFiles.of(base, remote_url=url, dataset_id=dataset.id, owner=owner), is_new
