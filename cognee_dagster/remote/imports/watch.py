"""What has become of imports, asked of the remote with few requests.

The feed of all import runs shows what is running or finished, hundreds a request. Only what it
leaves in doubt is asked about singly: a run it does not show, one that seems to have stalled, one whose dataset seems
to be gone. The import sensor, the asset check's Execute button and ``cognee-dagster status --wait`` all ask this way.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cognee_dagster.errors import RemoteAuthError, RemoteError, RemotePermissionError, RemoteUnreachableError
from cognee_dagster.remote.imports.feed import (
    FeedReading,
    FollowingRuns,
    KeepGoing,
    RunFeed,
    TimeUpError,
    moment_of,
    read_import_runs,
    rows_of_run,
)
from cognee_dagster.remote.imports.run_times import CLOCK_MARGIN
from cognee_dagster.remote.imports.verdict import GONE, ImportVerdict, judge_import, judge_rederive
from cognee_dagster.remote.imports.vocabulary import ImportState
from cognee_dagster.remote.responses import PipelineRun

# A re-derive has no run id; what follows it is told from earlier runs by the time. Where it is not known when it was
# delivered, that was at most this long, and the push's own duration, before the push was logged.
_REDERIVE_MARGIN_SECONDS = 30.0

# A server that has lost its answer to a run it has shown is asked again for so long: one of several may be behind.
_GONE_FOR_GOOD = timedelta(minutes=1)

_DOUBTFUL = (ImportState.UNKNOWN, ImportState.STALLED, ImportState.GONE)

_CONFIRMED = ImportVerdict(
    state=ImportState.SUCCEEDED,
    reason="the push has seen that it arrived; which of the remote's runs it was is not known.",
)


@dataclass(frozen=True, kw_only=True)
class WatchedImport:
    """An import to ask about.

    Attributes:
        run_id: Its ``pipeline_run_id``; empty where the remote named none: of a ``re-derive``, and of an import whose
            answer was lost while other runs might have been its own.
        dataset_id: The remote dataset, if known.
        pushed_at: When it was handed over, in Unix seconds of our clock; None: not known.
        push_seconds: How long the push took until then.
        cognifies: Whether it is finished only when the cognify run that follows it is (hybrid and re-derive with raw
            content, in the background).
        delivered_at: When the whole archive was out, by the server's clock, where that is all that tells the import.
        is_named: Whether the server has named or shown its run, so that one which it does not show is none.
        confirmed: Whether the push has seen the end of it, which is all there is to know of one without a run.
    """

    run_id: str
    dataset_id: str = ""
    pushed_at: float | None = None
    push_seconds: float = 0.0
    cognifies: bool = False
    delivered_at: datetime | None = None
    is_named: bool = False
    confirmed: bool = False


def time_of(text: object) -> datetime | None:
    """A ``delivered_at`` as it was written down; None where it is none."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What could be learnt, by the index in the list that was asked about.

    Attributes:
        verdicts: What has become of them.
        errors: Why nothing could be learnt, where that concerns one import alone.
        unreachable: Why the remote as a whole ceased to answer; what is in neither map was not asked about.
    """

    verdicts: Mapping[int, ImportVerdict]
    errors: Mapping[int, RemoteError]
    unreachable: RemoteError | None = None


@dataclass(frozen=True, kw_only=True)
class ImportWatch:
    """Asks one remote about imports.

    Attributes:
        feed: The remote.
        now: Our clock, in Unix seconds.
        stalled_after: Age from which a run without an end is given up.
        keep_going: Asked before each request; False ends the look with what is known.
    """

    feed: RunFeed
    now: float
    stalled_after: timedelta
    keep_going: KeepGoing = lambda: True

    def read(self, items: Sequence[WatchedImport], *, offset: int = 0) -> FeedReading:
        """What the feed of all imports says of these; see ``read_import_runs``."""
        run_ids = {item.run_id for item in items if item.run_id}
        since = min((item.pushed_at or 0.0 for item in items), default=self.now)
        return read_import_runs(self.feed, run_ids, since=since, offset=offset, keep_going=self.keep_going)

    def judge(self, item: WatchedImport, rows: Sequence[PipelineRun]) -> ImportVerdict:
        """What these rows say of the import itself, whatever follows it."""
        return judge_import(
            rows, run_id=item.run_id, now=self._server_now(item, rows), stalled_after=self.stalled_after
        )

    def ask_about(self, items: Sequence[WatchedImport], reading: FeedReading) -> Answers:
        """Verdicts on imports, with whatever questions that takes.

        Args:
            items: Which; the first are asked about first.
            reading: What the feed says of them.
        """
        verdicts: dict[int, ImportVerdict] = {}
        errors: dict[int, RemoteError] = {}
        oldest = min((item.pushed_at or self.now for item in items), default=self.now)
        following = FollowingRuns(self.feed, since=oldest, keep_going=self.keep_going)
        for index, item in enumerate(items):
            try:
                verdicts[index] = self._verdict(item, reading.rows.get(item.run_id, ()), following)
            except TimeUpError:
                break
            except (RemoteUnreachableError, RemoteAuthError) as error:
                return Answers(verdicts=verdicts, errors=errors, unreachable=error)
            except RemoteError as error:
                errors[index] = error
        return Answers(verdicts=verdicts, errors=errors)

    def ask(self, item: WatchedImport) -> ImportVerdict:
        """What has become of one import.

        Raises:
            RemoteError: The remote gave no answer, or none of Cognee's.
        """
        reading = FeedReading() if item.dataset_id else self.read([item])
        answers = self.ask_about([item], reading)
        problem = answers.unreachable or answers.errors.get(0)
        if problem is not None:
            raise problem
        return answers.verdicts[0]

    def _verdict(self, item: WatchedImport, rows: Sequence[PipelineRun], following: FollowingRuns) -> ImportVerdict:
        if not item.run_id:
            return _CONFIRMED if item.confirmed else self._judge_rederive(item, following.rows())
        rows = [row for row in rows if not item.dataset_id or row.dataset_id in (None, item.dataset_id)]
        verdict = self.judge(item, rows)
        dataset_id = item.dataset_id or next((row.dataset_id for row in rows if row.dataset_id), None)
        if verdict.state in _DOUBTFUL and dataset_id is not None:
            try:
                found = rows_of_run(self.feed, item.run_id, dataset_id=dataset_id, keep_going=self.keep_going)
            except RemotePermissionError:
                return GONE
            rows = found or rows
            verdict = self.judge(item, rows)
        if item.cognifies and verdict.state is ImportState.SUCCEEDED:
            return judge_import(
                [*rows, *following.rows()],
                run_id=item.run_id,
                cognifies=True,
                now=self._server_now(item, rows),
                stalled_after=self.stalled_after,
            )
        return verdict

    def _judge_rederive(self, item: WatchedImport, rows: Sequence[PipelineRun]) -> ImportVerdict:
        pushed_at = self.now if item.pushed_at is None else item.pushed_at
        if item.delivered_at is not None:
            since = item.delivered_at - CLOCK_MARGIN
            now = item.delivered_at + timedelta(seconds=max(0.0, self.now - pushed_at))
        else:
            since = moment_of(pushed_at - item.push_seconds - _REDERIVE_MARGIN_SECONDS) + self.feed.clock_offset
            now = moment_of(self.now) + self.feed.clock_offset
        return judge_rederive(rows, dataset_id=item.dataset_id, since=since, now=now, stalled_after=self.stalled_after)

    def _server_now(self, item: WatchedImport, rows: Sequence[PipelineRun]) -> datetime | None:
        """The server's time: its own at the run's start, plus what has passed by ours since.

        Of an import of which it is not known when it was pushed, the time of the server's latest answer.
        """
        if item.pushed_at is None:
            return moment_of(self.now) + self.feed.clock_offset
        begun = [moment for row in rows if (moment := row.started_at or row.created_at)]
        return min(begun) + timedelta(seconds=max(0.0, self.now - item.pushed_at)) if begun else None


def _steady_clock() -> Callable[[], float]:
    ahead = time.time() - time.monotonic()
    return lambda: ahead + time.monotonic()


def wait_for_import(
    feed: RunFeed,
    item: WatchedImport,
    *,
    stalled_after: timedelta,
    poll_seconds: float = 2.0,
    timeout_seconds: float | None = None,
    report: Callable[[ImportVerdict], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] | None = None,
) -> ImportVerdict:
    """Ask until the import has come to its end, seems to have stalled or to be gone, or the time is up.

    Args:
        feed: The remote.
        item: The import.
        stalled_after: Age from which a run without an end is given up.
        poll_seconds: Time between two questions.
        timeout_seconds: How long to wait in all; None: as long as it takes.
        report: Called with every answer.
        sleep: Waits that many seconds.
        clock: Our time, in Unix seconds; None: as it was at first, and what has passed since, however the clock is set.

    Returns:
        The last verdict; still RUNNING when the time was up, and UNKNOWN also where the remote shows no such run any
        more, or has shown none for ``stalled_after``; for a minute, where it has named or shown the run.

    Raises:
        RemoteError: The remote gave no answer, or none of Cognee's.
    """
    # Without a time of the push, ages are told by how far the server's clock is ahead of ours as it is set now.
    clock = clock or (time.time if item.pushed_at is None else _steady_clock())
    began = known_until = clock()
    patience = min(_GONE_FOR_GOOD, stalled_after) if item.is_named else stalled_after
    while True:
        now = clock()
        verdict = ImportWatch(feed=feed, now=now, stalled_after=stalled_after).ask(item)
        if report is not None:
            report(verdict)
        if verdict.state is not ImportState.UNKNOWN:
            known_until, patience = now, min(_GONE_FOR_GOOD, stalled_after)
        over = now - known_until > patience.total_seconds() or (
            timeout_seconds is not None and now + poll_seconds - began > timeout_seconds
        )
        if verdict.state.is_final or verdict.state is ImportState.STALLED or over:
            return verdict
        sleep(poll_seconds)
