"""A lock among all processes of this host that use the same Dagster instance."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from cognee_dagster.system.host_lock import host_lock


@contextmanager
def instance_lock(instance: dg.DagsterInstance, name: str, *, give_up: threading.Event | None = None) -> Iterator[bool]:
    """Hold the lock of that name; yields False where ``give_up`` was set before it was free.

    Raises:
        OSError: No directory can be written.
    """
    # Of an ephemeral instance the directory may be gone; no other process shares it.
    directory = None if instance.is_ephemeral else Path(instance.storage_directory())
    with host_lock(name, stop=give_up or threading.Event(), waiting=lambda _: None, directory=directory) as held:
        yield held
