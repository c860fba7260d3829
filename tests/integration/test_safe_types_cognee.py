"""A node whose type makes no name of a vector table arrives on a real Cognee, searchable, with what it was called."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from bench.graph_file import GraphFile
from cognee_dagster.cogx.read.reader import ArchiveReader
from cognee_dagster.errors import GraphFileError
from cognee_dagster.graph.reader import GraphOrigin, GraphReader
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.pushing.push import push_graph
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import resolve_connection
from cognee_dagster.sandbox import CogneeServer
from cognee_dagster.sources.cognee.ladybug_reader import open_ladybug_file
from cognee_dagster.sources.files import open_graph_file
from tests.contract.archives import Records, an_id

ACME = an_id("Acme")
PROPERTIES: dict[str, object] = {"country": "NL", "metadata": {"index_fields": ["name"]}}


def stored_by_cognee(directory: Path, properties: dict[str, object]) -> AbstractContextManager[GraphReader]:
    with GraphFile(directory / "graph.lbug") as graph:
        graph.add_nodes([(ACME, "Acme", "Legal Entity", json.dumps(properties))])
    return open_ladybug_file(directory / "graph.lbug", origin=GraphOrigin(dataset_name="stored"))


def foreign(directory: Path, properties: dict[str, object]) -> AbstractContextManager[GraphReader]:
    path = directory / "graph.json"
    node = {"id": ACME, "name": "Acme", "type": "Legal Entity", **properties}
    path.write_text(json.dumps({"directed": True, "multigraph": True, "graph": {}, "nodes": [node], "links": []}))
    return nullcontext(open_graph_file(path))


def archived(directory: Path, properties: dict[str, object]) -> AbstractContextManager[GraphReader]:
    path = directory / "graph.cogx.tar.gz"
    node = {"id": ACME, "name": "Acme", "type": "Legal Entity", **properties}
    path.write_bytes(Records({"raw_node": [node]}).packed())
    return nullcontext(ArchiveReader(path))


Source = Callable[[Path, dict[str, object]], AbstractContextManager[GraphReader]]
SOURCES: list[Source] = [stored_by_cognee, foreign, archived]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("source", SOURCES)
def test_the_node_and_its_vector_are_there_under_a_safe_type(
    real_remote: CogneeServer, tmp_path: Path, source: Source
) -> None:
    import lancedb  # comes with Cognee

    connection = resolve_connection(real_remote.url, real_remote.api_key, environ={})
    dataset = f"legal_entity_{source.__name__}"
    result = push_graph(
        source(tmp_path, PROPERTIES), connection=connection, options=PushOptions(target_dataset=dataset)
    )
    assert result.status == "completed"
    with CogneeClient(connection) as client:
        found = client.find_dataset(dataset)
        assert found is not None
        (node,) = client.graph(found.id).nodes
    assert (node.type, node.label) == ("Legal_Entity", "Acme")
    assert (node.properties["original_type"], node.properties["country"]) == ("Legal Entity", "NL")
    (vectors,) = (real_remote.directory / "system" / "databases").glob(f"*/{found.id}.lance.db")
    rows = lancedb.connect(vectors).open_table("Legal_Entity_name").to_arrow().to_pylist()
    assert [(row["id"], row["payload"]["text"]) for row in rows] == [(node.id, "Acme")]


@pytest.mark.parametrize("source", [stored_by_cognee, archived])
def test_what_cannot_be_mended_is_named_and_nothing_is_sent(
    real_remote: CogneeServer, tmp_path: Path, source: Source
) -> None:
    connection = resolve_connection(real_remote.url, real_remote.api_key, environ={})
    dataset = f"refused_{source.__name__}"
    graph = source(tmp_path, {"age": 3, "metadata": {"index_fields": ["age"]}})
    with pytest.raises(GraphFileError, match=r"name 'Acme', type 'Legal_Entity'.*indexed attribute 'age' is 3"):
        push_graph(graph, connection=connection, options=PushOptions(target_dataset=dataset))
    with CogneeClient(connection) as client:
        assert client.find_dataset(dataset) is None
