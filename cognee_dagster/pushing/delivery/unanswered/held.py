"""What a remote graph that was read back says of an archive, once an import has ended whose answer never came."""

import contextlib
import logging
from collections.abc import Iterable, Iterator

from cognee_dagster.errors import ImportUnconfirmedError, PushInterruptedError, RemoteError
from cognee_dagster.pushing.comparison.difference import GraphComparison
from cognee_dagster.pushing.comparison.documents import document_problems
from cognee_dagster.pushing.comparison.verification import compare_graph
from cognee_dagster.pushing.delivery.request import DeliveryRequest

logger = logging.getLogger(__name__)


def compared(request: DeliveryRequest, run_id: str | None) -> GraphComparison:
    """The remote graph held against the archive.

    Raises:
        ImportUnconfirmedError: It cannot be read.
    """
    with _unconfirmed(request, run_id):
        return compare_graph(request.client, request.dataset.id, [request.archive])


@contextlib.contextmanager
def _unconfirmed(request: DeliveryRequest, run_id: str | None) -> Iterator[None]:
    """What a remote that cannot be read back means for an import that has ended."""
    try:
        yield
    except PushInterruptedError:
        raise
    except RemoteError as error:
        raise ImportUnconfirmedError(
            f"The answer to the upload into {request.where} was lost. An import of that dataset has ended (run "
            f"{run_id or 'not known'}), but whether it brought this archive is not known: the remote graph cannot be "
            f"read back. Push again, or look at that graph. ({error})",
            status=error.status,
            retryable=error.retryable,
            down_for=error.down_for,
        ) from error


def lacking_of(request: DeliveryRequest, found: GraphComparison, *, run_id: str | None) -> list[str]:
    """What the remote dataset has not, or not as the archive has it, in words.

    Ids that were there before say nothing of this upload: what nodes are like does, but for a mode in which the server
    makes something of them.
    """
    lacking = found.problems
    if request.mode == "preserve":
        lacking = [*lacking, *GraphComparison(other_values=found.other_values, names=found.names).remarks]
    if lacking:
        return lacking
    with _unconfirmed(request, run_id):
        return document_problems(request.client, request.archive, dataset=request.dataset)


def say_lacking(lacking: Iterable[str]) -> None:
    """Say why an import is not taken for ours."""
    logger.warning("The import that was seen did not bring this archive: %s", " ".join(lacking))
