"""The asset ``cognified_graph``: what is in a dataset's graph."""

from collections.abc import Iterator
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
)
from cognee_dagster.dagster.dataset import SOURCE_FIELDS, CogneeDataset
from cognee_dagster.dagster.resources import ARCHIVES_RESOURCE
from cognee_dagster.dagster.steps.partitions import GRAPH_INPUT


def build_graph_asset(dataset: CogneeDataset) -> dg.AssetsDefinition:
    """The asset that says what is in the graph, and adds the documents before."""
    spec = asset_spec(
        dataset,
        dataset.graph_key,
        deps=list(dict.fromkeys([*graph_deps(dataset), *dataset.deps])),
        code_version=dataset.code_version(*SOURCE_FIELDS),
        description=_graph_description(dataset),
    )
    if dataset.observe_graph:
        return _observed(dataset, spec)

    @dg.multi_asset(
        name=dataset.graph_key.to_python_identifier(),
        specs=[spec],
        ins=graph_input(dataset),
        required_resource_keys={*source_resources(dataset), ARCHIVES_RESOURCE},
        check_specs=graph_check_specs(dataset),
        op_tags=dataset.op_tags,
        can_subset=True,
        retry_policy=dataset.retry_policy or DEFAULT_RETRY_POLICY,
    )
    @parsed_once
    def cognified_graph(context: dg.AssetExecutionContext, **inputs: Any) -> Iterator[Any]:
        run = partial(steps.look_at_graph, context, dataset, graph=inputs.get(GRAPH_INPUT))
        yield from executed(context, dataset, "cognified_graph", run)

    return cognified_graph


def _observed(dataset: CogneeDataset, spec: dg.AssetSpec) -> dg.AssetsDefinition:
    """The graph as it is found, however it got there: observed with its data version, and never materialized."""

    @parsed_once
    def cognified_graph(context: dg.AssetExecutionContext) -> Iterator[dg.ObserveResult]:
        run = partial(steps.observe_graph, context, dataset)
        yield from executed(context, dataset, "cognified_graph", run)

    observed: dg.AssetsDefinition = dg.multi_observable_source_asset(
        name=dataset.graph_key.to_python_identifier(),
        specs=[spec.replace_attributes(code_version=None)],
        required_resource_keys={*source_resources(dataset), ARCHIVES_RESOURCE},
    )(cognified_graph)
    return observed


def _graph_description(dataset: CogneeDataset) -> str:
    name = repr(str(dataset.name))
    if dataset.graph_asset is not None:
        return f"The NetworkX graph of the asset {dataset.graph_asset.to_user_string()}, under the name {name}."
    if dataset.graph is not None:
        return f"The graph in {dataset.graph}, under the name {name}."
    if dataset.documents:
        return f"The knowledge graph of the local Cognee dataset {name}, cognified from its documents."
    return f"The knowledge graph of the local Cognee dataset {name}."


def graph_check_specs(dataset: CogneeDataset) -> list[dg.AssetCheckSpec]:
    """The checks that ``cognified_graph`` evaluates in its own step."""
    of_foreign_graphs = dg.AssetCheckSpec(
        keys.CHECK_NOTHING_LEFT_BEHIND,
        asset=dataset.graph_key,
        description="Every attribute of nodes and edges reaches the remote, if only in a description.",
    )
    return [
        dg.AssetCheckSpec(
            keys.CHECK_NOT_EMPTY,
            asset=dataset.graph_key,
            blocking=True,
            description="The graph has nodes: there is something to push.",
        ),
        dg.AssetCheckSpec(
            keys.CHECK_NO_DANGLING_EDGES,
            asset=dataset.graph_key,
            description="Both ends of every edge are nodes of the graph. A remote Cognee drops an edge that lacks one.",
        ),
        *([of_foreign_graphs] if dataset.graph is not None else []),
    ]
