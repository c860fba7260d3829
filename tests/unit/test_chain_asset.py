"""What ``map_asset_specs`` and its like may change about a chain works; what the chain rests on is refused at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster import CogneeDataset, CogneeRemote, CogxArchiveIOManager, build_dataset_assets, build_definitions
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import GRAPH_KEY, NO_RETRY, Chain, failure_of, materialized

pytestmark = [pytest.mark.filterwarnings(f"ignore::dagster.{kind}") for kind in ("PreviewWarning", "BetaWarning")]

PARTITIONS = dg.StaticPartitionsDefinition(["tenant-a", "tenant-b"])
_RESOURCES = {"cognee_remote": CogneeRemote(), "cogx_archives": CogxArchiveIOManager()}
CHAIN = ("cognified_graph", "cogx_archive", "remote_push", "remote_graph")


@pytest.fixture
def chain(remote: FakeRemote, tmp_path: Path) -> Chain:
    return Chain(remote=remote, directory=tmp_path, options={"retry_policy": NO_RETRY})


@dg.success_hook
def _hook(context: dg.HookContext) -> None: ...


def definitions() -> dg.Definitions:
    return build_definitions([CogneeDataset(name="people", graph="people.graphml")])


def assets() -> list[Any]:
    return [*build_dataset_assets(CogneeDataset(name="people", graph=GRAPH_KEY))]


def partitioned(spec: dg.AssetSpec) -> dg.AssetSpec:
    return spec.replace_attributes(partitions_def=PARTITIONS)


def only(last: str, change: Callable[[dg.AssetSpec], dg.AssetSpec]) -> Callable[[dg.AssetSpec], dg.AssetSpec]:
    return lambda spec: change(spec) if spec.key.path[-1] == last else spec


# Partitions


@pytest.mark.parametrize("last", CHAIN)
@pytest.mark.parametrize(
    "force",
    [
        lambda change: dg.map_asset_specs(change, assets()),
        lambda change: definitions().map_asset_specs(func=change),
        lambda change: definitions().map_resolved_asset_specs(func=change),
        lambda change: definitions().map_resolved_asset_specs(func=change, selection='group:"people"'),
        lambda change: [asset.map_asset_specs(change) for asset in assets()],
        lambda change: dg.map_asset_specs(change, dg.map_asset_specs(lambda spec: spec, assets())),
        lambda change: dg.map_asset_specs(change, dg.with_resources(assets(), _RESOURCES)),
        lambda change: dg.map_asset_specs(change, [asset.with_attributes() for asset in assets() if asset.keys]),
        lambda change: dg.map_asset_specs(change, [asset.with_hooks({_hook}) for asset in assets() if asset.keys]),
    ],
    ids=["assets", "definitions", "resolved", "selected", "one asset", "mapped", "resources", "attributes", "hooks"],
)
def test_partitions_that_are_forced_on_a_chain_are_refused_with_the_way_out(
    last: str, force: Callable[[Callable[[dg.AssetSpec], dg.AssetSpec]], object]
) -> None:
    with pytest.raises(DatasetDefinitionError, match=rf"people/{last} cannot have partitions: .*key_prefix and target"):
        force(only(last, partitioned))


def test_partitions_in_a_spec_are_refused_however_the_asset_is_made_of_it() -> None:
    (graph, *_) = assets()
    attributes = graph.get_attributes_dict()
    attributes["specs"] = [partitioned(spec) for spec in graph.specs]
    with pytest.raises(DatasetDefinitionError, match="people/cognified_graph cannot have partitions"):
        type(graph)(**attributes)


def test_a_step_that_was_given_partitions_all_the_same_reads_and_sends_nothing(
    chain: Chain, remote: FakeRemote
) -> None:
    """Whoever makes Dagster's own class of our asset's parts passes every guard but the step's."""
    (my_graph, *ours) = chain.assets
    bare = [dg.AssetsDefinition(**asset.get_attributes_dict()) for asset in ours if asset.keys]
    forced = dg.map_asset_specs(partitioned, bare)
    result = dg.materialize(
        [my_graph, *forced],
        resources=chain.resources,
        instance=chain.instance,
        partition_key="tenant-a",
        raise_on_error=False,
    )
    assert not result.success
    assert "cannot have partitions" in failure_of(result, "cognified_graph")[0]
    assert materialized(result) == ["graph"]
    assert remote.uploads == []


# What may be changed


def test_what_a_chain_does_not_rest_on_may_be_changed(chain: Chain, remote: FakeRemote) -> None:
    def changed(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(
            group_name="graphs",
            owners=["team:graphs"],
            tags={"tier": "gold"},
            kinds={"graph"},
            metadata={"link": "https://wiki.example.com"},
            description="ours",
            automation_condition=dg.AutomationCondition.eager(),
            code_version="7",
        )

    mapped = dg.map_asset_specs(changed, chain.assets)
    for asset in mapped[1:]:
        for spec in asset.specs:
            assert (spec.group_name, spec.owners, spec.description, spec.code_version) == (
                "graphs",
                ["team:graphs"],
                "ours",
                "7",
            )
            assert spec.kinds == {"graph"}
            assert spec.tags["tier"] == "gold"
            assert spec.metadata["link"] == "https://wiki.example.com"
            assert spec.automation_condition is not None
    result = dg.materialize(mapped, resources=chain.resources, instance=chain.instance)
    assert materialized(result) == ["graph", *CHAIN]
    assert len(remote.graph("people").nodes) == 3


def test_what_the_chain_itself_says_of_an_asset_stays() -> None:
    mapped = dg.map_asset_specs(lambda spec: spec.replace_attributes(tags={}, metadata={}), assets())
    tags = [dict(spec.tags) for asset in mapped for spec in asset.specs]
    assert [tag["cognee/dataset"] for tag in tags] == ["people"] * 4


def test_a_dependency_that_is_added_to_a_spec_runs_before(chain: Chain) -> None:
    @dg.asset
    def extract() -> None:
        raise dg.Failure("not today", allow_retries=False)

    mapped = dg.map_asset_specs(only("remote_push", lambda spec: spec.merge_attributes(deps=[extract])), chain.assets)
    result = dg.materialize(
        [extract, *mapped], resources=chain.resources, instance=chain.instance, raise_on_error=False
    )
    assert materialized(result) == ["graph", "cognified_graph", "cogx_archive"]


# What may not


@pytest.mark.parametrize(("last", "needed"), [("cognified_graph", "my/graph"), ("remote_push", "people/cogx_archive")])
def test_a_dependency_that_the_chain_needs_cannot_be_taken_away(last: str, needed: str) -> None:
    with pytest.raises(
        DatasetDefinitionError, match=f"people/{last} cannot do without its dependency {needed}: .*merge"
    ):
        dg.map_asset_specs(only(last, lambda spec: spec.replace_attributes(deps=["extract"])), assets())


@pytest.mark.parametrize(
    "rename",
    [
        lambda: dg.map_asset_specs(lambda spec: spec.replace_attributes(key=["eu", *spec.key.path]), assets()),
        lambda: definitions().map_asset_specs(func=lambda spec: spec.replace_attributes(key=["eu", *spec.key.path])),
        lambda: [
            asset.with_attributes(asset_key_replacements={key: key.with_prefix("eu") for key in asset.keys})
            for asset in assets()
        ],
    ],
    ids=["assets", "definitions", "attributes"],
)
def test_a_key_is_changed_with_key_prefix_only(rename: Callable[[], object]) -> None:
    with pytest.raises(
        DatasetDefinitionError, match=r"people/cognified_graph cannot become eu/people/cognified_graph: .*key_prefix"
    ):
        rename()
