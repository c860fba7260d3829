"""NetworkX graphs become nodes and edges by fixed rules, and any dataset becomes a NetworkX graph and back."""

import json
import math
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognee_dagster.errors import GraphFileError
from cognee_dagster.graph.reader import EDGE_SCHEMA, NODE_SCHEMA, GraphReader
from cognee_dagster.sources.mapping.ids import node_id
from cognee_dagster.sources.networkx.graphs import from_networkx, to_networkx

Row = dict[str, Any]


def nodes_of(graph: Any) -> list[Row]:
    return _rows(from_networkx(graph, dataset_name="g").nodes)


def edges_of(graph: Any) -> list[Row]:
    return _rows(from_networkx(graph, dataset_name="g").edges)


def _rows(batches: Callable[[], Any]) -> list[Row]:
    rows = [row for batch in batches() for row in batch.to_pylist()]
    return [{**row, "properties": json.loads(row["properties"])} for row in rows]


def one_node(**attributes: Any) -> Row:
    graph = nx.Graph()
    graph.add_node("key", **attributes)
    [row] = nodes_of(graph)
    return row


def one_edge(**attributes: Any) -> Row:
    graph = nx.DiGraph()
    graph.add_edge("a", "b", **attributes)
    [row] = edges_of(graph)
    return row


class TestNodeKeys:
    """A key becomes an id that stays the same from push to push."""

    def test_a_uuid_is_the_id_itself(self) -> None:
        key = uuid4()
        assert node_id(key) == node_id(str(key)) == node_id(key.hex) == str(key)

    def test_other_keys_get_ids_that_never_change(self) -> None:
        """Changing this would double every node of every graph that was pushed before."""
        assert node_id("alice") == "1e2cee35-c6fe-5324-bdff-330372a2e265"
        assert node_id(1) == node_id("1") == "4dc4038d-034a-542d-9b4b-679975c3eafb"

    def test_tuples_dates_and_bytes_can_be_keys(self) -> None:
        ids = {
            node_id(key)
            for key in [("a", 1), ("a", 2), ("a", ("1",)), date(2026, 1, 2), b"x", 1.5, None, frozenset("ab")]
        }
        assert len(ids) == 8
        assert all(UUID(identity).version == 5 for identity in ids)

    def test_keys_with_the_same_text_are_refused_by_name(self) -> None:
        graph = nx.Graph([(1, "1")])
        with pytest.raises(GraphFileError, match=r"Nodes 1 and '1' would be one node"):
            from_networkx(graph, dataset_name="g")

    def test_a_key_without_lasting_text_is_refused(self) -> None:
        graph = nx.Graph()
        graph.add_node(object())
        with pytest.raises(GraphFileError, match=r"Node <object.*as node keys"):
            from_networkx(graph, dataset_name="g")


class TestNodes:
    def test_a_bare_node_is_an_entity_named_by_its_key(self) -> None:
        row = one_node()
        assert (row["id"], row["name"], row["type"], row["properties"]) == (node_id("key"), "key", "Entity", {})

    def test_the_name_is_the_attribute_name_else_label(self) -> None:
        assert one_node(name="N", label="L")["name"] == "N"
        assert one_node(name="N", label="L")["properties"] == {"label": "L"}
        assert one_node(label="L")["name"] == "L"
        assert one_node(name=None, label="L")["name"] == "L"
        assert one_node(name=7)["name"] == "7"

    @pytest.mark.parametrize("missing", [None, "", "  "])
    def test_a_node_without_a_type_is_an_entity(self, missing: str | None) -> None:
        assert one_node(type=missing)["type"] == "Entity"

    def test_a_typed_node_is_indexed_by_name_unless_it_says_otherwise(self) -> None:
        assert one_node(type="Person", age=3)["properties"] == {"age": 3, "metadata": {"index_fields": ["name"]}}
        own = {"index_fields": ["bio"]}
        assert one_node(type="Person", metadata=own)["properties"] == {"metadata": own}

    def test_text_fields_are_text(self) -> None:
        assert one_node(description=5, text=["a"])["properties"] == {"description": "5", "text": '["a"]'}

    def test_attributes_that_a_server_would_trip_over_are_renamed(self) -> None:
        assert one_node(version="v2", id=7)["properties"] == {"attribute_version": "v2", "attribute_id": 7}

    def test_a_renamed_attribute_never_replaces_another(self) -> None:
        with pytest.raises(GraphFileError, match=r"Node 'key': attribute 'id' would become 'attribute_id'"):
            one_node(id=1, attribute_id=2)

    def test_an_attribute_without_a_form_in_json_is_named_with_its_node(self) -> None:
        with pytest.raises(GraphFileError, match=r"Node 'key', attribute 'callback': .*Change or remove it"):
            one_node(callback=print)

    def test_names_of_attributes_become_text(self) -> None:
        graph = nx.Graph()
        graph.add_node("key", a=1)
        graph.nodes["key"][5] = "five"
        assert nodes_of(graph)[0]["properties"] == {"a": 1, "5": "five"}
        graph.nodes["key"]["5"] = "other"
        with pytest.raises(GraphFileError, match="two attributes are both '5'"):
            nodes_of(graph)


class TestEdges:
    @pytest.mark.parametrize(
        ("attributes", "relationship"),
        [
            ({}, "related_to"),
            ({"relationship_name": "a", "relationship": "b", "label": "c", "type": "d"}, "a"),
            ({"relationship": "b", "label": "c", "type": "d"}, "b"),
            ({"label": "c", "type": "d"}, "c"),
            ({"type": "d"}, "d"),
            ({"label": " "}, "related_to"),
            ({"label": 5}, "5"),
        ],
    )
    def test_the_relationship_is_the_first_that_is_there(self, attributes: Row, relationship: str) -> None:
        assert one_edge(**attributes)["relationship"] == relationship

    def test_a_text_as_key_of_a_multigraphs_edge_is_the_relationship_a_number_is_not(self) -> None:
        graph = nx.MultiDiGraph()
        graph.add_edge("a", "b", key="knows")
        graph.add_edge("a", "b")
        graph.add_edge("a", "b", key="x", label="likes")
        assert [row["relationship"] for row in edges_of(graph)] == ["knows", "related_to", "likes"]

    def test_an_edge_text_is_text_and_other_attributes_are_kept(self) -> None:
        assert one_edge(edge_text=5, weight=math.nan)["properties"] == {"edge_text": "5", "weight": None}

    def test_an_attribute_without_a_form_in_json_is_named_with_its_edge(self) -> None:
        with pytest.raises(GraphFileError, match=r"Edge 'a' -> 'b', attribute 'x'"):
            one_edge(x=object())

    def test_self_loops_and_parallel_edges_stay(self) -> None:
        graph = nx.MultiDiGraph([("a", "a"), ("a", "b"), ("a", "b"), ("b", "a")])
        assert len(edges_of(graph)) == 4

    @pytest.mark.parametrize("kind", [nx.Graph, nx.MultiGraph])
    def test_an_undirected_edge_is_one_edge(self, kind: type[Any]) -> None:
        [row] = edges_of(kind([("a", "b")]))
        assert (row["source"], row["target"]) == (node_id("a"), node_id("b"))


@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph])
def test_all_kinds_of_graphs_are_read_in_batches_of_the_readers_schemas(kind: type[Any]) -> None:
    reader = from_networkx(kind(nx.path_graph(10_000)), dataset_name="g")
    for batches, schema, total in ((reader.nodes, NODE_SCHEMA, 10_000), (reader.edges, EDGE_SCHEMA, 9_999)):
        read = list(batches())
        assert len(read) > 1
        assert {batch.schema for batch in read} == {schema}
        assert sum(batch.num_rows for batch in read) in {total, 2 * total}  # a directed copy has both directions


def test_an_empty_graph_is_an_empty_dataset() -> None:
    assert (nodes_of(nx.Graph()), edges_of(nx.Graph())) == ([], [])


@pytest.mark.parametrize("thing", [None, [], {"nodes": []}, "graph.graphml"])
def test_what_is_no_graph_is_refused(thing: Any) -> None:
    with pytest.raises(GraphFileError, match="Dataset 'g': a NetworkX graph was expected"):
        from_networkx(thing, dataset_name="g")


ATTRIBUTES = st.dictionaries(
    st.text(max_size=8),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=8),
    max_size=4,
)


@st.composite
def graphs(draw: st.DrawFn) -> Any:
    graph = draw(st.sampled_from([nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph]))()
    keys = draw(st.lists(st.text(max_size=6) | st.integers() | st.uuids(), unique_by=str, max_size=8))
    for key in keys:
        graph.add_node(key)
        graph.nodes[key].update(draw(ATTRIBUTES))
    if keys:
        for source, target in draw(st.lists(st.tuples(st.sampled_from(keys), st.sampled_from(keys)), max_size=8)):
            graph.add_edge(source, target)
            attributes = draw(ATTRIBUTES)
            graph.get_edge_data(source, target).update({} if graph.is_multigraph() else attributes)
    return graph


def outcome(graph: Any) -> tuple[list[Row], list[Row]] | str:
    try:
        return nodes_of(graph), edges_of(graph)
    except GraphFileError as error:
        return str(error)


@given(graphs())
def test_any_graph_becomes_a_dataset_or_a_clear_error(graph: Any) -> None:
    result = outcome(graph)
    if isinstance(result, str):
        assert "Rename" in result or "Change" in result
        return
    nodes, edges = result
    assert len(nodes) == graph.number_of_nodes()
    # Where attributes have made it a graph of entities, parallel edges of one name are one.
    joined = (nx.DiGraph if graph.is_directed() else nx.Graph)(graph)
    assert len(edges) in (graph.number_of_edges(), joined.number_of_edges())
    ids = {row["id"] for row in nodes}
    assert {edge[end] for edge in edges for end in ("source", "target")} <= ids
    assert all(row["type"] for row in nodes)


@given(graphs())
def test_to_networkx_and_back_changes_nothing(graph: Any) -> None:
    if isinstance(outcome(graph), str):
        return
    reader: GraphReader = from_networkx(graph, dataset_name="g")
    once = to_networkx(reader)
    twice = to_networkx(from_networkx(once, dataset_name="g"))
    assert dict(twice.nodes(data=True)) == dict(once.nodes(data=True))
    assert sorted(map(str, twice.edges(data=True))) == sorted(map(str, once.edges(data=True)))
    assert set(once) == {row["id"] for row in nodes_of(graph)}


def test_to_networkx_has_names_types_properties_and_relationships() -> None:
    graph = nx.DiGraph()
    graph.add_node("a", name="A", type="Person", age=3)
    graph.add_edge("a", "b", label="knows", since=2020)
    result = to_networkx(from_networkx(graph, dataset_name="people"))
    assert result.graph["dataset_name"] == "people"
    assert result.nodes[node_id("a")] == {
        "name": "A", "type": "Person", "age": 3, "metadata": {"index_fields": ["name"]},
    }  # fmt: skip
    [(source, target, attributes)] = result.edges(data=True)
    assert (source, target) == (node_id("a"), node_id("b"))
    assert attributes == {"label": "knows", "since": 2020, "relationship_name": "knows"}
