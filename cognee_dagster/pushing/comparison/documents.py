"""Which documents a remote dataset has of those that were sent, whichever ids they went under."""

from collections.abc import Iterable

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.format import TEXT_KINDS
from cognee_dagster.cogx.read.documents import document_prints
from cognee_dagster.graph.counting import counted
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.responses import RemoteDataset, RemoteDocument


def documents_missing_and_extra(
    archives: Iterable[Archive], present: Iterable[RemoteDocument], *, dataset_id: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """External ids of documents that are missing on the remote, or have another text there; and of those besides.

    A document that is there twice, under an id of the dataset's own and under the plain one, is one too many.

    Args:
        archives: What was sent; of a graph in several, all of them.
        present: What the remote dataset holds; what was not imported is nobody's.
        dataset_id: The remote dataset's id.
    """
    expected = {
        (document.external_system, document.external_id): f"text_{document.md5}"
        for archive in archives
        if has_documents(archive)
        for document in document_prints(archive.path)
    }
    right: set[tuple[str | None, str]] = set()
    seen: set[tuple[str | None, str]] = set()
    extra: set[str] = set()
    for row in present:
        if row.external_id is None:
            continue
        key = (row.external_system, row.external_id.removeprefix(f"{dataset_id}:"))
        if key not in expected or key in seen:
            extra.add(key[1])
        if key in expected:
            seen.add(key)
            if row.name == expected[key]:
                right.add(key)
    return tuple(sorted({key[1] for key in expected.keys() - right})), tuple(sorted(extra))


def document_problems(client: CogneeClient, archive: Archive, *, dataset: RemoteDataset) -> list[str]:
    """Documents of an archive that a remote dataset does not hold, or holds with another text, in words.

    Raises:
        RemoteError: The remote's documents cannot be listed.
    """
    if not has_documents(archive):
        return []
    missing, _ = documents_missing_and_extra([archive], client.data(dataset.id), dataset_id=dataset.id)
    are = counted(len(missing), "document is", "documents are")
    return [f"{are} missing on the remote, such as {missing[0]}. Push again."] if missing else []


def has_documents(archive: Archive) -> bool:
    """Whether an archive holds documents, or texts that a server makes documents of."""
    return any(archive.record_counts.get(kind) for kind in TEXT_KINDS)
