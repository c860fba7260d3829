"""The handbook's graph as libraries write it, and as databases and editors do whose files have a documented schema."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import networkx as nx

from examples.stand_in_llm.extraction import Extraction, extract
from tests.corpus.extractors import HANDBOOK

_GRAPHML = '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns"'
_YED = ' xmlns:y="http://www.yworks.com/xml/graphml"'
_GEXF = '<?xml version="1.0" encoding="UTF-8"?>\n<gexf xmlns="http://gexf.net/1.3" version="1.3"'


def handbook() -> Extraction:
    """The names, types and facts of the handbook."""
    return extract("\n\n".join(path.read_text() for path in sorted(HANDBOOK.glob("*.md"))))


# Written by the libraries themselves.


def networkx(folder: Path) -> None:
    """GraphML, GEXF and node-link JSON of NetworkX, with attributes as its users call them."""
    found, graph = handbook(), nx.MultiDiGraph()
    for name, kind in found.types.items():
        graph.add_node(name, category=kind, description=found.mentions[name])
    for r in found.relations:
        graph.add_edge(r.source, r.target, relation=r.relationship, description=r.sentence, weight=1.0)
    nx.write_graphml(graph, folder / "handbook.graphml")
    nx.write_gexf(graph, folder / "handbook.gexf")
    (folder / "handbook.json").write_text(json.dumps(nx.node_link_data(graph)))


def igraph(folder: Path) -> None:
    """GraphML of igraph, whose vertices have numbers and the attribute ``name``."""
    found = handbook()
    graph: Any = import_module("igraph").Graph(directed=True)
    names = list(found.types)
    graph.add_vertices(names, {"type": [found.types[n] for n in names], "summary": [found.mentions[n] for n in names]})
    graph.add_edges(
        [(r.source, r.target) for r in found.relations],
        {"label": [r.relationship for r in found.relations], "evidence": [r.sentence for r in found.relations]},
    )
    graph.write_graphml(str(folder / "handbook.graphml"))


# Written by us, to the schema that the producer documents.


def apoc(folder: Path) -> None:
    """Neo4j's ``apoc.export.json.all``."""
    found = handbook()
    numbers = {name: str(number) for number, name in enumerate(found.types)}
    rows: list[dict[str, Any]] = [
        {"type": "node", "id": numbers[name], "labels": [kind], "properties": {"name": name, "about": text}}
        for name, kind, text in _things(found)
    ]
    for number, r in enumerate(found.relations):
        ends = {
            end: {"id": numbers[name], "labels": [found.types[name]]}
            for end, name in (("start", r.source), ("end", r.target))
        }
        properties = {"description": r.sentence}
        label = r.relationship.upper()
        rows.append({"type": "relationship", "id": str(number), "label": label, "properties": properties, **ends})
    (folder / "handbook.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")


def neo4j_csv(folder: Path) -> None:
    """Two tables with the headers of ``neo4j-admin database import``."""
    import csv

    found = handbook()
    with (folder / "nodes.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("name:ID", "about", ":LABEL"), *((n, t, k) for n, k, t in _things(found))])
    with (folder / "relationships.csv").open("w", newline="") as file:
        rows = [(r.source, r.target, r.relationship, r.sentence) for r in found.relations]
        csv.writer(file).writerows([(":START_ID", ":END_ID", ":TYPE", "description"), *rows])


def tinkerpop(folder: Path) -> None:
    """GraphML as TinkerPop's ``GraphMLWriter`` writes it."""
    found = handbook()
    keys = "".join(
        f'<key id="{name}" for="{of}" attr.name="{name}" attr.type="string"/>'
        for of, name in (("node", "labelV"), ("node", "name"), ("node", "about"), ("edge", "labelE"), ("edge", "note"))
    )
    ids = {name: str(number) for number, name in enumerate(found.types)}
    nodes = "".join(
        f'<node id="{ids[name]}">{_data("labelV", kind)}{_data("name", name)}{_data("about", text)}</node>\n'
        for name, kind, text in _things(found)
    )
    edges = "".join(
        f'<edge id="{len(ids) + number}" source="{ids[r.source]}" target="{ids[r.target]}">'
        f"{_data('labelE', r.relationship)}{_data('note', r.sentence)}</edge>\n"
        for number, r in enumerate(found.relations)
    )
    graph = f'<graph id="G" edgedefault="directed">\n{nodes}{edges}</graph>'
    (folder / "handbook.graphml").write_text(f"{_GRAPHML}>{keys}{graph}</graphml>\n")


def gephi(folder: Path) -> None:
    """GEXF 1.3 as Gephi exports a graph that it has laid out."""
    found = handbook()
    nodes = "".join(
        f'<node id="{number}" label={quoteattr(name)}><attvalues><attvalue for="kind" value={quoteattr(kind)}/>'
        f'<attvalue for="note" value={quoteattr(text)}/></attvalues><viz:size value="10.0"/>'
        f'<viz:position x="{number}.5" y="-2.0"/><viz:color hex="#c0c0c0"/></node>\n'
        for number, (name, kind, text) in enumerate(_things(found))
    )
    ids = list(found.types)
    edges = "".join(
        f'<edge id="{number}" source="{ids.index(r.source)}" target="{ids.index(r.target)}" '
        f'label={quoteattr(r.relationship)} weight="1.0"><attvalues>'
        f'<attvalue for="note" value={quoteattr(r.sentence)}/></attvalues></edge>\n'
        for number, r in enumerate(found.relations)
    )
    declared = '<attribute id="note" title="note" type="string"/>'
    kinds = '<attribute id="kind" title="category" type="string"/>'
    (folder / "handbook.gexf").write_text(
        f'{_GEXF} xmlns:viz="http://gexf.net/1.3/viz"><meta><creator>Gephi 0.10.1</creator></meta>'
        f'<graph defaultedgetype="directed"><attributes class="node">{kinds}{declared}</attributes>'
        f'<attributes class="edge">{declared}</attributes><nodes>{nodes}</nodes><edges>{edges}</edges></graph></gexf>\n'
    )


def yed(folder: Path) -> None:
    """GraphML as yEd saves a drawing: what is known of a node is its label and its description."""
    found = handbook()
    keys = (
        '<key for="node" id="d5" attr.name="description" attr.type="string"/><key for="node" id="d6" '
        'yfiles.type="nodegraphics"/><key for="edge" id="d10" yfiles.type="edgegraphics"/>'
        '<key for="edge" id="d9" attr.name="description" attr.type="string"/>'
    )
    nodes = "".join(
        f'<node id="n{number}">{_data("d5", text)}<data key="d6"><y:ShapeNode><y:Geometry x="{number}0.0" y="5.0"/>'
        f'<y:NodeLabel>{escape(name)}</y:NodeLabel><y:Shape type="rectangle"/></y:ShapeNode></data></node>\n'
        for number, (name, _, text) in enumerate(_things(found))
    )
    ids = list(found.types)
    edges = "".join(
        f'<edge id="e{number}" source="n{ids.index(r.source)}" target="n{ids.index(r.target)}">'
        f'{_data("d9", r.sentence)}<data key="d10"><y:PolyLineEdge><y:EdgeLabel>{escape(r.relationship)}</y:EdgeLabel>'
        "</y:PolyLineEdge></data></edge>\n"
        for number, r in enumerate(found.relations)
    )
    graph = f'<graph edgedefault="directed" id="G">\n{nodes}{edges}</graph>'
    (folder / "handbook.graphml").write_text(f"{_GRAPHML}{_YED}>{keys}{graph}</graphml>\n")


def _things(found: Extraction) -> Iterator[tuple[str, str, str]]:
    """Name, type and first mention of everything."""
    return ((name, kind, found.mentions[name]) for name, kind in found.types.items())


def _data(key: str, text: str) -> str:
    return f'<data key="{key}">{escape(text)}</data>'
