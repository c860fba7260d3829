"""A graph as a client reads it from an answer, for tests that have the answer and no server."""

from collections.abc import Sequence
from typing import TypeVar

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.pushing.comparison.difference import GraphComparison
from cognee_dagster.pushing.comparison.rows import ComparedRows, SentGraph
from cognee_dagster.remote.graph_answer import GraphAnswer
from cognee_dagster.remote.kept_rows import HeldRows
from cognee_dagster.remote.remote_graph import GraphRows, RemoteGraph

_Rows = TypeVar("_Rows", bound=GraphRows)


def parse_graph(body: bytes | bytearray) -> RemoteGraph:
    """What ``GET /api/v1/datasets/{id}/graph`` answers."""
    answer = pour(bytes(body), HeldRows())
    return answer.rows.graph(skipped=answer.skipped, problem=answer.problem)


def pour(body: bytes, rows: _Rows) -> GraphAnswer[_Rows]:
    """The same, row by row."""
    answer = GraphAnswer(rows, max_values=500_000)
    answer.take(body)
    answer.end()
    return answer


def compare(archives: Sequence[Archive], graph: RemoteGraph) -> GraphComparison:
    """What ``compare_graph`` finds where the remote sends that graph."""
    rows = ComparedRows(SentGraph(archives))
    for node in graph.nodes:
        rows.node(node)
    for edge in graph.edges:
        rows.edge(edge)
    return rows.comparison()
