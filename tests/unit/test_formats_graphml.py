"""GraphML is read whole, as its primer describes it, or refused with the line and what to do."""

import gzip
from pathlib import Path

import networkx as nx
import pytest

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.files import open_graph_file
from cognee_dagster.sources.formats import opening
from tests.graph_files import GRAPHML, Found, graphml, read

TWO_NODES = '<node id="a"/><node id="b"/>'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "g.graphml"


def test_a_key_of_nodes_and_one_of_edges_may_have_the_same_id(tmp_path: Path) -> None:
    """As TinkerPop writes them."""
    body = '<node id="a"><data key="w">2</data></node><edge source="a" target="a"><data key="w">x</data></edge>'
    found = read(tmp_path / "g.graphml", graphml(body, keys="node:w:int edge:w:string"))
    assert found.node("a")["properties"]["description"] == "w: 2"
    assert found.edge_properties()[0]["edge_text"].endswith("w: x")


@pytest.mark.parametrize("keys", ["node:w:int node:w:string", "all:w:int edge:w:string", "edge:w:int all:w:string"])
def test_a_key_that_is_declared_twice_for_the_same_elements_is_named(tmp_path: Path, keys: str) -> None:
    with pytest.raises(GraphFileError, match=r"declares the key 'w' twice \(line 4\)"):
        read(tmp_path / "g.graphml", graphml('<node id="a"/>', keys=keys))


def test_a_declared_default_is_the_value_of_every_element_without_one(path: Path) -> None:
    found = read(
        path,
        f"""{GRAPHML}<key id="t" for="node" attr.name="type"><default>Person</default></key>
        <key id="l" for="edge" attr.name="label"><default>knows</default></key>
        <graph edgedefault="directed"><node id="Ann"/><node id="Firm"><data key="t">Company</data></node>
        <edge source="Ann" target="Firm"/><edge source="Firm" target="Ann"><data key="l">hires</data></edge></graph>
        </graphml>""",
    )
    assert found.types == {"Ann": "Person", "Firm": "Company"}
    assert found.triples == [("Ann", "knows", "Firm"), ("Firm", "hires", "Ann")]


def test_nodes_and_edges_of_nested_graphs_are_read_and_say_where_they_are(path: Path) -> None:
    inner = '<graph><node id="g::a"/><node id="g::b"/><edge source="g::a" target="g::b"/></graph>'
    found = read(path, graphml(f'<node id="top"/><node id="g">{inner}</node><edge source="top" target="g::a"/>'))
    assert sorted(found.names) == ["g", "g::a", "g::b", "top"]
    assert sorted(found.triples) == [("g::a", "related_to", "g::b"), ("top", "related_to", "g::a")]
    assert found.node("g::a")["properties"] == {"description": "parent: g"}


def test_every_graph_of_a_file_is_read(path: Path) -> None:
    second = '<graph id="B"><node id="c"/><node id="d"/><edge source="c" target="d"/></graph>'
    found = read(
        path, graphml(f'{TWO_NODES}<edge source="a" target="b"/>').replace("</graphml>", f"{second}</graphml>")
    )
    assert found.names == ["a", "b", "c", "d"]
    assert len(found.edges) == 2


def test_an_edge_id_is_not_a_name_whether_or_not_there_are_parallel_edges(path: Path) -> None:
    once = '<edge id="e0" source="a" target="b"/><edge id="e2" source="b" target="a"/>'
    found = read(path, graphml(TWO_NODES + once))
    assert [name for _, name, _ in found.triples] == ["related_to"] * 2
    found = read(path, graphml(f'{TWO_NODES}{once}<edge id="e1" source="a" target="b"/>'))
    assert [name for _, name, _ in found.triples] == ["related_to"] * 3


def test_the_keys_of_a_multigraphs_edges_are_names_in_what_networkx_wrote(path: Path) -> None:
    graph = nx.MultiDiGraph()
    graph.add_edge("a", "b", key="knows")
    graph.add_edge("a", "b", key="likes")
    graph.add_edge("b", "a")
    nx.write_graphml(graph, path)
    assert [name for _, name, _ in Found(open_graph_file(path)).triples] == ["knows", "likes", "related_to"]


def test_parallel_edges_without_a_multigraph_are_all_read(path: Path) -> None:
    edges = '<edge source="a" target="b"/>' * 3
    assert open_graph_file_count(path, graphml(TWO_NODES + edges)) == 3


def open_graph_file_count(path: Path, content: str) -> int:
    path.write_text(content)
    reader = open_graph_file(path)
    return reader.source_survey.num_edges  # type: ignore[attr-defined, no-any-return]


def test_the_first_label_that_yed_drew_is_the_name(path: Path) -> None:
    drawn = (
        '<node id="n0"><data key="g"><y:ShapeNode><y:Geometry x="1.0" y="2.0"/><y:NodeLabel>Ann<y:LabelModel/>'
        '</y:NodeLabel><y:Shape type="ellipse"/></y:ShapeNode></data></node><node id="n1"/><edge source="n0" '
        'target="n1"><data key="e"><y:PolyLineEdge><y:EdgeLabel>knows</y:EdgeLabel></y:PolyLineEdge></data></edge>'
    )
    keys = '<key id="g" for="node" yfiles.type="nodegraphics"/><key id="e" for="edge" yfiles.type="edgegraphics"/>'
    found = read(path, graphml(drawn).replace("<graph ", f"{keys}<graph "))
    assert found.names == ["Ann", "n1"]
    assert found.triples == [("Ann", "knows", "n1")]
    assert found.reader.profile == "yed"
    assert found.reader.attributes_left_behind == {"shape_type": 1, "x": 1, "y": 1}


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("boolean", "\n TRUE ", "on: true"),
        ("int", " 3 ", "on: 3"),
        ("double", "INF", ""),
        ("float", "1.5", "on: 1.5"),
        ("vector_float", "0x1p+3, 0x1p+2", "on: 0x1p+3, 0x1p+2"),
    ],
)
def test_values_are_read_by_their_declared_type_however_they_are_padded(
    path: Path, kind: str, text: str, said: str
) -> None:
    found = read(path, graphml(f'<node id="a"><data key="on">{text}</data></node>', keys=f"node:on:{kind}"))
    assert found.node("a")["properties"].get("description", "") == said


def test_a_default_of_another_type_than_declared_is_named(path: Path) -> None:
    keys = '<key id="n" for="node" attr.name="age" attr.type="int"><default>old</default></key>'
    with pytest.raises(GraphFileError, match=r"wrong default \(line \d+\): attribute 'age'"):
        read(path, graphml(TWO_NODES).replace("<graph ", f"{keys}<graph "))


def test_an_empty_default_is_none(path: Path) -> None:
    keys = '<key id="b" for="node" attr.name="on" attr.type="boolean"><default/></key>'
    assert read(path, graphml('<node id="a"/>').replace("<graph ", f"{keys}<graph ")).node("a")["properties"] == {}


@pytest.mark.parametrize(
    ("body", "keys", "reason"),
    [
        ('<node id="a"/>\n<node id="a"/>', "", r"Nodes 'a' and 'a' \(line 3, line 4\) would be one node"),
        ('<node id="a"/><edge source="a" target="b"/>', "", r"Edge 'a' -> 'b' \(line 3\) has a link to node 'b'"),
        ("<node/>", "", r"<node> without 'id' \(line 3\)"),
        ('<node id="a"/><edge source="a"/>', "", r"<edge> without 'target'"),
        (
            '<node id="a"><data key="n">x</data></node>',
            "node:n:int",
            r"'a' \(line 4\): attribute 'n' .*declared as int",
        ),
        ('<node id="a"><data key="n">x</data><data key="n">y</data></node>', "node:n:string", "'n' is there twice"),
        ('<hyperedge><endpoint node="a"/></hyperedge>', "", "<hyperedge>.*more than two nodes"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(path: Path, body: str, keys: str, reason: str) -> None:
    with pytest.raises(GraphFileError, match=reason):
        read(path, graphml(body, keys=keys))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_the_encoding_that_a_file_declares_is_used(path: Path, encoding: str) -> None:
    content = graphml('<node id="Zoë"/>').replace('encoding="UTF-8"', f'encoding="{encoding}"')
    assert read(path, content.encode(encoding)).names == ["Zoë"]


def test_entities_are_refused_before_they_can_grow(path: Path) -> None:
    bomb = '<!DOCTYPE graphml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
    with pytest.raises(GraphFileError, match="declares the XML entity 'a'"):
        read(path, graphml('<node id="&b;"/>').replace("\n<graphml", f"\n{bomb}<graphml", 1))


def test_a_document_type_without_entities_is_no_harm(path: Path) -> None:
    doctype = '<!DOCTYPE graphml SYSTEM "graphml.dtd">'
    assert read(path, graphml(TWO_NODES).replace("\n<graphml", f"\n{doctype}<graphml", 1)).names == ["a", "b"]


def test_nesting_out_of_all_measure_is_refused(path: Path) -> None:
    with pytest.raises(GraphFileError, match="nested more than 1000 deep"):
        read(path, graphml("<graph>" * 2_000 + "</graph>" * 2_000))


def test_a_compressed_file_that_grows_out_of_all_measure_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "ALWAYS_ALLOWED", 1 << 16)
    content = graphml(TWO_NODES + "<desc/>" * 2_500_000).encode()
    (tmp_path / "g.graphml.gz").write_bytes(gzip.compress(content))
    with pytest.raises(GraphFileError, match="300 times its size"):
        open_graph_file(tmp_path / "g.graphml.gz")


def test_a_damaged_compressed_file_is_named_by_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "g.graphml.gz").write_bytes(b"no gzip")
    with pytest.raises(GraphFileError, match=r"g\.graphml\.gz is no \.gz file, or a damaged one"):
        open_graph_file(tmp_path / "g.graphml.gz")
