"""``cognee-dagster push``."""

import dataclasses
import time
from typing import TYPE_CHECKING

import click

from cognee_dagster import pushing, remote, sources
from cognee_dagster.cli.ending import done_so_far
from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.cli.mirror import mirror_options, print_plan, pushed_in_words
from cognee_dagster.cli.options import NUM_BYTES, TEXT, json_option, remote_connection, remote_options
from cognee_dagster.cli.progress_lines import chosen_lines, progress_option
from cognee_dagster.cli.source import Source, source_options, target_option
from cognee_dagster.cli.status import ask_remote, exit_code_of_import
from cognee_dagster.cli.stored import archive_option, archives_option, stored_archive
from cognee_dagster.cli.terminal import log_to_stderr, print_json, progress_bars, say
from cognee_dagster.cogx.format import MAX_MEMBER_BYTES, MAX_TOTAL_BYTES, Limits
from cognee_dagster.graph.counting import counted
from cognee_dagster.sources.places import is_place

if TYPE_CHECKING:
    from cognee_dagster.cli.progress_lines import ProgressLines
    from cognee_dagster.cli.terminal import Bars
    from cognee_dagster.pushing.archives import PushResult
    from cognee_dagster.pushing.mirror.options import MirrorOptions
    from cognee_dagster.pushing.options import PushOptions
    from cognee_dagster.pushing.progress import PushProgress
    from cognee_dagster.remote.connection import Connection
    from cognee_dagster.remote.imports.verdict import ImportVerdict


@click.command(short_help="Upload SOURCE to a remote Cognee.")
@source_options
@target_option
@click.option(
    "--mode",
    type=TEXT,
    default="preserve",
    show_default=True,
    metavar="preserve|hybrid|re-derive",
    help="preserve maps the graph as it is; hybrid also cognifies the raw content on the remote; re-derive builds the "
    "graph there again.",
)
@click.option("--background", is_flag=True, help="Return when the remote has taken the archive over.")
@click.option(
    "--wait",
    is_flag=True,
    help="With --background: wait until the remote has finished the import. Without it a push waits anyway.",
)
@click.option(
    "--max-archive-bytes",
    type=NUM_BYTES,
    metavar="BYTES|5MB|2GiB",
    default=MAX_TOTAL_BYTES,
    show_default=True,
    help="What the remote unpacks at most. A graph beyond that is pushed in several archives.",
)
@click.option(
    "--max-file-bytes",
    type=NUM_BYTES,
    metavar="BYTES|5MB|2GiB",
    default=MAX_MEMBER_BYTES,
    show_default=True,
    help="What one file in an archive may have at most.",
)
@mirror_options
@click.option("--dry-run", is_flag=True, help="With --sync incremental: print what would be done, and do nothing.")
@archive_option
@archives_option
@remote_options
@progress_option
@json_option
def push(
    *,
    source: Source,
    target_dataset: str | None,
    mode: str,
    background: bool,
    wait: bool,
    max_archive_bytes: int,
    max_file_bytes: int,
    mirror: "MirrorOptions | None",
    dry_run: bool,
    archive: str | None,
    archives: str | None,
    url: str | None,
    api_key: str | None,
    as_json: bool,
) -> None:
    """Upload SOURCE to a remote Cognee: a local dataset's name, or else its UUID; or a graph file, a folder that holds
    a graph, or a URL; or a COGX archive of whichever system, packed or as the directory that cognee.export() writes,
    which is sent exactly as it is. With --archive, SOURCE is the dataset of a stored archive. Without SOURCE, Cognee's
    default dataset (main_dataset).

    A graph beyond the remote's limits goes in several archives, one after another; a push that failed goes on after the
    last one that arrived. With --background only the last one's import is left to itself.

    With --sync incremental the remote dataset becomes a mirror: what has changed since the last push is sent, and what
    is gone is removed. `cognee-dagster plan` says before what that would be.

    With --json: status, dataset_name, target_dataset, num_nodes, num_edges, remote_response, pipeline_run_id.
    """
    background = _is_in_background(background, wait=wait, mirror=mirror)
    if archives is not None and archive is None:
        raise click.UsageError("--archives says where --archive is looked for, and that is not given.")
    if dry_run and mirror is None:
        raise click.UsageError("--dry-run says what --sync incremental would do, and that is not given.")
    is_archive = archive is not None or (is_place(source.text) and sources.is_archive(source.text))
    if is_archive:
        _refuse_what_is_not_about_archives()
    options = pushing.PushOptions(target_dataset=target_dataset, mode=mode, run_in_background=background)
    connection = remote_connection(url, api_key)
    if dry_run:
        print_plan(source, connection=connection, options=options, mirror=mirror, as_json=as_json)
        return
    with progress_bars(reminders=not as_json) as bars:
        progress = _told_to(bars)
        if is_archive:
            result = _send_as_it_is(
                source.text, archive, location=archives, connection=connection, options=options, progress=progress
            )
        else:
            result = pushing.push_graph(
                source.open(),
                connection=connection,
                options=options,
                mirror=mirror,
                limits=Limits(total_bytes=max_archive_bytes, member_bytes=max_file_bytes),
                progress=progress,
            )
    code, reason = ExitCode.OK, ""
    if wait and remote.ImportState.of_status(result.status).is_under_way:
        result, code, reason = _seen_through(result, mode=mode, connection=connection, as_json=as_json)
    if code is ExitCode.OK and (reason := _incomplete(result)):
        code = ExitCode.IMPORT_FAILED
    _end(result, code=code, reason=reason, as_json=as_json)


def _seen_through(
    result: "PushResult", *, mode: str, connection: "Connection", as_json: bool
) -> tuple["PushResult", ExitCode, str]:
    """The result once the import has ended, and what the command ends with; what is known by now is told anyway."""
    done_so_far(
        _in_words(result),
        pipeline_run_id=result.pipeline_run_id,
        target_dataset=result.target_dataset,
        status=result.status,
    )
    with log_to_stderr(reminders=not as_json):
        verdict = _wait(result, mode=mode, connection=connection)
    return dataclasses.replace(result, status=verdict.state.status), exit_code_of_import(verdict), verdict.reason


def _told_to(bars: "Bars | ProgressLines") -> "PushProgress":
    return pushing.PushProgress(
        on_export=bars.export,
        on_begin=bars.begin,
        on_shard=bars.shard,
        on_upload=bars.upload,
        on_delivered=bars.delivered,
    )


def _send_as_it_is(
    source: str,
    archive: str | None,
    *,
    location: str | None,
    connection: "Connection",
    options: "PushOptions",
    progress: "PushProgress",
) -> "PushResult":
    """Push an archive: the stored one of the dataset ``source``, or the file or directory of that name."""
    if archive is None:
        return pushing.push_archive_file(source, connection=connection, options=options, progress=progress)
    with stored_archive(source, archive, location=location).local() as found:
        return pushing.push_as_they_are(found, connection=connection, options=options, progress=progress)


def _end(result: "PushResult", *, code: ExitCode, reason: str, as_json: bool) -> None:
    """Say what became of the push, and exit with ``code`` where that is not ``OK``."""
    if as_json:
        print_json(dataclasses.asdict(result))
    else:
        say(_in_words(result))
        if mirror := result.remote_response.get("mirror"):
            say(pushed_in_words(mirror))
    lines = chosen_lines()
    if code is ExitCode.OK:
        if lines:
            lines.pushed(result)
        return
    if lines:
        lines.tell("failed", status=result.status, reason=reason, exit_code=int(code))
    else:
        say(f"Error: {reason}", err=True)
    raise click.exceptions.Exit(code)


def _incomplete(result: "PushResult") -> str:
    """What the remote says itself that it has not read of what was sent; empty where it says nothing of the kind."""
    unread = result.remote_response.get("incomplete") or []
    archives = (result.remote_response.get("mirror") or {}).get("archives_incomplete", 0)
    if not (unread or archives):
        return ""
    what = " ".join(unread) or f"It has not read all records of {counted(archives, 'archive')}. Push again."
    return f"Not everything has arrived in {result.target_dataset!r}, though the remote says {result.status}: {what}"


def _in_words(result: "PushResult") -> str:
    nodes, edges = counted(result.num_nodes, "node"), counted(result.num_edges, "edge")
    run = "" if result.pipeline_run_id is None else f"\npipeline_run_id: {result.pipeline_run_id}"
    return f"Pushed {result.dataset_name} ({nodes}, {edges}) to {result.target_dataset}: {result.status}{run}"


def _is_in_background(background: bool, *, wait: bool, mirror: "MirrorOptions | None") -> bool:
    """Whether the push is in the background; options that change nothing are named."""
    if background and mirror is not None:
        say("--background changes nothing here: a push to a mirror waits for its imports.", err=True)
        return False
    if wait and not background:
        say("--wait changes nothing here: without --background a push waits for the end of the import.", err=True)
    return background


def _refuse_what_is_not_about_archives() -> None:
    """Options about how a graph is read and packed cannot be heeded where what is sent is there already."""
    context = click.get_current_context()
    for name in ("mapping", "profile", "user", "max_archive_bytes", "max_file_bytes", "sync"):
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name.replace('_', '-')} changes nothing here: an archive is sent as it is.")


def _wait(result: "PushResult", *, mode: str, connection: "Connection") -> "ImportVerdict":
    with remote.CogneeClient(connection) as client:
        dataset = client.find_dataset(result.target_dataset)
        watched = remote.WatchedImport(
            run_id=result.pipeline_run_id or "",
            dataset_id=dataset.id if dataset else "",
            pushed_at=time.time(),
            delivered_at=result.delivered_at,
            cognifies=remote.cognify_follows(status=result.status, mode=mode),
        )
        return ask_remote(client, watched, wait=True)
