"""``make bench``: makes its data once, measures part by part, prints tables or puts them into a page."""

import os
import time
from pathlib import Path

import click

from bench.page import conditions, replaced, section, versions, write
from bench.parts import PARTS, Setting, load


@click.command()
@click.argument("parts", type=click.Choice(PARTS), nargs=-1)
@click.option("--size", "sizes", type=int, multiple=True, default=Setting.sizes, help="Nodes to export; repeatable.")
@click.option("--rounds", type=click.IntRange(min=1), default=Setting.rounds, show_default=True, help="Of each side.")
@click.option(
    "--cognee-limit",
    type=int,
    default=Setting.cognee_limit,
    show_default=True,
    help="Cognee exports graphs of up to so many nodes.",
)
@click.option("--directory", type=click.Path(path_type=Path), default=Path(".sandbox/bench"), show_default=True)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A page with marks such as <!-- bench: export -->, to put the tables into; pictures go beside it.",
)
def main(
    *,
    parts: tuple[str, ...],
    sizes: tuple[int, ...],
    rounds: int,
    cognee_limit: int,
    directory: Path,
    output: Path | None,
) -> None:
    """Measure PARTS, or all, of this package side by side with Cognee's own export and push, and with bare Dagster."""
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    setting = Setting(directory=directory, rounds=rounds, sizes=sizes, cognee_limit=cognee_limit)
    if output is not None:
        for name in parts or PARTS:
            replaced(output.read_text(encoding="utf-8"), name, "")  # says now, not after hours, that there is no place
    for name in parts or PARTS:
        print(f"Measuring {name} …", flush=True)
        part, load_before, begin = load(name), os.getloadavg()[0], time.monotonic()
        releases = versions(part.PACKAGES)
        findings = part.run(setting)
        measured = conditions(releases, load_before=load_before, took_seconds=time.monotonic() - begin)
        text = section(findings, conditions=measured)
        print(f"\n{text}\n", flush=True)
        if output is not None:  # after each part: what is measured is not lost when a later one fails
            write(output, name, text, findings)


if __name__ == "__main__":
    main()
