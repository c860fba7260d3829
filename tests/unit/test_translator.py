"""A translator says what assets are called, and everything that looks an asset up finds it under that name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
import pytest

from cognee_dagster import (
    CogneeAssetProps,
    CogneeDataset,
    CogneeRemote,
    CogneeStep,
    CogneeTranslator,
    CogxArchiveIOManager,
    PushFailure,
    RemoteTarget,
    build_alert_sensor,
    build_dataset_assets,
    build_definitions,
)
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import NO_RETRY

GRAPH = '{"nodes": [{"id": "a"}, {"id": "b"}], "links": [{"source": "a", "target": "b"}]}'


class Renamed(CogneeTranslator):
    """Nothing is called as it was, and no two keys begin alike."""

    NAMES: ClassVar = {
        "cognified_graph": "seen",
        "cogx_archive": "packed",
        "remote_push": "sent",
        "remote_graph": "served",
    }

    def get_asset_spec(self, props: CogneeAssetProps) -> dg.AssetSpec:
        name = self.NAMES[props.kind]
        which = props.target or props.spec.key.path[-2]
        return props.spec.replace_attributes(key=dg.AssetKey([name, f"{which}_{name}"]))


def definitions(tmp_path: Path, remote: FakeRemote, *names: str, **options: Any) -> dg.Definitions:
    (tmp_path / "graph.json").write_text(GRAPH)
    said = {"graph": str(tmp_path / "graph.json"), "retry_policy": NO_RETRY, "translator": Renamed(), **options}
    return build_definitions(
        [CogneeDataset(name=name, **said) for name in names or ("people",)],
        remote=CogneeRemote(url=remote.url, api_key=remote.api_key, max_attempts=1),
        archives=CogxArchiveIOManager(base_directory=str(tmp_path / "archives")),
    )


def push(defs: dg.Definitions, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return defs.resolve_job_def("push_all_datasets").execute_in_process(instance=instance, raise_on_error=False)


def tick(defs: dg.Definitions, instance: dg.DagsterInstance, name: str, cursor: str | None = None) -> Any:
    """A sensor's tick, with its events written as the daemon would."""
    repository = defs.get_repository_def()
    with dg.build_sensor_context(
        instance=instance, repository_def=repository, resources=defs.resources, cursor=cursor
    ) as context:
        found = repository.get_sensor_def(name).evaluate_tick(context)
    for event in found.asset_events:
        instance.report_runless_asset_event(event)
    return found


def test_a_chain_runs_under_the_names_that_it_was_given(tmp_path: Path, remote: FakeRemote) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = push(definitions(tmp_path, remote), instance)
    assert result.success
    made = [event.asset_key for event in result.get_asset_materialization_events()]
    assert [key.to_user_string() for key in made if key] == [
        "seen/people_seen",
        "packed/people_packed",
        "sent/people_sent",
        "served/people_served",
    ]
    assert {evaluation.asset_key.path[0] for evaluation in result.get_asset_check_evaluations()} == {
        "seen",
        "packed",
        "served",
    }
    assert len(remote.graph("people").nodes) == 2


def test_the_import_sensor_reports_the_asset_that_stands_for_the_import(tmp_path: Path, remote: FakeRemote) -> None:
    served = dg.AssetKey(["served", "people_served"])
    defs = definitions(tmp_path, remote, run_in_background=True)
    with dg.DagsterInstance.ephemeral() as instance:
        with remote.hold_imports():
            assert push(defs, instance).success
        assert instance.get_latest_materialization_event(served) is None
        events = tick(defs, instance, "cognee_import_sensor").asset_events
        assert instance.get_latest_materialization_event(served) is not None
    assert {event.asset_key for event in events} == {served}


class OtherGraph(CogneeTranslator):
    """The asset that stands for the import is called otherwise, and the push asset is not."""

    def get_asset_spec(self, props: CogneeAssetProps) -> dg.AssetSpec:
        return props.spec.replace_attributes(key="served") if props.kind == "remote_graph" else props.spec


@pytest.mark.parametrize("ends_well", [True, False])
def test_a_chain_is_called_as_its_own_definitions_say_whatever_others_the_process_has_made(
    tmp_path: Path, remote: FakeRemote, ends_well: bool
) -> None:
    defs = definitions(tmp_path, remote, translator=OtherGraph(), run_in_background=True)
    definitions(tmp_path, remote, translator=None)  # the same push asset, as another code location may have it
    with dg.DagsterInstance.ephemeral() as instance:
        if not ends_well:
            remote.fail_next_import("RuntimeError")
        with remote.hold_imports():
            assert push(defs, instance).success
        events = tick(defs, instance, "cognee_import_sensor").asset_events
    assert {event.asset_key for event in events} == {dg.AssetKey("served")}


def test_a_push_that_fails_is_told_of_the_asset_that_stands_for_its_import(tmp_path: Path, remote: FakeRemote) -> None:
    defs = definitions(tmp_path, remote, translator=OtherGraph())
    definitions(tmp_path, remote, translator=None)
    with dg.DagsterInstance.ephemeral() as instance:
        remote.fail_next_import("RuntimeError")
        assert not push(defs, instance).success
        key = dg.AssetCheckKey(dg.AssetKey("served"), "remote_import_succeeded")
        (found,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=2)
    assert found.status.value == "FAILED"


def test_a_failed_import_is_pushed_again_and_told(tmp_path: Path, remote: FakeRemote) -> None:
    told: list[PushFailure] = []
    defs = definitions(tmp_path, remote, run_in_background=True, repush_attempts=1)
    dataset = CogneeDataset(name="people", graph=str(tmp_path / "graph.json"), translator=Renamed())
    alerts = build_alert_sensor([dataset], on_failure=told.append)
    defs = dg.Definitions.merge(defs, dg.Definitions(sensors=[alerts]))
    with dg.DagsterInstance.ephemeral() as instance:
        cursor = tick(defs, instance, "cognee_alert_sensor").cursor
        remote.fail_next_import("RuntimeError")
        with remote.hold_imports():
            assert push(defs, instance).success
        tick(defs, instance, "cognee_import_sensor")
        (request,) = tick(defs, instance, "cognee_repush_sensor").run_requests
        tick(defs, instance, "cognee_alert_sensor", cursor)
    assert request.asset_selection == [dg.AssetKey(["sent", "people_sent"])]
    assert len(told) == 1


def test_a_translator_may_say_all_that_a_chain_does_not_rest_on(tmp_path: Path, remote: FakeRemote) -> None:
    class Everything(CogneeTranslator):
        def get_asset_spec(self, props: CogneeAssetProps) -> dg.AssetSpec:
            return dg.AssetSpec(
                props.spec.key,
                group_name="mine",
                owners=["team:graphs"],
                tags={"tenant": props.dataset},
                kinds={"graph"},
                description=props.kind,
                metadata={"link": "https://example.com"},
                automation_condition=dg.AutomationCondition.eager(),
                deps=["pages"],
            )

    defs = definitions(tmp_path, remote, translator=Everything(), repush_attempts=1)
    spec = next(spec for spec in defs.resolve_all_asset_specs() if spec.key.path[-1] == "remote_push")
    assert (spec.group_name, spec.owners, spec.description) == ("mine", ["team:graphs"], "remote_push")
    assert {**spec.tags, "tenant": "people", "cognee/remote": "cognee_remote"} == spec.tags
    assert spec.kinds == {"graph"}
    assert spec.automation_condition is not None
    assert set(spec.metadata) > {"link", "cognee/repush_attempts"}
    assert {dep.asset_key.to_user_string() for dep in spec.deps} == {"pages", "people/cogx_archive"}
    dg.Definitions.validate_loadable(defs)


def test_the_dataset_can_be_in_every_name_that_the_graph_shows(tmp_path: Path, remote: FakeRemote) -> None:
    translator = CogneeTranslator(dataset_in_names=True)
    defs = definitions(tmp_path, remote, "tenant_1", "tenant_2", translator=translator, key_prefix="tenants")
    shown = [key.path[-1] for key in defs.resolve_asset_graph().get_all_asset_keys()]
    assert len(set(shown)) == len(shown) == 8
    assert (
        dg.AssetKey(["tenants", "tenant_1", "tenant_1_remote_push"]) in defs.resolve_asset_graph().get_all_asset_keys()
    )


def test_each_target_has_names_of_its_own(tmp_path: Path, remote: FakeRemote) -> None:
    targets = [RemoteTarget(name="one", target_dataset="first"), RemoteTarget(name="two", target_dataset="second")]
    defs = definitions(tmp_path, remote, targets=targets)
    with dg.DagsterInstance.ephemeral() as instance:
        result = push(defs, instance)
    assert result.success
    made = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
    sent = {"sent/one_sent", "served/one_served", "sent/two_sent", "served/two_served"}
    assert made == {"seen/people_seen", "packed/people_packed", *sent}
    assert len(remote.graph("first").nodes) == len(remote.graph("second").nodes) == 2


class NamedByDataset(Renamed):
    """What a partition's dataset is called is not what the chain's is."""

    def get_asset_spec(self, props: CogneeAssetProps) -> dg.AssetSpec:
        return props.spec.replace_attributes(key=[self.NAMES[props.kind], props.dataset.strip("{}")])


def test_partitions_are_pushed_under_the_chains_names_whatever_they_are_called(
    tmp_path: Path, remote: FakeRemote
) -> None:
    (tmp_path / "eu.json").write_text(GRAPH)
    graph = str(tmp_path / "{partition}.json")
    defs = definitions(tmp_path, remote, "{partition}", graph=graph, partitions_def=["eu"], translator=NamedByDataset())
    merged = dg.Definitions.merge(defs, dg.Definitions(jobs=[dg.define_asset_job("all", selection="*")]))
    with dg.DagsterInstance.ephemeral() as instance:
        result = merged.resolve_job_def("all").execute_in_process(
            instance=instance, partition_key="eu", raise_on_error=False
        )
    assert result.success
    made = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
    assert made == {"seen/partition", "packed/partition", "sent/partition", "served/partition"}


class _Twice(CogneeTranslator):
    def get_asset_spec(self, props: CogneeAssetProps) -> dg.AssetSpec:
        return props.spec.replace_attributes(key="same")


class _Fickle(CogneeTranslator):
    def get_asset_spec(self, props: CogneeAssetProps) -> dg.AssetSpec:
        suffix = "full" if props.spec.description else "bare"
        return props.spec.replace_attributes(key=[*props.spec.key.path, suffix])


class _Partitioned(CogneeTranslator):
    def get_asset_spec(self, props: CogneeAssetProps) -> dg.AssetSpec:
        return props.spec.replace_attributes(partitions_def=dg.StaticPartitionsDefinition(["a"]))


@pytest.mark.parametrize(
    ("translator", "problem"), [(_Twice, "same"), (_Fickle, "once"), (_Partitioned, "other partitions")]
)
def test_a_translator_that_cannot_work_is_refused_where_it_is_said(
    tmp_path: Path, remote: FakeRemote, translator: type[CogneeTranslator], problem: str
) -> None:
    with pytest.raises(DatasetDefinitionError, match=problem):
        definitions(tmp_path, remote, translator=translator())


def test_a_chain_with_other_names_keeps_its_dependencies_when_its_specs_are_mapped(
    tmp_path: Path, remote: FakeRemote
) -> None:
    for needing, needed in (("packed", "seen/people_seen"), ("served", "sent/people_sent")):

        def without(spec: dg.AssetSpec, needing: str = needing) -> dg.AssetSpec:
            return spec.replace_attributes(deps=[]) if spec.key.path[0] == needing else spec

        with pytest.raises(DatasetDefinitionError, match=f"cannot do without its dependency {needed}"):
            definitions(tmp_path, remote).map_asset_specs(func=without)


def test_what_runs_around_a_step_runs_around_each(tmp_path: Path, remote: FakeRemote) -> None:
    ran: list[str] = []

    def around(context: dg.AssetExecutionContext, step: CogneeStep) -> Iterator[Any]:
        ran.append(f"{step.dataset} {step.kind}")
        yield from step.run()
        ran.append("done")

    with dg.DagsterInstance.ephemeral() as instance:
        assert push(definitions(tmp_path, remote, execute=around), instance).success
    assert ran == ["people cognified_graph", "done", "people cogx_archive", "done", "people remote_push", "done"]


def test_steps_have_the_pool_and_tags_that_the_dataset_says(tmp_path: Path, remote: FakeRemote) -> None:
    defs = definitions(tmp_path, remote, pool="graphs", op_tags={"dagster-k8s/config": {"x": 1}})
    ops = [asset.op for asset in defs.resolve_asset_graph().assets_defs if asset.is_executable and asset.keys]
    pushing = next(op for op in ops if "sent" in op.name)
    assert pushing.pool == "graphs"
    assert [op.name for op in ops if "dagster-k8s/config" not in op.tags and "served" not in op.name] == []


@pytest.mark.parametrize("partitions", [{}, {"name": "tenant_{partition}", "partitions_def": ["acme"]}])
def test_checks_that_are_executed_have_the_tags_that_the_dataset_says(partitions: dict[str, Any]) -> None:
    config = {"container_config": {"env": [{"name": "HTTPS_PROXY", "value": "http://proxy"}]}}
    said: dict[str, Any] = {"name": "people", **partitions}
    dataset = CogneeDataset(**said, verify="graph", op_tags={"dagster-k8s/config": config})
    checks = [asset.op for asset in build_dataset_assets(dataset) if isinstance(asset, dg.AssetChecksDefinition)]
    assert len(checks) == 3
    assert [op.name for op in checks if "dagster-k8s/config" not in op.tags] == []
