"""``build_discovery_sensor``: a partition for every local dataset that a chain's name fits."""

from typing import get_args

import dagster as dg

from cognee_dagster import sources
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.keys import DISCOVERED_TAG
from cognee_dagster.dagster.resources import LOCAL_RESOURCE, LocalCognee
from cognee_dagster.dagster.sensors.discovery import Discovery, OnVanished, VanishedPolicy, discover
from cognee_dagster.dagster.templates import PLACEHOLDER, is_template
from cognee_dagster.errors import DatasetDefinitionError, DatasetNotFoundError
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.options import MAX_REMOVED


def build_discovery_sensor(
    chain: CogneeDataset,
    *,
    name: str | None = None,
    on_vanished: OnVanished = "keep",
    max_removed: float = MAX_REMOVED,
    request_runs: bool = True,
    minimum_interval_seconds: int = 60,
    default_status: dg.DefaultSensorStatus = dg.DefaultSensorStatus.RUNNING,
) -> dg.SensorDefinition:
    """A sensor that gives a chain a partition for every local Cognee dataset that its name fits.

    It looks into the local Cognee's database, without starting Cognee. For a dataset that is new and has a graph it
    asks for one run of the chain; what comes later is for schedules, automation or backfills to push. Which runs it
    asked for is known by their tags, so that a tick that is killed, or repeated, asks for none twice and forgets none.

    Args:
        chain: The chain; its ``partitions_def`` is dynamic.
        name: The sensor's name; default: ``discover_<dataset>``.
        on_vanished: What becomes of partitions whose dataset is gone: ``keep`` them, ``remove`` the partition (the
            remote dataset stays, and so do the archives), or ``fail`` the tick until somebody has looked.
        max_removed: The share of the partitions that one tick may remove. Where no dataset is there at all, none is
            removed, whatever it says.
        request_runs: Whether new datasets are pushed.
        minimum_interval_seconds: Time between two ticks.
        default_status: Running from the start.

    Raises:
        DatasetDefinitionError: The chain's partitions are not dynamic, or it reads no local Cognee; an option makes no
            sense.
    """
    partitions = _dynamic(chain)
    if on_vanished not in get_args(OnVanished):
        raise DatasetDefinitionError(f"on_vanished is {on_vanished!r}; it is one of {', '.join(get_args(OnVanished))}.")
    if isinstance(max_removed, bool) or not isinstance(max_removed, int | float) or not 0 <= max_removed <= 1:
        raise DatasetDefinitionError(f"max_removed is {max_removed!r}; it is a share from 0 to 1.")
    policy = VanishedPolicy(on_vanished=on_vanished, max_removed=max_removed)

    def discovery_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        local: LocalCognee = getattr(context.resources, LOCAL_RESOURCE)
        odd: list[str] = []
        listed = sources.list_datasets(user=local.user_for(chain.user), config=local.config(), on_odd=odd.append)
        found = discover(chain, listed, context.instance.get_dynamic_partitions(partitions), odd=odd)
        requests = _requests(chain, found, context.instance) if request_runs else []
        if policy.on_vanished == "fail" and found.vanished and not (found.new or requests):
            raise DatasetNotFoundError(f"{str(chain.name)!r}: {found.about_vanished(policy)}")
        summary = _summary(found, policy, requests)
        context.log.info(summary)
        definition = dg.DynamicPartitionsDefinition(name=partitions)
        changes: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
        if found.new:
            changes.append(definition.build_add_request(list(found.new)))
        if removed := found.removed(policy):
            changes.append(definition.build_delete_request(list(removed)))
        return dg.SensorResult(
            run_requests=requests, dynamic_partitions_requests=changes, skip_reason=None if requests else summary
        )

    return dg.SensorDefinition(
        name=name or f"discover_{chain.job_name.removeprefix('push_')}",
        evaluation_fn=discovery_sensor,
        job_name=chain.job_name,
        minimum_interval_seconds=minimum_interval_seconds,
        default_status=default_status,
        required_resource_keys={LOCAL_RESOURCE},
        description=f"Gives every local Cognee dataset that is called {str(chain.name)!r} a partition.",
    )


def _dynamic(chain: CogneeDataset) -> str:
    """The name of the chain's partitions definition."""
    partitions = chain.partitions
    if not isinstance(partitions, dg.DynamicPartitionsDefinition) or partitions.name is None:
        raise DatasetDefinitionError(
            f"The partitions of {str(chain.name)!r} cannot be discovered: they are not dynamic. Give it the name of a "
            'dynamic definition, such as partitions_def="tenants".'
        )
    if chain.graph is not None or chain.archive is not None or is_template(chain.user):
        raise DatasetDefinitionError(
            f"The partitions of {str(chain.name)!r} cannot be discovered: only datasets of one user of a local Cognee "
            f"can be listed. Leave out graph, archive, and {PLACEHOLDER} in user; or add the partitions yourself."
        )
    return partitions.name


def _requests(chain: CogneeDataset, found: Discovery, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    """A run for each dataset with a graph that was never pushed, and that no run was asked for."""
    place = chain.push_key.to_user_string()
    asked = dict(instance.get_run_tags([DISCOVERED_TAG], value_prefix=f"{place} ")).get(DISCOVERED_TAG, set())
    tags = {key: f"{place} {dataset.id}" for key, dataset in found.datasets.items() if dataset.has_graph}
    missing = [key for key, tag in tags.items() if tag not in asked]
    pushed = instance.get_materialized_partitions(chain.push_key) if missing else set()
    return [
        dg.RunRequest(run_key=tags[key], partition_key=key, tags={DISCOVERED_TAG: tags[key]})
        for key in missing
        if key in found.new or key not in pushed
    ]


def _summary(found: Discovery, policy: VanishedPolicy, requests: list[dg.RunRequest]) -> str:
    asked = counted(len(requests), "run")
    parts = [f"{counted(len(found.datasets), 'dataset')}, {len(found.new)} new, {asked} asked for."]
    if found.refused:
        cannot = counted(len(found.refused), "dataset cannot be a partition", "datasets cannot be partitions")
        parts.append(f"{cannot}: {found.refused[0]}")
    parts.append(found.about_vanished(policy))
    return " ".join(part for part in parts if part)
