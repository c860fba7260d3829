"""A mirror on real Cognee: after each round of edits its graph and its vectors are those of a fresh full push."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from upath import UPath

from cognee_dagster.pushing.compared import compare_archives
from cognee_dagster.pushing.mirror.mirror import push_mirror
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.options import DeliverySettings, PushOptions
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.sandbox import CogneeServer
from tests.mirrored_graph import ChangingGraph
from tests.pushes import client_of, push_archive

PATIENT = DeliverySettings(poll_interval=0.2)
ROUNDS = 4
EDGE_TEXTS = "EdgeType_relationship_name"


@pytest.fixture
def client(real_remote: CogneeServer) -> Iterator[CogneeClient]:
    with client_of(real_remote.url, real_remote.api_key) as open_client:
        yield open_client


def shown(client: CogneeClient, dataset_id: str) -> tuple[Any, ...]:
    graph = client.graph(dataset_id)
    nodes = {node.id: (node.label, node.type, json.dumps(node.properties, sort_keys=True)) for node in graph.nodes}
    documents = {(str(row.external_id).rpartition(":")[2], row.name) for row in client.data(dataset_id)}
    return nodes, graph.triples(), documents


def vectors(server: CogneeServer, dataset_id: str) -> dict[str, set[tuple[str, str]]]:
    """Ids and texts of a dataset's vectors, by collection."""
    import lancedb

    (directory,) = [path for path in server.directory.rglob(f"*{dataset_id}*lance*") if path.is_dir()]
    database = lancedb.connect(directory)
    found = {}
    for name in database.list_tables().tables:
        rows = database.open_table(name).to_arrow().to_pylist()
        found[name] = {(str(row["id"]), row["payload"]["text"]) for row in rows}
    return found


def test_after_each_round_of_edits_the_remote_is_what_a_fresh_push_makes(
    real_remote: CogneeServer, client: CogneeClient, tmp_path: Path
) -> None:
    target, graph = f"mirror_{uuid4().hex}", ChangingGraph(7, nodes=40)
    former_edge_texts: set[str] = set()
    statuses = []
    for number in range(ROUNDS):
        archive = graph.archive(tmp_path / "graph.cogx.tar.gz")
        result = push_mirror(
            [archive],
            client=client,
            base=UPath(tmp_path / "mirrors"),
            options=PushOptions(target_dataset=target, delivery=PATIENT),
            mirror=MirrorOptions(segment_nodes=20),
        )
        statuses.append((result.status, result.remote_response["mirror"]["sent_whole_because"]))
        fresh = f"{target}_{number}"
        push_archive(
            graph.archive(tmp_path / "whole.cogx.tar.gz"), client=client, target_dataset=fresh, settings=PATIENT
        )
        mirrored, full = (client.ensure_dataset(name).id for name in (target, fresh))
        assert shown(client, mirrored) == shown(client, full)
        assert compare_archives([archive], client=client, target_dataset=target).is_exact
        there, expected = vectors(real_remote, mirrored), vectors(real_remote, full)
        left = {text for _, text in there.pop(EDGE_TEXTS) - expected.pop(EDGE_TEXTS)}
        assert there == expected
        assert left <= former_edge_texts
        client.delete_dataset(full)
        former_edge_texts |= set(graph.edges.values())
        graph.change(6)
    assert statuses == [("completed", "nothing is known of the remote yet"), *[("completed", "")] * (ROUNDS - 1)]
