"""What a person is shown of a graph: a connected part of bounded size, and a picture of it that any browser reads."""

import json
import math
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import dagster as dg
import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cognee_dagster.cogx import BriefReader, write_archive
from cognee_dagster.dagster.steps.picture import CANVAS, WIDTH, draw, picture_as_markdown
from cognee_dagster.dagster.steps.picture_layout import Box, lay_out, radius_of
from cognee_dagster.dagster.steps.tables import count_table, counts_in, table_of
from cognee_dagster.graph import portraying
from cognee_dagster.graph.portrait import MAX_EDGES, MAX_NODES, GraphPortrait, PortraitEdge, PortraitNode
from cognee_dagster.graph.portraying import portray
from tests.cogx_graphs import ID_A, ID_B, ID_C, EdgeRow, MemoryReader, NodeRow

SVG = "{http://www.w3.org/2000/svg}"
numbers = st.integers(0, 60)


def reader_of(edges: Sequence[tuple[int, int]], *, nodes: int = 61) -> MemoryReader:
    rows: list[EdgeRow] = [(str(source), str(target), "knows", None) for source, target in edges]
    return MemoryReader([(str(number), f"Node {number}", "Thing", None) for number in range(nodes)], rows, batch_rows=7)


@given(edges=st.lists(st.tuples(numbers, numbers), max_size=200), nodes=st.integers(0, 61))
def test_what_is_shown_is_a_bounded_connected_part_around_the_node_with_the_most_edges(
    edges: list[tuple[int, int]], nodes: int
) -> None:
    portrait = portray(reader_of(edges, nodes=nodes))
    shown = {node.id for node in portrait.nodes}
    assert len(portrait.nodes) == len(shown) <= MAX_NODES
    assert len(portrait.edges) <= MAX_EDGES
    assert all({edge.source, edge.target} <= shown for edge in portrait.edges)
    degrees = [node.degree for node in portrait.nodes]
    assert degrees == sorted(degrees, reverse=True)
    if edges and nodes == 61:
        assert degrees[0] == max(sum((s == n) + (t == n) for s, t in edges) for n in range(61))
        if len(portrait.edges) < MAX_EDGES:
            graph = nx.Graph([(edge.source, edge.target) for edge in portrait.edges])
            graph.add_nodes_from(shown)
            assert nx.is_connected(graph)


def test_the_first_nodes_and_edges_are_samples() -> None:
    portrait = portray(reader_of([(8, 9), (9, 10)]))
    assert [node.name for node in portrait.sample_nodes] == [f"Node {number}" for number in range(5)]
    edge = PortraitEdge(source="8", relationship="knows", target="9", source_name="Node 8", target_name="Node 9")
    assert portrait.sample_edges[0] == edge


def test_samples_of_edges_are_of_different_relationships_and_say_names() -> None:
    nodes: list[NodeRow] = [(key, f"Node {key}", "Entity", None) for key in "abc"]
    is_a: list[EdgeRow] = [("a", "b", "is_a", None)] * 20
    edges: list[EdgeRow] = [*is_a, ("a", "c", "supplies", None), ("c", "gone", "likes", None)]
    shown = portray(MemoryReader(nodes, edges)).sample_edges
    assert [edge.relationship for edge in shown] == ["is_a", "supplies", "likes", "is_a", "is_a"]
    assert [(edge.source_name, edge.target_name) for edge in shown[1:3]] == [("Node a", "Node c"), ("Node c", "gone")]


def test_samples_of_nodes_say_the_beginning_of_their_description(tmp_path: Path) -> None:
    nodes = [
        (ID_A, "Ada", "Entity", json.dumps({"description": "A\nleader. " + "x" * 500})),
        (ID_B, None, "DocumentChunk", json.dumps({"text": "Ada leads."})),
        (ID_C, "person", "EntityType", json.dumps({"description": 7})),
    ]
    archive = write_archive(MemoryReader(nodes), tmp_path / "a.cogx.tar.gz")
    said = {node.id: node.description for node in portray(BriefReader(archive.path)).sample_nodes}
    assert said == {ID_A: "A leader. " + "x" * 190, ID_B: "Ada leads.", ID_C: ""}


def test_an_entity_is_shown_as_what_it_is() -> None:
    nodes = [("a", "Ada", "Entity", None), ("p", "person", "EntityType", None), ("c", None, "DocumentChunk", None)]
    edges: list[EdgeRow] = [("a", "p", "is_a", None), ("c", "a", "contains", None)]
    portrait = portray(MemoryReader(nodes, edges))
    assert {node.name: node.type for node in portrait.nodes} == {
        "Ada": "person",
        "person": "EntityType",
        "c": "DocumentChunk",
    }


def test_no_more_edges_are_looked_at_than_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portraying, "EDGES_LOOKED_AT", 10)
    portrait = portray(reader_of([(1, 2)] * 10 + [(3, number) for number in range(4, 60)]))
    assert (portrait.edges_looked_at, {node.id for node in portrait.nodes}) == (10, {"1", "2"})


def test_a_graph_without_edges_has_samples_and_no_part() -> None:
    portrait = portray(reader_of([]))
    assert (portrait.nodes, len(portrait.sample_nodes)) == ((), 5)


@settings(max_examples=30)
@given(names=st.lists(st.text(max_size=60), min_size=1, max_size=MAX_NODES))
def test_a_picture_is_well_formed_and_small_whatever_the_names_say(names: list[str]) -> None:
    portrait = portrait_of(names, types=names)
    root = ElementTree.fromstring(draw(portrait))
    assert root.get("width") == str(WIDTH)
    assert len(root.findall(f"{SVG}circle")) == len(names)
    assert len(picture_as_markdown(portrait)) < 60_000


def test_a_picture_has_a_legend_with_the_most_frequent_types() -> None:
    types = ["person"] * 3 + ["place"] * 2 + [f"rare {number}" for number in range(8)]
    root = ElementTree.fromstring(draw(portrait_of([f"N{number}" for number in range(13)], types=types)))
    legend = [text.text for group in root.findall(f"{SVG}g") for text in group.findall(f"{SVG}text")]
    assert (legend[:2], legend[-1], len(legend)) == (["person", "place"], "other types", 8)
    colours = [circle.get("fill") for circle in root.findall(f"{SVG}circle")]
    assert len(set(colours[:3])) == 1
    assert colours[0] != colours[3]


@settings(max_examples=40)
@given(data=st.data(), names=st.lists(st.text(max_size=40), min_size=1, max_size=MAX_NODES))
def test_no_name_covers_a_node_or_another_name(data: st.DataObject, names: list[str]) -> None:
    ends = st.integers(0, len(names) - 1)
    edges = data.draw(st.lists(st.tuples(ends, ends), max_size=MAX_EDGES))
    layout = lay_out(portrait_of(names, types=names, edges=edges), within=CANVAS)
    boxes = [label.box for label in layout.labels]
    assert not any(one.meets(other) for one, other in combinations(boxes, 2))
    radii = {str(number): radius_of(PortraitNode(id="", name="", type="", degree=number)) for number in range(40)}
    for node_id, (x, y) in layout.places.items():
        radius = radii[node_id]
        circle = Box(x - radius, y - radius, x + radius, y + radius)
        assert not any(box.meets(circle) for box in boxes)
        assert CANVAS.left <= circle.left + 0.01
        assert circle.right - 0.01 <= CANVAS.right
    for box in boxes:
        assert CANVAS.left <= box.left <= box.right <= CANVAS.right
        assert CANVAS.top <= box.top <= box.bottom <= CANVAS.bottom


@pytest.mark.parametrize("groups", [1, 4, MAX_NODES // 2])
def test_circles_lie_apart_with_room_for_a_name_between_them(groups: int) -> None:
    """Of nodes that are all connected, which would else be drawn upon each other."""
    names = [f"Node {number}" for number in range(MAX_NODES)]
    pairs = combinations(range(MAX_NODES), 2)
    edges = [(one, other) for one, other in pairs if one % groups == other % groups][:MAX_EDGES]
    portrait = portrait_of(names, types=names, edges=edges)
    layout = lay_out(portrait, within=CANVAS)
    for one, other in combinations(portrait.nodes, 2):
        distance = math.dist(layout.places[one.id], layout.places[other.id])
        assert distance > radius_of(one) + radius_of(other) + 6


@pytest.mark.parametrize(("size", "named"), [(2, 2), (12, 12), (MAX_NODES, 25)])
def test_a_picture_names_as_many_nodes_as_there_is_room_for(size: int, named: int) -> None:
    names = [f"The node number {number}" for number in range(size)]
    layout = lay_out(portrait_of(names, types=names, edges=[(0, n) for n in range(1, size)]), within=CANVAS)
    assert len(layout.labels) >= named
    assert layout.labels[0].text == names[0]


def test_the_same_portrait_gives_the_same_picture() -> None:
    portrait = portrait_of(["a", "b", "c"], types=["x", "y", "x"])
    assert draw(portrait) == draw(portrait)


def portrait_of(
    names: Sequence[str], *, types: Sequence[str], edges: Sequence[tuple[int, int]] | None = None
) -> GraphPortrait:
    nodes = [
        PortraitNode(id=str(number), name=name, type=kind, degree=number)
        for number, (name, kind) in enumerate(zip(names, types, strict=True))
    ]
    ends = [(0, number) for number in range(1, len(nodes))] if edges is None else edges
    lines = [PortraitEdge(source=str(source), relationship="knows", target=str(target)) for source, target in ends]
    return GraphPortrait(nodes=tuple(nodes), edges=tuple(lines))


# Tables


def rows(table: dg.TableMetadataValue) -> list[dict[str, object]]:
    return [dict(record.data) for record in table.records]


def test_a_table_of_counts_says_what_changed_since_the_former_version() -> None:
    former = count_table({"Entity": 3, "": 2, "Gone": 1}, name="type", count="nodes")
    table = count_table({"Entity": 5, "": 2, "New": 1}, name="type", count="nodes", before=counts_in(former))
    assert rows(table) == [
        {"type": "Entity", "nodes": 5, "change": "+2"},
        {"type": "(none)", "nodes": 2, "change": ""},
        {"type": "New", "nodes": 1, "change": "+1"},
        {"type": "Gone", "nodes": 0, "change": "-1"},
    ]
    again = count_table({"Entity": 5}, name="type", count="nodes", before=counts_in(table))
    assert "Gone" not in [row["type"] for row in rows(again)]


def test_a_table_that_left_some_out_says_nothing_of_changes() -> None:
    former = count_table({str(number): 1 for number in range(60)}, name="type", count="nodes")
    assert counts_in(former) is None
    assert counts_in("no table") is None


def test_long_texts_are_cut() -> None:
    assert rows(table_of([{"name": "x" * 5000, "edges": 3}])) == [{"name": "x" * 200, "edges": 3}]


def test_long_names_in_a_table_of_counts_are_cut() -> None:
    table = count_table({"x" * 400_000: 2, "x" * 300_000: 1, "short": 1}, name="type", count="nodes")
    assert [row.data for row in table.records] == [
        {"type": "x" * 200, "nodes": 3},
        {"type": "short", "nodes": 1},
    ]
