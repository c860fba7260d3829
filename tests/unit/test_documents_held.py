"""Documents that a remote has and that were not sent are held by their names alone: there may be 200,000 of them."""

import tracemalloc

from cognee_dagster.pushing.comparison.documents import documents_missing_and_extra
from cognee_dagster.remote.responses import RemoteDocument


def test_documents_that_only_the_remote_has_take_little_more_than_their_names() -> None:
    """Beside 100 MiB of libraries and the list itself, twice that took ``verify`` beyond 256 MiB."""
    rows = (
        RemoteDocument(id=f"{number:036}", name=f"text_{number:032}", external_system="x", external_id=f"{number:073}")
        for number in range(50_000)
    )
    tracemalloc.start()
    try:
        missing, extra = documents_missing_and_extra([], rows, dataset_id="d")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (missing, len(extra)) == ((), 50_000)
    assert peak < 15 * 2**20
