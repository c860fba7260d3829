"""A look at an archive that is pushed as it is, since it holds more than a graph: of mem0, Zep, Graphiti, Letta …"""

import tempfile
from array import array
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from cognee_dagster.cogx.format import COGNEE_SYSTEM, RECORD_KINDS
from cognee_dagster.cogx.read.imported import ImportedGraph, records_of
from cognee_dagster.cogx.read.manifest import read_manifest
from cognee_dagster.cogx.read.records import GRAPH_FILES
from cognee_dagster.cogx.read.validate import ValidationReport, validate_archive
from cognee_dagster.cogx.schema import Entity, Fact, RawNode
from cognee_dagster.sources.archives import called, is_archive, local_archive
from cognee_dagster.sources.inspection import Counts, Inspection, refusals
from cognee_dagster.sources.mapping.room import MAX_KEPT, Room
from cognee_dagster.sources.sightings import SAMPLES, OnceEach

_R = TypeVar("_R")
_OF_GRAPHS = {RECORD_KINDS[file] for file in GRAPH_FILES}
_NOTHING = {"what": "the archive", "why": "It holds no record: there is nothing to push."}
_MADE_TYPE = "Entity"  # of what a fact names, and no record is


def inspect_as_it_is(place: str) -> Inspection | None:
    """What an archive holds that is no mere graph, and what a server would make of it.

    Args:
        place: Path or URL of anything.

    Returns:
        None: It is no archive, or one that is read as the graph that it holds.

    Raises:
        ArchiveError: It is damaged.
        GraphFileError: A URL cannot be fetched.
    """
    if not is_archive(place):
        return None
    with tempfile.TemporaryDirectory(prefix="cognee-inspect-") as directory:
        path = local_archive(place, to=Path(directory))
        with called(path, place):
            system = read_manifest(path).source_system
            report = validate_archive(path)
            if system == COGNEE_SYSTEM and report.record_counts.keys() <= _OF_GRAPHS:
                return None
            return _inspection(path, report)


def _inspection(path: Path, report: ValidationReport) -> Inspection:
    room = Room(MAX_KEPT, whose="The archive ")
    nodes, edges, arriving = _Seen("type", room), _Seen("relationship", room), _Arriving(room)
    if report.valid:
        for record in records_of(path, "entity", "raw_node"):
            nodes.add(record, kind=_type_of(record), sample=_sample)
        for record in records_of(path, "fact"):
            if isinstance(record, Fact):
                edges.add(record, kind=record.predicate, sample=_sample_edge)
        arriving.read(path)
    return Inspection(
        profile=None,
        counts=_counts(nodes.counts, edges.counts),
        arrives=arriving.counts,
        sample_nodes=nodes.samples,
        sample_edges=edges.samples,
        attributes_left_behind={},
        refused=refusals(report) if any(report.record_counts.values()) or not report.valid else [_NOTHING],
        texts={
            kind: count for kind, count in report.record_counts.items() if kind not in {"entity", "raw_node", "fact"}
        },
    )


class _Seen:
    """Records counted by kind, and the first of them; none is held."""

    def __init__(self, what: str, room: Room) -> None:
        self._what, self._room = what, room
        self.counts = Counter[str]()
        self.samples: list[dict[str, Any]] = []

    def add(self, record: _R, *, kind: str, sample: Callable[[_R], dict[str, Any]]) -> None:
        self._room.add_kind(self._what, kind)
        self.counts[kind] += 1
        if len(self.samples) < SAMPLES:
            self.samples.append(sample(record))


class _Arriving:
    """Each node once, also those that a server makes of types and of names in facts; each edge once."""

    def __init__(self, room: Room) -> None:
        self._nodes, self._edges = OnceEach("type", room), OnceEach("relationship", room)

    def read(self, path: Path) -> None:
        """Take note of an archive's nodes and edges."""
        graph = ImportedGraph([path])
        made = array("q")
        for node in graph.nodes():
            if node.record is None:
                made.append(hash(node.id))
            else:
                self._nodes.add(node.id, kind=_type_of(node.record))
        for edge in graph.implied_edges():
            self._nodes.add(edge[2], kind="EntityType")
            self._edges.add(edge, kind=edge[1])
        for mark in made:  # types are among them
            self._nodes.add_mark(mark, kind=_MADE_TYPE)
        for source, relationship, target in graph.facts():
            self._edges.add((source, relationship, target), kind=relationship)
            for end in (source, target):
                self._nodes.add(end, kind=_MADE_TYPE)

    @property
    def counts(self) -> Counts:
        """What arrives."""
        return _counts(self._nodes.counts, self._edges.counts)


def _type_of(record: Any) -> str:
    return str(record.properties.get("type") or "") if isinstance(record, RawNode) else _MADE_TYPE


def _counts(types: Counter[str], relationships: Counter[str]) -> Counts:
    return Counts(
        num_nodes=types.total(),
        num_edges=relationships.total(),
        nodes_by_type=dict(types.most_common()),
        edges_by_relationship=dict(relationships.most_common()),
    )


def _sample(record: Any) -> dict[str, Any]:
    if isinstance(record, Entity):
        said = record.model_dump(mode="json", exclude_none=True)
        return {"id": record.external_id, "name": record.name, "type": _MADE_TYPE, **said}
    return {"id": None, "name": None, **record.properties, "type": _type_of(record)}


def _sample_edge(fact: Fact) -> dict[str, Any]:
    ends = {"source": fact.subject_ref, "target": fact.object_ref, "relationship": fact.predicate}
    names = {"source_name": fact.subject_ref, "target_name": fact.object_ref}
    return {**ends, **names, **fact.model_dump(mode="json", exclude_none=True)}
