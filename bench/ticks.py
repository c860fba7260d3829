"""Ticks of a sensor, and how long they take."""

import time
from collections.abc import Callable, Sequence
from statistics import median

import dagster as dg

from cognee_dagster import CogneeRemote
from cognee_dagster.dagster import keys
from cognee_dagster.dagster.resources import REMOTE_RESOURCE
from cognee_dagster.testing import FakeRemote


def tick_imports(
    sensor: dg.SensorDefinition, instance: dg.DagsterInstance, remote: FakeRemote, *, cursor: str | None
) -> str | None:
    """Evaluates a sensor that asks the remote as the daemon does; the new cursor."""
    resource = CogneeRemote(url=remote.url, api_key=remote.api_key)
    with dg.build_sensor_context(instance=instance, cursor=cursor, resources={REMOTE_RESOURCE: resource}) as context:
        return sensor.evaluate_tick(context).cursor


def note_push(
    instance: dg.DagsterInstance,
    remote: FakeRemote,
    push_key: dg.AssetKey,
    *,
    dataset: str,
    partition: str | None = None,
) -> None:
    """Puts a push in the background, whose import is under way, into the event log."""
    metadata = {
        keys.STATUS: "started",
        keys.PIPELINE_RUN_ID: remote.add_run(dataset),
        keys.TARGET_DATASET: dataset,
        keys.REMOTE_URL: remote.url,
        keys.REMOTE_DATASET_ID: remote.dataset(dataset).id,
    }
    pushed = dg.AssetMaterialization(push_key, partition=partition, metadata=metadata)
    instance.report_runless_asset_event(pushed)


def medians(ticks: Sequence[Callable[[], object]], *, rounds: int) -> list[float]:
    """Seconds that each takes; they are run in turns."""
    took: list[list[float]] = [[] for _ in ticks]
    for _ in range(rounds):
        for tick, times in zip(ticks, took, strict=True):
            begin = time.perf_counter()
            tick()
            times.append(time.perf_counter() - begin)
    return [median(times) for times in took]
