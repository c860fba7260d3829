"""What a tick of the import sensor reports, and that it reports it once."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import dagster as dg
import pytest

from cognee_dagster.dagster.event_log.failed_pushes import events_of
from cognee_dagster.dagster.event_log.pushes import Push, PushLog
from cognee_dagster.dagster.event_log.reports import ReportLog
from cognee_dagster.dagster.sensors.budget import TimeBudget
from cognee_dagster.dagster.sensors.cursor import ImportCursor
from cognee_dagster.dagster.sensors.policies import UNANSWERED_AFTER_SECONDS, WatchPolicy
from cognee_dagster.errors import NoConnectionError, RemoteAuthError, RemoteRejectedError, RemoteUnreachableError
from cognee_dagster.remote.imports.vocabulary import ADD_PIPELINE, COGNIFY_PIPELINE
from tests.unit.sensor_world import Reported, World, dataset_id, push_key

FINISHED = Reported(materialized=1, passed=1)
FAILED = Reported(failed=1)
HOUR = 3600.0


@pytest.fixture
def world() -> Iterator[World]:
    with World(datasets=("a", "b", "c")) as world:
        yield world
    assert world.log.errors == []


def pending(world: World, sensor: str = "sensor") -> int:
    cursor = ImportCursor.decode(world.cursors[sensor])
    assert cursor is not None
    return len(cursor.pending)


# What is reported


def test_a_finished_import_materializes_the_remote_graph_and_passes_its_check(world: World) -> None:
    run = world.push()
    world.tick()
    assert world.reported(run) == Reported()
    world.wait(20)
    world.feed.end(run)
    result = world.tick()
    assert world.reported(run) == FINISHED
    assert result.summary == "1 finished."
    world.tick()
    assert pending(world) == 0


def test_the_remote_graph_carries_what_the_push_said_and_how_long_the_remote_took(world: World) -> None:
    run = world.push()
    world.wait(20)
    world.feed.end(run)
    materialization = world.tick().events[0]
    assert isinstance(materialization, dg.AssetMaterialization)
    assert materialization.asset_key == dg.AssetKey(["team", "a", "remote_graph"])
    assert materialization.tags == {"dagster/data_version": "sha256:graph"}
    metadata = {key: value.value for key, value in materialization.metadata.items()}
    assert metadata["status"] == "completed"
    assert metadata["pipeline_run_id"] == run
    assert metadata["num_nodes"] == 13
    assert metadata["num_edges"] == 26
    assert metadata["cognee/push_run_id"] == ""
    assert metadata["cognee/seconds"] == pytest.approx(20, abs=0.001)


def test_a_server_whose_clock_was_put_back_meanwhile_took_no_time(world: World) -> None:
    run = world.push()
    world.feed.clock.skew = -20
    world.feed.end(run)
    assert world.tick().events[0].metadata["cognee/seconds"].value == 0


def test_a_failed_import_fails_the_check_with_the_reason_and_what_to_do(world: World) -> None:
    run = world.push()
    world.feed.end(run, error="AbandonedPipelineRunError")
    result = world.tick()
    assert world.reported(run) == FAILED
    assert result.summary == "1 failed."
    check = world.checks()[0]
    assert check.description is not None
    assert run in check.description
    assert "AbandonedPipelineRunError" in check.description
    assert "Push again" in check.description
    assert check.metadata["cognee/reason"].value == check.description


def test_a_tick_says_what_it_did(world: World) -> None:
    for name in ("a", "b", "c"):
        world.feed.end(world.push(name), error="RuntimeError" if name == "c" else None)
    for _ in range(3):
        world.push("a")
    assert world.tick().summary == "2 finished, 1 failed, 3 running."


def test_with_nothing_pending_no_remote_is_asked(world: World) -> None:
    assert world.tick().summary == "No import is pending."
    assert world.feed.questions == []


def test_pushes_in_the_foreground_are_none_of_the_sensors_business(world: World) -> None:
    world.push(status="completed")
    assert world.tick().summary == "No import is pending."
    assert world.feed.questions == []


def test_an_import_that_neither_ends_nor_fails_is_reported_as_stalled(world: World) -> None:
    run = world.push()
    world.wait(5.9 * HOUR)
    world.tick()
    assert world.reported(run) == Reported()
    world.wait(0.2 * HOUR)
    assert world.tick().summary == "1 stalled."
    assert world.reported(run) == FAILED
    assert world.checks()[0].metadata["status"].value == "stalled"
    assert "cognee/seconds" not in world.checks()[0].metadata  # those of the push would be taken for the import's


def test_an_import_that_ended_while_nobody_looked_for_days_is_not_stalled(world: World) -> None:
    run = world.push()
    world.feed.end(run)
    world.wait(10 * 24 * HOUR)
    world.tick()
    assert world.reported(run) == FINISHED


@pytest.mark.parametrize("skew", [-90 * 86_400.0, -HOUR, HOUR, 90 * 86_400.0])
def test_a_servers_clock_that_is_off_changes_nothing(world: World, skew: float) -> None:
    world.feed.clock.skew = skew
    done, running = world.push(), world.push()
    world.wait(HOUR)
    world.feed.end(done)
    assert world.tick().summary == "1 finished, 1 running."
    world.wait(6 * HOUR)
    world.tick()
    assert (world.reported(done), world.reported(running)) == (FINISHED, FAILED)


def test_a_deleted_dataset_is_a_failure_that_says_so(world: World) -> None:
    done, running, other = world.push("a"), world.push("a"), world.push("b")
    world.feed.end(done)
    world.feed.delete("a")
    assert world.tick().summary == "2 failed, 1 running."
    assert world.reported(done) == FAILED
    assert world.reported(running) == FAILED
    assert world.reported(other, "b") == Reported()
    assert "deleted" in str(world.checks()[0].description)


def test_a_run_that_the_remote_does_not_know_is_looked_for_until_it_is_old(world: World) -> None:
    run = world.push(run_id="5e2a7c1c-0c4c-4b3e-8f0e-0d6f0c9f5d11")
    for _ in range(20):
        assert world.tick().summary.startswith("1 not")
        world.wait(900)
    world.wait(2 * HOUR)
    world.tick()
    assert world.reported(run) == FAILED


def test_hybrid_in_the_background_is_finished_with_its_cognify_run(world: World) -> None:
    run = world.push(status="running", mode="hybrid")
    world.feed.end(run)
    assert world.tick().summary == "1 running."
    cognify = world.feed.start("a", pipeline=COGNIFY_PIPELINE)
    world.wait(60)
    world.feed.end(cognify)
    world.tick()
    assert world.reported(run) == FINISHED


def test_rederive_without_a_run_id_is_reported_once(world: World) -> None:
    world.push(run_id="", status="running", mode="re-derive")
    world.feed.end(world.feed.start("a", pipeline=ADD_PIPELINE), error="IngestionError")
    world.tick()
    world.cursors.clear()
    world.tick()
    assert [check.passed for check in world.checks()] == [False]
    assert "pipeline_run_id" not in world.checks()[0].metadata
    assert "IngestionError" in str(world.checks()[0].description)


def test_an_import_with_a_partition_is_reported_for_that_partition(world: World) -> None:
    one, two = world.push(partition="2026-01-01"), world.push(partition="2026-01-02")
    world.feed.end(one)
    world.feed.end(two, error="RuntimeError")
    world.tick()
    assert (world.reported(one), world.reported(two)) == (FINISHED, FAILED)
    records = world.instance.fetch_materializations(dg.AssetKey(["team", "a", "remote_graph"]), limit=10).records
    assert [record.partition_key for record in records] == ["2026-01-01"]
    found = {check.metadata["cognee/partition"].value: check.passed for check in world.checks()}
    assert found == {"2026-01-01": True, "2026-01-02": False}


def test_one_partition_can_be_reported_again_and_again(world: World) -> None:
    """Dagster would store only one evaluation of a check and partition without a run."""
    for _ in range(3):
        run = world.push(partition="2026-01-01")
        world.feed.end(run, error="RuntimeError")
        world.tick()
        assert world.reported(run) == FAILED


# Once, whatever breaks


@pytest.mark.parametrize("written", [0, 1, 2, 3])
def test_a_daemon_killed_between_events_and_cursor_repeats_nothing(world: World, written: int) -> None:
    done, failed = world.push(), world.push()
    world.feed.end(done)
    world.feed.end(failed, error="RuntimeError")
    world.tick(dies_after=written)
    world.tick()
    world.tick()
    assert (world.reported(done), world.reported(failed)) == (FINISHED, FAILED)


@pytest.mark.parametrize("cursor", [None, "", "garbage", "1:garbage", "0:{}", '{"version": 99}', "1:" + "0" * 100_000])
def test_a_lost_or_foreign_cursor_loses_and_repeats_nothing(world: World, cursor: str | None) -> None:
    reported, running, finished = world.push(), world.push(), world.push("b")
    world.feed.end(reported)
    world.tick()
    world.feed.end(finished)
    world.cursors["sensor"] = cursor
    world.tick()
    world.feed.end(running)
    world.tick()
    assert [world.reported(run) for run in (reported, running)] == [FINISHED, FINISHED]
    assert world.reported(finished, "b") == FINISHED


def test_two_sensors_over_the_same_assets_report_once(world: World) -> None:
    done, failed = world.push(), world.push()
    world.tick("one")
    world.tick("two")
    world.feed.end(done)
    world.feed.end(failed, error="RuntimeError")
    world.tick("one")
    assert world.tick("two").events == []
    assert (world.reported(done), world.reported(failed)) == (FINISHED, FAILED)


def test_a_failure_that_another_sensor_reported_is_not_made_good_by_a_newer_success(world: World) -> None:
    older, newer = world.push(), world.push()
    for sensor in ("one", "two"):
        world.tick(sensor)
    world.feed.end(older, error="RuntimeError")
    world.tick("one")
    world.feed.end(newer)
    for sensor in ("one", "one", "two", "two"):
        world.tick(sensor)
    assert (world.reported(older), world.reported(newer)) == (FAILED, FINISHED)


@pytest.mark.parametrize("later", [0, 600])
@pytest.mark.parametrize("error", [None, "RuntimeError"])
def test_a_rerun_that_adopts_a_running_import_adds_no_report(world: World, error: str | None, later: int) -> None:
    run = world.push()
    world.push(run_id=run)
    world.feed.end(run, error=error)
    assert world.tick().summary == ("1 failed." if error else "1 finished.")
    for _ in range(later // 120):  # what lies before the watermark is not read again
        world.push("b")
        world.wait(120)
        world.tick()
    world.push(run_id=run)  # logged after the report of what it adopted
    world.tick()
    world.cursors.clear()
    world.tick()
    assert world.reported(run) == (FAILED if error else FINISHED)


def test_an_import_that_ends_late_does_not_turn_the_failure_of_a_newer_push_green(world: World) -> None:
    late = world.push()
    push = Push(
        storage_id=0,
        asset_key=push_key("a"),
        partition=None,
        dagster_run_id="failed",
        timestamp=0,
        metadata={"target_dataset": "a", "cognee/remote_url": world.feed.remote.url},
    )
    for event in events_of(push, reason="the push failed.", error=OSError("gone")):
        world.instance.report_runless_asset_event(event)
    world.feed.end(late)
    world.tick()
    assert world.reported(late).materialized == 1
    assert [check.passed for check in world.checks()] == [False]
    again = world.push()
    world.feed.end(again)
    world.tick()
    assert world.reported(again) == FINISHED


def test_a_report_that_many_newer_ones_lie_over_is_found(world: World) -> None:
    """Evaluations of a check are read newest first, ten of them and then a page after the other."""
    runs = [world.push() for _ in range(25)]
    for run in runs:
        world.feed.end(run, error="RuntimeError")
    for _ in range(4):
        world.tick()
        world.wait(30)
    world.cursors.clear()
    world.tick()
    assert [world.reported(run) for run in runs] == [FAILED] * 25
    pushes, _ = PushLog(world.instance, world.keys, {}).page(push_key("a").to_user_string(), after=0, upto=1_000)
    assert ReportLog(world.instance, now=world.feed.now).unreported(pushes[:1]) == []


def test_a_push_logged_late_with_a_lower_storage_id_is_not_passed_by(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database hands out ids before it commits: until then nobody sees the event, but later ones."""
    world.tick()
    world.wait(300)
    late = world.push("a")
    world.feed.end(late)
    with monkeypatch.context() as uncommitted:
        hide_pushes_up_to_now(world, uncommitted)
        for _ in range(3):
            world.push("a")
            world.push("b")
            world.tick()
            world.wait(15)
        assert world.reported(late) == Reported()
    world.wait(30)  # less than the time to the next audit, which would find it, too
    world.tick()
    assert world.reported(late) == FINISHED


def test_what_was_logged_long_ago_is_not_read_again_and_again(world: World) -> None:
    for _ in range(2):
        world.push("b")
        world.tick()
        world.wait(120)
    cursor = ImportCursor.decode(world.cursors["sensor"])
    assert cursor is not None
    assert cursor.watermark > 0


def hide_pushes_up_to_now(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the transactions that wrote the pushes so far were still open."""
    fetch = world.instance.fetch_materializations
    hidden = {record.storage_id for key in world.keys for record in fetch(key, limit=1000).records}

    def without(*args: Any, **kwargs: Any) -> dg.EventRecordsResult:
        found = fetch(*args, **kwargs)
        shown = [record for record in found.records if record.storage_id not in hidden]
        return dg.EventRecordsResult(shown, cursor=found.cursor, has_more=found.has_more)

    monkeypatch.setattr(world.instance, "fetch_materializations", without)


def test_an_asset_that_is_watched_from_now_on_has_its_older_pushes_reported(world: World) -> None:
    keys, world.keys = world.keys, [push_key("b")]
    run, other = world.push("a"), world.push("b")
    world.feed.end(run)
    world.feed.end(other)
    for _ in range(4):  # the watermark passes the push
        world.wait(120)
        world.push("b", run_id=other)
        world.tick()
    world.keys = keys
    world.tick()
    assert world.reported(run) == FINISHED
    assert world.reported(other, "b") == FINISHED


def test_an_asset_that_is_not_watched_for_a_while_loses_nothing(world: World) -> None:
    run = world.push("a")
    world.tick()
    keys, world.keys = world.keys, [push_key("b")]
    world.feed.end(run)
    world.tick()
    world.keys = keys
    world.tick()
    assert world.reported(run) == FINISHED


def test_an_asset_that_was_wiped_leaves_nothing_pending(world: World) -> None:
    run = world.push()
    world.tick()
    world.instance.wipe_assets([push_key("a")])
    world.feed.end(run)
    world.tick()
    assert pending(world) == 0


# Several imports of one asset


def test_two_imports_of_one_asset_in_flight_are_both_reported(world: World) -> None:
    one, two = world.push(), world.push()
    world.feed.end(one)
    world.tick()
    world.feed.end(two)
    world.tick()
    assert (world.reported(one), world.reported(two)) == (FINISHED, FINISHED)


@pytest.mark.parametrize("together", [True, False])
def test_a_late_error_of_an_abandoned_import_does_not_overturn_a_newer_success(world: World, together: bool) -> None:
    older, newer = world.push(), world.push()
    world.feed.end(newer)
    if not together:
        world.tick()
    world.wait(HOUR)
    world.feed.end(older, error="AbandonedPipelineRunError")
    world.tick()
    assert world.reported(newer) == FINISHED
    assert world.reported(older) == Reported(observed=1)
    assert world.checks()[0].passed
    world.cursors.clear()
    world.tick()
    assert world.reported(older) == Reported(observed=1)


def test_a_late_success_of_an_older_import_does_not_turn_a_newer_failure_green(world: World) -> None:
    older, newer = world.push(), world.push()
    world.feed.end(newer, error="RuntimeError")
    world.tick()
    world.feed.end(older)
    world.tick()
    assert world.reported(older) == Reported(materialized=1)
    assert not world.checks()[0].passed
    assert world.reported(newer) == FAILED


def test_a_late_failure_of_an_older_import_is_a_failure_where_the_newer_one_failed_too(world: World) -> None:
    older, newer = world.push(), world.push()
    world.feed.end(newer, error="RuntimeError")
    world.tick()
    world.feed.end(older, error="RuntimeError")
    world.tick()
    assert (world.reported(older), world.reported(newer)) == (FAILED, FAILED)


def test_of_several_newer_imports_the_newest_that_has_ended_decides(world: World) -> None:
    oldest, failed, succeeded, running = (world.push() for _ in range(4))
    world.feed.end(failed, error="RuntimeError")
    world.feed.end(succeeded)
    world.tick()
    world.feed.end(oldest, error="RuntimeError")
    world.tick()
    assert world.reported(oldest) == Reported(observed=1)
    assert world.reported(running) == Reported()


def test_of_imports_that_end_together_the_newest_is_reported_last(world: World) -> None:
    """Dagster shows the last evaluation of a check."""
    older, newer = world.push(), world.push()
    world.feed.end(newer, error="FileNotFoundError")
    world.feed.end(older, error="RuntimeError")
    events = world.tick().events
    assert [event.metadata["pipeline_run_id"].value for event in events] == [older, newer]


def test_a_success_elsewhere_does_not_hide_a_failure(world: World) -> None:
    """Another partition, or another remote dataset, is another graph."""
    failed, other = world.push(partition="x", target="t"), world.push(partition="y", target="t")
    third = world.push(partition="x", target="u")
    world.feed.end(other)
    world.feed.end(third)
    world.tick()
    world.feed.end(failed, error="RuntimeError")
    world.tick()
    assert world.reported(failed) == FAILED


# Nobody stops the others


def test_one_import_that_cannot_be_asked_about_does_not_stop_the_others(world: World) -> None:
    lost = world.push("b", run_id="5e2a7c1c-0c4c-4b3e-8f0e-0d6f0c9f5d11")
    world.feed.failures[dataset_id("b")] = RemoteRejectedError("answers 500", status=500)
    runs = [world.push("a") for _ in range(3)]
    for run in runs:
        world.feed.end(run)
    result = world.tick()
    assert [world.reported(run) for run in runs] == [FINISHED] * 3
    assert result.summary == "3 finished, 1 not found yet. answers 500"
    assert world.reported(lost, "b") == Reported()


def test_an_import_that_cannot_be_asked_about_is_asked_less_and_less_often(world: World) -> None:
    world.push("b", run_id="5e2a7c1c-0c4c-4b3e-8f0e-0d6f0c9f5d11")
    world.feed.failures[dataset_id("b")] = RemoteRejectedError("answers 500", status=500)
    asked = []
    for _ in range(int(1.3 * HOUR / 30)):
        world.tick()
        asked.append(dataset_id("b") in world.feed.questions)
        world.feed.questions.clear()
        world.wait(30)
    times = [number for number, was_asked in enumerate(asked) if was_asked]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps[:4] == [1, 2, 4, 8]
    assert max(gaps) == 30  # 15 minutes


def test_an_import_that_is_found_running_is_asked_about_again_as_if_nothing_had_been(world: World) -> None:
    run = world.push("b")
    rows, world.feed.remote.state.rows = world.feed.remote.state.rows, []
    for _ in range(20):
        world.tick()
        world.wait(60)
    world.feed.remote.state.rows = rows
    for _ in range(20):
        world.tick()
        world.wait(60)
    cursor = ImportCursor.decode(world.cursors["sensor"])
    assert cursor is not None
    assert [item.failures for item in cursor.pending.values()] == [0]
    world.feed.end(run)
    world.tick()
    assert world.reported(run, "b") == FINISHED


@pytest.mark.parametrize(
    "error",
    [
        RemoteUnreachableError("https://cognee.example.com cannot be reached"),
        RemoteAuthError("401 wrong key", status=401),
    ],
)
def test_a_silent_remote_costs_one_question_a_tick_and_loses_nothing(world: World, error: Exception) -> None:
    runs = [world.push("a") for _ in range(5)]
    for run in runs:
        world.feed.end(run)
    assert isinstance(error, RemoteUnreachableError | RemoteAuthError)
    world.feed.failures[None] = error
    assert str(error) in world.tick().summary
    assert len(world.feed.questions) == 1
    world.tick()
    assert len(world.feed.questions) == 1
    world.feed.failures.clear()
    world.wait(301)
    world.tick()
    assert [world.reported(run) for run in runs] == [FINISHED] * 5


def test_a_remote_that_asks_for_time_is_given_it(world: World) -> None:
    world.push()
    world.feed.failures[None] = RemoteUnreachableError("429", status=429, retry_after=200)
    world.tick()
    world.wait(190)
    world.tick()
    assert len(world.feed.questions) == 1
    world.wait(20)
    world.tick()
    assert len(world.feed.questions) == 2


def test_without_a_connection_the_tick_says_so_and_keeps_what_it_knows(world: World) -> None:
    run = world.push()
    world.connect_error = NoConnectionError("No Cognee Cloud connection configured.")
    assert "No Cognee Cloud connection configured." in world.tick().summary
    world.connect_error = None
    world.feed.end(run)
    world.wait(60)
    world.tick()
    assert world.reported(run) == FINISHED


def test_a_remote_that_is_gone_for_good_does_not_leave_the_user_guessing(world: World) -> None:
    run = world.push()
    world.feed.failures[None] = RemoteUnreachableError("cannot be reached")
    world.tick()
    world.wait(UNANSWERED_AFTER_SECONDS - 60)
    world.tick()
    assert world.reported(run) == Reported()
    world.wait(400)
    world.tick()
    assert world.reported(run) == FAILED
    assert "cannot be reached" in str(world.checks()[0].description)


def test_a_push_to_another_remote_is_not_asked_about_with_this_ones_key(world: World) -> None:
    run, here = (
        world.push("a", run_id="5e2a7c1c-0c4c-4b3e-8f0e-0d6f0c9f5d11", url="https://other.example.com"),
        world.push("b"),
    )
    result = world.tick()
    assert "1 running, 1 pushed elsewhere." in result.summary
    assert "https://other.example.com" in result.summary
    assert world.feed.questions == [None]
    world.wait(7 * HOUR)
    world.feed.end(here)
    world.tick()
    assert world.reported(run) == FAILED
    assert "https://other.example.com" in str(world.checks()[0].description)


@pytest.mark.parametrize("url", ["", "https://another-name-of-the-same-server.example.com"])
def test_an_import_that_this_remote_shows_is_reported_wherever_it_was_pushed_to(world: World, url: str) -> None:
    run = world.push(url=url)
    world.feed.end(run)
    world.tick()
    assert world.reported(run) == FINISHED


def test_a_push_that_does_not_say_where_to_is_asked_about_here(world: World) -> None:
    run = world.push(url="")
    rows, world.feed.remote.state.rows = world.feed.remote.state.rows, []
    assert world.tick().summary == "1 not found yet."
    world.feed.remote.state.rows = rows
    world.feed.end(run)
    world.wait(60)
    world.tick()
    assert world.reported(run) == FINISHED


@pytest.mark.parametrize("taken_up", [True, False])
def test_an_asset_whose_events_cannot_be_read_does_not_stop_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch, taken_up: bool
) -> None:
    earlier, fine = world.push("a"), world.push("b")
    world.feed.end(earlier)
    world.tick()
    storage = world.instance.event_log_storage
    read = storage.get_asset_check_execution_history

    def fails_for_a(check_key: dg.AssetCheckKey, limit: int, cursor: int | None = None) -> object:
        if "a" in check_key.asset_key.path:
            raise RuntimeError("the database hiccups")
        return read(check_key, limit, cursor)

    broken = world.push("a")
    if taken_up:
        world.tick()
    world.feed.end(broken)
    world.feed.end(fine)
    monkeypatch.setattr(storage, "get_asset_check_execution_history", fails_for_a)
    world.wait(120)
    world.tick()
    world.tick()
    monkeypatch.undo()
    assert any("team/a/remote_push" in error for error in world.log.errors)
    world.log.errors.clear()
    assert world.reported(fine, "b") == FINISHED
    assert world.reported(broken) == Reported()
    world.wait(120)
    world.tick()
    assert world.reported(broken) == FINISHED


# Time and space


class Ticking:
    """A clock that moves on by a second whenever it is read."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        self.time += 1.0
        return self.time


def test_under_a_short_budget_every_imports_turn_comes(world: World) -> None:
    """The feed has no such runs, so that each must be asked about singly; time is for three a tick."""
    runs = [world.push("a", target=f"t{number}") for number in range(12)]
    rows, world.feed.remote.state.rows = world.feed.remote.state.rows, []
    asked: set[str | None] = set()
    for _ in range(8):
        world.tick(budget=TimeBudget(8, clock=Ticking()))
        asked |= set(world.feed.questions)
        world.wait(1)
    assert {dataset_id(f"t{number}") for number in range(12)} <= asked
    world.feed.remote.state.rows = rows
    for run in runs:
        world.feed.end(run)
    for _ in range(40):
        world.tick()
        world.wait(60)
    assert [world.reported(run) for run in runs] == [FINISHED] * 12


def test_an_answer_that_the_end_of_the_budget_cuts_off_is_no_failure_of_the_remote(world: World) -> None:
    run = world.push()
    world.feed.failures[None] = RemoteUnreachableError("the time for the whole exchange is over")
    budget = TimeBudget(40.0, clock=lambda: 100.0 * len(world.feed.questions))
    assert world.tick(budget=budget).summary == "1 not asked this time."
    world.feed.failures.clear()
    world.feed.end(run)
    world.tick()  # no pause
    assert world.reported(run) == FINISHED


def test_a_long_look_through_the_event_log_leaves_time_for_the_remote(world: World) -> None:
    names = [f"d{number:02}" for number in range(30)]
    world.keys = [push_key(name) for name in names]
    runs = [world.push(name) for name in names]
    for run in runs:
        world.feed.end(run)
    result = world.tick(budget=TimeBudget(12, clock=Ticking()))
    assert "Not all new pushes are taken up yet: time is up." in result.summary
    assert world.feed.questions == [None]
    assert result.events != []


def test_a_tick_reports_only_so_many_and_the_next_ones_the_rest(world: World) -> None:
    world.policy = WatchPolicy(reports_per_tick=2)
    runs = [world.push() for _ in range(5)]
    for run in runs:
        world.feed.end(run)
    assert world.tick().summary == "2 finished, 3 to be reported next."
    assert [world.reported(run) for run in runs] == [FINISHED] * 2 + [Reported()] * 3
    world.tick()
    assert world.tick().summary == "1 finished."
    assert [world.reported(run) for run in runs] == [FINISHED] * 5


def test_more_imports_than_the_cursor_holds_wait_in_the_event_log(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cognee_dagster.dagster.sensors.cursor.MAX_PENDING", 3)
    runs = [world.push("a" if number % 2 else "b", target="t") for number in range(10)]
    assert "3 imports are pending already" in world.tick().summary
    assert pending(world) == 3
    for run in runs:
        world.feed.end(run)
    for _ in range(6):
        world.tick()
        world.wait(60)
    assert [world.reported(run, "a" if number % 2 else "b") for number, run in enumerate(runs)] == [FINISHED] * 10
    assert pending(world) == 0


def test_hundreds_of_pending_imports_take_as_many_requests_as_their_rows_have_pages(world: World) -> None:
    names = [f"d{number}" for number in range(60)]
    world.keys = [push_key(name) for name in names]
    for number in range(600):
        world.push(names[number % 60])
    assert world.tick().summary == "600 running."
    assert len(world.feed.questions) == 2
    assert len(world.cursors["sensor"] or "") < 64_000
