"""``cognee-dagster validate``."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cognee_dagster import cogx
from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.cli.options import NEW_FILE, json_option
from cognee_dagster.cli.terminal import print_json, say
from cognee_dagster.errors import ArchiveNotFoundError
from cognee_dagster.graph.counting import counted

if TYPE_CHECKING:
    from cognee_dagster.cogx import Problem, ValidationReport


@click.command(short_help="Judge a COGX archive as a Cognee server will.")
@click.argument("archive", type=NEW_FILE)
@click.option("--strict", is_flag=True, help="End with an error, too, where a server takes ARCHIVE but changes it.")
@json_option
def validate(*, archive: Path, strict: bool, as_json: bool) -> None:
    """Judge the COGX archive ARCHIVE as a Cognee server will: whether it takes it, takes it but changes or drops some
    of it without a word, or refuses it after the upload.

    With --json: path, verdict (taken, changed, refused), valid, num_problems, problems (each with file, line, reason),
    num_warnings, warnings, record_counts.
    """
    if not archive.exists():
        raise ArchiveNotFoundError(f"There is no archive {archive}. Correct the path.")
    report = cogx.validate_archive(archive)
    if as_json:
        print_json(_as_json(report))
    else:
        _show(report)
    if not report.valid or (strict and report.num_warnings):
        raise click.exceptions.Exit(ExitCode.INVALID_ARCHIVE)


def _as_json(report: "ValidationReport") -> dict[str, object]:
    return {
        "path": str(report.path),
        "verdict": report.verdict,
        "valid": report.valid,
        "num_problems": report.num_problems,
        "problems": [dataclasses.asdict(problem) for problem in report.problems],
        "num_warnings": report.num_warnings,
        "warnings": [dataclasses.asdict(warning) for warning in report.warnings],
        "record_counts": report.record_counts,
    }


def _show(report: "ValidationReport") -> None:
    _list(report.problems, report.num_problems)
    _list(report.warnings, report.num_warnings, title="warning: ")
    if not report.valid:
        say(f"{report.path} is not valid: {counted(report.num_problems, 'problem')}. {report.advice}".rstrip())
        return
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in report.record_counts.items())
    counts = counted(sum(report.record_counts.values()), "record") + (f" ({kinds})" if kinds else "")
    changed = f", but a server changes it: {counted(report.num_warnings, 'warning')}" if report.num_warnings else ""
    say(f"{report.path} is valid: {counts}{changed}")


def _list(things: "tuple[Problem, ...]", number: int, *, title: str = "") -> None:
    for thing in things:
        say(f"{title}{thing}")
    if number > len(things):
        say(f"{title}{number - len(things):,} more, not shown")
