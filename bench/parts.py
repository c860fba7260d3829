"""What a part of the benchmark is, and which there are.

A part is a module with ``PACKAGES``, the packages whose releases its figures depend on, and ``run(setting)``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

# In the order in which they are run, and are on the page; imported when run, for they need much.
PARTS = ("export", "push", "sync", "overhead", "shards", "plan", "loading", "chain", "tick")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the parts are run with.

    Attributes:
        directory: Where data and results of runs are kept.
        rounds: How often each side is run.
        sizes: Nodes of the graphs to export.
        cognee_limit: Cognee exports graphs of up to so many nodes.
    """

    directory: Path
    rounds: int = 3
    sizes: tuple[int, ...] = (10_000, 20_000, 200_000, 1_000_000)
    cognee_limit: int = 200_000


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What was wanted of a figure, and what it is."""

    what: str
    wanted: str
    measured: str
    met: bool


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a part found out.

    Attributes:
        text: Tables and what else there is to say, in Markdown.
        goals: The project's goals that it bears on.
        pictures: SVG by file name; ``text`` shows them by this name.
    """

    text: str
    goals: tuple[Goal, ...] = ()
    pictures: Mapping[str, str] = field(default_factory=dict)


class Part(Protocol):
    """A module of ``PARTS``."""

    PACKAGES: tuple[str, ...]

    def run(self, setting: Setting) -> Findings:
        """Measure."""
        ...


def load(name: str) -> Part:
    """The part of that name."""
    return cast(Part, import_module(f"bench.{name}"))
