"""Chains have no partitions, and what becomes of somebody who gives them some."""

import dagster as dg

from cognee_dagster.errors import DatasetDefinitionError


def refuse_partitioned_step(context: dg.AssetExecutionContext) -> None:
    """Refuse to run for a partition, whatever let its definition pass.

    Raises:
        DatasetDefinitionError: The step's asset has partitions.
    """
    for spec in context.assets_def.specs:
        refuse_partitions(spec.key, spec.partitions_def)


def refuse_partitions(key: dg.AssetKey, partitions: dg.PartitionsDefinition | None) -> None:
    """Refuse partitions of an asset of a chain, before anything is read or sent.

    Every partition would go into the same remote dataset, where imports merge: all tenants' graphs would become one.

    Raises:
        DatasetDefinitionError: There are some.
    """
    if partitions is not None:
        raise DatasetDefinitionError(
            f"{key.to_user_string()} cannot have partitions: all of them would be merged into one dataset on the "
            "remote. Leave out the partitions_def where it is set (map_asset_specs, post_processing of a component), "
            "and give each part a CogneeDataset of its own, with another key_prefix and target_dataset."
        )
