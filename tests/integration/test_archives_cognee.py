"""Archives of others on real Cognee: what its own importer makes of one is what it makes of it through us."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cognee_dagster
from cognee_dagster import pushing
from cognee_dagster.cogx.read.inspect import inspect_archive
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.pushing.comparison.verification import compare_graph
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import resolve_connection
from cognee_dagster.sandbox import CogneeServer
from cognee_dagster.sources.files import open_graph_file
from tests.archives_of_others import SYSTEMS, Records, pack
from tests.cogx_graphs import ID_A, ID_B, ID_C
from tests.conftest import LocalStore
from tests.fault_proxy import FaultProxy

CHILD = Path(__file__).with_name("translating_child.py")

_MOMENT = "2020-01-01T00:00:00"
_COMMON = {"scope": {"user_id": "u"}, "metadata": {"k": [1]}, "created_at": _MOMENT, "updated_at": f"{_MOMENT}+02:00"}
# Archives of graphs of Cognee, each with something that a graph in memory has no place for.
GRAPHS: dict[str, Records] = {
    "others": SYSTEMS["cognee"],
    "every_field": {
        "documents.jsonl": [
            {"kind": "document", "external_id": ID_C, "content": "x", "title": "t", "mime_type": "text/x", **_COMMON},
            {"kind": "document", "external_system": "wiki", "external_id": "p", "content": "A page.", **_COMMON},
        ],
        "entities.jsonl": [
            {
                "kind": "entity", "external_system": "crm", "external_id": ID_A, "name": "Ann", "entity_type": "Person",
                "description": "d", "aliases": ["A.", "B."], "attributes": {"born": 1815}, **_COMMON,
            },
            {"kind": "entity", "external_id": "no-uuid", "name": "Ann Lee", "entity_type": "person"},
            {"kind": "entity", "external_id": "same-name", "name": "Ann Lee", "description": "The same."},
        ],
        "nodes.jsonl": [
            {"id": ID_B, "type": "Person", "name": "Bob", "tags": ["x"], "metadata": {"index_fields": ["name"]}},
            {"id": ID_C, "type": "Entity", "name": "kept raw", "description": "With a rank.", "topological_rank": 7},
        ],
        "facts.jsonl": [
            {
                "kind": "fact", "external_system": "crm", "external_id": "f1",
                "subject_ref": ID_A, "predicate": "knows", "object_ref": ID_B,
                "fact_text": "Ann knows Bob.", "valid_at": _MOMENT, "invalid_at": f"{_MOMENT}Z",
                "confidence": 0.25, "provenance": ["e1"], **_COMMON,
            },
            {"kind": "fact", "external_id": "f2", "subject_ref": "no-uuid", "predicate": "knows", "object_ref": ID_A},
            {"kind": "fact", "external_id": "f3", "subject_ref": "Ann Lee", "predicate": "likes", "object_ref": "Tea"},
            {"kind": "fact", "external_id": "f4", "subject_ref": ID_A, "predicate": "r", "object_ref": ID_A[:-1] + "0"},
        ],
    },
    "a_chunk_without_a_document": {"nodes.jsonl": [{"id": ID_C, "type": "DocumentChunk", "text": "t", "name": ""}]},
    "a_document_without_a_chunk": {
        "documents.jsonl": [{"kind": "document", "external_id": ID_C, "content": "t"}],
        "entities.jsonl": [{"kind": "entity", "external_id": ID_A, "name": "Ann"}],
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def translated(demo_store: LocalStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All archives, and what we write of them, as Cognee's own importer reads them."""
    directory = tmp_path_factory.mktemp("translated")
    for name, records in GRAPHS.items():
        pack(directory / f"{name}.cogx.tar.gz", "cognee", records)
        write_archive(open_graph_file(directory / f"{name}.cogx.tar.gz"), directory / f"{name}-ours.cogx.tar.gz")
    subprocess.run(
        [sys.executable, str(CHILD), str(directory)],
        env=demo_store.environ,
        cwd=demo_store.directory,
        check=True,
        capture_output=True,
        timeout=600,
    )
    return directory


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", GRAPHS)
def test_an_archive_as_a_graph_is_imported_as_the_archive_itself_in_all_fields(translated: Path, name: str) -> None:
    direct, ours = (json.loads((translated / f"{name}{made}.json").read_text()) for made in ("", "-ours"))
    assert direct["nodes"] or direct["texts"]
    assert ours == direct


@pytest.fixture
def client(real_remote: CogneeServer) -> Iterator[CogneeClient]:
    with CogneeClient(resolve_connection(real_remote.url, real_remote.api_key, environ={})) as opened:
        yield opened


def texts_of(client: CogneeClient, dataset: str) -> dict[str | None, int | None]:
    """The size of each text by its id in the archive."""
    found = client.find_dataset(dataset)
    assert found is not None
    return {document.external_id: document.data_size for document in client.data(found.id)}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_server_gets_the_very_bytes_and_has_all_that_they_say(
    real_remote: CogneeServer, client: CogneeClient, tmp_path: Path, system: str
) -> None:
    dataset = f"as_it_is_{system}"
    path = pack(tmp_path / "given.tar.gz", system)
    with FaultProxy(real_remote.url, keeps_bodies=True) as proxy:
        result = asyncio.run(
            cognee_dagster.push_archive(path, url=proxy.url, api_key=real_remote.api_key, target_dataset=dataset)
        )
        (upload,) = (passage for passage in proxy.passages if passage.path == "/api/v1/remember")
    assert path.read_bytes() in upload.body
    assert result.status == "completed"
    found = client.find_dataset(dataset)
    assert found is not None
    graph = client.graph(found.id)
    comparison = compare_graph(client, found.id, [inspect_archive(path)])
    assert (comparison.problems, comparison.remarks) == ([], [])
    if "entities.jsonl" in SYSTEMS[system]:
        named = {node.label: node for node in graph.nodes}
        entity = named["Ann" if system == "cognee" else "Ann Lee"]
        assert "Also known as: A.." in entity.properties["description"]
        assert (entity.id, "is_a", named["Person"].id) in graph.triples()
    kept = [record for name, records in SYSTEMS[system].items() for record in records if "content" in record]
    assert {record["external_id"] for record in kept} <= set(texts_of(client, dataset))


@pytest.mark.timeout(900)
def test_changed_texts_of_every_kind_replace_the_old_ones(
    client: CogneeClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And unchanged ones are left alone: the names that we expect are those that the server gives."""
    caplog.set_level("INFO", logger="cognee_dagster")
    letta = _in_a_dataset_of_its_own(SYSTEMS["letta"])
    changed: Records = {
        name: [{**record, **{key: "changed text" for key in ("content", "value") if key in record}} for record in kept]
        for name, kept in letta.items()
    }
    options = PushOptions(target_dataset="changed_texts")
    for number, (records, said) in enumerate([(letta, False), (letta, False), (changed, True)]):
        caplog.clear()
        path = pack(tmp_path / f"{number}.tar.gz", "letta", records)
        pushing.push_archive_file(path, connection=client.connection, options=options)
        assert ("Deleted 2 documents of 'changed_texts' that this archive replaces" in caplog.text) is said
        assert ("Deleted" in caplog.text) is said
    sizes = texts_of(client, "changed_texts")
    assert sizes["changed m1"] == len("changed text\nCategories: food")
    assert sizes["changed b1"] == len("human:\nchanged text")
    assert len(sizes) == 3


def _in_a_dataset_of_its_own(records: Records) -> Records:
    """Ids of texts are unique over a server."""
    return {
        name: [{**record, "external_id": f"changed {record['external_id']}"} for record in kept]
        for name, kept in records.items()
    }
