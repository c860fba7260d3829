"""``cognee-dagster export``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cognee_dagster import cogx
from cognee_dagster.cli.options import NEW_FILE, TEXT, json_option, user_option
from cognee_dagster.cli.source import Source, mapping_options
from cognee_dagster.cli.terminal import print_json, progress_bars, say
from cognee_dagster.cogx.format import ARCHIVE_SUFFIX
from cognee_dagster.cogx.read.manifest import dataset_name_of, read_manifest
from cognee_dagster.errors import ArchiveError
from cognee_dagster.graph.counting import counted
from cognee_dagster.graph.empty import empty_graph
from cognee_dagster.sources.places import is_place
from cognee_dagster.system.files import make_directory

if TYPE_CHECKING:
    from cognee_dagster.sources.mapping.value import GraphMapping

_SUFFIXES = (".tar.gz", ".tgz", ".cogx")  # by which what takes a graph's file knows a gzipped archive


@click.command(short_help="Write SOURCE to a file as a .cogx.tar.gz archive.")
@click.argument("source", type=TEXT)
@click.argument("destination", type=NEW_FILE)
@mapping_options
@user_option
@json_option
def export(
    *,
    source: str,
    destination: Path,
    mapping: "GraphMapping | None",
    profile: str | None,
    user: str | None,
    as_json: bool,
) -> None:
    """Write SOURCE to the file DESTINATION as a .cogx.tar.gz archive. SOURCE is a local dataset's name, or else its
    UUID; or a graph file, a folder that holds a graph, or a URL.

    An archive of another dataset is not written over; one of the same is.

    With --json: path, num_nodes, num_edges, digest, size_bytes.
    """
    if not destination.name.lower().endswith(_SUFFIXES):
        say(
            f"Warning: {destination.name} will be a gzipped tar archive, whatever its name says. A name that ends with "
            f"{ARCHIVE_SUFFIX} says so to everybody.",
            err=True,
        )
    given = Source(text=source, mapping=mapping, profile=profile, user=user)
    with progress_bars(reminders=not as_json) as bars, given.open() as reader:
        _require_no_other(destination, reader.origin.dataset_name)
        if not destination.parent.is_dir():
            make_directory(destination.parent)
            say(f"Made the directory {destination.parent}", err=True)
        # The writer is loaded here, while the process that reads the graph starts.
        archive = cogx.write_archive(reader, destination, progress=bars.export)
    if archive.summary is not None and (problem := cogx.refused_nodes(archive.summary)):
        say(f"Warning: {problem}", err=True)
    if not archive.num_nodes:
        is_of_cognee = not is_place(source)
        say(f"Warning: {empty_graph(reader.origin.dataset_name, is_of_cognee=is_of_cognee)}", err=True)
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


def _require_no_other(destination: Path, dataset: str) -> None:
    """Refuse to write over what may be the only archive of another dataset."""
    if not destination.is_file():  # a pipe or a device would wait for whoever writes to it
        return
    try:
        other = dataset_name_of(read_manifest(destination), destination)
    except (ArchiveError, OSError):  # no archive, or none that anybody can use
        return
    if other != dataset:
        raise click.UsageError(
            f"{destination} is an archive of dataset {other!r}, and this one would be of {dataset!r}; nothing was "
            "written. Name another file, or remove that one first."
        )
