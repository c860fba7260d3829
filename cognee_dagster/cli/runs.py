"""``cognee-dagster runs``."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from cognee_dagster import remote
from cognee_dagster.cli.options import TEXT, json_option, remote_connection, remote_dataset_id, remote_options
from cognee_dagster.cli.terminal import log_to_stderr, print_json, print_table, say, spelled_time

if TYPE_CHECKING:
    from cognee_dagster.remote.imports.listing import ListedImport
    from cognee_dagster.remote.imports.verdict import ImportVerdict


@click.command(short_help="List the imports that the remote knows, the newest first.")
@click.option("--dataset", type=TEXT, metavar="NAME|UUID", help="Only the imports into this remote dataset.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="How many imports at most.")
@remote_options
@json_option
def runs(*, dataset: str | None, limit: int, url: str | None, api_key: str | None, as_json: bool) -> None:
    """List the imports that the remote knows, the newest first: run, dataset, state, begin, duration.

    Where a cognify run followed an import at once, as after a push in mode hybrid, the state is that run's.

    With --json: runs, each with pipeline_run_id, dataset_name, dataset_id, cognified, state, reason, error_class,
    started_at, finished_at, seconds.
    """
    with log_to_stderr(reminders=not as_json), remote.CogneeClient(remote_connection(url, api_key)) as client:
        dataset_id = remote_dataset_id(client, dataset) if dataset else None
        found = remote.list_imports(client, dataset_id=dataset_id, limit=limit)
    if as_json:
        shown = [
            {
                "pipeline_run_id": item.run_id,
                "dataset_name": item.dataset_name,
                "dataset_id": item.dataset_id,
                "cognified": item.cognified,
            }
            | _of_verdict(item.verdict)
            for item in found
        ]
        print_json({"runs": shown})
    elif not found:
        say("The remote shows no imports.")
    else:
        header = ("run", "dataset", "state", "begun", "took")
        rows = [
            (
                item.run_id,
                item.dataset_name or "(deleted)",
                spelled_state(item),
                spelled_time(item.verdict.started_at),
                _spelled_seconds(item.verdict),
            )
            for item in found
        ]
        print_table(header, rows)


def spelled_state(item: "ListedImport") -> str:
    """The state of a listed import; where it is another than success, with the run that it is of."""
    verdict = item.verdict
    of_what = "cognify " if item.cognified and verdict.state is not remote.ImportState.SUCCEEDED else ""
    return of_what + verdict.state.value + (f" ({verdict.error_class})" if verdict.error_class else "")


def _of_verdict(verdict: "ImportVerdict") -> dict[str, Any]:
    return {
        "state": verdict.state.value,
        "reason": verdict.reason,
        "error_class": verdict.error_class,
        "started_at": _iso(verdict.started_at),
        "finished_at": _iso(verdict.finished_at),
        "seconds": _seconds(verdict),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _seconds(verdict: "ImportVerdict") -> float | None:
    if verdict.started_at is None or verdict.finished_at is None:
        return None
    return round((verdict.finished_at - verdict.started_at).total_seconds(), 3)


def _spelled_seconds(verdict: "ImportVerdict") -> str:
    seconds = _seconds(verdict)
    return "" if seconds is None else f"{seconds:,.1f} s"
