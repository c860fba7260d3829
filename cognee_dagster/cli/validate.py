"""``cognee-dagster validate``."""

import dataclasses
from pathlib import Path

import click

from cognee_dagster import cogx
from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.cli.options import json_option
from cognee_dagster.cli.terminal import print_json, say
from cognee_dagster.graph.counting import counted


@click.command()
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def validate(*, archive: Path, as_json: bool) -> None:
    """Check the COGX archive ARCHIVE as a Cognee server will, and for what a server drops without a word.

    With --json: path, valid, num_problems, problems (each with file, line, reason), record_counts.
    """
    report = cogx.validate_archive(archive)
    if as_json:
        print_json(
            {
                "path": str(report.path),
                "valid": report.valid,
                "num_problems": report.num_problems,
                "problems": [dataclasses.asdict(problem) for problem in report.problems],
                "record_counts": report.record_counts,
            }
        )
    elif report.valid:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in report.record_counts.items()) or "nothing"
        say(f"{archive} is valid: {counts}")
    else:
        for problem in report.problems:
            say(str(problem))
        unshown = report.num_problems - len(report.problems)
        say(
            f"{archive} is not valid: {counted(report.num_problems, 'problem')}"
            + (f", {unshown:,} not shown" * bool(unshown))
        )
    if not report.valid:
        raise click.exceptions.Exit(ExitCode.INVALID_ARCHIVE)
