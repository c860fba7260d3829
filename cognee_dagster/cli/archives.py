"""``cognee-dagster archives list`` and ``prune``: what the archive store holds, and what of it may go."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from cognee_dagster import store
from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.cli.options import TEXT, json_option
from cognee_dagster.cli.settings import ARCHIVES_VARIABLE
from cognee_dagster.cli.stored import is_of_dataset, store_location
from cognee_dagster.cli.terminal import print_json, print_table, say, spelled_time
from cognee_dagster.errors import ArchiveNotStoredError, DatasetDefinitionError
from cognee_dagster.graph.counting import counted

if TYPE_CHECKING:
    from cognee_dagster.store.listing import ListedArchive
    from cognee_dagster.store.prune_plan import Judged, PruneReport

_DIGEST_SHOWN = 12

_dataset_argument = click.argument("dataset", required=False, type=TEXT)
_archives_option = click.option(
    "--archives", "location", type=TEXT, metavar="DIR|URL", help="Where archives are stored, as for push --archive."
)


class _Duration(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.3 only
    name = "duration"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return value if isinstance(value, int) else store.seconds_of(value)
        except DatasetDefinitionError as error:
            self.fail(str(error), param, ctx)


@click.group(short_help="Look at the archive store of the assets, and clear it up.")
def archives() -> None:
    """Look at the archive store of the assets, and remove from it what is no longer needed."""


@archives.command("list")
@_dataset_argument
@_archives_option
@json_option
def list_archives(*, dataset: str | None, location: str | None, as_json: bool) -> None:
    """List what the archive store holds, of one DATASET or of all.

    With --json: archives, each with dataset, partition, digest, num_nodes, num_edges, bytes, stored_at (Unix seconds)
    and kept_because (why a prune would leave it whatever it is told to keep); num_bytes; problems.
    """
    stored = store.ArchiveStore.at(store_location(location))
    report = store.list_archives(stored, wanted=_wanted(dataset))
    _require_some(report, stored, dataset, but="")
    if as_json:
        found = [_as_json(judged) for judged in report.kept]
        print_json({"archives": found, "num_bytes": sum(item["bytes"] for item in found), "problems": report.problems})
    elif not (report.kept or report.problems):
        say(_none_stored(dataset, store_location(location)))
    elif report.kept:
        print_table(
            ("dataset", "digest", "nodes", "edges", "bytes", "stored", "needed"), [_row(item) for item in report.kept]
        )
    _end(report, as_json=as_json)


@archives.command(short_help="Remove stored archives that neither rule keeps.")
@_dataset_argument
@click.option(
    "--keep-last",
    type=click.IntRange(min=1, max=store.MAX_LAST),
    metavar="N",
    help="Keep the last N archives of each dataset, and of each of its partitions. An unchanged graph's counts once.",
)
@click.option(
    "--keep-within",
    type=_Duration(),
    metavar="DURATION",
    help="Keep what a run has written since: 12h, 30d or 8w.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@_archives_option
@json_option
def prune(
    *,
    dataset: str | None,
    keep_last: int | None,
    keep_within: int | None,
    dry_run: bool,
    location: str | None,
    as_json: bool,
) -> None:
    """Remove stored archives that neither rule keeps, of one DATASET or of all.

    Kept in any case: the newest archive of each dataset, the latest snapshot of its graph, what a mirror has confirmed,
    what an import needs that is not confirmed, and what somebody reads or writes right now, on whichever host.

    With --json: dry_run, removed and kept (each with the fields that archives list has), leftover_files (that nothing
    named), bytes_freed, problems.
    """
    if keep_last is None and keep_within is None:
        raise click.UsageError("Say what to keep: --keep-last N, --keep-within 30d, or both.")
    stored = store.ArchiveStore.at(store_location(location))
    report = store.prune_archives(
        stored, store.Keep(last=keep_last, within=keep_within), wanted=_wanted(dataset), dry_run=dry_run
    )
    _require_some(report, stored, dataset, but=" Nothing was removed.")
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "removed": [_as_json(judged) for judged in report.removed],
                "kept": [_as_json(judged) for judged in report.kept],
                "leftover_files": report.leftover_files,
                "bytes_freed": report.bytes_freed,
                "problems": report.problems,
            }
        )
    elif not (report.is_empty and report.problems):
        _say(report, dry_run=dry_run)
    _end(report, as_json=as_json)


def _wanted(dataset: str | None) -> "Callable[[ListedArchive], bool] | None":
    return None if dataset is None else lambda archive: is_of_dataset(archive, dataset)


def _require_some(report: "PruneReport", stored: store.ArchiveStore, dataset: str | None, *, but: str) -> None:
    """What was named, a store or a dataset in it, has to be there.

    Raises:
        ArchiveNotStoredError: It is not.
    """
    if not report.is_empty or report.problems:
        return
    if not stored.base.exists():
        raise ArchiveNotStoredError(
            f"There is no archive store {stored.base}.{but} The first archive that an asset writes makes it; where it "
            f"is said to be somewhere else, name that with --archives or {ARCHIVES_VARIABLE}."
        )
    if dataset:
        raise ArchiveNotStoredError(
            f"{_none_stored(dataset, str(stored.base))}{but} `cognee-dagster archives list` shows what a store has."
        )


def _none_stored(dataset: str | None, location: str) -> str:
    return f"No archive{f' of {dataset}' if dataset else ''} is stored in {location}."


def _say(report: "PruneReport", *, dry_run: bool) -> None:
    removed, are_freed = ("Would remove", "would be freed") if dry_run else ("Removed", "freed")
    lines = [f"{removed} {judged.listed}: {judged.size:,} bytes" for judged in report.removed]
    leftovers = f" and {counted(report.leftover_files, 'file')} that nothing named" if report.leftover_files else ""
    lines.append(
        f"{removed} {counted(len(report.removed), 'archive')}{leftovers}: {report.bytes_freed:,} bytes {are_freed}, "
        f"{counted(len(report.kept), 'archive')} kept."
    )
    say("\n".join(lines))


def _end(report: "PruneReport", *, as_json: bool) -> None:
    if not report.problems:
        return
    if not as_json:
        for problem in report.problems:
            say(f"Error: {problem}", err=True)
    raise click.exceptions.Exit(ExitCode.FAILED)


def _as_json(judged: "Judged") -> dict[str, Any]:
    listed = judged.listed
    files = [file.archive for file in listed.stored.files]
    return {
        "dataset": "/".join(listed.place),
        "partition": listed.partition,
        "digest": listed.digest,
        "num_nodes": sum(archive.num_nodes for archive in files),
        "num_edges": sum(archive.num_edges for archive in files),
        "bytes": judged.size,
        "stored_at": listed.stored_at,
        "kept_because": list(judged.reasons),
    }


def _row(judged: "Judged") -> Sequence[str]:
    values = _as_json(judged)
    return (
        judged.listed.owner,
        judged.listed.digest[:_DIGEST_SHOWN],
        *(f"{values[name]:,}" for name in ("num_nodes", "num_edges", "bytes")),
        spelled_time(judged.listed.stored_moment),
        "; ".join(judged.reasons),
    )
