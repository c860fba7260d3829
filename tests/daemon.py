"""What the daemon gives a sensor and ``build_sensor_context`` does not: an instance on disk, of dynamic partitions."""

from typing import Any

import dagster as dg


def daemon_context(
    instance: dg.DagsterInstance, defs: dg.Definitions, resources: dict[str, Any]
) -> dg.SensorEvaluationContext:
    """The context of a tick; without a reference to its instance, Dagster could not check a request's partition."""
    return dg.SensorEvaluationContext(
        instance_ref=instance.get_ref(),
        instance=instance,
        last_tick_completion_time=None,
        last_run_key=None,
        cursor=None,
        repository_name=None,
        repository_def=defs.get_repository_def(),
        resources=resources,
    )
