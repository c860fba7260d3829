"""Staging and production in one code location: each remote has its own resource, pool, import sensor and checks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import networkx as nx
import pytest

from cognee_dagster import (
    CogneeDataset,
    CogneeRemote,
    CogxArchiveIOManager,
    RemoteTarget,
    build_definitions,
    build_import_sensor,
)
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import NO_RETRY, materialized, people

REMOTES = ("staging", "production")
SENSORS = {"staging": "cognee_import_sensor_staging", "production": "cognee_import_sensor_production"}


@dataclass
class Location:
    """One graph that goes to two remotes, and the daemon's part of their sensors' ticks."""

    servers: dict[str, FakeRemote]
    directory: Path
    options: dict[str, Any] = field(default_factory=dict)
    cursors: dict[str, str | None] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)  # by the last tick of each call of ``tick``

    def __post_init__(self) -> None:
        (self.directory / "dagster").mkdir()
        self.instance = dg.DagsterInstance.local_temp(str(self.directory / "dagster"))
        nx.write_graphml(people(), self.directory / "people.graphml")
        self.definitions = build_definitions(
            [self.dataset(remote) for remote in REMOTES],
            remotes={name: server.resource(max_attempts=1) for name, server in self.servers.items()},
            archives=CogxArchiveIOManager(base_directory=str(self.directory / "archives")),
        )

    def dataset(self, remote: str) -> CogneeDataset:
        fields = {"graph": str(self.directory / "people.graphml"), "retry_policy": NO_RETRY, **self.options}
        return CogneeDataset(name="people", key_prefix=remote, remote=remote, **fields)

    def push(self) -> dg.ExecuteInProcessResult:
        return self.definitions.resolve_job_def("push_all_datasets").execute_in_process(
            instance=self.instance, raise_on_error=False
        )

    def tick(self, remote: str) -> list[dg.AssetKey]:
        """Of which assets the remote's sensor reports something; waits until the fake's imports have ended."""
        name = SENSORS[remote]
        sensor = self.definitions.resolve_sensor_def(name)
        while True:
            with dg.build_sensor_context(
                instance=self.instance,
                cursor=self.cursors.get(name),
                definitions=self.definitions,
                resources=self.definitions.resources,
            ) as context:
                result = sensor.evaluate_tick(context)
            for event in result.asset_events:
                self.instance.report_runless_asset_event(event)
            self.cursors[name] = result.cursor
            if "running" not in str(result.skip_message):
                self.said.append(str(result.skip_message))
                return [event.asset_key for event in result.asset_events if event.asset_key]

    def imports(self, remote: str) -> list[str]:
        """To which server went what was reported as imported."""
        records = self.instance.fetch_materializations(self.dataset(remote).remote_graph_key, limit=10).records
        found = [record.asset_materialization for record in records]
        return [str(event.metadata["cognee/remote_url"].value) for event in found if event is not None]


@pytest.fixture
def servers() -> Iterator[dict[str, FakeRemote]]:
    with FakeRemote() as staging, FakeRemote() as production:
        yield {"staging": staging, "production": production}


def test_a_graph_goes_to_two_remotes_and_each_import_is_reported_once_by_its_own_sensor(
    servers: dict[str, FakeRemote], tmp_path: Path
) -> None:
    location = Location(servers, tmp_path, {"run_in_background": True})
    with servers["staging"].hold_imports(), servers["production"].hold_imports():
        assert location.push().success
    for remote in REMOTES:
        graph_key = location.dataset(remote).remote_graph_key
        assert location.tick(remote) == [graph_key, graph_key]  # the graph and its check
    for remote in REMOTES:
        assert location.tick(remote) == []
    assert location.said == ["1 finished."] * 2 + ["No import is pending."] * 2
    for remote in REMOTES:
        assert location.imports(remote) == [servers[remote].url]
        assert len(servers[remote].graph("people").nodes) == 3


def test_a_remote_that_is_down_concerns_its_own_datasets_only(servers: dict[str, FakeRemote], tmp_path: Path) -> None:
    location = Location(servers, tmp_path)
    servers["production"].kill()
    result = location.push()
    assert not result.success
    assert materialized(result).count("remote_graph") == 1
    assert location.imports("staging") == [servers["staging"].url]
    assert location.imports("production") == []


def test_each_remote_has_its_own_pool_resource_and_tag(servers: dict[str, FakeRemote], tmp_path: Path) -> None:
    location = Location(servers, tmp_path)
    graph = location.definitions.resolve_asset_graph()
    for remote in REMOTES:
        push = location.definitions.resolve_assets_def(location.dataset(remote).push_key)
        assert push.op.pool == remote
        assert push.op.required_resource_keys & {*REMOTES, "cognee_remote"} == {remote}
        chain = dg.AssetSelection.from_string(f'tag:"cognee/remote"="{remote}"').resolve(graph)
        assert {key.path[0] for key in chain} == {remote}


@pytest.mark.parametrize("check", ["remote_import_succeeded", "remote_graph_complete", "remote_in_sync"])
def test_a_check_asks_the_remote_of_its_dataset(servers: dict[str, FakeRemote], tmp_path: Path, check: str) -> None:
    location = Location(servers, tmp_path, {"verify": "graph"})
    assert location.push().success
    servers["production"].kill()
    answers = {}
    for remote in REMOTES:
        key = dg.AssetCheckKey(location.dataset(remote).remote_graph_key, check)
        job = dg.define_asset_job("ask", selection=dg.AssetSelection.checks(key))
        asking = dg.Definitions.merge(location.definitions, dg.Definitions(jobs=[job])).resolve_job_def("ask")
        (evaluation,) = asking.execute_in_process(instance=location.instance).get_asset_check_evaluations()
        answers[remote] = (evaluation.passed, "could not be asked" in str(evaluation.description))
    assert answers == {"staging": (True, False), "production": (False, True)}


def test_the_default_remote_is_bound_where_a_dataset_is_pushed_there() -> None:
    staging = CogneeDataset(name="a", graph="a.graphml", remote="staging")
    remotes = {"staging": CogneeRemote(url="https://staging.example.com")}
    assert "cognee_remote" not in (build_definitions([staging], remotes=remotes).resources or {})
    both = build_definitions([staging, CogneeDataset(name="b", graph="b.graphml")], remotes=remotes)
    assert {"cognee_remote", "staging"} <= set(both.resources or {})
    assert {sensor.name for sensor in both.sensors or []} == {"cognee_import_sensor", SENSORS["staging"]}


def test_a_remote_may_be_bound_elsewhere_and_one_that_is_nowhere_is_named() -> None:
    alone = build_definitions([CogneeDataset(name="a", graph="a.graphml", remote="staging")])
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="'staging'"):
        dg.Definitions.validate_loadable(alone)
    dg.Definitions.validate_loadable(
        dg.Definitions.merge(alone, dg.Definitions(resources={"staging": CogneeRemote(url="https://s.example.com")}))
    )


def test_an_import_sensor_over_datasets_of_another_remote_is_refused() -> None:
    dataset = CogneeDataset(name="a", remote="staging")
    with pytest.raises(
        DatasetDefinitionError, match=r"asks 'cognee_remote', and the dataset 'a' is pushed to 'staging'"
    ):
        build_import_sensor([dataset])
    assert build_import_sensor([dataset], remote_resource_key="staging").required_resource_keys == {"staging"}


@pytest.mark.parametrize("remote", ["", "a b", "local_cognee", "cogx_archives", CogneeRemote(url="https://x")])
def test_a_remote_that_is_no_resource_key_is_refused(remote: Any) -> None:
    with pytest.raises(DatasetDefinitionError, match=r"'a': remote=.*cannot be used"):
        CogneeDataset(name="a", remote=remote)


@pytest.mark.parametrize("key", ["local_cognee", "cogx_archives"])
def test_a_remote_under_the_key_of_another_resource_is_refused(key: str) -> None:
    with pytest.raises(
        DatasetDefinitionError, match=f"remotes\\['{key}'\\] cannot be used: that is the key of another"
    ):
        build_definitions([CogneeDataset(name="people")], remotes={key: CogneeRemote(url="https://a.example.com")})


@pytest.mark.parametrize("url", [None, ""])
def test_a_named_remote_whose_address_came_out_empty_is_not_looked_for_elsewhere(url: str | None) -> None:
    dataset = CogneeDataset(name="people", remote="production")
    with pytest.raises(DatasetDefinitionError, match="url of the remote 'production' is empty"):
        build_definitions([dataset], remotes={"production": CogneeRemote(url=url)})
    with pytest.raises(DatasetDefinitionError, match="api_key of the remote 'production' is empty"):
        build_definitions([dataset], remotes={"production": CogneeRemote(url="https://a.example.com", api_key=url)})
    build_definitions([dataset], remotes={"production": CogneeRemote()})
    build_definitions([CogneeDataset(name="people")], remote=CogneeRemote(url=url))


@pytest.mark.parametrize(("other", "is_same"), [("https://A.example.com/", True), ("https://b.example.com", False)])
def test_two_targets_of_one_server_and_dataset_are_refused_whatever_their_remotes_are_called(
    other: str, is_same: bool
) -> None:
    dataset = CogneeDataset(name="people", targets=[RemoteTarget("x", remote="one"), RemoteTarget("y", remote="two")])
    remotes = {"one": CogneeRemote(url="https://a.example.com"), "two": CogneeRemote(url=other)}
    if not is_same:
        build_definitions([dataset], remotes=remotes)
        return
    with pytest.raises(
        DatasetDefinitionError, match="'x' and 'y' of 'people' are both the dataset 'people' of one server"
    ):
        build_definitions([dataset], remotes=remotes)


def test_of_two_remotes_whose_urls_a_variable_will_say_nothing_is_said() -> None:
    variable: Any = dg.EnvVar
    dataset = CogneeDataset(name="people", targets=[RemoteTarget("x", remote="one"), RemoteTarget("y", remote="two")])
    build_definitions([dataset], remotes={key: CogneeRemote(url=variable("URL")) for key in ("one", "two")})
