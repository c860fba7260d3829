"""A chain has the partitions that its dataset has, and no others; a step works on one of them.

Partitions of any other kind would go into one remote dataset, where imports merge: all graphs would become one.
"""

from typing import Any

import dagster as dg

from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.pushes import latest_push
from cognee_dagster.dagster.templates import PLACEHOLDER, is_template, rendered
from cognee_dagster.errors import DatasetDefinitionError

GRAPH_INPUT = "graph"  # of the steps that get their graph from an asset

_Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext


def partition_of(context: _Context) -> str | None:
    """The key of the partition that a step works on; None where its run has none.

    Raises:
        DatasetDefinitionError: The run is about several partitions at once.
    """
    step = context.op_execution_context
    if step.has_partition_key:
        return step.partition_key
    if step.has_partition_key_range:
        raise DatasetDefinitionError(
            "A graph is one partition's, and this run is about several at once. Launch a backfill that has a run for "
            "each partition, which is the chain's own backfill policy."
        )
    return None


def dataset_of_step(context: dg.AssetExecutionContext, dataset: CogneeDataset) -> CogneeDataset:
    """The dataset that a step works on: the chain's own, or that of the run's partition.

    Raises:
        DatasetDefinitionError: The asset was given other partitions than the dataset has, or so was the asset that
            makes its graph; or a partition's key cannot be used.
    """
    for spec in context.assets_def.specs:
        refuse_partitions(spec.key, spec.partitions_def, own=dataset.partitions)
        if dataset.graph_asset is not None and GRAPH_INPUT in context.op_execution_context.op_def.input_dict:
            refuse_other_partitions_of_graph(
                spec.key, dataset.graph_asset, _partitions_of_input(context, GRAPH_INPUT), own=dataset.partitions
            )
    key = partition_of(context)
    if dataset.partitions is None:
        return dataset
    if key is None:
        raise DatasetDefinitionError(
            f"The chain of {str(dataset.name)!r} has partitions, and this run has none. Launch it for a partition."
        )
    return dataset.of_partition(key)


def target_of_step(context: dg.AssetExecutionContext, dataset: CogneeDataset, wanted: str | None) -> str | None:
    """The remote dataset that the launch names, for the partition that is pushed.

    Args:
        context: The step that pushes.
        dataset: What it pushes, of its partition.
        wanted: What the launch says; a backfill says the same for all partitions.

    Raises:
        DatasetDefinitionError: The same remote dataset would be every partition's.
    """
    partition = partition_of(context)
    if wanted is None or partition is None:
        return wanted
    if is_template(wanted):
        return str(rendered(wanted, partition))
    before = latest_push(context.instance, context.asset_key, partition=partition)
    if wanted in (dataset.target_dataset or dataset.name, before.target_dataset if before else None):
        return wanted
    raise DatasetDefinitionError(
        f"target_dataset={wanted!r} cannot be used at launch: it would be every partition's, and their graphs would be "
        f"merged there. Put {PLACEHOLDER} where the partition's key is to stand."
    )


def _partitions_of_input(context: dg.AssetExecutionContext, name: str) -> dg.PartitionsDefinition | None:
    try:
        return context.op_execution_context.asset_partitions_def_for_input(name)
    except dg.DagsterInvariantViolationError:  # how Dagster says that there are none
        return None


def refuse_partitions(
    key: dg.AssetKey, partitions: dg.PartitionsDefinition | None, *, own: dg.PartitionsDefinition | None = None
) -> None:
    """Refuse other partitions of an asset of a chain than its own, before anything is read or sent.

    Raises:
        DatasetDefinitionError: There are some, or the chain's own are gone.
    """
    if partitions == own:
        return
    if own is not None:
        raise DatasetDefinitionError(
            f"{key.to_user_string()} cannot have other partitions than its chain: each is a dataset of its own. Set "
            "partitions_def of the CogneeDataset, and nowhere else."
        )
    raise DatasetDefinitionError(
        f"{key.to_user_string()} cannot have partitions: all of them would be merged into one dataset on the remote. "
        "Leave out the partitions_def where it is set (map_asset_specs, post_processing of a component), and set "
        "partitions_def of the CogneeDataset, with {partition} in its name; or give each part a CogneeDataset of its "
        "own, with another key_prefix and target_dataset."
    )


def refuse_other_partitions_of_graph(
    key: dg.AssetKey, made_by: dg.AssetKey, partitions: Any, *, own: dg.PartitionsDefinition | None = None
) -> None:
    """Refuse a graph that comes in other parts than the chain takes it in.

    Dagster would hand over a dict of graphs, or the only one there is so far; without partitions each partition of the
    chain would get the same graph.

    Raises:
        DatasetDefinitionError: The asset that makes it has other partitions.
    """
    if partitions == own:
        return
    if own is not None:
        raise DatasetDefinitionError(
            f"{key.to_user_string()} takes a graph for each partition, and {made_by.to_user_string()}, which makes it, "
            "has other partitions, or none. Give both the same partitions_def."
        )
    raise DatasetDefinitionError(
        f"{key.to_user_string()} takes one graph, and {made_by.to_user_string()}, which makes it, has partitions. "
        "Put an asset without partitions between them that returns one graph of all of them (networkx.compose_all), "
        "and name that one in graph=. For a remote dataset of each, give the chain the same partitions_def."
    )
