"""The asset ``cogx_archive``: the graph, packed and stored."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import dagster as dg

from cognee_dagster.dagster import keys, steps
from cognee_dagster.dagster.assets.spec import (
    DEFAULT_RETRY_POLICY,
    asset_spec,
    executed,
    graph_deps,
    graph_input,
    parsed_once,
    source_resources,
    when_changed,
)
from cognee_dagster.dagster.dataset import LIMIT_FIELDS, SOURCE_FIELDS, CogneeDataset
from cognee_dagster.dagster.resources import ARCHIVES_RESOURCE
from cognee_dagster.dagster.steps.partitions import GRAPH_INPUT


def build_archive_asset(dataset: CogneeDataset) -> dg.AssetsDefinition:
    """The asset that writes the graph as an archive, or keeps one that is there already as it is."""
    is_given = dataset.archive is not None
    spec = asset_spec(
        dataset,
        dataset.archive_key,
        deps=list(dataset.deps) if is_given else [dataset.graph_key, *graph_deps(dataset)],
        code_version=dataset.code_version(*SOURCE_FIELDS, *LIMIT_FIELDS),
        kinds={"cognee", "cogx"},
        description=_description(dataset),
    )
    waits = not is_given and any(to_target.push_when_changed for to_target in dataset.each_target)
    if waits and spec.automation_condition is None:
        spec = when_changed(spec)

    @dg.multi_asset(
        name=dataset.archive_key.to_python_identifier(),
        specs=[spec.with_io_manager_key(ARCHIVES_RESOURCE)],
        ins=graph_input(dataset),
        required_resource_keys={*source_resources(dataset), ARCHIVES_RESOURCE},
        check_specs=[archive_check_spec(dataset)],
        op_tags=dataset.op_tags,
        can_subset=True,
        retry_policy=dataset.retry_policy or DEFAULT_RETRY_POLICY,
    )
    @parsed_once
    def cogx_archive(context: dg.AssetExecutionContext, **inputs: Any) -> Iterator[Any]:
        run: Callable[[], Iterator[Any]]
        if is_given:
            run = partial(steps.keep_archive, context, dataset)
        else:
            run = partial(steps.write_archive, context, dataset, graph=inputs.get(GRAPH_INPUT))
        yield from executed(context, dataset, "cogx_archive", run)

    return cogx_archive


def _description(dataset: CogneeDataset) -> str:
    name = repr(str(dataset.name))
    if dataset.archive is not None:
        return (
            f"The COGX archive {dataset.archive}, under the name {name}: checked as a Cognee server will check it, and "
            "in the archive store exactly as it is."
        )
    return (
        f"The graph of {name} as a COGX archive, packed and in the archive store; as several where one would be beyond "
        "the remote's limits."
    )


def archive_check_spec(dataset: CogneeDataset) -> dg.AssetCheckSpec:
    """The check that ``cogx_archive`` evaluates in its own step."""
    return dg.AssetCheckSpec(
        keys.CHECK_WITHIN_LIMITS,
        asset=dataset.archive_key,
        blocking=True,
        description="A Cognee server takes the archives: its limits, and what nodes it refuses, are known before the "
        "upload.",
    )
