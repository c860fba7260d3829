"""``cognee-dagster verify``."""

from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING

import click

from cognee_dagster import pushing
from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.cli.options import json_option, remote_connection, remote_options
from cognee_dagster.cli.source import Source, source_options, target_option
from cognee_dagster.cli.terminal import print_json, progress_bars, say
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.compared import NOT_COMPARED

if TYPE_CHECKING:
    from cognee_dagster.pushing.compared import RemoteComparison

_EXAMPLES = 20


@click.command()
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
    extra, which have a count and the first examples; nodes with renamed and changed, too), and not_compared.
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
        say(f"  not compared, as the remote does not show them: {NOT_COMPARED}")
    else:
        say(f"{found.target_dataset} on {connection.url} differs")
        for line in _differences(found):
            say(f"  {line}")
    if not found.is_exact:
        raise click.exceptions.Exit(ExitCode.CHANGES)


def _differences(found: "RemoteComparison") -> Iterable[str]:
    kinds: tuple[tuple[Collection[str], str, str], ...] = (
        (found.graph.missing_nodes, "node", "missing"),
        (found.graph.other_names, "node", "there under another name"),
        (_with_property(found.graph.other_values), "node", "there with another type or property"),
        (found.graph.extra_nodes, "node", "there only"),
        (_spelled(found.graph.missing_edges), "edge", "missing"),
        (_spelled(found.graph.extra_edges), "edge", "there only"),
        (found.missing_documents, "document", "missing, or there with another text"),
        (found.extra_documents, "document", "there only"),
    )
    for some, kind, what in kinds:
        if some:
            yield f"{counted(len(some), kind)} {what}, such as {next(iter(some))}"


def _as_json(found: "RemoteComparison") -> dict[str, object]:
    graph = found.graph
    return {
        "exact": found.is_exact,
        "target_dataset": found.target_dataset,
        "num_nodes": found.num_nodes,
        "num_edges": found.num_edges,
        "nodes": {
            "missing": _shown(graph.missing_nodes),
            "extra": _shown(graph.extra_nodes),
            "renamed": _shown(graph.other_names),
            "changed": _shown(_with_property(graph.other_values)),
        },
        "edges": {"missing": _shown(_spelled(graph.missing_edges)), "extra": _shown(_spelled(graph.extra_edges))},
        "documents": {"missing": _shown(found.missing_documents), "extra": _shown(found.extra_documents)},
        "not_compared": NOT_COMPARED,
    }


def _spelled(edges: Iterable[tuple[str, str, str]]) -> list[str]:
    return [" ".join(edge) for edge in edges]


def _with_property(nodes: Mapping[str, str]) -> list[str]:
    return [f"{node_id} ({what})" for node_id, what in nodes.items()]


def _shown(some: Collection[str]) -> dict[str, object]:
    return {"count": len(some), "examples": list(islice(some, _EXAMPLES))}
