"""The chain of assets: what each asset says, and when the remote graph counts as imported."""

import dataclasses
from pathlib import Path

import dagster as dg
import pytest

from cognee_dagster import build_dataset_assets
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.dagster.steps.archive import archive_check_result
from cognee_dagster.dagster.steps.tables import MAX_TABLE_ROWS, count_table
from cognee_dagster.graph.reader import GraphOrigin
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import Chain, checks, materialized, metadata_of, people
from tests.cogx_graphs import ID_A, ID_B, ID_C, MemoryReader


@pytest.fixture
def chain(remote: FakeRemote, tmp_path: Path) -> Chain:
    return Chain(remote=remote, directory=tmp_path)


def log_messages(chain: Chain, result: dg.ExecuteInProcessResult) -> list[str]:
    return [entry.user_message for entry in chain.instance.all_logs(result.run_id)]


def test_a_push_in_the_foreground_ends_with_the_remote_graph(chain: Chain, remote: FakeRemote) -> None:
    result = chain.run()
    assert result.success
    assert materialized(result) == ["graph", "cognified_graph", "cogx_archive", "remote_push", "remote_graph"]
    assert {node.name for node in remote.graph("people").nodes.values()} == {"Person 0", "Person 1", "Person 2"}


def test_the_push_says_what_push_result_says_by_the_same_names(chain: Chain, remote: FakeRemote) -> None:
    pushed = metadata_of(chain.run(), "remote_push")
    assert {
        key: pushed[key] for key in ("num_nodes", "num_edges", "status", "dataset_name", "target_dataset", "mode")
    } == {
        "num_nodes": 3,
        "num_edges": 2,
        "status": "completed",
        "dataset_name": "people",
        "target_dataset": "people",
        "mode": "preserve",
    }
    assert pushed["pipeline_run_id"] == next(run["pipeline_run_id"] for run in remote.runs if run["kind"] == "pipeline")
    assert pushed["cognee/remote_url"] == remote.url
    assert pushed["cognee/connection_source"] == "the url of the remote 'cognee_remote'"
    assert pushed["cognee/archive_bytes"] == remote.uploads[0].uploads[0].size
    assert pushed["cognee/seconds"] > 0


def test_the_remote_graph_names_the_run_that_pushed_it(chain: Chain) -> None:
    result = chain.run()
    imported = metadata_of(result, "remote_graph")
    assert imported["cognee/push_run_id"] == result.run_id
    assert imported["pipeline_run_id"] == metadata_of(result, "remote_push")["pipeline_run_id"]
    assert imported["status"] == "completed"


def test_the_graph_says_what_is_in_it(chain: Chain) -> None:
    graph = metadata_of(chain.run(), "cognified_graph")
    assert (graph["num_nodes"], graph["num_edges"]) == (3, 2)
    assert [record.data for record in graph["cognee/nodes_by_type"].records] == [{"node_type": "Person", "nodes": 3}]
    assert [record.data for record in graph["cognee/edges_by_relationship"].records] == [
        {"relationship": "knows", "edges": 2}
    ]
    assert graph["cognee/read_through"] == "networkx"


def test_no_number_says_the_same_of_every_graph(chain: Chain) -> None:
    """Dagster plots each over time: one that is always 1, or another one again, is a plot of nothing."""
    result = chain.run()
    for asset in ("cognified_graph", "cogx_archive", "remote_push", "remote_graph"):
        metadata = metadata_of(result, asset)
        assert {"cognee/archives_total", "cognee/archives_done", "dagster/row_count"}.isdisjoint(metadata), asset


def test_a_push_links_to_the_graph_on_the_remote(chain: Chain, remote: FakeRemote) -> None:
    chain.options = {"sync": "incremental"}
    result = chain.run()
    page = f"{remote.url}/api/v1/visualize?dataset_id={remote.dataset('people').id}"
    for asset in ("remote_push", "remote_graph"):
        assert metadata_of(result, asset)["cognee/remote_page"] == page


def test_the_archive_says_where_it_is(chain: Chain) -> None:
    archive = metadata_of(chain.run(), "cogx_archive")
    stored = Path(archive["dagster/uri"])
    assert stored.stat().st_size == archive["cognee/archive_bytes"]
    assert stored.name == f"{archive['cognee/archive_content_sha256']}.cogx.tar.gz"
    assert archive["cognee/record_counts"] == {"raw_node": 3, "fact": 2}


def test_the_data_version_of_every_asset_is_the_content_digest(chain: Chain) -> None:
    result = chain.run()
    digest = metadata_of(result, "cognified_graph")["cognee/graph_digest"]
    versions = {
        event.asset_key.path[-1]: (event.materialization.tags or {}).get("dagster/data_version")
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }
    names = ("cognified_graph", "cogx_archive", "remote_push", "remote_graph")
    assert [versions[name] for name in names] == [digest] * 4


def test_an_unchanged_graph_keeps_its_data_version_and_a_changed_one_does_not(chain: Chain) -> None:
    first = metadata_of(chain.run(), "cogx_archive")["cognee/archive_digest"]
    assert metadata_of(chain.run(), "cogx_archive")["cognee/archive_digest"] == first
    chain.graph = people(size=4)
    assert metadata_of(chain.run(), "cogx_archive")["cognee/archive_digest"] != first


def test_a_push_in_the_background_leaves_the_remote_graph_to_the_sensor(chain: Chain, remote: FakeRemote) -> None:
    chain.options = {"run_in_background": True}
    with remote.hold_imports():
        result = chain.run()
        assert result.success
        assert materialized(result)[-1] == "remote_push"
        pushed = metadata_of(result, "remote_push")
        assert pushed["status"] == "started"
        assert pushed["pipeline_run_id"] in {run["pipeline_run_id"] for run in remote.runs}
        assert pushed["cognee/remote_dataset_id"] == remote.dataset("people").id
        assert "remote_import_succeeded" not in checks(result)


def test_a_background_push_warns_where_no_sensor_can_see_it(chain: Chain, remote: FakeRemote) -> None:
    with remote.hold_imports():
        result = chain.run(config={"run_in_background": True})
    assert any("no sensor will see the end of the import" in message for message in log_messages(chain, result))


def test_a_background_push_on_a_lasting_instance_does_not_warn(
    chain: Chain, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = chain.directory / "home"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with dg.DagsterInstance.local_temp(str(home)) as chain.instance, remote.hold_imports():
        result = chain.run(config={"run_in_background": True})
        assert result.success
        assert not any("no sensor will see" in message for message in log_messages(chain, result))


def test_the_launch_may_say_target_mode_and_background_anew(chain: Chain, remote: FakeRemote) -> None:
    with remote.hold_imports():
        result = chain.run(config={"target_dataset": "others", "mode": "preserve", "run_in_background": True})
        pushed = metadata_of(result, "remote_push")
    assert (pushed["target_dataset"], pushed["status"], pushed["dataset_name"]) == ("others", "started", "people")
    assert remote.graph("others")


def test_the_launchpad_shows_the_datasets_own_settings(chain: Chain) -> None:
    chain.options = {"target_dataset": "others", "mode": "hybrid", "run_in_background": True}
    (push,) = [asset for asset in chain.assets if isinstance(asset, dg.AssetsDefinition) and "push" in str(asset.keys)][
        :1
    ]
    fields = push.op.config_schema.config_type.fields  # type: ignore[union-attr]
    assert {name: fields[name].default_value for name in fields} == {
        "target_dataset": "others",
        "mode": "hybrid",
        "run_in_background": True,
        "archive": None,
        "on_removed": None,
        "max_removed": None,
        "dry_run": False,
        "adopt": False,
        "full": False,
        "resend": False,
        "promote_from": None,
    }


def test_only_the_push_can_be_run_again(chain: Chain, remote: FakeRemote) -> None:
    chain.run()
    result = chain.run("remote_push")
    assert result.success
    assert materialized(result) == ["remote_push", "remote_graph"]
    assert len(remote.uploads) == 2


def test_an_archive_of_a_graph_that_changed_since_says_so(chain: Chain) -> None:
    assert not metadata_of(chain.run(), "cogx_archive")["cognee/graph_changed_since_cognified_graph"]
    chain.graph = people(size=4)
    dg.materialize(chain.assets[:1], resources=chain.resources, instance=chain.instance)
    result = chain.run("cogx_archive")
    assert metadata_of(result, "cogx_archive")["cognee/graph_changed_since_cognified_graph"]
    assert any("changed after people/cognified_graph looked" in message for message in log_messages(chain, result))


def test_all_checks_pass_on_a_good_graph(chain: Chain) -> None:
    evaluations = checks(chain.run())
    assert {name: evaluation.passed for name, evaluation in evaluations.items()} == {
        "graph_not_empty": True,
        "no_dangling_edges": True,
        "no_attributes_left_behind": True,
        "archive_within_server_limits": True,
        "remote_import_succeeded": True,
    }


def test_an_empty_graph_stops_the_chain_and_says_where_to_look(chain: Chain, remote: FakeRemote) -> None:
    chain.graph = people(size=0)
    result = chain.run()
    assert not result.success
    evaluation = checks(result)["graph_not_empty"]
    assert not evaluation.passed
    assert "Look into the file, the folder or the object" in str(evaluation.description)
    assert remote.uploads == []


def test_edges_without_an_end_fail_both_checks_and_hold_the_remote_graph_back(chain: Chain, tmp_path: Path) -> None:
    reader = MemoryReader(
        [(ID_A, "Ada", "Person", "{}"), (ID_B, "Babbage", "Person", "{}")],
        [(ID_A, ID_B, "knows", "{}"), (ID_A, ID_C, "knows", "{}")],
        origin=GraphOrigin(dataset_name="people", endpoints_guaranteed=False),
    )
    write_archive(reader, tmp_path / "people.cogx.tar.gz")
    chain.options = {"graph": tmp_path / "people.cogx.tar.gz"}
    result = chain.run("cognified_graph", "cogx_archive", "remote_push")
    assert materialized(result)[-1] == "remote_push"
    found = checks(result)
    assert not found["no_dangling_edges"].passed
    assert str(found["no_dangling_edges"].description).startswith("The remote would drop 1 edge, as an end is no node")
    assert found["no_dangling_edges"].metadata["cognee/examples"].value == f"{ID_A} -[knows]-> {ID_C}"
    assert not found["remote_import_succeeded"].passed
    assert "dropped 1 of 2 facts" in str(found["remote_import_succeeded"].description)


def test_no_temporary_file_is_left(chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert chain.run().success
    assert list(temporary.glob("cogx-*")) == []


def test_a_table_of_counts_is_bounded_and_complete() -> None:
    counts = {f"type {number:03}": number for number in range(200)}
    records = count_table(counts, name="node_type", count="nodes").value.records
    assert len(records) == MAX_TABLE_ROWS + 1
    assert sum(int(str(record.data["nodes"])) for record in records) == sum(counts.values())
    assert records[0].data == {"node_type": "type 199", "nodes": 199}
    assert records[-1].data["node_type"] == "(150 more)"


def test_every_asset_carries_the_datasets_group_owners_and_tags(chain: Chain) -> None:
    chain.options = {"owners": ["team:data"], "tags": {"tier": "gold"}, "group_name": "graphs", "key_prefix": "team"}
    assets = build_dataset_assets(chain.dataset)
    chain_specs = [spec for asset in assets for spec in ([asset] if isinstance(asset, dg.AssetSpec) else asset.specs)]
    assert len(chain_specs) == 4
    for spec in chain_specs:
        assert (spec.group_name, spec.owners) == ("graphs", ["team:data"])
        assert {key: spec.tags[key] for key in ("tier", "cognee/dataset")} == {
            "tier": "gold",
            "cognee/dataset": "people",
        }


def test_the_archive_is_of_the_kind_cogx_and_every_asset_is_cognees(chain: Chain) -> None:
    assets = build_dataset_assets(chain.dataset)
    specs = [spec for asset in assets for spec in ([asset] if isinstance(asset, dg.AssetSpec) else asset.specs)]
    kinds = {spec.key.path[-1]: spec.kinds for spec in specs}
    assert kinds == {
        "cognified_graph": {"cognee"},
        "cogx_archive": {"cognee", "cogx"},
        "remote_push": {"cognee"},
        "remote_graph": {"cognee"},
    }


def test_an_archive_beyond_the_limits_fails_its_check_with_its_number_and_what_to_lower(
    chain: Chain, tmp_path: Path
) -> None:
    archive = write_archive(MemoryReader([(ID_A, "Ada", "Person", "{}")]), tmp_path / "people.cogx.tar.gz")
    chain.options = {"max_file_bytes": 200}
    beyond = dataclasses.replace(archive, member_bytes={"nodes.jsonl": 201})
    assert archive.summary is not None
    archives = [dataclasses.replace(archive, member_bytes={}), beyond]
    result = archive_check_result(chain.dataset, archives, summary=archive.summary)
    assert not result.passed
    assert "archive 2 of 2 nodes.jsonl has 201 bytes" in str(result.description)
    assert "Lower max_archive_bytes and max_file_bytes" in str(result.description)


def test_a_node_that_a_server_refuses_fails_the_check_with_its_name_and_type(chain: Chain, tmp_path: Path) -> None:
    indexed = '{"age": 3, "metadata": {"index_fields": ["age"]}}'
    archive = write_archive(MemoryReader([(ID_A, "Ada", "Person", indexed)]), tmp_path / "people.cogx.tar.gz")
    assert archive.summary is not None
    result = archive_check_result(chain.dataset, [archive], summary=archive.summary)
    assert not result.passed
    assert "because of 1 node: name 'Ada', type 'Person'" in str(result.description)
    assert "indexed attribute 'age' is 3 and not text" in str(result.description)


def test_an_asset_can_be_materialized_without_its_checks(chain: Chain) -> None:
    """As the UI does when a user deselects them."""
    keys = [chain.dataset.graph_key, chain.dataset.archive_key, chain.dataset.push_key]
    dg.materialize(chain.assets[:1], resources=chain.resources, instance=chain.instance)
    result = dg.materialize(
        chain.assets,
        resources=chain.resources,
        instance=chain.instance,
        selection=dg.AssetSelection.assets(*keys).without_checks(),
    )
    assert materialized(result) == ["cognified_graph", "cogx_archive", "remote_push", "remote_graph"]
    assert set(checks(result)) == {"remote_import_succeeded"}


@pytest.mark.parametrize(
    "name", ["graph_not_empty", "no_dangling_edges", "no_attributes_left_behind", "archive_within_server_limits"]
)
def test_a_check_can_be_executed_alone(chain: Chain, name: str) -> None:
    chain.run()
    key = chain.dataset.archive_key if name.startswith("archive") else chain.dataset.graph_key
    result = dg.materialize(
        chain.assets,
        resources=chain.resources,
        instance=chain.instance,
        selection=dg.AssetSelection.checks(dg.AssetCheckKey(key, name)),
    )
    assert materialized(result) == []
    assert list(checks(result)) == [name]
