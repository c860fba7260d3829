"""A NetworkX graph that was written to files of any format is the same graph to Cognee, and on a remote."""

import csv
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.pushing import PushOptions, push_graph
from cognee_dagster.remote import CogneeClient, resolve_connection
from cognee_dagster.sources import open_graph
from cognee_dagster.sources.files import open_graph_file
from cognee_dagster.sources.mapping.value import GraphMapping
from cognee_dagster.sources.networkx.graphs import from_networkx
from cognee_dagster.testing import FakeRemote
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


def write_apoc(graph: Any, path: Path) -> None:
    lines: list[dict[str, Any]] = [
        {"type": "node", "id": key, "labels": [], "properties": values} for key, values in graph.nodes(data=True)
    ]
    for source, target, values in graph.edges(data=True):
        properties = {name: value for name, value in values.items() if name != "relation"}
        ends = {"start": {"id": source}, "end": {"id": target}}
        label = values.get("relation", "related_to")
        lines.append({"type": "relationship", "label": label, "properties": properties, **ends})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def tables(graph: Any) -> dict[str, tuple[list[str], list[dict[str, Any]]]]:
    """Columns and rows of nodes and edges."""
    nodes = [{"id": key, **values} for key, values in graph.nodes(data=True)]
    edges = [{"source": source, "target": target, **values} for source, target, values in graph.edges(data=True)]
    found = {"nodes": (["id"], nodes), "edges": (["source", "target"], edges)}
    return {
        name: (list(dict.fromkeys([*columns, *(column for row in rows for column in row)])), rows)
        for name, (columns, rows) in found.items()
    }


def write_csv(graph: Any, folder: Path) -> None:
    folder.mkdir()
    for name, (columns, rows) in tables(graph).items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)


def write_parquet(graph: Any, folder: Path) -> None:
    folder.mkdir()
    for name, (columns, rows) in tables(graph).items():
        values = {column: [row.get(column) for row in rows] for column in columns}
        pq.write_table(pa.table(values), folder / f"{name}.parquet")


WRITERS: dict[str, Callable[[Any, Path], None]] = {
    "g.graphml": nx.write_graphml,
    "g.gexf": nx.write_gexf,
    "g.json": write_json,
    "g.jsonl": write_apoc,
    "csv": write_csv,
    "parquet": write_parquet,
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


@pytest.fixture(scope="module")
def client() -> Iterator[CogneeClient]:
    with FakeRemote() as remote, CogneeClient(resolve_connection(remote.url, remote.api_key, environ={})) as opened:
        yield opened


def on_the_remote(place: Path, *, client: CogneeClient, mapping: GraphMapping | None) -> Any:
    """What is there after a push into an empty dataset: nodes, and edges between them."""
    found = client.find_dataset("g")
    if found is not None:
        client.delete_dataset(found.id)
    graph = open_graph(place, mapping=mapping)
    options = PushOptions(target_dataset="g")
    assert push_graph(graph, connection=client.connection, options=options).status == "completed"
    found = client.find_dataset("g")
    assert found is not None
    there = client.graph(found.id)
    nodes = {node.id: (node.label, node.type, node.properties.get("description")) for node in there.nodes}
    return nodes, {(frozenset([source, target]), name) for source, name, target in there.triples()}


@settings(max_examples=6)
@given(graphs())
def test_every_format_is_the_graph_in_memory_on_a_remote(client: CogneeClient, graph: Any) -> None:
    named = any("name" in values for _, values in graph.nodes(data=True))
    mapping = GraphMapping(as_nodes="cognee", name="name" if named else None)
    reader = from_networkx(graph, dataset_name="g", mapping=mapping)
    expected = Found(reader)
    said = {row["id"]: json.loads(row["properties"]).get("description") for row in expected.nodes}
    # A server describes an entity of which nothing is said by its name.
    nodes = {row["id"]: (row["name"], row["type"], said[row["id"]] or row["name"]) for row in expected.nodes}
    edges = {(frozenset([row["source"], row["target"]]), row["relationship"]) for row in expected.edges}
    with tempfile.TemporaryDirectory() as directory:
        for name, write in WRITERS.items():
            write(graph, place := Path(directory) / name)
            assert on_the_remote(place, client=client, mapping=mapping) == (nodes, edges), name
        archive = write_archive(reader, Path(directory) / "g.cogx.tar.gz")
        assert on_the_remote(archive.path, client=client, mapping=None) == (nodes, edges)
