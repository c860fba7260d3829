"""A look at a graph before it is pushed: what it is, what of it arrives, and what a server would refuse."""

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cognee_dagster.cogx.read.validate import ValidationReport, validate_archive
from cognee_dagster.cogx.server.declared_types import not_searched
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.graph.empty import empty_graph
from cognee_dagster.sources.mapping.room import MAX_KEPT, Room
from cognee_dagster.sources.sightings import SHOWN_NAME, Known, Sightings

if TYPE_CHECKING:
    from cognee_dagster.graph.reader import GraphReader, GraphSummary


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many nodes and edges there are, in all and by kind; the most frequent first."""

    num_nodes: int
    num_edges: int
    nodes_by_type: dict[str, int]
    edges_by_relationship: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a look at a graph found.

    Attributes:
        profile: Whose conventions a foreign graph follows; None for a graph of Cognee's own.
        counts: The graph as it is read and mapped.
        arrives: The graph as a remote would have it: each node once, each edge of one name between two nodes once.
        sample_nodes: The first nodes; what is long is cut.
        sample_edges: The first edges, with ``source_name`` and ``target_name``.
        attributes_left_behind: How many nodes and edges have an attribute that does not arrive.
        refused: Because of what a push would be refused, here or by the server: ``what`` and ``why``.
        texts: How many records of each kind an archive holds that is pushed as it is, beside a graph; a server keeps
            them as documents.
        reached_as_neighbours: By type, how many nodes of a foreign graph are of types that Cognee does not know: its
            search never finds them by name or text, but only as neighbours of what it has found.
        entities_by_type: How many nodes each ``EntityType`` has, by its name.
        as_nodes: What a foreign graph's nodes become: see ``GraphMapping``; ``as_they_are`` in Cognee's own language.
    """

    profile: str | None
    counts: Counts
    arrives: Counts
    sample_nodes: list[dict[str, Any]]
    sample_edges: list[dict[str, Any]]
    attributes_left_behind: dict[str, int]
    refused: list[dict[str, str]]
    texts: dict[str, int] = field(default_factory=dict)
    reached_as_neighbours: dict[str, int] = field(default_factory=dict)
    entities_by_type: dict[str, int] = field(default_factory=dict)
    as_nodes: str | None = field(default=None, repr=False)


def inspect_graph(reader: "GraphReader") -> Inspection:
    """Read a whole graph, write it as an archive that is thrown away, and check that as a server will.

    Raises:
        CogneeDagsterError: As reading the graph does.
    """
    room = Room(MAX_KEPT, whose="The graph ")
    nodes, edges, known = Sightings("type", room), Sightings("relationship", room), Known()
    for batch in reader.nodes():
        nodes.add(batch, kinds="type", identity=("id",), complete=repeat(True, batch.num_rows))
        known.add(batch.column("id"))
    for batch in reader.edges():
        complete = known.has(batch.column("source")) & known.has(batch.column("target"))
        edges.add(batch, kinds="relationship", identity=("source", "target", "relationship"), complete=complete)
    del known
    summary, refused = _as_archive(reader)
    return Inspection(
        profile=getattr(reader, "profile", None),
        counts=_counts(nodes.all, edges.all),
        arrives=_counts(nodes.once, edges.once),
        sample_nodes=nodes.first,
        sample_edges=_named(edges.first, reader),
        attributes_left_behind=getattr(reader, "attributes_left_behind", {}),
        as_nodes=getattr(reader, "as_nodes", None),
        reached_as_neighbours=not_searched(dict(nodes.once.most_common())) if hasattr(reader, "as_nodes") else {},
        refused=refused if nodes.all else [_empty(reader)],
        entities_by_type=summary.entities_by_type,
    )


def _counts(nodes: Counter[str], edges: Counter[str]) -> Counts:
    return Counts(
        num_nodes=nodes.total(),
        num_edges=edges.total(),
        nodes_by_type=dict(nodes.most_common()),
        edges_by_relationship=dict(edges.most_common()),
    )


def _named(edges: list[dict[str, Any]], reader: "GraphReader") -> list[dict[str, Any]]:
    """The edges, with what their ends are called."""
    names = _names(reader, {edge[end] for edge in edges for end in ("source", "target")}) if edges else {}
    ends = [{f"{end}_name": names.get(edge[end], edge[end]) for end in ("source", "target")} for edge in edges]
    return [{**edge, **named} for edge, named in zip(edges, ends, strict=True)]


def _names(reader: "GraphReader", wanted: set[str]) -> dict[str, str]:
    """What these nodes are called: looked up, since the names of all nodes would fill the memory."""
    found: dict[str, str] = {}
    for batch in reader.nodes():
        for node_id, name in zip(batch.column("id").to_pylist(), batch.column("name").to_pylist(), strict=True):
            if node_id in wanted:
                found[node_id] = (name or node_id)[:SHOWN_NAME]
        if len(found) == len(wanted):
            break
    return found


def _empty(reader: "GraphReader") -> dict[str, str]:
    origin = reader.origin
    return {
        "what": "the graph",
        "why": empty_graph(origin.dataset_name, is_of_cognee=origin.embedding_model is not None),
    }


def _as_archive(reader: "GraphReader") -> tuple["GraphSummary", list[dict[str, str]]]:
    with tempfile.TemporaryDirectory(prefix="cognee-inspect-") as directory:
        archive = write_archive(reader, Path(directory) / "graph.cogx.tar.gz")
        assert archive.summary is not None  # noqa: S101 - it was written just now
        problems = validate_archive(archive.path, any_size=True)  # a push cuts it where it is too large
        return archive.summary, refusals(problems)


def refusals(report: ValidationReport) -> list[dict[str, str]]:
    """What a server would refuse, where it stands and why."""
    return [
        {
            "what": (problem.file or "the archive") + (f", line {problem.line}" if problem.line else ""),
            "why": problem.reason,
        }
        for problem in report.problems
    ]
