"""``cognee-dagster status``."""

from typing import TYPE_CHECKING

import click

from cognee_dagster import remote
from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.cli.options import TEXT, json_option, remote_connection, remote_dataset_id, remote_options
from cognee_dagster.cli.terminal import log_to_stderr, print_json, say, waiting

if TYPE_CHECKING:
    from cognee_dagster.remote.client import CogneeClient
    from cognee_dagster.remote.imports.verdict import ImportVerdict
    from cognee_dagster.remote.imports.watch import WatchedImport


@click.command(short_help="Say what has become of an import on the remote.")
@click.argument("pipeline_run_id", type=TEXT)
@click.option("--dataset", type=TEXT, metavar="NAME|UUID", help="The remote dataset; finds imports long past, too.")
@click.option("--wait", is_flag=True, help="Wait until it has ended or stalled.")
@remote_options
@json_option
def status(
    *, pipeline_run_id: str, dataset: str | None, wait: bool, url: str | None, api_key: str | None, as_json: bool
) -> None:
    """Say what has become of the import PIPELINE_RUN_ID on the remote.

    After a push in mode hybrid that is the graph's import; what the remote cognifies after it is another run,
    whose state `cognee-dagster runs` shows.

    With --json: pipeline_run_id, state (running, succeeded, failed, stalled, gone or unknown), reason, error_class,
    started_at, finished_at.
    """
    with log_to_stderr(reminders=not as_json), remote.CogneeClient(remote_connection(url, api_key)) as client:
        dataset_id = remote_dataset_id(client, dataset) if dataset else ""
        verdict = ask_remote(client, remote.WatchedImport(run_id=pipeline_run_id, dataset_id=dataset_id), wait=wait)
    if as_json:
        print_json(
            {
                "pipeline_run_id": pipeline_run_id,
                "state": verdict.state.value,
                "reason": verdict.reason,
                "error_class": verdict.error_class,
                "started_at": verdict.started_at and verdict.started_at.isoformat(),
                "finished_at": verdict.finished_at and verdict.finished_at.isoformat(),
            }
        )
    else:
        say(f"{pipeline_run_id} {verdict.state.value}: {verdict.reason}")
    raise click.exceptions.Exit(exit_code_of_import(verdict))


def ask_remote(client: "CogneeClient", item: "WatchedImport", *, wait: bool) -> "ImportVerdict":
    """What has become of an import; with ``wait`` what has become of it in the end.

    An import that the remote does not know is not waited for: a mistyped id would be waited for for ever.
    """
    import time

    verdict = remote.ImportWatch(feed=client, now=time.time(), stalled_after=remote.STALLED_AFTER).ask(item)
    if not wait or not verdict.state.is_under_way:
        return verdict
    with waiting("Waiting for the import …") as show:
        return remote.wait_for_import(
            client, item, stalled_after=remote.STALLED_AFTER, report=lambda current: show(f"Waiting: {current.reason}")
        )


def exit_code_of_import(verdict: "ImportVerdict") -> ExitCode:
    """The exit code for an import's state."""
    if verdict.state is remote.ImportState.SUCCEEDED:
        return ExitCode.OK
    if verdict.state.is_under_way:
        return ExitCode.STILL_RUNNING
    return (
        ExitCode.NO_DATASET
        if verdict.state in (remote.ImportState.GONE, remote.ImportState.UNKNOWN)
        else ExitCode.IMPORT_FAILED
    )
