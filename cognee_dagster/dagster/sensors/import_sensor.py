"""The import sensor, one of your own or the shared one: reports what has become of background imports."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import dagster as dg

from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.pushes import GraphKeys, Push, PushLog
from cognee_dagster.dagster.push_assets import push_assets
from cognee_dagster.dagster.resources import REMOTE_RESOURCE, CogneeRemote
from cognee_dagster.dagster.sensors.answers import Prober
from cognee_dagster.dagster.sensors.budget import TimeBudget
from cognee_dagster.dagster.sensors.overlap import refuse_overlap, watched_keys, watching, watching_remote
from cognee_dagster.dagster.sensors.policies import WatchPolicy
from cognee_dagster.dagster.sensors.polling import FeedWithin, Remote
from cognee_dagster.dagster.sensors.tick import ImportTick
from cognee_dagster.dagster.sensors.watched import (
    ReportedGraphs,
    identity_of,
    named_by,
    named_in,
    probes_in,
    push_keys_of,
)
from cognee_dagster.dagster.shared import SharedSensor
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.pushing.probes.probe import Probe
from cognee_dagster.remote.retry import RetryPolicy

IMPORT_SENSOR = "cognee_import_sensor"

_DEFAULTS = WatchPolicy()
_DESCRIPTION = "Reports what has become of background pushes: materializes remote_graph, or fails its check."

_Evaluation = Callable[[dg.SensorEvaluationContext], dg.SensorResult]


def build_import_sensor(
    watched: Iterable[CogneeDataset | dg.AssetKey],
    *,
    name: str = IMPORT_SENSOR,
    minimum_interval_seconds: int = 30,
    default_status: dg.DefaultSensorStatus = dg.DefaultSensorStatus.RUNNING,
    time_budget_seconds: float = _DEFAULTS.time_budget,
    stalled_after_seconds: float = _DEFAULTS.stalled_after,
    reports_per_tick: int = _DEFAULTS.reports_per_tick,
    remote_resource_key: str = REMOTE_RESOURCE,
) -> dg.SensorDefinition:
    """A sensor that reports what has become of background pushes, each import exactly once.

    A finished import materializes ``…/remote_graph`` and passes its check ``remote_import_succeeded``; the remote is
    asked the dataset's probes, if it has some. One that failed, stalled or lost its dataset fails that check, with the
    reason and what to do next. What was reported is looked up in the event log by the import's ``pipeline_run_id``, so
    that neither a crash nor a lost cursor reports it twice.

    Args:
        watched: The datasets, or the keys of their ``…/remote_push`` assets; of a dataset's targets those that are on
            this remote.
        name: The sensor's name.
        minimum_interval_seconds: Time between two ticks.
        default_status: Running from the start, unlike Dagster's own sensors: without it a background push would never
            be seen to end.
        time_budget_seconds: For all that one tick reads and asks. Dagster abandons a tick after 60 s
            (``DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS``); an answer that takes longer than what is left is cut off.
        stalled_after_seconds: Age from which an import that neither ends nor fails is reported as stalled, for good.
            Cognee 1.6.5 imports some 60 to 90 nodes a second.
        reports_per_tick: How many imports are reported in one tick at most.
        remote_resource_key: The key of the ``CogneeRemote`` resource that is asked.

    Raises:
        DatasetDefinitionError: A dataset is pushed to other remotes only than the sensor asks.
    """
    items = list(watched)
    for item in items:
        if not push_keys_of(item, remote=remote_resource_key) and isinstance(item, CogneeDataset):
            remotes = ", ".join(repr(found.remote) for found in item.each_target)
            raise DatasetDefinitionError(
                f"The sensor {name!r} asks {remote_resource_key!r}, and the dataset {str(item.name)!r} is pushed to "
                f"{remotes}. Give each remote a sensor of its own, with another name and remote_resource_key."
            )
    push_keys = [key for item in items for key in push_keys_of(item, remote=remote_resource_key)]
    policy = WatchPolicy(
        time_budget=time_budget_seconds, stalled_after=stalled_after_seconds, reports_per_tick=reports_per_tick
    )
    return _ReportingSensor(
        reported=ReportedGraphs(tuple(push_keys)),
        name=name,
        evaluation_fn=_evaluation(name, remote_resource_key, policy, lambda _: push_keys, named_by(items)),
        minimum_interval_seconds=minimum_interval_seconds,
        default_status=default_status,
        # The key is only known here, so the resource is asked for by name; like a parameter it comes with its EnvVars
        # resolved, which one that the function closed over would not.
        required_resource_keys={remote_resource_key},
        description=_DESCRIPTION,
        metadata=watching(push_keys),
    )


class _ReportingSensor(dg.SensorDefinition):
    """A sensor with assets on its page.

    Given to Dagster's own constructor, they would have every tick look into a code location, which a test of a project
    need not have.
    """

    def __init__(self, *, reported: ReportedGraphs, **options: Any) -> None:
        super().__init__(**options)
        self._reported = reported

    @property
    def asset_selection(self) -> dg.AssetSelection:
        """The assets."""
        return self._reported


@cache
def shared_import_sensor(remote_resource_key: str) -> dg.SensorDefinition:
    """The sensor over all datasets of a code location that are pushed to one remote, but for those with their own."""
    default = remote_resource_key == REMOTE_RESOURCE
    name = IMPORT_SENSOR if default else f"{IMPORT_SENSOR}_{remote_resource_key}"

    def push_keys(repository: dg.RepositoryDefinition | None) -> list[dg.AssetKey]:
        if repository is None:
            raise DatasetDefinitionError(
                f"The sensor {name!r} does not know its code location. Give it: build_sensor_context(definitions=…)."
            )
        others = watched_keys(repository)
        assets = push_assets(repository.asset_graph)
        return [asset.key for asset in assets if asset.remote == remote_resource_key and asset.key not in others]

    return SharedSensor(
        name=name,
        evaluation_fn=_evaluation(name, remote_resource_key, _DEFAULTS, push_keys, {}),
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        required_resource_keys={remote_resource_key},
        asset_selection=ReportedGraphs(remote=remote_resource_key),
        description=f"{_DESCRIPTION} Of every dataset that is pushed to {remote_resource_key}.",
        metadata=watching_remote(remote_resource_key),
    )


def _evaluation(
    name: str,
    remote_resource_key: str,
    policy: WatchPolicy,
    push_keys: Callable[[Any], Sequence[dg.AssetKey]],
    named: GraphKeys,
) -> _Evaluation:
    def import_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        refuse_overlap(name, context.repository_def)
        remote: CogneeRemote = getattr(context.resources, remote_resource_key)
        watched = push_keys(context.repository_def)
        tick = ImportTick(
            context.instance,
            pushes=PushLog(context.instance, watched, {**named_in(context.repository_def, watched), **named}),
            connect=lambda budget: _connect(remote, budget, probes_in(context.repository_def)),
            policy=policy,
            now=time.time(),
            log=context.log,
            sensor=identity_of(name, context),
        )
        result = tick.run(context.cursor)
        return dg.SensorResult(asset_events=result.events, cursor=result.cursor, skip_reason=result.summary)

    return import_sensor


@contextmanager
def _connect(remote: CogneeRemote, budget: TimeBudget, probes: Callable[[Push], Sequence[Probe]]) -> Iterator[Remote]:
    """The remote, with the patience of a tick: the next tick is the retry, and one answer must not use up all of it.

    Raises:
        ConnectionConfigError: Where the remote is, or how to log in, is not known.
    """
    # HTTP takes longer to import than all of this package, and only a tick with something to ask needs it.
    from cognee_dagster.remote import CogneeClient, Timeouts

    connection = remote.connection()
    patience = 0.4 * budget.left
    limits = Timeouts(connect=min(5.0, patience), write=patience, read=patience, answer=patience)
    once = RetryPolicy(attempts=1)
    with CogneeClient(connection, timeouts=limits, retry=once, time_left=lambda: budget.left) as client:
        prober = Prober(client=client, probes=probes)
        yield Remote(url=connection.url, feed=FeedWithin(feed=client, budget=budget), prober=prober)
