"""GEXF of every version and namespace is read whole, or refused with the line and what to do."""

from pathlib import Path

import networkx as nx
import pytest

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.files import open_graph_file
from tests.graph_files import Found, gexf, read

PAIR = '<nodes><node id="0" label="Ann"/><node id="1" label="Bo"/></nodes>'
EDGE = '<edges><edge source="0" target="1"/></edges>'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "g.gexf"


@pytest.mark.parametrize(
    "namespace",
    [
        None,
        "http://www.gexf.net/1.1draft",
        "http://www.gephi.org/gexf/1.1draft",
        "http://www.gephi.org/gexf",
        "http://gexf.net/1.2draft",
        "http://www.gexf.net/1.2draft",
        "http://www.gexf.net/1.2",
        "http://gexf.net/1.3",
        "http://www.gexf.net/1.3",
        "http://gexf.net/1.3.1",
    ],
)
def test_the_namespace_does_not_matter(path: Path, namespace: str | None) -> None:
    assert read(path, gexf(PAIR + EDGE, namespace=namespace)).triples == [("Ann", "related_to", "Bo")]


def test_a_prefix_that_nobody_declared_does_not_matter(path: Path) -> None:
    drawn = '<nodes><node id="0" label="Ann"><viz:color r="1" g="2" b="3"/></node></nodes>'
    content = gexf(drawn).replace(' xmlns:viz="http://gexf.net/1.3/viz"', "")
    assert read(path, content).reader.attributes_left_behind == {"viz": 1}


def test_the_kind_of_an_edge_is_its_name_and_its_id_is_not(path: Path) -> None:
    edges = '<edge id="10" source="0" target="1" kind="knows"/><edge id="11" source="0" target="1" kind="likes"/>'
    found = read(path, gexf(f"{PAIR}<edges>{edges}</edges>"))
    assert found.triples == [("Ann", "knows", "Bo"), ("Ann", "likes", "Bo")]


def test_the_direction_of_an_edge_is_not_its_name(path: Path) -> None:
    found = read(path, gexf(f'{PAIR}<edges><edge source="0" target="1" type="undirected"/></edges>'))
    assert found.triples == [("Ann", "related_to", "Bo")]


def test_a_declared_default_is_the_value_of_every_element_without_one(path: Path) -> None:
    declared = (
        '<attributes class="node"><attribute id="0" title="type" type="string"><default>Person</default></attribute>'
        "</attributes>"
    )
    firm = '<node id="1" label="Firm"><attvalues><attvalue for="0" value="Company"/></attvalues></node>'
    found = read(path, gexf(f'<nodes><node id="0" label="Ann"/>{firm}</nodes>{EDGE}', attributes=declared))
    assert found.types == {"Ann": "Person", "Firm": "Company"}


def test_nested_nodes_and_edges_are_read_and_say_where_they_are(path: Path) -> None:
    inner = '<nodes><node id="2" label="In"/></nodes><edges><edge source="2" target="2"/></edges>'
    nodes = f'<node id="0" label="Ann"/><node id="1" label="Group">{inner}</node><node id="3" label="P" pid="1"/>'
    found = read(path, gexf(f"<nodes>{nodes}</nodes>{EDGE}"))
    assert sorted(found.names) == ["Ann", "Group", "In", "P"]
    assert sorted(found.triples) == [("Ann", "related_to", "Group"), ("In", "related_to", "In")]
    assert found.node("2")["properties"] == found.node("3")["properties"] == {"description": "parent: 1"}


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("short", "3", "x: 3"),
        ("boolean", "TRUE", "x: true"),
        ("listboolean", "[true, false]", "x: true, false"),
        ("liststring", "[red, green]", "x: red, green"),
        ("liststring", "red|green", "x: red, green"),
        ("listinteger", "1;2", "x: 1, 2"),
        ("dateTime", "2020-01-02T03:04:05Z", "x: 2020-01-02T03:04:05Z"),
        ("anyURI", "urn:x", "x: urn:x"),
        ("char", "c", "x: c"),
        ("double", "", ""),
    ],
)
def test_every_declared_type_is_read(path: Path, kind: str, value: str, said: str) -> None:
    declared = f'<attributes class="node"><attribute id="0" title="x" type="{kind}"/></attributes>'
    node = f'<node id="0" label="Ann"><attvalues><attvalue for="0" value="{value}"/></attvalues></node>'
    found = read(path, gexf(f"<nodes>{node}</nodes>", attributes=declared))
    assert found.node("0")["properties"].get("description", "") == said


def test_attributes_of_the_graph_itself_do_no_harm(path: Path) -> None:
    declared = '<attributes class="graph"><attribute id="0" title="origin" type="string"/></attributes>'
    assert len(read(path, gexf(PAIR + EDGE, attributes=declared)).nodes) == 2


def test_times_are_kept_whatever_the_graph_says_of_their_format(path: Path) -> None:
    content = gexf('<nodes><node id="0" label="Ann" start="1.0"/></nodes>', graph='mode="dynamic"')
    assert read(path, content).node("0")["properties"] == {"description": "start: 1.0"}


def test_values_of_an_attribute_over_time_are_all_kept(path: Path) -> None:
    declared = '<attributes class="node" mode="dynamic"><attribute id="0" title="x" type="integer"/></attributes>'
    values = '<attvalue for="0" value="1" start="2001"/><attvalue for="0" value="2" start="2002"/>'
    found = read(path, gexf(f'<nodes><node id="0"><attvalues>{values}</attvalues></node></nodes>', attributes=declared))
    assert found.node("0")["properties"] == {"description": 'x: [[1, "2001", null], [2, "2002", null]]'}


@pytest.mark.parametrize("colour", ['hex="#FF7700"', 'r="1" g="2" b="3" a="0.5"'])
def test_what_gephi_drew_stays_behind_and_is_counted(path: Path, colour: str) -> None:
    found = read(path, gexf(f'<nodes><node id="0" label="Ann"><viz:color {colour}/></node></nodes>'))
    assert found.reader.profile == "gephi"
    assert found.reader.attributes_left_behind == {"viz": 1}


def test_the_keys_of_a_multigraphs_edges_are_names_in_what_networkx_wrote(path: Path) -> None:
    graph = nx.MultiDiGraph()
    graph.add_edge("a", "b", key="knows")
    graph.add_edge("a", "b", key="likes")
    nx.write_gexf(graph, path)
    assert [name for _, name, _ in Found(open_graph_file(path)).triples] == ["knows", "likes"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gexf("<nodes><node/></nodes>"), r"<node> without 'id' \(line 2\)"),
        (gexf(f'{PAIR}<edges><edge source="0" target="9"/></edges>'), r"Edge '0' -> '9' \(line 2\).*node '9'"),
        (gexf('<nodes><node id="0"/><node id="0"/></nodes>'), "Nodes '0' and '0'"),
        ("<graphml/>", "outermost element is <graphml>, not <gexf>"),
        ("<gexf/>", "holds no <graph>"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(path: Path, content: str, reason: str) -> None:
    with pytest.raises(GraphFileError, match=reason):
        read(path, content)


def test_a_value_of_another_type_than_declared_is_named(path: Path) -> None:
    declared = '<attributes class="node"><attribute id="0" title="age" type="integer"/></attributes>'
    node = '<node id="0"><attvalues><attvalue for="0" value="old"/></attvalues></node>'
    with pytest.raises(GraphFileError, match=r"node '0' \(line 2\): attribute 'age' is declared as integer"):
        read(path, gexf(f"<nodes>{node}</nodes>", attributes=declared))


@pytest.mark.parametrize("form", ['timeformat="date"', 'timeformat="dateTime"', 'timetype="date"'])
def test_an_edge_is_valid_while_it_is_there_where_times_are_dates(tmp_path: Path, form: str) -> None:
    body = '<nodes><node id="a" start="2019-01-01"/></nodes><edges><edge id="0" source="a" target="a"%s/></edges>'
    times = ' start="2020-05-01" end="2021-05-01"'
    found = read(tmp_path / "g.gexf", gexf(body % times, graph=f'mode="dynamic" {form}'))
    assert found.edge_properties() == [
        {"valid_at": "2020-05-01", "invalid_at": "2021-05-01", "edge_text": "a related to a."}
    ]
    assert found.node("a")["properties"]["description"] == "start: 2019-01-01"


def test_a_time_that_is_a_mere_number_is_no_date(tmp_path: Path) -> None:
    body = '<nodes><node id="a"/></nodes><edges><edge id="0" source="a" target="a" start="3"/></edges>'
    found = read(tmp_path / "g.gexf", gexf(body, graph='mode="dynamic" timeformat="double"'))
    assert found.edge_properties() == [{"edge_text": "a related to a.\nstart: 3"}]
