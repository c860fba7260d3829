"""What was found wrong with an archive, or with one of its files."""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cognee_dagster.cogx.advice import EXPORT_AGAIN
from cognee_dagster.cogx.schema import Manifest
from cognee_dagster.errors import reason_and_advice

MAX_PROBLEMS = 100
Verdict = Literal["taken", "changed", "refused"]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        reason: What, in words.
        file: In which file of the archive; None for the archive as a whole.
        line: In which line, from 1, if in one.
    """

    reason: str
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place += f", line {self.line}"
        return f"{place}: {self.reason}" if place else self.reason


@dataclass(frozen=True, kw_only=True)
class ValidationReport:
    """What ``validate_archive`` found.

    Attributes:
        path: The archive.
        problems: The first ``MAX_PROBLEMS`` things for which a Cognee server refuses the archive, after the upload.
        num_problems: How many there are.
        record_counts: Valid records by kind.
        member_bytes: Unpacked size by file name.
        warnings: The first ``MAX_PROBLEMS`` things that a server takes without a word, but not as they are said: facts
            that it drops, nodes that it makes up, attributes that it forgets.
        num_warnings: How many there are.
    """

    path: Path
    problems: tuple[Problem, ...]
    num_problems: int
    record_counts: dict[str, int]
    member_bytes: dict[str, int]
    warnings: tuple[Problem, ...] = ()
    num_warnings: int = 0

    @property
    def valid(self) -> bool:
        """Whether a server takes the archive."""
        return not self.num_problems

    @property
    def advice(self) -> str:
        """What to do about the problems; empty where each of them says so itself."""
        return "" if all(reason_and_advice(problem.reason)[1] for problem in self.problems) else EXPORT_AGAIN

    @property
    def verdict(self) -> Verdict:
        """``refused``; or ``taken`` as it is; or ``changed``: taken, but not as it is."""
        if self.num_problems:
            return "refused"
        return "changed" if self.num_warnings else "taken"


@dataclass
class Noted:
    """The first of many things, and how many there are."""

    first: list[Problem] = field(default_factory=list)
    count: int = 0

    def add(self, reason: str, *, file: str | None = None, line: int | None = None) -> None:
        self.count += 1
        if len(self.first) < MAX_PROBLEMS:
            self.first.append(Problem(reason=reason, file=file, line=line))

    def extend(self, other: "Noted") -> None:
        self.count += other.count
        self.first = [*self.first, *other.first][:MAX_PROBLEMS]


def _hashes() -> "array[int]":
    return array("Q")


@dataclass
class NodeIds:
    """By what facts may call the nodes: hashes of 8 bytes.

    Attributes:
        external: Of the ids in the records.
        names: Of the names of entities with a UUID, as Cognee normalizes them.
        only_names: Of the names of the other entities.
    """

    external: "array[int]" = field(default_factory=_hashes)
    names: "array[int]" = field(default_factory=_hashes)
    only_names: "array[int]" = field(default_factory=_hashes)

    def extend(self, other: "NodeIds") -> None:
        self.external.extend(other.external)
        self.names.extend(other.names)
        self.only_names.extend(other.only_names)


@dataclass
class Findings:
    """What was found in one file, or in all of them."""

    problems: Noted = field(default_factory=Noted)
    warnings: Noted = field(default_factory=Noted)
    counts: Counter[str] = field(default_factory=Counter)
    ids: NodeIds = field(default_factory=NodeIds)
    manifest: Manifest | None = None
    size: int = 0

    def extend(self, other: "Findings") -> None:
        """Add what was found in another file."""
        self.problems.extend(other.problems)
        self.warnings.extend(other.warnings)
        self.counts += other.counts
        self.ids.extend(other.ids)
        self.manifest = self.manifest or other.manifest
