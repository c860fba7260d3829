"""Graphs of NetworkX that hypothesis makes up, the formats that hold them, and what of them must be on a remote."""

import csv
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import networkx as nx
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.pushing import PushOptions, push_graph
from cognee_dagster.remote import CogneeClient
from cognee_dagster.remote.remote_graph import RemoteGraph
from cognee_dagster.sources import open_graph
from cognee_dagster.sources.formats.chunks import CHUNK
from cognee_dagster.sources.mapping.ids import node_id
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
KINDS = (nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph)


@st.composite
def attributes(draw: st.DrawFn, names: st.SearchStrategy[str]) -> dict[str, Any]:
    return {name: draw(VALUES.get(name, TEXT)) for name in draw(st.lists(names, unique=True, max_size=4))}


@st.composite
def graphs(draw: st.DrawFn) -> Any:
    graph = draw(st.sampled_from(KINDS))()
    keys = draw(st.lists(TEXT, unique=True, min_size=1, max_size=6))
    for key in keys:
        graph.add_node(key, **draw(attributes(NAMES)))
    for source, target in draw(st.lists(st.tuples(st.sampled_from(keys), st.sampled_from(keys)), max_size=6)):
        graph.add_edge(source, target, **draw(attributes(EDGE_NAMES)))
    return graph


def joined(several: Iterable[Any], kind: Any) -> Any:
    """One graph of several: what they both say of a node, the later one says."""
    graph = kind()
    for each in several:
        graph.add_nodes_from(each.nodes(data=True))
        graph.add_edges_from(each.edges(data=True))
    return graph


# The formats.


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


def tables(graph: Any, *, key: str = "id") -> dict[str, list[dict[str, Any]]]:
    """Rows of nodes and edges."""
    return {
        "nodes": [{key: name, **values} for name, values in graph.nodes(data=True)],
        "edges": [{"source": source, "target": target, **values} for source, target, values in graph.edges(data=True)],
    }


def columns(rows: list[dict[str, Any]], *first: str) -> list[str]:
    return list(dict.fromkeys([*first, *(column for row in rows for column in row)]))


FIRST = {"nodes": ["id"], "edges": ["source", "target"]}


def write_csv(graph: Any, folder: Path) -> None:
    folder.mkdir()
    for name, rows in tables(graph).items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns(rows, *FIRST[name]))
            writer.writeheader()
            writer.writerows(rows)


def write_table(rows: list[dict[str, Any]], path: Path, *first: str) -> None:
    values = {column: [row.get(column) for row in rows] for column in columns(rows, *first)}
    pq.write_table(pa.table(values), path)


def write_parquet(graph: Any, folder: Path) -> None:
    folder.mkdir()
    for name, rows in tables(graph).items():
        write_table(rows, folder / f"{name}.parquet", *FIRST[name])


def texts_of(graph: Any) -> dict[str, list[str]]:
    """Two texts, from which the nodes of a graph are said to be extracted."""
    keys = list(graph)
    return {"A first text.": keys[::2], "Another text.": keys[::3]}


def write_graphrag(graph: Any, folder: Path) -> None:
    """Titles are the keys of its entities."""
    folder.mkdir()
    texts = [{"id": f"t{number}", "text": text, "n_tokens": 3} for number, text in enumerate(texts_of(graph))]
    found = tables(graph, key="title")
    for row in found["nodes"]:
        row["text_unit_ids"] = [f"t{n}" for n, keys in enumerate(texts_of(graph).values()) if row["title"] in keys]
    write_table(found["nodes"], folder / "entities.parquet", "title")
    write_table(found["edges"], folder / "relationships.parquet", "source", "target")
    write_table(texts, folder / "text_units.parquet")


def write_lightrag(graph: Any, folder: Path) -> None:
    folder.mkdir()
    held = graph.copy()
    for key, values in held.nodes(data=True):
        found = [f"chunk-{n}" for n, keys in enumerate(texts_of(graph).values()) if key in keys]
        values |= {"entity_id": key, **({"source_id": "<SEP>".join(found)} if found else {})}
    nx.write_graphml(held, folder / "graph_chunk_entity_relation.graphml")
    texts = {f"chunk-{number}": {"content": text} for number, text in enumerate(texts_of(graph))}
    (folder / "kv_store_text_chunks.json").write_text(json.dumps(texts))


def write_cogx(graph: Any, path: Path) -> None:
    write_archive(from_networkx(graph, dataset_name="g", mapping=mapping_of(graph)), path)


WRITERS: dict[str, Callable[[Any, Path], object]] = {
    "g.graphml": nx.write_graphml,
    "g.gexf": nx.write_gexf,
    "g.json": write_json,
    "g.jsonl": write_apoc,
    "csv": write_csv,
    "parquet": write_parquet,
    "graphrag": write_graphrag,
    "lightrag": write_lightrag,
    "g.cogx.tar.gz": write_cogx,
}
WITH_TEXTS = {"graphrag", "lightrag"}
MAPPED = {"g.cogx.tar.gz"}  # what it holds is mapped already


def mapping_of(graph: Any) -> GraphMapping:
    """GEXF has a label for every node, which is its key where it has no other; so the name is said by the mapping."""
    named = any("name" in values for _, values in graph.nodes(data=True))
    return GraphMapping(as_nodes="cognee", name="name" if named else None)


# What they hold, to be compared.


@dataclass(frozen=True, kw_only=True)
class Content:
    """A graph.

    Attributes:
        nodes: Name, type and what else is known of each, by id.
        edges: Their ends, relationships and what else is known; of an undirected one either end may come first.
        texts: The nodes that each text contains.
    """

    nodes: dict[str, tuple[Any, ...]]
    edges: Counter[tuple[Any, ...]]
    texts: dict[str, set[str]]


def content(found: Found, graph: Any) -> Content:
    """What a reader found of a graph."""
    chunks = {row["id"]: json.loads(row["properties"])["text"] for row in found.nodes if row["type"] == CHUNK}
    edges = [row for row in found.edges if row["source"] not in chunks]
    contains = {(row["source"], row["target"]) for row in found.edges if row["source"] in chunks}
    return Content(
        nodes={
            row["id"]: (row["name"], row["type"], row["properties"]) for row in found.nodes if row["id"] not in chunks
        },
        edges=Counter(
            (*_ends(row["source"], row["target"], graph), row["relationship"], len(row["properties"])) for row in edges
        ),
        texts={text: {end for start, end in contains if start == key} for key, text in chunks.items()},
    )


def expected(graph: Any, *, file: str) -> tuple[Found, Content]:
    """What a reader has to find in a file."""
    found = Found(from_networkx(graph, dataset_name="g", mapping=mapping_of(graph)))
    texts = {text: set(map(node_id, keys)) for text, keys in texts_of(graph).items()} if file in WITH_TEXTS else {}
    return found, replace(content(found, graph), texts=texts)


def expected_there(graph: Any, *, file: str) -> Content:
    """What a remote has to have: it describes what nothing is said of by its name, and knows an edge once."""
    found, read = expected(graph, file=file)
    said = {row["id"]: json.loads(row["properties"]).get("description") for row in found.nodes}
    return Content(
        nodes={key: (name, kind, said[key] or name) for key, (name, kind, _) in read.nodes.items()},
        edges=Counter({(*ends, relationship) for *ends, relationship, _ in read.edges}),
        texts=read.texts,
    )


def content_there(there: RemoteGraph, graph: Any) -> Content:
    """What a remote has of a graph."""
    chunks = {node.id: str(node.properties["text"]) for node in there.nodes if node.type == CHUNK}
    triples = there.triples()
    return Content(
        nodes={
            node.id: (node.label, node.type, node.properties.get("description"))
            for node in there.nodes
            if node.id not in chunks
        },
        edges=Counter(
            {(*_ends(source, target, graph), name) for source, name, target in triples if source not in chunks}
        ),
        texts={text: {target for source, _, target in triples if source == key} for key, text in chunks.items()},
    )


def pushed(graph: Any, *, file: str, client: CogneeClient, dataset: str) -> Content:
    """What a remote has of a graph after a push of a file into an empty dataset."""
    with tempfile.TemporaryDirectory() as directory:
        WRITERS[file](graph, place := Path(directory) / file)
        source = open_graph(place, mapping=None if file in MAPPED else mapping_of(graph))
        result = push_graph(source, connection=client.connection, options=PushOptions(target_dataset=dataset))
    assert result.status == "completed"
    found = client.find_dataset(dataset)
    assert found is not None
    return content_there(client.graph(found.id), graph)


def _ends(source: str, target: str, graph: Any) -> tuple[str, str]:
    return (source, target) if graph.is_directed() or source < target else (target, source)
