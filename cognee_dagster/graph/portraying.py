"""Find the most connected part of a graph."""

import heapq
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import islice, zip_longest
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cognee_dagster.graph.portrait import MAX_EDGES, MAX_NODES, GraphPortrait, PortraitEdge, PortraitNode

# A larger graph is judged by its first edges: counting all of them would take as long as to read it once more.
EDGES_LOOKED_AT = 100_000
SAMPLES = 5
_DESCRIPTION_LENGTH = 200

NODE_COLUMNS = ("id", "name", "type")
DESCRIPTION_COLUMN = "description"
EDGE_COLUMNS = ("source", "target", "relationship")

_Numbers = npt.NDArray[np.int64]


class Portrayable(Protocol):
    """A graph as far as it is needed here; every ``GraphReader`` is one."""

    def nodes(self) -> Iterator[pa.RecordBatch]:
        """Batches with at least ``NODE_COLUMNS``; of the first, ``DESCRIPTION_COLUMN``, if there is one."""

    def edges(self) -> Iterator[pa.RecordBatch]:
        """Batches with at least ``EDGE_COLUMNS``."""


def portray(reader: Portrayable) -> GraphPortrait:
    """Look at a graph that can be read: at its first ``EDGES_LOOKED_AT`` edges, and at nodes until those are found.

    Raises:
        CogneeDagsterError: As reading the graph does.
    """
    edges = _first_edges(reader)
    ids, ends = _numbered(edges)
    degrees = np.bincount(ends.ravel(), minlength=len(ids))
    chosen = _most_connected(ends, degrees)
    wanted = {ids[number].as_py(): int(degrees[number]) for number in chosen}
    kinds = _kinds(edges, wanted)
    sampled = _samples(edges)
    sample_ends = [end for edge in sampled for end in (edge.source, edge.target)]
    found, samples = _look_up(reader, {**dict.fromkeys((*kinds.values(), *sample_ends), 0), **wanted})
    part = {
        node_id: _kinded(found[node_id], found.get(kinds.get(node_id, ""))) for node_id in wanted if node_id in found
    }
    return GraphPortrait(
        nodes=tuple(part.values()),
        edges=tuple(_among(edges, part.keys())),
        sample_nodes=tuple(samples),
        sample_edges=tuple(_named(edge, found) for edge in sampled),
        edges_looked_at=edges.num_rows,
    )


def _first_edges(reader: Portrayable) -> pa.Table:
    schema = pa.schema([pa.field(name, pa.string()) for name in EDGE_COLUMNS])
    tables = [schema.empty_table()]
    left = EDGES_LOOKED_AT
    for batch in reader.edges():
        table = pa.Table.from_batches([batch]).select(schema.names).slice(0, left)
        tables.append(table.cast(schema))
        left -= table.num_rows
        if left <= 0:
            break
    return pa.concat_tables(tables)


def _numbered(edges: pa.Table) -> tuple[pa.Array, _Numbers]:
    """The ids at the edges' ends, each once, and the ends as places in them: two rows, sources and targets."""
    columns = [edges.column(name).combine_chunks() for name in ("source", "target")]
    ends = pa.concat_arrays([column if isinstance(column, pa.Array) else column.chunk(0) for column in columns])
    numbered = ends.dictionary_encode()
    places: _Numbers = numbered.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return numbered.dictionary, places.reshape(2, -1)


def _most_connected(ends: _Numbers, degrees: _Numbers) -> list[int]:
    """A connected part that grows from the node with the most edges by the neighbour that has the most itself."""
    if not len(degrees):
        return []
    sources, targets = ends
    chosen: dict[int, None] = {}
    start = int(degrees.argmax())
    heap, seen = [(-int(degrees[start]), start)], {start}
    while heap and len(chosen) < MAX_NODES:
        _, node = heapq.heappop(heap)
        chosen[node] = None
        neighbours = np.unique(np.concatenate([targets[sources == node], sources[targets == node]]))
        ranked = neighbours[np.argsort(-degrees[neighbours], kind="stable")][: MAX_NODES * 2]
        for neighbour in map(int, ranked):
            if neighbour not in seen:
                seen.add(neighbour)
                heapq.heappush(heap, (-int(degrees[neighbour]), neighbour))
    return sorted(chosen, key=lambda node: -int(degrees[node]))


def _samples(edges: pa.Table) -> list[PortraitEdge]:
    """The first edge of each of the most frequent relationships; then their second ones, and so on."""
    names = edges.column("relationship")
    counted = sorted(pc.value_counts(names).to_pylist(), key=lambda one: -int(one["counts"]))[:SAMPLES]
    places = (pc.indices_nonzero(pc.equal(names, one["values"]))[:SAMPLES].to_pylist() for one in counted)
    in_turns = (place for turn in zip_longest(*places) for place in turn if place is not None)
    return [_edge(edges.slice(place, 1).to_pylist()[0]) for place in islice(in_turns, SAMPLES)]


def _named(edge: PortraitEdge, found: Mapping[str, PortraitNode]) -> PortraitEdge:
    source, target = (found[end].name if end in found else end for end in (edge.source, edge.target))
    return replace(edge, source_name=source, target_name=target)


def _kinds(edges: pa.Table, node_ids: Collection[str]) -> dict[str, str]:
    """What the nodes with these ids are, by an edge ``is_a``."""
    is_a = edges.filter(pc.equal(edges.column("relationship"), "is_a"))
    ends = zip(is_a.column("source").to_pylist(), is_a.column("target").to_pylist(), strict=True)
    return {source: target for source, target in ends if source in node_ids}


def _kinded(node: PortraitNode, kind: PortraitNode | None) -> PortraitNode:
    """An entity with its type's name, which says more than ``Entity``."""
    if kind is None or (node.type, kind.type) != ("Entity", "EntityType"):
        return node
    return replace(node, type=kind.name)


def _look_up(reader: Portrayable, wanted: dict[str, int]) -> tuple[dict[str, PortraitNode], list[PortraitNode]]:
    """The nodes with these ids, as far as there are such, and the graph's first nodes."""
    found: dict[str, PortraitNode] = {}
    samples: list[PortraitNode] = []
    for batch in reader.nodes():
        for row in _rows(batch, wanted, first=SAMPLES - len(samples)):
            node_id = row["id"]
            node = PortraitNode(
                id=node_id, name=row["name"] or node_id, type=row["type"] or "", degree=wanted.get(node_id, 0)
            )
            if node_id in wanted:
                found.setdefault(node_id, node)
            if len(samples) < SAMPLES:
                said = " ".join((row.get(DESCRIPTION_COLUMN) or "").split())
                samples.append(replace(node, description=said[:_DESCRIPTION_LENGTH]))
        if len(found) == len(wanted) and len(samples) == SAMPLES:
            break
    return found, samples


def _rows(batch: pa.RecordBatch, wanted: Collection[str], *, first: int) -> Iterator[dict[str, str]]:
    named = batch.select([name for name in (*NODE_COLUMNS, DESCRIPTION_COLUMN) if name in batch.schema.names])
    for number, node_id in enumerate(named.column("id").to_pylist()):
        if number < first or node_id in wanted:
            yield named.slice(number, 1).to_pylist()[0]


def _among(edges: pa.Table, node_ids: Collection[str]) -> list[PortraitEdge]:
    """The edges between these nodes, the first of each pair of nodes and name."""
    found: dict[PortraitEdge, None] = {}
    for batch in edges.to_batches():
        ends = zip(batch.column("source").to_pylist(), batch.column("target").to_pylist(), strict=True)
        for number, (source, target) in enumerate(ends):
            if source in node_ids and target in node_ids and source != target:
                found[_edge(batch.slice(number, 1).to_pylist()[0])] = None
                if len(found) == MAX_EDGES:
                    return list(found)
    return list(found)


def _edge(row: dict[str, str]) -> PortraitEdge:
    return PortraitEdge(source=row["source"], relationship=row["relationship"], target=row["target"])
