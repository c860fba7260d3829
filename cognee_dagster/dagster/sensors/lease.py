"""Which of several sensors over the same assets reports, so that two of them never report one import.

Dagster writes a tick's events after the tick. What another sensor gave to Dagster a moment ago is therefore not in the
event log yet, and looking there cannot prevent a second report. So a sensor takes a lease of the assets it reports
about before it looks, and keeps it until it has seen its events in the log. The leases are rows of the instance's own
key-value storage, so that they hold for all code locations; a file lock makes taking one atomic on a host.
"""

import json
from collections.abc import Collection

import dagster as dg

from cognee_dagster.dagster.sensors.instance_lock import instance_lock

# Longer than a tick and the writing of its events take. A sensor that was stopped in between is waited for so long.
LEASE_SECONDS = 300
# By how much two ticks that are under way at once may have begun apart: Dagster gives one up after 60 s.
_BEGUN_APART_SECONDS = 120

_PREFIX = "cognee_dagster/reporter/"
_LOCK = "cognee_dagster/reporters"


class ReporterLease:
    """The leases of one sensor.

    Args:
        instance: Dagster's, which keeps them.
        holder: The sensor: code location, repository and name.
        now: Our clock, in Unix seconds.
    """

    def __init__(self, instance: dg.DagsterInstance, *, holder: str, now: float) -> None:
        self._instance = instance
        self._holder = holder
        self._now = now

    def take(self, asset_keys: Collection[str]) -> set[str]:
        """Those of these assets that this sensor may report about now."""
        if not asset_keys:
            return set()
        storage = self._instance.daemon_cursor_storage
        with instance_lock(self._instance, _LOCK):
            held = storage.get_cursor_values({_PREFIX + key for key in asset_keys})
            granted = {key for key in asset_keys if self._is_free(held.get(_PREFIX + key))}
            lease = json.dumps([self._holder, self._now + LEASE_SECONDS])
            rows = {_PREFIX + key: lease for key in granted}
            for some in (rows.keys() & held.keys(), rows.keys() - held.keys()):  # SQLite's takes no mixture of the two
                if some:
                    storage.set_cursor_values({key: rows[key] for key in some})
        return granted

    def give_back(self, asset_keys: Collection[str]) -> None:
        """Let other sensors report about these assets."""
        if not asset_keys:
            return
        storage = self._instance.daemon_cursor_storage
        with instance_lock(self._instance, _LOCK):
            held = storage.get_cursor_values({_PREFIX + key for key in asset_keys})
            ours = {key for key, lease in held.items() if lease and _parsed(lease)[0] == self._holder}
            if ours:
                storage.set_cursor_values(dict.fromkeys(ours, ""))

    def _is_free(self, lease: str | None) -> bool:
        if not lease:
            return True
        holder, until = _parsed(lease)
        # One that ends later than any can was taken by a clock that is ahead. A tick that began after this one, and was
        # first at the lock, is no such: its lease ends a little later than ours would.
        return holder == self._holder or not self._now < until <= self._now + LEASE_SECONDS + _BEGUN_APART_SECONDS


def _parsed(lease: str) -> tuple[str, float]:
    holder, until = json.loads(lease)
    return str(holder), float(until)
