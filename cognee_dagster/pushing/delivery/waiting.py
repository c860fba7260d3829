"""What is said while a server that has the whole archive is waited for: it may be at work for minutes or hours."""

import logging
import time
from collections.abc import Callable

from cognee_dagster.errors import RemoteError
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.delivery.request import DeliveryRequest
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.imports.verdict import ImportVerdict
from cognee_dagster.remote.imports.watch import ImportWatch
from cognee_dagster.remote.retry import RetryPolicy
from cognee_dagster.remote.slow_answers import pauses
from cognee_dagster.remote.transport import Timeouts

_ASKED_WITHIN = 1.0  # seconds; a server that is at work answers late, and a push must end when it is told to

logger = logging.getLogger(__name__)


class WaitingForAnswer:
    """Says what the remote is doing: after ten seconds, then ever more rarely. Made when the whole archive is out."""

    def __init__(self, request: DeliveryRequest) -> None:
        self._request = request
        self._pauses = pauses()
        self._began_at = time.monotonic()
        self._due_at = self._began_at + next(self._pauses)
        name, documents = request.dataset.name, counted(request.num_documents, "document")
        self._work = f"import the graph into {name!r}"
        if request.cognifies:
            first = "" if request.mode == "re-derive" else f"{self._work} and then to "
            self._work = f"{first}cognify {documents}, which its language model does"
            logger.info("Waiting for the remote to %s", self._work)

    def say_when_due(self, run_id: str | None) -> None:
        """A line, if it is time for one; ``run_id`` is our import's, once it is known."""
        now = time.monotonic()
        if now < self._due_at:
            return
        self._due_at = now + next(self._pauses)
        waited = now - self._began_at
        logger.info("Waiting for the remote to %s (%.0f s)%s", self._work, waited, self._state(run_id, waited=waited))

    def _state(self, run_id: str | None, *, waited: float) -> str:
        """What the remote says of our import; empty where that is not known, or the remote does not answer just now."""
        if run_id is None and self._request.mode != "re-derive":
            return ""
        now = time.time()
        asked = self._request.client
        limits = Timeouts(connect=_ASKED_WITHIN, read=_ASKED_WITHIN, answer=_ASKED_WITHIN)
        with CogneeClient(asked.connection, timeouts=limits, retry=RetryPolicy(attempts=1)) as client:
            watch = ImportWatch(feed=client, now=now, stalled_after=self._request.settings.stalled_after)
            try:
                verdict = watch.ask(self._request.watched(run_id or "", pushed_at=now - waited))
            except RemoteError:
                return ""
        return f": {verdict.reason}" if verdict.progress else ""


def reports_of(request: DeliveryRequest, run_id: str) -> Callable[[ImportVerdict], None]:
    """Says how an import stands that is waited for without an upload: after ten seconds, then ever more rarely."""
    steps, began_at = pauses(), time.monotonic()
    due_at = began_at + next(steps)

    def report(verdict: ImportVerdict) -> None:
        nonlocal due_at
        now = time.monotonic()
        if now >= due_at:
            due_at = now + next(steps)
            logger.info(
                "Waiting for the import into %s, run %s (%.0f s): %s",
                request.where,
                run_id,
                now - began_at,
                verdict.reason,
            )

    return report
