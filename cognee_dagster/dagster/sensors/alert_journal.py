"""Which failures were told in a tick, written down at once, since Dagster keeps a cursor only when the tick is over.

A daemon that is killed, or gives a tick up after 60 s, drops its cursor. What the tick had told by then is noted in the
instance's own key-value storage, one write after each call, and is not told by the next one.
"""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import dagster as dg

from cognee_dagster.dagster.sensors.instance_lock import instance_lock

_PREFIX = "cognee_dagster/alerts/"


class AlertJournal:
    """What one sensor has told since its cursor was kept.

    Args:
        instance: Dagster's, which keeps it.
        sensor: The sensor: code location, repository and name.
    """

    def __init__(self, instance: dg.DagsterInstance, *, sensor: str) -> None:
        self._instance = instance
        self._sensor = sensor

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether this is the only tick of the sensor. Dagster gives a tick up after 60 s, but does not end it."""
        with instance_lock(self._instance, self._key, wait=False) as alone:
            yield alone

    def read(self) -> list[str]:
        """Digests of what was told."""
        found = self._instance.daemon_cursor_storage.get_cursor_values({self._key}).get(self._key)
        return [str(digest) for digest in json.loads(found)] if found else []

    def write(self, digests: Collection[str]) -> None:
        """Note that this was told, and nothing else."""
        self._instance.daemon_cursor_storage.set_cursor_values({self._key: json.dumps(list(digests))})

    @property
    def _key(self) -> str:
        return _PREFIX + self._sensor
