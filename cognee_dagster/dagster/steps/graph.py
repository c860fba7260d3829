"""What the step of ``cognified_graph`` does."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.dataset import LIMIT_FIELDS, SOURCE_FIELDS, CogneeDataset
from cognee_dagster.dagster.event_log.pushes import latest_materialization
from cognee_dagster.dagster.io_manager import CogxArchiveIOManager
from cognee_dagster.dagster.resources import ARCHIVES_RESOURCE, LOCAL_RESOURCE, LocalCognee
from cognee_dagster.dagster.steps.documents import follow_documents
from cognee_dagster.dagster.steps.graph_checks import graph_check_results
from cognee_dagster.dagster.steps.graph_metadata import graph_metadata
from cognee_dagster.dagster.steps.partitions import dataset_of_step, partition_of
from cognee_dagster.dagster.steps.source import find_graph
from cognee_dagster.dagster.steps.step import engine_step
from cognee_dagster.graph.left_behind import left_behind_in_words
from cognee_dagster.store.snapshots import Snapshots

if TYPE_CHECKING:
    from cognee_dagster.graph.reader import GraphSummary

StepResult = dg.MaterializeResult[Any] | dg.AssetCheckResult


def look_at_graph(context: dg.AssetExecutionContext, dataset: CogneeDataset, *, graph: Any) -> Iterator[StepResult]:
    """Add the documents, if there are any, and say what is in the graph.

    Args:
        context: The step of ``cognified_graph``.
        dataset: Whose graph.
        graph: The NetworkX graph that the asset named by ``dataset.graph`` returned, if there is one.
    """
    began = time.monotonic()
    metadata: dict[str, Any] = {}
    with engine_step(context), tempfile.TemporaryDirectory(prefix="cogx-archive-") as directory:
        dataset = dataset_of_step(context, dataset)
        local = local_cognee(context, dataset)
        if dataset.documents and local is not None and context.selected_asset_keys:
            metadata[keys.DOCUMENTS] = dg.MetadataValue.json(follow_documents(context, dataset, local=local))
        found = find_graph(dataset, local=local, graph=graph)
        snapshot = snapshots(context, dataset).summarize(found, directory=Path(directory))
    _warn_of_left_behind(context, snapshot.summary)
    former = latest_materialization(context.instance, dataset.graph_key, partition=partition_of(context))
    yield from selected(
        context,
        graph_check_results(dataset, snapshot.summary),
        metadata={
            **metadata,
            **graph_metadata(snapshot, seconds=time.monotonic() - began, before=former.metadata if former else {}),
        },
        data_version=dg.DataVersion(snapshot.summary.digest),
    )


def observe_graph(context: dg.AssetExecutionContext, dataset: CogneeDataset) -> Iterator[dg.ObserveResult]:
    """Say what is in a graph that is built outside of Dagster."""
    began = time.monotonic()
    with engine_step(context), tempfile.TemporaryDirectory(prefix="cogx-archive-") as directory:
        dataset = dataset_of_step(context, dataset)
        found = find_graph(dataset, local=local_cognee(context, dataset))
        snapshot = snapshots(context, dataset).summarize(found, directory=Path(directory))
    _warn_of_left_behind(context, snapshot.summary)
    yield dg.ObserveResult(
        asset_key=dataset.graph_key,
        metadata=graph_metadata(snapshot, seconds=time.monotonic() - began),
        data_version=dg.DataVersion(snapshot.summary.digest),
    )


def selected(
    context: dg.AssetExecutionContext, checks: Sequence[dg.AssetCheckResult], **materialization: Any
) -> Iterator[StepResult]:
    """Of one pass's results those that the run asks for: the asset with its checks, without some, or checks alone."""
    wanted = {key.name for key in context.selected_asset_check_keys}
    results = [check for check in checks if check.check_name in wanted]
    if context.selected_asset_keys:
        yield dg.MaterializeResult(check_results=results, **materialization)
    else:
        yield from results


def _warn_of_left_behind(context: dg.AssetExecutionContext, summary: "GraphSummary") -> None:
    if left := summary.attributes_left_behind:
        context.log.warning(left_behind_in_words(left, as_nodes=summary.as_nodes))


def local_cognee(context: dg.AssetExecutionContext, dataset: CogneeDataset) -> LocalCognee | None:
    return getattr(context.resources, LOCAL_RESOURCE) if dataset.graph is None else None


def snapshots(context: dg.AssetExecutionContext, dataset: CogneeDataset) -> Snapshots:
    archives = getattr(context.resources, ARCHIVES_RESOURCE)
    return Snapshots(
        store=archives.store() if isinstance(archives, CogxArchiveIOManager) else None,  # another one has no store
        place=dataset.archive_key.path,
        partition=partition_of(context),
        name=dataset.segment,
        limits=dataset.limits,
        version=dataset.code_version(*SOURCE_FIELDS, *LIMIT_FIELDS),
    )
