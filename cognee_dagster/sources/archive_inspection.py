"""A look at an archive that is pushed as it is, since it holds more than a graph: of mem0, Zep, Graphiti, Letta …"""

import tempfile
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

from cognee_dagster.cogx.format import COGNEE_SYSTEM, RECORD_KINDS
from cognee_dagster.cogx.read.imported import ImportedGraph, records_of
from cognee_dagster.cogx.read.manifest import read_manifest
from cognee_dagster.cogx.read.records import GRAPH_FILES
from cognee_dagster.cogx.read.validate import ValidationReport, validate_archive
from cognee_dagster.cogx.schema import Entity, Fact, RawNode
from cognee_dagster.sources.archives import called, is_archive, local_archive
from cognee_dagster.sources.inspection import Counts, Inspection, refusals
from cognee_dagster.sources.sightings import SAMPLES

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
    readable = report.valid
    nodes = list(records_of(path, "entity", "raw_node")) if readable else []
    facts = [record for record in records_of(path, "fact") if isinstance(record, Fact)] if readable else []
    return Inspection(
        profile=None,
        counts=_counts([_type_of(node) for node in nodes], [fact.predicate for fact in facts]),
        arrives=_arrives(path) if readable else _counts([], []),
        sample_nodes=[_sample(node) for node in islice(nodes, SAMPLES)],
        sample_edges=[_sample_edge(fact) for fact in facts[:SAMPLES]],
        attributes_left_behind={},
        refused=refusals(report) if any(report.record_counts.values()) or not readable else [_NOTHING],
        texts={
            kind: count for kind, count in report.record_counts.items() if kind not in {"entity", "raw_node", "fact"}
        },
    )


def _arrives(path: Path) -> Counts:
    """Each node once, also those that a server makes of types and of names in facts; each edge once."""
    graph = ImportedGraph([path])
    types: dict[str, str] = {}
    for node in graph.nodes():
        types.setdefault(node.id, _MADE_TYPE if node.record is None else _type_of(node.record))
    facts, implied = set(graph.facts()), set(graph.implied_edges())
    types |= {kind: "EntityType" for _, _, kind in implied}
    for source, _, target in facts:
        types.setdefault(source, _MADE_TYPE)
        types.setdefault(target, _MADE_TYPE)
    return _counts(list(types.values()), [relationship for _, relationship, _ in facts | implied])


def _type_of(record: Any) -> str:
    return str(record.properties.get("type") or "") if isinstance(record, RawNode) else _MADE_TYPE


def _counts(types: list[str], relationships: list[str]) -> Counts:
    return Counts(
        num_nodes=len(types),
        num_edges=len(relationships),
        nodes_by_type=dict(Counter(types).most_common()),
        edges_by_relationship=dict(Counter(relationships).most_common()),
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
