"""Pushes to one mirror go one at a time, those of other hosts that keep it in the same store included."""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cognee_dagster.errors import LockLostError, PushInterruptedError
from cognee_dagster.remote.responses import RemoteDataset
from cognee_dagster.store.files import is_local
from cognee_dagster.store.lock import LockHolder, Pace, StoreLock, store_lock
from cognee_dagster.system.host_lock import host_lock, host_name

if TYPE_CHECKING:
    from upath import UPath

PACE = Pace()

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def one_at_a_time(
    base: "UPath", dataset: RemoteDataset, *, url: str, on_wait: Callable[[], None], stop: threading.Event
) -> Iterator[StoreLock]:
    """Wait for other pushes to a remote dataset, and keep them waiting, under whatever URL they know its server.

    Args:
        base: Where what is known of mirrors is kept.
        dataset: The remote dataset.
        url: The remote, for messages.
        on_wait: Called when it has to be waited.
        stop: Ends the waiting, and the push.

    Yields:
        The lock; what ends the push is that it has ``ended``: ``stop`` was set, or it was lost.

    Raises:
        PushInterruptedError: ``stop`` was set.
        LockLostError: Another host took the lock over, or the store did not answer, and the push was ended for that.
        OSError: The store cannot be read or written.
    """

    def say_waiting(pid: str) -> None:
        logger.info("Another push of this machine keeps the same mirror (process %s): waiting for its end", pid)
        on_wait()

    def say_waiting_for(holder: LockHolder | None) -> None:
        by = holder or "by whom cannot be read"
        logger.info("Another push keeps the same mirror (%s): waiting for its end", by)
        on_wait()

    target = dataset.name
    path = base / f"{dataset.id}.lock"
    with contextlib.ExitStack() as stack:
        if not stack.enter_context(host_lock("mirror", dataset.id, stop=stop, waiting=say_waiting)):
            raise interrupted(target)
        taking = store_lock(path, host=host_name(), process=os.getpid(), stop=stop, waiting=say_waiting_for, pace=PACE)
        try:
            lock = stack.enter_context(taking)
        except Exception as error:  # file systems raise their own kinds of errors
            if is_local(path):  # those of this machine's disk name the file themselves
                raise
            raise OSError(
                f"The lock by which pushes to a mirror take turns cannot be written: {path}: {type(error).__name__}: "
                f"{error}. Nothing was sent. Push again when the store can be written."
            ) from error
        if lock is None:
            raise interrupted(target)
        try:
            yield lock
        except PushInterruptedError as error:
            if not lock.is_lost:
                raise
            raise LockLostError(
                f"The push to dataset {target!r} on {url} ended halfway: another host took over its lock {path}, as "
                "that of a dead process, or the store did not answer. Push again: it goes on from there.",
                retryable=True,
            ) from error


def interrupted(target: str) -> PushInterruptedError:
    """What a push to a dataset raises that was told to stop."""
    return PushInterruptedError(f"The push to dataset {target!r} was interrupted.")
