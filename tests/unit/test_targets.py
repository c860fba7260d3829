"""One dataset with several targets: one graph and one archive, and for each target a push and a remote graph."""

from typing import Any

import dagster as dg
import pytest

from cognee_dagster import CogneeDataset, RemoteTarget, build_alert_sensor, build_definitions, build_import_sensor
from cognee_dagster.errors import DatasetDefinitionError
from tests.unit.target_world import PROD, STAGING, TO_ARCHIVE, TwoRemotes, jobs_of, two_remotes

world = pytest.fixture(two_remotes)


def test_a_target_has_its_own_push_and_remote_graph_below_one_archive(world: TwoRemotes) -> None:
    graph = world.definitions.resolve_asset_graph()
    ours = {key.to_user_string() for key in graph.get_all_asset_keys() if key.path[0] == "people"}
    assert ours == {
        "people/cognified_graph",
        "people/cogx_archive",
        "people/staging/remote_push",
        "people/staging/remote_graph",
        "people/prod/remote_push",
        "people/prod/remote_graph",
    }
    for name, remote in (("staging", "staging"), ("prod", "production")):
        push = graph.get(world.dataset.target(name).push_key)
        assert push.parent_keys == {world.dataset.archive_key}
        assert push.tags.items() >= world.dataset.target(name).all_tags.items()
        assert push.tags["cognee/remote"] == remote
        assert push.assets_def.op.pool == remote
        assert graph.get(world.dataset.target(name).remote_graph_key).parent_keys == {push.key}
    assert "cognee/remote" not in graph.get(world.dataset.archive_key).tags


def test_without_targets_the_keys_stay_what_they_are() -> None:
    dataset = CogneeDataset(name="people", key_prefix="team")
    (only,) = dataset.each_target
    assert only is dataset
    assert dataset.push_key == dg.AssetKey(["team", "people", "remote_push"])
    assert dataset.all_tags == {"cognee/dataset": "people", "cognee/remote": "cognee_remote"}


def test_a_push_to_one_target_leaves_the_other_alone(world: TwoRemotes) -> None:
    assert world.run(*TO_ARCHIVE, "people/staging/remote_push").success
    assert len(world.staging.graph("people").nodes) == 3
    assert world.production.uploads == []
    materialized = world.instance.get_latest_materialization_event
    assert materialized(world.dataset.target("staging").remote_graph_key) is not None
    assert materialized(world.dataset.target("prod").remote_graph_key) is None


def test_each_target_gets_the_same_archive_into_its_own_dataset(world: TwoRemotes) -> None:
    assert world.run().success
    assert len(world.staging.graph("people").nodes) == len(world.production.graph("people_prod").nodes) == 3
    sent = [remote.uploads[-1].uploads[0].sha256 for remote in (world.staging, world.production)]
    assert sent[0] == sent[1]


def test_a_target_that_fails_holds_up_no_other(world: TwoRemotes) -> None:
    world.staging.fail_next_import("RuntimeError")
    assert not world.run().success
    assert len(world.production.graph("people_prod").nodes) == 3


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"name": "a b"}, r"RemoteTarget 'a b': name='a b' .*letters, digits"),
        ({"name": "x" * 64}, r"RemoteTarget .*name='x+.*at most 63"),
        ({"name": ""}, r"RemoteTarget '': name='' .*letters, digits"),
        ({"name": 7}, r"RemoteTarget '7': name=7 .*a string"),
        ({"name": "remote_push"}, "an asset of every dataset is called so"),
        ({"name": "a", "mode": "merge"}, r"RemoteTarget 'a': mode='merge' .*preserve, hybrid, re-derive"),
        ({"name": "a", "remote": "local_cognee"}, r"RemoteTarget 'a': remote=.*another resource"),
        ({"name": "a", "sync": "incremental", "mode": "hybrid"}, r"RemoteTarget 'a': sync=.*graph of its own"),
        ({"name": "a", "cron_schedule": "every day"}, r"RemoteTarget 'a': cron_schedule="),
        ({"name": "a", "target_dataset": "my data"}, r"RemoteTarget 'a': target_dataset=.*space or a dot"),
        ({"name": "a", "max_removed": 2}, r"RemoteTarget 'a': max_removed=2 .*0 to 1"),
    ],
)
def test_a_target_that_cannot_work_is_refused_by_name_and_field(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(DatasetDefinitionError, match=reason):
        RemoteTarget(**arguments)


@pytest.mark.parametrize(
    ("targets", "reason"),
    [
        ([RemoteTarget("a"), RemoteTarget("a", remote="b")], "'a' and 'a' would have one name in Dagster"),
        ([RemoteTarget("a-b"), RemoteTarget("a_b", remote="b")], "'a-b' and 'a_b' would have one name in Dagster"),
        (
            [RemoteTarget("a"), RemoteTarget("b", target_dataset="people")],
            "'a' and 'b' are both the dataset 'people' of the remote 'cognee_remote'",
        ),
        (["a"], "must be a list of RemoteTarget"),
    ],
)
def test_targets_that_are_one_are_refused(targets: list[Any], reason: str) -> None:
    with pytest.raises(DatasetDefinitionError, match=rf"CogneeDataset 'people': targets=.*{reason}"):
        CogneeDataset(name="people", targets=targets)


def test_what_a_target_says_the_dataset_does_not_say() -> None:
    with pytest.raises(DatasetDefinitionError, match=r"sync='incremental' .*each RemoteTarget says that itself"):
        CogneeDataset(name="people", sync="incremental", targets=[RemoteTarget("a")])
    with pytest.raises(DatasetDefinitionError, match=r"sync='incremental' .*an archive= is sent as it is"):
        CogneeDataset(name="people", archive="a.tar.gz", targets=[RemoteTarget("a", sync="incremental")])
    with pytest.raises(DatasetDefinitionError, match=r"name='my data' .*Set target_dataset"):
        CogneeDataset(name="my data", targets=[RemoteTarget("a", target_dataset="a"), RemoteTarget("b")])


def test_of_several_targets_one_is_asked_for_its_assets(world: TwoRemotes) -> None:
    for name in ("push_key", "remote_graph_key"):
        with pytest.raises(DatasetDefinitionError, match=r"say whose .* is meant, such as \.target\('staging'\)"):
            getattr(world.dataset, name)
    with pytest.raises(DatasetDefinitionError, match=r"targets=\['staging', 'prod'\] .*none of them is 'qa'"):
        world.dataset.target("qa")


def test_datasets_and_targets_of_one_step_are_refused() -> None:
    people_to_staging = CogneeDataset(name="people", targets=[STAGING])
    for other in (CogneeDataset(name="staging", key_prefix="people"), CogneeDataset(name="people", targets=[PROD])):
        with pytest.raises(DatasetDefinitionError, match=r"would have the same step 'people__(staging|cogx)"):
            build_definitions([people_to_staging, other])


def test_each_target_has_its_own_schedule(world: TwoRemotes) -> None:
    world.targets = (RemoteTarget("staging", remote="staging", cron_schedule="0 3 * * *"), PROD)
    definitions = world.definitions
    assert jobs_of(definitions, "push_people__staging") == {
        "my/graph",
        "people/cognified_graph",
        "people/cogx_archive",
        "people/staging/remote_push",
    }
    assert jobs_of(definitions, "push_all_datasets") == {
        *jobs_of(definitions, "push_people__staging"),
        "people/prod/remote_push",
    }


def test_each_target_is_watched_by_the_sensor_of_its_remote(world: TwoRemotes) -> None:
    repository = world.definitions.get_repository_def()
    assert {sensor.name for sensor in repository.sensor_defs} >= {
        "cognee_import_sensor_staging",
        "cognee_import_sensor_production",
    }
    own = build_import_sensor([world.dataset], name="own", remote_resource_key="production")
    assert own.metadata["cognee/watched"].value == ["people/prod/remote_push"]
    with pytest.raises(DatasetDefinitionError, match="is pushed to 'staging', 'production'"):
        build_import_sensor([world.dataset], name="own")


def test_the_alert_sensor_watches_every_target_and_says_which(world: TwoRemotes) -> None:
    told: list[Any] = []
    sensor = build_alert_sensor([world.dataset], on_failure=told.append)
    world.production.fail_next_import("RuntimeError")
    context = dg.build_sensor_context(instance=world.instance, definitions=world.definitions)
    sensor.evaluate_tick(context)
    assert not world.run().success
    context = dg.build_sensor_context(instance=world.instance, definitions=world.definitions)
    sensor.evaluate_tick(context)
    assert [(failure.target, failure.push_asset) for failure in told] == [("prod", "people/prod/remote_push")]
    assert told[0].title.startswith("Cognee push of people to prod into people_prod on http://")
