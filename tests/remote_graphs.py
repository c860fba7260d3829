"""A graph as a client reads it from an answer, for tests that have the answer and no server."""

from cognee_dagster.remote.graph_answer import GraphAnswer
from cognee_dagster.remote.remote_graph import RemoteGraph


def parse_graph(body: bytes | bytearray) -> RemoteGraph:
    """What ``GET /api/v1/datasets/{id}/graph`` answers."""
    answer = GraphAnswer(max_values=500_000)
    answer.take(bytes(body))
    return answer.graph()
