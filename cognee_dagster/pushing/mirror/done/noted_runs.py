"""Which runs of a server's list a mirror's push takes for its own."""

from collections.abc import Callable

import msgspec

from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.pushing.mirror.kept.state import SIZES_KEPT, MirrorState, latest
from cognee_dagster.pushing.resume import BegunImport


class NotedRuns:
    """The runs of a push, noted as soon as they are known: after a kill they are still told from others'.

    Args:
        state: The state before.
        is_shared: Whether mirrors beside this one cannot rely on these runs.
        save: Notes a state.

    Attributes:
        state: The state with the runs so far.
    """

    def __init__(self, state: MirrorState, *, is_shared: bool, save: Callable[[MirrorState], None]) -> None:
        self.state = state
        self._is_shared = is_shared
        self._save = save
        self._only_seen: str | None = None

    def note(self, num_nodes: int, run: BegunImport) -> None:
        """Remember a run that brings so many nodes, and forget one that was only seen, where it may be another's.

        A remote graph shows no texts of edges: that it was read back proves a run ours that was seen during its upload.
        """
        if run.known_by is KnownBy.REMOTE_GRAPH and run.run_id != self._only_seen:
            return
        before, state = self.state, self._without(self._only_seen)
        if run.known_by is not None:
            self._only_seen = run.run_id if run.known_by is KnownBy.RUN else None
            state = msgspec.structs.replace(
                state,
                run_ids=latest((*state.run_ids, run.run_id)),
                run_nodes=dict([*state.run_nodes.items(), (run.run_id, num_nodes)][-SIZES_KEPT:]),
                accounted=latest((*state.accounted, run.run_id)) if self._is_shared else state.accounted,
            )
        self.state = state
        if state != before:
            self._save(state)

    def _without(self, run_id: str | None) -> MirrorState:
        run_ids, accounted = (
            tuple(number for number in ids if number != run_id) for ids in (self.state.run_ids, self.state.accounted)
        )
        return msgspec.structs.replace(self.state, run_ids=run_ids, accounted=accounted)
