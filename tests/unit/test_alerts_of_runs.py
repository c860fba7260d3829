"""A push that failed for good is told once, with its cause; one that is tried again, or was canceled, is not."""

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster import CogneeDataset, Probe, PushFailure, build_alert_sensor
from cognee_dagster.dagster.event_log.failed_runs import FailedRunLog
from cognee_dagster.dagster.event_log.pushes import Push
from cognee_dagster.dagster.keys import PIPELINE_RUN_ID
from cognee_dagster.dagster.sensors import alert_cursor
from cognee_dagster.dagster.sensors.alert_tick import RETRIED_SECONDS
from cognee_dagster.testing import FakeRemote, faults
from tests.asset_chain import NO_RETRY, Chain, attempts
from tests.unit.alert_world import WEBSERVER, Alerts
from tests.unit.test_assets_verify import lose_a_node

PUSH = dg.AssetKey(["people", "remote_push"])


@pytest.fixture
def chain(remote: FakeRemote, tmp_path: Path) -> Chain:
    return Chain(
        remote=remote,
        directory=tmp_path,
        options={"retry_policy": NO_RETRY},
        instance=dg.DagsterInstance.local_temp(str(tmp_path)),
    )


@pytest.fixture
def alerts(chain: Chain) -> Iterator[Alerts]:
    alerts = Alerts(chain.instance, [PUSH], now=datetime.now(timezone.utc).timestamp())
    yield alerts
    assert alerts.log.errors == []


class Retries:
    """What Dagster's daemon does where run retries are switched on."""

    def __init__(self, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
        self._instance = instance
        monkeypatch.setattr(type(instance), "run_retries_enabled", True)
        monkeypatch.setattr(type(instance), "add_run_tags", lambda *_: None)  # written a moment after the failure
        self._patch = monkeypatch

    def say(self, run_id: str, **tags: str) -> None:
        self._patch.undo()
        self._instance.add_run_tags(run_id, {f"dagster/{name}": value for name, value in tags.items()})
        self._patch.setattr(type(self._instance), "run_retries_enabled", True)


@pytest.fixture
def retries(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> Retries:
    return Retries(chain.instance, monkeypatch)


def test_a_push_that_failed_for_good_is_told_with_all_that_helps(
    chain: Chain, alerts: Alerts, remote: FakeRemote
) -> None:
    alerts.tick()
    remote.fail_next_import("RuntimeError")
    run_id = chain.run().run_id
    assert alerts.tick().summary == "1 alerted."
    (failure,) = alerts.told
    assert failure.id == f"push {run_id} people/remote_push"
    assert (failure.kind, failure.state, failure.dataset) == ("push", "failed", "people")
    assert (failure.target_dataset, failure.remote_url) == ("people", remote.url)
    assert (failure.dagster_run_id, failure.dagster_url) == (run_id, f"{WEBSERVER}/runs/{run_id}")
    assert failure.error is not None
    assert failure.error.endswith("Error")
    assert failure.reason
    assert failure.advice
    assert failure.title == f"Cognee push of people into people on {remote.url} failed"
    alerts.ticks(6)
    assert len(alerts.told) == 1


def test_a_push_that_failed_after_its_import_had_begun_is_told_with_that_import(
    chain: Chain, alerts: Alerts, remote: FakeRemote
) -> None:
    remote.pace.import_seconds = 1.0  # so that its run is seen before its end
    remote.fail_next_import("RuntimeError")
    chain.run()
    alerts.tick()
    (failure,) = alerts.told
    assert failure.pipeline_run_id == remote.runs[0]["pipeline_run_id"]


def test_a_push_that_deleted_something_after_its_import_had_begun_is_told_with_that_import() -> None:
    """Of a graph in several archives, a later one may bring documents that replace others."""

    @dg.asset(key=PUSH)
    def remote_push(context: dg.AssetExecutionContext) -> None:
        for import_run in ("run-1", None):
            context.log_event(dg.AssetObservation(PUSH, metadata={PIPELINE_RUN_ID: import_run}))
        raise RuntimeError("the second archive did not arrive")

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([remote_push], instance=instance, raise_on_error=False)
        failed = FailedRunLog(instance).run(result.run_id)
    assert failed is not None
    assert failed.import_run(PUSH) == "run-1"


def test_an_unreachable_remote_is_told_with_its_error(chain: Chain, alerts: Alerts, remote: FakeRemote) -> None:
    remote.kill()
    chain.run()
    alerts.tick()
    (failure,) = alerts.told
    assert failure.error == "RemoteUnreachableError"
    assert failure.remote_url == remote.url


def test_a_step_that_succeeds_when_it_is_tried_again_is_not_told(
    chain: Chain, alerts: Alerts, remote: FakeRemote
) -> None:
    chain.options["retry_policy"] = dg.RetryPolicy(max_retries=1)
    remote.faults.on("/api/v1/remember", faults.answer(503))
    result = chain.run()
    assert result.success
    assert attempts(result, "remote_push") == 2
    alerts.ticks(4)
    assert alerts.told == []


def test_a_step_that_used_up_its_retries_is_told_once(chain: Chain, alerts: Alerts, remote: FakeRemote) -> None:
    chain.options["retry_policy"] = dg.RetryPolicy(max_retries=2)
    remote.kill()
    chain.run()
    alerts.ticks(4)
    assert len(alerts.told) == 1


def test_a_step_before_the_push_that_failed_is_named(chain: Chain, alerts: Alerts) -> None:
    chain.graph = None
    run_id = chain.run().run_id
    alerts.tick()
    (failure,) = alerts.told
    assert failure.id == f"push {run_id} people/remote_push"
    assert failure.reason.startswith("Step people__c")
    assert " failed before it." in failure.reason


def test_a_run_that_ended_without_a_failed_step_is_told(chain: Chain, alerts: Alerts) -> None:
    """A worker that was killed, as Dagster's run monitoring finds it."""
    definitions = dg.Definitions(
        assets=chain.assets, resources=chain.resources, jobs=[dg.define_asset_job("push", [PUSH])]
    )
    run = chain.instance.create_run_for_job(definitions.resolve_job_def("push"))
    chain.instance.report_run_failed(run, message="Run worker process 123 unexpectedly exited.")
    alerts.ticks(4)
    assert [failure.reason for failure in alerts.told] == ["Run worker process 123 unexpectedly exited."]
    assert alerts.told[0].advice == "See the run's log in Dagster, then materialize remote_push again."


def test_a_push_that_a_newer_one_has_made_good_is_not_told(chain: Chain, alerts: Alerts, remote: FakeRemote) -> None:
    """As after a night in which the sensor was off."""
    remote.faults.on("/api/v1/remember", faults.answer(400))
    assert not chain.run().success
    assert chain.run().success
    alerts.ticks(4)
    assert alerts.told == []


def test_a_push_after_which_another_remote_dataset_was_pushed_to_is_told(
    chain: Chain, alerts: Alerts, remote: FakeRemote
) -> None:
    remote.faults.on("/api/v1/remember", faults.answer(400))
    failed = chain.run().run_id
    assert chain.run(config={"target_dataset": "elsewhere"}).success
    alerts.ticks(4)
    assert alerts.ids == [f"push {failed} people/remote_push"]


def test_a_push_that_was_begun_before_another_one_failed_does_not_make_that_good(
    chain: Chain, alerts: Alerts, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ended later, and may have sent an older graph."""
    remote.faults.on("/api/v1/remember", faults.answer(400))
    failed = chain.run().run_id
    assert chain.run().success
    monkeypatch.setattr(Push, "seconds", 3_600.0)
    alerts.ticks(4)
    assert alerts.ids == [f"push {failed} people/remote_push"]


def test_a_push_that_failed_after_one_that_succeeded_is_told(chain: Chain, alerts: Alerts, remote: FakeRemote) -> None:
    assert chain.run().success
    remote.kill()
    failed = chain.run().run_id
    alerts.ticks(4)
    assert alerts.ids == [f"push {failed} people/remote_push"]


def test_a_canceled_run_is_not_told(chain: Chain, alerts: Alerts) -> None:
    definitions = dg.Definitions(
        assets=chain.assets, resources=chain.resources, jobs=[dg.define_asset_job("push", [PUSH])]
    )
    run = chain.instance.create_run_for_job(definitions.resolve_job_def("push"))
    chain.instance.report_run_canceled(run)
    alerts.ticks(4)
    assert alerts.told == []


def test_runs_that_were_not_to_push_are_not_told(chain: Chain, alerts: Alerts) -> None:
    chain.graph = None
    chain.run("cognified_graph")

    @dg.asset
    def other() -> None:
        raise RuntimeError

    dg.materialize([other], instance=chain.instance, raise_on_error=False)
    alerts.ticks(4)
    assert alerts.told == []


def test_what_the_sensor_said_of_a_push_that_went_through_is_told_as_an_imports_failure(
    chain: Chain, alerts: Alerts, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A foreground import that lacks something: one failure, although its step may fail, too."""
    lose_a_node(remote, monkeypatch)
    chain.options.update(verify="graph", fail_on_incomplete=True)
    result = chain.run()
    assert not result.success
    alerts.ticks(4)
    (failure,) = alerts.told
    assert (failure.kind, failure.state) == ("import", "incomplete")
    assert "1 node is missing on the remote" in failure.reason
    assert failure.dagster_run_id == result.run_id
    assert chain.check("remote_graph_complete").passed is False
    alerts.ticks(4)
    assert len(alerts.told) == 1  # the check speaks of the same import


@pytest.mark.parametrize("check", ["remote_graph_complete", "remote_in_sync"])
def test_a_graph_that_is_found_incomplete_later_is_told(
    chain: Chain, alerts: Alerts, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch, check: str
) -> None:
    chain.options["verify"] = "graph"
    assert chain.run().success
    lose_a_node(remote, monkeypatch)
    chain.check(check)
    alerts.ticks(4)
    (failure,) = alerts.told
    assert (failure.state, failure.target_dataset, failure.dataset) == ("incomplete", "people", "people")
    assert failure.pipeline_run_id


def test_a_graph_that_has_no_answer_to_a_probe_is_told_and_one_that_only_warns_is_not(
    chain: Chain, alerts: Alerts
) -> None:
    chain.options["probes"] = [Probe("Who is Ada?", contains="Ada", severity="warn")]
    assert chain.run().success
    alerts.ticks(2)
    assert alerts.told == []
    chain.options["probes"] = [Probe("Who is Ada?", contains="Ada")]
    assert chain.run().success
    alerts.ticks(2)
    (failure,) = alerts.told
    assert (failure.state, failure.target_dataset) == ("incomplete", "people")
    assert "`Who is Ada?` does not find `Ada`" in failure.reason


def test_a_check_that_could_not_ask_is_not_told(chain: Chain, alerts: Alerts, remote: FakeRemote) -> None:
    chain.options["verify"] = "graph"
    assert chain.run().success
    remote.kill()
    for check in ("remote_graph_complete", "remote_import_succeeded", "remote_in_sync"):
        assert not chain.check(check).passed
    alerts.ticks(4)
    assert alerts.told == []


# Run retries


def test_a_run_that_is_retried_is_not_told_and_its_retry_is(
    chain: Chain, alerts: Alerts, remote: FakeRemote, retries: Retries
) -> None:
    remote.kill()
    first = chain.run().run_id
    alerts.ticks(3)  # it is not known yet whether it is retried
    retries.say(first, will_retry="true")
    alerts.ticks(3)
    assert alerts.told == []
    retries.say(first, auto_retry_run_id="other")
    second = chain.run().run_id
    retries.say(second, will_retry="false")
    alerts.ticks(8)
    assert alerts.ids == [f"push {second} people/remote_push"]


@pytest.mark.parametrize("tags", [{}, {"will_retry": "true"}])
def test_a_run_that_was_to_be_retried_and_was_not_is_told_after_an_hour(
    chain: Chain, alerts: Alerts, remote: FakeRemote, retries: Retries, tags: dict[str, str]
) -> None:
    remote.kill()
    run_id = chain.run().run_id
    retries.say(run_id, **tags)
    alerts.tick()
    alerts.now += RETRIED_SECONDS - 1
    alerts.tick()
    assert alerts.told == []
    alerts.now += 60
    alerts.ticks(3)
    assert alerts.ids == [f"push {run_id} people/remote_push"]


# As Dagster sees it


def sensor_and_definitions(chain: Chain, **more: Any) -> tuple[dg.SensorDefinition, dg.Definitions]:
    sensor = build_alert_sensor([chain.dataset], webserver_base_url=WEBSERVER, **more)
    jobs = [more["job"]] if "job" in more else []
    return sensor, dg.Definitions(assets=chain.assets, resources=chain.resources, sensors=[sensor], jobs=jobs)


def test_the_sensor_runs_from_the_start_and_tells(chain: Chain, remote: FakeRemote) -> None:
    told: list[PushFailure] = []
    sensor, definitions = sensor_and_definitions(chain, on_failure=told.append)
    dg.Definitions.validate_loadable(definitions)
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    remote.kill()
    chain.run()
    with dg.build_sensor_context(instance=chain.instance, definitions=definitions) as context:
        assert sensor.evaluate_tick(context).skip_message == "1 alerted."
    assert [failure.dataset for failure in told] == ["people"]


def test_the_sensor_launches_a_job(chain: Chain, remote: FakeRemote) -> None:
    @dg.op
    def tell(config: PushFailure) -> None: ...

    @dg.job
    def tell_job() -> None:
        tell()

    def on_failure(failure: PushFailure) -> dg.RunRequest:
        return dg.RunRequest(run_config=dg.RunConfig(ops={"tell": failure}))

    sensor, definitions = sensor_and_definitions(chain, on_failure=on_failure, job=tell_job)
    remote.kill()
    run_id = chain.run().run_id
    with dg.build_sensor_context(instance=chain.instance, definitions=definitions) as context:
        result = sensor.evaluate_tick(context)
    (request,) = result.run_requests or []
    assert request.run_key == f"push {run_id} people/remote_push"
    assert sensor.job_name == "tell_job"
    assert result.cursor


def test_datasets_and_keys_can_be_watched(chain: Chain) -> None:
    definitions = dg.Definitions(sensors=[build_alert_sensor([chain.dataset, PUSH], on_failure=lambda failure: None)])
    dg.Definitions.validate_loadable(definitions)
    assert CogneeDataset(name="people").push_key == PUSH


def test_a_run_with_more_failures_than_are_remembered_is_told_to_the_last_one_and_so_is_the_next(
    chain: Chain, alerts: Alerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, bound in (("MAX_OPEN", 4), ("MAX_TAKEN_UP", 5), ("MAX_TOLD", 15)):
        monkeypatch.setattr(alert_cursor, name, bound)
    alerts.watched = [dg.AssetKey([f"tenant{number:02}", "remote_push"]) for number in range(40)]
    alerts.tick()
    specs = [dg.AssetSpec(key) for key in alerts.watched]

    def fail(wanted: list[dg.AssetSpec]) -> str:
        @dg.multi_asset(specs=wanted)
        def push() -> Iterator[dg.MaterializeResult[Any]]:
            yield from ()

        definitions = dg.Definitions(assets=[push])
        run = chain.instance.create_run_for_job(definitions.resolve_implicit_global_asset_job_def())
        chain.instance.report_run_failed(run)
        return run.run_id

    runs = [fail(specs), fail(specs[:1])]
    alerts.ticks(80, every=25.0)
    first = [f"push {runs[0]} {key.to_user_string()}" for key in alerts.watched]
    assert alerts.ids == [*first, f"push {runs[1]} tenant00/remote_push"]


def test_failed_runs_are_read_page_by_page(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cognee_dagster.dagster.event_log.failed_runs._PAGE", 2)
    job = dg.JobDefinition(name="job", graph_def=dg.GraphDefinition("job"))
    runs = []
    for _ in range(5):
        run = chain.instance.create_run_for_job(job)
        chain.instance.report_run_failed(run)
        runs.append(run.run_id)
    log = FailedRunLog(chain.instance)
    found: list[str] = []
    position = log.since(0.0)
    while page := log.after(position):
        found += [run_id for _, run_id in page]
        position = page[-1][0]
    assert found == runs
    assert log.since(4e9) == log.newest() == position
