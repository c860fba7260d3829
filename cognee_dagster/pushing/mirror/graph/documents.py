"""The documents of a mirror: which are sent, and which are deleted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.format import COGNEE_SYSTEM
from cognee_dagster.cogx.read.documents import DocumentPrint, document_prints
from cognee_dagster.pushing.mirror.graph.contents import MirrorContents
from cognee_dagster.pushing.mirror.graph.matching import places_in
from cognee_dagster.pushing.mirror.graph.records import key_of
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.documents import MAX_DOCUMENTS_PER_PAGE
from cognee_dagster.remote.responses import RemoteDataset, RemoteDocument

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.integer]


@dataclass(frozen=True, kw_only=True)
class DocumentDifference:
    """How a graph's documents differ from what the remote has.

    Attributes:
        keys: What the graph's documents are known by, uint64.
        contents: A hash of their text, uint64.
        sent: External ids of documents that the remote lacks, or has with another text.
        sent_keys: What those are known by.
        added: Those of them that it lacks.
        removed_keys: What those are known by that only the remote has.
    """

    keys: "Integers"
    contents: "Integers"
    sent: tuple[str, ...]
    sent_keys: tuple[int, ...]
    added: tuple[str, ...]
    removed_keys: frozenset[int]

    def contents_after(self, there: MirrorContents) -> MirrorContents:
        """What the remote holds once these are sent and deleted; nodes and edges as before."""
        kept = np.array([key not in self.removed_keys for key in there.document_keys.tolist()], bool) & (
            places_in(self.keys, there.document_keys) < 0
        )
        return replace(
            there,
            document_keys=np.concatenate((self.keys, there.document_keys[kept])),
            document_contents=np.concatenate((self.contents, there.document_contents[kept])),
        )

    @property
    def is_empty(self) -> bool:
        """Whether the remote has the documents as they are."""
        return not self.sent and not self.removed_keys


def compare_documents(
    archives: Sequence[Archive], there: MirrorContents, *, keeps_removed: bool = False
) -> DocumentDifference:
    """Hold a graph's documents against what the remote has confirmed.

    Raises:
        ArchiveError: An archive is damaged.
    """
    prints: dict[int, DocumentPrint] = {}
    for archive in archives:
        if archive.record_counts.get("document"):
            for document in document_prints(archive.path):
                prints.setdefault(key_of(document.external_id.encode("utf-8", "surrogatepass")), document)
    keys = np.fromiter(prints, np.uint64, len(prints))
    contents = np.fromiter((key_of(one.md5.encode()) for one in prints.values()), np.uint64, len(prints))
    at = places_in(there.document_keys, keys)
    known = there.document_contents[at] if len(there.document_keys) else contents
    is_sent = (at < 0) | (contents != known)
    documents = list(prints.values())
    return DocumentDifference(
        keys=keys,
        contents=contents,
        sent=tuple(documents[place].external_id for place in np.flatnonzero(is_sent).tolist()),
        sent_keys=tuple(keys[is_sent].tolist()),
        added=tuple(documents[place].external_id for place in np.flatnonzero(at < 0).tolist()),
        removed_keys=frozenset() if keeps_removed else frozenset(there.document_keys.tolist()) - set(prints),
    )


def removed_documents(
    documents: Iterable[RemoteDocument], removed_keys: frozenset[int], *, dataset_id: str
) -> Iterator[str]:
    """The data ids of a remote dataset's documents that are no longer in the graph."""
    for row in documents:
        if _key_of(row, dataset_id) in removed_keys:
            yield row.id


def missing_documents(
    client: CogneeClient, dataset: RemoteDataset, confirmed: "Integers", *, at_most: int = MAX_DOCUMENTS_PER_PAGE
) -> frozenset[int]:
    """What those are known by that a remote dataset has confirmed and no longer lists.

    Args:
        client: The remote.
        dataset: The remote dataset.
        confirmed: What documents are known by that it has confirmed.
        at_most: Of more documents than these nothing is asked.

    Raises:
        RemoteError: They cannot be listed.
    """
    if not 0 < len(confirmed) <= at_most:
        return frozenset()
    listed = list(client.data(dataset.id))
    if listed and not any(row.external_id for row in listed):  # a server that does not show what they are known by
        return frozenset()
    return frozenset(confirmed.tolist()) - {_key_of(row, dataset.id) for row in listed}


def _key_of(row: RemoteDocument, dataset_id: str) -> int | None:
    """What a remote document is known by; None for one of another kind."""
    if row.external_system != COGNEE_SYSTEM or row.external_id is None:
        return None
    return key_of(row.external_id.removeprefix(f"{dataset_id}:").encode("utf-8", "surrogatepass"))


def others_documents(documents: Iterable[RemoteDocument], keys: "Integers", *, dataset_id: str) -> Iterator[str]:
    """The data ids of documents in a remote dataset that are not in a graph, or there under another id besides.

    ``cognee.push()`` brings documents under their plain ids. Those that are in the graph keep them, for a mirror sends
    them under the ids that they have there (``pushing.documents``), unless they are there under the dataset's own too.
    """
    known = frozenset(keys.tolist())
    rows = [row for row in documents if row.external_system == COGNEE_SYSTEM and row.external_id is not None]
    there = {row.external_id for row in rows}
    for row in rows:
        external_id = str(row.external_id).removeprefix(f"{dataset_id}:")
        is_twin = external_id == row.external_id and f"{dataset_id}:{external_id}" in there
        if is_twin or key_of(external_id.encode("utf-8", "surrogatepass")) not in known:
            yield row.id
