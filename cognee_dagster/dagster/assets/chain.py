"""The chain of assets that brings one dataset from a local graph to a remote Cognee.

Every asset has its own step, made by a factory: it can be selected, retried and configured alone. What a step does
is imported when it runs: a code location of hundreds of datasets loads definitions only.
"""

from collections.abc import Iterator

import dagster as dg

from cognee_dagster.dagster.assets.archive import build_archive_asset
from cognee_dagster.dagster.assets.chain_asset import ChainAsset
from cognee_dagster.dagster.assets.graph import build_graph_asset
from cognee_dagster.dagster.assets.push import build_push_asset
from cognee_dagster.dagster.assets.remote_graph import (
    build_answers_check,
    build_complete_check,
    build_import_check,
    build_sync_check,
    remote_graph_spec,
)
from cognee_dagster.dagster.dataset import CogneeDataset


def build_dataset_assets(dataset: CogneeDataset) -> list[dg.AssetsDefinition]:
    """The dataset's assets and checks; give them to ``dg.Definitions(assets=…)``.

    ``<prefix…>/<dataset>/cognified_graph``, ``…/cogx_archive`` and ``…/remote_push`` are materialized in this order; an
    ``archive=`` that is there already needs no ``cognified_graph``.
    ``…/remote_graph`` is external: it is reported when the remote has finished the import. Of a dataset with targets
    each has a ``…/<target>/remote_push`` and ``…/<target>/remote_graph``. They need the resources
    ``cognee_remote`` (``CogneeRemote``), ``cogx_archives`` (``CogxArchiveIOManager``) and, for a local Cognee dataset,
    ``local_cognee`` (``LocalCognee``).
    """
    return [
        *([_graph(dataset)] if dataset.archive is None else []),
        ChainAsset.of(build_archive_asset(dataset)),
        *(asset for to_target in dataset.each_target for asset in _delivery(to_target)),
    ]


def _graph(dataset: CogneeDataset) -> dg.AssetsDefinition:
    asset = build_graph_asset(dataset)
    return asset if dataset.observe_graph else ChainAsset.of(asset)


def _delivery(dataset: CogneeDataset) -> Iterator[dg.AssetsDefinition]:
    """What a dataset has for each of its targets."""
    yield ChainAsset.of(build_push_asset(dataset))
    yield ChainAsset(specs=[remote_graph_spec(dataset)])
    yield build_import_check(dataset)
    if dataset.mode != "re-derive":
        yield build_sync_check(dataset)
    if dataset.verify == "graph":
        yield build_complete_check(dataset)
    if dataset.probes:
        yield build_answers_check(dataset)
