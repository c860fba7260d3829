"""The chain of assets that brings one dataset from a local graph to a remote Cognee.

Every asset has a step of its own, made by a factory: it can be selected, retried and configured alone. What a step does
is imported when it runs: a code location of hundreds of datasets loads definitions only.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from cognee_dagster.dagster.assets.checks import (
    archive_check_spec,
    build_complete_check,
    build_import_check,
    graph_check_specs,
)
from cognee_dagster.dagster.assets.push import build_push_asset
from cognee_dagster.dagster.assets.spec import asset_spec, parsed_once
from cognee_dagster.dagster.dataset import LIMIT_FIELDS, SOURCE_FIELDS, CogneeDataset
from cognee_dagster.dagster.resources import ARCHIVES_RESOURCE, LOCAL_RESOURCE

# A busy graph is free again after seconds, a remote that restarts is back after a minute or two.
DEFAULT_RETRY_POLICY = dg.RetryPolicy(
    max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)


def build_dataset_assets(dataset: CogneeDataset) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """The dataset's assets and checks; give them to ``dg.Definitions(assets=…)``.

    ``<prefix…>/<dataset>/cognified_graph``, ``…/cogx_archive`` and ``…/remote_push`` are materialized in this order.
    ``…/remote_graph`` is external: it is reported when the remote has finished the import. They need the resources
    ``cognee_remote`` (``CogneeRemote``), ``cogx_archives`` (``CogxArchiveIOManager``) and, for a local Cognee dataset,
    ``local_cognee`` (``LocalCognee``).
    """
    return [
        _build_graph_asset(dataset),
        _build_archive_asset(dataset),
        build_push_asset(dataset, retry_policy=dataset.retry_policy or DEFAULT_RETRY_POLICY),
        _remote_graph_spec(dataset),
        build_import_check(dataset),
        *([build_complete_check(dataset)] if dataset.verify == "graph" else []),
    ]


def _build_graph_asset(dataset: CogneeDataset) -> dg.AssetsDefinition:
    spec = asset_spec(
        dataset,
        dataset.graph_key,
        deps=_graph_deps(dataset),
        code_version=dataset.code_version(*SOURCE_FIELDS),
        description=_graph_description(dataset),
    )

    @dg.multi_asset(
        name=dataset.graph_key.to_python_identifier(),
        specs=[spec],
        ins=_graph_input(dataset),
        required_resource_keys={*_source_resources(dataset), ARCHIVES_RESOURCE},
        check_specs=graph_check_specs(dataset),
        can_subset=True,
        retry_policy=dataset.retry_policy or DEFAULT_RETRY_POLICY,
    )
    @parsed_once
    def cognified_graph(context: dg.AssetExecutionContext, **inputs: Any) -> Iterator[Any]:
        from cognee_dagster.dagster.steps.graph import look_at_graph

        yield from look_at_graph(context, dataset, graph=inputs.get("graph"))

    return cognified_graph


def _build_archive_asset(dataset: CogneeDataset) -> dg.AssetsDefinition:
    spec = asset_spec(
        dataset,
        dataset.archive_key,
        deps=[dataset.graph_key, *_graph_deps(dataset)],
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
        ins=_graph_input(dataset),
        required_resource_keys={*_source_resources(dataset), ARCHIVES_RESOURCE},
        check_specs=[archive_check_spec(dataset)],
        can_subset=True,
        retry_policy=dataset.retry_policy or DEFAULT_RETRY_POLICY,
    )
    @parsed_once
    def cogx_archive(context: dg.AssetExecutionContext, **inputs: Any) -> Iterator[Any]:
        from cognee_dagster.dagster.steps.graph import write_archive

        yield from write_archive(context, dataset, graph=inputs.get("graph"))

    return cogx_archive


def _remote_graph_spec(dataset: CogneeDataset) -> dg.AssetSpec:
    return asset_spec(
        dataset,
        dataset.remote_graph_key,
        deps=[dataset.push_key],
        description=(
            f"The graph of {str(dataset.name)!r} on the remote Cognee. Materialized when the remote has finished the "
            "import: by a push in the foreground itself, otherwise by the import sensor."
        ),
    )


def _graph_deps(dataset: CogneeDataset) -> list[dg.AssetKey]:
    return [dataset.graph] if isinstance(dataset.graph, dg.AssetKey) else []


def _graph_input(dataset: CogneeDataset) -> dict[str, dg.AssetIn]:
    return {"graph": dg.AssetIn(key=dataset.graph)} if isinstance(dataset.graph, dg.AssetKey) else {}


def _source_resources(dataset: CogneeDataset) -> set[str]:
    return {LOCAL_RESOURCE} if dataset.graph is None else set()


def _graph_description(dataset: CogneeDataset) -> str:
    name = repr(str(dataset.name))
    if isinstance(dataset.graph, dg.AssetKey):
        return f"The NetworkX graph of the asset {dataset.graph.to_user_string()}, under the name {name}."
    if dataset.graph is not None:
        return f"The graph in the file {dataset.graph}, under the name {name}."
    if dataset.documents:
        return f"The knowledge graph of the local Cognee dataset {name}, cognified from its documents."
    return f"The knowledge graph of the local Cognee dataset {name}."
