"""Listing the documents of a dataset, page by page."""

import time
from collections.abc import Iterator
from urllib.parse import quote
from uuid import UUID

from cognee_dagster.remote.failures import unexpected
from cognee_dagster.remote.responses import RemoteDocument, parse_documents
from cognee_dagster.remote.session import Session

MAX_DOCUMENTS_PER_PAGE = 1000  # Cognee 1.6.5, api/v1/datasets/routers/get_datasets_router.py
MAX_DOCUMENTS = 200_000  # of one dataset
MAX_CHARACTERS = 32 * 2**20  # of what they are called, which whoever lists them may hold; an import's take 120 each


def every_document(session: Session, dataset_id: UUID | str, *, within: float | None) -> Iterator[RemoteDocument]:
    """The documents of a dataset; each page is asked for when the one before is used up.

    Args:
        session: The remote.
        dataset_id: The dataset.
        within: Seconds for all pages.

    Raises:
        UnexpectedAnswerError: There are more than ``MAX_DOCUMENTS``, or called by more than ``MAX_CHARACTERS``, or
            listing them takes longer than that.
    """
    what = f"listing the documents of dataset {dataset_id}"
    seen: set[str] = set()
    offset = characters = 0
    began = time.monotonic()
    while within is None or time.monotonic() - began < within:
        if len(seen) > MAX_DOCUMENTS or characters > MAX_CHARACTERS:
            break
        page = session.ask(
            "GET",
            f"/api/v1/datasets/{quote(str(dataset_id), safe='')}/data",
            what=what,
            parse=parse_documents,
            params={"limit": MAX_DOCUMENTS_PER_PAGE, "offset": offset},
        )
        new = [document for document in page if document.id not in seen]
        characters += sum(len(text or "") for one in new for text in (one.name, one.external_system, one.external_id))
        yield from new
        seen.update(document.id for document in new)
        offset += page.sent
        if page.sent < MAX_DOCUMENTS_PER_PAGE or not new:  # nothing new: a server that does not page
            return
    raise unexpected(
        f"lists documents without end ({len(seen):,} after {time.monotonic() - began:.0f} s, called by {characters:,} "
        "characters)",
        session.question(what),
    )
