"""Dagster's daemon for tests: what it gives a sensor and ``build_sensor_context`` does not, and its ticks."""

import time
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


def wait_for_ticks(instance: dg.DagsterInstance, number: int, *, patience: float) -> None:
    """Until every sensor that ever ticked has begun and ended so many ticks from now on, for ``patience`` s at most."""
    began_at, deadline = time.time(), time.monotonic() + patience
    while time.monotonic() < deadline:
        found = [
            sum(
                tick.is_completed and tick.timestamp > began_at
                for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=number + 1)
            )
            for state in instance.all_instigator_state()
        ]
        if found and min(found) >= number:
            return
        time.sleep(0.1)
    raise AssertionError(f"of {number} ticks each, the sensors made {found} in {patience:.0f} s")
