"""Asking what a question finds in a dataset (``POST /api/v1/search``), of which no language model is part.

The server is asked for what it would give a language model to answer from (``onlyContext``), and to tell it apart from
the question (``verbose``): without that, what is found for "Did Ada found Acme?" would hold "Ada" on every server.
"""

from typing import Any
from uuid import UUID

import msgspec

from cognee_dagster.errors import RemoteError, RemoteRejectedError
from cognee_dagster.remote.rows import Id, rows_of
from cognee_dagster.remote.search_types import SearchType
from cognee_dagster.remote.session import Session

_NOTHING_TO_SEARCH = "NoDataError"


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in one dataset.

    Attributes:
        dataset_id: The dataset; left out by servers without access control, which search everything there is.
        context_result: What was found, as text; null or empty for nothing.
    """

    dataset_id: Id | None = None
    context_result: str | list[str] | msgspec.UnsetType | None = msgspec.UNSET


def find_in_dataset(
    session: Session, dataset_id: UUID | str, *, question: str, search_type: SearchType, top_k: int
) -> str:
    """What a question finds in one dataset; empty for nothing.

    Args:
        session: The remote.
        dataset_id: The dataset.
        question: What is asked.
        search_type: How it is searched.
        top_k: How many chunks, summaries or relationships are found at most.

    Raises:
        RemoteError: The remote cannot be asked, or does not say what it has found in this dataset alone.
    """
    asked: dict[str, Any] = {
        "searchType": search_type,
        "datasetIds": [str(dataset_id)],
        "query": question,
        "topK": top_k,
        "onlyContext": True,
        "verbose": True,
    }
    try:
        results = session.ask(
            "POST",
            "/api/v1/search",
            what=f"searching dataset {dataset_id} ({search_type})",
            parse=parse_results,
            json=asked,
            may_repeat=True,
        )
    except RemoteError as error:
        if error.status == 404 and _NOTHING_TO_SEARCH in str(error):
            return ""
        raise
    if any(result.dataset_id != str(dataset_id) for result in results):
        raise RemoteRejectedError(
            f"{session.connection.url} does not search dataset {dataset_id} alone: its access control is off, so that "
            "all of its datasets are one graph. Nothing can be said of one of them; see ENABLE_BACKEND_ACCESS_CONTROL."
        )
    return "\n".join(filter(None, map(_text, results)))


def parse_results(body: bytes | bytearray) -> list[SearchResult]:
    """``[{"dataset_id", "context_result", …}]``: a result for each dataset that was searched.

    Raises:
        ValueError: There is none, or one that does not say what was found.
    """
    results = rows_of(body, SearchResult, what="a search result")
    if not results or results.problem:
        raise ValueError(results.problem or "a search without a result")
    if any(result.context_result is msgspec.UNSET for result in results):
        raise ValueError("a search result without context_result")
    return results


def _text(result: SearchResult) -> str:
    found = result.context_result
    return "\n".join(found) if isinstance(found, list) else str(found or "")
