"""What is told about a push of one partition: whether it was made, whatever else its run was to do."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster import build_dataset_assets
from tests.unit.alert_world import Alerts
from tests.unit.tenant_world import TENANTS, Tenants, some_tenants

tenants = pytest.fixture(some_tenants)


@pytest.fixture
def alerts(tenants: Tenants, tmp_path: Path) -> Alerts:
    tenants.instance = dg.DagsterInstance.local_temp(str(tmp_path))
    now = datetime.now(timezone.utc).timestamp()
    return Alerts(tenants.instance, [tenants.dataset.push_key], now=now, dataset=str(tenants.dataset.name))


def run_with_a_step_after_the_push(tenants: Tenants, tenant: str) -> str:
    """A run of a tenant's chain and of one more step, which fails; the run's id."""

    @dg.asset(deps=[tenants.dataset.push_key], partitions_def=dg.StaticPartitionsDefinition(TENANTS))
    def report() -> None:
        raise RuntimeError

    assets: list[Any] = [*build_dataset_assets(tenants.dataset), report]
    result = dg.materialize(
        assets,
        resources=tenants.definitions.resources,
        instance=tenants.instance,
        partition_key=tenant,
        raise_on_error=False,
    )
    assert not result.success
    return str(result.run_id)


def test_a_push_that_was_made_is_not_told_when_a_later_step_of_its_run_fails(tenants: Tenants, alerts: Alerts) -> None:
    tenants.write("acme", size=2)
    run_with_a_step_after_the_push(tenants, "acme")
    assert tenants.instance.get_materialized_partitions(tenants.dataset.push_key) == {"acme"}
    alerts.ticks(4)
    assert alerts.told == []


def test_a_push_that_was_not_made_is_told_with_its_partition(tenants: Tenants, alerts: Alerts) -> None:
    tenants.write("acme", size=2)
    run_with_a_step_after_the_push(tenants, "acme")
    run_id = run_with_a_step_after_the_push(tenants, "beta")  # which has no graph
    alerts.ticks(4)
    (failure,) = alerts.told
    assert (failure.dagster_run_id, failure.partition) == (run_id, "beta")
    assert failure.dataset == "tenant_beta"
    assert failure.title == "Cognee push of tenant_beta (beta) failed"
