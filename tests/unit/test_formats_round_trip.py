"""A NetworkX graph that was written to files of any format is the same graph to Cognee, and on a remote."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from cognee_dagster.remote import CogneeClient, resolve_connection
from cognee_dagster.sources.files import open_graph_file
from cognee_dagster.testing import FakeRemote
from tests.graph_files import Found
from tests.graph_round_trips import MAPPED, WRITERS, content, expected, expected_there, graphs, mapping_of, pushed


@settings(max_examples=60)
@given(graphs())
def test_every_format_brings_the_same_graph_as_the_one_in_memory(graph: Any) -> None:
    for file, write in WRITERS.items():
        if file in MAPPED:
            continue  # an archive is no foreign graph: it is read as it is
        with tempfile.TemporaryDirectory() as directory:
            write(graph, Path(directory) / file)
            found = Found(open_graph_file(Path(directory) / file, mapping=mapping_of(graph)))
        in_memory, whole = expected(graph, file=file)
        assert content(found, graph) == whole, file
        assert found.reader.attributes_left_behind == in_memory.reader.attributes_left_behind


@pytest.fixture(scope="module")
def client() -> Iterator[CogneeClient]:
    with FakeRemote() as remote, CogneeClient(resolve_connection(remote.url, remote.api_key, environ={})) as opened:
        yield opened


@settings(max_examples=6)
@given(graphs())
def test_every_format_is_the_graph_in_memory_on_a_remote(client: CogneeClient, graph: Any) -> None:
    for file in WRITERS:
        if (found := client.find_dataset("g")) is not None:
            client.delete_dataset(found.id)
        assert pushed(graph, file=file, client=client, dataset="g") == expected_there(graph, file=file), file
