"""Markdown."""

from collections.abc import Iterable, Sequence

from bench.parts import Goal

_MEBI = 1 << 20


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a column whose head begins with ``<`` is text, all others are figures."""
    marks = ["---" if head.startswith("<") else "---:" for head in heads]
    lines = ([head.lstrip("<") for head in heads], marks, *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def goals_table(goals: Iterable[Goal]) -> str:
    """What was wanted, what is, and whether that will do."""
    rows = ((goal.what, goal.wanted, goal.measured, yes(goal.met)) for goal in goals)
    return table(("<goal", "<wanted", "<measured", "<met"), rows)


def yes(value: bool | None) -> str:
    """A truth; what is not as it should be stands out."""
    return "-" if value is None else "yes" if value else "**no**"


def seconds(value: float) -> str:
    """Three digits."""
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s" if value < 100 else f"{value:.0f} s"


def mebibytes(value: int) -> str:
    """Bytes as MiB."""
    return f"{value / _MEBI:,.0f} MiB"


def times(value: float) -> str:
    """A ratio."""
    return f"{value:.1f}x"
