"""A fake server's clock that a test moves by hand."""

from datetime import datetime, timedelta, timezone

from cognee_dagster.testing.state import Clock


class VirtualClock(Clock):
    """Stands still until it is moved; never the same moment twice, and ``skew`` seconds ahead of ours.

    Attributes:
        start: Our time when it begins.
        seconds: How many seconds have passed since.
    """

    def __init__(self, start: datetime | None = None) -> None:
        super().__init__()
        self.start = start or datetime.now(timezone.utc)
        self.seconds = 0.0
        self._ticks = 0

    def now(self) -> datetime:
        self._ticks += 1
        return self.start + timedelta(seconds=self.seconds + self.skew, microseconds=self._ticks)
