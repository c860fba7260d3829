"""What a prune of one place does: which archives go, which stay, and why. Pure: nothing is read or removed here."""

from collections.abc import Callable, Collection, Iterable, Sequence, Set
from dataclasses import dataclass, field

from cognee_dagster.store.keep import Keep
from cognee_dagster.store.listing import ListedArchive
from cognee_dagster.store.place import Place, PlacedArchive

NEWEST = "the newest"
SNAPSHOT_OF_GRAPH = "the latest snapshot of the graph"
NOT_ASKED_FOR = "of a dataset that was not asked for"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """An archive, and what becomes of it.

    Attributes:
        archive: It.
        reasons: Why it is kept; none where it is removed.
        size: Bytes of its files; of one that is removed, of those that go with it.
        blobs: The files that go with it: not those that an archive shares which is kept, or is removed after it.
    """

    archive: PlacedArchive
    reasons: tuple[str, ...] = ()
    size: int
    blobs: frozenset[str] = frozenset()

    @property
    def listed(self) -> ListedArchive:
        """What the store says of it."""
        return self.archive.listed


@dataclass(kw_only=True)
class PruneReport:
    """What a prune has done, or would do.

    Attributes:
        removed: Archives that are gone.
        kept: Those that are left, and why.
        leftover_files: How many files are gone that nothing named, such as those of writers that were killed.
        leftover_bytes: Their bytes.
        problems: Why places were left alone, wholly or in part.
    """

    removed: list[Judged] = field(default_factory=list)
    kept: list[Judged] = field(default_factory=list)
    leftover_files: int = 0
    leftover_bytes: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found."""
        return not (self.removed or self.kept or self.leftover_files)

    @property
    def bytes_freed(self) -> int:
        """Of archives and of what nothing named."""
        return sum(judged.size for judged in self.removed) + self.leftover_bytes


@dataclass(frozen=True, kw_only=True)
class PlacePlan:
    """What is to be done in one place.

    Attributes:
        place: What is there.
        removed: Archives that go.
        kept: Archives that stay.
        unnamed: Files that go, and that nothing named before.
    """

    place: Place
    removed: tuple[Judged, ...]
    kept: tuple[Judged, ...]
    unnamed: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.removed or self.unnamed)

    @property
    def concerned(self) -> frozenset[str]:
        """The files of all that goes, those among them that something kept shares included."""
        return frozenset(blob for judged in self.removed for blob in judged.archive.blobs) | frozenset(self.unnamed)

    def add_to(self, report: PruneReport) -> None:
        """Report it as done."""
        report.removed += self.removed
        report.kept += self.kept
        report.leftover_files += len(self.unnamed)
        report.leftover_bytes += size_of(self.place, self.unnamed)


def plan_place(
    place: Place,
    keep: Keep,
    *,
    now: float,
    wanted: Callable[[ListedArchive], bool] | None = None,
    only: Collection[str] | None = None,
) -> PlacePlan:
    """What a prune would do in a place.

    Args:
        place: What is there.
        keep: The rules.
        now: Unix seconds.
        wanted: Which datasets' archives may go; None: all.
        only: The files of which anything may be removed; None: all.
    """
    reasons = [
        tuple(always_kept(archive, rank=rank))
        or (() if wanted is None or wanted(archive.listed) else (NOT_ASKED_FOR,))
        or _by_rule(keep, rank=rank, age=now - archive.listed.stored_at)
        for rank, archive in enumerate(place.archives)
    ]
    if only is not None:
        reasons = [
            why or (() if set(archive.blobs) <= set(only) else ("written since the prune began",))
            for archive, why in zip(place.archives, reasons, strict=True)
        ]
    judged = list(zip(place.archives, reasons, strict=True))
    needed = {blob for archive, why in judged if why for blob in archive.blobs}
    return PlacePlan(
        place=place,
        removed=_removed(place, [archive for archive, why in judged if not why], needed=needed),
        kept=tuple(Judged(archive=archive, reasons=why, size=archive.size) for archive, why in judged if why),
        unnamed=tuple(name for name in place.unnamed if only is None or name in only),
    )


def _removed(place: Place, archives: Sequence[PlacedArchive], *, needed: Set[str]) -> tuple[Judged, ...]:
    """In the order of removal: a file goes with the last archive that names it."""
    counted = set(needed)
    removed: list[Judged] = []
    for archive in reversed(archives):
        own = frozenset(archive.blobs) - counted
        counted |= own
        removed.append(Judged(archive=archive, size=size_of(place, own), blobs=own))
    return tuple(reversed(removed))


def always_kept(archive: PlacedArchive, *, rank: int) -> Iterable[str]:
    """Why an archive is kept whatever the rules say; ``rank``: how many of its place are newer."""
    if rank == 0 or archive.listed.is_latest:
        yield NEWEST
    if archive.is_snapshot:
        yield SNAPSHOT_OF_GRAPH
    if archive.why is not None:
        yield archive.why


def _by_rule(keep: Keep, *, rank: int, age: float) -> tuple[str, ...]:
    rule = keep.reason(rank=rank, age=age)
    return () if rule is None else (rule,)


def size_of(place: Place, blobs: Iterable[str]) -> int:
    """Bytes of files of a place."""
    return sum(place.sizes.get(blob, 0) for blob in blobs)
