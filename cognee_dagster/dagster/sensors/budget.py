"""How much of a tick's time is left."""

import time
from collections.abc import Callable


class TimeBudget:
    """A share of a tick's time. Dagster abandons a sensor's tick after 60 s, and with it the events and the cursor.

    Args:
        seconds: How long from now.
        clock: Seconds from anywhere, never going back.
    """

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends_at = clock() + seconds

    @property
    def left(self) -> float:
        """Seconds left; 0 when there is none."""
        return max(0.0, self._ends_at - self._clock())

    def lasts(self) -> bool:
        """Whether there is time to begin something. Something always runs longer than an instant: asked before it."""
        return self.left > 0

    def part(self, share: float) -> "TimeBudget":
        """A budget of this share of what is left."""
        return TimeBudget(self.left * share, clock=self._clock)
