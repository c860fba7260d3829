"""Under which ids documents go to a remote dataset, so that any number of datasets can be pushed to, again and again.

A document's id is unique over a whole Cognee server: the second dataset that brings it is refused (415). And a changed
text under an id that is there is ignored without a word. (Measured on Cognee 1.6.5.) Hence a new document's id carries
the remote dataset's id, one that is there already keeps the id it has, whichever tool gave it, and one whose text has
changed is deleted before it is pushed again.
"""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.format import COGNEE_SYSTEM
from cognee_dagster.cogx.read.documents import DocumentPrint, document_prints, rename_documents
from cognee_dagster.pushing.comparison.documents import has_documents
from cognee_dagster.pushing.progress import PushProgress
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.responses import RemoteDataset, RemoteDocument

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class DocumentPlan:
    """What a push does about documents.

    Attributes:
        external_ids: The id that each document goes under, by its id in the archive.
        outdated: Data ids on the remote whose text has changed: to be deleted first.
    """

    external_ids: dict[str, str]
    outdated: tuple[str, ...]


def plan_documents(
    documents: Iterable[DocumentPrint], present: Iterable[RemoteDocument], *, dataset_id: str
) -> DocumentPlan:
    """Decide on the documents of one archive.

    Args:
        documents: The archive's.
        present: What the remote dataset holds.
        dataset_id: The remote dataset's id.
    """
    ours = list(documents)
    wanted = {name for one in ours for name in (one.external_id, f"{dataset_id}:{one.external_id}")}
    rows = (row for row in present if row.external_system == COGNEE_SYSTEM)
    there = {row.external_id: row for row in rows if row.external_id in wanted}
    external_ids: dict[str, str] = {}
    outdated: list[str] = []
    for document in ours:
        own_id = f"{dataset_id}:{document.external_id}"
        external_id = own_id if own_id in there or document.external_id not in there else document.external_id
        external_ids[document.external_id] = external_id
        stored = there.get(external_id)
        if stored is not None and stored.name != f"text_{document.md5}":
            outdated.append(stored.id)
    return DocumentPlan(external_ids=external_ids, outdated=tuple(outdated))


def plan_unchanged(
    documents: Iterable[DocumentPrint], present: Iterable[RemoteDocument], *, dataset_id: str
) -> tuple[str, ...]:
    """What is to be deleted before documents go under the ids that they have: data ids on the remote.

    Those whose text has changed, and those that an earlier push, which was free to choose, put under an id of the
    dataset's own: they would be there twice.

    Args:
        documents: The archive's.
        present: What the remote dataset holds.
        dataset_id: The remote dataset's id.
    """
    ours = [((one.external_system, one.external_id), f"text_{one.md5}") for one in documents]
    own_keys = [(COGNEE_SYSTEM, f"{dataset_id}:{external_id}") for (_, external_id), _ in ours]
    wanted = {*(key for key, _ in ours), *own_keys}
    there = {key: row for row in present if (key := (row.external_system, row.external_id)) in wanted}
    outdated: list[str] = []
    for (key, text), own_key in zip(ours, own_keys, strict=True):
        if (stored := there.get(key)) is not None and stored.name != text:
            outdated.append(stored.id)
        if (own := there.get(own_key)) is not None:
            outdated.append(own.id)
    return tuple(dict.fromkeys(outdated))


def prepare_documents(
    client: CogneeClient, archive: Archive, *, dataset: RemoteDataset, directory: Path, progress: PushProgress
) -> Archive:
    """Make room on the remote for an archive's documents, and give them ids that are theirs alone.

    An archive that is to be sent as it is keeps all ids: whatever is in the way on the remote is deleted.

    Args:
        client: The remote.
        archive: The archive to be pushed.
        dataset: Where to; without an id nothing can be prepared.
        directory: For the copy with the other ids; it must outlive the upload.
        progress: Who is told of deletions.

    Returns:
        The archive to upload: the copy, or the given one where there is nothing to do.

    Raises:
        RemoteError: The remote's documents cannot be listed or deleted.
    """
    if not has_documents(archive) or not dataset.id:
        return archive
    documents, present = document_prints(archive.path), client.data(dataset.id)
    if archive.as_it_is:
        outdated = plan_unchanged(documents, present, dataset_id=dataset.id)
        _delete(client, outdated, dataset=dataset, progress=progress)
        return archive
    plan = plan_documents(documents, present, dataset_id=dataset.id)
    _delete(client, plan.outdated, dataset=dataset, progress=progress)
    copy = directory / archive.path.name
    rename_documents(archive.path, copy, plan.external_ids)
    return replace(archive, path=copy)


def _delete(client: CogneeClient, data_ids: Collection[str], *, dataset: RemoteDataset, progress: PushProgress) -> None:
    for data_id in data_ids:
        with progress.deleting():
            client.delete_data(dataset.id, data_id)
    if data_ids:
        logger.info("Deleted %d documents of %r that this archive replaces", len(data_ids), dataset.name)
