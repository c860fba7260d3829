"""One attempt to deliver: from the first byte to the server's answer, or to the run that goes on without us."""

import logging
from datetime import datetime, timezone
from typing import Any

from cognee_dagster.errors import CogxUnsupportedError, ImportUnconfirmedError, RemoteUnreachableError
from cognee_dagster.pushing.delivery.contradictions import contradictions
from cognee_dagster.pushing.delivery.request import DeliveryRequest
from cognee_dagster.pushing.delivery.result import DeliveryResult, going_on
from cognee_dagster.pushing.delivery.unanswered.recovery import read_an_unknown_answer, see_through_to_its_end
from cognee_dagster.pushing.delivery.unanswered.run_lookup import RunLookup
from cognee_dagster.pushing.delivery.waiting import WaitingForAnswer
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.pushing.resume import BegunImport
from cognee_dagster.remote.compat import Strategy
from cognee_dagster.remote.imports.vocabulary import ImportState
from cognee_dagster.remote.responses import import_run_id, migration_imports
from cognee_dagster.remote.upload import Upload
from cognee_dagster.tracing import record_span

logger = logging.getLogger(__name__)


class DeliveryAttempt:
    """An upload under way.

    Attributes:
        upload: The upload.
        run_id: The import's run, once it is known to be ours.
    """

    def __init__(self, request: DeliveryRequest, upload: Upload, lookup: RunLookup) -> None:
        self.upload = upload
        self.run_id: str | None = None
        self._request = request
        self._lookup = lookup
        self._looks = lookup.is_possible and request.mode != "re-derive"  # which has no import run
        self._waiting: WaitingForAnswer | None = None

    def see_through(self) -> DeliveryResult:
        """Wait for the answer; once the body is out, look for the run; hang up when that is wanted and it is ours.

        Raises:
            RemoteError: The server refused, the answer was lost, or no run appeared in time.
            PushInterruptedError: The caller wants no more.
        """
        try:
            return self._until_answered()
        finally:
            if self.upload.body_sent_at is not None:
                record_span("wait", since=self.upload.body_sent_at, pipeline_run_id=self.run_id)

    def _until_answered(self) -> DeliveryResult:
        while True:
            answer = self.upload.wait(self._request.settings.poll_interval)
            if answer is not None:
                return self._answered(answer)
            self._request.heed_stop()
            if self.upload.body_sent_at is None:
                if self._looks and self._request.strategy is Strategy.DETACHED:
                    self._lookup.look_before(self.upload.body_sent)
                continue
            self._say_what_is_waited_for()
            if not self._looks:
                continue
            self._look(self.upload.body_sent_at)
            if self.run_id is not None and self._request.strategy is Strategy.DETACHED:
                return going_on(self._request, self.run_id, detached=True)

    def leave(self) -> None:
        """Hang up whatever happened, and say what goes on without us when the body is already there."""
        self.upload.hang_up()
        if not self.upload.hung_up or not self.upload.body_sent.is_set():
            return
        name = self._request.dataset.name
        if self.run_id is not None:
            logger.info("Hung up; the remote goes on importing into %r as run %s", name, self.run_id)
        else:  # a server that had not yet read all it was sent drops it
            logger.warning(
                "Hung up after the whole archive was sent; the remote may import it into %r: look for a new run with "
                "`cognee-dagster runs` before you push again",
                name,
            )

    def _say_what_is_waited_for(self) -> None:
        if self._waiting is None:
            logger.info("The archive is delivered; waiting for its import into %r to begin", self._request.dataset.name)
            self._waiting = WaitingForAnswer(self._request)
        self._waiting.say_when_due(self.run_id)
        if why := self._waiting.why_in_vain(self.run_id):
            raise RemoteUnreachableError(
                f"{self._request.client.connection.url} has not answered the upload into dataset "
                f"{self._request.dataset.name!r}, though {why}. A proxy on the way may have lost the "
                "answer: look at the remote's log.",
                body_sent=True,
                retryable=self.run_id is not None,  # else the next upload would be waited for as long again
            )

    def _look(self, body_sent_at: datetime) -> None:
        """Find our run; before anybody is told, so that an interrupt can name it."""
        sighting = self._lookup.look(body_sent_at=body_sent_at)
        if sighting is None:
            return
        self.run_id = sighting.run_id
        if self.run_id is not None:
            logger.info("The remote imports into %r as run %s", self._request.dataset.name, self.run_id)
            self._request.note(BegunImport(run_id=self.run_id, known_by=sighting.known_by))
            self._looks = False
        elif sighting.candidates:
            logger.info(
                "Others import into %r, too, and their runs cannot be told from ours: waiting for the server's answer",
                self._request.dataset.name,
            )
            self._looks = False
        elif self._request.strategy is Strategy.DETACHED:
            self._heed_detach_timeout(body_sent_at)

    def _heed_detach_timeout(self, body_sent_at: datetime) -> None:
        waited = (datetime.now(timezone.utc) - body_sent_at).total_seconds()
        if waited > self._request.settings.detach_timeout:
            raise ImportUnconfirmedError(
                f"The archive was delivered to dataset {self._request.dataset.name!r} on "
                f"{self._request.client.connection.url}, but no import run of it became visible within "
                f"{waited:.0f} s. The server may still be storing documents, or another import may hold the dataset: "
                "look for a new migration_import_pipeline run of that dataset before you push again, or allow more "
                "time with detach_timeout."
            )

    def _delivered_at(self) -> datetime:
        """When the whole body was out, by the server's clock."""
        return (self.upload.body_sent_at or datetime.now(timezone.utc)) + self._request.client.clock_offset

    def _answered(self, answer: dict[str, Any]) -> DeliveryResult:
        imports = migration_imports(answer)
        if not imports:
            raise CogxUnsupportedError(
                f"The remote at {self._request.client.connection.url} answered the upload into dataset "
                f"{self._request.dataset.name!r} but did not run a COGX archive import: it most likely runs a Cognee "
                "without it. The archive may have been stored there as a plain file. Upgrade the remote to Cognee "
                "1.3.0 or newer."
            )
        self.run_id = import_run_id(answer)
        state = ImportState.of_status(answer.get("status"))
        if state is not ImportState.SUCCEEDED and not state.is_under_way:
            return read_an_unknown_answer(self._request, answer, run_id=self.run_id)
        if state is ImportState.SUCCEEDED and (found := contradictions(self._request, answer)):
            return read_an_unknown_answer(self._request, answer, run_id=self.run_id, because="; ".join(found))
        if self.run_id is not None:
            known_by = KnownBy.ANSWER if state is ImportState.SUCCEEDED else KnownBy.RUN
            self._request.note(BegunImport(run_id=self.run_id, known_by=known_by))
        if state.is_under_way and self._request.strategy is Strategy.FOREGROUND and self._request.mode != "re-derive":
            return see_through_to_its_end(self._request, answer, run_id=self.run_id)
        if self.run_id is None and state.is_under_way:  # it is told by the time
            answer = {**answer, "delivered_at": self._delivered_at().isoformat()}
        return DeliveryResult(
            status=state.status, response=answer, pipeline_run_id=self.run_id, known_by=KnownBy.ANSWER
        )
