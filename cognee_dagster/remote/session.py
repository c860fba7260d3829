"""Asking one remote: requests within their limits, repeated while that can help, and answers read as what they are."""

import itertools
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

import httpx

from cognee_dagster.errors import RemoteError
from cognee_dagster.remote.answers import content_of, read_answer, read_graph
from cognee_dagster.remote.connection import Connection
from cognee_dagster.remote.exchange_limits import Exchange
from cognee_dagster.remote.failures import Question, unreachable
from cognee_dagster.remote.graph_answer import GraphAnswer
from cognee_dagster.remote.meanings import READS
from cognee_dagster.remote.moments import http_date
from cognee_dagster.remote.remote_graph import GraphRows
from cognee_dagster.remote.retry import Downtime, RetryPolicy, with_retries
from cognee_dagster.remote.rows import Rows
from cognee_dagster.remote.slow_answers import waiting_aloud
from cognee_dagster.remote.transport import Timeouts, open_http
from cognee_dagster.tracing import trace_headers

_T = TypeVar("_T")
_Rows = TypeVar("_Rows", bound=GraphRows)

MAX_ANSWER_BYTES = 16 * 2**20
MAX_ANSWER_VALUES = 500_000  # of JSON; a page of runs has 11,000
MAX_GRAPH_BYTES = 2**31


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What an answer may take.

    Attributes:
        read: Seconds without progress.
        within: Seconds in all.
        size: Bytes.
        values: JSON values; of a graph, those that are in no row of it.
        at_work: Whether a server may be at work for long before it answers, and for long at answering.
    """

    read: float | None
    within: float | None
    size: int
    values: int
    at_work: bool = False


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How a failed request is repeated.

    Attributes:
        policy: How often, and after how long.
        sleep: Waits that many seconds.
        chance: A number from 0 to 1, for the jitter.
        log: Where waits are written.
    """

    policy: RetryPolicy
    sleep: Callable[[float], None]
    chance: Callable[[], float]
    log: logging.Logger


class Session:
    """The connections to one remote. May be used from several threads at once.

    Attributes:
        connection: Where, and with which key.
        http: The HTTP client.
        clock_offset: The server's clock minus ours, to the second, as of its latest answer.
        requests_done: How many requests of each method were answered so far as they were to be.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        timeouts: Timeouts,
        patience: Patience,
        time_left: Callable[[], float | None] | None = None,
    ) -> None:
        self.connection = connection
        self._time_left = time_left
        self._timeouts = timeouts
        self._patience = patience
        self._complained: set[str] = set()
        self.clock_offset = timedelta(0)
        self.requests_done = Counter[str]()
        self.http = open_http(connection)

    def ask(
        self,
        method: str,
        path: str,
        *,
        what: str,
        parse: Callable[[bytes | bytearray], _T],
        params: Mapping[str, Any] | None = None,
        json: object | None = None,
        bounds: Bounds | None = None,
        may_repeat: bool = False,
    ) -> _T:
        """One request, with retries.

        Args:
            method: The HTTP method.
            path: Of the URL.
            what: What is asked, as messages say it.
            parse: Reads the answer.
            params: Of the URL.
            json: The body.
            bounds: What the answer may take; default: ``ordinary``.
            may_repeat: Whether asking again does no harm even where the server failed in the midst of it; reading
                never does.

        Raises:
            RemoteError: There is no answer that can be used.
        """
        question = self.question(what, may_repeat=may_repeat or method in READS)
        allowed = bounds or self.ordinary
        request = self.http.build_request(
            method,
            path,
            params=params,
            json=json,
            headers=trace_headers(),
            timeout=self._timeouts.for_httpx(allowed.read),
        )

        def read(response: httpx.Response) -> _T:
            answer = read_answer(response, question, limit=allowed.size)
            return content_of(answer, question, parse, max_values=allowed.values)

        return self._repeated(request, question, allowed, read)

    def ask_for_graph(self, path: str, *, what: str, begin: Callable[[], _Rows]) -> GraphAnswer[_Rows]:
        """A whole graph, taken in as it comes, with retries.

        Args:
            path: Of the URL.
            what: What is asked, as messages say it.
            begin: Makes what takes the rows, anew at each attempt.

        Raises:
            RemoteError: As ``ask``.
        """
        question, allowed = self.question(what, may_repeat=True), self.whole_graph
        request = self.http.build_request(
            "GET", path, headers=trace_headers(), timeout=self._timeouts.for_httpx(allowed.read)
        )

        def read(response: httpx.Response) -> GraphAnswer[_Rows]:
            return read_graph(response, question, begin(), limit=allowed.size, max_values=allowed.values)

        return self._repeated(request, question, allowed, read)

    def _repeated(
        self, request: httpx.Request, question: Question, allowed: Bounds, read: Callable[[httpx.Response], _T]
    ) -> _T:
        """What ``read`` makes of the answer; asked again as long as that fails and may pass."""
        what, patience = question.what, self._patience
        downtime = Downtime(max(patience.policy.within, self._timeouts.read or 0.0))
        attempts = itertools.count(1)

        def attempt() -> _T:
            failure: RemoteError
            is_first, is_answered = next(attempts) == 1, False
            within = self._within(allowed, None if is_first or allowed.at_work else downtime.left)
            with (
                waiting_aloud(self.connection.url, what),
                Exchange(seconds=within, max_bytes=allowed.size) as exchange,
            ):
                try:
                    response = self.http.send(request, stream=True)
                    self._note_clock(response.headers.get("date"))
                    is_answered = response.is_success
                    try:
                        return read(response)
                    finally:
                        response.close()
                except httpx.HTTPError as error:
                    failure = unreachable(error, question, exchange=exchange)
            if is_answered and allowed.at_work:
                downtime.is_up()
            raise failure  # outside the handler: httpx's exceptions carry the request, and with it the key

        found = with_retries(
            attempt,
            what=f"{what[0].upper()}{what[1:]} ({self.connection.url})",
            policy=patience.policy,
            downtime=downtime,
            sleep=patience.sleep,
            chance=patience.chance,
            log=patience.log,
        )
        self.requests_done[request.method] += 1
        if isinstance(found, Rows | GraphAnswer) and found.skipped:
            self._complain(what, found)
        return found

    def _within(self, allowed: Bounds, left: float | None) -> float | None:
        """Seconds for an exchange that begins now: the least of what an answer may take and of what is left."""
        limits = (allowed.within, left, self._time_left() if self._time_left is not None else None)
        return min((seconds for seconds in limits if seconds is not None), default=None)

    @property
    def ordinary(self) -> Bounds:
        """The bounds of an ordinary answer."""
        return Bounds(
            read=self._timeouts.read,
            within=self._timeouts.answer,
            size=MAX_ANSWER_BYTES,
            values=MAX_ANSWER_VALUES,
        )

    @property
    def long_work(self) -> Bounds:
        """The bounds of an ordinary answer that the server may be at work on for as long as on a whole graph."""
        read, within = self._timeouts.graph_read, self._timeouts.graph_answer
        return replace(self.ordinary, read=read, within=within, at_work=True)

    @property
    def whole_graph(self) -> Bounds:
        """The bounds of an answer with a dataset's whole graph."""
        return replace(self.long_work, size=MAX_GRAPH_BYTES)

    def question(self, what: str, *, may_repeat: bool = False) -> Question:
        """What is asked, as messages say it."""
        return Question(
            what=what,
            remote=self.connection.url,
            source=self.connection.url_from,
            key_source=self.connection.key_from,
            no_key_because=self.connection.no_key_because,
            secret=self.connection.api_key.get_secret_value(),
            may_repeat=may_repeat,
        )

    def _note_clock(self, date: str | None) -> None:
        if (theirs := http_date(date)) is not None:
            self.clock_offset = theirs - datetime.now(timezone.utc)

    def _complain(self, what: str, found: "Rows[Any] | GraphAnswer[Any]") -> None:
        """Say once of each list that rows of it were left out; then only for who looks for it."""
        level = logging.DEBUG if what in self._complained else logging.WARNING
        self._complained.add(what)
        self._patience.log.log(
            level,
            "%s sends %d rows that make no sense when %s; they are left out. The first: %s",
            self.connection.url,
            found.skipped,
            what,
            found.problem,
        )
