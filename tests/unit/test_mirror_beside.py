"""A mirror that is renamed is another one: what it brought under its earlier name is told, and can be taken over."""

import logging
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from cognee_dagster.pushing.mirror.mirror import plan_mirror
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import Chain, failure_of, people
from tests.mirrored_graph import ChangingGraph
from tests.pushes import client_of
from tests.unit.mirror_world import Mirror


@pytest.fixture
def renamed(remote: FakeRemote, tmp_path: Path) -> Mirror:
    """A mirror under the name ``old``, whose graph has lost a node since."""
    mirror = Mirror(remote, tmp_path, ChangingGraph(1, nodes=40))
    mirror.push(source="old")
    mirror.graph.remove_node()
    return mirror


def beside(mirror: Mirror) -> int:
    """How many nodes of others a plan of ``new`` tells."""
    with client_of(mirror.remote.url, mirror.remote.api_key) as client:
        plan = plan_mirror(
            [mirror.archive()],
            client=client,
            base=UPath(mirror.directory / "mirrors"),
            options=PushOptions(target_dataset="demo"),
            mirror=MirrorOptions(source="new", segment_nodes=8),
        )
    return int(plan.as_json()["nodes_of_other_mirrors"])


def test_what_it_brought_under_its_earlier_name_is_told(renamed: Mirror, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        renamed.push(source="new")
        renamed.push(source="new")
    told = [
        record.levelname for record in caplog.records if "1 node into 'demo' that this graph" in record.getMessage()
    ]
    assert told == ["WARNING", "INFO"]
    assert beside(renamed) == 1


def test_it_is_taken_over_when_that_is_said(renamed: Mirror) -> None:
    renamed.push(source="new")
    renamed.push(source="new", adopt=True)
    renamed.assert_exact()
    assert beside(renamed) == 0
    assert renamed.push(source="new").status == "unchanged"


def test_it_is_taken_over_with_the_first_push_under_the_new_name(renamed: Mirror) -> None:
    renamed.push(source="new", adopt=True)
    renamed.assert_exact()
    assert len(list((renamed.directory / "mirrors").glob("*/mirror.json"))) == 1


def test_what_is_replaced_whole_leaves_nothing_of_it(renamed: Mirror) -> None:
    renamed.push(source="new", on_removed="replace")
    renamed.assert_exact()
    renamed.graph.remove_node()
    renamed.push(source="new")
    renamed.assert_exact()
    assert beside(renamed) == 0


def test_the_earlier_name_can_be_taken_again(renamed: Mirror) -> None:
    renamed.push(source="new", adopt=True)
    renamed.graph.remove_node()
    renamed.push(source="old", adopt=True)
    renamed.assert_exact()


def test_a_dataset_that_was_renamed_takes_its_mirror_over_at_launch(remote: FakeRemote, tmp_path: Path) -> None:
    options = {"sync": "incremental", "target_dataset": "shared", "key_prefix": "before"}
    chain = Chain(remote=remote, directory=tmp_path, graph=people(size=5), options=options)
    assert chain.run().success
    chain.options = {**options, "key_prefix": "after"}
    chain.graph = people(size=4)
    assert chain.run().success
    beside = chain.check("remote_in_sync")
    assert (beside.passed, "has all of what was last pushed" in str(beside.description)) == (True, True)
    (observed,) = chain.run("remote_push", config={"dry_run": True}).get_asset_observation_events()
    plan: Any = observed.asset_observation_data.asset_observation.metadata["cognee/plan_details"].value
    assert plan["nodes_of_other_mirrors"] == 1
    chain.options["max_removed"] = 0.3  # one of four edges goes
    assert chain.run("remote_push", config={"adopt": True}).success
    assert "is exactly what was last pushed" in str(chain.check("remote_in_sync").description)
    assert len(remote.graph("shared").nodes) == 4


@pytest.mark.parametrize("said", ["adopt", "resend"])
def test_what_is_for_mirrors_is_refused_of_a_full_push(remote: FakeRemote, tmp_path: Path, said: str) -> None:
    chain = Chain(remote=remote, directory=tmp_path)
    assert chain.run("my_graph", "cognified_graph", "cogx_archive").success
    result = chain.run("remote_push", config={said: True})
    assert "adopt, on_removed and max_removed are for mirrors" in failure_of(result, "remote_push")[0]
    assert remote.uploads == []
