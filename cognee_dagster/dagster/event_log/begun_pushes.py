"""A push that has changed something on the remote is observed at once: a process that is killed then says nothing more.

Where no materialization of ``remote_push`` followed, the remote graph may not be the last push's any more
(``failed_pushes``).
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.event_log.begun_imports import BegunImports


class BegunPush:
    """Observes what a push has done so far, in Dagster's event log.

    Args:
        context: The step that pushes.
        push: What is pushed where, by metadata keys.
        partition: The partition that is pushed, if the chain has some.
        imports: Notes those of a full push; all others are observed here.
    """

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        *,
        push: Mapping[str, Any],
        partition: str | None,
        imports: BegunImports,
    ) -> None:
        self._context = context
        self._push = push
        self._partition = partition
        self._imports = imports
        self._has_deleted = False
        self._run_id: str | None = None

    def has_deleted(self) -> None:
        """Something was deleted on the remote; an import that was observed before says as much."""
        if not self._has_deleted and self._run_id is None:
            self._observe("The push has begun to delete what it replaces.")
        self._has_deleted = True

    def has_begun(self, run_id: str) -> None:
        """The remote imports something, with this run."""
        if run_id not in (self._run_id, *self._imports.noted):
            self._run_id = run_id
            self._observe("The remote has begun an import.")

    def _observe(self, description: str) -> None:
        self._context.log_event(
            dg.AssetObservation(
                self._context.asset_key,
                partition=self._partition,
                description=description,
                metadata={
                    **self._push,
                    keys.PIPELINE_RUN_ID: self._run_id,
                    keys.PUSH_RUN_ID: self._context.run.run_id,
                },
            )
        )
