"""Whether a remote dataset still has all that it has confirmed, whatever else is there, and however much."""

import logging
import sys
from array import array
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from cognee_dagster.errors import RemoteError
from cognee_dagster.pushing.mirror.graph.contents import MirrorContents
from cognee_dagster.pushing.mirror.graph.documents import missing_documents
from cognee_dagster.pushing.mirror.graph.records import edge_key, key_of
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.remote_graph import RemoteEdge, RemoteNode
from cognee_dagster.remote.responses import RemoteDataset

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.integer]

_BATCH = 65_536

logger = logging.getLogger(__name__)


def is_all_there(client: CogneeClient, dataset: RemoteDataset, contents: MirrorContents) -> bool:
    """Whether a remote dataset shows all nodes, edges and documents that it has confirmed.

    Where it cannot be read, nothing is proven. That is no error: a graph that no answer holds would be one for ever.

    Args:
        client: The remote.
        dataset: The remote dataset.
        contents: What it has confirmed. Memory grows with that, and not with the remote graph.
    """
    try:
        if missing_documents(client, dataset, contents.document_keys, at_most=sys.maxsize):
            return False
        return client.read_graph(dataset.id, lambda: _Awaited(contents)).rows.are_complete
    except RemoteError as error:
        logger.warning(
            "It cannot be told whether dataset %r still has all that it has confirmed: %s", dataset.name, error
        )
        return False


class _Awaited:
    """Takes a remote graph, and marks what was confirmed of it."""

    def __init__(self, contents: MirrorContents) -> None:
        self._nodes = _Marked(contents.node_keys)
        self._edges = _Marked(contents.edge_keys)

    def node(self, node: RemoteNode) -> None:
        """Mark a node."""
        if (found := uuid_bytes_or_none(node.id)) is not None:
            self._nodes.mark(key_of(found))

    def edge(self, edge: RemoteEdge) -> None:
        """Mark an edge."""
        source, target = uuid_bytes_or_none(edge.source), uuid_bytes_or_none(edge.target)
        if source is not None and target is not None:
            self._edges.mark(edge_key(source, edge.label, target))

    @property
    def are_complete(self) -> bool:
        """Whether all has come."""
        return self._nodes.is_complete and self._edges.is_complete


class _Marked:
    """Keys, and which of them have come. They are looked up many at once."""

    def __init__(self, keys: "Integers") -> None:
        self._keys = np.unique(keys)
        self._has_come = np.zeros(len(self._keys), bool)
        self._batch = array("Q")

    def mark(self, key: int) -> None:
        self._batch.append(key)
        if len(self._batch) >= _BATCH:
            self._look_up()

    @property
    def is_complete(self) -> bool:
        self._look_up()
        return bool(self._has_come.all())

    def _look_up(self) -> None:
        self._has_come |= np.isin(self._keys, np.frombuffer(self._batch, np.uint64))
        self._batch = array("Q")


def uuid_bytes_or_none(node_id: str) -> bytes | None:
    """The bytes of an id; None for a node of others that has another kind."""
    try:
        return UUID(node_id).bytes
    except ValueError:
        return None
