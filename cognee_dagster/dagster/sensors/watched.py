"""What a sensor watches, and which sensor it is."""

import dagster as dg

from cognee_dagster.dagster.dataset import CogneeDataset


def push_key_of(item: CogneeDataset | dg.AssetKey) -> dg.AssetKey:
    """The push asset of a dataset, or the one that was given."""
    return item.push_key if isinstance(item, CogneeDataset) else item


def identity_of(name: str, context: dg.SensorEvaluationContext) -> str:
    """What distinguishes the sensor of that name from others of the same Dagster."""
    location = context.code_location_origin.location_name if context.code_location_origin else ""
    return f"{location}/{context.repository_name or ''}/{name}"
