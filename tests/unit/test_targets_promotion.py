"""A target gets what another one has confirmed: those very bytes, and nothing that failed there."""

import hashlib
from dataclasses import replace
from typing import Any

import dagster as dg
import pytest

from cognee_dagster import CogneeDataset, RemoteTarget, promoted_from, store
from cognee_dagster.dagster import keys
from cognee_dagster.dagster.translator import CogneeAssetProps, CogneeTranslator
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.store.archives import ArchiveStore
from cognee_dagster.store.keep import Keep
from cognee_dagster.store.prune import prune_archives
from cognee_dagster.testing.faults import UPLOADS, answer
from tests.asset_chain import checks, failure_of, metadata_of, people
from tests.unit.target_world import PROD, STAGING, TO_ARCHIVE, TwoRemotes, jobs_of, two_remotes

world = pytest.fixture(two_remotes)

TO_STAGING = (*TO_ARCHIVE, "people/staging/remote_push")
PROMOTED = replace(PROD, promote_from="staging", automation_condition=promoted_from("staging"))
PUSH_TO_PROD = "people/prod/remote_push"


@pytest.fixture
def promoting(world: TwoRemotes) -> TwoRemotes:
    """Staging has confirmed a graph of three people, and production is promoted from staging."""
    world.targets = (STAGING, PROMOTED)
    assert world.run(*TO_STAGING).success
    return world


def stored(world: TwoRemotes) -> list[store.ListedArchive]:
    """What is stored, the newest first."""
    base = ArchiveStore.at(str(world.directory / "archives"))
    return store.listed(base, wanted=lambda found: found.place[-1] == "cogx_archive")


def sent_to_production(world: TwoRemotes) -> str:
    return world.production.uploads[-1].uploads[0].sha256


def blob(archive: store.ListedArchive) -> str:
    return hashlib.sha256(archive.stored.files[0].location.read_bytes()).hexdigest()


def report_check(world: TwoRemotes, name: str, *, passed: bool, **metadata: Any) -> None:
    """What a sensor, or the Execute button, says about staging."""
    world.instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=world.dataset.target("staging").remote_graph_key,
            check_name=name,
            passed=passed,
            description="Three nodes are missing.",
            metadata=metadata,
        )
    )


def reason_of(result: dg.ExecuteInProcessResult) -> tuple[str, str]:
    """Class and words of why production's push failed."""
    words, metadata = failure_of(result, "prod__remote_push")
    return metadata[keys.ERROR], words


def test_production_gets_the_very_bytes_that_staging_has_confirmed(promoting: TwoRemotes) -> None:
    assert promoting.production.uploads == []
    (confirmed,) = stored(promoting)
    promoting.graph = people(size=5)
    assert promoting.run(*TO_ARCHIVE).success  # made, and not pushed to staging
    result = promoting.run(PUSH_TO_PROD)
    assert result.success
    assert sent_to_production(promoting) == blob(confirmed)
    assert len(promoting.production.graph("people_prod").nodes) == 3
    metadata = metadata_of(result, "remote_push")
    assert metadata[keys.PROMOTED_FROM] == "staging"
    assert metadata[keys.CHOSEN_ARCHIVE] == confirmed.digest
    assert checks(result)["remote_import_succeeded"].passed


def test_documents_are_promoted_byte_by_byte_with_the_ids_of_the_archive(world: TwoRemotes) -> None:
    world.targets = (STAGING, PROMOTED)
    world.graph.add_node("c", type="DocumentChunk", text="Person 0 knows Person 1.")
    assert world.run(*TO_STAGING).success
    assert world.run(PUSH_TO_PROD).success
    assert sent_to_production(world) == blob(stored(world)[0])
    (document,) = world.production.documents("people_prod")
    assert ":" not in document


def test_nothing_that_staging_has_not_confirmed_is_promoted(world: TwoRemotes) -> None:
    world.targets = (STAGING, PROMOTED)
    assert world.run(*TO_ARCHIVE).success
    error, words = reason_of(world.run(PUSH_TO_PROD))
    assert (error, world.production.uploads) == ("PromotionError", [])
    assert "people/staging/remote_graph was never materialized" in words


@pytest.mark.parametrize(
    ("check", "of_this_push"),
    [
        ("remote_import_succeeded", False),
        ("remote_graph_complete", True),
        ("remote_in_sync", True),
        ("remote_answers", True),
    ],
)
def test_a_failed_check_of_staging_blocks_the_promotion(promoting: TwoRemotes, check: str, of_this_push: bool) -> None:
    push = promoting.instance.get_latest_materialization_event(promoting.dataset.target("staging").push_key)
    assert push is not None
    report_check(promoting, check, passed=False, **{keys.PUSH_RUN_ID: push.run_id if of_this_push else "another"})
    error, words = reason_of(promoting.run(PUSH_TO_PROD))
    assert (error, promoting.production.uploads) == ("PromotionError", [])
    assert f"the check {check} of people/staging/remote_graph has failed. Three nodes are missing." in words
    report_check(promoting, check, passed=True)
    assert promoting.run(PUSH_TO_PROD).success


def test_a_check_that_could_not_ask_or_was_of_an_earlier_push_blocks_nothing(promoting: TwoRemotes) -> None:
    report_check(promoting, "remote_graph_complete", passed=False, **{keys.PUSH_RUN_ID: "earlier"})
    graph_key = promoting.dataset.target("staging").remote_graph_key
    promoting.instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=graph_key,
            check_name=keys.CHECK_IMPORT_SUCCEEDED,
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={},
        )
    )
    assert promoting.run(PUSH_TO_PROD).success


def test_an_archive_that_was_made_and_not_pushed_blocks_no_promotion(world: TwoRemotes) -> None:
    world.targets = (replace(STAGING, verify="graph"), PROMOTED)
    assert world.run(*TO_STAGING).success
    world.graph = people(size=5)
    assert world.run(*TO_ARCHIVE).success
    definitions = world.definitions
    assets: Any = definitions.assets
    check = dg.AssetCheckKey(world.dataset.target("staging").remote_graph_key, keys.CHECK_GRAPH_COMPLETE)
    executed = dg.materialize(
        assets,
        resources=definitions.resources,
        instance=world.instance,
        selection=dg.AssetSelection.checks(check),
    )
    assert executed.get_asset_check_evaluations()[0].check_name == keys.CHECK_GRAPH_COMPLETE
    assert world.run(PUSH_TO_PROD).success


def test_in_one_run_production_waits_for_staging_and_gets_nothing_when_that_fails(promoting: TwoRemotes) -> None:
    promoting.graph = people(size=5)
    promoting.staging.fail_next_import("RuntimeError")
    assert not promoting.run().success
    assert promoting.production.uploads == []
    assert promoting.run().success
    assert len(promoting.production.graph("people_prod").nodes) == 5


def test_a_mirror_is_brought_to_the_state_that_was_promoted(world: TwoRemotes) -> None:
    world.targets = (STAGING, replace(PROMOTED, sync="incremental", max_removed=1.0))
    world.graph = people(size=5)
    for size in (5, 3):
        world.graph = people(size=size)
        assert world.run(*TO_STAGING).success
        assert world.run(PUSH_TO_PROD).success
        assert len(world.production.graph("people_prod").nodes) == size
    assert len(world.staging.graph("people").nodes) == 5  # a full push removes nothing


def test_a_launch_promotes_to_a_target_that_is_not_promoted_otherwise(world: TwoRemotes) -> None:
    assert world.run(*TO_STAGING).success
    (confirmed,) = stored(world)
    world.graph = people(size=5)
    assert world.run(*TO_ARCHIVE).success
    assert world.run(PUSH_TO_PROD, config={"promote_from": "staging"}).success
    assert sent_to_production(world) == blob(confirmed)
    assert world.run(PUSH_TO_PROD).success
    assert sent_to_production(world) == blob(stored(world)[0])


def test_a_launch_goes_past_staging_only_where_it_says_so(promoting: TwoRemotes) -> None:
    promoting.graph = people(size=5)
    assert promoting.run(*TO_ARCHIVE).success
    for config in ({"archive": "latest"}, {"promote_from": ""}):
        assert promoting.run(PUSH_TO_PROD, config=config).success
        assert sent_to_production(promoting) == blob(stored(promoting)[0])


def test_a_target_that_is_none_is_named(promoting: TwoRemotes) -> None:
    error, words = reason_of(promoting.run(PUSH_TO_PROD, config={"promote_from": "qa"}))
    assert error == "PromotionError"
    assert "promote_from='qa' cannot be used: 'people' to prod can be promoted from staging." in words


def test_a_confirmed_archive_that_was_deleted_is_missed(promoting: TwoRemotes) -> None:
    for found in (promoting.directory / "archives").rglob("*"):
        if found.is_file() and "cogx_archive" in found.as_posix():
            found.unlink()
    error, words = reason_of(promoting.run(PUSH_TO_PROD))
    assert error == "ArchiveNotStoredError"
    assert "The archive that 'staging' has confirmed" in words
    assert promoting.production.uploads == []


def test_jobs_that_push_what_was_made_leave_out_what_is_promoted(world: TwoRemotes) -> None:
    world.targets = (STAGING, replace(PROMOTED, cron_schedule="0 6 * * 1"))
    assert jobs_of(world.definitions, "push_all_datasets") == set(TO_STAGING)
    assert jobs_of(world.definitions, "push_people__prod") == {PUSH_TO_PROD}


def test_the_lineage_leads_from_what_staging_has_to_production(promoting: TwoRemotes) -> None:
    push = promoting.definitions.resolve_asset_graph().get(promoting.dataset.target("prod").push_key)
    staging = promoting.dataset.target("staging")
    assert push.parent_keys == {promoting.dataset.archive_key, staging.push_key, staging.remote_graph_key}
    with pytest.raises(DatasetDefinitionError, match="cannot do without its dependency people/staging/remote_graph"):
        promoting.definitions.map_asset_specs(
            func=lambda spec: (
                spec.replace_attributes(deps=[promoting.dataset.archive_key, staging.push_key])
                if spec.key == push.key
                else spec
            )
        )


def test_the_condition_is_true_once_for_each_import_that_was_confirmed(world: TwoRemotes) -> None:
    world.targets = (STAGING, PROMOTED)
    cursor = None

    def is_requested() -> bool:
        nonlocal cursor
        result = dg.evaluate_automation_conditions(world.definitions, world.instance, cursor=cursor)
        cursor = result.cursor
        return result.get_num_requested(world.dataset.target("prod").push_key) == 1

    assert not is_requested()
    assert world.run(*TO_ARCHIVE).success
    assert not is_requested()
    assert world.run(*TO_STAGING).success
    assert is_requested()
    assert not is_requested()
    assert world.run(*TO_STAGING).success
    report_check(world, keys.CHECK_IMPORT_SUCCEEDED, passed=False)
    assert not is_requested()
    assert world.run("people/staging/remote_push").success
    assert is_requested()


@pytest.mark.parametrize(
    ("targets", "reason"),
    [
        ([RemoteTarget("a", promote_from="b")], "'a' is promoted from 'b', which is none of them"),
        (
            [RemoteTarget("a", promote_from="b"), RemoteTarget("b", remote="b", promote_from="a")],
            "'a' is promoted from itself in the end",
        ),
        ([RemoteTarget("a", promote_from="a")], "'a' is promoted from itself in the end"),
    ],
)
def test_a_promotion_that_cannot_work_is_refused(targets: list[RemoteTarget], reason: str) -> None:
    with pytest.raises(DatasetDefinitionError, match=reason):
        CogneeDataset(name="people", targets=targets)


class Renamed(CogneeTranslator):
    """Calls what a target has ``<target>_<kind>``."""

    def get_asset_spec(self, props: CogneeAssetProps) -> dg.AssetSpec:
        spec = super().get_asset_spec(props)
        return spec if props.target is None else spec.replace_attributes(key=["t", f"{props.target}_{props.kind}"])


def test_the_condition_finds_the_remote_graph_under_whatever_name_a_translator_gives_it(world: TwoRemotes) -> None:
    world.targets = (STAGING, PROMOTED)
    world.translator = Renamed()
    assert world.dataset.target("prod").push_key == dg.AssetKey(["t", "prod_remote_push"])
    cursor = dg.evaluate_automation_conditions(world.definitions, world.instance).cursor
    assert world.run(*TO_ARCHIVE, "t/staging_remote_push").success
    found = dg.evaluate_automation_conditions(world.definitions, world.instance, cursor=cursor)
    assert found.get_num_requested(world.dataset.target("prod").push_key) == 1
    assert world.run("t/prod_remote_push").success
    assert len(world.production.graph("people_prod").nodes) == 3


def test_a_promoted_target_is_not_pushed_when_the_graph_has_changed() -> None:
    with pytest.raises(DatasetDefinitionError, match=r"push_when_changed=True .*another target has confirmed"):
        RemoteTarget("prod", promote_from="staging", push_when_changed=True)


def test_no_prune_takes_what_was_confirmed(promoting: TwoRemotes) -> None:
    (confirmed,) = stored(promoting)
    for size in (4, 5):
        promoting.graph = people(size=size)
        assert promoting.run(*TO_ARCHIVE).success
    base = ArchiveStore.at(str(promoting.directory / "archives"))
    prune_archives(base, Keep(last=1))
    assert [found.digest for found in stored(promoting)][-1] == confirmed.digest
    assert len(stored(promoting)) == 2
    assert promoting.run(PUSH_TO_PROD).success
    assert sent_to_production(promoting) == blob(confirmed)


def test_no_prune_takes_what_was_confirmed_when_the_push_after_it_has_failed(promoting: TwoRemotes) -> None:
    (confirmed,) = stored(promoting)
    promoting.graph = people(size=4)
    promoting.staging.faults.on(UPLOADS, answer(400))
    assert not promoting.run(*TO_STAGING).success
    begun = stored(promoting)[0]
    promoting.graph = people(size=5)
    assert promoting.run(*TO_ARCHIVE).success
    prune_archives(ArchiveStore.at(str(promoting.directory / "archives")), Keep(last=1))
    assert [found.digest for found in stored(promoting)][1:] == [begun.digest, confirmed.digest]
    assert promoting.run(PUSH_TO_PROD).success
    assert sent_to_production(promoting) == blob(confirmed)
