"""``build_repush_sensor``: pushes again what the import sensor reported as failed."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import dagster as dg

from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.pushes import GraphKeys
from cognee_dagster.dagster.push_assets import push_assets
from cognee_dagster.dagster.sensors.policies import RepushPolicy
from cognee_dagster.dagster.sensors.repush import RepushPlan
from cognee_dagster.dagster.sensors.watched import named_by, named_in, push_keys_of
from cognee_dagster.dagster.shared import SharedSensor

_DESCRIPTION = "Pushes again what the import sensor reported as failed or stalled."

_Policies = Mapping[dg.AssetKey, RepushPolicy]


def build_repush_sensor(
    watched: Iterable[CogneeDataset | dg.AssetKey] | Mapping[CogneeDataset | dg.AssetKey, RepushPolicy],
    *,
    policy: RepushPolicy | None = None,
    name: str = "cognee_repush_sensor",
    minimum_interval_seconds: int = 60,
    default_status: dg.DefaultSensorStatus = dg.DefaultSensorStatus.RUNNING,
) -> dg.SensorDefinition:
    """A sensor that pushes again what the import sensor reported as failed or stalled, so many times and no more.

    It launches a run of the ``…/remote_push`` asset alone, into the same remote dataset, in the same mode and as full
    as the push that failed, tagged ``cognee/repush_of`` and ``cognee/repush_attempt``. An import merges, so that
    pushing again is safe. What has a newer push already, and what pushing again cannot help, is left alone. This is a
    separate sensor because one run request that Dagster refuses fails a whole tick.

    Args:
        watched: The datasets, or the keys of their ``…/remote_push`` assets; as a mapping, with a policy for each.
        policy: For those without their own; default: push again twice, in the background.
        name: The sensor's name.
        minimum_interval_seconds: Time between two ticks.
        default_status: Running from the start.
    """
    given: Mapping[CogneeDataset | dg.AssetKey, RepushPolicy] = (
        watched if isinstance(watched, Mapping) else dict.fromkeys(watched, policy or RepushPolicy())
    )
    policies = {key: its_policy for item, its_policy in given.items() for key in push_keys_of(item)}
    return dg.SensorDefinition(
        name=name,
        evaluation_fn=_evaluation(lambda _: policies, named_by(given)),
        minimum_interval_seconds=minimum_interval_seconds,
        default_status=default_status,
        asset_selection=dg.AssetSelection.assets(*policies),
        description=_DESCRIPTION,
    )


@cache
def shared_repush_sensor() -> dg.SensorDefinition:
    """The sensor over all datasets of a code location that have ``repush_attempts``."""
    return SharedSensor(
        name="cognee_repush_sensor",
        evaluation_fn=_evaluation(lambda repository: _policies(repository.asset_graph), {}),
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        asset_selection=_PushedAgain(),
        description=_DESCRIPTION,
    )


@dataclass(frozen=True)
class _PushedAgain(dg.AssetSelection):
    """The push assets of the datasets that have ``repush_attempts``."""

    def resolve_inner(self, asset_graph: Any, allow_missing: bool) -> set[dg.AssetKey]:  # noqa: ARG002 - Dagster's
        return set(_policies(asset_graph))


def _policies(asset_graph: Any) -> _Policies:
    return {
        asset.key: RepushPolicy(attempts=asset.repush_attempts, run_in_background=asset.repush_in_background)
        for asset in push_assets(asset_graph)
        if asset.repush_attempts
    }


def _evaluation(
    policies: Callable[[Any], _Policies], named: GraphKeys
) -> Callable[[dg.SensorEvaluationContext], dg.SensorResult]:
    def repush_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        watched = policies(context.repository_def)
        names = {**named_in(context.repository_def, watched), **named}
        plan = RepushPlan(context.instance, watched, now=time.time(), named=names)
        requests, notes = plan.requests()
        said = " ".join(notes) or "No failed import is to be pushed again."
        return dg.SensorResult(run_requests=requests, skip_reason=None if requests else said)

    return repush_sensor
