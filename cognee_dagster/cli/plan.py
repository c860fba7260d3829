"""``cognee-dagster plan``."""

from typing import TYPE_CHECKING

import click

from cognee_dagster import pushing
from cognee_dagster.cli.mirror import print_plan, removal_options
from cognee_dagster.cli.options import json_option, remote_connection, remote_options
from cognee_dagster.cli.source import Source, source_options, target_option

if TYPE_CHECKING:
    from cognee_dagster.pushing.mirror.options import MirrorOptions


@click.command(short_help="Say what `push --sync incremental` would send and remove.")
@source_options
@target_option
@removal_options
@remote_options
@json_option
def plan(
    *,
    source: Source,
    target_dataset: str | None,
    mirror: "MirrorOptions",
    url: str | None,
    api_key: str | None,
    as_json: bool,
) -> None:
    """Say what `push --sync incremental` of SOURCE would send and remove, and do nothing. SOURCE is a local
    dataset, a graph file, a folder that holds a graph, or a URL.

    Exits with 0 where a push would do nothing, with 10 where it would change anything, and where it would be
    refused with the exit code that it would have: 9 where it would remove more than is allowed.

    With --json: nodes, edges and documents (each with added, changed, removed; nodes and edges with kept where what
    is gone stays, and kept_is_known, false where that may not be all), segments, segments_sent, segments_replaced,
    emptied_first, emptied_of (what of others goes with that, in words), adopts, adoption, nodes_of_other_mirrors,
    nodes_added_that_other_mirrors_brought, unowned (nodes, edges, documents, in_words: what nobody here owns; null
    where there is none), tidies_unowned, names_left_over, sent_whole_because, in_sync, nothing_to_do, refusal,
    target_dataset; remote (exists, dataset_id, owner, readers, confirmed_at, in_sync_since); examples; about_bytes,
    archives; server_seconds, which is null where it is not known, and server_seconds_by_runs. Of a graph that cannot
    be mirrored, whose push is a full one, cannot_be_mirrored_because says why (it is empty for others); then there
    are nodes and edges (each with sent), about_bytes, archives, in_sync, nothing_to_do, refusal, target_dataset and
    remote (exists, dataset_id) only.
    """
    print_plan(
        source,
        connection=remote_connection(url, api_key),
        options=pushing.PushOptions(target_dataset=target_dataset),
        mirror=mirror,
        as_json=as_json,
    )
