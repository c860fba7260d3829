"""Asking a remote about many imports takes few requests, whatever the feed looks like."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cognee_dagster.dagster.sensors.budget import TimeBudget
from cognee_dagster.dagster.sensors.polling import FeedWithin
from cognee_dagster.errors import RemoteRejectedError, RemoteUnreachableError
from cognee_dagster.pushing.changes import changes_since
from cognee_dagster.remote.imports import feed as feed_module
from cognee_dagster.remote.imports.feed import FeedReading, read_import_runs
from cognee_dagster.remote.imports.listing import list_imports
from cognee_dagster.remote.imports.vocabulary import ADD_PIPELINE, COGNIFY_PIPELINE, ImportState
from cognee_dagster.remote.imports.watch import ImportWatch, WatchedImport, wait_for_import
from cognee_dagster.remote.responses import PipelineRun
from cognee_dagster.testing import FakeRemote
from tests.pushes import client_of
from tests.unit.sensor_world import Feed, dataset_id

NOW = 1_763_847_687.0
HOUR = 3600.0


@pytest.fixture
def feed() -> Iterator[Feed]:
    with Feed(now=NOW) as feed:
        yield feed


def watch(feed: Feed, *, questions: int = 1000) -> ImportWatch:
    """A watch that may ask so many questions."""
    left = len(feed.questions) + questions
    return ImportWatch(
        feed=feed, now=feed.now, stalled_after=timedelta(hours=1), keep_going=lambda: len(feed.questions) < left
    )


def state(feed: Feed, item: WatchedImport) -> ImportState:
    return watch(feed).ask(item).state


def test_hundreds_of_imports_take_a_page_for_every_250(feed: Feed) -> None:
    runs = []
    for number in range(700):
        runs.append(feed.start(f"dataset {number}"))
        feed.end(runs[-1])
    reading = read_import_runs(feed, runs, since=NOW, keep_going=lambda: True)
    assert set(reading.rows) == set(runs)
    assert len(feed.questions) == 3


def test_reading_ends_with_rows_that_are_a_day_older_than_the_oldest_push(feed: Feed) -> None:
    feed.wait(-3 * 86_400)
    for number in range(2_000):
        feed.start(f"old {number}")
    feed.wait(3 * 86_400)
    reading = read_import_runs(feed, ["unknown"], since=NOW, keep_going=lambda: True)
    assert reading.complete
    assert len(feed.questions) == 1


def test_a_look_cut_short_by_time_goes_on_where_it_stopped(feed: Feed) -> None:
    """Otherwise what lies deep in the feed of a slow remote would never be read."""
    deep = feed.start("deep")
    for number in range(1_200):
        feed.start(f"newer {number}")
    offset, asked = 0, 0
    for _ in range(4):
        reading = watch(feed, questions=1).read([WatchedImport(run_id=deep, pushed_at=NOW)], offset=offset)
        asked += 1
        if reading.complete:
            break
        offset = reading.next_offset
        feed.start("meanwhile")
    assert deep in reading.rows
    assert asked == 3


def test_an_answer_that_is_cut_off_by_time_loses_no_page_before_it(feed: Feed) -> None:
    deep = feed.start("deep")
    for number in range(600):
        feed.start(f"newer {number}")
    newest = feed.start("newest")

    class OnePage:
        clock_offset = timedelta(0)

        def runs(self, **wanted: Any) -> Sequence[PipelineRun]:
            if wanted["offset"]:
                raise RemoteUnreachableError("the time for the whole exchange is over")
            return feed.runs(**wanted)

    within = FeedWithin(feed=OnePage(), budget=TimeBudget(0.0))
    reading = read_import_runs(within, [deep, newest], since=NOW, keep_going=lambda: True)
    assert set(reading.rows) == {newest}
    assert (reading.next_offset, reading.complete) == (500, False)


def test_what_lies_before_an_old_offset_is_read_after_it(feed: Feed) -> None:
    for number in range(600):
        feed.start(f"older {number}")
    newest = feed.start("newest")
    reading = read_import_runs(feed, [newest], since=NOW, offset=500, keep_going=lambda: True)
    assert newest in reading.rows


def test_a_look_that_went_on_at_an_old_offset_ends_where_it_began(feed: Feed) -> None:
    for number in range(600):
        feed.start(f"d{number}")
    assert read_import_runs(feed, ["unknown"], since=NOW, offset=500, keep_going=lambda: True).complete
    assert len(feed.questions) == 2


def test_a_list_of_imports_takes_as_many_requests_as_there_are_pages(feed: Feed) -> None:
    run = feed.start("a")
    assert [found.run_id for found in list_imports(feed, limit=5)] == [run]
    assert len(feed.questions) == 1
    feed.end(run)
    list_imports(feed, limit=5)
    assert len(feed.questions) == 4  # and one for what was added after it, and one for what was cognified


def test_a_list_of_runs_without_end_ends_in_time(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page has two minutes, and there may be forty of them, or four hundred."""
    monkeypatch.setattr(feed_module, "LISTED_WITHIN", 0.0)
    with pytest.raises(RemoteUnreachableError, match="has not come to its end"):
        list_imports(feed, limit=10)
    with pytest.raises(RemoteUnreachableError, match="has not come to its end"):
        watch(feed).ask(WatchedImport(run_id="a"))
    with pytest.raises(RemoteUnreachableError, match="has not come to its end"):
        watch(feed).ask(WatchedImport(run_id="a", dataset_id=dataset_id("a")))
    with FakeRemote() as remote, client_of(remote.url, remote.api_key) as client:
        assert changes_since(client, client.ensure_dataset("demo"), began_at=0.0) is None


def test_a_run_that_the_feed_does_not_show_is_looked_for_in_its_dataset(feed: Feed) -> None:
    run = feed.start("a")
    feed.end(run)
    item = WatchedImport(run_id=run, dataset_id=dataset_id("a"), pushed_at=NOW)
    answers = watch(feed).ask_about([item], read_import_runs(feed, [], since=NOW, keep_going=lambda: True))
    assert answers.verdicts[0].state is ImportState.SUCCEEDED


def test_a_run_that_the_remote_shows_in_another_dataset_is_not_the_one_that_was_pushed(feed: Feed) -> None:
    run = feed.start("a")
    feed.end(run)
    assert state(feed, WatchedImport(run_id=run, dataset_id=dataset_id("a"))) is ImportState.SUCCEEDED
    elsewhere = WatchedImport(run_id=run, dataset_id=dataset_id("b"))
    assert (
        watch(feed).ask_about([elsewhere], watch(feed).read([elsewhere])).verdicts[0].state is not ImportState.SUCCEEDED
    )


def test_a_deleted_dataset_is_gone_whether_its_import_had_ended_or_not(feed: Feed) -> None:
    ended, running = feed.start("a"), feed.start("b")
    feed.end(ended)
    feed.delete("a")
    feed.delete("b")
    assert state(feed, WatchedImport(run_id=ended, pushed_at=NOW)) is ImportState.GONE
    assert state(feed, WatchedImport(run_id=running, pushed_at=NOW)) is ImportState.GONE
    assert state(feed, WatchedImport(run_id=running, dataset_id=dataset_id("b"), pushed_at=NOW)) is ImportState.GONE


@pytest.mark.parametrize("skew", [-7 * 86_400.0, -HOUR, 0.0, HOUR, 7 * 86_400.0])
def test_an_import_is_as_old_as_our_own_clock_says_whatever_the_servers_says(feed: Feed, skew: float) -> None:
    feed.clock.skew = skew
    run = feed.start("a")
    item = WatchedImport(run_id=run, dataset_id=dataset_id("a"), pushed_at=NOW)
    feed.wait(0.9 * HOUR)
    assert state(feed, item) is ImportState.RUNNING
    feed.wait(0.2 * HOUR)
    assert state(feed, item) is ImportState.STALLED


def test_a_late_word_that_an_older_run_was_abandoned_says_nothing_of_a_newer_one(feed: Feed) -> None:
    older = feed.start("a")
    newer = feed.start("a")
    feed.end(newer)
    feed.wait(2 * HOUR)
    feed.end(older, error="AbandonedPipelineRunError")
    assert state(feed, WatchedImport(run_id=newer, pushed_at=NOW)) is ImportState.SUCCEEDED
    assert state(feed, WatchedImport(run_id=older, pushed_at=NOW)) is ImportState.FAILED


def test_one_dataset_that_cannot_be_asked_about_does_not_hide_the_others(feed: Feed) -> None:
    runs = {name: feed.start(name) for name in "abc"}
    feed.end(runs["c"])
    feed.failures[dataset_id("b")] = RemoteRejectedError("500", status=500)
    items = [WatchedImport(run_id=run, dataset_id=dataset_id(name), pushed_at=NOW) for name, run in runs.items()]
    answers = watch(feed).ask_about(items, read_import_runs(feed, [], since=NOW, keep_going=lambda: True))
    assert {place: verdict.state for place, verdict in answers.verdicts.items()} == {
        0: ImportState.RUNNING,
        2: ImportState.SUCCEEDED,
    }
    assert set(answers.errors) == {1}


def test_a_remote_that_falls_silent_is_not_asked_on_and_on(feed: Feed) -> None:
    items = [
        WatchedImport(run_id=feed.start(name), dataset_id=dataset_id(name), pushed_at=NOW) for name in ("a", "b", "c")
    ]
    feed.failures[dataset_id("b")] = RemoteUnreachableError("down")
    answers = watch(feed).ask_about(items, read_import_runs(feed, [], since=NOW, keep_going=lambda: True))
    assert set(answers.verdicts) == {0}
    assert answers.unreachable is feed.failures[dataset_id("b")]
    assert len(feed.questions) == 2


def test_time_that_is_up_ends_the_questions_with_what_is_known(feed: Feed) -> None:
    items = [WatchedImport(run_id=feed.start(str(n)), dataset_id=dataset_id(str(n)), pushed_at=NOW) for n in range(5)]
    reading = read_import_runs(feed, [], since=NOW, keep_going=lambda: True)
    assert set(watch(feed, questions=2).ask_about(items, reading).verdicts) == {0, 1}


def test_hybrid_in_the_background_ends_with_its_cognify_run(feed: Feed) -> None:
    feed.end(feed.start("a", pipeline=COGNIFY_PIPELINE), error="Earlier")
    run = feed.start("a")
    item = WatchedImport(run_id=run, dataset_id=dataset_id("a"), pushed_at=NOW, cognifies=True)
    feed.end(run)
    assert state(feed, item) is ImportState.RUNNING
    feed.end(feed.start("a", pipeline=ADD_PIPELINE))
    cognify = feed.start("a", pipeline=COGNIFY_PIPELINE)
    assert state(feed, item) is ImportState.RUNNING
    feed.end(cognify, error="InternalServerError")
    assert state(feed, item) is ImportState.FAILED


def test_rederive_has_no_run_of_its_own_and_ends_with_the_runs_that_follow_it(feed: Feed) -> None:
    item = WatchedImport(run_id="", dataset_id=dataset_id("a"), pushed_at=NOW, cognifies=True)
    assert state(feed, item) is ImportState.RUNNING
    feed.end(feed.start("a", pipeline=ADD_PIPELINE), error="IngestionError")
    assert state(feed, item) is ImportState.FAILED


def test_many_hybrids_share_the_questions_about_what_follows_them(feed: Feed) -> None:
    items = []
    for number in range(100):
        run = feed.start(str(number))
        feed.end(run)
        feed.end(feed.start(str(number), pipeline=COGNIFY_PIPELINE))
        items.append(WatchedImport(run_id=run, dataset_id=dataset_id(str(number)), pushed_at=NOW, cognifies=True))
    look = watch(feed)
    answers = look.ask_about(items, look.read(items))
    assert [verdict.state for verdict in answers.verdicts.values()] == [ImportState.SUCCEEDED] * 100
    assert len(feed.questions) == 3


def test_waiting_ends_with_the_import_and_not_before(feed: Feed) -> None:
    run = feed.start("a")
    seen: list[ImportState] = []

    def sleep(seconds: float) -> None:
        feed.wait(seconds)
        if len(seen) == 3:
            feed.end(run)

    verdict = wait_for_import(
        feed,
        WatchedImport(run_id=run, pushed_at=NOW),
        stalled_after=timedelta(hours=1),
        report=lambda current: seen.append(current.state),
        sleep=sleep,
        clock=lambda: feed.now,
    )
    assert verdict.state is ImportState.SUCCEEDED
    assert seen == [ImportState.RUNNING] * 3 + [ImportState.SUCCEEDED]


def test_waiting_has_an_end_when_asked_for(feed: Feed) -> None:
    run = feed.start("a")

    def sleep(seconds: float) -> None:
        feed.wait(seconds)

    verdict = wait_for_import(
        feed,
        WatchedImport(run_id=run, pushed_at=NOW),
        stalled_after=timedelta(hours=1),
        timeout_seconds=30,
        sleep=sleep,
        clock=lambda: feed.now,
    )
    assert verdict.state is ImportState.RUNNING
    assert feed.now <= NOW + 30


@pytest.mark.parametrize("skew", [-7 * HOUR, 0.0, 7 * HOUR])
def test_ages_are_taken_by_the_servers_clock_however_far_it_is_from_ours(feed: Feed, skew: float) -> None:
    feed.clock.skew = skew
    run = feed.start("a")
    feed.wait(60)
    item = WatchedImport(run_id=run, dataset_id=dataset_id("a"))  # nobody knows when it was pushed
    assert state(feed, item) is ImportState.RUNNING
    feed.wait(HOUR)
    assert state(feed, item) is ImportState.STALLED


@pytest.mark.parametrize("skew", [-300.0, 0.0, 300.0])
def test_a_rederive_is_told_by_the_servers_clock(feed: Feed, skew: float) -> None:
    feed.clock.skew = skew
    feed.end(feed.start("a", pipeline=COGNIFY_PIPELINE))  # another's, or an earlier one's
    feed.wait(5)
    delivered_at = feed.clock.now()
    item = WatchedImport(
        run_id="", dataset_id=dataset_id("a"), pushed_at=NOW + 5, cognifies=True, delivered_at=delivered_at
    )
    ours = feed.start("a", pipeline=COGNIFY_PIPELINE)
    feed.wait(100)
    assert state(feed, item) is ImportState.RUNNING
    feed.end(ours)
    assert state(feed, item) is ImportState.SUCCEEDED


@pytest.mark.parametrize(("was_seen", "seconds"), [(True, 60), (False, HOUR)])
def test_a_run_that_the_remote_does_not_show_is_not_waited_for_for_ever(
    feed: Feed, was_seen: bool, seconds: float
) -> None:
    """Its database was restored, or its rows were removed, and the dataset is there."""
    run = feed.start("a")
    seen: list[ImportState] = []

    def lose(seconds: float) -> None:
        feed.wait(seconds)
        feed.remote.state.rows.clear()

    if not was_seen:
        lose(0)
    verdict = wait_for_import(
        feed,
        WatchedImport(run_id=run, dataset_id=dataset_id("a"), pushed_at=NOW),
        stalled_after=timedelta(hours=1),
        poll_seconds=10,
        report=lambda current: seen.append(current.state),
        sleep=lose,
        clock=lambda: feed.now,
    )
    assert verdict.state is ImportState.UNKNOWN
    assert (seen[0] is ImportState.RUNNING) == was_seen
    assert seconds < feed.now - NOW < seconds + 30


def test_a_run_that_the_remote_does_not_show_for_a_moment_is_waited_for(feed: Feed) -> None:
    """One of several servers behind a load balancer may not have its row yet."""
    run = feed.start("a")
    rows = list(feed.remote.state.rows)
    looks: list[ImportState] = []

    def sleep(seconds: float) -> None:
        feed.wait(seconds)
        feed.remote.state.rows[:] = [] if len(looks) % 2 else rows
        if len(looks) == 20:
            feed.end(run)
            rows[:] = feed.remote.state.rows

    verdict = wait_for_import(
        feed,
        WatchedImport(run_id=run, dataset_id=dataset_id("a"), pushed_at=NOW),
        stalled_after=timedelta(hours=1),
        poll_seconds=10,
        report=lambda current: looks.append(current.state),
        sleep=sleep,
        clock=lambda: feed.now,
    )
    assert verdict.state is ImportState.SUCCEEDED
    assert ImportState.UNKNOWN in looks


def test_a_run_whose_end_the_look_has_passed_is_asked_about_before_it_counts_as_stalled(feed: Feed) -> None:
    """A look that goes on at an old offset shows the row of its start alone."""
    run = feed.start("a")
    feed.wait(2 * HOUR)
    feed.end(run)
    reading = read_import_runs(feed, [run], since=NOW, offset=1, keep_going=lambda: True)
    assert [row.outcome for row in reading.rows[run]] == [None]
    answers = watch(feed).ask_about([WatchedImport(run_id=run, pushed_at=NOW)], reading)
    assert answers.verdicts[0].state is ImportState.SUCCEEDED


def test_a_dataset_that_a_look_showed_without_its_name_is_asked_about_before_it_counts_as_gone(feed: Feed) -> None:
    run = feed.start("a")
    shown = read_import_runs(feed, [run], since=NOW, keep_going=lambda: True).rows[run]
    reading = FeedReading(rows={run: [msgspec.structs.replace(row, dataset_name=None) for row in shown]})
    answers = watch(feed).ask_about([WatchedImport(run_id=run, pushed_at=NOW)], reading)
    assert answers.verdicts[0].state is ImportState.RUNNING


def test_what_the_look_showed_still_counts_where_the_datasets_own_rows_show_nothing(feed: Feed) -> None:
    run = feed.start("a")
    reading = read_import_runs(feed, [run], since=NOW, keep_going=lambda: True)
    feed.remote.state.rows.clear()
    feed.wait(2 * HOUR)
    answers = watch(feed).ask_about([WatchedImport(run_id=run, pushed_at=NOW)], reading)
    assert answers.verdicts[0].state is ImportState.STALLED


@pytest.mark.parametrize(
    ("began_before", "push_seconds", "state"),
    [(20, 0, ImportState.FAILED), (120, 100, ImportState.FAILED), (40, 0, ImportState.RUNNING)],
)
def test_a_rederive_is_followed_by_runs_from_its_acceptance_on_which_is_before_its_push_was_logged(
    feed: Feed, began_before: float, push_seconds: float, state: ImportState
) -> None:
    feed.wait(-began_before)
    feed.end(feed.start("a", pipeline=ADD_PIPELINE), error="IngestionError")
    feed.wait(began_before)
    item = WatchedImport(
        run_id="", dataset_id=dataset_id("a"), pushed_at=NOW, push_seconds=push_seconds, cognifies=True
    )
    assert watch(feed).ask(item).state is state
