"""Foreign graphs on a real Cognee server: they arrive whole, as what Cognee itself would have built."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.pushing.archives import push_archives
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import resolve_connection
from cognee_dagster.remote.remote_graph import RemoteGraph
from cognee_dagster.sandbox import CogneeServer
from cognee_dagster.sources.files import open_graph_file
from cognee_dagster.sources.mapping.ids import entity_type_id, node_id

# One text each, as GraphRAG's documented output has them.
TABLES: dict[str, list[dict[str, Any]]] = {
    "entities": [
        {"id": "e1", "title": "MIRA", "type": "PERSON", "description": "A baker.", "text_unit_ids": ["t1"]},
        {"id": "e2", "title": "LYON", "type": "GEO", "description": "A town.", "text_unit_ids": ["t1"]},
    ],
    "relationships": [{"source": "MIRA", "target": "LYON", "description": "Mira bakes in Lyon.", "weight": 7.0}],
    "text_units": [{"id": "t1", "text": "Mira bakes in Lyon.", "n_tokens": 5, "document_ids": []}],
}
# Types that a server would refuse, or make a class of its own of.
TYPED = {
    "nodes": [
        {"id": "a", "type": "Legal Entity", "name": "Acme", "country": "NL"},
        {"id": "r", "type": "Rule", "name": "No smoking", "severity": "high", "text": "Do not smoke."},
        {"id": "p", "type": "Person", "name": "Ann", "age": 3, "tags": ["x", "y"]},
    ],
    "links": [{"source": "p", "target": "a", "label": "works_at"}, {"source": "p", "target": "r", "label": "obeys"}],
}


@pytest.fixture
def client(real_remote: CogneeServer) -> Iterator[CogneeClient]:
    with CogneeClient(resolve_connection(real_remote.url, real_remote.api_key, environ={})) as opened:
        yield opened


def pushed(path: Path, *, client: CogneeClient, dataset: str, directory: Path) -> RemoteGraph:
    archive = write_archive(open_graph_file(path, dataset_name=dataset), directory / f"{dataset}.cogx.tar.gz")
    result = push_archives([archive], client=client, options=PushOptions(target_dataset=dataset))
    assert result.status == "completed"
    found = client.find_dataset(dataset)
    assert found is not None
    return client.graph(found.id)


@pytest.mark.timeout(600)
def test_graphrags_output_is_entities_types_and_chunks(client: CogneeClient, tmp_path: Path) -> None:
    (folder := tmp_path / "output").mkdir()
    for name, rows in TABLES.items():
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
    graph = pushed(folder, client=client, dataset="graphrag_output", directory=tmp_path)
    assert {(node.label, node.type) for node in graph.nodes if node.type != "DocumentChunk"} == {
        ("MIRA", "Entity"), ("LYON", "Entity"), ("PERSON", "EntityType"), ("GEO", "EntityType"),
    }  # fmt: skip
    mira, lyon, chunk = node_id("MIRA"), node_id("LYON"), node_id("text:t1")
    assert graph.triples() == {
        (mira, "is_a", entity_type_id("PERSON")), (lyon, "is_a", entity_type_id("GEO")),
        (mira, "related_to", lyon), (chunk, "contains", mira), (chunk, "contains", lyon),
    }  # fmt: skip
    properties = {node.id: node.properties for node in graph.nodes}
    assert properties[mira]["description"] == "A baker."
    assert properties[chunk]["text"] == "Mira bakes in Lyon."


@pytest.mark.timeout(600)
def test_types_that_a_server_would_refuse_or_take_for_its_own_arrive_with_all_attributes(
    client: CogneeClient, tmp_path: Path
) -> None:
    (tmp_path / "typed.json").write_text(json.dumps(TYPED))
    graph = pushed(tmp_path / "typed.json", client=client, dataset="typed_nodes", directory=tmp_path)
    nodes = {node.id: node for node in graph.nodes}
    acme, rule, ann = (nodes[node_id(key)] for key in ("a", "r", "p"))
    assert (acme.label, acme.type, acme.properties["original_type"]) == ("Acme", "Legal_Entity", "Legal Entity")
    assert (rule.label, rule.type, rule.properties["severity"]) == ("No smoking", "RuleNode", "high")
    assert (ann.label, ann.properties["age"], ann.properties["tags"]) == ("Ann", 3, ["x", "y"])
    assert len(graph.triples()) == 2
