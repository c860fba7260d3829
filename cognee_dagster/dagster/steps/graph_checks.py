"""What one pass over a graph means for the checks of ``cognified_graph``."""

from typing import TYPE_CHECKING

import dagster as dg

from cognee_dagster.cogx.server.declared_types import not_searched
from cognee_dagster.dagster import keys
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.steps.tables import count_table
from cognee_dagster.graph.counting import counted
from cognee_dagster.graph.empty import empty_graph
from cognee_dagster.graph.left_behind import left_behind_in_words, neighbours_in_words

if TYPE_CHECKING:
    from cognee_dagster.graph.reader import GraphSummary


def graph_check_results(dataset: CogneeDataset, summary: "GraphSummary") -> list[dg.AssetCheckResult]:
    """The results of all checks that the asset has."""
    of_foreign_graphs = [_nothing_left_behind(dataset, summary)] if dataset.graph is not None else []
    return [_not_empty(dataset, summary), _no_dangling_edges(dataset, summary), *of_foreign_graphs]


def _not_empty(dataset: CogneeDataset, summary: "GraphSummary") -> dg.AssetCheckResult:
    empty = summary.num_nodes == 0
    return dg.AssetCheckResult(
        check_name=keys.CHECK_NOT_EMPTY,
        asset_key=dataset.graph_key,
        passed=not empty,
        description=(
            empty_graph(str(dataset.name), is_of_cognee=dataset.graph is None)
            if empty
            else f"{counted(summary.num_nodes, 'node')}, {counted(summary.num_edges, 'edge')}."
        ),
        metadata={keys.NUM_NODES: summary.num_nodes, keys.NUM_EDGES: summary.num_edges},
    )


def _no_dangling_edges(dataset: CogneeDataset, summary: "GraphSummary") -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=keys.CHECK_NO_DANGLING_EDGES,
        asset_key=dataset.graph_key,
        passed=summary.dangling_edges == 0,
        description=(
            f"The remote would drop {counted(summary.dangling_edges, 'edge')}, as an end is no node of the graph."
            if summary.dangling_edges
            else "Every edge has both ends."
        ),
        metadata={
            keys.DANGLING_EDGES: summary.dangling_edges,
            **({keys.EXAMPLES: "\n".join(summary.dangling_examples)} if summary.dangling_examples else {}),
        },
    )


def _nothing_left_behind(dataset: CogneeDataset, summary: "GraphSummary") -> dg.AssetCheckResult:
    left, neighbours = summary.attributes_left_behind, not_searched(summary.nodes_by_type)
    arrives = left_behind_in_words(left, as_nodes=summary.as_nodes) if left else "Every attribute reaches the remote."
    return dg.AssetCheckResult(
        check_name=keys.CHECK_NOTHING_LEFT_BEHIND,
        asset_key=dataset.graph_key,
        passed=not left,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{arrives} {neighbours_in_words(neighbours)}" if neighbours else arrives,
        metadata=(
            {keys.ATTRIBUTES_LEFT_BEHIND: count_table(left, name="attribute", count="nodes_and_edges")} if left else {}
        ),
    )
