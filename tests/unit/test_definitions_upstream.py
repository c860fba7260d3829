"""What a graph is made of runs before it, in every job and schedule; partitions are refused or run alone."""

from pathlib import Path
from typing import Any

import dagster as dg
import networkx as nx
import pytest

from cognee_dagster import CogneeDataset, CogxArchiveIOManager, build_dataset_assets, build_definitions
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import NO_RETRY, materialized, people

PARTITIONS = dg.StaticPartitionsDefinition(["x", "y"])


@dg.asset
def extract() -> None: ...


def location(dataset: CogneeDataset, *assets: Any, remote: FakeRemote | None = None, directory: Path) -> dg.Definitions:
    return dg.Definitions.merge(
        dg.Definitions(assets=list(assets)),
        build_definitions(
            [dataset],
            remote=remote.resource() if remote else None,
            archives=CogxArchiveIOManager(base_directory=str(directory / "archives")),
        ),
    )


def test_a_schedule_runs_what_writes_the_graph_file_before_it_is_read(remote: FakeRemote, tmp_path: Path) -> None:
    """The file is not there until the asset in ``deps`` has run."""
    file = tmp_path / "people.graphml"

    @dg.asset(deps=[extract])
    def export() -> dg.MaterializeResult[None]:
        nx.write_graphml(people(), file)
        return dg.MaterializeResult(data_version=dg.DataVersion("7"))

    dataset = CogneeDataset(name="people", graph=file, deps=[export], cron_schedule="@daily", retry_policy=NO_RETRY)
    defs = location(dataset, extract, export, remote=remote, directory=tmp_path)
    (schedule,) = defs.get_repository_def().schedule_defs
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def(schedule.job_name).execute_in_process(instance=instance)
        assert materialized(result) == [
            "extract",
            "export",
            "cognified_graph",
            "cogx_archive",
            "remote_push",
            "remote_graph",
        ]
        event = instance.get_latest_materialization_event(dataset.graph_key)
    assert event is not None
    assert event.asset_materialization is not None
    assert (event.asset_materialization.tags or {})["dagster/input_data_version/export"] == "7"


@pytest.mark.parametrize("job", ["push_all_datasets", "push_people"])
def test_nothing_is_read_where_a_dependency_fails(job: str, tmp_path: Path) -> None:
    @dg.asset
    def export() -> None:
        raise dg.Failure("not today", allow_retries=False)

    dataset = CogneeDataset(name="people", graph=tmp_path / "people.graphml", deps=["export"], cron_schedule="@daily")
    defs = location(dataset, export, directory=tmp_path)
    result = defs.resolve_job_def(job).execute_in_process(raise_on_error=False)
    failed = [event.step_key for event in result.all_events if event.is_step_failure]
    assert failed == ["export"]


@pytest.mark.parametrize(
    ("deps", "keys"),
    [
        ([dg.AssetKey(["team", "raw"])], [["team", "raw"]]),
        (["team/raw", "raw"], [["team", "raw"], ["raw"]]),
        ([extract, dg.AssetSpec("raw"), extract], [["extract"], ["raw"]]),
    ],
)
def test_dependencies_are_keys_assets_or_specs(deps: Any, keys: list[list[str]]) -> None:
    dataset = CogneeDataset(name="people", documents=["*.md"], deps=deps)
    assert [key.path for key in dataset.deps] == keys
    graph = build_definitions([dataset]).resolve_asset_graph()
    assert graph.get(dataset.graph_key).parent_keys == {dg.AssetKey(path) for path in keys}


@pytest.mark.parametrize("deps", ["raw", dg.AssetKey("raw"), extract, [7], [""], [None]])
def test_what_is_no_list_of_assets_is_refused(deps: Any) -> None:
    with pytest.raises(DatasetDefinitionError, match=r"deps=.*a list of asset keys, assets"):
        CogneeDataset(name="people", deps=deps)


def test_a_graph_that_an_asset_with_partitions_makes_is_refused_with_the_way_out(tmp_path: Path) -> None:
    @dg.asset(partitions_def=PARTITIONS)
    def parts(context: dg.AssetExecutionContext) -> Any:
        return nx.DiGraph([(context.partition_key, "z")])

    defs = location(CogneeDataset(name="people", graph=dg.AssetKey("parts")), parts, directory=tmp_path)
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="push_all_datasets") as refused:
        dg.Definitions.validate_loadable(defs)
    assert isinstance(refused.value.__cause__, DatasetDefinitionError)
    assert "people/cognified_graph takes one graph, and parts, which makes it, has partitions" in str(
        refused.value.__cause__
    )


def test_a_step_that_gets_a_graph_in_partitions_says_so(remote: FakeRemote, tmp_path: Path) -> None:
    """Assets without the jobs are not looked at when they are loaded."""

    @dg.asset(partitions_def=PARTITIONS)
    def parts(context: dg.AssetExecutionContext) -> Any:
        return nx.DiGraph([(context.partition_key, "z")])

    dataset = CogneeDataset(name="people", graph=dg.AssetKey("parts"), retry_policy=NO_RETRY)
    defs = location(dataset, parts, remote=remote, directory=tmp_path)
    resources = {**(defs.resources or {}), "io_manager": dg.FilesystemIOManager(base_dir=str(tmp_path / "graphs"))}
    with dg.DagsterInstance.ephemeral() as instance:
        for part in PARTITIONS.get_partition_keys():
            dg.materialize([parts], partition_key=part, resources=resources, instance=instance)
        result = dg.materialize(
            [parts, *build_dataset_assets(dataset)],
            selection=[dataset.graph_key],
            resources=resources,
            instance=instance,
            raise_on_error=False,
        )
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "parts, which makes it, has partitions" in str(failure.step_failure_data.error)


def test_a_dependency_with_partitions_runs_by_itself(remote: FakeRemote, tmp_path: Path) -> None:
    """A run of the job has no partition, so that Dagster would refuse to start it."""
    file = tmp_path / "people.graphml"
    nx.write_graphml(people(), file)

    @dg.asset(partitions_def=PARTITIONS, deps=[extract])
    def parts() -> None: ...

    @dg.asset
    def whole() -> None: ...

    dataset = CogneeDataset(name="people", graph=file, deps=[parts, whole])
    defs = location(dataset, extract, parts, whole, remote=remote, directory=tmp_path)
    dg.Definitions.validate_loadable(defs)
    result = defs.resolve_job_def("push_all_datasets").execute_in_process()
    assert materialized(result)[0] == "whole"
    assert {"parts", "extract"} & set(materialized(result)) == set()
    assert dg.AssetKey("parts") in defs.resolve_asset_graph().get(dataset.graph_key).parent_keys
