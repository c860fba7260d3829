"""Counts in words: "1 edge", "2 edges"."""

from collections.abc import Mapping
from itertools import islice


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """The number, with separators, and its noun in the right form.

    Args:
        number: How many.
        singular: A noun, perhaps with its verb: ``"entity has"``.
        plural: The same of several; default: with an "s" behind it.
    """
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"


def with_counts(counts: Mapping[str, int], *, limit: int = 20) -> str:
    """Names with their counts, in their order: ``weight (2), note (1) and 3 more``.

    Args:
        counts: By name.
        limit: How many are named.
    """
    named = [f"{' '.join(name.split())} ({count:,})" for name, count in islice(counts.items(), limit)]
    return ", ".join(named) + and_more(len(counts) - limit)


def and_more(number: int) -> str:
    """`` and 3 more``; empty where there are no more than were named."""
    return f" and {number:,} more" if number > 0 else ""
