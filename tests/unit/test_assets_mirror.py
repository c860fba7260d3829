"""``sync="incremental"``: the chain of assets keeps a mirror."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import dagster as dg
import pytest

from cognee_dagster import CogneeDataset
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import NO_RETRY, Chain, checks, failure_of, materialized, metadata_of, people


@pytest.fixture
def chain(remote: FakeRemote, tmp_path: Path) -> Chain:
    options = {"sync": "incremental", "verify": "graph", "retry_policy": NO_RETRY}
    return Chain(remote=remote, directory=tmp_path, graph=people(size=9), options=options)


def relabelled(graph: Any) -> Any:
    """The same with other nodes."""
    import networkx as nx

    return nx.relabel_nodes(graph, {node: f"other {node}" for node in graph})


def names_there(remote: FakeRemote) -> set[str | None]:
    return {node.name for node in remote.graph("people").nodes.values() if str(node.name).startswith("Person ")}


def test_what_is_gone_from_the_graph_is_gone_from_the_remote(remote: FakeRemote, chain: Chain) -> None:
    assert chain.run().success
    chain.graph.remove_node("p8")
    result = chain.run()
    assert result.success
    assert names_there(remote) == {f"Person {number}" for number in range(8)}
    assert metadata_of(result, "remote_push")["cognee/mirror"]["nodes"] == {"added": 0, "changed": 0, "removed": 1}
    assert checks(result)["remote_import_succeeded"].passed


def test_an_unchanged_graph_sends_nothing_and_materializes_the_remote_graph_again(
    remote: FakeRemote, chain: Chain
) -> None:
    first = chain.run()
    uploads = len(remote.uploads)
    again = chain.run()
    assert len(remote.uploads) == uploads
    assert metadata_of(again, "remote_push")["status"] == "unchanged"
    assert metadata_of(again, "remote_push")["cognee/import_known_by"] == "confirmed_before"
    assert metadata_of(again, "remote_push")["pipeline_run_id"] == metadata_of(first, "remote_push")["pipeline_run_id"]
    assert "remote_graph" in materialized(again)
    versions = [
        (event.materialization.tags or {})["dagster/data_version"]
        for run in (first, again)
        for event in run.get_asset_materialization_events()
        if event.asset_key is not None and event.asset_key.path[-1] == "remote_graph"
    ]
    assert len(set(versions)) == 1


def observed(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    """The metadata of the run's one observation of ``remote_push``."""
    (event,) = [
        event.asset_observation_data.asset_observation
        for event in result.all_events
        if event.event_type is dg.DagsterEventType.ASSET_OBSERVATION
    ]
    assert event.asset_key.path[-1] == "remote_push"
    return {key: value.value for key, value in event.metadata.items()}


def test_a_dry_run_observes_what_a_push_would_do_and_materializes_nothing(remote: FakeRemote, chain: Chain) -> None:
    assert chain.run().success
    uploads, before = len(remote.uploads), names_there(remote)
    chain.graph.remove_node("p8")
    chain.graph.add_node("new", name="Somebody", type="Person")
    result = chain.run(config={"dry_run": True})
    assert result.success
    assert {"remote_push", "remote_graph"}.isdisjoint(materialized(result))
    assert (len(remote.uploads), names_there(remote)) == (uploads, before)
    metadata = observed(result)
    nodes = {name: metadata["cognee/plan_details"]["nodes"][name] for name in ("added", "changed", "removed")}
    assert nodes == {"added": 1, "changed": 0, "removed": 1}
    table = {record.data["records"]: record.data for record in metadata["cognee/plan"].records}
    assert {name: table["nodes"][name] for name in nodes} == nodes
    added, removed = str(table["nodes"]["examples"]).split("; ")  # a table shows no line ends
    assert (added.startswith("added "), added.endswith(" Somebody")) == (True, True)
    assert (removed.startswith("removed "), removed.endswith(" Person 8")) == (True, True)
    assert names_there(remote) == before
    assert chain.run().success  # and the push that it spoke of is as it said
    assert "Person 8" not in names_there(remote)


def test_what_is_gone_has_no_name_where_the_archive_last_pushed_is_no_longer_stored(
    remote: FakeRemote, chain: Chain
) -> None:
    assert chain.run().success
    chain.graph.remove_node("p8")
    assert chain.run("my_graph", "cogx_archive").success
    pushed, *_ = sorted(chain.directory.glob("archives/**/*.cogx.tar.gz"), key=lambda path: path.stat().st_mtime_ns)
    pushed.unlink()
    (removed,) = observed(chain.run("remote_push", config={"dry_run": True}))["cognee/plan_details"]["examples"][
        "nodes"
    ]["removed"]
    assert str(UUID(removed)) == removed


def test_a_dry_run_that_adopts_says_so(remote: FakeRemote, chain: Chain) -> None:
    assert chain.run().success
    result = chain.run(config={"dry_run": True, "adopt": True})
    (event,) = [one for one in result.all_events if one.event_type is dg.DagsterEventType.ASSET_OBSERVATION]
    said = event.asset_observation_data.asset_observation.description
    assert said is not None
    assert "what others have brought and the graph does not have would be removed" in said
    assert "in sync" not in said


def test_a_dry_run_of_a_full_push_says_how_much_it_would_send(remote: FakeRemote, chain: Chain) -> None:
    chain.options["sync"] = "full"
    result = chain.run(config={"dry_run": True})
    assert (result.success, remote.uploads) == (True, [])
    assert observed(result)["num_nodes"] >= 9


def test_a_mass_removal_fails_the_step_and_the_remote_keeps_what_it_has(remote: FakeRemote, chain: Chain) -> None:
    assert chain.run().success
    chain.graph.remove_nodes_from(["p5", "p6", "p7", "p8"])
    result = chain.run()
    assert not result.success
    assert "max_removed is 20%: nothing was sent" in failure_of(result, "remote_push")[0]
    assert len(names_there(remote)) == 9


@pytest.mark.parametrize("config", [{"max_removed": 1.0}, {"on_removed": "replace", "max_removed": 1.0}], ids=str)
def test_what_is_refused_may_go_at_launch_this_once(
    remote: FakeRemote, chain: Chain, config: dict[str, object]
) -> None:
    chain.run()
    chain.graph.remove_nodes_from(["p5", "p6", "p7", "p8"])
    assert not chain.run().success
    assert chain.run(config=config).success
    assert len(names_there(remote)) == 5


def test_what_is_kept_at_launch_may_be_there(remote: FakeRemote, chain: Chain) -> None:
    """The dataset says ``remove`` and ``verify="graph"``."""
    chain.run()
    chain.graph.remove_node("p8")
    result = chain.run(config={"on_removed": "keep"})
    assert result.success
    assert checks(result)["remote_import_succeeded"].passed
    assert len(names_there(remote)) == 9


@pytest.mark.parametrize("config", [{"on_removed": "replace"}, {"max_removed": 1.0}], ids=str)
def test_what_is_for_mirrors_is_refused_by_a_full_push(chain: Chain, config: dict[str, object]) -> None:
    failed = chain.run(config={"full": True, **config})
    assert "on_removed and max_removed are for mirrors" in failure_of(failed, "remote_push")[0]


@pytest.mark.parametrize("config", [{"max_removed": 7.0}, {"on_removed": "shrug"}], ids=str)
def test_what_makes_no_sense_at_launch_is_refused_with_what_would(chain: Chain, config: dict[str, object]) -> None:
    failed = chain.run(config=config)
    assert "people/remote_push was launched wrongly" in failure_of(failed, "remote_push")[0]


def test_the_state_of_a_mirror_is_in_the_archive_store(remote: FakeRemote, chain: Chain) -> None:
    assert chain.run().success
    assert len(list(chain.directory.glob("archives/**/mirrors/*/mirror.json"))) == 1


def test_a_stored_archive_that_is_chosen_at_launch_is_sent_as_it_is(remote: FakeRemote, chain: Chain) -> None:
    assert chain.run().success
    uploads = len(remote.uploads)
    assert chain.run("remote_push", config={"archive": "latest"}).success
    assert len(remote.uploads) == uploads + 1


def test_a_mirror_is_kept_unless_something_else_is_said(remote: FakeRemote, chain: Chain) -> None:
    chain.options = {"sync": None, "retry_policy": NO_RETRY}
    assert chain.run().success
    uploads = len(remote.uploads)
    assert metadata_of(chain.run(), "remote_push")["status"] == "unchanged"
    assert len(remote.uploads) == uploads


@pytest.mark.parametrize("config", [{"mode": "hybrid"}, {"run_in_background": True}])
def test_a_push_that_can_keep_no_mirror_is_full_unless_that_was_asked_for(
    remote: FakeRemote, chain: Chain, config: dict[str, object]
) -> None:
    chain.options = {"sync": None, "retry_policy": NO_RETRY}
    remote.pace.llm_works = True
    for uploads in (1, 2):
        result = chain.run(config=config)
        assert result.success
        assert len(remote.uploads) == uploads
        assert "cognee/mirror" not in metadata_of(result, "remote_push")


def test_a_given_archive_is_sent_as_it_is_unless_something_else_is_said() -> None:
    given = CogneeDataset(name="people", archive="some.cogx.tar.gz")
    assert not given.keeps_mirror(mode="preserve", in_background=False)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"mode": "hybrid"}, "in mode hybrid the server makes a graph of its own"),
        ({"archive": "some.cogx.tar.gz"}, "an archive= is sent as it is"),
    ],
)
def test_what_cannot_be_mirrored_is_refused_where_it_is_said(options: dict[str, str], reason: str) -> None:
    with pytest.raises(DatasetDefinitionError, match=reason):
        CogneeDataset(name="people", sync="incremental", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("on_removed", "change", "passes"),
    [("remove", "extra", False), ("keep", "extra", True), ("remove", "changed", False), ("keep", "changed", False)],
)
def test_read_back_a_mirror_has_to_be_what_was_pushed_for_the_push_as_for_the_check(
    remote: FakeRemote, chain: Chain, on_removed: str, change: str, passes: bool
) -> None:
    chain.options["on_removed"] = on_removed
    assert chain.run().success
    graph = remote.graph("people")
    node_id, node = next(iter(graph.nodes.items()))
    if change == "extra":
        graph.nodes["33333333-3333-5333-8333-333333333333"] = replace(node, name="Somebody")
    else:
        graph.nodes[node_id] = replace(node, properties={**node.properties, "description": "Another."})
    result = chain.run()
    assert result.success
    check = checks(result)["remote_import_succeeded"]
    assert check.passed is passes is chain.check("remote_in_sync").passed
    said = str(check.metadata["cognee/remarks"].value if passes else check.description)
    assert "1 node on the remote only" in said if change == "extra" else "1 node there with another type" in said


def test_read_back_a_mirror_may_share_its_dataset_with_another_one(remote: FakeRemote, chain: Chain) -> None:
    assert chain.run().success
    other = Chain(
        remote=remote,
        directory=chain.directory / "other",
        graph=relabelled(chain.graph),
        archives=str(chain.directory / "archives"),
        options={**chain.options, "name": "others", "target_dataset": "people"},
    )
    assert checks(other.run())["remote_import_succeeded"].passed
    assert other.check("remote_in_sync").passed
