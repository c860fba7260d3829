"""What the steps of ``cognified_graph`` and ``cogx_archive`` do."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.assets.checks import archive_check_result, graph_check_results
from cognee_dagster.dagster.dataset import LIMIT_FIELDS, SOURCE_FIELDS, CogneeDataset
from cognee_dagster.dagster.io_manager import CogxArchiveIOManager
from cognee_dagster.dagster.resources import ARCHIVES_RESOURCE, LOCAL_RESOURCE, LocalCognee
from cognee_dagster.dagster.steps.graph_metadata import graph_metadata
from cognee_dagster.dagster.steps.source import add_documents, find_graph
from cognee_dagster.dagster.steps.step import engine_step
from cognee_dagster.store.snapshots import GraphReading, GraphReadings

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive

StepResult = dg.MaterializeResult[Any] | dg.AssetCheckResult

_MAX_DOCUMENTS_LOGGED = 100


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
        local = _local_cognee(context, dataset)
        if dataset.documents and local is not None and context.selected_asset_keys:
            metadata[keys.DOCUMENTS] = dg.MetadataValue.json(_add_documents(context, dataset, local=local))
        found = find_graph(dataset, local=local, graph=graph)
        reading = _readings(context, dataset).summarize(found, directory=Path(directory))
    yield from _selected(
        context,
        graph_check_results(dataset, reading.summary),
        metadata={**metadata, **graph_metadata(reading, seconds=time.monotonic() - began)},
        data_version=dg.DataVersion(reading.summary.digest),
    )


def write_archive(context: dg.AssetExecutionContext, dataset: CogneeDataset, *, graph: Any) -> Iterator[StepResult]:
    """Write the graph as an archive, or as several; arguments as for ``look_at_graph``."""
    # The IO manager copies the archive while this generator waits at its yield: the directory is still there then.
    with tempfile.TemporaryDirectory(prefix="cogx-archive-") as directory:
        began = time.monotonic()
        with engine_step(context):
            found = find_graph(dataset, local=_local_cognee(context, dataset), graph=graph)
            reading = _readings(context, dataset).write(found, directory=Path(directory))
        yield from _selected(
            context,
            [archive_check_result(dataset, reading.archives)],
            value=reading.stored or reading.archives,
            metadata={
                **_archive_metadata(reading, seconds=time.monotonic() - began),
                keys.CHANGED_SINCE_LOOK: _changed_since_look(context, dataset, archive=reading.archives[0]),
            },
            data_version=dg.DataVersion(reading.summary.digest),
        )


def _selected(
    context: dg.AssetExecutionContext, checks: Sequence[dg.AssetCheckResult], **materialization: Any
) -> Iterator[StepResult]:
    """Of one pass's results those that the run asks for: the asset with its checks, without some, or checks alone."""
    wanted = {key.name for key in context.selected_asset_check_keys}
    results = [check for check in checks if check.check_name in wanted]
    if context.selected_asset_keys:
        yield dg.MaterializeResult(check_results=results, **materialization)
    else:
        yield from results


def _add_documents(context: dg.AssetExecutionContext, dataset: CogneeDataset, *, local: LocalCognee) -> dict[str, Any]:
    report = add_documents(dataset, local=local)
    for what, documents in (("added", report.added), ("changed", report.changed)):
        for document in documents[:_MAX_DOCUMENTS_LOGGED]:
            context.log.info(f"Document {what}: {document}")
    return {
        "added": len(report.added),
        "changed": len(report.changed),
        "unchanged": len(report.unchanged),
        "cognified": report.cognified,
        "seconds": round(report.seconds, 3),
    }


def _archive_metadata(reading: GraphReading, *, seconds: float) -> dict[str, Any]:
    """The archives' own metadata; the IO manager adds where they are (``dagster/uri``)."""
    archives = reading.archives
    counts: Counter[str] = Counter()
    for archive in archives:
        counts += Counter(archive.record_counts)
    return {
        keys.NUM_NODES: sum(archive.num_nodes for archive in archives),
        keys.NUM_EDGES: sum(archive.num_edges for archive in archives),
        keys.DATASET_NAME: archives[0].dataset_name,
        keys.ARCHIVE_DIGEST: archives[0].digest,
        keys.ARCHIVE_SHA256: " ".join(archive.sha256 for archive in archives),
        keys.ARCHIVE_BYTES: sum(archive.size_bytes for archive in archives),
        keys.ARCHIVES_TOTAL: len(archives),
        keys.UNPACKED_BYTES: sum(archive.unpacked_bytes for archive in archives),
        keys.RECORD_COUNTS: dg.MetadataValue.json(dict(counts)),
        keys.GRAPH_READ: reading.read,
        keys.SECONDS: round(seconds, 3),
    }


def _changed_since_look(context: dg.AssetExecutionContext, dataset: CogneeDataset, *, archive: "Archive") -> bool:
    """Whether the graph is another one than ``cognified_graph`` saw; the archive's digest is the one that counts."""
    event = context.instance.get_latest_materialization_event(dataset.graph_key)
    looked = (
        event.asset_materialization.metadata.get(keys.GRAPH_DIGEST) if event and event.asset_materialization else None
    )
    if looked is None or looked.value == archive.digest:
        return False
    context.log.warning(
        f"The graph of {str(dataset.name)!r} changed after {dataset.graph_key.to_user_string()} looked at it (digest "
        f"then {looked.value}, now {archive.digest}); the archive holds it as it is now."
    )
    return True


def _local_cognee(context: dg.AssetExecutionContext, dataset: CogneeDataset) -> LocalCognee | None:
    return getattr(context.resources, LOCAL_RESOURCE) if dataset.graph is None else None


def _readings(context: dg.AssetExecutionContext, dataset: CogneeDataset) -> GraphReadings:
    archives = getattr(context.resources, ARCHIVES_RESOURCE)
    return GraphReadings(
        store=archives.store() if isinstance(archives, CogxArchiveIOManager) else None,  # another one has no store
        place=dataset.archive_key.path,
        name=dataset.segment,
        limits=dataset.limits,
        version=dataset.code_version(*SOURCE_FIELDS, *LIMIT_FIELDS),
    )
