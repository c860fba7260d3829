"""``prune_archives()``: remove what no rule keeps and nobody needs; killed anywhere, it leaves a whole store.

What points to an archive goes before its files, so that no pointer ever leads nowhere. Files are shared by archives of
one content: only those go that nothing kept names.
"""

import time
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING

from cognee_dagster.errors import ArchiveError
from cognee_dagster.store.archives import ArchiveStore
from cognee_dagster.store.files import remove
from cognee_dagster.store.holds import ANNOUNCED_SECONDS, announced, clear_ended
from cognee_dagster.store.keep import Keep
from cognee_dagster.store.listing import ListedArchive
from cognee_dagster.store.place import PlacedArchive, read_place
from cognee_dagster.store.pointers import BLOBS
from cognee_dagster.store.prune_plan import Judged, PlacePlan, PruneReport, always_kept, plan_place, size_of
from cognee_dagster.system.files import NO_ROOM

if TYPE_CHECKING:  # fsspec comes with it
    from upath import UPath


def prune_archives(
    store: ArchiveStore,
    keep: Keep,
    *,
    wanted: Callable[[ListedArchive], bool] | None = None,
    dry_run: bool = False,
) -> PruneReport:
    """Remove the archives that no rule keeps.

    Kept whatever the rules say: the newest archive of each place and of each partition, the latest snapshot of a graph,
    and what somebody holds: who reads or writes it, a mirror that has it, an import that is not confirmed. A place in
    which anything cannot be read is left alone.

    Args:
        store: Where they are.
        keep: The rules.
        wanted: Which datasets' archives; default: all. A place that has some of them is read, and of the others there
            all are kept.
        dry_run: Only say what would be removed.
    """
    report = PruneReport()
    for directory in store.directories(failed=partial(_tell_unpruned, report)):
        prune_place(store, directory, keep, report=report, wanted=wanted, dry_run=dry_run)
    _tell_gone(report)
    return report


def list_archives(store: ArchiveStore, *, wanted: Callable[[ListedArchive], bool] | None = None) -> PruneReport:
    """What a store holds, all of it as ``kept``, with why a prune would leave it whatever its rules say.

    Args:
        store: Where they are.
        wanted: Which datasets' archives; default: all.
    """
    report = PruneReport()
    for directory in store.directories(failed=partial(_tell_unread, report)):
        try:
            found = enumerate(read_place(store, directory).archives)
        except Exception as error:
            _tell_unread(report, directory, error)
            continue
        report.kept += [
            Judged(archive=archive, reasons=tuple(always_kept(archive, rank=rank)), size=archive.size)
            for rank, archive in found
            if wanted is None or wanted(archive.listed)
        ]
    _tell_gone(report)
    return report


def prune_place(
    store: ArchiveStore,
    directory: "UPath",
    keep: Keep,
    *,
    report: PruneReport,
    wanted: Callable[[ListedArchive], bool] | None = None,
    dry_run: bool = False,
) -> None:
    """Prune one directory of the store, and add to a report what was done; what goes wrong there is told in it, too."""
    began = time.monotonic()
    try:
        place = read_place(store, directory)
        if wanted is not None and not any(wanted(archive.listed) for archive in place.archives):
            return
        plan = plan_place(place, keep, now=time.time(), wanted=wanted)
        if dry_run:
            plan.add_to(report)
        elif plan.is_empty:
            clear_ended(directory, now=time.time())
            plan.add_to(report)
        else:
            again = partial(_read_again, store, directory, keep, wanted)
            _carry_out(store, again, first=plan, took=time.monotonic() - began, report=report)
    except Exception as error:  # the others are pruned all the same
        _tell_unpruned(report, directory, error)


def _tell_gone(report: PruneReport) -> None:
    """Name the archives that are kept, and of which there is not all."""
    for judged in report.kept:
        if gone := judged.archive.gone:
            report.problems.append(
                f"{judged.listed} is not there: {', '.join(gone)} is gone from the archive store. Materialize the "
                "archive again."
            )


def _tell_unread(report: PruneReport, directory: "UPath", error: Exception) -> None:
    report.problems.append(f"{directory} cannot be read: {_in_words(error)}")


def _tell_unpruned(report: PruneReport, directory: "UPath", error: Exception) -> None:
    words = _in_words(error)
    if isinstance(error, ArchiveError):
        problem = f"{directory} was left alone, since it cannot be told what is needed there: {words}"
    else:
        problem = f"{directory} was left alone, wholly or in part: {words}"
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            problem += ". A prune notes what it is about to remove: make room for some kilobytes, and prune again."
    report.problems.append(problem)


def _in_words(error: Exception) -> str:
    """File systems raise their own kinds of errors, which say little without their names."""
    return str(error) if isinstance(error, ArchiveError) else f"{type(error).__name__}: {error}"


def _read_again(
    store: ArchiveStore,
    directory: "UPath",
    keep: Keep,
    wanted: Callable[[ListedArchive], bool] | None,
    *,
    only: Collection[str] | None = None,
) -> PlacePlan:
    return plan_place(read_place(store, directory), keep, now=time.time(), wanted=wanted, only=only)


def _carry_out(
    store: ArchiveStore, again: Callable[..., PlacePlan], *, first: PlacePlan, took: float, report: PruneReport
) -> None:
    """Announce what is to go, look again who needs it, and remove the rest; so often as one announcement is too short.

    Args:
        store: The store.
        again: What is to go now, of these files ``only``.
        first: What is to go.
        took: Seconds that it takes to read the place.
        report: What is done is added to it.
    """
    directory = first.place.directory
    while True:
        valid = ANNOUNCED_SECONDS + 4 * took
        deadline = time.monotonic() + valid / 2
        with announced(directory, first.concerned, seconds=valid):
            clear_ended(directory, now=time.time())
            plan = again(only=first.concerned)
            done, left = _remove_planned(store, plan, deadline=deadline, report=report)
        if not left:
            report.kept += plan.kept
            return
        if not done:
            report.problems.append(f"{directory} could not be read in time. Prune it again when the store is faster.")
            return
        first = again()


def _remove_planned(store: ArchiveStore, plan: PlacePlan, *, deadline: float, report: PruneReport) -> tuple[int, int]:
    """Remove archives and then files that nothing names, while the announcement holds; how many are done, and left."""
    todo: list[Judged | str] = [*plan.removed, *plan.unnamed]
    for done, each in enumerate(todo):
        if time.monotonic() >= deadline:
            return done, len(todo) - done
        if isinstance(each, Judged):
            _remove(store, plan, each)
            report.removed.append(each)
        elif remove(plan.place.directory / BLOBS / each):
            report.leftover_files += 1
            report.leftover_bytes += size_of(plan.place, [each])
    return len(todo), 0


def _remove(store: ArchiveStore, plan: PlacePlan, judged: Judged) -> None:
    """Remove an archive's pointers, then its files; whoever removed some of them removes the others."""
    for pointer in judged.archive.runs:
        if _still_points(store, pointer, judged.archive):
            remove(pointer)
    for blob in judged.blobs:
        remove(plan.place.directory / BLOBS / blob)


def _still_points(store: ArchiveStore, pointer: "UPath", archive: PlacedArchive) -> bool:
    """Whether its run has not written another archive since."""
    try:
        return store.read_pointer(pointer)[0].blobs == archive.blobs
    except (ArchiveError, FileNotFoundError):
        return False
