"""``cognee-dagster inspect``."""

import dataclasses
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from cognee_dagster import sources
from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.cli.options import TEXT, json_option, user_option
from cognee_dagster.cli.source import Source, mapping_options
from cognee_dagster.cli.terminal import print_json, say
from cognee_dagster.graph.counting import and_more, counted
from cognee_dagster.graph.left_behind import advice_on_left_behind, neighbours_in_words

if TYPE_CHECKING:
    from cognee_dagster.sources.inspection import Counts, Inspection
    from cognee_dagster.sources.mapping.value import GraphMapping

_SHOWN_SAMPLES = 5
_SHOWN_NAMES = 40


@click.command(short_help="Show what SOURCE is and what of it a remote would get.")
@click.argument("source", type=TEXT)
@mapping_options
@user_option
@json_option
def inspect(
    *, source: str, mapping: "GraphMapping | None", profile: str | None, user: str | None, as_json: bool
) -> None:
    """Show what SOURCE is and what of it a remote would get: a graph file, a folder, a URL, an archive, or else a local
    dataset. Nothing is sent.

    With --json: source, profile, num_nodes, num_edges, nodes_by_type, edges_by_relationship, sample_nodes,
    sample_edges, arrives (num_nodes, num_edges, nodes_by_type, edges_by_relationship), attributes_left_behind, refused
    (what, why), texts (of an archive that is pushed as it is: records that are kept as documents, by kind),
    reached_as_neighbours (by type: how many nodes of a graph that is not Cognee's a search finds as neighbours only),
    entities_by_type (how many nodes are of which EntityType), as_nodes (what nodes become, as in a mapping; as_they_are
    in Cognee's own language).
    """
    as_it_is = sources.inspect_as_it_is(source) if mapping is None and profile is None else None
    if as_it_is is not None:
        found = as_it_is
    else:
        with Source(text=source, mapping=mapping, profile=profile, user=user).open() as reader:
            found = sources.inspect_graph(reader)
    if as_json:
        print_json(_as_json(source, found))
    else:
        _show(source, found)
    if found.refused:
        raise click.exceptions.Exit(ExitCode.INVALID_ARCHIVE)


def _as_json(source: str, found: "Inspection") -> dict[str, Any]:
    values = dataclasses.asdict(found)
    return {"source": source, "profile": values.pop("profile"), **values.pop("counts"), **values}


def _show(source: str, found: "Inspection") -> None:
    profile = f" (profile {found.profile})" if found.profile else ""
    say(f"{source}{profile}: {_in_words(found.counts)}")
    if found.arrives != found.counts:
        say(f"Arrives: {_in_words(found.arrives)}")
    _list("Nodes", found.arrives.nodes_by_type)
    _list("Entities", found.entities_by_type)
    _list("Edges", found.arrives.edges_by_relationship)
    for node in found.sample_nodes[:_SHOWN_SAMPLES]:
        say(f"  {_line(node['name'] or node['id'])} ({_line(node['type'] or 'no type')})")
    for edge in found.sample_edges[:_SHOWN_SAMPLES]:
        source, relationship, target = (_line(edge[key]) for key in ("source_name", "relationship", "target_name"))
        say(f"  {source} -[{relationship}]-> {target}")
    _list("Kept as documents", found.texts)
    if found.reached_as_neighbours:
        say(neighbours_in_words(found.reached_as_neighbours))
    if found.attributes_left_behind:
        _list("Left behind", found.attributes_left_behind)
        say(f"  {advice_on_left_behind(found.as_nodes)}")
    for refusal in found.refused:
        say(f"Cannot be pushed, because of {refusal['what']}: {refusal['why']}")


def _in_words(counts: "Counts") -> str:
    return f"{counted(counts.num_nodes, 'node')}, {counted(counts.num_edges, 'edge')}"


def _list(title: str, counts: Mapping[str, int]) -> None:
    if counts:
        named = [f"{_line(name) or '(none)'} {count:,}" for name, count in islice(counts.items(), _SHOWN_NAMES)]
        more = and_more(len(counts) - len(named))
        say(f"{title}: {', '.join(named)}{more}{' (--json has all of them)' if more else ''}")


def _line(text: str) -> str:
    """One line, whatever a name holds: another could look like a word of ours."""
    return " ".join(text.split())
