"""Our push against Cognee's own, on real Cognee: the same archive, and the same graph on the remote."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster import PushResult
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.pushing.push import push_dataset
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import resolve_connection
from cognee_dagster.remote.imports.verdict import STALLED_AFTER
from cognee_dagster.remote.imports.vocabulary import ImportState
from cognee_dagster.remote.imports.watch import WatchedImport, wait_for_import
from cognee_dagster.remote.remote_graph import RemoteGraph
from cognee_dagster.sandbox import CogneeServer
from cognee_dagster.sources.cognee.datasets import LocalCogneeConfig, open_dataset
from tests.conftest import LocalStore
from tests.unpacking import records_of

CHILD = Path(__file__).with_name("cognee_push_child.py")
VOLATILE = {"created_at", "updated_at"}


@pytest.fixture(scope="module", params=["demo_store", "handbook_store"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """The bundled graph, and one that Cognee made of documents."""
    shared: LocalStore = request.getfixturevalue(request.param)
    return shared.copy_to(tmp_path_factory.mktemp("differential") / "store")


@pytest.fixture
def client(real_remote: CogneeServer) -> CogneeClient:
    return CogneeClient(resolve_connection(real_remote.url, real_remote.api_key, environ={}))


@pytest.fixture
def target(store: LocalStore, client: CogneeClient) -> Iterator[str]:
    """A remote dataset's name; deleted afterwards, for document ids are unique over a server."""
    name = f"differential_{store.dataset}"
    yield name
    delete_dataset(client, name)


def delete_dataset(client: CogneeClient, name: str) -> None:
    found = client.find_dataset(name)
    if found is not None:
        client.delete_dataset(found.id)


def remote_graph(client: CogneeClient, dataset: str) -> RemoteGraph:
    found = client.find_dataset(dataset)
    assert found is not None
    return client.graph(found.id)


def content(graph: RemoteGraph) -> tuple[dict[str, Any], set[tuple[str, str, str]]]:
    nodes = {
        node.id: (node.label, node.type, {key: value for key, value in node.properties.items() if key not in VOLATILE})
        for node in graph.nodes
    }
    return nodes, graph.triples()


def lines(directory: Path) -> dict[str, Counter[str]]:
    """Records of a COGX directory by file, order apart."""
    return {
        path.name: Counter(json.dumps(json.loads(line), sort_keys=True) for line in path.read_text().splitlines())
        for path in directory.glob("*.jsonl")
    }


def test_archive_and_remote_graph_equal_those_of_cognee_push(
    store: LocalStore, real_remote: CogneeServer, client: CogneeClient, target: str, tmp_path: Path
) -> None:
    """Everything but timestamps: records of the archive, node ids, names, types, properties and triples."""
    result_file = tmp_path / "result.json"
    environ = {**store.environ, "COGNEE_API_KEY": real_remote.api_key, "RESULT": str(result_file)}
    subprocess.run(
        [sys.executable, str(CHILD), store.dataset, target, str(tmp_path / "theirs"), real_remote.url],
        env=environ,
        check=True,
        timeout=300,
        stdout=subprocess.DEVNULL,
    )
    theirs = json.loads(result_file.read_text())
    their_graph = content(remote_graph(client, target))
    delete_dataset(client, target)

    config = LocalCogneeConfig(environ=store.environ)
    connection = resolve_connection(real_remote.url, real_remote.api_key)
    ours = push_dataset(store.dataset, connection=connection, options=PushOptions(target_dataset=target), config=config)
    with open_dataset(store.dataset, config=config) as reader:
        archive = write_archive(reader, tmp_path / "ours.cogx.tar.gz")

    assert records_of(archive.path) == lines(tmp_path / "theirs")
    assert content(remote_graph(client, target)) == their_graph
    assert [field.name for field in fields(PushResult)] == list(theirs)
    for name in ("status", "dataset_name", "target_dataset", "num_nodes", "num_edges"):
        assert getattr(ours, name) == theirs[name]
    assert ours.pipeline_run_id == ours.remote_response["pipeline_run_id"]
    their_item, our_item = theirs["remote_response"]["items"][0], ours.remote_response["items"][0]
    assert {**our_item, "pipeline_run_id": ""} == {**their_item, "pipeline_run_id": ""}


def test_a_background_push_arrives(
    store: LocalStore, real_remote: CogneeServer, client: CogneeClient, target: str
) -> None:
    """The server's own background import never does (Cognee 1.6.5); the detached foreground's graph is complete."""
    config = LocalCogneeConfig(environ=store.environ)
    result = push_dataset(
        store.dataset,
        connection=resolve_connection(real_remote.url, real_remote.api_key),
        options=PushOptions(target_dataset=target, run_in_background=True),
        config=config,
    )
    assert result.status in ("started", "completed")
    assert result.pipeline_run_id is not None
    imported = WatchedImport(run_id=result.pipeline_run_id, dataset_id=client.ensure_dataset(target).id)
    verdict = wait_for_import(client, imported, stalled_after=STALLED_AFTER, timeout_seconds=120)
    assert verdict.state is ImportState.SUCCEEDED, verdict.reason
    graph = remote_graph(client, target)
    assert (len(graph.nodes), len(graph.edges)) == (result.num_nodes, result.num_edges)
