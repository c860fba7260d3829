"""What a sensor watches, and which sensor it is."""

import dagster as dg

from cognee_dagster.dagster.dataset import CogneeDataset


def push_keys_of(item: CogneeDataset | dg.AssetKey, *, remote: str | None = None) -> list[dg.AssetKey]:
    """The push assets of a dataset, of one remote only if that is named; or the one that was given."""
    if isinstance(item, dg.AssetKey):
        return [item]
    return [found.push_key for found in item.each_target if remote in (None, found.remote)]


def identity_of(name: str, context: dg.SensorEvaluationContext) -> str:
    """What distinguishes the sensor of that name from others of the same Dagster."""
    location = context.code_location_origin.location_name if context.code_location_origin else ""
    return f"{location}/{context.repository_name or ''}/{name}"
