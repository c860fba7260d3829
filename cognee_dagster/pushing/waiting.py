"""What is said while a server that has the whole archive is waited for: it may be at work for minutes or hours."""

import logging
import time

from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.delivery_request import DeliveryRequest
from cognee_dagster.pushing.run_lookup import RunLookup
from cognee_dagster.remote.slow_answers import pauses

logger = logging.getLogger(__name__)


class WaitingForAnswer:
    """Says what the remote is doing: after ten seconds, then ever more rarely. Made when the whole archive is out.

    Args:
        request: The delivery.
        lookup: Asks what the remote shows of it.
    """

    def __init__(self, request: DeliveryRequest, lookup: RunLookup) -> None:
        self._request = request
        self._lookup = lookup
        self._pauses = pauses()
        self._began_at = time.monotonic()
        self._due_at = self._began_at + next(self._pauses)
        if request.cognifies:
            documents = counted(request.num_documents, "document")
            first = "" if request.mode == "re-derive" else "to import the graph and then "
            logger.info("Waiting for the remote %sto cognify %s, which its language model does", first, documents)

    def say_when_due(self, run_id: str | None) -> None:
        """A line, if it is time for one; ``run_id`` is our import's, once it is known."""
        now = time.monotonic()
        if now < self._due_at:
            return
        self._due_at = now + next(self._pauses)
        waited = now - self._began_at
        verdict = self._lookup.verdict(run_id, waited=waited)
        doing = verdict.reason if verdict is not None and verdict.progress else "it has not answered yet."
        logger.info("Waiting for the remote to finish with %r (%.0f s): %s", self._request.dataset.name, waited, doing)
