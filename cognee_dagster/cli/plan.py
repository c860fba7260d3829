"""``cognee-dagster plan``."""

from typing import TYPE_CHECKING

import click

from cognee_dagster import pushing
from cognee_dagster.cli.mirror import print_plan, removal_options
from cognee_dagster.cli.options import TEXT, json_option, remote_connection, remote_options, user_option
from cognee_dagster.cli.source import Source, mapping_options

if TYPE_CHECKING:
    from cognee_dagster.pushing.mirror.options import MirrorOptions
    from cognee_dagster.sources.mapping.value import GraphMapping


@click.command()
@click.argument("source", type=TEXT, default="main_dataset")
@click.option("--target-dataset", type=TEXT, metavar="NAME", help="The remote dataset. Default: the local one's name.")
@removal_options
@mapping_options
@remote_options
@user_option
@json_option
def plan(
    *,
    source: str,
    target_dataset: str | None,
    mirror: "MirrorOptions",
    mapping: "GraphMapping | None",
    profile: str | None,
    url: str | None,
    api_key: str | None,
    user: str | None,
    as_json: bool,
) -> None:
    """Say what `push --sync incremental` of SOURCE would send and remove, and do nothing. SOURCE is a local
    dataset, a graph file, a folder that holds a graph, or a URL.

    Exits with 0 where the remote dataset is in sync, and with 10 where a push would change it.

    With --json: nodes, edges and documents (each with added, changed, removed), segments, segments_sent,
    segments_replaced, names_left_over, sent_whole_because, in_sync, refusal.
    """
    print_plan(
        Source(text=source, mapping=mapping, profile=profile, user=user),
        connection=remote_connection(url, api_key),
        options=pushing.PushOptions(target_dataset=target_dataset),
        mirror=mirror,
        as_json=as_json,
    )
