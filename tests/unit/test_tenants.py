"""One chain with partitions: each is a dataset of its own, from the graph to the checks."""

from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster import CogneeDataset, build_definitions
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.graph import source
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import failure_of, metadata_of, people
from tests.unit.tenant_world import TENANTS, Tenants, some_tenants

tenants = pytest.fixture(some_tenants)


def test_each_partition_is_a_dataset_of_its_own(tenants: Tenants, remote: FakeRemote) -> None:
    for size, tenant in enumerate(TENANTS, start=2):
        tenants.write(tenant, size=size)
    for tenant in TENANTS:
        result = tenants.run(tenant)
        assert result.success
        assert metadata_of(result, "remote_push")["target_dataset"] == f"tenant_{tenant}"
        graph = metadata_of(result, "remote_graph")
        assert (graph["status"], graph["cognee/partition"]) == ("completed", tenant)
    assert [len(remote.graph(f"tenant_{tenant}").nodes) for tenant in TENANTS] == [2, 3, 4, 5, 6]
    for key in (tenants.dataset.graph_key, tenants.dataset.push_key, tenants.dataset.remote_graph_key):
        assert tenants.instance.get_materialized_partitions(key) == set(TENANTS)


def test_a_partition_has_its_own_archive_snapshot_and_begun_imports(tenants: Tenants, remote: FakeRemote) -> None:
    tenants.write("acme", size=2)
    tenants.write("beta", size=3)
    for tenant in ("acme", "beta"):
        assert tenants.run(tenant, "cognified_graph", "cogx_archive").success
    places = {path.parent.name for path in (tenants.directory / "archives").rglob("latest.json")}
    assert places == {"acme", "beta"}
    result = tenants.run("acme", "remote_push")
    assert metadata_of(result, "remote_push")["num_nodes"] == 2


def test_an_unchanged_partition_is_not_read_again_after_another_one_was(
    tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "SETTLED_SECONDS", 0.0)
    for tenant in ("acme", "beta"):
        tenants.write(tenant, size=2)
        assert tenants.run(tenant, "cognified_graph").success
    result = tenants.run("acme", "cogx_archive")
    assert metadata_of(result, "cogx_archive")["cognee/graph_read"] is False
    assert metadata_of(result, "cogx_archive")["cognee/graph_changed_since_cognified_graph"] is False


def test_a_mirror_is_kept_for_each_partition(tenants: Tenants, remote: FakeRemote) -> None:
    tenants.options["sync"] = "incremental"
    for tenant in ("acme", "beta"):
        tenants.write(tenant, size=6)
        assert tenants.run(tenant).success
    tenants.write("acme", size=5)
    assert tenants.run("acme").success
    assert [len(remote.graph(f"tenant_{tenant}").nodes) for tenant in ("acme", "beta")] == [5, 6]
    again = metadata_of(tenants.run("beta"), "remote_push")
    assert again["status"] == "unchanged"


def test_the_check_looks_at_every_partition_that_was_pushed(tenants: Tenants, remote: FakeRemote) -> None:
    tenants.options["verify"] = "graph"
    for tenant in ("acme", "beta", "cord"):
        tenants.write(tenant, size=2)
        assert tenants.run(tenant).success
    for name in ("remote_import_succeeded", "remote_graph_complete", "remote_in_sync"):
        result = tenants.check(name)
        assert (result.passed, result.description) == (True, "3 of 3 partitions are as they should be.")
    remote.graph("tenant_beta").nodes.clear()
    result = tenants.check("remote_graph_complete")
    assert not result.passed
    assert result.description is not None
    assert result.description.startswith("2 of 3 partitions are as they should be.\nbeta: ")


def test_the_checks_look_at_a_partition_that_pushed_what_another_chain_has_made(
    tenants: Tenants, remote: FakeRemote
) -> None:
    tenants.write("acme", size=2)
    made = tenants.run("acme", "cognified_graph", "cogx_archive")
    digest = metadata_of(made, "cogx_archive")["cognee/archive_digest"]
    tenants.options |= {"key_prefix": "production", "verify": "graph"}
    assert tenants.run("acme", "remote_push", config={"archive": digest}).success
    for name in ("remote_graph_complete", "remote_in_sync"):
        assert tenants.check(name).description == "1 of 1 partition is as it should be."


def test_the_check_judges_the_push_of_a_partition_that_failed(tenants: Tenants, remote: FakeRemote) -> None:
    for tenant in ("acme", "beta"):
        tenants.write(tenant, size=3)
        assert tenants.run(tenant).success
    tenants.write("beta", size=5)
    tenants.resource = remote.resource(max_attempts=1)
    remote.fail_next_import("RuntimeError")
    assert not tenants.run("beta").success
    evaluation = tenants.check("remote_import_succeeded")
    assert not evaluation.passed
    assert "1 of 2 partitions are as they should be.\nbeta: The import into dataset" in str(evaluation.description)


def test_a_check_before_any_push_says_so(tenants: Tenants) -> None:
    result = tenants.check("remote_import_succeeded")
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "Nothing was pushed yet" in str(result.description)


# What would merge tenants


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"name": "tenants"}, "name"),
        ({"target_dataset": "tenants"}, "target_dataset"),
        ({"graph": "tenants.graphml"}, "graph"),
        ({"archive": "tenants.cogx"}, "archive"),
        ({"documents": ["docs/*.md"]}, "documents"),
    ],
)
def test_what_lacks_the_partition_is_refused_at_load(options: dict[str, Any], field: str) -> None:
    with pytest.raises(DatasetDefinitionError, match=rf"{field}=.*without \{{partition\}} in it"):
        CogneeDataset(**{"name": "tenant_{partition}", "partitions_def": TENANTS, **options})


@pytest.mark.parametrize("field", ["name", "target_dataset"])
def test_a_template_without_partitions_is_refused_at_load(field: str) -> None:
    with pytest.raises(DatasetDefinitionError, match=f"{field}=.*there is no partitions_def"):
        CogneeDataset(**dict[str, Any]({"name": "tenant", field: "tenant_{partition}"}))


@pytest.mark.parametrize(
    ("partitions", "reason"),
    [
        ([""], "a key is empty"),
        ([2023], "the key 2023 is not a string"),
        (["a", "b", "a"], "the key 'a' is there twice"),
        (["a\nb"], "Dagster takes no key such as"),
        (["a\0b"], "Dagster takes no key such as"),
        (["a...b"], "Dagster takes no key such as"),
        (dg.StaticPartitionsDefinition([""]), "The key is empty"),
    ],
)
def test_keys_that_cannot_be_used_are_refused_with_what_is_wrong_with_them(partitions: Any, reason: str) -> None:
    with pytest.raises(DatasetDefinitionError, match=reason):
        CogneeDataset(name="tenant_{partition}", partitions_def=partitions)


@pytest.mark.parametrize("key", ["two words", "a.b"])
def test_a_key_of_which_no_remote_name_can_be_made_is_refused(key: str) -> None:
    with pytest.raises(DatasetDefinitionError, match=f"Partition '{key}' of .*has a space or a dot"):
        CogneeDataset(name="tenant_{partition}", partitions_def=["fine", key])


@pytest.mark.parametrize("key", ["..", "a/b", "a\\b", "*", "a?", "[ab]"])
def test_a_key_never_leads_to_other_files(key: str) -> None:
    dataset = CogneeDataset(name="tenant_{partition}", documents=["docs/{partition}/*.md"], partitions_def="tenants")
    with pytest.raises(DatasetDefinitionError, match="would lead to other files"):
        dataset.of_partition(key)


def test_a_dynamic_key_is_looked_at_when_its_run_begins(tenants: Tenants, remote: FakeRemote) -> None:
    tenants.options["partitions_def"] = "tenants"
    tenants.instance.add_dynamic_partitions("tenants", ["two words"])
    result = tenants.run("two words")
    assert "Partition 'two words' of 'tenant_{partition}' cannot be used" in failure_of(result, "cognified_graph")[0]
    assert remote.uploads == []


def test_a_backfill_into_one_remote_dataset_is_refused(tenants: Tenants, remote: FakeRemote) -> None:
    tenants.write("acme", size=2)
    result = tenants.run("acme", config={"target_dataset": "tenants"})
    assert "it would be every partition's" in failure_of(result, "remote_push")[0]
    assert remote.uploads == []
    assert tenants.run("acme", "remote_push", config={"target_dataset": "staging_{partition}"}).success
    assert len(remote.graph("staging_acme").nodes) == 2
    assert tenants.run(
        "acme", "remote_push", config={"target_dataset": "staging_acme"}
    ).success  # as pushing again does


def test_a_run_over_several_partitions_sends_nothing(tenants: Tenants, remote: FakeRemote) -> None:
    tenants.write("acme", size=2)
    result = tenants.definitions.resolve_job_def(tenants.dataset.job_name).execute_in_process(
        instance=tenants.instance,
        tags={"dagster/asset_partition_range_start": "acme", "dagster/asset_partition_range_end": "cord"},
        raise_on_error=False,
    )
    assert "several at once" in failure_of(result, "cognified_graph")[0]
    assert remote.uploads == []


def test_the_partitions_of_a_chain_cannot_be_exchanged(tenants: Tenants) -> None:
    others = dg.StaticPartitionsDefinition(["acme"])
    with pytest.raises(DatasetDefinitionError, match="cannot have other partitions than its chain"):
        tenants.definitions.map_asset_specs(func=lambda spec: spec.replace_attributes(partitions_def=others))


# Graphs that an asset makes


def graph_asset(partitions: Any) -> Any:
    @dg.asset(key="graphs", partitions_def=partitions, io_manager_key="graphs")
    def graphs(context: dg.AssetExecutionContext) -> Any:
        return people(size=2 + TENANTS.index(context.partition_key))

    return graphs


def test_each_partition_gets_the_graph_of_its_own_partition(tenants: Tenants, remote: FakeRemote) -> None:
    tenants.options |= {"graph": dg.AssetKey("graphs"), "partitions_def": dg.StaticPartitionsDefinition(TENANTS)}
    tenants.more = dg.Definitions(
        assets=[graph_asset(dg.StaticPartitionsDefinition(TENANTS))], resources={"graphs": dg.mem_io_manager}
    )
    assert tenants.run("cord").success
    assert len(remote.graph("tenant_cord").nodes) == 4


@pytest.mark.parametrize("partitions", [None, dg.StaticPartitionsDefinition(["acme"])])
def test_a_graph_with_other_partitions_is_refused_at_load(tenants: Tenants, partitions: Any) -> None:
    tenants.options["graph"] = dg.AssetKey("graphs")
    tenants.more = dg.Definitions(assets=[graph_asset(partitions)], resources={"graphs": dg.mem_io_manager})
    with pytest.raises(dg.DagsterInvalidDefinitionError) as refused:
        dg.Definitions.validate_loadable(tenants.definitions)
    assert "Give both the same partitions_def" in str(refused.value.__cause__)


# Jobs and schedules


def test_the_job_over_all_datasets_leaves_chains_with_partitions_out(tenants: Tenants) -> None:
    whole = CogneeDataset(name="whole", graph=tenants.directory / "whole.graphml")
    defs = dg.Definitions.merge(
        tenants.definitions, build_definitions([whole], remote=tenants.resource, archives=tenants.archives)
    )
    job = defs.resolve_job_def("push_all_datasets")
    assert {key.path[0] for key in job.asset_layer.executable_asset_keys} == {"whole"}


def test_a_schedule_asks_for_a_run_of_each_partition_there_is(tenants: Tenants, tmp_path: Path) -> None:
    tenants.options |= {"partitions_def": "tenants", "cron_schedule": "@daily"}
    tenants.instance = dg.DagsterInstance.local_temp(str(tmp_path))
    repository = tenants.definitions.get_repository_def()
    (schedule,) = repository.schedule_defs
    context = dg.build_schedule_context(
        instance=tenants.instance, scheduled_execution_time=datetime(2026, 1, 1), repository_def=repository
    )
    assert schedule.evaluate_tick(context).skip_message == "There is no partition."
    tenants.instance.add_dynamic_partitions("tenants", ["acme", "beta"])
    requests = schedule.evaluate_tick(context).run_requests or []
    assert [request.partition_key for request in requests] == ["acme", "beta"]
