"""How the sensors watch, and what they do about a failure."""

from dataclasses import dataclass

from cognee_dagster.remote.imports.verdict import STALLED_AFTER

# An import that could not be asked about for so long is reported as failed: the remote is gone, or its address changed.
UNANSWERED_AFTER_SECONDS = 7 * 86_400

# A database hands out ids before it commits, so that a lower one can become visible after a higher one. No transaction
# of Dagster's takes this long. It is measured by the sensor's own clock: others may be off.
COMMITTED_AFTER_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class WatchPolicy:
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


@dataclass(frozen=True, kw_only=True)
class RepushPolicy:
    """What to do when a background import fails or stalls.

    Attributes:
        attempts: How often to push again at most; 0: report only.
        run_in_background: Whether the new push returns as soon as the remote has taken over; False waits for the import
            and so occupies a run, but needs no proxy's consent.
    """

    attempts: int = 2
    run_in_background: bool = True
