"""The asset ``cogx_archive``: the graph, packed and stored."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from cognee_dagster.dagster import keys, steps
from cognee_dagster.dagster.assets.spec import (
    DEFAULT_RETRY_POLICY,
    asset_spec,
    graph_deps,
    graph_input,
    parsed_once,
    source_resources,
)
from cognee_dagster.dagster.dataset import LIMIT_FIELDS, SOURCE_FIELDS, CogneeDataset
from cognee_dagster.dagster.resources import ARCHIVES_RESOURCE


def build_archive_asset(dataset: CogneeDataset) -> dg.AssetsDefinition:
    """The asset that writes the graph as an archive."""
    spec = asset_spec(
        dataset,
        dataset.archive_key,
        deps=[dataset.graph_key, *graph_deps(dataset)],
        code_version=dataset.code_version(*SOURCE_FIELDS, *LIMIT_FIELDS),
        kinds={"cognee", "cogx"},
        description=(
            f"The graph of {str(dataset.name)!r} as a COGX archive, packed and in the archive store; as several where "
            "one would be beyond the remote's limits."
        ),
    )

    @dg.multi_asset(
        name=dataset.archive_key.to_python_identifier(),
        specs=[spec.with_io_manager_key(ARCHIVES_RESOURCE)],
        ins=graph_input(dataset),
        required_resource_keys={*source_resources(dataset), ARCHIVES_RESOURCE},
        check_specs=[archive_check_spec(dataset)],
        can_subset=True,
        retry_policy=dataset.retry_policy or DEFAULT_RETRY_POLICY,
    )
    @parsed_once
    def cogx_archive(context: dg.AssetExecutionContext, **inputs: Any) -> Iterator[Any]:
        yield from steps.write_archive(context, dataset, graph=inputs.get("graph"))

    return cogx_archive


def archive_check_spec(dataset: CogneeDataset) -> dg.AssetCheckSpec:
    """The check that ``cogx_archive`` evaluates in its own step."""
    return dg.AssetCheckSpec(
        keys.CHECK_WITHIN_LIMITS,
        asset=dataset.archive_key,
        blocking=True,
        description="A Cognee server accepts archives of this size: its limits are known before the upload.",
    )
