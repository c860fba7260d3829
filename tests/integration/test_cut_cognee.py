"""A graph cut into several archives, on real Cognee: the remote graph is that of one archive."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from cognee_dagster.cogx.format import Limits
from cognee_dagster.pushing.archives import push_archives
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import resolve_connection
from cognee_dagster.remote.responses import migration_imports
from cognee_dagster.sandbox import CogneeServer
from tests.cogx_graphs import EdgeRow, MemoryReader, NodeRow, write_archives

NUM_CHUNKS, NUM_ENTITIES, NUM_TYPES = 90, 1900, 10
IN_FIVE = Limits(member_bytes=480_000, total_bytes=2_000_000)
VOLATILE = {"created_at", "updated_at"}


@pytest.fixture
def client(real_remote: CogneeServer) -> Iterator[CogneeClient]:
    with CogneeClient(resolve_connection(real_remote.url, real_remote.api_key, environ={})) as opened:
        yield opened


def node_id(kind: str, number: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"{kind}:{number}"))


def large_graph() -> MemoryReader:
    """2,000 nodes as cognify makes them: chunks with texts, which are documents, their entities, and types of these."""
    stamp = {"created_at": 1788471595772}
    nodes: list[NodeRow] = [
        (node_id("chunk", n), "", "DocumentChunk", json.dumps({"text": f"Text {n}. " * 20, **stamp}))
        for n in range(NUM_CHUNKS)
    ]
    for kind, label, count in (("entity", "Entity", NUM_ENTITIES), ("type", "EntityType", NUM_TYPES)):
        nodes += [
            (node_id(kind, n), f"{kind} {n}", label, json.dumps({"description": f"The {kind} no. {n}.", **stamp}))
            for n in range(count)
        ]
    edges: list[EdgeRow] = []
    for n in range(NUM_ENTITIES):
        chunk, neighbour, stranger = n * NUM_CHUNKS // NUM_ENTITIES, n ^ 1, n * 7919 % NUM_ENTITIES
        edges.append(edge(("chunk", chunk), "contains", ("entity", n)))
        edges.append(edge(("entity", n), "is_a", ("type", n % NUM_TYPES)))
        edges.append(edge(("entity", n), "knows", ("entity", neighbour % NUM_ENTITIES)))
        if n % 10 == 0:
            edges.append(edge(("entity", n), "cites", ("entity", stranger)))
    return MemoryReader(nodes, edges)


def edge(source: tuple[str, int], label: str, target: tuple[str, int]) -> EdgeRow:
    text = f"{' '.join(map(str, source))} {label} {' '.join(map(str, target))}."
    return node_id(*source), node_id(*target), label, json.dumps({"edge_text": text})


def remote_content(client: CogneeClient, dataset: str) -> tuple[dict[str, Any], set[tuple[str, str, str]], list[str]]:
    """Nodes with their properties but timestamps, triples, and the names of the documents, which tell their texts."""
    found = client.find_dataset(dataset)
    assert found is not None
    graph = client.graph(found.id)
    nodes = {
        node.id: (node.label, node.type, {key: value for key, value in node.properties.items() if key not in VOLATILE})
        for node in graph.nodes
    }
    return nodes, graph.triples(), sorted(str(document.name) for document in client.data(found.id))


@pytest.mark.timeout(900)
def test_the_remote_graph_is_the_same_in_five_archives_as_in_one(client: CogneeClient, tmp_path: Path) -> None:
    whole = write_archives(large_graph(), tmp_path / "whole.cogx.tar.gz")
    parts = write_archives(large_graph(), tmp_path / "parts.cogx.tar.gz", limits=IN_FIVE)
    assert (len(whole), len(parts)) == (1, 5)
    results = {
        target: push_archives(archives, client=client, options=PushOptions(target_dataset=target))
        for target, archives in (("cut_whole", whole), ("cut_parts", parts))
    }
    expected = remote_content(client, "cut_whole")
    assert remote_content(client, "cut_parts") == expected
    assert len(expected[0]) == NUM_CHUNKS + NUM_ENTITIES + NUM_TYPES == 2000
    assert (len(expected[1]), len(expected[2])) == (whole[0].num_edges, NUM_CHUNKS)
    in_parts, in_one = results["cut_parts"], results["cut_whole"]
    assert (in_parts.num_nodes, in_parts.num_edges) == (in_one.num_nodes, in_one.num_edges)
    items = migration_imports(in_parts.remote_response)
    assert [item.record_counts for item in items] == [part.record_counts for part in parts]
    assert [item.skipped_facts for item in items] == [0] * 5
