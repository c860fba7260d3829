"""Imports that a failed or killed run has begun, so that the next run attaches to them instead of starting others.

As soon as the remote shows an import's run, ``remote_push`` observes it in the event log. Where no materialization of
``remote_push`` followed, the run that began the import did not get that far, and nobody has reported it. Of a graph in
several archives, those that arrived are not uploaded again.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.event_log.pushes import of_partition
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.pushing.resume import BegunImport

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive

# One dataset may be pushed to several places in turn; what lies deeper is of long ago.
_LOOK_BACK = 50

_PLACE = (keys.TARGET_DATASET, keys.REMOTE_URL)
_CONTENT = (keys.ARCHIVE_DIGEST, keys.MODE)


def archive_counts(total: int, *, done: int | None = None) -> dict[str, int]:
    """How many archives a graph takes, and how many of them are done; nothing of one: a plot at 1."""
    if total == 1:
        return {}
    return {keys.ARCHIVES_TOTAL: total, **({} if done is None else {keys.ARCHIVES_DONE: done})}


class BegunImports:
    """The ``ResumeRecord`` in Dagster's event log.

    Args:
        context: The step that pushes.
        archives: What it pushes.
        push: What is pushed where, by metadata keys: archive digest, target dataset, mode, remote.
        partition: The partition that is pushed, if the chain has some.

    Attributes:
        noted: The runs of the imports that were noted so far.
    """

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        *,
        archives: "Sequence[Archive]",
        push: Mapping[str, Any],
        partition: str | None,
    ) -> None:
        self._context = context
        self._partition = partition
        self._push = push
        self.noted: set[str] = set()
        self._positions = {archive.content_sha256: position for position, archive in enumerate(archives)}

    def begun(self) -> Mapping[str, BegunImport]:
        """The latest imports into that remote dataset, by the archive's ``content_sha256``.

        Only those of this very graph count, since another one was pushed there or a push has ended.
        """
        begun: dict[str, BegunImport] = {}
        instance, push_key = self._context.instance, self._context.asset_key
        limit = _LOOK_BACK + 2 * len(self._positions)  # an archive's run is seen, then answered
        events = of_partition(push_key, self._partition)
        observed = instance.fetch_observations(events, limit=limit).records
        if not observed:
            return begun
        ended = instance.fetch_materializations(events, limit=1).records
        last_end = ended[0].storage_id if ended else 0
        for record in observed:
            observation = record.asset_observation
            found = {key: value.value for key, value in observation.metadata.items()} if observation else {}
            says_nothing = found.get(keys.PUSH_FAILED) or found.get(keys.DRY_RUN)
            if says_nothing or any(found.get(key) != self._push[key] for key in _PLACE):
                continue
            if record.storage_id < last_end or not self._is_of_this_graph(found):
                break
            known_by = next((known_by for known_by in KnownBy if known_by == found.get(keys.IMPORT_KNOWN_BY)), None)
            run = BegunImport(run_id=str(found[keys.PIPELINE_RUN_ID]), known_by=known_by)
            begun.setdefault(str(found.get(keys.ARCHIVE_CONTENT)), run)
        return begun

    def _is_of_this_graph(self, found: Mapping[str, Any]) -> bool:
        total = int(found.get(keys.ARCHIVES_TOTAL, 1))
        return total == len(self._positions) and all(found.get(key) == self._push[key] for key in _CONTENT)

    def note(self, archive: "Archive", run: BegunImport) -> None:
        """Write down that the remote has begun an import, or has finished that of one archive among several."""
        total, done = len(self._positions), self._positions[archive.content_sha256]
        answered = run.known_by is KnownBy.ANSWER
        if answered and total == 1 and run.run_id in self.noted:  # the push itself is materialized next
            return
        self.noted.add(run.run_id)
        which = f" of archive {done + 1} of {total}" if total > 1 else ""
        known_by = {} if run.known_by is None else {keys.IMPORT_KNOWN_BY: run.known_by.value}
        self._context.log_event(
            dg.AssetObservation(
                self._context.asset_key,
                partition=self._partition,
                description=f"The remote has {'finished' if answered else 'begun'} the import{which}.",
                metadata={
                    **self._push,
                    keys.ARCHIVE_CONTENT: archive.content_sha256,
                    **archive_counts(total, done=done + answered),
                    keys.PIPELINE_RUN_ID: run.run_id,
                    keys.PUSH_RUN_ID: self._context.run.run_id,
                    **known_by,
                },
            )
        )

    def done(self) -> None:
        """The materialization of ``remote_push``, which follows, says so."""
