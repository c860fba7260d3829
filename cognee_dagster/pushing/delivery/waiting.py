"""Waiting for a server that has the whole archive: what is said meanwhile, and when its answer will not come any more.

It may be at work for minutes or hours. An answer may get lost on the way while the connection stands, as where a proxy
has forgotten whose it is: then only the list of runs tells that there is nothing left to wait for.
"""

import logging
import time
from collections.abc import Callable

from cognee_dagster.errors import RemoteError
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.delivery.request import DeliveryRequest
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.imports.verdict import ImportVerdict
from cognee_dagster.remote.imports.vocabulary import ImportState
from cognee_dagster.remote.imports.watch import ImportWatch
from cognee_dagster.remote.retry import RetryPolicy
from cognee_dagster.remote.slow_answers import pauses
from cognee_dagster.remote.transport import Timeouts

_ANSWER_FOLLOWS_WITHIN = 600.0  # seconds from when an import is seen to have ended

_ASKED_WITHIN = 1.0  # seconds; a server that is at work answers late, and a push must end when it is told to

logger = logging.getLogger(__name__)


class WaitingForAnswer:
    """Looks what the remote is doing, and says it: after ten seconds, then ever more rarely.

    Made when the whole archive is out.
    """

    def __init__(self, request: DeliveryRequest) -> None:
        self._request = request
        self._pauses = pauses()
        self._began_at = time.monotonic()
        self._due_at = self._began_at + next(self._pauses)
        self._over_since: float | None = None
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
        verdict = self._verdict(run_id, waited=waited)
        state = f": {verdict.reason}" if verdict is not None and verdict.progress else ""
        logger.info("Waiting for the remote to %s (%.0f s)%s", self._work, waited, state)
        if verdict is not None and verdict.state is not ImportState.UNKNOWN:
            self._note(verdict.state, now=now)

    def why_in_vain(self, run_id: str | None) -> str:
        """Why no answer will come any more, in words; empty while one may.

        Either our import is seen to have ended, or its server to have died; or it was not seen for as long as an import
        may take. What a language model is at may take any time.
        """
        now = time.monotonic()
        if self._over_since is not None and now - self._over_since >= _ANSWER_FOLLOWS_WITHIN:
            return f"its list of runs has shown for minutes that the import (run {run_id}) is over"
        longest = self._request.settings.stalled_after
        if run_id is None and not self._request.cognifies and now - self._began_at >= longest.total_seconds():
            return f"it has had the whole archive for {longest}, and no import of it has been seen"
        return ""

    def _note(self, state: ImportState, *, now: float) -> None:
        # A re-derive's run is told by the time only, and what a language model is at may take any time.
        is_over = state.is_final or (state is ImportState.STALLED and not self._request.cognifies)
        if self._request.mode == "re-derive" or not is_over:
            self._over_since = None
        elif self._over_since is None:
            self._over_since = now

    def _verdict(self, run_id: str | None, *, waited: float) -> ImportVerdict | None:
        """What the remote says of our import; None where that is not known, or the remote does not answer just now."""
        if run_id is None and self._request.mode != "re-derive":
            return None
        now = time.time()
        asked = self._request.client
        limits = Timeouts(connect=_ASKED_WITHIN, read=_ASKED_WITHIN, answer=_ASKED_WITHIN)
        with CogneeClient(asked.connection, timeouts=limits, retry=RetryPolicy(attempts=1)) as client:
            watch = ImportWatch(feed=client, now=now, stalled_after=self._request.settings.stalled_after)
            try:
                return watch.ask(self._request.watched(run_id or "", pushed_at=now - waited))
            except RemoteError:
                return None


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
