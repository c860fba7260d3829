"""Automation: a push when the graph has changed and only then, and what follows an import and only a finished one."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import networkx as nx
import pytest

from cognee_dagster import (
    CogneeAssetProps,
    CogneeDataset,
    CogneeTranslator,
    CogxArchiveIOManager,
    RemoteTarget,
    build_dataset_assets,
    build_definitions,
    promoted_from,
    require_imported,
)
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import NO_RETRY, people

pytestmark = [pytest.mark.filterwarnings(f"ignore::dagster.{kind}") for kind in ("PreviewWarning", "BetaWarning")]


PEOPLE_GRAPH = dg.AssetKey(["people", "remote_graph"])


@dataclass
class Automated:
    """A graph file, its chain, and a daemon that a test plays."""

    remote: FakeRemote
    directory: Path
    instance: dg.DagsterInstance
    options: dict[str, Any] = field(default_factory=lambda: {"push_when_changed": True, "cron_schedule": "@daily"})
    more: dg.Definitions = field(default_factory=dg.Definitions)
    cursor: Any = None

    @property
    def dataset(self) -> CogneeDataset:
        return CogneeDataset(
            name="people", graph=self.directory / "people.graphml", retry_policy=NO_RETRY, **self.options
        )

    @property
    def definitions(self) -> dg.Definitions:
        ours = build_definitions(
            [self.dataset],
            remote=self.remote.resource(max_attempts=1),
            archives=CogxArchiveIOManager(base_directory=str(self.directory / "archives")),
        )
        return dg.Definitions.merge(self.more, ours)

    def write(self, *, size: int) -> None:
        nx.write_graphml(people(size=size), self.directory / "people.graphml")

    def run(self, job: str, *keys: dg.AssetKey, succeeds: bool = True) -> None:
        found = self.definitions.resolve_job_def(job)
        selection = list(keys) or None
        ended = found.execute_in_process(instance=self.instance, asset_selection=selection, raise_on_error=succeeds)
        assert ended.success == succeeds

    def tick(self) -> list[str]:
        """What the automation asks for; it is run at once, in one run, as the daemon would."""
        defs = self.definitions
        asked = dg.evaluate_automation_conditions(defs, self.instance, cursor=self.cursor)
        self.cursor = asked.cursor
        keys = [key for key in defs.resolve_asset_graph().get_all_asset_keys() if asked.get_num_requested(key)]
        if keys:
            self.run("__ASSET_JOB", *keys)
        return sorted(key.path[-1] for key in keys)


@pytest.fixture
def automated(remote: FakeRemote, tmp_path: Path) -> Iterator[Automated]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Automated(remote=remote, directory=tmp_path, instance=instance)


@pytest.mark.parametrize("observe_graph", [False, True])
def test_a_graph_is_pushed_when_it_has_changed_and_only_then(
    automated: Automated, remote: FakeRemote, observe_graph: bool
) -> None:
    automated.options["observe_graph"] = observe_graph
    assert automated.tick() == []
    automated.write(size=2)
    automated.run("look_at_people")
    assert automated.tick() == ["cogx_archive", "remote_push"]
    assert (automated.tick(), automated.tick()) == ([], [])
    automated.run("look_at_people")  # finds the same
    assert automated.tick() == []
    automated.write(size=3)
    automated.run("look_at_people")
    assert automated.tick() == ["cogx_archive", "remote_push"]
    assert (automated.tick(), automated.tick()) == ([], [])
    assert len(remote.uploads) == 2
    assert len(remote.graph("people").nodes) == 3


def test_a_graph_that_was_there_before_is_pushed_as_soon_as_it_is_automated(automated: Automated) -> None:
    automated.write(size=2)
    automated.run("look_at_people")
    assert automated.tick() == ["cogx_archive", "remote_push"]


def test_the_schedule_looks_and_does_no_more(automated: Automated, remote: FakeRemote) -> None:
    (schedule,) = automated.definitions.get_repository_def().schedule_defs
    assert schedule.job_name == "look_at_people"
    automated.write(size=2)
    automated.run("look_at_people")
    assert remote.uploads == []


def test_the_sensor_that_makes_it_happen_is_on_and_shared() -> None:
    one, other = (
        build_definitions([CogneeDataset(name=name, graph=f"{name}.graphml", push_when_changed=True)])
        for name in ("one", "other")
    )
    repository = dg.Definitions.merge(
        one, other, build_definitions([CogneeDataset(name="by_hand")])
    ).get_repository_def()
    (sensor,) = [it for it in repository.sensor_defs if it.name == "cognee_automation_sensor"]
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert sensor.asset_selection is not None
    found = sensor.asset_selection.resolve(repository.asset_graph)
    assert {key.to_user_string() for key in found} == {
        f"{name}/{last}" for name in ("one", "other") for last in ("cogx_archive", "remote_push")
    }


def hourly(**options: Any) -> dg.Definitions:
    """A chain whose graph has a condition, as a translator gives it one."""
    dataset = CogneeDataset(name="people", graph="people.graphml", translator=_Hourly())
    return build_definitions([dataset], **options)


class _Hourly(CogneeTranslator):
    """Looks at each graph every hour."""

    def get_asset_spec(self, props: CogneeAssetProps) -> dg.AssetSpec:
        spec = super().get_asset_spec(props)
        condition = dg.AutomationCondition.on_cron("@hourly")
        return spec.replace_attributes(automation_condition=condition) if props.kind == "cognified_graph" else spec


def evaluated(defs: dg.Definitions) -> dict[str, set[str]]:
    """What each sensor that runs from the start evaluates the conditions of."""
    repository = defs.get_repository_def()
    return {
        sensor.name: {key.to_user_string() for key in sensor.asset_selection.resolve(repository.asset_graph)}
        for sensor in repository.sensor_defs
        if isinstance(sensor, dg.AutomationConditionSensorDefinition)
        and sensor.default_status is dg.DefaultSensorStatus.RUNNING
    }


def test_a_condition_of_any_origin_is_evaluated_from_the_start() -> None:
    """Of a translator, of a target, and of Definitions that were changed afterwards, where there is the sensor."""
    promoted = RemoteTarget("prod", promote_from="staging", automation_condition=promoted_from("staging"))
    catalogue = build_definitions(
        [CogneeDataset(name="catalogue", targets=[RemoteTarget("staging", target_dataset="staging"), promoted])]
    )
    late = build_definitions([CogneeDataset(name="late")]).map_asset_specs(
        func=lambda spec: spec.replace_attributes(automation_condition=dg.AutomationCondition.eager())
    )
    everything = dg.Definitions.merge(hourly(), catalogue, late)
    (keys,) = evaluated(everything).values()
    of_late = {f"late/{kind}" for kind in ("cognified_graph", "cogx_archive", "remote_push")}
    assert keys - {"late/remote_graph"} == {"people/cognified_graph", "catalogue/prod/remote_push", *of_late}
    assert evaluated(build_definitions([CogneeDataset(name="by_hand")])) == {}


def test_a_sensor_of_the_users_evaluates_all_where_ours_is_left_out() -> None:
    """Two sensors over one asset would be refused by Dagster."""
    everything = dg.AutomationConditionSensorDefinition(
        "mine", target=dg.AssetSelection.all(), default_status=dg.DefaultSensorStatus.RUNNING
    )
    mine = dg.Definitions(sensors=[everything])
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="'cognee_automation_sensor'"):
        dg.Definitions.merge(mine, hourly()).get_repository_def()
    (found,) = evaluated(dg.Definitions.merge(mine, hourly(automation_sensor=False))).items()
    assert found[0] == "mine"
    assert "people/cognified_graph" in found[1]


def test_datasets_of_a_sensor_of_the_users_are_left_to_it_while_others_have_ours() -> None:
    waiting = build_definitions([CogneeDataset(name="waiting", push_when_changed=True)])
    both = dg.Definitions.merge(hourly(automation_sensor=False), waiting)
    assert evaluated(both) == {"cognee_automation_sensor": {"waiting/cogx_archive", "waiting/remote_push"}}


def test_of_several_targets_one_may_wait_for_changes(automated: Automated, remote: FakeRemote) -> None:
    automated.options = {
        "targets": [
            RemoteTarget("staging", target_dataset="staging", push_when_changed=True),
            RemoteTarget("production", target_dataset="production"),
        ]
    }
    automated.write(size=2)
    automated.run("push_all_datasets")
    automated.tick()
    automated.write(size=3)
    automated.run("__ASSET_JOB", automated.dataset.graph_key)
    automated.tick()
    assert [len(remote.graph(name).nodes) for name in ("staging", "production")] == [3, 2]


def test_two_conditions_are_refused() -> None:
    with pytest.raises(DatasetDefinitionError, match="push_when_changed is a condition, too"):
        CogneeDataset(name="people", push_when_changed=True, automation_condition=dg.AutomationCondition.eager())


# What follows an import


def follower(condition: Any, graph: dg.AssetKey = PEOPLE_GRAPH) -> Any:
    @dg.asset(deps=[graph], automation_condition=condition)
    def search_index() -> None: ...

    return search_index


def test_what_requires_an_import_waits_while_a_newer_one_is_under_way(automated: Automated) -> None:
    """Every tick's condition alone would run it at any time."""
    automated.options = {}
    cron: Any = ~dg.AutomationCondition.in_progress()
    automated.more = dg.Definitions(assets=[follower(cron & require_imported())])
    push, graph = automated.dataset.push_key, automated.dataset.remote_graph_key

    def made(key: dg.AssetKey) -> list[str]:
        automated.instance.report_runless_asset_event(dg.AssetMaterialization(key))
        return automated.tick()

    assert automated.tick() == []  # nothing was imported yet
    assert made(push) == []
    assert made(graph) == ["search_index"]
    assert made(push) == []
    assert automated.tick() == []
    assert made(graph) == ["search_index"]


def test_a_push_in_the_foreground_is_imported_at_once(automated: Automated) -> None:
    automated.options = {}
    eager: Any = dg.AutomationCondition.eager()
    automated.more = dg.Definitions(assets=[follower(eager & require_imported())])
    automated.write(size=2)
    assert automated.tick() == []
    automated.run("push_all_datasets")
    assert automated.tick() == ["search_index"]


@pytest.mark.parametrize("translator", [None, CogneeTranslator(dataset_in_names=True)], ids=["plain", "named"])
def test_what_follows_an_import_waits_while_the_newest_push_has_failed(
    automated: Automated, remote: FakeRemote, translator: CogneeTranslator | None
) -> None:
    automated.options = {"sync": "full", "translator": translator}
    at_any_time: Any = ~dg.AutomationCondition.in_progress()
    graph = automated.dataset.remote_graph_key
    automated.more = dg.Definitions(assets=[follower(at_any_time & require_imported(), graph)])
    automated.write(size=2)
    automated.run("push_all_datasets")
    assert automated.tick() == ["search_index"]
    time.sleep(1.1)  # Dagster's storage dates checks by the second, and leaves those before the materialization out
    remote.fail_next_import()
    automated.run("push_all_datasets", succeeds=False)
    assert automated.tick() == []
    automated.run("push_all_datasets")
    assert automated.tick() == ["search_index"]


# Graphs that are built outside


def test_an_observed_graph_is_never_materialized_and_no_job_would(automated: Automated, remote: FakeRemote) -> None:
    automated.options = {"observe_graph": True}
    automated.write(size=2)
    automated.run("push_all_datasets")
    assert len(remote.graph("people").nodes) == 2
    assert automated.instance.get_latest_materialization_event(automated.dataset.graph_key) is None
    automated.run("__ASSET_JOB", automated.dataset.graph_key)
    (record,) = automated.instance.fetch_observations(automated.dataset.graph_key, limit=5).records
    assert record.asset_observation is not None
    assert record.asset_observation.metadata["num_nodes"].value == 2
    assert record.asset_observation.tags["dagster/data_version"]


@pytest.mark.parametrize(
    "source", [{"documents": ["*.md"]}, {"graph": dg.AssetKey("graph")}, {"archive": "people.cogx"}]
)
def test_what_this_chain_makes_is_not_observed(source: dict[str, Any]) -> None:
    with pytest.raises(DatasetDefinitionError, match="observe_graph=True cannot be used"):
        CogneeDataset(name="people", observe_graph=True, **source)


# Freshness


@pytest.mark.parametrize("given", [26, dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=26))])
def test_a_remote_graph_says_how_old_it_may_be(given: Any) -> None:
    assets = build_dataset_assets(CogneeDataset(name="people", freshness_policy=given))
    policies = {spec.key.path[-1]: spec.freshness_policy for asset in assets for spec in asset.specs}
    assert policies.pop("remote_graph") == dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=26))
    assert set(policies.values()) == {None}


@pytest.mark.parametrize("given", [0, -1, True, "26", 1e9])
def test_a_freshness_that_makes_no_sense_is_refused(given: Any) -> None:
    with pytest.raises(DatasetDefinitionError, match=r"freshness_policy=.*a number of hours"):
        CogneeDataset(name="people", freshness_policy=given)
