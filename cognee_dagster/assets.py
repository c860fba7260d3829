"""The chain of assets that brings one dataset from a local graph to a remote Cognee.

Every asset has a step of its own, made by a factory: it can be selected, retried and configured alone.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from cognee_dagster import metadata as keys
from cognee_dagster.checks import (
    archive_check_result,
    archive_check_spec,
    graph_check_results,
    graph_check_specs,
)
from cognee_dagster.complete_check import build_complete_check
from cognee_dagster.dataset import CogneeDataset
from cognee_dagster.engine_step import engine_step
from cognee_dagster.graph_metadata import graph_metadata
from cognee_dagster.graph_reading import GraphReading, GraphReadings
from cognee_dagster.graph_source import add_documents, find_graph
from cognee_dagster.import_check import build_import_check
from cognee_dagster.io_managers import CogxArchiveIOManager
from cognee_dagster.push_asset import build_push_asset
from cognee_dagster.resources import ARCHIVES_RESOURCE, LOCAL_RESOURCE, LocalCognee

if TYPE_CHECKING:  # what reads and writes graphs is imported by the steps that do
    from cognee_dagster.cogx.archive import Archive

# A busy graph is free again after seconds, a remote that restarts is back after a minute or two.
DEFAULT_RETRY_POLICY = dg.RetryPolicy(
    max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)

_MAX_DOCUMENTS_LOGGED = 100

_Result = dg.MaterializeResult[Any] | dg.AssetCheckResult

_SOURCE_FIELDS = ("name", "documents", "graph", "user")
_LIMIT_FIELDS = ("max_archive_bytes", "max_file_bytes")


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
    @dg.multi_asset(
        name=dataset.graph_key.to_python_identifier(),
        outs={"graph_summary": _out(dataset, dataset.graph_key, description=_graph_description(dataset))},
        ins=_graph_input(dataset),
        required_resource_keys={*_source_resources(dataset), ARCHIVES_RESOURCE},
        check_specs=graph_check_specs(dataset),
        can_subset=True,
        retry_policy=dataset.retry_policy or DEFAULT_RETRY_POLICY,
    )
    def cognified_graph(context: dg.AssetExecutionContext, **inputs: Any) -> Iterator[_Result]:
        began = time.monotonic()
        metadata: dict[str, Any] = {}
        with engine_step(context), tempfile.TemporaryDirectory(prefix="cogx-archive-") as directory:
            local = _local_cognee(context, dataset)
            if dataset.documents and local is not None and context.selected_asset_keys:
                metadata[keys.DOCUMENTS] = dg.MetadataValue.json(_add_documents(context, dataset, local=local))
            found = find_graph(dataset, local=local, graph=inputs.get("graph"))
            reading = _readings(context, dataset).summarize(found, directory=Path(directory))
        yield from _selected(
            context,
            graph_check_results(dataset, reading.summary),
            metadata={**metadata, **graph_metadata(reading, seconds=time.monotonic() - began)},
            data_version=dg.DataVersion(reading.summary.digest),
        )

    return cognified_graph


def _build_archive_asset(dataset: CogneeDataset) -> dg.AssetsDefinition:
    description = (
        f"The graph of {str(dataset.name)!r} as a COGX archive, packed and in the archive store; as several where one "
        "would be beyond the remote's limits."
    )

    @dg.multi_asset(
        name=dataset.archive_key.to_python_identifier(),
        outs={
            "archive": _out(
                dataset,
                dataset.archive_key,
                fields=(*_SOURCE_FIELDS, *_LIMIT_FIELDS),
                description=description,
                kinds={"cognee", "cogx"},
                io_manager_key=ARCHIVES_RESOURCE,
            )
        },
        deps=[dataset.graph_key],
        ins=_graph_input(dataset),
        required_resource_keys={*_source_resources(dataset), ARCHIVES_RESOURCE},
        check_specs=[archive_check_spec(dataset)],
        can_subset=True,
        retry_policy=dataset.retry_policy or DEFAULT_RETRY_POLICY,
    )
    def cogx_archive(context: dg.AssetExecutionContext, **inputs: Any) -> Iterator[_Result]:
        # The IO manager copies the archive while this generator waits at its yield: the directory is still there then.
        with tempfile.TemporaryDirectory(prefix="cogx-archive-") as directory:
            began = time.monotonic()
            with engine_step(context):
                found = find_graph(dataset, local=_local_cognee(context, dataset), graph=inputs.get("graph"))
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

    return cogx_archive


def _out(
    dataset: CogneeDataset,
    key: dg.AssetKey,
    *,
    description: str,
    fields: Sequence[str] = _SOURCE_FIELDS,
    kinds: Collection[str] = ("cognee",),
    io_manager_key: str | None = None,
) -> dg.AssetOut:
    """The asset of a step that also evaluates checks, each of which can be selected or left out (``can_subset``)."""
    return dg.AssetOut(
        key=key,
        dagster_type=dg.Any if io_manager_key else dg.Nothing,
        io_manager_key=io_manager_key,
        is_required=False,
        code_version=dataset.code_version(*fields),
        kinds=set(kinds),
        description=description,
        group_name=dataset.group,
        owners=list(dataset.owners),
        tags=dataset.all_tags,
    )


def _selected(
    context: dg.AssetExecutionContext, checks: Sequence[dg.AssetCheckResult], **materialization: Any
) -> Iterator[_Result]:
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


def _remote_graph_spec(dataset: CogneeDataset) -> dg.AssetSpec:
    return dg.AssetSpec(
        dataset.remote_graph_key,
        deps=[dataset.push_key],
        group_name=dataset.group,
        owners=list(dataset.owners),
        tags=dataset.all_tags,
        kinds={"cognee"},
        description=(
            f"The graph of {str(dataset.name)!r} on the remote Cognee. Materialized when the remote has finished the "
            "import: by a push in the foreground itself, otherwise by the import sensor."
        ),
    )


def _graph_input(dataset: CogneeDataset) -> dict[str, dg.AssetIn]:
    return {"graph": dg.AssetIn(key=dataset.graph)} if isinstance(dataset.graph, dg.AssetKey) else {}


def _source_resources(dataset: CogneeDataset) -> set[str]:
    return {LOCAL_RESOURCE} if dataset.graph is None else set()


def _local_cognee(context: dg.AssetExecutionContext, dataset: CogneeDataset) -> LocalCognee | None:
    return getattr(context.resources, LOCAL_RESOURCE) if dataset.graph is None else None


def _readings(context: dg.AssetExecutionContext, dataset: CogneeDataset) -> GraphReadings:
    archives = getattr(context.resources, ARCHIVES_RESOURCE)
    return GraphReadings(
        store=archives.store() if isinstance(archives, CogxArchiveIOManager) else None,  # another one has no store
        place=dataset.archive_key.path,
        name=dataset.segment,
        limits=dataset.limits,
        version=dataset.code_version(*_SOURCE_FIELDS, *_LIMIT_FIELDS),
    )


def _graph_description(dataset: CogneeDataset) -> str:
    name = repr(str(dataset.name))
    if isinstance(dataset.graph, dg.AssetKey):
        return f"The NetworkX graph of the asset {dataset.graph.to_user_string()}, under the name {name}."
    if dataset.graph is not None:
        return f"The graph in the file {dataset.graph}, under the name {name}."
    if dataset.documents:
        return f"The knowledge graph of the local Cognee dataset {name}, cognified from its documents."
    return f"The knowledge graph of the local Cognee dataset {name}."
