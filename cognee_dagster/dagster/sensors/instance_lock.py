"""A lock among all threads, and all processes of this host, that use the same Dagster instance."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from cognee_dagster.system.host_lock import host_lock

_in_this_process: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


@contextmanager
def instance_lock(instance: dg.DagsterInstance, name: str, *, wait: bool = True) -> Iterator[bool]:
    """Hold the lock of that name; yields False where it is not free and not waited for.

    Raises:
        OSError: No directory can be written.
    """
    if instance.is_ephemeral:  # no other process shares it, and its directory may be gone
        held = _in_this_process[name].acquire(blocking=wait)
        try:
            yield held
        finally:
            if held:
                _in_this_process[name].release()
        return
    stop = threading.Event()
    if not wait:
        stop.set()
    directory = Path(instance.storage_directory())
    with host_lock(name, stop=stop, waiting=lambda _: None, directory=directory) as held:
        yield held
