"""What is written here a server takes: a node is mended if nothing is lost by it, else it is named before the push."""

import json
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.cogx.archive import Archive, check_accepted
from cognee_dagster.cogx.read.reader import ArchiveReader
from cognee_dagster.cogx.read.validate import validate_archive
from cognee_dagster.cogx.server.vector_tables import is_table_name, safe_type
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.errors import GraphFileError
from tests.cogx_graphs import ID_A, ID_B, MemoryReader, archived_records, demo_reader
from tests.unit.test_cogx_verdicts import MANIFEST, jsonl, judged

INDEXED = {"metadata": {"index_fields": ["name"]}}


def written(directory: Path, node_type: str, properties: dict[str, Any]) -> Archive:
    return write_archive(MemoryReader([(ID_A, "Ann", node_type, json.dumps(properties))]), directory / "a.cogx.tar.gz")


@pytest.mark.parametrize("name", ["Legal Entity", "Person/Org", "Person ", "人物", "x" * 300, "Größe"])
def test_a_type_that_makes_no_table_arrives_as_one_that_does_with_what_it_was_called(tmp_path: Path, name: str) -> None:
    archive = written(tmp_path, name, INDEXED | {"country": "NL"})
    (node,) = archived_records(archive.path)["nodes.jsonl"]
    assert node["original_type"] == name
    assert is_table_name(node["type"], "name")
    assert (node["name"], node["country"], node["metadata"]) == ("Ann", "NL", INDEXED["metadata"])
    assert archive.summary is not None
    assert archive.summary.nodes_by_type == {node["type"]: 1}
    assert validate_archive(archive.path).verdict == "taken"


@pytest.mark.parametrize(("node_type", "properties"), [("Legal Entity", {}), ("Person", INDEXED), ("a.b-c_d", INDEXED)])
def test_a_type_that_a_server_takes_stays_as_it_is(tmp_path: Path, node_type: str, properties: dict[str, Any]) -> None:
    (node,) = archived_records(written(tmp_path, node_type, properties).path)["nodes.jsonl"]
    assert node == {"id": ID_A, "name": "Ann", "type": node_type, **properties}


def test_a_mended_type_is_none_of_cognees_own(tmp_path: Path) -> None:
    (node,) = archived_records(written(tmp_path, "Rule/", INDEXED | {"text": "t"}).path)["nodes.jsonl"]
    assert (node["type"], node["original_type"]) == ("RuleNode", "Rule/")


def test_an_archive_read_as_a_graph_is_mended_alike_and_once(tmp_path: Path) -> None:
    node = {"id": ID_A, "type": "Legal Entity", "name": "Acme", **INDEXED}
    judged({"manifest.json": jsonl(MANIFEST), "nodes.jsonl": jsonl(node)}, tmp_path)
    first = write_archive(ArchiveReader(tmp_path / "a.cogx.tar.gz"), tmp_path / "b.cogx.tar.gz")
    again = write_archive(ArchiveReader(first.path), tmp_path / "c.cogx.tar.gz")
    assert first.content_sha256 == again.content_sha256
    assert first.digest == again.digest
    assert archived_records(first.path)["nodes.jsonl"] == [
        node | {"type": "Legal_Entity", "original_type": "Legal Entity"}
    ]
    assert validate_archive(first.path).verdict == "taken"


def test_nodes_that_no_server_takes_are_counted_and_named_before_anything_is_sent(
    tmp_path: Path,
) -> None:
    nodes = [(f"{number:032x}", "Ann", "Person", json.dumps({"version": "one"})) for number in range(7)]
    archive = write_archive(MemoryReader([*nodes, (ID_B, "Bob", "Person", "{}")]), tmp_path / "a.cogx.tar.gz")
    assert archive.summary is not None
    assert (archive.summary.refused_nodes, len(archive.summary.refused_examples)) == (7, 5)
    with pytest.raises(GraphFileError, match=r"because of 7 nodes: name 'Ann', type 'Person', .*version: Input should"):
        check_accepted(archive)
    assert validate_archive(archive.path).num_problems == 7


def test_an_archive_read_as_a_graph_names_its_refused_nodes(tmp_path: Path) -> None:
    node = {"id": ID_A, "type": "Person", "name": "Ann", "age": 3, "metadata": {"index_fields": ["age"]}}
    judged({"manifest.json": jsonl(MANIFEST), "nodes.jsonl": jsonl(node)}, tmp_path)
    archive = write_archive(ArchiveReader(tmp_path / "a.cogx.tar.gz"), tmp_path / "b.cogx.tar.gz")
    with pytest.raises(GraphFileError, match="'age' is 3 and not text"):
        check_accepted(archive)


def test_a_graph_that_a_server_takes_is_accepted(tmp_path: Path) -> None:
    check_accepted(write_archive(demo_reader(), tmp_path / "a.cogx.tar.gz"))


@pytest.mark.parametrize("text", ["https://example.com says so", " \nfile:///etc/passwd", "s3://a/b", "//[x"])
def test_a_chunk_that_begins_with_an_address_arrives_behind_an_invisible_mark(tmp_path: Path, text: str) -> None:
    archive = written(tmp_path, "DocumentChunk", {"text": text})
    records = archived_records(archive.path)
    assert records["documents.jsonl"][0]["content"] == "\ufeff" + text
    assert records["nodes.jsonl"][0]["text"] == text
    assert validate_archive(archive.path).verdict == "taken"
    assert write_archive(ArchiveReader(archive.path), tmp_path / "b.cogx.tar.gz").digest == archive.digest


@pytest.mark.parametrize("text", ["See https://example.com", "mailto:a@b.c", "Note: http", "httpx: a client", "12:30"])
def test_a_text_with_an_address_further_on_stays_as_it_is(tmp_path: Path, text: str) -> None:
    (document,) = archived_records(written(tmp_path, "DocumentChunk", {"text": text}).path)["documents.jsonl"]
    assert document["content"] == text


def test_a_safe_type_is_safe_and_stays_itself() -> None:
    for name in ("a b", "人", "", " ", "/", "x" * 500, "Person"):
        assert is_table_name(safe_type(name), "name")
        assert safe_type(safe_type(name)) == safe_type(name)
