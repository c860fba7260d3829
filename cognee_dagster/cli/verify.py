"""``cognee-dagster verify``."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from cognee_dagster import pushing
from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.cli.options import json_option, remote_connection, remote_options
from cognee_dagster.cli.source import Source, source_options, target_option
from cognee_dagster.cli.terminal import print_json, progress_bars, say
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.comparison.difference import unreadable_in_words
from cognee_dagster.pushing.comparison.wording import such_as

if TYPE_CHECKING:
    from cognee_dagster.pushing.verify import RemoteComparison

_SHOWN = 3
_WORDS = {
    "missing": "missing",
    "renamed": "there under another name",
    "changed": "there with another type or property",
    "extra": "there only",
}
_WORDS_OF_DOCUMENTS = {**_WORDS, "missing": "missing, or there with another text"}


@click.command(short_help="Say whether the remote dataset holds exactly SOURCE.")
@source_options
@target_option
@remote_options
@json_option
def verify(
    *,
    source: Source,
    target_dataset: str | None,
    url: str | None,
    api_key: str | None,
    as_json: bool,
) -> None:
    """Say whether the remote dataset holds exactly SOURCE: nodes, edges and documents that are missing there, those
    that only the remote has, and nodes with another name, type or property. SOURCE is as for push. The remote graph is
    read back, whole. What a remote does not show is not compared: texts and validity of edges, timestamps and vectors.

    Exits with 0 where both are the same, and with 10 where they differ.

    With --json: exact, target_dataset, num_nodes, num_edges, and nodes, edges and documents (each with missing and
    extra, which have a count and the first examples, ids with names where they are known; nodes with renamed and
    changed, too), unreadable (nodes and edges that the remote shows and that make no sense), and not_compared.
    """
    connection = remote_connection(url, api_key)
    with progress_bars(reminders=not as_json) as bars:
        found = pushing.compare_with_remote(
            source.open(),
            connection=connection,
            options=pushing.PushOptions(target_dataset=target_dataset),
            progress=pushing.PushProgress(on_export=bars.export),
        )
    if as_json:
        print_json(_as_json(found))
    elif found.is_exact:
        nodes, edges = counted(found.num_nodes, "node"), counted(found.num_edges, "edge")
        say(f"{found.target_dataset} on {connection.url} is exact: {nodes}, {edges}")
        say(f"  not compared, as the remote does not show them: {found.not_compared}")
    else:
        say(f"{found.target_dataset} on {connection.url} differs")
        for line in _differences(found):
            say(f"  {line}")
    if not found.is_exact:
        raise click.exceptions.Exit(ExitCode.CHANGES)


def _differences(found: "RemoteComparison") -> Iterable[str]:
    for difference in found.differences:
        words = _WORDS_OF_DOCUMENTS if difference.kind == "document" else _WORDS
        count = counted(difference.count, difference.kind)
        yield f"{count} {words[difference.what]}{such_as(difference.examples[:_SHOWN])}"
    if found.unreadable:
        yield unreadable_in_words(found.unreadable)


def _as_json(found: "RemoteComparison") -> dict[str, object]:
    by_kind: dict[str, dict[str, object]] = {}
    for one in found.compared:
        by_kind.setdefault(f"{one.kind}s", {})[one.what] = {"count": one.count, "examples": list(one.examples)}
    return {
        "exact": found.is_exact,
        "target_dataset": found.target_dataset,
        "num_nodes": found.num_nodes,
        "num_edges": found.num_edges,
        "unreadable": found.unreadable,
        **by_kind,
        "not_compared": found.not_compared,
    }
