"""A look at a graph before it is pushed: what it is, what of it arrives, and what a server would refuse."""

import json
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cognee_dagster.cogx.read.validate import ValidationReport, validate_archive
from cognee_dagster.cogx.server.declared_types import not_searched
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.graph.empty import empty_graph

if TYPE_CHECKING:
    from cognee_dagster.graph.reader import GraphReader, GraphSummary

SAMPLES = 20


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
        sample_nodes: The first nodes.
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
    nodes, edges = _Seen(), _Seen()
    names: dict[str, str] = {}
    for batch in reader.nodes():
        for row in batch.to_pylist():
            nodes.add(row["type"] or "", identity=row["id"], row=row)
            names[row["id"]] = row["name"] or row["id"]
    for batch in reader.edges():
        for row in batch.to_pylist():
            identity = (row["source"], row["target"], row["relationship"])
            complete = row["source"] in names and row["target"] in names
            edges.add(row["relationship"], identity=identity, row=row, counts=complete)
    summary, refused = _as_archive(reader)
    return Inspection(
        profile=getattr(reader, "profile", None),
        counts=_counts(nodes.all, edges.all),
        arrives=_counts(nodes.once, edges.once),
        sample_nodes=[_sample(row) for row in nodes.first],
        sample_edges=[_sample_edge(row, names) for row in edges.first],
        attributes_left_behind=getattr(reader, "attributes_left_behind", {}),
        as_nodes=getattr(reader, "as_nodes", None),
        reached_as_neighbours=not_searched(dict(nodes.once.most_common())) if hasattr(reader, "as_nodes") else {},
        refused=refused if nodes.all else [_empty(reader)],
        entities_by_type=summary.entities_by_type,
    )


class _Seen:
    """Counts elements, in all and each once."""

    def __init__(self) -> None:
        self.all: Counter[str] = Counter()
        self.once: Counter[str] = Counter()
        self.first: list[dict[str, Any]] = []
        self._hashes: set[int] = set()

    def add(self, kind: str, *, identity: object, row: dict[str, Any], counts: bool = True) -> None:
        self.all[kind] += 1
        if len(self.first) < SAMPLES:
            self.first.append(row)
        if counts and (mark := hash(identity)) not in self._hashes:
            self._hashes.add(mark)
            self.once[kind] += 1


def _counts(nodes: Counter[str], edges: Counter[str]) -> Counts:
    return Counts(
        num_nodes=nodes.total(),
        num_edges=edges.total(),
        nodes_by_type=dict(nodes.most_common()),
        edges_by_relationship=dict(edges.most_common()),
    )


def _sample(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its properties beside its columns, which win."""
    text = row.pop("properties")
    properties = json.loads(text) if text else {}
    return {**row, **{name: value for name, value in properties.items() if name not in row}}


def _sample_edge(row: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    ends = {f"{end}_name": names.get(row[end], row[end]) for end in ("source", "target")}
    return {**_sample(row), **ends}


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
