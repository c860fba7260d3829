"""Graphs that hypothesis made up, in every format, are on a real Cognee server what the fake remote has of them."""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest
from hypothesis import Phase, given, seed, settings

from cognee_dagster.remote import CogneeClient, resolve_connection
from cognee_dagster.sandbox import CogneeServer
from tests.graph_round_trips import KINDS, WRITERS, expected_there, graphs, joined, pushed

# As many as make one graph to push, since a push takes a real server seconds.
_JOINED = 40
_MORE_NODES_THAN = 25  # what a seed makes differs with the modules that are loaded, from which hypothesis takes values
# Each format has graphs of its own; each kind of graph has several formats.
FORMATS = [(file, kind, number) for number, (file, kind) in enumerate(zip(WRITERS, cycle(KINDS), strict=False))]


@pytest.fixture
def client(real_remote: CogneeServer) -> Iterator[CogneeClient]:
    with CogneeClient(resolve_connection(real_remote.url, real_remote.api_key, environ={})) as opened:
        yield opened


def made_up(number: int) -> list[Any]:
    """The graphs of this seed, in CI, too."""
    found: list[Any] = []

    @seed(number)
    @settings(max_examples=_JOINED, phases=[Phase.generate], database=None, derandomize=False)
    @given(graphs())
    def collect(graph: Any) -> None:
        found.append(graph)

    collect()
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("file", "kind", "number"), FORMATS, ids=list(WRITERS))
def test_a_graph_in_this_format_is_the_graph_in_memory_on_a_real_server(
    file: str, kind: Any, number: int, client: CogneeClient
) -> None:
    graph = joined(made_up(number), kind)
    assert graph.number_of_nodes() > _MORE_NODES_THAN
    assert pushed(graph, file=file, client=client, dataset=f"round_trip_{number}") == expected_there(graph, file=file)
