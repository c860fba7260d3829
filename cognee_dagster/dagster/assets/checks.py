"""The asset checks of a chain: what must hold of the graph, of its archive, and of the import on the remote."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.assets.spec import parsed_once
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.resources import REMOTE_RESOURCE
from cognee_dagster.store.archives import StoredArchive

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive
    from cognee_dagster.graph.reader import GraphSummary


def graph_check_specs(dataset: CogneeDataset) -> list[dg.AssetCheckSpec]:
    """The checks that ``cognified_graph`` evaluates in its own step."""
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
    ]


def graph_check_results(dataset: CogneeDataset, summary: "GraphSummary") -> list[dg.AssetCheckResult]:
    """What the pass over the graph means for its checks."""
    empty = summary.num_nodes == 0
    return [
        dg.AssetCheckResult(
            check_name=keys.CHECK_NOT_EMPTY,
            asset_key=dataset.graph_key,
            passed=not empty,
            description=(
                f"Dataset {str(dataset.name)!r} has 0 nodes. Run cognee.cognify() (or cognee.remember()) on it first."
                if empty
                else f"{summary.num_nodes} nodes, {summary.num_edges} edges."
            ),
            metadata={keys.NUM_NODES: summary.num_nodes, keys.NUM_EDGES: summary.num_edges},
        ),
        dg.AssetCheckResult(
            check_name=keys.CHECK_NO_DANGLING_EDGES,
            asset_key=dataset.graph_key,
            passed=summary.dangling_edges == 0,
            description=(
                f"{summary.dangling_edges} edges have an end that is no node of the graph; the remote would drop them."
                if summary.dangling_edges
                else "Every edge has both ends."
            ),
            metadata={
                keys.DANGLING_EDGES: summary.dangling_edges,
                **({keys.EXAMPLES: "\n".join(summary.dangling_examples)} if summary.dangling_examples else {}),
            },
        ),
    ]


def archive_check_spec(dataset: CogneeDataset) -> dg.AssetCheckSpec:
    """The check that ``cogx_archive`` evaluates in its own step."""
    return dg.AssetCheckSpec(
        keys.CHECK_WITHIN_LIMITS,
        asset=dataset.archive_key,
        blocking=True,
        description="A Cognee server accepts archives of this size: its limits are known before the upload.",
    )


def archive_check_result(dataset: CogneeDataset, archives: "Sequence[Archive]") -> dg.AssetCheckResult:
    """Whether every archive is within the server's limits."""
    from cognee_dagster.cogx.archive import limit_problems

    count = len(archives)
    problems = [
        f"archive {number} of {count} {problem}"
        for number, archive in enumerate(archives, start=1)
        for problem in limit_problems(archive.member_bytes, limits=dataset.limits)
    ]
    return dg.AssetCheckResult(
        check_name=keys.CHECK_WITHIN_LIMITS,
        asset_key=dataset.archive_key,
        passed=not problems,
        description=(
            f"{'; '.join(problems)}. Lower max_archive_bytes and max_file_bytes of the dataset and materialize the "
            "archive again: the graph is then cut into smaller ones."
            if problems
            else "Within the limits of a Cognee server" + (f", in {count} archives." if count > 1 else ".")
        ),
        metadata={
            keys.ARCHIVES_TOTAL: count,
            keys.ARCHIVE_BYTES: sum(archive.size_bytes for archive in archives),
            keys.UNPACKED_BYTES: sum(archive.unpacked_bytes for archive in archives),
        },
    )


def build_import_check(dataset: CogneeDataset) -> dg.AssetChecksDefinition:
    """The check of the external asset ``remote_graph``."""

    @dg.asset_check(
        asset=dataset.remote_graph_key,
        name=keys.CHECK_IMPORT_SUCCEEDED,
        additional_deps=[dataset.push_key],  # selected together, it asks about this run's push
        required_resource_keys={REMOTE_RESOURCE},
        description="The remote has finished the import of the latest push. Executing it asks the remote now.",
    )
    @parsed_once
    def remote_import_succeeded(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        from cognee_dagster.dagster.steps.import_check import check_import

        return check_import(context, dataset)

    return remote_import_succeeded


def build_complete_check(dataset: CogneeDataset) -> dg.AssetChecksDefinition:
    """A check of the external asset ``remote_graph``, for datasets with ``verify="graph"``."""

    @dg.asset_check(
        asset=dataset.remote_graph_key,
        name=keys.CHECK_GRAPH_COMPLETE,
        additional_ins={"archive": dg.AssetIn(key=dataset.archive_key)},
        required_resource_keys={REMOTE_RESOURCE},
        description="The remote graph has every node and edge of the latest archive. Executing it reads the graph now.",
    )
    @parsed_once
    def remote_graph_complete(context: dg.AssetCheckExecutionContext, archive: StoredArchive) -> dg.AssetCheckResult:
        from cognee_dagster.dagster.steps.complete_check import check_complete

        return check_complete(context, dataset, archive=archive)

    return remote_graph_complete
