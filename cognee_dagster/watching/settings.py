"""How the import sensor watches."""

from dataclasses import dataclass

from cognee_dagster.remote.imports import STALLED_AFTER

# An import that could not be asked about for so long is reported as failed: the remote is gone, or its address changed.
UNANSWERED_AFTER_SECONDS = 7 * 86_400


@dataclass(frozen=True, kw_only=True)
class WatchSettings:
    """How the import sensor watches. All times are seconds.

    Attributes:
        time_budget: For one tick; Dagster gives it 60 s.
        stalled_after: Age from which an import without an end is reported as stalled. That report is final, so this is
            longer than any import takes: Cognee 1.6.5 needs 11 to 16 ms a node.
        reports_per_tick: How many imports are reported in one tick at most. Dagster needs about 40 ms to write one.
        questions_per_tick: How many imports are asked about singly in one tick at most.
    """

    time_budget: float = 40.0
    stalled_after: float = STALLED_AFTER.total_seconds()
    reports_per_tick: int = 200
    questions_per_tick: int = 50
