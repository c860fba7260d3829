"""The automation sensor: makes the pushes happen that wait for the graph to change."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import dagster as dg

from cognee_dagster.dagster.keys import PUSH_WHEN_CHANGED

AUTOMATION_SENSOR = "cognee_automation_sensor"


class _SharedAutomationSensor(dg.AutomationConditionSensorDefinition):
    """A sensor that is the same object wherever it is put."""

    def with_attributes(self, **_: Any) -> "_SharedAutomationSensor":
        return self


@dataclass(frozen=True)
class _PushedWhenChanged(dg.AssetSelection):
    """The assets that ``push_when_changed`` gave a condition."""

    def resolve_inner(self, asset_graph: Any, allow_missing: bool) -> set[dg.AssetKey]:  # noqa: ARG002 - Dagster's
        return {node.key for node in asset_graph.asset_nodes if PUSH_WHEN_CHANGED in node.metadata}


@cache
def shared_automation_sensor() -> dg.AutomationConditionSensorDefinition:
    """The sensor over all datasets of a code location that have ``push_when_changed``.

    Dagster's own sensor for conditions is off until somebody switches it on in the UI.
    """
    return _SharedAutomationSensor(
        AUTOMATION_SENSOR,
        target=_PushedWhenChanged(),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Pushes the datasets that wait for their graph to change.",
    )
