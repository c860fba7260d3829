"""What archives a prune keeps, as users say it: the last so many of each dataset, those of the last so many days."""

import re
from dataclasses import dataclass

from cognee_dagster.errors import DatasetDefinitionError

MAX_LAST = 1_000_000
DURATION_FORM = "a whole number with a unit: 12h, 30d or 8w"
LAST_FORM = "a whole number, 1 or more"

_DURATION = re.compile(r"([1-9][0-9]{0,5})([hdw])", re.ASCII)
_SECONDS = {"h": 3_600, "d": 86_400, "w": 7 * 86_400}


@dataclass(frozen=True, kw_only=True)
class Keep:
    """What is kept: whatever one of the rules names.

    Attributes:
        last: Of each dataset, so many archives, the newest; an unchanged graph's counts once.
        within: Seconds; archives that a run has written since then.
        at_least: Seconds; what is younger is kept besides, whatever else is said.

    Raises:
        DatasetDefinitionError: Neither is given, or ``last`` is no number of archives.
    """

    last: int | None = None
    within: int | None = None
    at_least: int = 0

    def __post_init__(self) -> None:
        if self.last is None and self.within is None:
            raise DatasetDefinitionError(
                f"What is to be kept is not said. Give the number of archives ({LAST_FORM}), a duration "
                f"({DURATION_FORM}), or both."
            )
        if self.last is not None and (isinstance(self.last, bool) or not 1 <= self.last <= MAX_LAST):
            raise DatasetDefinitionError(f"{self.last!r} is no number of archives to keep. Give {LAST_FORM}.")

    def reason(self, *, rank: int, age: float) -> str | None:
        """Why an archive is kept; None where no rule names it.

        Args:
            rank: How many of its dataset are newer.
            age: Seconds since a run last wrote it.
        """
        if self.last is not None and rank < self.last:
            return f"one of the last {self.last}" if self.last > 1 else "the last one"
        if self.within is not None and age <= self.within:
            return f"within {spelled_duration(self.within)}"
        return f"younger than {spelled_duration(self.at_least)}" if age < self.at_least else None


def seconds_of(duration: str) -> int:
    """A duration as users write it, ``30d``, in seconds.

    Raises:
        DatasetDefinitionError: It is none; the message says what one looks like.
    """
    found = _DURATION.fullmatch(duration)
    if found is None:
        raise DatasetDefinitionError(f"{duration[:40]!r} is no duration. Give {DURATION_FORM}.")
    return int(found[1]) * _SECONDS[found[2]]


def spelled_duration(seconds: int) -> str:
    """Seconds as users write them: in days where they are whole ones."""
    days, rest = divmod(seconds, _SECONDS["d"])
    return f"{days}d" if not rest else f"{seconds // _SECONDS['h']}h"
