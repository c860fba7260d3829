"""A mapping that is written down, in a file or on a command line, is as good as one made in Python."""

import json
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources import open_graph
from cognee_dagster.sources.mapping.value import GraphMapping
from cognee_dagster.sources.mapping.written import written_mapping
from tests.graph_files import Found

FIELDS = {"node_type": "species", "relationship": ["does", "did"], "drop": ["ring"], "edge_text": "{source}, {note}"}
MAPPING = GraphMapping(
    node_type="species", relationship=["does", "did"], drop=["ring"], edge_text="{source}, {note}"
)  # fmt: skip


@pytest.mark.parametrize("spelling", ["yaml", "json", "windows", "inline json", "inline"])
def test_every_spelling_says_the_same(tmp_path: Path, spelling: str) -> None:
    yaml = "node_type: species\nname:\nrelationship: [does, did]\ndrop:\n  - ring\nedge_text: '{source}, {note}'\n"
    files = {"yaml": yaml.encode(), "json": json.dumps(FIELDS).encode(), "windows": b"\xef\xbb\xbf" + yaml.encode()}
    inline = {
        "inline json": [json.dumps(FIELDS)],
        "inline": ["node_type=species", "relationship=does, did", "drop=ring", "edge_text={source}, {note}"],
    }
    if spelling in files:
        (tmp_path / "mapping").write_bytes(files[spelling])
    assert written_mapping(inline.get(spelling, [str(tmp_path / "mapping")])) == MAPPING


def test_what_is_said_later_wins(tmp_path: Path) -> None:
    (tmp_path / "birds.yaml").write_text("node_type: species\nname: called\n")
    assert written_mapping([str(tmp_path / "birds.yaml"), "name=title"]) == GraphMapping(
        node_type="species", name="title"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nowhere.yaml", r"mapping file nowhere\.yaml cannot be read: .*node_type=species"),
        ("{", r"The mapping \{ is neither YAML nor JSON"),
        ("{}x", "is neither YAML nor JSON"),
        ('{"nod_type": "x"}', "there is no 'nod_type'. Did you mean 'node_type'"),
        ("colour=x", "there is no 'colour'. There are: node_type, name,"),
        ("as_nodes=own", "as_nodes is 'own'. Write 'cognee' or 'typed'"),
        ('{"as_nodes": ["typed"]}', r"as_nodes is \['typed'\]. Write"),
        ('{"node_type": 7}', "node_type is 7. Write a list of names"),
        ('{"keep": "x"}', r"keep is the string 'x'. Write a list: \['x'\]"),
        ('{"edge_text": 3}', "edge_text is 3, not a string"),
        ("node_type=", "node_type is empty"),
    ],
)
def test_what_cannot_work_is_named(text: str, reason: str) -> None:
    with pytest.raises(GraphFileError, match=reason):
        written_mapping([text])


def test_a_file_must_hold_fields(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("- node_type\n")
    with pytest.raises(GraphFileError, match=r"m\.yaml does not hold the fields of a GraphMapping"):
        written_mapping([str(tmp_path / "m.yaml")])


@pytest.mark.parametrize("text", ["name: a\nnode_type: b\nname: c\n", '{"name": "a", "name": "c"}'])
def test_a_field_that_is_there_twice_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.yaml").write_text(text)
    with pytest.raises(GraphFileError, match=r"m\.yaml says 'name' more than once"):
        written_mapping([str(tmp_path / "m.yaml")])


def birds() -> Any:
    graph = nx.DiGraph()
    graph.add_edge("a", "b", does="ignores")
    graph.nodes["a"]["species"] = "Robin"
    return graph


@pytest.mark.parametrize("kind", ["graph", "path", "url"])
def test_open_graph_takes_a_mapping_and_a_profile(tmp_path: Path, kind: str) -> None:
    nx.write_graphml(birds(), tmp_path / "birds.graphml")
    source = {"graph": birds(), "path": tmp_path / "birds.graphml", "url": (tmp_path / "birds.graphml").as_uri()}[kind]
    mapping = GraphMapping(node_type="species", relationship="does")
    with open_graph(source, mapping=mapping, profile="tinkerpop") as reader:
        found = Found(reader)
    assert ("a", "is_a", "Robin") in found.triples
    assert ("a", "ignores", "b") in found.triples
    assert found.reader.profile == "tinkerpop"


def test_a_graph_of_cognees_own_takes_none() -> None:
    with pytest.raises(GraphFileError, match="Leave mapping and profile out"), open_graph("demo", profile="apoc"):
        pass
