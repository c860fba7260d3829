"""Graph files of every kind become the same dataset as the graph they were written from, or a clear error."""

import gzip
import json
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from cognee_dagster.cogx.write.packing import pack_directory
from cognee_dagster.cogx.write.tally import summarize
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.errors import ArchiveError, GraphFileError
from cognee_dagster.graph.reader import GraphReader
from cognee_dagster.sources.files import open_graph_file
from cognee_dagster.sources.mapping.written import written_mapping
from cognee_dagster.sources.networkx.graphs import from_networkx


@pytest.fixture
def graph() -> Any:
    graph = nx.MultiDiGraph()
    graph.add_node("alice", name="Alice", type="Person", age=30, happy=True, height=1.7)
    graph.add_node("acme", name="Acme", description="A firm")
    graph.add_edge("alice", "acme", relationship="works_at", since=2020)
    graph.add_edge("alice", "acme", relationship="likes")
    graph.add_edge("acme", "acme", relationship="owns")
    return graph


def write_node_link(graph: Any, path: Path, *, edges: str = "edges") -> None:
    content = nx.node_link_data(graph)
    links = content.pop("edges", None) or content.pop("links")
    path.write_text(json.dumps({**content, edges: links}))


WRITERS: dict[str, Callable[[Any, Path], None]] = {
    "g.graphml": nx.write_graphml,
    "g.gexf": nx.write_gexf,
    "g.json": write_node_link,
    "g.JSON": lambda graph, path: write_node_link(graph, path, edges="links"),
}


def content(reader: GraphReader) -> tuple[set[str], set[tuple[str, str, str]]]:
    nodes = {json.dumps([row["id"], row["name"], row["type"]]) for batch in reader.nodes() for row in batch.to_pylist()}
    edges = [row for batch in reader.edges() for row in batch.to_pylist()]
    return nodes, {(row["source"], row["relationship"], row["target"]) for row in edges}


@pytest.mark.parametrize("name", list(WRITERS))
@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_is_the_graph_it_was_written_from(graph: Any, tmp_path: Path, name: str, compressed: bool) -> None:
    path = tmp_path / name
    WRITERS[name](graph, path)
    if compressed:
        path = tmp_path / f"{name}.gz"
        path.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    reader = open_graph_file(path)
    assert content(reader) == content(from_networkx(graph, dataset_name="g"))
    assert (reader.origin.dataset_name, reader.origin.read_through) == ("g", "networkx")


def test_node_link_json_holds_the_same_digest_as_the_graph(graph: Any, tmp_path: Path) -> None:
    write_node_link(graph, tmp_path / "g.json")
    assert (
        summarize(open_graph_file(tmp_path / "g.json")).digest
        == summarize(from_networkx(graph, dataset_name="g")).digest
    )


@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph])
def test_node_link_json_of_any_kind_is_read(tmp_path: Path, kind: type[Any]) -> None:
    written = kind([("a", "b"), ("b", "a"), ((1, 2), "a")])
    write_node_link(written, tmp_path / "g.json")
    assert content(open_graph_file(tmp_path / "g.json")) == content(from_networkx(written, dataset_name="g"))


def test_graphml_as_cognee_exports_it_is_read(tmp_path: Path) -> None:
    """The form of Cognee 1.6.5's ``cognee.export(format="graphml")``."""
    (tmp_path / "g.graphml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
        '  <key id="n_name" for="node" attr.name="name" attr.type="string"/>\n'
        '  <key id="n_type" for="node" attr.name="type" attr.type="string"/>\n'
        '  <key id="n_version" for="node" attr.name="version" attr.type="string"/>\n'
        '  <key id="e_relationship_name" for="edge" attr.name="relationship_name" attr.type="string"/>\n'
        '  <graph id="cognee" edgedefault="directed">\n'
        '    <node id="00000000-0000-0000-0000-000000000001">\n      <data key="n_name">A</data>\n'
        '      <data key="n_type">Person</data>\n      <data key="n_version">1</data>\n    </node>\n'
        '    <edge source="00000000-0000-0000-0000-000000000001" target="00000000-0000-0000-0000-000000000001">\n'
        '      <data key="e_relationship_name">is</data>\n    </edge>\n  </graph>\n</graphml>'
    )
    reader = open_graph_file(tmp_path / "g.graphml")
    [row] = [row for batch in reader.nodes() for row in batch.to_pylist()]
    assert (row["id"], row["name"], row["type"]) == ("00000000-0000-0000-0000-000000000001", "A", "Person")
    assert json.loads(row["properties"])["version"] == 1  # GraphML holds it as text, where a server wants a number
    assert [row["relationship"] for batch in reader.edges() for row in batch.to_pylist()] == ["is"]


def test_the_dataset_is_named_by_the_file_unless_it_is_given(graph: Any, tmp_path: Path) -> None:
    nx.write_graphml(graph, tmp_path / "people.v2.graphml")
    assert open_graph_file(tmp_path / "people.v2.graphml").origin.dataset_name == "people"
    assert open_graph_file(tmp_path / "people.v2.graphml", dataset_name="x").origin.dataset_name == "x"


def test_an_archive_is_the_graph_it_was_written_from(graph: Any, tmp_path: Path) -> None:
    archive = write_archive(from_networkx(graph, dataset_name="g"), tmp_path / "g.cogx.tar.gz")
    reader = open_graph_file(archive.path)
    assert (reader.origin.dataset_name, reader.origin.read_through) == ("g", "archive")
    assert content(reader) == content(from_networkx(graph, dataset_name="g"))
    assert summarize(reader).digest == archive.digest
    assert write_archive(reader, tmp_path / "again.cogx.tar.gz").digest == archive.digest


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("g.graphml", "no xml", "cannot be read as .graphml"),
        ("g.gexf", "<gexf/>", "cannot be read as .gexf"),
        ("g.json", "{", "cannot be read as .json"),
        ("g.json", "[]", "no node-link JSON"),
        ("g.json", '{"nodes": [], "other": []}', "no node-link JSON"),
        ("g.json", '{"nodes": [{"name": "x"}], "edges": []}', "cannot be read"),
        ("g.json", '{"nodes": [{"id": 1}], "edges": [{"source": 1, "target": 2}]}', "link to node 2"),
        ("g.json.gz", "{}", "cannot be read"),
        ("g.txt", "x", "of no kind"),
        ("g", "x", "of no kind"),
        (".graphml", "x", "of no kind"),
    ],
)
def test_a_file_that_is_not_what_it_seems_is_named_with_the_reason(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(GraphFileError, match=reason) as caught:
        open_graph_file(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(GraphFileError, match=r"There is no file or folder .*gone\.graphml"):
        open_graph_file(tmp_path / "gone.graphml")


def test_a_damaged_archive_is_an_archive_error(tmp_path: Path) -> None:
    (tmp_path / "g.cogx.tar.gz").write_bytes(b"no archive")
    with pytest.raises(ArchiveError):
        open_graph_file(tmp_path / "g.cogx.tar.gz")


def test_a_file_that_appears_as_text_in_json_never_loses_parallel_edges(tmp_path: Path) -> None:
    """Files by other programs say neither ``directed`` nor ``multigraph``."""
    link = {"source": "a", "target": "b"}
    content_ = {"nodes": [{"id": "a"}, {"id": "b"}], "links": [{**link, "label": "x"}, {**link, "label": "y"}]}
    (tmp_path / "g.json").write_text(json.dumps(content_))
    assert {relationship for _, relationship, _ in content(open_graph_file(tmp_path / "g.json"))[1]} == {"x", "y"}


def test_a_named_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.graphml")
    with pytest.raises(GraphFileError, match="is not a regular file"):
        open_graph_file(tmp_path / "pipe.graphml")


def test_a_mapping_file_without_end_is_refused() -> None:
    with pytest.raises(GraphFileError, match="is not a regular file of 65,536 bytes at most"):
        written_mapping(["/dev/zero"])


def test_a_link_within_an_archives_directory_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "manifest.json").write_text('{"cogx_version": "0.1"}')
    (tmp_path / "secret").write_text("{}")
    (tmp_path / "export" / "nodes.jsonl").symlink_to(tmp_path / "secret")
    with pytest.raises(ArchiveError, match="is a symbolic link"):
        pack_directory(tmp_path / "export", tmp_path / "packed.cogx.tar.gz")


def test_what_is_secret_in_a_url_is_in_no_message() -> None:
    password, token = (f"secret{number}" for number in range(2))
    with pytest.raises(GraphFileError) as raised:
        open_graph_file(f"http://user:{password}@127.0.0.1:1/graph.graphml?sig={token}")
    assert "http://127.0.0.1:1/graph.graphml" in str(raised.value)
    told = "".join(traceback.format_exception(raised.value))
    assert (password in told, token in told) == (False, False)
