"""What a remote dataset has confirmed to hold of a graph, record by record, as arrays."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cognee_dagster.pushing.mirror.graph.records import key_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.integer]

_MAGIC = b"cognee-dagster mirror 1\n"
_COLUMNS: "tuple[tuple[str, np.dtype[Any]], ...]" = (
    ("node_ids", np.dtype(("u1", 16))),
    ("node_contents", np.dtype("<u8")),
    ("node_segments", np.dtype("<i4")),
    ("edge_keys", np.dtype("<u8")),
    ("edge_contents", np.dtype("<u8")),
    ("edge_segments", np.dtype("<i4")),
    ("document_keys", np.dtype("<u8")),
    ("document_contents", np.dtype("<u8")),
)


@dataclass(frozen=True, kw_only=True)
class MirrorContents:
    """Nodes by id, edges and documents by a hash; each with a hash of its record. 28 bytes a node, 20 an edge.

    Attributes:
        node_ids: (nodes, 16) uint8.
        node_contents: uint64.
        node_segments: The segment of each node, int32.
        edge_keys: uint64.
        edge_contents: uint64.
        edge_segments: The segment of each edge, int32.
        document_keys: uint64.
        document_contents: uint64.
    """

    HEAD_BYTES: ClassVar[int] = len(_MAGIC) + 8 * len(_COLUMNS)

    node_ids: "Integers"
    node_contents: "Integers"
    node_segments: "Integers"
    edge_keys: "Integers"
    edge_contents: "Integers"
    edge_segments: "Integers"
    document_keys: "Integers"
    document_contents: "Integers"

    @classmethod
    def empty(cls) -> "MirrorContents":
        """Of a remote that has nothing."""
        columns: dict[str, Any] = {name: np.empty(0, dtype) for name, dtype in _COLUMNS}
        return cls(**columns)

    def distrusted(self) -> "MirrorContents":
        """What is left of these when the remote may hold anything: which documents are ours, but not their texts."""
        nothing = np.zeros_like(self.document_contents)
        return replace(self.empty(), document_keys=self.document_keys, document_contents=nothing)

    def without_texts_of(self, document_keys: Collection[int]) -> "MirrorContents":
        """These, but for the texts of some documents, of which the remote may have any, or none."""
        if not document_keys:
            return self
        unknown = np.fromiter(document_keys, np.uint64, len(document_keys))
        kept = ~np.isin(self.document_keys, unknown)
        return replace(
            self,
            document_keys=np.concatenate((self.document_keys[kept], unknown)),
            document_contents=np.concatenate((self.document_contents[kept], np.zeros_like(unknown))),
        )

    def without_documents(self, document_keys: Collection[int]) -> "MirrorContents":
        """These, but for some documents."""
        if not document_keys:
            return self
        kept = ~np.isin(self.document_keys, np.fromiter(document_keys, np.uint64, len(document_keys)))
        return replace(self, document_keys=self.document_keys[kept], document_contents=self.document_contents[kept])

    def with_edges_of(self, other: "MirrorContents", edge_keys: "Integers") -> "MirrorContents":
        """These, and some edges of others, whose records are forgotten: they are only known to be there."""
        added = np.flatnonzero(np.isin(other.edge_keys, edge_keys))
        return replace(
            self,
            edge_keys=np.concatenate((self.edge_keys, other.edge_keys[added])),
            edge_contents=np.concatenate((self.edge_contents, np.zeros(len(added), np.uint64))),
            edge_segments=np.concatenate((self.edge_segments, other.edge_segments[added])),
        )

    @property
    def node_keys(self) -> "Integers":
        """What the nodes are known by in ``GraphFingerprints``."""
        return np.fromiter((key_of(one.tobytes()) for one in self.node_ids), np.uint64, len(self.node_ids))

    @property
    def segments(self) -> set[int]:
        """The segments of its nodes and edges."""
        return {*np.unique(self.node_segments).tolist(), *np.unique(self.edge_segments).tolist()}

    def encode(self) -> bytes:
        """As a file's content."""
        columns = [np.ascontiguousarray(getattr(self, name), dtype.base) for name, dtype in _COLUMNS]
        lengths = np.array([len(column) for column in columns], "<i8")
        return b"".join((_MAGIC, lengths.tobytes(), *(column.data for column in columns)))

    @classmethod
    def bytes_told(cls, head: bytes) -> int:
        """How large a file is that begins with these ``HEAD_BYTES``, as it says itself.

        Raises:
            ValueError: It is something else, or of another release.
        """
        if not head.startswith(_MAGIC) or len(head) < cls.HEAD_BYTES:
            raise ValueError("not the contents of a mirror, or of another release")
        lengths: list[int] = np.frombuffer(head, "<i8", len(_COLUMNS), len(_MAGIC)).tolist()
        if min(lengths) < 0:
            raise ValueError("contents of a mirror that tell of fewer than no records")
        return cls.HEAD_BYTES + sum(
            length * dtype.itemsize for (_, dtype), length in zip(_COLUMNS, lengths, strict=True)
        )

    @classmethod
    def decode(cls, content: bytes) -> "MirrorContents":
        """The contents in a file.

        Raises:
            ValueError: It is something else, or of another release.
        """
        if not content.startswith(_MAGIC):
            raise ValueError("not the contents of a mirror, or of another release")
        start = len(_MAGIC)
        lengths = np.frombuffer(content, "<i8", len(_COLUMNS), start)
        start += lengths.nbytes
        columns: dict[str, Any] = {}
        for (name, dtype), length in zip(_COLUMNS, lengths.tolist(), strict=True):
            columns[name] = np.frombuffer(content, dtype, length, start)
            start += columns[name].nbytes
        if start != len(content):
            raise ValueError("contents of a mirror that are cut off or go on")
        return cls(**columns)
