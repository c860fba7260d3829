"""What a tick says about itself in the UI."""

from collections import Counter
from dataclasses import dataclass, field

_ORDER = (
    "finished",
    "failed",
    "stalled",
    "superseded",
    "reported by another sensor",
    "to be reported next",
    "running",
    "not found yet",
    "pushed elsewhere",
    "not asked this time",
)
_MAX_NOTES = 3


@dataclass
class TickSummary:
    """Counts of imports by what became of them, and what else is worth saying."""

    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def count(self, what: str, number: int = 1) -> None:
        """``what`` is one of the words in ``_ORDER``."""
        self.counts[what] += number

    def note(self, text: str) -> None:
        """A sentence; only the first few different ones are shown."""
        if text not in self.notes:
            self.notes.append(text)

    def __str__(self) -> str:
        counted = ", ".join(f"{self.counts[what]} {what}" for what in _ORDER if self.counts[what])
        shown = self.notes[:_MAX_NOTES]
        if len(self.notes) > _MAX_NOTES:
            shown.append(f"… and {len(self.notes) - _MAX_NOTES} more, see the sensor's log.")
        return " ".join([f"{counted or 'No import is pending'}.", *shown])
