"""What a push to a mirror would do: a pure value, made of the graph and of what the remote has confirmed."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cognee_dagster.pushing.mirror.graph.contents import MirrorContents
from cognee_dagster.pushing.mirror.graph.fingerprints import GraphFingerprints
from cognee_dagster.pushing.mirror.graph.generations import other_letter
from cognee_dagster.pushing.mirror.graph.matching import groups, places_in, unmatched
from cognee_dagster.pushing.mirror.graph.segments import NOWHERE, SEGMENT_NODES, assign_segments

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.integer]


@dataclass(frozen=True, kw_only=True)
class GraphDifference:
    """How a graph differs from what the remote has.

    Attributes:
        added_nodes: Numbers of the graph's nodes that the remote lacks.
        changed_nodes: Numbers of those that it has with another record.
        removed_nodes: Their places in the remote's contents: nodes that only the remote has.
        added_edges: Numbers of edges that the remote lacks.
        changed_edges: Numbers of edges that it has with another record.
        removed_edges: Places of edges that only the remote has.
    """

    added_nodes: "Integers"
    changed_nodes: "Integers"
    removed_nodes: "Integers"
    added_edges: "Integers"
    changed_edges: "Integers"
    removed_edges: "Integers"


@dataclass(frozen=True, kw_only=True)
class SegmentUpload:
    """What is sent of one segment.

    Attributes:
        segment: Its number.
        letter: The generation that it is sent under.
        nodes: Numbers of the nodes, those at the far ends of edges included.
        edges: Numbers of the edges.
    """

    segment: int
    letter: str
    nodes: "Integers"
    edges: "Integers"


@dataclass(frozen=True, kw_only=True)
class SyncPlan:
    """What is to be done, in this order: upload, then delete.

    Attributes:
        difference: Between the graph and the remote's contents.
        uploads: What is sent, by segment.
        deleted: (segment, letter) of generations that are deleted once everything has arrived.
        letters: The letter by segment afterwards.
        keeps_removed: Whether what the graph no longer has stays on the remote.
        overfull: Segments of which the remote has all that is known, and may have more, also afterwards.
        node_segments: The segment of each node of the graph.
        edge_segments: The segment of each edge of the graph.
    """

    difference: GraphDifference
    uploads: tuple[SegmentUpload, ...]
    deleted: tuple[tuple[int, str], ...]
    letters: Mapping[int, str] = field(repr=False)
    keeps_removed: bool
    overfull: frozenset[int]
    node_segments: "Integers" = field(repr=False)
    edge_segments: "Integers" = field(repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do for the graph."""
        return not self.uploads and not self.deleted

    def contents_after(
        self, graph: GraphFingerprints, there: MirrorContents, *, confirmed: MirrorContents
    ) -> MirrorContents:
        """What the remote holds once the plan is carried out.

        Args:
            graph: The graph.
            there: What the remote has; its documents are as before.
            confirmed: What it once confirmed, also where that cannot be relied on: if what is gone from it stays, a
                later push that removes it has to know of it. Where it cannot be relied on that it is there, its record
                is forgotten: should the graph have it again, it is sent.
        """
        kept = confirmed if self.keeps_removed else MirrorContents.empty()
        nodes = unmatched(places_in(kept.node_keys, graph.node_keys), len(kept.node_ids))
        edges = unmatched(places_in(kept.edge_keys, graph.edge_keys), len(kept.edge_keys))
        kept_nodes = np.where(np.isin(kept.node_keys, there.node_keys), kept.node_contents, 0)[nodes]
        kept_edges = np.where(np.isin(kept.edge_keys, there.edge_keys), kept.edge_contents, 0)[edges]
        return MirrorContents(
            node_ids=np.concatenate((graph.ids, kept.node_ids[nodes])),
            node_contents=np.concatenate((graph.node_contents, kept_nodes)),
            node_segments=np.concatenate((self.node_segments, kept.node_segments[nodes])),
            edge_keys=np.concatenate((graph.edge_keys, kept.edge_keys[edges])),
            edge_contents=np.concatenate((graph.edge_contents, kept_edges)),
            edge_segments=np.concatenate((self.edge_segments, kept.edge_segments[edges])),
            document_keys=there.document_keys,
            document_contents=there.document_contents,
        )


def plan_sync(
    graph: GraphFingerprints,
    there: MirrorContents,
    letters: Mapping[int, str],
    *,
    dirty: Collection[int] = (),
    overfull: Collection[int] = (),
    keeps_removed: bool = False,
    segment_nodes: int = SEGMENT_NODES,
    first_new: int = 0,
) -> SyncPlan:
    """Decide on the nodes and edges of a push.

    Args:
        graph: The graph as it is.
        there: What the remote has confirmed.
        letters: The present generation of each segment that has one.
        dirty: Segments of which something else may be on the remote than ``there`` says: they are sent whole, and
            replaced unless everything is kept.
        overfull: Segments that were sent whole since, and of which more may be there: they are replaced unless
            everything is kept.
        keeps_removed: Whether nodes and edges that are no longer in the graph stay on the remote.
        segment_nodes: How many nodes a new segment has.
        first_new: The least number of a new segment.
    """
    node_at = places_in(there.node_keys, graph.node_keys)
    edge_at = places_in(there.edge_keys, graph.edge_keys)
    first_new = max(
        [first_new, *(1 + segment for segment in letters), 1 + int(there.node_segments.max(initial=NOWHERE))]
    )
    node_segments, edge_segments = assign_segments(
        graph,
        _known(there.node_segments, node_at),
        _known(there.edge_segments, edge_at),
        first_new=first_new,
        segment_nodes=segment_nodes,
    )
    difference = _difference(graph, there, node_at, edge_at)
    replaced = set[int]()
    if not keeps_removed:
        known = {*np.unique(there.node_segments).tolist(), *np.unique(there.edge_segments).tolist()}
        replaced |= {
            *dirty,
            *overfull,
            *(letters.keys() - known),
        }  # of a segment that holds nothing known, all is too much
        replaced |= set(np.unique(there.node_segments[difference.removed_nodes]).tolist())
        replaced |= set(np.unique(there.edge_segments[difference.removed_edges]).tolist())
    touched = _Touched.of(difference, node_segments, edge_segments, {*dirty, *replaced})
    uploads = _uploads(graph, touched, letters, replaced)
    sent = {upload.segment: upload.letter for upload in uploads}
    deleted = tuple(sorted((segment, letters[segment]) for segment in replaced if letters.get(segment)))
    kept = {segment: letter for segment, letter in letters.items() if letter and segment not in replaced}
    return SyncPlan(
        difference=difference,
        uploads=uploads,
        deleted=deleted,
        letters=kept | sent,
        keeps_removed=keeps_removed,
        overfull=frozenset((*dirty, *overfull)) - replaced,
        node_segments=node_segments,
        edge_segments=edge_segments,
    )


def _known(segments: "Integers", at: "Integers") -> "Integers":
    known = np.full(len(at), NOWHERE, np.int32)
    known[at >= 0] = segments[at[at >= 0]]
    return known


def _difference(
    graph: GraphFingerprints, there: MirrorContents, node_at: "Integers", edge_at: "Integers"
) -> GraphDifference:
    return GraphDifference(
        added_nodes=_places(node_at < 0),
        changed_nodes=_changed(graph.node_contents, there.node_contents, node_at),
        removed_nodes=unmatched(node_at, len(there.node_ids)),
        added_edges=_places(edge_at < 0),
        changed_edges=_changed(graph.edge_contents, there.edge_contents, edge_at),
        removed_edges=unmatched(edge_at, len(there.edge_keys)),
    )


def _places(holds: "npt.NDArray[np.bool_]") -> "Integers":
    """Where something holds. int32: half of what numpy would take, of every node and edge of a first push."""
    return np.flatnonzero(holds).astype(np.int32)


def _changed(contents: "Integers", known: "Integers", at: "Integers") -> "Integers":
    found = np.flatnonzero(at >= 0)
    is_changed = contents[found] != known[at[found]]
    return np.asarray(found[is_changed])


def _uploads(
    graph: GraphFingerprints, touched: "_Touched", letters: Mapping[int, str], replaced: Collection[int]
) -> tuple[SegmentUpload, ...]:
    nothing = np.empty(0, np.int32)
    uploads = []
    for segment in sorted({*touched.nodes, *touched.edges}):
        own, joining = touched.nodes.get(segment, nothing), touched.edges.get(segment, nothing)
        present = letters.get(segment, "")
        is_replaced = segment in replaced
        uploads.append(
            SegmentUpload(
                segment=segment,
                letter=other_letter(present) if is_replaced or not present else present,
                nodes=np.unique(np.concatenate((own, graph.sources[joining], graph.targets[joining]))),
                edges=joining,
            )
        )
    return tuple(uploads)


@dataclass(frozen=True, kw_only=True)
class _Touched:
    """Nodes and edges that are sent, by the segment that they are in."""

    nodes: "dict[int, Integers]"
    edges: "dict[int, Integers]"

    @classmethod
    def of(
        cls, difference: GraphDifference, node_segments: "Integers", edge_segments: "Integers", whole: Collection[int]
    ) -> "_Touched":
        return cls(
            nodes=_sent(node_segments, whole, (difference.added_nodes, difference.changed_nodes)),
            edges=_sent(edge_segments, whole, (difference.added_edges, difference.changed_edges)),
        )


def _sent(segments: "Integers", whole: Collection[int], others: "Iterable[Integers]") -> "dict[int, Integers]":
    """By segment: all of one that is sent whole, and the others."""
    is_sent = np.isin(segments, list(whole))
    for places in others:
        is_sent[places] = True
    sent = _places(is_sent)
    return {segment: sent[places] for segment, places in groups(segments[sent]).items()}
