"""Node-link JSON of every dialect is read whole, or refused with the node or link and what to do."""

import json
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.files import open_graph_file
from tests.graph_files import Found, read

ANN_KNOWS_BO = [("Ann", "knows", "Bo")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "g.json"


DIALECTS: dict[str, Any] = {
    "D3, by number": {
        "nodes": [{"name": "Ann"}, {"name": "Bo"}],
        "links": [{"source": 0, "target": 1, "label": "knows"}],
    },
    "D3, after it was drawn": {
        "nodes": [{"id": "x", "name": "Ann", "index": 0}, {"id": "y", "name": "Bo", "index": 1}],
        "links": [{"source": {"id": "x"}, "target": {"id": "y"}, "label": "knows"}],
    },
    "NetworkX 1, by number": {
        "directed": True,
        "graph": [],
        "multigraph": False,
        "nodes": [{"id": 1, "name": "Ann"}, {"id": 0, "name": "Bo"}],
        "links": [{"source": 0, "target": 1, "relation": "knows"}],
    },
    "vis.js": {
        "nodes": [{"id": 1, "label": "Ann"}, {"id": 2, "label": "Bo"}],
        "edges": [{"from": 1, "to": 2, "label": "knows"}],
    },
    "graphology": {
        "options": {"type": "directed", "multi": True},
        "nodes": [{"key": "a", "attributes": {"label": "Ann"}}, {"key": "b", "attributes": {"label": "Bo"}}],
        "edges": [{"key": "geid_1", "source": "a", "target": "b", "attributes": {"label": "knows"}}],
    },
    "cytoscape.js": {
        "elements": {
            "nodes": [{"data": {"id": "a", "name": "Ann"}}, {"data": {"id": "b", "name": "Bo"}}],
            "edges": [{"data": {"id": "e", "source": "a", "target": "b", "interaction": "knows"}}],
        }
    },
    "cytoscape.js, in one list": {
        "elements": [
            {"group": "nodes", "data": {"id": "a", "label": "Ann"}},
            {"data": {"id": "b", "label": "Bo"}},
            {"data": {"source": "a", "target": "b", "label": "knows"}},
        ]
    },
    "LangChain": {
        "nodes": [
            {"id": "a", "type": "Person", "properties": {"name": "Ann"}},
            {"id": "b", "type": "Person", "properties": {"name": "Bo"}},
        ],
        "relationships": [
            {"source": {"id": "a"}, "target": {"id": "b"}, "type": "knows", "properties": {"since": "2020"}}
        ],
    },
    "JSON Graph Format": {
        "graph": {
            "nodes": {"a": {"label": "Ann"}, "b": {"label": "Bo", "metadata": {"age": 3}}},
            "edges": [{"source": "a", "target": "b", "relation": "knows"}],
        }
    },
    "cognee.export": {
        "nodes": [{"id": "a", "name": "Ann"}, {"id": "b", "name": "Bo"}],
        "edges": [{"source": "a", "target": "b", "relationship_name": "knows"}],
    },
}


@pytest.mark.parametrize("dialect", list(DIALECTS))
def test_every_dialect_is_read(path: Path, dialect: str) -> None:
    found = read(path, json.dumps(DIALECTS[dialect]))
    assert found.names == ["Ann", "Bo"]
    assert found.triples == ANN_KNOWS_BO


@pytest.mark.parametrize("writer", ["node_link_data", "cytoscape_data"])
def test_what_networkx_writes_is_read(path: Path, writer: str) -> None:
    graph = nx.DiGraph()
    graph.add_node("a", name="Ann")
    graph.add_node("b", name="Bo")
    graph.add_edge("a", "b", label="knows")
    assert read(path, json.dumps(getattr(nx, writer)(graph))).triples == ANN_KNOWS_BO


def test_nodes_that_are_mere_strings_are_their_own_keys(path: Path) -> None:
    assert read(path, '{"nodes": ["a", "b"], "links": [["a", "b"]]}').triples == [("a", "related_to", "b")]


def test_links_and_edges_are_both_read_and_null_is_not_there(path: Path) -> None:
    both = '{"nodes": [{"id": "a"}], "links": %s, "edges": [{"source": "a", "target": "a"}]}'
    assert len(read(path, both % '[{"source": "a", "target": "a", "label": "x"}]').edges) == 2
    assert len(read(path, both % "[]").edges) == 1
    assert len(read(path, both % "null").edges) == 1


def test_parallel_edges_are_all_read_whatever_the_file_says_of_itself(path: Path) -> None:
    link = {"source": "a", "target": "a"}
    content = {"multigraph": False, "nodes": ["a"], "links": [{**link, "label": "x"}, {**link, "label": "y"}]}
    assert len(read(path, json.dumps(content)).edges) == 2


def test_parallel_edges_of_one_key_are_all_read(path: Path) -> None:
    link = {"source": "a", "target": "a", "key": "likes"}
    content = {"multigraph": True, "nodes": [{"id": "a"}], "links": [{**link, "since": 1}, {**link, "since": 2}]}
    path.write_text(json.dumps(content))
    assert open_graph_file(path).source_survey.num_edges == 2  # type: ignore[attr-defined]


def test_a_key_is_a_name_in_a_multigraph_of_networkx_alone(path: Path) -> None:
    link = {"source": "a", "target": "a", "key": "likes"}
    assert read(path, json.dumps({"multigraph": True, "nodes": ["a"], "links": [link]})).triples[0][1] == "likes"
    assert read(path, json.dumps({"nodes": ["a"], "links": [link]})).triples[0][1] == "related_to"


def test_1_and_1_point_0_and_true_are_three_nodes(path: Path) -> None:
    assert len(read(path, '{"nodes": [{"id": 1}, {"id": 1.0}, {"id": true}], "links": []}').nodes) == 3


def test_an_end_names_a_node_whether_as_a_number_or_as_its_text(path: Path) -> None:
    assert len(read(path, '{"nodes": [{"id": "7"}], "links": [{"source": 7, "target": "7"}]}').edges) == 1


@pytest.mark.parametrize("odd", ["NaN", '"\\ud800"', "1e400"])
def test_what_only_pythons_json_reads_is_read(path: Path, odd: str) -> None:
    found = read(path, '{"nodes": [{"id": "a", "name": "Ann", "x": ODD}], "links": []}'.replace("ODD", odd))
    assert found.names == ["Ann"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_that_windows_saved_is_read(path: Path, encoding: str) -> None:
    assert read(path, '{"nodes": [{"id": "Zoë"}], "links": []}'.encode(encoding)).names == ["Zoë"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"nodes": [{"id": 1}, {"id": 1}], "links": []}', r"Nodes 1 and 1 \(node 1 of 2, node 2 of 2\)"),
        ('{"nodes": [{"id": "a"}], "links": [{"source": "a"}]}', "link 1 without 'source' and 'target'"),
        ('{"nodes": [{"id": "a"}], "links": ["a"]}', "link 1 that is neither an object nor a pair"),
        ('{"nodes": [{"id": "a"}], "links": [{"source": "a", "target": "z"}]}', r"link to node 'z'"),
        ('{"nodes": [{"name": "a"}], "links": [{"source": "a", "target": "a"}]}', "node 1 has no 'id'"),
        ('{"elements": [1]}', "no node-link JSON"),
    ],
)
def test_what_cannot_be_read_is_named(path: Path, content: str, reason: str) -> None:
    with pytest.raises(GraphFileError, match=reason):
        read(path, content)


def test_reading_again_gives_the_same(path: Path) -> None:
    found = read(path, json.dumps(DIALECTS["vis.js"]))
    assert Found(found.reader).nodes == found.nodes
