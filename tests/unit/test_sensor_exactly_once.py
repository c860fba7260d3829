"""Exactly one report an import: dropped events, sensors that tick together, a stale index, clocks that are off."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster.dagster.resources import REMOTE_RESOURCE, CogneeRemote
from cognee_dagster.dagster.sensors.cursor import ImportCursor
from cognee_dagster.dagster.sensors.import_sensor import build_import_sensor
from cognee_dagster.dagster.sensors.instance_lock import instance_lock
from cognee_dagster.dagster.sensors.lease import LEASE_SECONDS, ReporterLease
from cognee_dagster.dagster.sensors.scan import AUDIT_INTERVAL_SECONDS
from cognee_dagster.errors import DatasetDefinitionError
from tests.unit.sensor_world import Reported, World, push_key

FINISHED = Reported(materialized=1, passed=1)
FAILED = Reported(failed=1)
WEEK = 7 * 86_400.0


@pytest.fixture
def world() -> Iterator[World]:
    with World(datasets=("a", "b", "c")) as world:
        yield world
    assert world.log.errors == []


def pending(world: World, sensor: str = "sensor") -> int:
    cursor = ImportCursor.decode(world.cursors[sensor])
    assert cursor is not None
    return len(cursor.pending)


# Events that were dropped


def test_a_tick_whose_cursor_was_saved_and_whose_events_were_dropped_is_made_good(world: World) -> None:
    """What "Commit tick result" does in Dagster's UI (dagster#33974)."""
    done, failed = world.push("a"), world.push("b")
    for _ in range(12):  # no scan of the event log will find them again
        world.tick()
        world.wait(120)
    world.feed.end(done)
    world.feed.end(failed, error="RuntimeError")
    for _ in range(3):
        world.cursors["sensor"] = world.evaluate().cursor
    assert (world.reported(done), world.reported(failed, "b")) == (Reported(), Reported())
    world.tick()
    world.tick()
    assert (world.reported(done), world.reported(failed, "b")) == (FINISHED, FAILED)


@pytest.mark.parametrize("written", [1, 2, 3])
def test_a_tick_whose_events_were_written_in_part_is_made_good(world: World, written: int) -> None:
    runs = [world.push("a"), world.push("b")]
    for run in runs:
        world.feed.end(run)
    result = world.evaluate()
    world.write(result, dies_after=written)
    world.cursors["sensor"] = result.cursor
    world.tick()
    world.tick()
    assert [world.reported(run, dataset) for run, dataset in zip(runs, "ab", strict=True)] == [FINISHED] * 2


def test_a_failure_observed_by_a_tick_that_died_before_the_newer_success_is_not_observed_again(world: World) -> None:
    """The observation is written first, so that what is shown of the asset is the newest import."""
    failed, done = world.push("a"), world.push("a")
    world.feed.end(failed, error="RuntimeError")
    world.feed.end(done)
    world.tick(dies_after=1)
    assert (world.reported(failed), world.reported(done)) == (Reported(observed=1), Reported())
    world.tick()
    world.tick()
    assert (world.reported(failed), world.reported(done)) == (Reported(observed=1), FINISHED)


def test_an_import_leaves_the_cursor_when_its_report_is_seen_in_the_event_log(world: World) -> None:
    run = world.push()
    world.feed.end(run)
    world.tick()
    assert pending(world) == 1
    asked = len(world.feed.questions)
    assert world.tick().summary == "No import is pending."
    assert pending(world) == 0
    assert len(world.feed.questions) == asked


# Sensors over the same assets


def test_two_sensors_that_tick_at_once_report_once(world: World) -> None:
    """Neither sees in the event log what the other has just handed to Dagster."""
    done, failed = world.push("a"), world.push("b")
    world.feed.end(done)
    world.feed.end(failed, error="RuntimeError")
    for _ in range(4):
        results = {sensor: world.evaluate(sensor) for sensor in ("one", "two")}
        for sensor, result in results.items():
            world.write(result, sensor)
        world.wait(30)
    assert (world.reported(done), world.reported(failed, "b")) == (FINISHED, FAILED)
    assert (pending(world, "one"), pending(world, "two")) == (0, 0)


def test_two_sensors_share_the_reports_where_only_some_of_their_assets_are_the_same(world: World) -> None:
    runs = {dataset: world.push(dataset) for dataset in "ab"}
    for run in runs.values():
        world.feed.end(run)
    world.keys = [push_key("a")]
    one = world.evaluate("one")
    world.keys = [push_key("a"), push_key("b")]
    two = world.evaluate("two")
    assert "1 finished, 1 reported by another sensor." in two.summary
    world.write(one, "one")
    world.write(two, "two")
    assert [world.reported(run, dataset) for dataset, run in runs.items()] == [FINISHED] * 2


def test_a_sensor_that_vanished_with_its_events_is_waited_for_so_long_and_no_longer(world: World) -> None:
    run = world.push()
    world.feed.end(run)
    world.evaluate("vanished")
    world.wait(LEASE_SECONDS - 1)
    world.tick("other")
    assert world.reported(run) == Reported()
    world.wait(2)
    world.tick("other")
    assert world.reported(run) == FINISHED


def test_of_two_that_ask_at_the_same_moment_one_gets_the_lease(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = world.instance.daemon_cursor_storage
    read, both_have_read = storage.get_cursor_values, threading.Barrier(2)

    def read_together(keys: set[str]) -> Any:
        found = read(keys)
        with contextlib.suppress(threading.BrokenBarrierError):  # the other one is kept from reading: good
            both_have_read.wait(1.0)
        return found

    monkeypatch.setattr(storage, "get_cursor_values", read_together)
    granted: dict[str, set[str]] = {}

    def take(holder: str) -> None:
        granted[holder] = ReporterLease(world.instance, holder=holder, now=0.0).take({holder, "both"})

    threads = [threading.Thread(target=take, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(key for keys in granted.values() for key in keys) == ["both", "one", "two"]


@pytest.mark.parametrize("ephemeral", [False, True])
def test_a_lock_holds_for_all_who_use_the_same_instance(tmp_path: Path, ephemeral: bool) -> None:
    def make() -> dg.DagsterInstance:
        return dg.DagsterInstance.ephemeral() if ephemeral else dg.DagsterInstance.local_temp(str(tmp_path))

    with make() as one, make() as other:
        with instance_lock(one, "x") as held, instance_lock(other, "x", wait=False) as also:
            assert (held, also) == (True, False)
            with instance_lock(other, "y", wait=False) as different:
                assert different
        with instance_lock(other, "x", wait=False) as free:
            assert free


def test_a_lease_taken_by_a_clock_that_is_ahead_holds_nobody_up(world: World) -> None:
    assert ReporterLease(world.instance, holder="ahead", now=WEEK).take({"x"}) == {"x"}
    assert ReporterLease(world.instance, holder="right", now=0.0).take({"x"}) == {"x"}


@pytest.mark.parametrize("later", [0.001, 60.0])
def test_a_tick_that_began_first_and_came_to_the_lock_second_gets_no_lease(world: World, later: float) -> None:
    assert ReporterLease(world.instance, holder="first at the lock", now=later).take({"x"}) == {"x"}
    assert ReporterLease(world.instance, holder="began first", now=0.0).take({"x"}) == set()


def test_a_lease_is_given_back_by_its_holder_only(world: World) -> None:
    one, two = (ReporterLease(world.instance, holder=name, now=0.0) for name in ("one", "two"))
    assert one.take({"x"}) == {"x"}
    two.give_back({"x"})
    assert two.take({"x"}) == set()
    one.give_back({"x"})
    assert two.take({"x"}) == {"x"}


def test_the_second_import_sensor_over_an_asset_of_one_code_location_is_refused(tmp_path: Path) -> None:
    sensors = [
        build_import_sensor([push_key("a"), push_key("b")], name="one"),
        build_import_sensor([push_key("b"), push_key("c")], name="two"),
        build_import_sensor([push_key("d")], name="three"),
    ]
    definitions = dg.Definitions(
        assets=[dg.AssetSpec(push_key(name)) for name in "abcd"],
        sensors=sensors,
        resources={REMOTE_RESOURCE: CogneeRemote()},
    )
    with dg.build_sensor_context(
        instance=dg.DagsterInstance.local_temp(str(tmp_path)),
        definitions=definitions,
        resources={REMOTE_RESOURCE: CogneeRemote()},
    ) as context:
        for fine in (sensors[0], sensors[2]):
            assert fine.evaluate_tick(context).skip_message == "No import is pending."
        with pytest.raises(DatasetDefinitionError, match="'one' and 'two' both watch team/b/remote_push"):
            sensors[1].evaluate_tick(context)


# The index of assets, which Dagster writes after the event


@pytest.fixture
def stale_index(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    """From now on the index shows no materialization of these assets."""

    def hide(*keys: dg.AssetKey) -> None:
        storage = world.instance.event_log_storage
        read = storage.get_asset_records

        def without(asset_keys: Any = None) -> Any:
            return [record for record in read(asset_keys) if record.asset_entry.asset_key not in keys]

        monkeypatch.setattr(storage, "get_asset_records", without)

    return hide


def test_a_report_that_the_index_of_assets_does_not_show_is_not_repeated(world: World, stale_index: Any) -> None:
    run = world.push()
    world.feed.end(run)
    world.tick(dies_after=1)
    stale_index(dg.AssetKey(["team", "a", "remote_graph"]))
    for _ in range(3):
        world.tick()
    assert world.reported(run) == FINISHED


def test_a_push_that_the_index_of_assets_does_not_show_is_found_by_the_audit(world: World, stale_index: Any) -> None:
    world.tick()
    lost, shown = world.push("a"), world.push("b")
    world.feed.end(lost)
    stale_index(push_key("a"))
    world.wait(120)
    for _ in range(3):  # the watermark passes the push
        world.push("b", run_id=shown)
        world.tick()
        world.wait(120)
    assert world.reported(lost) == Reported()
    world.wait(AUDIT_INTERVAL_SECONDS)
    world.tick()
    assert world.reported(lost) == FINISHED


# Clocks


@pytest.mark.parametrize("pushers_clock", [-WEEK, -86_401.0, 86_401.0, WEEK, 60 * WEEK])
@pytest.mark.parametrize("error", [None, "RuntimeError"])
def test_a_push_clock_that_is_off_repeats_nothing(world: World, pushers_clock: float, error: str | None) -> None:
    world.pushers_clock = pushers_clock
    run = world.push()
    world.feed.end(run, error=error)
    for _ in range(5):
        world.tick()
        world.wait(30)
    world.cursors.clear()
    world.tick()
    assert world.reported(run) == (FAILED if error else FINISHED)


def test_a_push_from_the_future_is_as_old_as_our_knowledge_of_it(world: World) -> None:
    world.pushers_clock = WEEK
    run = world.push()
    world.tick()
    world.wait(7 * 3600)
    assert world.tick().summary == "1 stalled."
    assert world.reported(run) == FAILED


@pytest.mark.parametrize("sensors_clock", [-WEEK, WEEK])
def test_a_sensors_clock_that_was_off_and_is_put_right_repeats_nothing(world: World, sensors_clock: float) -> None:
    world.sensors_clock = sensors_clock
    early = world.push()
    world.feed.end(early, error="RuntimeError")
    for _ in range(3):
        world.tick()
        world.wait(30)
    world.sensors_clock = 0.0
    late = world.push()
    world.feed.end(late, error="RuntimeError")
    for _ in range(3):
        world.tick()
        world.wait(120)
    world.cursors.clear()
    world.tick()
    assert (world.reported(early), world.reported(late)) == (FAILED, FAILED)
