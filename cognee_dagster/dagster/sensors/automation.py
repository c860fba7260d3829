"""The automation sensor: has the automation conditions evaluated that assets of chains have."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import dagster as dg

from cognee_dagster.dagster.keys import AUTOMATED_ELSEWHERE, DATASET_TAG

AUTOMATION_SENSOR = "cognee_automation_sensor"


class _SharedAutomationSensor(dg.AutomationConditionSensorDefinition):
    """A sensor that is the same object wherever it is put."""

    def with_attributes(self, **_: Any) -> "_SharedAutomationSensor":
        return self


@dataclass(frozen=True)
class _WithCondition(dg.AssetSelection):
    """The assets of all chains that have a condition, but for those that a sensor of the user's evaluates."""

    def resolve_inner(self, asset_graph: Any, allow_missing: bool) -> set[dg.AssetKey]:  # noqa: ARG002 - Dagster's
        return {
            node.key
            for node in asset_graph.asset_nodes
            if node.automation_condition is not None
            and DATASET_TAG in node.tags
            and AUTOMATED_ELSEWHERE not in node.metadata
        }


@cache
def shared_automation_sensor() -> dg.AutomationConditionSensorDefinition:
    """The sensor over all assets of chains in a code location that have an automation condition.

    Dagster's own sensor for conditions, which takes those that no other sensor has, is off until somebody switches it
    on in the UI. Nothing else takes two for one asset: Dagster refuses to load that.
    """
    return _SharedAutomationSensor(
        AUTOMATION_SENSOR,
        target=_WithCondition(),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Evaluates the automation conditions of Cognee datasets' assets, and makes what they ask for.",
    )


def has_condition(assets: Iterable[dg.AssetsDefinition]) -> bool:
    """Whether there is anything to evaluate."""
    return any(spec.automation_condition is not None for asset in assets for spec in asset.specs)


def automated_elsewhere(assets: Iterable[dg.AssetsDefinition]) -> Sequence[dg.AssetsDefinition]:
    """The assets, left alone by the shared sensor: conditions that they get later, too."""

    def mark(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.merge_attributes(metadata={AUTOMATED_ELSEWHERE: True})

    return [asset.map_asset_specs(mark) if list(asset.specs) else asset for asset in assets]
