"""Find the import run that one upload of ours started; the server does not say before the import is over."""

import contextlib
import logging
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from cognee_dagster.errors import RemoteError, RemoteUnreachableError
from cognee_dagster.pushing.delivery.request import DeliveryRequest
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.compat import Strategy
from cognee_dagster.remote.imports.run_times import CLOCK_MARGIN, DEAD_AFTER, RunTimes, run_times
from cognee_dagster.remote.imports.vocabulary import ADD_PIPELINE, IMPORT_PIPELINE
from cognee_dagster.remote.responses import PipelineRun

# From the last of an archive's documents to the beginning of its import, on a server that is busy with others' at most.
_IMPORT_FOLLOWS_WITHIN = timedelta(minutes=10)

_BEFORE_WITHIN = 5.0  # seconds for a look that the end of an upload does not wait for

# A server stores an archive's documents in lots, each an add run (Cognee 1.6.5, modules/migration/import_source.py).
_DOCUMENTS_PER_RUN = 200

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """What one look at the dataset's runs showed.

    Attributes:
        candidates: Import runs that began after our last byte, and were not there before.
        others: Whether anybody else was seen at work on the dataset since then.
        storing: Whether documents were stored since then, perhaps ours.
        awaited: Whether somebody else's import may be about to begin, of documents stored before.
    """

    candidates: frozenset[str] = frozenset()
    others: bool = False
    storing: bool = False
    awaited: bool = False

    @property
    def run_id(self) -> str | None:
        """Our run, where it can be told; None while it is not there, or where it may be somebody else's."""
        return next(iter(self.candidates)) if len(self.candidates) == 1 and not self.others else None

    @property
    def known_by(self) -> KnownBy | None:
        """``RUN`` where our run is told by the rules for hanging up; None where it may be somebody else's."""
        return None if self.run_id is None or self.awaited else KnownBy.RUN


class RunLookup:
    """Looks for the run of one upload among a dataset's runs. A context manager.

    The rows of a run do not say which upload started it. Ours can only be one that was not there before, and that began
    after our whole body was sent. Where another fits, or somebody else was at work on the dataset in between, none is
    taken: reporting another push's run as ours would be worse than waiting for the answer.

    Raises:
        RemoteError: The runs cannot be listed, and the delivery cannot do without (``is_needed``).
    """

    def __init__(self, request: DeliveryRequest, *, is_needed: bool) -> None:
        self._request = request
        # A look that fails is repeated by who looks, and must not hold up an answer that is there meanwhile.
        self._look_ends_at: float | None = None
        self._client = request.client.without_retries(time_left=self._time_left)
        self.is_possible = bool(request.dataset.id)
        # In the foreground the answer, or the graph that is read back, has the last word on whose run it was.
        self._hangs_up = request.strategy is Strategy.DETACHED
        self._earlier_upload = False
        self._before: dict[str, RunTimes] = {}
        if not self.is_possible:
            return
        try:
            self._before = {run.id: run for run in run_times(self._rows(request.client))}
        except RemoteError as error:
            if is_needed or isinstance(error, RemoteUnreachableError):
                raise
            logger.warning("The import cannot be watched, only its answer be waited for: %s", error)
            self.is_possible = False

    def __enter__(self) -> "RunLookup":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def had_imports(self) -> bool:
        """Whether the dataset had an import that may have brought a graph, before the upload."""
        return any(run.pipeline == IMPORT_PIPELINE for run in self._before.values())

    def expect_another(self) -> None:
        """An earlier upload of this delivery may yet be imported: from now on no run can be told for the latest's."""
        self._earlier_upload = True

    def look_before(self, body_sent: threading.Event) -> None:
        """Note what is there while the body is still on its way: none of it is ours, whatever any clock says.

        The server's clock is told by the ``Date`` of its answers, and a proxy on another host sets that by its own.
        """
        self._look_ends_at = time.monotonic() + _BEFORE_WITHIN
        with contextlib.suppress(RemoteError):
            runs = run_times(self._rows(self._client))
            if not body_sent.is_set():
                self._before.update((run.id, run) for run in runs)

    def look(self, *, body_sent_at: datetime, within: float | None = None) -> Sighting | None:
        """What the dataset's runs show; None where the remote does not answer just now.

        Args:
            body_sent_at: When the whole body was out, by our clock.
            within: Seconds for the look; None: as long as an answer may take.
        """
        self._look_ends_at = None if within is None else time.monotonic() + within
        try:
            rows = self._rows(self._client)
        except RemoteError as error:  # a server that is parsing an archive answers nobody else
            logger.info("The remote does not answer just now: %s", error)
            return None
        return self._judge(run_times(rows), earliest=body_sent_at + self._client.clock_offset - CLOCK_MARGIN)

    def _judge(self, runs: list[RunTimes], *, earliest: datetime) -> Sighting:
        ours = [run for run in runs if run.id not in self._before and (run.began is None or run.began >= earliest)]
        candidates = frozenset(run.id for run in ours if run.pipeline == IMPORT_PIPELINE)
        stored = sum(run.pipeline == ADD_PIPELINE for run in ours)
        over = {run.id for run in self._before.values() if run.ended is not None}
        of_others = [run for run in runs if run not in ours]
        awaited = _documents_await_their_import(of_others, earliest=earliest)
        return Sighting(
            candidates=candidates,
            others=self._earlier_upload
            or len(candidates) > 1
            or stored > ceil(self._request.num_documents / _DOCUMENTS_PER_RUN)
            or any(_was_active(run, earliest) for run in of_others if run.id not in over)
            or (self._hangs_up and awaited),
            storing=stored > 0,
            awaited=awaited,
        )

    def _time_left(self) -> float | None:
        return None if self._look_ends_at is None else max(0.0, self._look_ends_at - time.monotonic())

    def _rows(self, client: CogneeClient) -> list[PipelineRun]:
        return [
            row
            for pipeline in (IMPORT_PIPELINE, ADD_PIPELINE)
            for row in client.runs(pipeline_name=pipeline, dataset_id=self._request.dataset.id)
        ]


def _documents_await_their_import(of_others: Collection[RunTimes], *, earliest: datetime) -> bool:
    """Whether the last that others did to the dataset is to store documents: the import of those may begin now.

    They may as well be documents that somebody only added; that costs no more than waiting for our own answer.

    One import that begins hides all documents stored before it. Where two others had stored theirs and one of them
    imports, the other's import is not waited for, though it may come: runs do not say which documents they are of.
    """
    stored = max((run.ended for run in of_others if run.pipeline == ADD_PIPELINE and run.ended), default=None)
    if stored is None or stored < earliest - _IMPORT_FOLLOWS_WITHIN:
        return False
    return not any(run.began and run.began >= stored for run in of_others if run.pipeline == IMPORT_PIPELINE)


def _was_active(run: RunTimes, since: datetime) -> bool:
    """Whether it was at work at ``since`` or later."""
    if run.ended is not None:
        return run.ended >= since
    return run.began is None or run.began >= since - DEAD_AFTER
