"""Dagster's storage on PostgreSQL, where an event and its place in an index are two transactions."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster.dagster.event_log.import_events import AssetEvent
from cognee_dagster.dagster.sensors.scan import AUDIT_INTERVAL_SECONDS
from tests.postgres import PostgresServer
from tests.unit.alert_world import Alerts
from tests.unit.sensor_world import Reported, World, push_key

GRAPH = dg.AssetKey(["team", "a", "remote_graph"])
FINISHED = Reported(materialized=1, passed=1)
FAILED = Reported(failed=1)


@pytest.fixture
def instance(postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    url = postgres.new_database()
    (tmp_path / "dagster.yaml").write_text(
        f"telemetry: {{enabled: false}}\nstorage: {{postgres: {{postgres_url: {url}}}}}\n"
    )
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as instance:
        yield instance


@pytest.fixture
def world(instance: dg.DagsterInstance) -> Iterator[World]:
    with World(datasets=("a", "b"), instance=instance) as world:
        yield world
        assert world.log.errors == []


def _die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _write_and_die(event: AssetEvent) -> None:
    with dg.DagsterInstance.get() as instance:
        storage: Any = instance.event_log_storage
        storage.index_transaction = storage.store_asset_check_event = _die
        instance.report_runless_asset_event(event)


def written_by_a_process_that_dies_between_the_two_transactions(event: AssetEvent) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_write_and_die, args=(event,))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def in_the_index(instance: dg.DagsterInstance, key: dg.AssetKey) -> bool:
    records = instance.get_asset_records([key])
    return any(record.asset_entry.last_materialization_storage_id is not None for record in records)


def test_a_report_of_which_only_the_event_was_written_is_not_written_again(world: World) -> None:
    run = world.push()
    world.feed.end(run)
    materialization, _ = world.evaluate().events
    written_by_a_process_that_dies_between_the_two_transactions(materialization)
    assert not in_the_index(world.instance, GRAPH)
    for _ in range(3):
        world.tick()
    assert world.reported(run) == FINISHED


def test_a_report_of_which_only_the_event_was_written_is_known_when_the_cursor_is_lost(world: World) -> None:
    run = world.push()
    world.feed.end(run)
    materialization, check = world.evaluate().events
    world.instance.report_runless_asset_event(check)
    written_by_a_process_that_dies_between_the_two_transactions(materialization)
    assert not in_the_index(world.instance, GRAPH)
    for _ in range(2):
        world.cursors.clear()
        world.tick()
        world.tick()
    assert world.reported(run) == FINISHED


def test_a_failed_check_that_its_list_does_not_show_is_written_there_once(world: World) -> None:
    run = world.push()
    world.feed.end(run, error="RuntimeError")
    (check,) = world.evaluate().events
    written_by_a_process_that_dies_between_the_two_transactions(check)
    assert world.reported(run) == Reported()
    for _ in range(3):
        world.tick()
    assert world.reported(run) == FAILED


def test_a_push_of_which_only_the_event_was_written_is_found(world: World) -> None:
    world.tick()
    run, shown = world.feed.start("a"), world.push("b")
    written_by_a_process_that_dies_between_the_two_transactions(
        dg.AssetMaterialization(
            push_key("a"),
            metadata={
                "status": "started",
                "mode": "preserve",
                "target_dataset": "a",
                "pipeline_run_id": run,
                "cognee/remote_url": world.feed.remote.url,
            },
        )
    )
    assert not in_the_index(world.instance, push_key("a"))
    world.feed.end(run)
    for _ in range(3):  # the watermark passes the push
        world.wait(120)
        world.push("b", run_id=shown)
        world.tick()
    assert world.reported(run) == Reported()
    world.wait(AUDIT_INTERVAL_SECONDS)
    world.tick()
    assert world.reported(run) == FINISHED


def test_failures_are_told_once(world: World) -> None:
    alerts = Alerts(world.instance, world.keys, now=time.time())
    alerts.tick()
    job = dg.define_asset_job("push", [push_key("b")])

    @dg.asset(key=push_key("b"))
    def remote_push() -> None:
        raise RuntimeError("no space left")

    definitions = dg.Definitions(assets=[remote_push], jobs=[job])
    expected = []
    for _ in range(3):
        run = world.push("a")
        world.feed.end(run, error="RuntimeError")
        world.tick()
        result = definitions.resolve_job_def("push").execute_in_process(instance=world.instance, raise_on_error=False)
        expected += [f"import {run}", f"push {result.run_id} team/b/remote_push"]
        alerts.ticks(4)
    assert sorted(alerts.ids) == sorted(expected)
    assert {failure.reason for failure in alerts.told if failure.kind == "push"} == {"RuntimeError: no space left"}
