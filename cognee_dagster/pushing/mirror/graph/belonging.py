"""What came from one text alone, and goes with it when it is deleted: its chunks, summaries, and what only it mentions.

Cognee says so by the names of edges: a chunk ``is_part_of`` its document, a summary is ``made_from`` its chunk, a chunk
``contains`` what it mentions, and that ``is_a`` something.
"""

from typing import TYPE_CHECKING

import numpy as np

from cognee_dagster.pushing.mirror.graph.fingerprints import GraphFingerprints
from cognee_dagster.pushing.mirror.graph.records import RELATIONS

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.integer]

# A summary, its chunk, its document; the tree of a graph that goes on and on is cut off somewhere.
_DEPTH = 8
_NOBODY, _SEVERAL = -1, -2


def texts_of(graph: GraphFingerprints, *, at_most: int) -> "Integers":
    """By node, the text that it belongs to, by its number; its own number for one that belongs to none. int32.

    Args:
        graph: The graph.
        at_most: Nothing belongs to a text that more nodes than these would belong to: it does not fit in a segment.
    """
    num_nodes = len(graph.node_keys)
    itself = np.arange(num_nodes, dtype=np.int32)
    owners = _roots(graph, itself)
    mentioning, parts = (
        _edges(graph, "contains"),
        np.concatenate((_edges(graph, "is_part_of"), _edges(graph, "made_from"))),
    )
    is_text = np.zeros(num_nodes, bool)
    is_text[graph.sources[np.concatenate((mentioning, parts))]] = True
    is_text[graph.targets[parts]] = True
    owners[~is_text] = _NOBODY
    for relation in ("contains", "is_a"):
        _give_to_the_only_one(graph, _edges(graph, relation), owners)
    owners = np.where(owners < 0, itself, owners)
    too_many = np.bincount(owners, minlength=num_nodes)[owners] > at_most
    return np.where(too_many, itself, owners)


def _edges(graph: GraphFingerprints, relation: str) -> "Integers":
    return np.flatnonzero(graph.relations == RELATIONS[relation])


def _roots(graph: GraphFingerprints, itself: "Integers") -> "Integers":
    """The document of each chunk and summary; every other node itself."""
    roots = itself.copy()
    for relation in ("is_part_of", "made_from"):
        edges = _edges(graph, relation)
        roots[graph.sources[edges]] = graph.targets[edges]
    for _ in range(_DEPTH):
        roots = roots[roots]
    return np.asarray(roots)


def _give_to_the_only_one(graph: GraphFingerprints, edges: "Integers", owners: "Integers") -> None:
    """Nodes that edges from one text's nodes lead to, and from no other's, are that text's."""
    sources, targets = owners[graph.sources[edges]], graph.targets[edges]
    sources = np.where(sources < 0, np.int32(_SEVERAL), sources)
    least, most = (np.full(len(owners), bound, np.int32) for bound in (np.iinfo(np.int32).max, np.iinfo(np.int32).min))
    np.minimum.at(least, targets, sources)
    np.maximum.at(most, targets, sources)
    given = np.flatnonzero((least == most) & (owners == _NOBODY) & (least >= 0))
    owners[given] = least[given]
