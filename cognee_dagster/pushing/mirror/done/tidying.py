"""What of the records that nobody owns (``unowned``) a push deletes, and what of them is left then."""

from collections.abc import Iterator

import msgspec

from cognee_dagster.pushing.mirror.graph.generations import LETTERS
from cognee_dagster.pushing.mirror.plan.survey import MirrorSurvey
from cognee_dagster.pushing.mirror.seen.unowned import Unowned

# How many segments a mirror may have had whose state was lost: each push after one of another tool takes new numbers.
_STRAYS_TIMES = 4
_STRAYS_BEYOND = 16


def strays(found: MirrorSurvey) -> Iterator[tuple[int, str]]:
    """Names that a mirror of this owner may have left whose state was lost, where that goes with this push."""
    if found.tidies and found.unowned is not None and found.unowned.strays:
        letters = found.plan.letters
        numbers = range(_STRAYS_TIMES * len(letters) + _STRAYS_BEYOND)
        yield from ((one, letter) for one in numbers for letter in LETTERS if letters.get(one) != letter)


def unowned_after(found: MirrorSurvey, before: Unowned | None, *, adopts: bool) -> Unowned | None:
    """What there may be after a push, with the counts from before; None where nothing is known to be left.

    Args:
        found: What the push has done.
        before: What there was.
        adopts: Whether what others have brought was taken over.
    """
    if before is None:
        return None
    goes = found.tidies or found.empties
    return msgspec.structs.replace(
        before,
        nodes=0 if found.empties else before.nodes,
        edges=0 if found.empties else before.edges,
        strays=before.strays and not goes,
        whole=before.whole and not goes,
        others=before.others and not (adopts or found.empties),
    )


def unless_proven_none(counted: Unowned) -> Unowned | None:
    """None where nothing was counted, and nobody can have brought the same as the mirror."""
    return counted if counted.is_there or counted.is_ours or counted.others else None
