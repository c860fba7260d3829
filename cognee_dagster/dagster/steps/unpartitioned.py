"""Chains have no partitions; who gives them some, or a graph that has some, is told the way out."""

import dagster as dg

from cognee_dagster.errors import DatasetDefinitionError

GRAPH_INPUT = "graph"  # of the steps that get their graph from an asset


def refuse_partitioned_step(context: dg.AssetExecutionContext, *, graph: dg.AssetKey | None = None) -> None:
    """Refuse to run with partitions, whatever let their definition pass.

    Args:
        context: The step.
        graph: The asset that hands over the step's input ``graph``, if one does.

    Raises:
        DatasetDefinitionError: The step's asset has partitions, or that one.
    """
    for spec in context.assets_def.specs:
        refuse_partitions(spec.key, spec.partitions_def)
        if graph is not None:
            refuse_partitioned_graph(spec.key, graph, _partitions_of_input(context, GRAPH_INPUT))


def _partitions_of_input(context: dg.AssetExecutionContext, name: str) -> dg.PartitionsDefinition | None:
    try:
        return context.op_execution_context.asset_partitions_def_for_input(name)
    except dg.DagsterInvariantViolationError:  # how Dagster says that there are none
        return None


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


def refuse_partitioned_graph(
    key: dg.AssetKey, made_by: dg.AssetKey, partitions: dg.PartitionsDefinition | None
) -> None:
    """Refuse a graph that comes in parts: Dagster would hand over a dict of graphs, or the only one there is so far.

    Raises:
        DatasetDefinitionError: The asset that makes it has partitions.
    """
    if partitions is not None:
        raise DatasetDefinitionError(
            f"{key.to_user_string()} takes one graph, and {made_by.to_user_string()}, which makes it, has partitions. "
            "Put an asset without partitions between them that returns one graph of all of them "
            "(networkx.compose_all), and name that one in graph=."
        )
