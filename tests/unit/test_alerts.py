"""Every failure is told once: whatever raises, dies, ticks twice at once or comes late."""

import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest

from cognee_dagster import PushFailure
from cognee_dagster.dagster.event_log import failed_checks
from cognee_dagster.dagster.sensors import alert_cursor
from cognee_dagster.dagster.sensors.alert_cursor import MAX_OPEN, AlertCursor, Mark, OpenFailure
from cognee_dagster.dagster.sensors.alert_journal import AlertJournal
from cognee_dagster.dagster.sensors.budget import TimeBudget
from cognee_dagster.dagster.sensors.packed import MAX_BYTES
from cognee_dagster.dagster.sensors.policies import COMMITTED_AFTER_SECONDS
from tests.unit.alert_world import WEBSERVER, Alerts
from tests.unit.sensor_world import World, push_key

WEEK = 7 * 86_400.0


@pytest.fixture
def world() -> Iterator[World]:
    with World(datasets=("a", "b", "c")) as world:
        yield world
    assert world.log.errors == []


@pytest.fixture
def alerts(world: World) -> Iterator[Alerts]:
    alerts = Alerts(world.instance, world.keys, now=world.feed.now)
    yield alerts
    assert alerts.log.errors == []


def failed(world: World, dataset: str = "a", *, error: str = "RuntimeError") -> str:
    """An import that failed and was reported; its id."""
    run = world.push(dataset)
    world.feed.end(run, error=error)
    world.tick()
    world.tick()
    return f"import {run}"


def about(evaluation: dg.AssetCheckEvaluation, import_id: str) -> dg.AssetCheckEvaluation:
    """The same of another import."""
    return dg.AssetCheckEvaluation(
        asset_key=evaluation.asset_key,
        check_name=evaluation.check_name,
        passed=evaluation.passed,
        metadata={**evaluation.metadata, "pipeline_run_id": import_id},
    )


# What is told


def test_the_advice_is_not_said_with_the_reason_too(world: World, alerts: Alerts) -> None:
    alerts.tick()
    failed(world, error="RuntimeError")
    alerts.tick()
    (failure,) = alerts.told
    assert failure.reason.endswith("the import failed with RuntimeError: the server's log says why.")
    assert failure.advice == "Mend that, then push again."


def test_a_failed_import_is_told_with_all_that_helps(world: World, alerts: Alerts) -> None:
    alerts.tick()
    failure_id = failed(world, error="AbandonedPipelineRunError")
    run = failure_id.split()[1]
    assert alerts.tick().summary == "1 alerted."
    (failure,) = alerts.told
    assert (failure.id, failure.kind, failure.state) == (failure_id, "import", "failed")
    assert (failure.dataset, failure.target_dataset, failure.remote_url) == ("a", "a", world.feed.remote.url)
    assert (failure.pipeline_run_id, failure.push_asset) == (run, "team/a/remote_push")
    url = world.feed.remote.url
    assert failure.reason == (
        f"Import {run} into dataset 'a' on {url}: the import failed with AbandonedPipelineRunError: the server died or "
        "was restarted while it imported."
    )
    assert failure.advice == "Push again: what is there already is kept."
    assert failure.error == "AbandonedPipelineRunError"
    assert failure.dagster_url == f"{WEBSERVER}/assets/team/a/remote_push"  # a test's push has no run
    assert failure.remote_run_url is not None
    assert failure.remote_run_url.startswith(f"{url}/api/v1/activity/pipeline-runs?dataset_id=")
    assert failure.title == f"Cognee import of a into a on {url} failed"
    for part in (failure.reason, failure.advice, run, str(failure.dagster_url)):
        assert part in failure.text
    assert alerts.tick().summary == "No failure is to be alerted."


def test_a_stalled_import_is_told(world: World, alerts: Alerts) -> None:
    run = world.push()
    world.wait(world.policy.stalled_after + 60)
    world.tick()
    alerts.now += world.policy.stalled_after + 60
    alerts.tick()
    assert [(failure.id, failure.state) for failure in alerts.told] == [(f"import {run}", "stalled")]
    assert alerts.told[0].advice


def test_an_import_whose_dataset_is_gone_is_told(world: World, alerts: Alerts) -> None:
    world.push()
    world.feed.delete("a")
    world.tick()
    alerts.tick()
    assert "the remote dataset was deleted" in alerts.told[0].reason
    assert alerts.told[0].advice == "Push again to create it."


def test_what_ended_well_or_was_made_good_is_not_told(world: World, alerts: Alerts) -> None:
    done, older = world.push("a"), world.push("b")
    newer = world.push("b")
    for run in (done, newer):
        world.feed.end(run)
    world.tick()
    world.feed.end(older, error="RuntimeError")
    world.tick()
    world.tick()
    assert world.reported(older, "b").observed == 1
    alerts.ticks(5)
    assert alerts.told == []


def test_failures_of_assets_that_are_not_watched_are_not_told(world: World, alerts: Alerts) -> None:
    alerts.watched = [push_key("b")]
    failed(world, "a")
    ours = failed(world, "b")
    alerts.ticks(3)
    assert alerts.ids == [ours]


# Once


def test_each_failure_is_told_once_however_often_the_sensor_ticks(world: World, alerts: Alerts) -> None:
    expected = []
    for number in range(9):
        expected.append(failed(world, "abc"[number % 3]))
        alerts.ticks(2)
        world.wait(60)
    alerts.ticks(10)
    assert alerts.ids == expected


def test_a_check_that_is_executed_after_the_report_tells_nothing_anew(world: World, alerts: Alerts) -> None:
    failed(world)
    alerts.ticks(6)
    world.instance.report_runless_asset_event(world.checks()[0])
    alerts.ticks(6)
    assert len(alerts.told) == 1


def test_two_checks_of_one_import_in_one_tick_tell_it_once(world: World, alerts: Alerts) -> None:
    failed(world)
    world.instance.report_runless_asset_event(world.checks()[0])
    alerts.ticks(6)
    assert len(alerts.told) == 1


def test_a_check_that_was_planned_before_another_one_and_evaluated_after_it_is_not_passed_by(
    world: World, alerts: Alerts
) -> None:
    """Dagster gives a check its place when its run begins, and fills it in at the end."""
    first = failed(world, "a")
    (evaluation,) = world.checks("a")
    instance = dg.DagsterInstance.ephemeral()
    alerts.instance = instance
    key = dg.AssetCheckKey(evaluation.asset_key, evaluation.check_name)

    @dg.asset_check(asset=key.asset_key, name=key.name)
    def check() -> dg.AssetCheckResult:
        raise NotImplementedError

    defs = dg.Definitions(assets=[dg.AssetSpec(key.asset_key)], asset_checks=[check])
    run = instance.create_run_for_job(defs.resolve_implicit_global_asset_job_def())
    (planned,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
    assert planned.event is None or planned.event.dagster_event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION
    instance.report_runless_asset_event(about(evaluation, "another"))
    alerts.ticks(6)
    assert alerts.ids == ["import another"]
    event = dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.ASSET_CHECK_EVALUATION.value,
        job_name=run.job_name,
        event_specific_data=evaluation,
    )
    instance.report_dagster_event(event, run_id=run.run_id)
    alerts.ticks(6)
    assert alerts.ids == ["import another", first]


def test_a_row_that_becomes_visible_after_a_later_one_is_not_passed_by(
    world: World, alerts: Alerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database hands out ids before it commits."""
    alerts.tick()
    late, early = failed(world, "a"), failed(world, "b")
    key = dg.AssetCheckKey(dg.AssetKey(["team", "a", "remote_graph"]), "remote_import_succeeded")
    storage = world.instance.event_log_storage
    read = storage.get_latest_asset_check_execution_by_key
    with monkeypatch.context() as hidden:
        hidden.setattr(
            storage,
            "get_latest_asset_check_execution_by_key",
            lambda keys: {found: record for found, record in read(keys).items() if found != key},
        )
        alerts.ticks(2, every=COMMITTED_AFTER_SECONDS / 2)
    assert alerts.ids == [early]
    alerts.ticks(2)
    assert alerts.ids == [early, late]


def test_a_failed_run_that_becomes_visible_after_a_later_one_is_not_passed_by() -> None:
    mark = Mark().moved(10, now=1_000)
    assert (mark.upto, mark.seen) == (0, 10)
    assert mark.moved(12, now=1_000 + COMMITTED_AFTER_SECONDS - 1) == mark
    mark = mark.moved(12, now=1_000 + COMMITTED_AFTER_SECONDS)
    assert (mark.upto, mark.seen) == (10, 12)
    assert mark.moved(13, now=500).upto == 12  # the clock was put back
    assert mark.moved(11, now=2_000).upto == 11  # there was no room or time for what comes behind it


# The function raises


def test_a_failure_for_which_the_function_raises_is_told_again_and_the_others_are_not(
    world: World, alerts: Alerts
) -> None:
    alerts.tick()
    first, bad, last = (failed(world, dataset) for dataset in "abc")
    broken = True

    def answer(failure: PushFailure) -> None:
        if broken and failure.id == bad:
            raise ConnectionError("no route to the mail server")

    alerts.answer = answer
    said = alerts.tick().summary
    assert said == (
        "2 alerted, 1 to be tried again. "
        "on_failure raised ConnectionError: no route to the mail server; see the sensor's log."
    )
    assert len(alerts.log.errors) == 1
    assert alerts.tick().summary.startswith("1 to be tried again.")  # not yet
    alerts.now += 60
    alerts.tick()
    assert sorted(alerts.ids) == sorted([first, bad, last, bad])
    broken = False
    alerts.now += 3_600
    assert alerts.tick().summary == "1 alerted."
    alerts.ticks(5)
    assert sorted(alerts.ids) == sorted([first, last, bad, bad, bad])
    alerts.log.errors.clear()


def test_an_asynchronous_function_is_awaited(world: World, alerts: Alerts) -> None:
    alerts.tick()
    told = failed(world)
    awaited: list[str] = []

    async def answer(failure: PushFailure) -> None:
        awaited.append(failure.id)

    alerts.answer = answer
    assert alerts.tick().summary == "1 alerted."
    assert awaited == [told]


def iter_of_runs() -> Iterator[dg.RunRequest]:
    yield dg.RunRequest()


@pytest.mark.parametrize(("returned", "kind"), [(lambda: [dg.RunRequest()], "list"), (iter_of_runs, "generator")])
def test_runs_that_are_returned_in_a_way_that_launches_none_are_said_to_be_lost(
    world: World, alerts: Alerts, returned: Any, kind: str
) -> None:
    alerts.tick()
    failed(world)
    alerts.answer = lambda failure: returned()
    assert f"on_failure raised TypeError: on_failure returned a {kind}: return one" in alerts.tick().summary
    alerts.log.errors.clear()


def test_a_function_that_raises_is_left_alone_longer_each_time(world: World, alerts: Alerts) -> None:
    def answer(failure: PushFailure) -> None:
        raise RuntimeError

    alerts.answer = answer
    failed(world)
    alerts.ticks(12 * 12, every=300.0)  # twelve hours
    assert 12 * 4 <= len(alerts.told) <= 12 * 4 + 6
    alerts.log.errors.clear()


# The process dies


def test_what_was_told_before_the_daemon_died_is_not_told_by_the_next_tick(world: World, alerts: Alerts) -> None:
    alerts.tick()
    ids = [failed(world, dataset) for dataset in "abc"]

    def answer(failure: PushFailure) -> None:
        if failure.id == ids[2]:
            raise KeyboardInterrupt  # not an Exception: the tick ends here

    alerts.answer = answer
    with pytest.raises(KeyboardInterrupt):
        alerts.tick()
    assert alerts.ids == ids
    alerts.answer = lambda failure: None
    alerts.ticks(5)
    assert alerts.ids == [*ids, ids[2]]


def test_a_call_that_could_not_be_noted_is_repeated_with_the_same_id(
    world: World, alerts: Alerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts.tick()
    failure_id = failed(world)

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(AlertJournal, "write", dies)
        with pytest.raises(KeyboardInterrupt):
            alerts.tick()
    alerts.ticks(5)
    assert alerts.ids == [failure_id, failure_id]


def test_what_is_noted_is_forgotten_once_a_cursor_says_so(world: World, alerts: Alerts) -> None:
    alerts.tick()
    journal = AlertJournal(world.instance, sensor="location/repository/alerts")
    for dataset in "abc":
        failed(world, dataset)
        alerts.tick()
        assert len(journal.read()) == 1


def test_a_tick_that_begins_while_another_one_still_calls_does_nothing(world: World, alerts: Alerts) -> None:
    """Dagster gives a tick up after 60 s and begins the next one, but does not end the first."""
    alerts.tick()
    failure_id = failed(world)
    called, go_on = threading.Event(), threading.Event()

    def answer(failure: PushFailure) -> None:
        called.set()
        assert go_on.wait(30)

    alerts.answer = answer
    slow = threading.Thread(target=alerts.evaluate)
    slow.start()
    assert called.wait(30)
    cursor = alerts.cursor
    assert alerts.tick().summary.startswith("An earlier tick is still calling on_failure")
    assert alerts.cursor == cursor
    go_on.set()
    slow.join(30)
    alerts.ticks(3)
    assert alerts.ids == [failure_id]


def test_a_tick_calls_nothing_more_when_its_time_is_over(world: World, alerts: Alerts) -> None:
    alerts.tick()
    ids = [failed(world, dataset) for dataset in "abc"]
    seconds = 0.0

    def answer(failure: PushFailure) -> None:
        nonlocal seconds
        seconds += 25.0

    alerts.answer = answer
    said = alerts.tick(budget=TimeBudget(40.0, clock=lambda: seconds)).summary
    assert said == "2 alerted, 1 still open."
    alerts.ticks(2)
    assert alerts.ids == ids


# Launching a run


def request_run(failure: PushFailure) -> dg.RunRequest:
    return dg.RunRequest(run_config=dg.RunConfig(ops={"tell": failure}), tags={"team": "data"})


def launch(world: World, request: dg.RunRequest, *, sensor: str = "alerts") -> None:
    """What the daemon does with a run request."""
    job = dg.JobDefinition(name="tell", graph_def=dg.GraphDefinition("tell"))
    tags = {"dagster/run_key": str(request.run_key), "dagster/sensor_name": sensor}
    world.instance.create_run_for_job(job, tags=tags)


def test_a_run_is_asked_for_by_the_failures_id_until_it_is_seen(world: World, alerts: Alerts) -> None:
    """What "Commit tick result" does in Dagster's UI: it keeps the cursor and launches nothing."""
    alerts.tick()
    failure_id = failed(world)
    alerts.answer = request_run
    for _ in range(3):
        (request,) = alerts.tick().requests
        assert (request.run_key, request.tags) == (failure_id, {"team": "data"})
    launch(world, request, sensor="another")
    (request,) = alerts.tick().requests
    launch(world, request)
    for _ in range(5):
        assert alerts.tick().requests == []
        alerts.now += 30
    assert alerts.memory.open == ()


def test_a_run_that_was_asked_for_gets_the_failure_as_its_config(world: World, alerts: Alerts) -> None:
    seen: list[PushFailure] = []

    @dg.op
    def tell(config: PushFailure) -> None:
        seen.append(config)

    @dg.job
    def tell_job() -> None:
        tell()

    failed(world)
    alerts.answer = request_run
    (request,) = alerts.tick().requests
    assert tell_job.execute_in_process(run_config=request.run_config).success
    assert seen == alerts.told


# The first tick, and lost cursors


def test_the_first_tick_tells_no_failure_that_is_older_than_the_window(world: World, alerts: Alerts) -> None:
    failed(world, "a")
    world.wait(7_200)
    recent = failed(world, "b")
    alerts.now += 7_300
    alerts.ticks(4)
    assert alerts.ids == [recent]
    soon = failed(world, "c")
    alerts.ticks(4)
    assert alerts.ids == [recent, soon]


def test_without_a_window_the_first_tick_tells_what_comes_after_it(world: World, alerts: Alerts) -> None:
    alerts.look_back = 0.0
    failed(world, "a")
    alerts.now += 1
    alerts.ticks(4)
    assert alerts.told == []
    soon = failed(world, "b")
    alerts.ticks(4)
    assert alerts.ids == [soon]


@pytest.mark.parametrize("text", ["", "1:", "1:~~~", "2:abc", "nonsense", "1:" + "0" * 100])
def test_a_cursor_that_cannot_be_read_is_as_none(world: World, alerts: Alerts, text: str) -> None:
    failure_id = failed(world)
    alerts.cursor = text
    alerts.ticks(3)
    assert alerts.ids == [failure_id]


def test_a_writers_clock_that_is_a_week_behind_loses_nothing(world: World, alerts: Alerts) -> None:
    alerts.tick()
    world.sensors_clock = -WEEK
    failure_id = failed(world)
    alerts.ticks(4)
    assert alerts.ids == [failure_id]


def test_two_alert_sensors_tell_each_what_it_watches(world: World, alerts: Alerts) -> None:
    other = Alerts(world.instance, world.keys, now=world.feed.now, name="others")
    failure_id = failed(world)
    for sensor in (alerts, other, alerts, other):
        sensor.tick()
    assert (alerts.ids, other.ids) == ([failure_id], [failure_id])


# Bounds


def test_a_flood_is_told_to_the_last_one_and_each_once(
    world: World, alerts: Alerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_cursor, "MAX_OPEN", 4)
    monkeypatch.setattr(alert_cursor, "MAX_TAKEN_UP", 5)
    monkeypatch.setattr(alert_cursor, "MAX_TOLD", 15)
    alerts.tick()
    failed(world)
    (evaluation,) = world.checks()
    for number in range(40):
        world.instance.report_runless_asset_event(about(evaluation, f"run {number}"))
    for _ in range(45):
        alerts.tick()
        alerts.now += 25
        assert len(alerts.memory.open) <= 4
    assert len(alerts.ids) == len(set(alerts.ids)) == 41


def test_after_a_long_pause_each_tick_gets_further_however_little_time_it_has(
    world: World, alerts: Alerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts.tick()
    failures = [failed(world, dataset) for dataset in ("a", "b", "c", "a")]
    monkeypatch.setattr(failed_checks, "_ROWS_AT_ONCE", 1)
    alerts.now += COMMITTED_AFTER_SECONDS + 1
    alerts.tick(budget=TimeBudget(0.0))
    found = [len(alerts.memory.open)]
    for _ in range(8):
        alerts.now += COMMITTED_AFTER_SECONDS + 1
        alerts.tick(budget=TimeBudget(0.0))
        found.append(len(alerts.memory.open))
    assert found[0] < len(failures)
    assert found[-1] == len(failures)
    alerts.tick()
    assert sorted(alerts.ids) == sorted(failures)


def test_a_full_cursor_fits_into_its_column() -> None:
    cursor = AlertCursor().with_told(alert_cursor.digest_of(str(uuid4())) for _ in range(alert_cursor.MAX_TOLD))
    cursor = cursor.with_open(
        OpenFailure(
            asset_key=f"team/graphs/{uuid4().hex}/remote_push",
            run_id=str(uuid4()),
            found_at=1_800_000_000 + 37 * number,
            attempts=number % 12,
            again_at=1_800_000_000 + 97 * number,
        )
        for number in range(MAX_OPEN)
    )
    assert len(cursor.encode()) <= MAX_BYTES
    assert AlertCursor.decode(cursor.encode()) == cursor
    assert cursor.room == 0
