"""A NetworkX graph written to a file by NetworkX, and read again, is the same graph to Cognee."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from cognee_dagster.sources.files import open_graph_file
from cognee_dagster.sources.mapping.value import GraphMapping
from cognee_dagster.sources.networkx.graphs import from_networkx
from tests.graph_files import Found

# What XML can hold: no control characters, no surrogates.
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=6).filter(
    lambda text: text.strip() == text
)
NAMES = st.sampled_from(["name", "description", "category", "colour", "size", "year"])
EDGE_NAMES = st.sampled_from(["relation", "weight", "note", "since"])
# One type an attribute: the formats declare it once for the whole graph.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "size": st.integers(-1000, 1000),
    "year": st.integers(1000, 3000),
    "weight": st.floats(allow_nan=False, allow_infinity=False, width=32),
    "since": st.integers(0, 3000),
}


@st.composite
def attributes(draw: st.DrawFn, names: st.SearchStrategy[str]) -> dict[str, Any]:
    return {name: draw(VALUES.get(name, TEXT)) for name in draw(st.lists(names, unique=True, max_size=4))}


@st.composite
def graphs(draw: st.DrawFn) -> Any:
    graph = draw(st.sampled_from([nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph]))()
    keys = draw(st.lists(TEXT, unique=True, min_size=1, max_size=6))
    for key in keys:
        graph.add_node(key, **draw(attributes(NAMES)))
    for source, target in draw(st.lists(st.tuples(st.sampled_from(keys), st.sampled_from(keys)), max_size=6)):
        graph.add_edge(source, target, **draw(attributes(EDGE_NAMES)))
    return graph


def write_json(graph: Any, path: Path) -> None:
    path.write_text(json.dumps(nx.node_link_data(graph)))


WRITERS: dict[str, Callable[[Any, Path], None]] = {
    "g.graphml": nx.write_graphml,
    "g.gexf": nx.write_gexf,
    "g.json": write_json,
}


def content(found: Found) -> tuple[dict[str, Any], list[str]]:
    """Nodes by id, and edges; of an undirected edge a file may tell either end first."""
    nodes = {row["id"]: (row["name"], row["type"], row["properties"]) for row in found.nodes}
    edges = sorted(
        f"{sorted([row['source'], row['target']])} {row['relationship']} {len(row['properties'])}"
        for row in found.edges
    )
    return nodes, edges


@settings(max_examples=60)
@given(graphs())
def test_every_format_brings_the_same_graph_as_the_one_in_memory(graph: Any) -> None:
    """GEXF has a label for every node, which is its key where it has no other; so the name is said by the mapping."""
    named = any("name" in values for _, values in graph.nodes(data=True))
    mapping = GraphMapping(as_nodes="cognee", name="name" if named else None)
    expected = Found(from_networkx(graph, dataset_name="g", mapping=mapping))
    for file, write in WRITERS.items():
        with tempfile.TemporaryDirectory() as directory:
            write(graph, Path(directory) / file)
            found = Found(open_graph_file(Path(directory) / file, mapping=mapping))
        assert content(found) == content(expected), file
        assert found.reader.attributes_left_behind == expected.reader.attributes_left_behind
