"""Removed edges whose two nodes stay: what a server deletes only if it remembers imports in the graph itself.

One that remembers them in its relational database deletes edges with one of their nodes alone, and answers as if it
had deleted the others, too (Cognee 1.6.5; docs/mirrors.md, "On which servers"). No request tells which way a dataset
goes. So the remote graph is read before such edges are to go, and after, until the server was seen to delete one.
"""

import logging
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from cognee_dagster.errors import RemoteError, UnremovableEdgesError
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.mirror.graph.records import edge_key, key_of
from cognee_dagster.pushing.mirror.seen.presence import uuid_bytes_or_none
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.remote_graph import RemoteEdge, RemoteNode
from cognee_dagster.remote.responses import RemoteDataset

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.integer]

# What is known of a remote dataset: nothing; nothing, and some were deleted without a look since; it was seen to delete
# them; it was seen to leave them.
SingleEdgesSeen = Literal["", "unseen", "go", "stay"]
_EXAMPLES = 3

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SingleEdges:
    """Edges that are on the remote, and not in the graph, which has both their nodes.

    Attributes:
        keys: What they are known by, uint64.
        examples: Some of them, in words.
    """

    keys: "Integers" = field(default_factory=lambda: np.empty(0, np.uint64), repr=False)
    examples: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """How many, and which for example."""
        return f"{counted(len(self.keys), 'edge')} between nodes that stay, such as {'; '.join(self.examples)}"


def find_single_edges(
    client: CogneeClient, dataset: RemoteDataset, removed: "Integers", *, node_keys: "Integers"
) -> SingleEdges:
    """Those of some removed edges that the remote graph shows, and of which both nodes stay.

    Args:
        client: The remote.
        dataset: The remote dataset.
        removed: What the removed edges are known by, uint64.
        node_keys: What the graph's nodes are known by, uint64.

    Raises:
        RemoteError: The remote graph cannot be read.
    """
    if not len(removed):
        return SingleEdges()
    return client.read_graph(dataset.id, lambda: _Rows(removed, node_keys)).rows.found


def look_beforehand(
    client: CogneeClient, dataset: RemoteDataset, removed: "Integers", *, node_keys: "Integers", seen: SingleEdgesSeen
) -> SingleEdges:
    """``find_single_edges`` where it is not known yet that the server deletes them.

    Raises:
        RemoteError: The remote graph cannot be read, and its server is known to leave such edges.
    """
    if seen == "go":
        return SingleEdges()
    try:
        return find_single_edges(client, dataset, removed, node_keys=node_keys)
    except RemoteError as error:
        if seen == "stay":
            raise
        logger.warning("It cannot be told whether %r deletes removed edges whose nodes stay: %s", dataset.name, error)
        return SingleEdges()


def what_was_seen(before: SingleEdges, after: SingleEdges, *, others_may_have_them: bool) -> SingleEdgesSeen:
    """What single edges before their deletion and after it say of the server."""
    if len(after.keys) < len(before.keys):
        return "go"
    return "" if others_may_have_them or not len(before.keys) else "stay"


def unremovable(edges: SingleEdges, *, source: str, where: str, happened: str) -> UnremovableEdgesError:
    """The error of a push that cannot remove some.

    Args:
        edges: They.
        source: The local dataset's name.
        where: The remote dataset in words.
        happened: What the push has done besides: a sentence.
    """
    return UnremovableEdgesError(
        f"The graph of {source!r} lacks {edges.in_words}, that {where} has, and on_removed is remove, which cannot be "
        "done there: that server keeps in its relational database what imports brought, and deletes an edge only with "
        "one of its nodes; or a dataset or mirror of which nothing is known here has these edges, too. "
        f"{happened} Push with on_removed keep, which leaves them there, or, where nobody else needs that graph, with "
        "replace, which empties it and sends everything."
    )


class _Rows:
    """Takes a remote graph, and keeps what it shows of some edges."""

    def __init__(self, removed: "Integers", node_keys: "Integers") -> None:
        self._removed = frozenset(removed.tolist())
        self._node_keys = np.unique(node_keys)
        self._keys = array("Q")
        self._examples = list[str]()

    def node(self, node: RemoteNode) -> None:
        """Nothing is asked of nodes."""

    def edge(self, edge: RemoteEdge) -> None:
        """Keep an edge that is one of them."""
        source, target = uuid_bytes_or_none(edge.source), uuid_bytes_or_none(edge.target)
        if source is None or target is None:
            return
        key = edge_key(source, edge.label, target)
        if key in self._removed and self._stay(key_of(source), key_of(target)):
            self._keys.append(key)
            if len(self._examples) < _EXAMPLES:
                self._examples.append(f"{edge.source} {edge.label} {edge.target}")

    @property
    def found(self) -> SingleEdges:
        return SingleEdges(keys=np.unique(np.frombuffer(self._keys, np.uint64)), examples=tuple(self._examples))

    def _stay(self, *keys: int) -> bool:
        wanted = np.array(keys, np.uint64)
        places = np.minimum(np.searchsorted(self._node_keys, wanted), len(self._node_keys) - 1)
        return bool((self._node_keys[places] == wanted).all())
