"""Reading the remote's feed of pipeline runs: newest rows first, 500 a page, all datasets of the key's user.

One request answers for hundreds of imports (Cognee 1.6.5, ``api/v1/activity/routers/get_activity_router.py``). A run
has a row from its start and one more from its end, which share its ``pipeline_run_id``.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Protocol

from cognee_dagster.errors import RemoteUnreachableError
from cognee_dagster.remote.imports.vocabulary import ADD_PIPELINE, COGNIFY_PIPELINE, IMPORT_PIPELINE
from cognee_dagster.remote.responses import PipelineRun
from cognee_dagster.remote.rows import Rows

ROWS_PER_PAGE = 500  # Cognee's own maximum
LISTED_WITHIN = 1800.0  # seconds for all pages of one look
MAX_PAGES = 40  # a long feed is left after 20,000 rows; what lies deeper is asked about singly

# Our clock is compared with the server's only to know when to stop reading, and with this margin.
_READ_BEYOND = timedelta(days=1)

KeepGoing = Callable[[], bool]


class Look:
    """One look at the feed. Each page has a limit of its own, and all of them together have this one."""

    def __init__(self) -> None:
        self._ends_at = time.monotonic() + LISTED_WITHIN

    @property
    def is_over(self) -> bool:
        """Whether it has taken too long."""
        return time.monotonic() >= self._ends_at

    def heed(self) -> None:
        """Asked before each page.

        Raises:
            RemoteUnreachableError: It has taken too long.
        """
        if self.is_over:
            raise RemoteUnreachableError(
                f"The remote's list of runs has not come to its end after {LISTED_WITHIN:.0f} s. The server or the "
                "network is overloaded; try again later."
            )


class TimeUpError(Exception):
    """There is no time for another request, or was none for an answer. No caller of ``ImportWatch`` gets it."""


class RunFeed(Protocol):
    """What is asked; ``CogneeClient`` in earnest."""

    @property
    def clock_offset(self) -> timedelta:
        """The server's clock minus ours, as of its latest answer."""

    def runs(
        self, *, pipeline_name: str = ..., dataset_id: str | None = ..., limit: int = ..., offset: int = ...
    ) -> Sequence[PipelineRun]:
        """One page of a pipeline's run rows, newest first.

        Raises:
            RemoteError: There is no answer that can be used.
            TimeUpError: Because there was no time for it.
        """


@dataclass(frozen=True, kw_only=True)
class FeedReading:
    """What a look at the feed brought.

    Attributes:
        rows: The rows of the wanted runs, by run id.
        next_offset: Where to go on next time; 0 unless time ran out.
        complete: Whether a run that is not in ``rows`` is not in the feed, as far as it was worth reading.
    """

    rows: Mapping[str, Sequence[PipelineRun]] = field(default_factory=dict)
    next_offset: int = 0
    complete: bool = True


def read_import_runs(
    feed: RunFeed, run_ids: Collection[str], *, since: float, offset: int = 0, keep_going: KeepGoing
) -> FeedReading:
    """The rows of these import runs, page after page until each run has been seen.

    New rows move the others down the feed, so that reading on at an old offset repeats rows but never skips one. A look
    that was cut short goes on where it stopped and then reads what lies before that: under a time limit that is too
    short for the whole feed, every run's turn comes.

    Args:
        feed: The remote.
        run_ids: The runs to look for.
        since: When the oldest of them was pushed, in Unix seconds of our clock; much older rows end the look.
        offset: Where the last look was cut short.
        keep_going: Asked before each request.

    Raises:
        RemoteError: The remote gave no answer, or none of Cognee's.
    """
    oldest = moment_of(since) - _READ_BEYOND
    wanted = set(run_ids)
    found: dict[str, list[PipelineRun]] = defaultdict(list)
    position, from_the_top = offset, offset == 0
    look = Look()
    for _ in range(MAX_PAGES):
        look.heed()
        if len(found) == len(wanted):
            break
        if not keep_going():
            return FeedReading(rows=found, next_offset=position, complete=False)
        try:
            page = feed.runs(pipeline_name=IMPORT_PIPELINE, limit=ROWS_PER_PAGE, offset=position)
        except TimeUpError:
            return FeedReading(rows=found, next_offset=position, complete=False)
        for row in page:
            if row.pipeline_run_id in wanted:
                found[row.pipeline_run_id].append(row)
        position += rows_sent(page)
        at_end = _ends_with(page, oldest)
        if from_the_top and (at_end or 0 < offset <= position):
            break
        if at_end:
            position, from_the_top = 0, True
    return FeedReading(rows=found)


def rows_of_run(feed: RunFeed, run_id: str, *, dataset_id: str, keep_going: KeepGoing) -> list[PipelineRun]:
    """The rows of one import run, looked for among its dataset's.

    Raises:
        RemotePermissionError: The dataset was deleted, or the key may not read it.
        RemoteError: The remote gave no answer, or none of Cognee's.
        TimeUpError: ``keep_going`` said so.
    """
    rows: list[PipelineRun] = []
    for page in _pages(feed, IMPORT_PIPELINE, dataset_id=dataset_id, keep_going=keep_going):
        rows += [row for row in page if row.pipeline_run_id == run_id]
        if rows:
            break
    return rows


class FollowingRuns:
    """The runs that add and cognify documents, of all datasets, since a moment; read when first needed, then kept.

    Args:
        feed: The remote.
        since: Unix seconds of our clock; much older rows end the look.
        keep_going: Asked before each request.
    """

    def __init__(self, feed: RunFeed, *, since: float, keep_going: KeepGoing) -> None:
        self._feed = feed
        self._oldest = moment_of(since) - _READ_BEYOND
        self._keep_going = keep_going
        self._rows: list[PipelineRun] | None = None

    def rows(self) -> list[PipelineRun]:
        """Their rows.

        Raises:
            RemoteError: The remote gave no answer, or none of Cognee's.
            TimeUpError: ``keep_going`` said so.
        """
        if self._rows is None:
            self._rows = [row for pipeline in (ADD_PIPELINE, COGNIFY_PIPELINE) for row in self._of(pipeline)]
        return self._rows

    def _of(self, pipeline: str) -> Iterator[PipelineRun]:
        for page in _pages(self._feed, pipeline, dataset_id=None, keep_going=self._keep_going):
            yield from page
            if _ends_with(page, self._oldest):
                break


def moment_of(seconds: float) -> datetime:
    """Unix seconds as a UTC time; never so early that a margin cannot be taken off."""
    return datetime.fromtimestamp(max(seconds, 10 * _READ_BEYOND.total_seconds()), tz=timezone.utc)


def _pages(
    feed: RunFeed, pipeline: str, *, dataset_id: str | None, keep_going: KeepGoing
) -> Iterator[Sequence[PipelineRun]]:
    look = Look()
    for number in range(MAX_PAGES):
        look.heed()
        if not keep_going():
            raise TimeUpError
        page = feed.runs(
            pipeline_name=pipeline, dataset_id=dataset_id, limit=ROWS_PER_PAGE, offset=number * ROWS_PER_PAGE
        )
        yield page
        if rows_sent(page) < ROWS_PER_PAGE:
            break


def _ends_with(page: Sequence[PipelineRun], oldest: datetime) -> bool:
    """Whether this is the feed's last page, or the last that is new enough."""
    if rows_sent(page) < ROWS_PER_PAGE:
        return True
    last = page[-1].created_at if page else None
    return last is not None and last < oldest


def rows_sent(page: Sequence[PipelineRun]) -> int:
    """How many rows the remote sent: also those that made no sense, or were not asked for."""
    return page.sent if isinstance(page, Rows) else len(page)
