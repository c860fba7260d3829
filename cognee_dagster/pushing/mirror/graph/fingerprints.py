"""A graph without its contents: what every node, edge and document is known by, as arrays."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cognee_dagster.cogx.format import ENTITIES_FILE, FACTS_FILE, NODES_FILE
from cognee_dagster.cogx.read.safe_members import Member, read_members
from cognee_dagster.pushing.mirror.graph.matching import places_in
from cognee_dagster.pushing.mirror.graph.records import (
    RELATIONS,
    NotMirrorableError,
    decode_fact,
    edge_key,
    entity_as_raw_node,
    key_of,
    raw_node_content,
    uuid_bytes,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from cognee_dagster.cogx.archive import Archive

    Integers = npt.NDArray[np.integer]

REPEATED = -1


@dataclass(frozen=True, kw_only=True)
class GraphFingerprints:
    """A graph's nodes and edges, numbered from 0 in the order of their first record.

    Attributes:
        ids: The 16 bytes of each node's id, (nodes, 16) uint8.
        node_keys: What a node is known by, uint64.
        node_contents: A hash of its record, uint64.
        edge_keys: What an edge is known by, uint64.
        edge_contents: A hash of its record, uint64.
        sources: The node that an edge starts at, int32.
        targets: The node that it leads to, int32.
        relations: Of which of ``RELATIONS`` an edge is, 0 for any other, uint8.
        rows: By record file, the node or edge of each line, int32; ``REPEATED`` for a line that says nothing new or
            that a server would drop. Of several archives, one after the other.
    """

    ids: "Integers"
    node_keys: "Integers"
    node_contents: "Integers"
    edge_keys: "Integers"
    edge_contents: "Integers"
    sources: "Integers"
    targets: "Integers"
    relations: "Integers"
    rows: "dict[str, Integers]"


def read_fingerprints(archives: "Sequence[Archive]") -> GraphFingerprints:
    """Read the archives of one graph, as ``write_archive`` or ``cut`` wrote them.

    Raises:
        NotMirrorableError: The graph holds what a mirror cannot keep apart.
        ArchiveError: An archive is damaged.
    """
    nodes, facts = _Nodes(), _Facts()
    for archive in archives:
        for member in read_members(archive.path, any_size=True):
            if member.name in (ENTITIES_FILE, NODES_FILE):
                nodes.add(member)
            elif member.name == FACTS_FILE:
                facts.add(member)
    return _numbered(nodes, facts)


class _Nodes:
    """Nodes as they come, of several archives."""

    def __init__(self) -> None:
        self.ids = bytearray()
        self.keys, self.contents = array("Q"), array("Q")
        self.places = {ENTITIES_FILE: array("q"), NODES_FILE: array("q")}  # of a file's lines among all

    def add(self, member: Member) -> None:
        content_of = entity_as_raw_node if member.name == ENTITIES_FILE else raw_node_content
        places = self.places[member.name]
        for _, line in member.lines():
            node_id, content = content_of(line)
            id_bytes = uuid_bytes(node_id)
            places.append(len(self.keys))
            self.ids += id_bytes
            self.keys.append(key_of(id_bytes))
            self.contents.append(key_of(content))


class _Facts:
    """Edges as they come, of several archives; their ends by node key."""

    def __init__(self) -> None:
        self.keys, self.contents = array("Q"), array("Q")
        self.sources, self.targets = array("Q"), array("Q")
        self.relations = bytearray()

    def add(self, member: Member) -> None:
        for _, line in member.lines():
            fact = decode_fact(line)
            subject, target = uuid_bytes(fact.subject_ref), uuid_bytes(fact.object_ref)
            self.keys.append(edge_key(subject, fact.predicate, target))
            self.contents.append(key_of(line))
            self.sources.append(key_of(subject))
            self.targets.append(key_of(target))
            self.relations.append(RELATIONS.get(fact.predicate, 0))


def _numbered(nodes: _Nodes, facts: _Facts) -> GraphFingerprints:
    keys, contents = _unsigned(nodes.keys), _unsigned(nodes.contents)
    ids = np.frombuffer(bytes(nodes.ids), np.uint8).reshape(-1, 16)
    first, number_of = _numbered_by_first(keys)
    _require_one_record_a_node(ids, contents, first[number_of])
    sources, targets = (places_in(keys[first], _unsigned(ends)) for ends in (facts.sources, facts.targets))
    edge_keys = _unsigned(facts.keys)
    is_whole = (sources >= 0) & (targets >= 0)  # a server drops an edge with an end that the archive does not have
    kept_rows = np.flatnonzero(is_whole)
    first_rows = kept_rows[_first_places(edge_keys[kept_rows])]
    edge_rows = np.full(len(edge_keys), REPEATED, np.int32)
    edge_rows[first_rows] = np.arange(len(first_rows), dtype=np.int32)
    rows = {name: number_of[np.asarray(places, np.int64)] for name, places in nodes.places.items()}
    rows = _without_repeated(rows, {name: np.asarray(places, np.int64) for name, places in nodes.places.items()}, first)
    return GraphFingerprints(
        ids=ids[first],
        node_keys=keys[first],
        node_contents=contents[first],
        edge_keys=edge_keys[first_rows],
        edge_contents=_unsigned(facts.contents)[first_rows],
        sources=sources[first_rows],
        targets=targets[first_rows],
        relations=np.frombuffer(bytes(facts.relations), np.uint8)[first_rows],
        rows={**rows, FACTS_FILE: edge_rows},
    )


def _unsigned(values: "array[int]") -> "Integers":
    return np.asarray(values, np.uint64)


def _first_places(keys: "Integers") -> "Integers":
    """Where each key stands first, in that order."""
    return np.sort(np.unique(keys, return_index=True)[1])


def _numbered_by_first(keys: "Integers") -> "tuple[Integers, Integers]":
    """Where each key stands first, in that order; and for each place the number of its key."""
    first = _first_places(keys)
    return first, places_in(keys[first], keys)


def _require_one_record_a_node(ids: "Integers", contents: "Integers", first: "Integers") -> None:
    """A shard repeats a node's record as it is; two different ones of a node, a server would take by its own rules."""
    other = np.any(ids != ids[first], axis=1) | (contents != contents[first])
    if other.any():
        raise NotMirrorableError(f"node {ids[int(other.argmax())].tobytes().hex()} has two different records")


def _without_repeated(
    rows: "dict[str, Integers]", places: "dict[str, Integers]", first: "Integers"
) -> "dict[str, Integers]":
    return {name: np.where(first[row] == places[name], row, np.int32(REPEATED)) for name, row in rows.items()}
