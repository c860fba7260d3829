"""What is kept of a graph file is bounded, whatever is large in it: names, rows, lines, tags, texts beside it."""

import json
import tracemalloc
from pathlib import Path

import networkx as nx
import pytest

from cognee_dagster.errors import GraphFileError
from cognee_dagster.graph.reader import GraphReader
from cognee_dagster.sources import inspect_graph
from cognee_dagster.sources.files import open_graph_file
from cognee_dagster.sources.formats import json_file, tables, xml
from cognee_dagster.sources.formats.lightrag_folder import GRAPH_FILE, TEXTS_FILE, LightRagFolder
from cognee_dagster.sources.mapping import ids, parallel, room
from cognee_dagster.sources.networkx.graphs import from_networkx

NUMBERS = range(20)


def read(path: Path) -> GraphReader:
    reader = open_graph_file(path)
    for batches in (reader.nodes(), reader.edges()):
        for _ in batches:
            pass
    return reader


def written(folder: Path, nodes: list[object], links: list[object]) -> Path:
    (folder / "g.json").write_text(json.dumps({"nodes": nodes, "links": links}))
    return folder / "g.json"


def link(**attributes: object) -> object:
    return {"source": "a", "target": "b", **attributes}


ENDS: list[object] = [{"id": "a"}, {"id": "b"}]
MUCH: dict[str, tuple[list[object], list[object]]] = {
    "names": ([*ENDS, *({"id": n, "name": f"{n}{'x' * 1_000}"} for n in NUMBERS)], []),
    "types": ([*ENDS, *({"id": n, "type": f"kind {n}"} for n in NUMBERS)], []),
    "types of a node": ([*ENDS, {"id": "c", "labels": [f"kind {n}" for n in NUMBERS]}], []),
    "attributes": ([*ENDS, {"id": "c", **{f"a{n}": 1 for n in NUMBERS}}], []),
    "attributes of edges": (ENDS, [link(**{f"a{n}": 1 for n in NUMBERS})]),
    "relationships": (ENDS, [link(label=f"does {n}") for n in NUMBERS]),
    "parallel edges": (ENDS, [link(label="does", note=f"{n}{'x' * 1_000}") for n in NUMBERS]),
}


@pytest.mark.parametrize("what", MUCH)
def test_names_beyond_what_is_kept_are_refused(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, *MUCH[what])
    read(path)
    monkeypatch.setattr(room, "_AT_WORK", 0)
    monkeypatch.setattr(room, "MAX_KEPT", 10_000 + path.stat().st_size)
    read(written(tmp_path, ENDS, [link()]))
    path = written(tmp_path, *MUCH[what])
    with pytest.raises(GraphFileError, match=r"g\.json holds more than is kept in memory of a file.*NetworkX"):
        read(path)


def test_the_document_itself_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_AT_WORK", 0)
    monkeypatch.setattr(room, "MAX_KEPT", 20_000)
    read(written(tmp_path, ENDS, []))
    with pytest.raises(GraphFileError, match="more than is kept"):
        read(written(tmp_path, [*ENDS, {"id": "c", "text": "x" * 20_000}], []))


def test_a_graph_that_is_in_memory_has_no_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_KEPT", 1)
    graph = nx.path_graph(100, create_using=nx.DiGraph)
    assert sum(batch.num_rows for batch in from_networkx(graph, dataset_name="team").nodes()) == 100


def test_parallel_edges_that_say_too_much_together_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, *MUCH["parallel edges"])
    monkeypatch.setattr(parallel, "_MAX_JOINED", 10_000)
    with pytest.raises(GraphFileError, match=r"has 20 edges .* -\[does\]-> .*say more than 10,000 characters"):
        read(path)


@pytest.mark.parametrize(
    ("bound", "document", "what"),
    [
        ("_MAX_HELD", {"graph": {"nodes": {"x" * 900: {}, "y" * 900: {}}, "edges": []}}, "members with long names"),
        (
            "_MAX_KEYS",
            {"nodes": [{"name": "x" * 900}, {"name": "y" * 900}], "links": [link(source=0, target=1)]},
            "take",
        ),
    ],
)
def test_names_that_a_document_itself_has_to_keep_are_bounded(
    bound: str, document: object, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "g.json").write_text(json.dumps(document))
    read(tmp_path / "g.json")
    monkeypatch.setattr(json_file, bound, 4_000 if bound == "_MAX_HELD" else 1_500)
    with pytest.raises(GraphFileError, match=what):
        read(tmp_path / "g.json")


def test_no_long_text_is_remembered_for_its_id() -> None:
    before = ids._remembered_id.cache_info().currsize
    assert ids.node_id("x" * 10_000) == ids.node_id("x" * 10_000)
    assert ids._remembered_id.cache_info().currsize == before


def test_a_line_of_many_values_is_not_made_values(tmp_path: Path) -> None:
    node = '{"type":"node","id":"a","properties":{"x":[' + "[]," * 1_000_000 + "1]}}\n"
    (tmp_path / "g.jsonl").write_text(node)
    tracemalloc.start()
    try:
        with pytest.raises(GraphFileError, match=r"has a line 1 with more than 100,000 values.*Shorten it"):
            read(tmp_path / "g.jsonl")
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_a_line_that_does_not_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "g.jsonl").write_text('{"type":"node","id":"a"}\n{"type":"node","id":"' + "b" * (5 << 20))
    with pytest.raises(GraphFileError, match="has a line 2 with more than 4,194,304 bytes"):
        read(tmp_path / "g.jsonl")


GRAPHML = '<graphml>{}<graph edgedefault="directed"><node id="a">{}</node></graph></graphml>'
GEXF = '<gexf><graph>{}<nodes><node id="a"><attvalues>{}</attvalues></node></nodes></graph></gexf>'
DECLARED = "".join(f'<key id="k{n}" for="node"/>' for n in NUMBERS)
MADE = {
    "data": ("g.graphml", GRAPHML.format(DECLARED, "".join(f'<data key="k{n}">x</data>' for n in NUMBERS))),
    "labels": (
        "g.graphml",
        GRAPHML.format(
            '<key id="k" for="node" yfiles.type="nodegraphics"/>',
            f'<data key="k"><ShapeNode>{"<NodeLabel>x</NodeLabel>" * 20}</ShapeNode></data>',
        ),
    ),
    "values over time": ("g.gexf", GEXF.format("", '<attvalue for="k" value="x" start="1"/>' * 20)),
}


@pytest.mark.parametrize("what", MADE)
def test_an_element_of_xml_that_goes_on_and_on_is_refused(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, content = MADE[what]
    (tmp_path / name).write_text(content)
    read(tmp_path / name)
    monkeypatch.setattr(xml, "require_room_to_declare", lambda *_: 0)
    monkeypatch.setattr("cognee_dagster.sources.formats.graphml.require_room_to_declare", lambda *_: 0)
    monkeypatch.setattr(xml, "_MAX_OPEN", 1_500)
    with pytest.raises(GraphFileError, match=r"holds more than .* characters \(line 1\)"):
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("g.graphml", GRAPHML.format(DECLARED, "")),
        ("g.gexf", GEXF.format("".join(f'<attributes><attribute id="k{n}"/></attributes>' for n in NUMBERS), "")),
    ],
)
def test_declarations_without_end_are_refused(
    name: str, content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_text(content)
    read(tmp_path / name)
    monkeypatch.setattr(xml, "_MAX_OPEN", 5_000)
    with pytest.raises(GraphFileError, match="declares too many attributes"):
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "g.graphml",
            '<graphml><key id="k" for="node"><default>xxxxxxxx</default></key><graph>{}</graph></graphml>',
        ),
        (
            "g.gexf",
            '<gexf><graph><attributes><attribute id="k" title="k"><default>xxxxxxxx</default></attribute></attributes>'
            "<nodes>{}</nodes></graph></gexf>",
        ),
    ],
)
def test_defaults_do_not_become_any_number_of_characters(
    name: str, content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_text(content.format("".join(f'<node id="{n}"/>\n' for n in range(12))))
    monkeypatch.setattr("cognee_dagster.sources.formats.opening.MAX_GROWTH", 0)
    monkeypatch.setattr("cognee_dagster.sources.formats.opening.ALWAYS_ALLOWED", 12 * 9)
    read(tmp_path / name)
    monkeypatch.setattr("cognee_dagster.sources.formats.opening.ALWAYS_ALLOWED", 12 * 9 - 1)
    with pytest.raises(GraphFileError, match=r"declares defaults of attributes that become more .* node in line 12"):
        read(tmp_path / name)


@pytest.mark.parametrize("tag", ["<e{}/>", '<e a{}="1"/>', "<p{}:e/>"])
def test_names_that_the_parser_keeps_are_bounded(tag: str, tmp_path: Path) -> None:
    (tmp_path / "g.graphml").write_text(
        "<graphml><graph>\n" + "".join(map(tag.format, range(20_000))) + "</graph></graphml>"
    )
    with pytest.raises(GraphFileError, match=r"attributes of 1[67],\d{3} different names by line 2: too many"):
        read(tmp_path / "g.graphml")


def test_one_long_name_counts_by_its_length(tmp_path: Path) -> None:
    tags = "".join(f"<{'e' * (3 << 20)}{n}/>" for n in range(3))
    (tmp_path / "g.graphml").write_text(f"<graphml><graph>{tags}</graph></graphml>")
    with pytest.raises(GraphFileError, match="attributes of 5 different names by line 1: too many, or too long"):
        read(tmp_path / "g.graphml")


def test_a_default_that_a_dtd_declares_is_refused_before_every_element_has_it(tmp_path: Path) -> None:
    (tmp_path / "g.graphml").write_text(
        "<!DOCTYPE graphml [<!ATTLIST node id CDATA #REQUIRED>\n<!ATTLIST node x CDATA 'xxxx'>]>"
        "<graphml><graph><node/></graph></graphml>"
    )
    with pytest.raises(GraphFileError, match=r"default of the XML attribute 'x' of <node> \(line 2\).*without a DTD"):
        read(tmp_path / "g.graphml")


@pytest.mark.parametrize(
    ("inside", "what"),
    [
        ('<node id="' + "x" * (5 << 20), "a tag or a comment of more than 4 MiB"),
        ("<!--" + "x" * (5 << 20), "a tag or a comment of more than 4 MiB"),
        ('<node id="a"><data key="k">' + "x" * (5 << 20), "a value of more than 4 million characters"),
        ("<node " + " ".join(f'a{n}="1"' for n in range(10_001)) + ">", "a tag with more than 10,000 attributes"),
    ],
)
def test_what_has_no_end_in_xml_is_refused(inside: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "g.graphml").write_text(f"<graphml><graph>{inside}")
    with pytest.raises(GraphFileError, match=what):
        read(tmp_path / "g.graphml")


@pytest.mark.parametrize(
    ("bound", "nodes", "what"),
    [
        ("MAX_LINE", 'id,name\n"a\n' + '","\n' * 60, r"line \d+ in nodes\.csv of a row that ends in it of more than"),
        ("_MAX_CELLS", "id,name\na" + "," * 200, r"line 2 in nodes\.csv of more than 100 cells"),
        ("MAX_COLUMNS", ",".join(["id", *map(str, range(200))]), r"nodes\.csv of 201 columns, and at most 100"),
    ],
)
def test_a_row_of_a_table_that_goes_on_and_on_is_refused(
    bound: str, nodes: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nodes.csv").write_text(nodes)
    (tmp_path / "edges.csv").write_text("source,target\n")
    monkeypatch.setattr(tables, bound, 100)
    with pytest.raises(GraphFileError, match=what):
        read(tmp_path)


def test_texts_beside_a_graph_are_made_values_one_by_one(tmp_path: Path) -> None:
    (tmp_path / GRAPH_FILE).write_text(GRAPHML.format("", ""))
    texts = {f"chunk-{number}": {"content": "\U0001f600" + "x" * 50_000} for number in range(100)}
    (tmp_path / TEXTS_FILE).write_text(json.dumps(texts))
    del texts
    tracemalloc.start()
    try:
        assert sum(1 for _ in LightRagFolder(tmp_path).nodes()) == 101
        assert tracemalloc.get_traced_memory()[1] < 12 << 20  # of 5 MB, which would be 20 as values
    finally:
        tracemalloc.stop()


def test_of_what_is_long_a_sample_shows_the_beginning(tmp_path: Path) -> None:
    nodes: list[object] = [{"id": "a", "name": "A" * 9_000, "text": "y" * 90_000}, {"id": "b"}]
    found = inspect_graph(open_graph_file(written(tmp_path, nodes, [link(note="z" * 90_000)])))
    assert len(json.dumps(found.sample_nodes[0])) < 25_000
    assert found.sample_nodes[0]["name"] == "A" * 1_000
    edge = found.sample_edges[0]
    assert (edge["source_name"], edge["target_name"]) == ("A" * 1_000, "b")
    assert len(json.dumps(edge)) < 25_000
