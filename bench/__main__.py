"""``make bench``: builds its data once, measures, prints tables."""

from pathlib import Path

import click

from bench.datasets import prepare
from bench.export import compare
from bench.report import report


@click.command()
@click.option("--size", "sizes", type=int, multiple=True, default=(10_000, 200_000), help="Nodes; may be repeated.")
@click.option("--rounds", type=int, default=3, show_default=True, help="Runs of each side.")
@click.option("--cognee-limit", type=int, default=200_000, show_default=True, help="Cognee runs up to so many nodes.")
@click.option("--directory", type=click.Path(path_type=Path), default=Path(".sandbox/bench"), show_default=True)
@click.option("--output", type=click.Path(path_type=Path), help="Also write the tables here.")
def main(*, sizes: tuple[int, ...], rounds: int, cognee_limit: int, directory: Path, output: Path | None) -> None:
    """Measure this package against Cognee's own export and push."""
    directory = directory.resolve()
    environ = prepare(directory, list(sizes))
    results = [
        compare(directory, size, environ=environ, rounds=rounds, with_cognee=size <= cognee_limit) for size in sizes
    ]
    text = report(results, rounds=rounds)
    print(text)
    if output is not None:
        output.write_text(text, encoding="utf-8")


main()
