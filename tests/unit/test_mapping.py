"""A foreign graph becomes what Cognee itself would have built of it, by convention or as the user says."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognee_dagster.cogx.write.tally import summarize
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.mapping.ids import derived_id, entity_type_id
from cognee_dagster.sources.mapping.value import GraphMapping
from cognee_dagster.sources.networkx.graphs import from_networkx
from tests.graph_files import Found, graphml, read


def found(graph: Any, *, mapping: GraphMapping | None = None, profile: str | None = None) -> Found:
    return Found(from_networkx(graph, dataset_name="g", mapping=mapping, profile=profile))


def graph_of(nodes: dict[Any, dict[str, Any]], *edges: tuple[Any, Any, dict[str, Any]]) -> Any:
    graph = nx.MultiDiGraph()
    for key, attributes in nodes.items():
        graph.add_node(key)
        graph.nodes[key].update(attributes)
    for source, target, attributes in edges:
        graph.add_edge(source, target, **attributes)
    return graph


LIGHTRAG = graph_of(
    {
        "MIRA": {
            "entity_id": "MIRA",
            "entity_type": "person",
            "description": "Bakes.<SEP>Sells bread.",
            "source_id": "c1",
        },
        "LYON": {"entity_id": "LYON", "entity_type": "geo", "description": "A town.", "source_id": "c1<SEP>c2"},
    },
    ("MIRA", "LYON", {"weight": 8.0, "description": "Mira bakes in Lyon.", "keywords": "craft, home"}),
)

WEIGHTED = {"relationship": "supplies", "weight": 8.5}
SPEAKING = {  # graphs of which edges alone are said something
    "typed": graph_of({"a": {"type": "Person", "age": 3}, "b": {"type": "Machine"}}, ("a", "b", WEIGHTED)),
    "untyped": graph_of({"a": {"name": "Ada", "born": 1}, "b": {}}, ("a", "b", WEIGHTED)),
    "cognee": graph_of(
        {"a": {"type": "Entity", "metadata": {"index_fields": ["name"]}}, "b": {}}, ("a", "b", WEIGHTED)
    ),
    "lightrag": graph_of({"a": {"entity_id": "A", "entity_type": "x"}, "b": {}}, ("a", "b", WEIGHTED)),
}


class TestAsCogneeBuildsIt:
    """Nodes are entities, their types are nodes, edges speak."""

    def test_a_node_is_an_entity_that_is_of_its_type(self) -> None:
        rows = found(LIGHTRAG)
        assert rows.reader.profile == "lightrag"
        assert rows.types == {"MIRA": "Entity", "LYON": "Entity", "person": "EntityType", "geo": "EntityType"}
        assert set(rows.triples) == {
            ("MIRA", "is_a", "person"), ("LYON", "is_a", "geo"), ("MIRA", "related_to", "LYON"),
        }  # fmt: skip

    def test_the_type_has_the_id_that_cognee_gives_it(self) -> None:
        """What ``EntityType.id_for("Bee keeper")`` gives on Cognee 1.6.5."""
        assert entity_type_id("Bee keeper") == "d476cb34-526b-5318-8491-24a59d866ec5"
        assert entity_type_id("bee_Keeper") == entity_type_id("Bee keeper")

    def test_other_attributes_are_named_in_the_description_in_alphabetical_order(self) -> None:
        rows = found(LIGHTRAG)
        assert rows.node("MIRA")["properties"] == {"description": "Bakes.\nSells bread.\nsource_id: c1"}
        assert rows.node("LYON")["properties"] == {"description": "A town.\nsource_id: c1, c2"}

    def test_an_edge_says_its_description_and_its_other_attributes(self) -> None:
        text = "Mira bakes in Lyon.\nkeywords: craft, home\nweight: 8.0"
        assert found(LIGHTRAG).edge_texts()["MIRA", "related_to", "LYON"] == text

    def test_an_edge_without_a_description_says_a_sentence(self) -> None:
        graph = graph_of({"a": {"labels": ":A"}, "b": {}}, ("a", "b", {"label": "works_at", "since": 2020}))
        assert found(graph).edge_texts()["a", "works_at", "b"] == "a works at b.\nsince: 2020"

    def test_parallel_edges_of_one_name_are_one_that_says_what_all_say(self) -> None:
        lines = [("x", "y", {"carrier": carrier, "relation": "joins"}) for carrier in ("fibre", "radio", "fibre")]
        rows = found(graph_of({"x": {}, "y": {}}, *lines, ("y", "x", {"relation": "joins"})))
        assert sorted(rows.triples) == [("x", "joins", "y"), ("y", "joins", "x")]
        assert rows.edge_texts()["x", "joins", "y"] == "x joins y.\ncarrier: fibre\ncarrier: radio"

    def test_parallel_edges_of_one_name_say_their_different_times(self) -> None:
        edges = [("x", "y", {"relation": "joins", "valid_at": year}) for year in (2001, 2002)]
        [properties] = found(graph_of({"x": {}, "y": {}}, *edges)).edge_properties()
        assert properties["valid_at"] == "2001-01-01T00:00:00+00:00"
        assert "valid_at: 2002-01-01T00:00:00+00:00" in properties["edge_text"]

    @pytest.mark.parametrize(
        "labels", [":Film:Work", ["Film", "Work"], '["Film", "Work"]', "Film::Work", '"Film"'], ids=str
    )
    def test_every_spelling_of_several_types_is_read(self, labels: Any) -> None:
        rows = found(graph_of({"a": {"labels": labels}}))
        expected = ["Film"] if labels == '"Film"' else ["Film", "Work"]
        assert [row["name"] for row in rows.nodes if row["type"] == "EntityType"] == expected
        assert len(rows.edges) == len(expected)

    def test_an_embedding_stays_behind_and_is_counted(self) -> None:
        graph = graph_of({"a": {"entity_type": "x", "vector": [0.5] * 17, "place": [1] * 16}})
        rows = found(graph)
        assert rows.node("a")["properties"] == {"description": f"place: {', '.join('1' * 16)}"}
        assert rows.reader.attributes_left_behind == {"vector": 1}

    def test_a_text_for_every_edge_makes_names_in_the_archive_writer_needless(self, tmp_path: Path) -> None:
        reader = from_networkx(LIGHTRAG, dataset_name="g")
        assert reader.origin.fact_text_complete
        archive = write_archive(reader, tmp_path / "g.cogx.tar.gz")
        assert (archive.num_nodes, archive.num_edges) == (4, 3)
        assert archive.digest == summarize(from_networkx(LIGHTRAG, dataset_name="g")).digest


class TestProfiles:
    """Whose graph it is shows in its attributes."""

    @pytest.mark.parametrize(
        ("node", "edge", "profile"),
        [
            ({"entity_id": "A", "entity_type": "x"}, {}, "lightrag"),
            ({"entity_type": "x", "source_id": "c", "description": "d"}, {"order": 1}, "nano-graphrag"),
            ({"type": "x", "human_readable_id": 1, "description": "d"}, {}, "graphrag"),
            ({"labels": ":A", "name": "n"}, {"label": "R"}, "apoc"),
            ({"labelV": "person"}, {"labelE": "knows"}, "tinkerpop"),
            ({"viz": {"size": 1}}, {}, "gephi"),
            ({"category": "x"}, {}, "generic"),
            ({}, {"predicate": "p"}, "generic"),
            ({"type": "Person", "age": 3}, {"label": "knows"}, "cognee"),
            ({"name": "n", "description": "d"}, {"relationship": "r"}, "cognee"),
            ({"name": "n", "metadata": {"index_fields": ["name"]}, "category": "x"}, {}, "cognee"),
        ],
    )
    def test_a_graph_shows_its_producer(self, node: dict[str, Any], edge: dict[str, Any], profile: str) -> None:
        assert found(graph_of({"a": node}, ("a", "a", edge))).reader.profile == profile

    def test_a_profile_can_be_set(self) -> None:
        rows = found(graph_of({"a": {"type": "Person"}}), profile="generic")
        assert rows.types == {"a": "Entity", "Person": "EntityType"}

    def test_an_unknown_profile_is_refused_with_those_there_are(self) -> None:
        with pytest.raises(GraphFileError, match=r"no profile 'x'.*cognee, graphrag, lightrag"):
            found(nx.Graph(), profile="x")

    @pytest.mark.parametrize(
        ("attribute", "name"), [("title", "T"), ("entity_name", "T"), ("Label", "T"), ("other", "a")]
    )
    def test_the_name_is_found_by_convention_whatever_its_case(self, attribute: str, name: str) -> None:
        assert name in found(graph_of({"a": {attribute: "T", "entity_type": "x"}})).names

    @pytest.mark.parametrize("attribute", ["relation", "predicate", "labelE", "label", "Type", "edge_type", "rel"])
    def test_the_relationship_is_found_by_convention_whatever_its_case(self, attribute: str) -> None:
        graph = graph_of({"a": {"category": "x"}}, ("a", "a", {attribute: "likes"}))
        assert ("a", "likes", "a") in found(graph).triples

    def test_names_in_quotes_lose_them(self) -> None:
        graph = graph_of({'"MIRA"': {"entity_type": '"PERSON"', "source_id": "c"}})
        assert found(graph).types == {"MIRA": "Entity", "PERSON": "EntityType"}


class TestWhatTheUserSays:
    """A ``GraphMapping`` beats every convention."""

    GRAPH = graph_of(
        {"a": {"species": "Bird", "called": "Robin", "wings": 2, "secret": "x"}, "b": {"species": "Fish"}},
        ("a", "b", {"does": "ignores", "note": "always", "secret": "y"}),
    )

    def test_attributes_are_what_the_mapping_says(self) -> None:
        mapping = GraphMapping(node_type="species", name=["called"], relationship="does", drop=["secret"])
        rows = found(self.GRAPH, mapping=mapping)
        assert rows.types == {"Robin": "Entity", "b": "Entity", "Bird": "EntityType", "Fish": "EntityType"}
        assert ("Robin", "ignores", "b") in rows.triples
        assert rows.node("a")["properties"] == {"description": "wings: 2"}
        assert rows.edge_texts()["Robin", "ignores", "b"] == "Robin ignores b.\nnote: always"
        assert rows.reader.attributes_left_behind == {"secret": 2}

    def test_what_is_not_kept_stays_behind(self) -> None:
        rows = found(self.GRAPH, mapping=GraphMapping(keep=("wings",)))
        assert rows.node("a")["properties"] == {"description": "wings: 2"}
        assert rows.reader.attributes_left_behind == {"secret": 2, "species": 2, "called": 1, "does": 1, "note": 1}

    def test_an_edge_says_what_the_template_says(self) -> None:
        mapping = GraphMapping(relationship="does", edge_text="{source} {relationship} {target} ({note})")
        rows = found(self.GRAPH, mapping=mapping)
        assert rows.edge_texts()["a", "ignores", "b"] == "a ignores b (always)"
        of_nodes = {"species": 2, "called": 1, "wings": 1}
        assert rows.reader.attributes_left_behind == {"secret": 2, **of_nodes}  # as without a mapping

    @pytest.mark.parametrize("speaks", ["typed", "untyped", "cognee", "lightrag"])
    @pytest.mark.parametrize(
        "mapping",
        [
            GraphMapping(edge_text="{source} {relationship} {target}: {weight}"),
            GraphMapping(relationship="relationship"),
            GraphMapping(relationship="relationship", edge_text="{weight}"),
        ],
        ids=["text", "relationship", "both"],
    )
    def test_what_is_said_of_edges_changes_no_node(self, speaks: str, mapping: GraphMapping) -> None:
        graph = SPEAKING[speaks]
        without, rows = found(graph), found(graph, mapping=mapping)
        assert rows.nodes == without.nodes
        assert rows.triples == without.triples
        assert rows.reader.profile == without.reader.profile
        assert "weight" not in rows.reader.attributes_left_behind
        assert "relationship" not in rows.reader.attributes_left_behind
        for text in rows.edge_texts().values():
            assert "is a" in text or "8.5" in text

    def test_an_edge_names_a_chunk_by_its_text(self) -> None:
        chunk = {"type": "DocumentChunk", "text": "Ada founded Acme.", "name": ""}
        graph = graph_of({"c": chunk, "a": {"type": "Person", "name": "Ada"}}, ("c", "a", {"relationship": "contains"}))
        rows = found(graph, mapping=GraphMapping(edge_text="{source} {relationship} {target}"))
        assert list(rows.edge_texts().values()) == ["Ada founded Acme. contains Ada"]

    def test_what_names_an_edge_or_stands_in_its_text_is_not_left_behind(self) -> None:
        edge = {"relationship": "ignores", "source": "a file", "note": "always"}
        rows = found(
            graph_of({"a": {"type": "T"}}, ("a", "a", edge)), mapping=GraphMapping(edge_text="{source}: {note}")
        )
        assert list(rows.edge_texts().values()) == ["a: always"]
        assert rows.reader.attributes_left_behind == {"source": 1}  # in the text it is the name of the edge's end

    def test_what_the_mapping_names_is_used_though_keep_does_not_name_it(self) -> None:
        mapping = GraphMapping(
            node_type="species", name="called", relationship="does", edge_text="{source}: {note}", keep=["wings"]
        )
        rows = found(self.GRAPH, mapping=mapping)
        assert rows.types == {"Robin": "Entity", "b": "Entity", "Bird": "EntityType", "Fish": "EntityType"}
        assert rows.node("a")["properties"] == {"description": "wings: 2"}
        assert rows.edge_texts()["Robin", "ignores", "b"] == "Robin: always"
        assert rows.reader.attributes_left_behind == {"secret": 2}

    def test_a_graph_without_edges_has_no_attributes_for_a_template_to_miss(self) -> None:
        rows = found(graph_of({"a": {"name": "Ada"}}), mapping=GraphMapping(edge_text="{source} {note} {target}"))
        assert rows.edges == []

    def test_typed_nodes_keep_their_type_and_all_attributes(self) -> None:
        rows = found(self.GRAPH, mapping=GraphMapping(node_type="species", name="called", as_nodes="typed"))
        assert rows.types == {"Robin": "Bird", "b": "Fish"}
        properties = rows.node("a")["properties"]
        assert properties == {
            "species": "Bird", "called": "Robin", "wings": 2, "secret": "x", "metadata": {"index_fields": ["name"]},
        }  # fmt: skip
        assert rows.reader.attributes_left_behind == {}

    @pytest.mark.parametrize(
        ("mapping", "reason"),
        [
            (GraphMapping(node_type="specis"), r"node_type='specis'.*no node has.*mean 'species'"),
            (GraphMapping(relationship="zzz"), r"no edge has an attribute 'zzz'.*There are: does, note, secret"),
            (GraphMapping(edge_text="{zzz}"), r"edge_text='\{zzz\}'"),
            (GraphMapping(drop=("zzz",)), "no node or edge has an attribute 'zzz'"),
        ],
    )
    def test_a_mapping_that_does_not_fit_is_refused_with_what_there_is(
        self, mapping: GraphMapping, reason: str
    ) -> None:
        with pytest.raises(GraphFileError, match=reason):
            found(self.GRAPH, mapping=mapping)

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"node_type": ""}, "node_type is empty"),
            ({"name": [1]}, "Write a list of names"),
            ({"drop": "secret"}, "Write a list"),
            ({"keep": ["a"], "drop": ["a"]}, "'a' is both in keep and in drop"),
            ({"node_type": "a", "drop": ["a"]}, "'a' is both in node_type and in drop. Take it out of one."),
            ({"name": ["b", "a"], "drop": ["a"]}, "'a' is both in name and in drop"),
            ({"relationship": "a", "drop": ["a"]}, "'a' is both in relationship and in drop"),
            ({"edge_text": "{source}: {a}", "drop": ["a"]}, "'a' is both in edge_text and in drop"),
            ({"as_nodes": "rows"}, "Write 'cognee' or 'typed'"),
            ({"edge_text": "description"}, "names no attribute"),
            ({"edge_text": "{"}, "cannot be read"),
            ({"edge_text": "{a:5}"}, "names no attribute"),
            ({"edge_text": "{a!r}"}, "names no attribute"),
        ],
    )
    def test_a_mapping_that_can_never_work_is_refused_at_once(self, options: dict[str, Any], reason: str) -> None:
        with pytest.raises(GraphFileError, match=reason):
            GraphMapping(**options)

    def test_a_place_in_a_template_that_is_no_attribute_may_be_dropped_as_one(self) -> None:
        """``{source}`` is the name of an end."""
        assert GraphMapping(edge_text="{source}: {note}", drop=["source"]).drop == ("source",)


class TestACogneeGraphAsItIs:
    """A graph that speaks Cognee's own language is taken at its word."""

    @pytest.mark.parametrize("blank", ["", " \n ", None])
    def test_a_blank_name_is_none(self, blank: str | None) -> None:
        rows = found(graph_of({"c": {"name": blank, "label": "Cee"}, "d": {"name": blank, "type": "Person"}}))
        assert rows.names == ["Cee", "d"]

    def test_what_an_entity_or_an_edge_cannot_keep_is_counted(self) -> None:
        graph = graph_of({"a": {"born": 1}, "b": {"type": "P", "born": 2}}, ("a", "b", {"label": "l", "since": 3}))
        assert found(graph).reader.attributes_left_behind == {"born": 1, "since": 1}

    def test_what_is_left_behind_is_known_without_reading_first(self) -> None:
        graph = graph_of({"a": {"born": 1}})
        assert from_networkx(graph, dataset_name="g").attributes_left_behind == {"born": 1}

    @pytest.mark.parametrize(
        ("given", "kept"),
        [("Legal Entity", "Legal_Entity"), ("Person/Org", "Person_Org"), ("Person ", "Person"), ("Person", "Person")],
    )
    def test_a_type_that_makes_no_vector_table_arrives_under_a_safe_name(self, given: str, kept: str) -> None:
        row = found(graph_of({"a": {"type": given}})).node("a")
        assert row["type"] == kept
        assert row["properties"].get("original_type", given) == given
        assert ("original_type" in row["properties"]) == (given != kept)

    def test_types_that_differ_in_unsafe_letters_only_stay_apart(self) -> None:
        rows = found(graph_of({"a": {"type": "人"}, "b": {"type": "地"}, "c": {"type": "x" * 300}}))
        assert len(set(rows.types.values())) == 3
        assert all(kept.isascii() and len(kept) <= 120 for kept in rows.types.values())

    def test_a_type_called_like_one_of_cognees_keeps_name_and_attributes(self) -> None:
        row = found(graph_of({"r": {"type": "Rule", "name": "No smoking", "text": "Do not."}})).node("r")
        assert (row["type"], row["name"]) == ("RuleNode", "No smoking")
        assert row["properties"]["original_type"] == "Rule"

    @pytest.mark.parametrize(
        "attributes",
        [
            {"type": "EntityType", "name": "Person", "description": "A person"},
            {"type": "NodeSet", "name": "tea"},
            {"type": "DocumentChunk", "text": "Tea.", "metadata": {"index_fields": ["text"]}, "chunk_size": 1},
        ],
    )
    def test_cognees_own_nodes_stay_what_they_are(self, attributes: dict[str, Any]) -> None:
        assert found(graph_of({"a": attributes})).node("a")["type"] == attributes["type"]

    def test_a_chunk_gets_no_name(self) -> None:
        assert found(graph_of({"a": {"type": "DocumentChunk", "text": "Tea."}})).names == [None]

    def test_fields_that_graphml_holds_as_text_are_read(self, tmp_path: Path) -> None:
        data = {
            "type": "DocumentChunk", "text": "Tea.", "metadata": '{"index_fields": ["text"]}', "version": "2",
            "belongs_to_set": '["tea"]', "ontology_valid": "False", "created_at": "1763850000000", "source_user": "7",
        }  # fmt: skip
        keys = " ".join(f"node:{name}:string" for name in data)
        body = "".join(f'<data key="{name}">{value}</data>' for name, value in data.items())
        rows = read(tmp_path / "g.graphml", graphml(f'<node id="a">{body}</node>', keys=keys))
        assert rows.node("a")["properties"] == {
            "text": "Tea.", "metadata": {"index_fields": ["text"]}, "version": 2, "belongs_to_set": ["tea"],
            "ontology_valid": False, "created_at": 1763850000000, "source_user": "7",
        }  # fmt: skip


class TestTimes:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("2020", "2020-01-01T00:00:00+00:00"),
            (2020, "2020-01-01T00:00:00+00:00"),
            ("2020-05", "2020-05-01T00:00:00+00:00"),
            ("2020-05-06", "2020-05-06"),
            (1_577_836_800, 1_577_836_800),
            ("1577836800000", 1_577_836_800_000),
            ("2020-01-01T00:00:00[Europe/Berlin]", "2020-01-01T00:00:00+01:00"),
            ("2020-01-01T00:00:00Z[UTC]", "2020-01-01T00:00:00+00:00"),
        ],
    )
    def test_a_time_is_what_was_meant(self, given: Any, kept: Any) -> None:
        assert found(graph_of({"a": {}}, ("a", "a", {"valid_at": given}))).edge_properties() == [{"valid_at": kept}]

    @pytest.mark.parametrize("given", ["yesterday", True, "2020-13", "2020-01-01T00:00:00[Nowhere/At_all]", "9" * 400])
    def test_what_is_no_time_is_kept_under_another_name_and_counted(self, given: Any) -> None:
        rows = found(graph_of({"a": {}}, ("a", "a", {"invalid_at": given})))
        assert rows.edge_properties() == [{"attribute_invalid_at": given}]
        assert rows.reader.attributes_left_behind == {"invalid_at": 1}

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            (pd.Timestamp("2020-01-02 03:04"), "2020-01-02T03:04:00"),
            (pd.Timestamp("2020-01-02", tz="UTC"), "2020-01-02T00:00:00+00:00"),
            (np.datetime64("2020-01-02T03:04:05.123456789"), "2020-01-02T03:04:05.123456"),
            (np.datetime64("2020-01-02"), "2020-01-02"),
            (np.datetime64("2020"), "2020-01-01"),
            (np.timedelta64(90, "s"), 90.0),
            (pd.Timedelta("1min"), 60.0),
            (np.array(["2020-01-02"], "datetime64[ns]"), ["2020-01-02T00:00:00"]),
            (pd.Series(pd.to_datetime(["2020-01-02"], utc=True)), ["2020-01-02T00:00:00+00:00"]),
            (pd.NaT, None),
            (pd.NA, None),
            (np.datetime64("NaT"), None),
        ],
        ids=str,
    )
    def test_times_of_pandas_and_numpy_are_times(self, given: Any, kept: Any) -> None:
        assert found(graph_of({"a": {"type": "T", "when": given}})).node("a")["properties"]["when"] == kept


def test_rows_are_the_same_each_time() -> None:
    reader = from_networkx(LIGHTRAG, dataset_name="g")
    first, again = Found(reader), Found(reader)
    assert (first.nodes, first.edges) == (again.nodes, again.edges)
    assert json.loads(first.edges[0]["properties"])


@given(st.uuids(), st.text(st.characters(codec="utf-8")))
def test_a_derived_id_is_the_uuid_that_the_standard_says(namespace: UUID, text: str) -> None:
    assert derived_id(namespace, text) == str(uuid5(namespace, text))
