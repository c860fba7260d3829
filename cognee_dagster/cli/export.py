"""``cognee-dagster export``."""

from pathlib import Path

import click

from cognee_dagster import cogx, sources
from cognee_dagster.cli.options import TEXT, json_option, user_option
from cognee_dagster.cli.terminal import print_json, progress_bars, say
from cognee_dagster.graph.counting import counted


@click.command()
@click.argument("dataset", type=TEXT)
@click.argument("destination", type=click.Path(dir_okay=False, path_type=Path))
@user_option
@json_option
def export(*, dataset: str, destination: Path, user: str | None, as_json: bool) -> None:
    """Write DATASET, a local dataset's name or else its UUID, to the file DESTINATION as a .cogx.tar.gz archive.

    With --json: path, num_nodes, num_edges, digest, size_bytes.
    """
    if not destination.parent.exists():
        destination.parent.mkdir(parents=True, exist_ok=True)
        say(f"Made the directory {destination.parent}", err=True)
    with sources.open_dataset(sources.parse_dataset(dataset, user=user), user=user) as reader, progress_bars() as bars:
        # The writer is loaded here, while the process that reads the graph starts.
        archive = cogx.write_archive(reader, destination, progress=bars.export)
    if as_json:
        print_json(
            {
                "path": str(archive.path),
                "num_nodes": archive.num_nodes,
                "num_edges": archive.num_edges,
                "digest": archive.digest,
                "size_bytes": archive.size_bytes,
            }
        )
    else:
        say(
            f"Wrote {archive.path}: {counted(archive.num_nodes, 'node')}, {counted(archive.num_edges, 'edge')}, "
            f"{counted(archive.size_bytes, 'byte')}, digest {archive.digest}"
        )
