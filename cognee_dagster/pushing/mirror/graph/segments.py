"""Which part of the graph each node belongs to: parts are replaced as a whole, so that neighbours should share one.

A node that has a segment keeps it: small changes of a graph stay small changes on the remote. A new one joins the
segment that most of its neighbours are in, while there is room; the others are cut into new segments. What came from
one text alone stays together, with all edges of it, so that a text that is deleted touches one segment.
"""

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from cognee_dagster.cogx.format import Limits
from cognee_dagster.cogx.shard.plan import GraphSizes, plan_shards
from cognee_dagster.pushing.mirror.graph.belonging import texts_of
from cognee_dagster.pushing.mirror.graph.fingerprints import GraphFingerprints

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.integer]

# What is gone costs its segment; and each segment a request and, of its edges, the nodes at their far ends.
SEGMENT_NODES = 2_000
_LEAST_NODES = 250
_USUAL_SEGMENTS = 15
# How many steps away from known nodes a new one may be to join a segment; the others are cut into new ones.
_JOINING_ROUNDS = 8
# A segment may grow to so many times its size before nodes that belong to it go elsewhere.
_ROOM = 2
NOWHERE = -1


def assign_segments(
    graph: GraphFingerprints,
    nodes: "Integers",
    edges: "Integers",
    *,
    first_new: int,
    segment_nodes: int = SEGMENT_NODES,
) -> "tuple[Integers, Integers]":
    """The segment of each node and of each edge, int32.

    Args:
        graph: The graph.
        nodes: The segment of each node, ``NOWHERE`` for a new one.
        edges: The segment of each edge, ``NOWHERE`` for a new one.
        first_new: The number of the first segment that may be made.
        segment_nodes: How many nodes a new segment has at most, with those at the far ends of its edges.
    """
    nodes, edges = nodes.astype(np.int32, copy=True), edges.astype(np.int32, copy=True)
    if not ((nodes == NOWHERE).any() or (edges == NOWHERE).any()):
        return nodes, edges
    texts = texts_of(graph, at_most=segment_nodes)
    if (nodes != NOWHERE).any():
        _join_neighbours(graph, texts, nodes, most=_ROOM * segment_nodes)
    is_shared = np.bincount(texts, minlength=len(nodes))[texts] == 1
    cut = _cut(graph, nodes, first_new=first_new, segment_nodes=segment_nodes)
    _gather(texts, nodes, least=first_new)
    at_target = is_shared[graph.sources] & ~is_shared[graph.targets]
    usual = np.where(at_target, nodes[graph.targets], nodes[graph.sources])
    usual = np.where(is_shared[graph.sources] & is_shared[graph.targets] & (cut != NOWHERE), cut, usual)
    return nodes, np.where(edges == NOWHERE, usual, edges)


def usual_segment_nodes(num_nodes: int) -> int:
    """How many nodes a new segment of such a graph has: a fifteenth of them, from 250 to 2,000."""
    return min(max(num_nodes // _USUAL_SEGMENTS, _LEAST_NODES), SEGMENT_NODES)


def _join_neighbours(graph: GraphFingerprints, texts: "Integers", segments: "Integers", *, most: int) -> None:
    """Give new nodes the segment of most of their text's neighbours, and then those that hang on them."""
    sizes = Counter(segments[segments != NOWHERE].tolist())
    ends = np.concatenate((graph.sources, graph.targets))
    others = np.concatenate((graph.targets, graph.sources))
    for _ in range(_JOINING_ROUNDS):
        new = np.flatnonzero(segments == NOWHERE)
        joining = np.bincount(texts[new], minlength=len(segments))
        reaches = (segments[ends] == NOWHERE) & (segments[others] != NOWHERE)
        votes: dict[int, Counter[int]] = {}
        for text, segment in zip(texts[ends[reaches]].tolist(), segments[others[reaches]].tolist(), strict=True):
            votes.setdefault(text, Counter())[segment] += 1
        joined = np.full(len(segments), NOWHERE, np.int32)
        for text, counted in votes.items():
            for segment, _ in counted.most_common():
                if sizes[segment] + joining[text] <= most:
                    joined[text] = segment
                    sizes[segment] += int(joining[text])
                    break
        segments[new] = joined[texts[new]]
        if (joined == NOWHERE).all():
            return


def _cut(graph: GraphFingerprints, nodes: "Integers", *, first_new: int, segment_nodes: int) -> "Integers":
    """Cut the part of the graph that the new nodes are into segments; those of the edges within."""
    new = np.flatnonzero(nodes == NOWHERE)
    edges = np.full(len(graph.edge_keys), NOWHERE, np.int32)
    if not len(new):
        return edges
    number_of = np.full(len(graph.node_keys), NOWHERE, np.int32)
    number_of[new] = np.arange(len(new), dtype=np.int32)
    sources, targets = number_of[graph.sources], number_of[graph.targets]
    within = np.flatnonzero((sources != NOWHERE) & (targets != NOWHERE)).astype(np.int32)
    sources, targets = sources[within], targets[within]  # in place of the others, which are as large as all edges
    nothing = np.zeros(len(new), np.int64)
    sizes = GraphSizes(
        documents=nothing,
        entities=nothing,
        raw_nodes=np.ones(len(new), np.int64),
        facts=np.zeros(len(within), np.int64),
        sources=sources,
        targets=targets,
    )
    room = max(segment_nodes, 2)  # an edge has two ends
    found = plan_shards(sizes, limits=Limits(member_bytes=room, total_bytes=room))
    nodes[new] = first_new + found.homes
    edges[within] = first_new + found.facts
    return edges


def _gather(texts: "Integers", nodes: "Integers", *, least: int) -> None:
    """Put what came from one text into one of the new segments, the one that most of it is in."""
    new = np.flatnonzero(nodes >= least)
    if not len(new):
        return
    pairs, counts = np.unique(texts[new].astype(np.int64) << 32 | nodes[new], return_counts=True)
    order = np.argsort(counts, kind="stable")  # of each text the segment with most of it comes last
    home = np.full(len(nodes), NOWHERE, np.int32)
    home[pairs[order] >> 32] = pairs[order] & 0xFFFFFFFF
    nodes[new] = home[texts[new]]
