"""How much a remote dataset has besides, counted row by row: see ``unowned``."""

import logging
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from cognee_dagster.errors import RemoteError
from cognee_dagster.pushing.mirror.graph.documents import others_documents
from cognee_dagster.pushing.mirror.graph.records import edge_key, key_of
from cognee_dagster.pushing.mirror.seen.presence import uuid_bytes_or_none
from cognee_dagster.pushing.mirror.seen.unowned import Unowned
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.remote_graph import RemoteEdge, RemoteNode
from cognee_dagster.remote.responses import RemoteDataset

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.integer]

_BATCH = 65_536

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Owned:
    """What somebody here has brought.

    Attributes:
        nodes: What nodes are known by, uint64, sorted; likewise edges and documents.
    """

    nodes: "Integers"
    edges: "Integers"
    documents: "Integers"

    @classmethod
    def of(cls, *some: "tuple[Integers, Integers, Integers]") -> "Owned":
        """Together, from the keys of nodes, of edges and of documents of each."""
        nodes, edges, documents = (np.unique(np.concatenate(keys)) for keys in zip(*some, strict=True))
        return cls(nodes, edges, documents)


def count_unowned(client: CogneeClient, dataset: RemoteDataset, owned: Owned, *, before: Unowned) -> Unowned:
    """What ``before`` says, with the counts as they are now; None for each where the remote cannot be read.

    Memory grows with what is owned, and not with the remote graph.
    """
    try:
        rows = client.read_graph(dataset.id, lambda: _Rows(owned)).rows
        listed = client.data(dataset.id)
        documents = sum(1 for _ in others_documents(listed, owned.documents, dataset_id=dataset.id))
    except RemoteError as error:
        logger.warning("It cannot be told what %r has besides this mirror: %s", dataset.name, error)
        return msgspec.structs.replace(before, nodes=None, edges=None, documents=None)
    return msgspec.structs.replace(
        before,
        nodes=rows.nodes.unknown,
        of_nodes=rows.nodes.total,
        edges=rows.edges.unknown,
        of_edges=rows.edges.total,
        documents=documents,
    )


class _Rows:
    """Takes a remote graph, and counts what is not owned."""

    def __init__(self, owned: Owned) -> None:
        self.nodes = _Counted(owned.nodes)
        self.edges = _Counted(owned.edges)

    def node(self, node: RemoteNode) -> None:
        found = uuid_bytes_or_none(node.id)
        self.nodes.add(None if found is None else key_of(found))

    def edge(self, edge: RemoteEdge) -> None:
        source, target = uuid_bytes_or_none(edge.source), uuid_bytes_or_none(edge.target)
        self.edges.add(None if source is None or target is None else edge_key(source, edge.label, target))


class _Counted:
    """Keys that come, counted; they are looked up many at once."""

    def __init__(self, known: "Integers") -> None:
        self.total = 0
        self._known = known
        self._unknown = 0
        self._batch = array("Q")

    def add(self, key: int | None) -> None:
        self.total += 1
        if key is None:
            self._unknown += 1
            return
        self._batch.append(key)
        if len(self._batch) >= _BATCH:
            self._look_up()

    @property
    def unknown(self) -> int:
        self._look_up()
        return self._unknown

    def _look_up(self) -> None:
        keys = np.frombuffer(self._batch, np.uint64)
        places = np.searchsorted(self._known, keys)
        is_known = np.append(self._known, np.uint64(0))[places] == keys
        self._unknown += int(np.count_nonzero(~(is_known & (places < len(self._known)))))
        self._batch = array("Q")
