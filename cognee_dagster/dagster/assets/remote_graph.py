"""The external asset ``remote_graph`` and its checks: what the remote has."""

from collections.abc import Callable

import dagster as dg

from cognee_dagster.dagster import keys, steps
from cognee_dagster.dagster.assets.spec import asset_spec, parsed_once
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.io_manager import MAY_BE_ABSENT
from cognee_dagster.dagster.resources import ARCHIVES_RESOURCE
from cognee_dagster.store.stored import StoredArchive


def remote_graph_spec(dataset: CogneeDataset) -> dg.AssetSpec:
    """The external asset that stands for the graph on the remote."""
    spec = asset_spec(
        dataset,
        dataset.remote_graph_key,
        deps=[dataset.push_key],
        description=(
            f"The graph of {dataset} on the remote Cognee. Materialized when the remote has finished the "
            "import: by a push in the foreground itself, otherwise by the import sensor."
        ),
    )
    if not isinstance(dataset.freshness_policy, dg.FreshnessPolicy):
        return spec
    return spec.replace_attributes(freshness_policy=dataset.freshness_policy)


def build_import_check(dataset: CogneeDataset) -> dg.AssetChecksDefinition:
    """The check of the external asset ``remote_graph``."""

    @dg.asset_check(
        asset=dataset.remote_graph_key,
        name=keys.CHECK_IMPORT_SUCCEEDED,
        additional_deps=[dataset.push_key],  # selected together, it asks about this run's push
        op_tags=dataset.op_tags,
        required_resource_keys={dataset.remote},
        description="The remote has finished the import of the latest push. Executing it asks the remote now.",
    )
    @parsed_once
    def remote_import_succeeded(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return steps.check_import(context, dataset)

    return remote_import_succeeded


def build_answers_check(dataset: CogneeDataset) -> dg.AssetChecksDefinition:
    """A check of the external asset ``remote_graph``, for datasets with probes."""

    @dg.asset_check(
        asset=dataset.remote_graph_key,
        name=keys.CHECK_ANSWERS,
        additional_deps=[dataset.push_key],  # selected together, it asks where this run's push went
        op_tags=dataset.op_tags,
        required_resource_keys={dataset.remote},
        description="The remote dataset has an answer to each of its probes. Executing it asks the remote now.",
    )
    @parsed_once
    def remote_answers(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return steps.check_answers(context, dataset)

    return remote_answers


def build_sync_check(dataset: CogneeDataset) -> dg.AssetChecksDefinition:
    """A check of the external asset ``remote_graph``: whether it still is what was pushed.

    It is about what the remote has now, whoever changed it, and not about a push: so it is not a check of
    ``remote_push``, whose runs would be obliged to evaluate it.
    """
    return _build_comparison(
        dataset,
        keys.CHECK_IN_SYNC,
        description="The remote dataset is what was last pushed: a mirror exactly. Executing it reads the remote now.",
        check=lambda context, archive: steps.check_in_sync(context, dataset, archive=archive),
        check_partitions=lambda context: steps.check_partitions_in_sync(context, dataset),
    )


def build_complete_check(dataset: CogneeDataset) -> dg.AssetChecksDefinition:
    """A check of the external asset ``remote_graph``, for datasets with ``verify="graph"``."""
    return _build_comparison(
        dataset,
        keys.CHECK_GRAPH_COMPLETE,
        description="The remote graph has every node and edge that was last pushed. Executing it reads the graph now.",
        check=lambda context, archive: steps.check_complete(context, dataset, archive=archive),
        check_partitions=lambda context: steps.check_partitions_complete(context, dataset),
    )


def _build_comparison(
    dataset: CogneeDataset,
    name: str,
    *,
    description: str,
    check: Callable[[dg.AssetCheckExecutionContext, StoredArchive], dg.AssetCheckResult],
    check_partitions: Callable[[dg.AssetCheckExecutionContext], dg.AssetCheckResult],
) -> dg.AssetChecksDefinition:
    """A check that holds the remote against the archive; of partitions it is handed none, and finds each one's."""
    needed = {dataset.remote, ARCHIVES_RESOURCE}

    @parsed_once
    def with_archive(context: dg.AssetCheckExecutionContext, archive: StoredArchive) -> dg.AssetCheckResult:
        return check(context, archive)

    @parsed_once
    def of_partitions(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return check_partitions(context)

    if dataset.partitions is None:
        return dg.asset_check(
            asset=dataset.remote_graph_key,
            name=name,
            additional_deps=[dataset.push_key],
            additional_ins={"archive": dg.AssetIn(key=dataset.archive_key)},
            op_tags={**dataset.op_tags, **MAY_BE_ABSENT},
            required_resource_keys=needed,
            description=description,
        )(with_archive)
    return dg.asset_check(
        asset=dataset.remote_graph_key,
        name=name,
        additional_deps=[dataset.push_key, dataset.archive_key],
        op_tags=dataset.op_tags,
        required_resource_keys=needed,
        description=f"{description} Of every partition that was pushed.",
    )(of_partitions)
