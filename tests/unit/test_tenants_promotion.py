"""Tenants are promoted one by one: a check that was executed for all of them says of each what it found there."""

from typing import Any

import dagster as dg
import pytest

from cognee_dagster import RemoteTarget, build_dataset_assets
from cognee_dagster.dagster import keys
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import failure_of
from tests.unit.tenant_world import Tenants, some_tenants
from tests.unit.test_delivery import import_outcomes, wait_until

world = pytest.fixture(some_tenants)

STAGING = RemoteTarget("staging", target_dataset="staging_{partition}", sync="full", verify="graph")
PROD = RemoteTarget("prod", target_dataset="prod_{partition}", sync="full", promote_from="staging")


@pytest.fixture
def tenants(world: Tenants) -> Tenants:
    """Two tenants, whose graphs staging has confirmed."""
    world.options["targets"] = [STAGING, PROD]
    for tenant in ("acme", "beta"):
        world.write(tenant, size=3)
        assert push(world, tenant).success
    return world


def materialize(tenants: Tenants, *keys: dg.AssetKey, tenant: str, config: Any = None) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [*build_dataset_assets(tenants.dataset)],
        resources=tenants.definitions.resources,
        instance=tenants.instance,
        selection=dg.AssetSelection.assets(*keys),
        partition_key=tenant,
        raise_on_error=False,
        run_config={"ops": {keys[-1].to_python_identifier(): {"config": config}}} if config else None,
    )


def push(tenants: Tenants, tenant: str, config: Any = None) -> dg.ExecuteInProcessResult:
    """A run to staging."""
    to = tenants.dataset.target("staging")
    return materialize(tenants, to.graph_key, to.archive_key, to.push_key, tenant=tenant, config=config)


def promote(tenants: Tenants, tenant: str) -> dg.ExecuteInProcessResult:
    return materialize(tenants, tenants.dataset.target("prod").push_key, tenant=tenant)


def execute(tenants: Tenants, check: str) -> dg.AssetCheckEvaluation:
    """Presses the Execute button of a check of staging."""
    key = dg.AssetCheckKey(tenants.dataset.target("staging").remote_graph_key, check)
    result = dg.materialize(
        [*build_dataset_assets(tenants.dataset)],
        resources=tenants.definitions.resources,
        instance=tenants.instance,
        selection=dg.AssetSelection.checks(key),
    )
    (evaluation,) = result.get_asset_check_evaluations()
    return evaluation


@pytest.mark.parametrize("check", [keys.CHECK_GRAPH_COMPLETE, keys.CHECK_IN_SYNC])
def test_an_executed_check_blocks_the_tenants_that_it_names_until_they_are_pushed_again(
    tenants: Tenants, remote: FakeRemote, check: str
) -> None:
    remote.graph("staging_beta").nodes.clear()
    assert not execute(tenants, check).passed
    reason, metadata = failure_of(promote(tenants, "beta"), "prod__remote_push")
    assert metadata[keys.ERROR] == "PromotionError"
    assert f"the check {check} of " in reason
    assert promote(tenants, "acme").success
    assert push(tenants, "beta").success
    assert promote(tenants, "beta").success


def test_one_tenants_import_that_failed_blocks_no_other(tenants: Tenants, remote: FakeRemote) -> None:
    remote.fail_next_import("RuntimeError")
    with remote.hold_imports():
        assert push(tenants, "beta", {"run_in_background": True}).success
    wait_until(lambda: "failed" in import_outcomes(remote).values())
    assert not execute(tenants, keys.CHECK_IMPORT_SUCCEEDED).passed
    assert promote(tenants, "acme").success
    assert "PromotionError" in str(failure_of(promote(tenants, "beta"), "prod__remote_push"))


def test_what_an_executed_check_cannot_say_of_a_tenant_leaves_what_was_known_of_it(
    tenants: Tenants, remote: FakeRemote
) -> None:
    remote.graph("staging_beta").nodes.clear()
    assert not execute(tenants, keys.CHECK_IN_SYNC).passed
    for found in set((tenants.directory / "archives").rglob("*.cogx.tar.gz")):
        if "beta" in found.as_posix():
            found.rename(found.with_suffix(".away"))
    unknown = execute(tenants, keys.CHECK_IN_SYNC)
    assert unknown.metadata[keys.PARTITIONS_NOT_FINE].value == {"beta": None}
    assert "PromotionError" in str(failure_of(promote(tenants, "beta"), "prod__remote_push"))
    assert promote(tenants, "acme").success
