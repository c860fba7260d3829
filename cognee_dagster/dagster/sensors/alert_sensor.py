"""``build_alert_sensor``: tells a person, or launches a run, when a graph did not arrive."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.failure_log import FailureLog, WatchedPush
from cognee_dagster.dagster.sensors.alert_tick import AlertTick, OnFailure
from cognee_dagster.dagster.sensors.watched import identity_of, named_by, named_in


def build_alert_sensor(
    watched: Iterable[CogneeDataset | dg.AssetKey],
    *,
    on_failure: OnFailure,
    job: Any = None,  # Dagster does not name the type of what define_asset_job returns
    name: str = "cognee_alert_sensor",
    minimum_interval_seconds: int = 30,
    default_status: dg.DefaultSensorStatus = dg.DefaultSensorStatus.RUNNING,
    look_back_seconds: float = 3_600.0,
    webserver_base_url: str = "",
) -> dg.SensorDefinition:
    """A sensor that calls a function of yours for every graph that did not arrive, or launches a job of yours.

    That is: each import that failed, stalled or is incomplete, and each run that failed for good without making the
    push it was to make (all retries of the step and of the run used up, or a step before it failed). A run that was
    canceled is none, nor is a failure that a newer push has made good already.

    A run is launched exactly once a failure. A function that returns None is called once, too, unless it raises (then
    it is called again later, for that failure alone) or its process dies before it was noted that it has returned:
    ``PushFailure.id`` is the same each time.

    Args:
        watched: The datasets, or the keys of their ``…/remote_push`` assets.
        on_failure: Called with each ``PushFailure``; may be asynchronous. Where it returns a ``dagster.RunRequest``,
            that is launched, with the failure's id as its run key. It should end within 10 s, since Dagster abandons a
            tick after 60 s.
        job: What such a run request launches, if it does not name a job itself.
        name: The sensor's name.
        minimum_interval_seconds: Time between two ticks.
        default_status: Running from the start.
        look_back_seconds: How old a failure may be that is told by the first tick, or by one whose cursor was reset.
        webserver_base_url: The address of Dagster's UI, for links.
    """
    items = list(watched)
    names, named = {key: which for item in items for key, which in _named(item)}, named_by(items)
    by_text = {key.to_user_string(): key for key in names}

    @dg.sensor(
        name=name,
        minimum_interval_seconds=minimum_interval_seconds,
        default_status=default_status,
        job=job,
        description="Tells a person, or launches a run, when a graph did not arrive on the remote.",
    )
    def alert_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        tick = AlertTick(
            instance=context.instance,
            failures=FailureLog(
                context.instance,
                names,
                webserver=webserver_base_url,
                named={**named_in(context.repository_def, names), **named},
            ),
            watched=by_text,
            on_failure=on_failure,
            name=name,
            sensor=identity_of(name, context),
            look_back=look_back_seconds,
            now=time.time(),
            log=context.log,
        )
        result = tick.run(context.cursor)
        return dg.SensorResult(
            run_requests=result.requests,
            cursor=result.cursor,
            skip_reason=None if result.requests else result.summary,
        )

    return alert_sensor


def _named(item: CogneeDataset | dg.AssetKey) -> Iterator[tuple[dg.AssetKey, WatchedPush]]:
    """Push assets, and what is pushed by them; of a key the dataset is what stands before ``remote_push``."""
    if isinstance(item, CogneeDataset):
        for found in item.each_target:
            yield found.push_key, WatchedPush(dataset=str(item.name), target=found.target_name)
    else:
        yield item, WatchedPush(dataset=item.path[-2] if len(item.path) > 1 else item.to_user_string())
