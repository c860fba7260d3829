"""What a sensor watches, and which sensor it is."""

from collections.abc import Callable, Sequence

import dagster as dg

from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.pushes import Push
from cognee_dagster.dagster.probes import of_partition, probes_of
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.pushing.probe import Probe


def push_keys_of(item: CogneeDataset | dg.AssetKey, *, remote: str | None = None) -> list[dg.AssetKey]:
    """The push assets of a dataset, of one remote only if that is named; or the one that was given."""
    if isinstance(item, dg.AssetKey):
        return [item]
    return [found.push_key for found in item.each_target if remote in (None, found.remote)]


def probes_in(repository: dg.RepositoryDefinition | None) -> Callable[[Push], Sequence[Probe]]:
    """What is asked about a push, as the definitions of its code location say it."""

    def probes(push: Push) -> Sequence[Probe]:
        if repository is None or not repository.asset_graph.has(push.asset_key):
            return ()
        try:
            found = probes_of(repository.asset_graph.get(push.asset_key).metadata)
            return found if push.partition is None else of_partition(found, push.partition)
        except DatasetDefinitionError:  # of a partition with which nothing can be pushed any more, either
            return ()

    return probes


def identity_of(name: str, context: dg.SensorEvaluationContext) -> str:
    """What distinguishes the sensor of that name from others of the same Dagster."""
    location = context.code_location_origin.location_name if context.code_location_origin else ""
    return f"{location}/{context.repository_name or ''}/{name}"
