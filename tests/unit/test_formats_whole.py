"""Every format is read whole: an element that its reader leaves out is noticed, whatever the format."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.elements import Edge, Node
from cognee_dagster.sources.files import open_graph_file
from cognee_dagster.sources.formats.apoc_lines import ApocLines
from cognee_dagster.sources.formats.gexf import GexfFile
from cognee_dagster.sources.formats.graphml import GraphMLFile
from cognee_dagster.sources.formats.graphrag_folder import GraphRagFolder
from cognee_dagster.sources.formats.lightrag_folder import LightRagFolder
from cognee_dagster.sources.formats.node_edge_tables import NodeEdgeTables
from cognee_dagster.sources.formats.node_link import NodeLinkFile
from cognee_dagster.sources.networkx.graphs import from_networkx
from cognee_dagster.sources.networkx.source import NetworkXGraph
from tests.graph_files import gexf, graphml

CORPUS = Path(__file__).parents[1] / "corpus"
NODES = [{"id": "a", "category": "x"}, {"id": "b", "category": "y"}, {"id": "c", "category": "y"}]
EDGES = [{"source": "a", "target": "b"}, {"source": "b", "target": "c"}]


def write_csv(folder: Path) -> Path:
    for name, rows in (("nodes", NODES), ("edges", EDGES)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder


def write_parquet(folder: Path) -> Path:
    for name, rows in (("nodes", NODES), ("edges", EDGES)):
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
    return folder


def write_text(name: str, content: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_text(content)
        return folder / name

    return write


NESTED = '<node id="a"><graph><node id="b"/><node id="c"/><edge source="b" target="c"/></graph></node>'
NESTED_GEXF = (
    '<nodes><node id="a"><nodes><node id="b"/><node id="c"/></nodes></node></nodes>'
    '<edges><edge source="a" target="b"/></edges>'
)
# A format, who reads it, and a graph in it that is read whole.
FORMATS: dict[str, tuple[type[Any], Callable[[Path], Path]]] = {
    "GraphML, nested": (GraphMLFile, write_text("g.graphml", graphml(NESTED))),
    "GEXF, hierarchical": (GexfFile, write_text("g.gexf", gexf(NESTED_GEXF))),
    "node-link": (NodeLinkFile, write_text("g.json", json.dumps({"nodes": NODES, "links": EDGES}))),
    "cytoscape.js": (
        NodeLinkFile,
        write_text("g.json", json.dumps({"elements": [{"data": data} for data in (*NODES, *EDGES)]})),
    ),
    "APOC": (ApocLines, lambda _: CORPUS / "apoc" / "handbook.jsonl"),
    "CSV": (NodeEdgeTables, write_csv),
    "Parquet": (NodeEdgeTables, write_parquet),
    "GraphRAG": (GraphRagFolder, lambda _: CORPUS / "graphrag"),
    "LightRAG": (LightRagFolder, lambda _: CORPUS / "lightrag"),
    "nano-graphrag": (LightRagFolder, lambda _: CORPUS / "nano-graphrag"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_format_holds_is_counted_as_it_is_read(tmp_path: Path, name: str) -> None:
    _, write = FORMATS[name]
    open_graph_file(write(tmp_path))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", ["nodes", "edges"])
def test_an_element_that_is_left_out_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    source, write = FORMATS[name]
    read = getattr(source, kind)

    def without_one(self: Any) -> Iterator[Node | Edge]:
        elements = list(read(self))
        return iter(elements[:-1] if kind == "nodes" else elements[1:])

    if kind == "nodes":  # or the edge that ends there would be missed first
        monkeypatch.setattr(source, "edges", lambda self: iter(()))
    monkeypatch.setattr(source, kind, without_one)
    with pytest.raises(GraphFileError, match=r"holds \d+ nodes and edges, of which \d+ were read"):
        open_graph_file(write(tmp_path))


def test_a_graph_in_memory_is_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NetworkXGraph, "edges", lambda self: iter(()))
    with pytest.raises(GraphFileError, match="holds 5 nodes and edges, of which 3 were read"):
        from_networkx(nx.path_graph(3), dataset_name="g")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"nodes": NODES, "links": [], "relations": EDGES}, "holds 2 links in 'relations'"),
        ({"elements": {"nodes": NODES, "arcs": [{"data": e} for e in EDGES]}}, "holds 2 links in 'arcs'"),
        ({"graph": {"nodes": {"a": {}}, "hyperedges": [{"nodes": ["a"]}]}}, "holds 1 link in 'hyperedges'"),
    ],
)  # fmt: skip
def test_links_that_stand_where_none_are_looked_for_are_refused(tmp_path: Path, content: Any, reason: str) -> None:
    (tmp_path / "g.json").write_text(json.dumps(content))
    with pytest.raises(GraphFileError, match=reason):
        open_graph_file(tmp_path / "g.json")


def test_a_quote_that_nobody_closes_swallows_no_rows(tmp_path: Path) -> None:
    (tmp_path / "nodes.csv").write_text('id,name\n1,"Ann\n2,Bo\n3,Cy\n')
    (tmp_path / "edges.csv").write_text("source,target\n")
    with pytest.raises(GraphFileError, match=r"nodes\.csv that is not CSV: unexpected end of data"):
        open_graph_file(tmp_path)


def test_a_text_of_lightrags_that_has_no_content_is_refused_by_name(tmp_path: Path) -> None:
    nx.write_graphml(nx.path_graph(2), tmp_path / "graph_chunk_entity_relation.graphml")
    (tmp_path / "kv_store_text_chunks.json").write_text('{"chunk-1": {"tokens": 3}}')
    with pytest.raises(GraphFileError, match=r"text 'chunk-1' in .* without 'content'"):
        open_graph_file(tmp_path)
