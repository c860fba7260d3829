"""The sensor as Dagster sees it, over HTTP against the fake remote."""

from pathlib import Path

import dagster as dg
import pytest

from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.definitions import build_definitions
from cognee_dagster.dagster.resources import REMOTE_RESOURCE, CogneeRemote
from cognee_dagster.dagster.sensors.budget import TimeBudget
from cognee_dagster.dagster.sensors.import_sensor import _connect, build_import_sensor
from cognee_dagster.dagster.sensors.watched import probes_in
from cognee_dagster.errors import RemoteUnreachableError
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import RUNS, drip

PUSH = dg.AssetKey(["team", "people", "remote_push"])
GRAPH = dg.AssetKey(["team", "people", "remote_graph"])
KEY = "planted-marker-key"


class Dagster:
    """An instance, and the daemon's part of a tick."""

    def __init__(self, directory: Path, remote: FakeRemote, sensor: dg.SensorDefinition) -> None:
        self.instance = dg.DagsterInstance.local_temp(str(directory))
        self.remote = remote
        self.sensor = sensor
        self.cursor: str | None = None

    def push(self, dataset: str = "people") -> str:
        run = self.remote.add_run(dataset)
        metadata = {
            "status": "started",
            "pipeline_run_id": run,
            "target_dataset": dataset,
            "cognee/remote_url": self.remote.url,
            "cognee/remote_dataset_id": self.remote.dataset(dataset).id,
        }
        self.instance.report_runless_asset_event(dg.AssetMaterialization(PUSH, metadata=metadata))
        return run

    def tick(self, *, api_key: str | None = None) -> list[str]:
        """Evaluates, writes; what was said, and which events were written."""
        resource = CogneeRemote(url=self.remote.url, api_key=api_key or self.remote.api_key)
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, resources={REMOTE_RESOURCE: resource}
        ) as context:
            result = self.sensor.evaluate_tick(context)
        for event in result.asset_events:
            self.instance.report_runless_asset_event(event)
        self.cursor = result.cursor
        return [str(result.skip_message), *(type(event).__name__ for event in result.asset_events)]


@pytest.fixture
def dagster(tmp_path: Path, remote: FakeRemote) -> Dagster:
    return Dagster(tmp_path, remote, build_import_sensor([PUSH]))


def test_it_runs_from_the_start_and_has_a_name_of_its_own() -> None:
    sensor = build_import_sensor([PUSH])
    assert sensor.name == "cognee_import_sensor"
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert sensor.minimum_interval_seconds == 30


def test_it_watches_datasets_by_their_push_assets(tmp_path: Path, remote: FakeRemote) -> None:
    dagster = Dagster(tmp_path, remote, build_import_sensor([CogneeDataset(name="people", key_prefix="team")]))
    dagster.push()
    assert dagster.tick() == ["1 running."]


def test_an_import_is_followed_through_a_restart_of_the_server(dagster: Dagster, remote: FakeRemote) -> None:
    run = dagster.push()
    assert dagster.tick() == ["1 running."]
    remote.kill()
    said = dagster.tick()
    assert len(said) == 1
    assert f"1 not asked this time. {remote.url}" in said[0]
    remote.start()
    remote.add_run("people", state="COMPLETED", run_id=run)
    dagster.cursor = None  # or its backoff would have to be waited for
    assert dagster.tick() == ["1 finished.", "AssetMaterialization", "AssetCheckEvaluation"]
    assert dagster.tick() == ["No import is pending."]


def test_a_run_that_the_server_closes_as_abandoned_fails(dagster: Dagster, remote: FakeRemote) -> None:
    dagster.push()
    remote.close_abandoned_runs()
    assert dagster.tick() == ["1 failed.", "AssetCheckEvaluation"]


def test_a_wrong_key_is_told_and_told_nowhere_itself(dagster: Dagster, caplog: pytest.LogCaptureFixture) -> None:
    dagster.push()
    said = dagster.tick(api_key=KEY)
    assert "The API key is not one of this instance's" in said[0]
    assert KEY not in said[0]
    assert KEY not in caplog.text
    assert KEY not in str(dagster.cursor)


def test_the_resource_resolves_its_environment_variables(
    dagster: Dagster, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resource that the sensor closed over would send the variable's name as the key."""
    monkeypatch.setenv("THE_KEY", remote.api_key)
    dagster.push()
    assert dagster.tick(api_key=dg.EnvVar("THE_KEY")) == ["1 running."]


@pytest.mark.timeout(30)
def test_an_answer_takes_no_longer_than_what_is_left_of_the_budget(remote: FakeRemote) -> None:
    passed = 0.0
    budget = TimeBudget(1_000.0, clock=lambda: passed)
    with _connect(CogneeRemote(url=remote.url, api_key=remote.api_key), budget, probes_in(None)) as asked:
        passed = 999.7  # of the 400 s that an answer may take otherwise, 0.3 are left
        remote.faults.on(RUNS, drip(0.2))
        with pytest.raises(RemoteUnreachableError):
            asked.feed.runs()
        assert asked.feed.runs() == []


def test_the_resource_can_have_another_name(tmp_path: Path, remote: FakeRemote) -> None:
    sensor = build_import_sensor([PUSH], remote_resource_key="staging")
    dg.Definitions(
        assets=[dg.AssetSpec(PUSH)], sensors=[sensor], resources={"staging": CogneeRemote()}
    ).get_repository_def()
    with dg.build_sensor_context(
        instance=dg.DagsterInstance.local_temp(str(tmp_path)),
        resources={"staging": CogneeRemote(url=remote.url, api_key=remote.api_key)},
    ) as context:
        assert sensor.evaluate_tick(context).skip_message == "No import is pending."


def test_an_old_server_without_paging_is_asked_all_the_same(tmp_path: Path) -> None:
    """Before 1.5.4 the feed is the newest 50 rows, without outcomes."""
    with FakeRemote("1.4.2") as old:
        dagster = Dagster(tmp_path, old, build_import_sensor([PUSH]))
        run = dagster.push()
        assert dagster.tick() == ["1 running."]
        old.add_run("people", state="COMPLETED", run_id=run)
        assert dagster.tick() == ["1 finished.", "AssetMaterialization", "AssetCheckEvaluation"]


@pytest.mark.parametrize("own", [True, False], ids=["its own sensor", "the shared one"])
def test_its_page_lists_the_graphs_that_it_reports_and_no_others(own: bool) -> None:
    here, elsewhere = CogneeDataset(name="here"), CogneeDataset(name="elsewhere", remote="other_remote")
    gone = dg.AssetKey(["gone", "remote_push"])
    sensor = build_import_sensor([here, gone]) if own else None
    defs = build_definitions([here, elsewhere], remotes={"other_remote": CogneeRemote()}, import_sensor=sensor)
    found = defs.get_repository_def().get_sensor_def("cognee_import_sensor").asset_selection
    assert found is not None
    assert found.resolve(defs.resolve_asset_graph()) == {here.remote_graph_key}
