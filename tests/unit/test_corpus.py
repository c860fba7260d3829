"""What producers of graphs really write arrives with its meaning: one small graph as eleven of them write it."""

import json
import re
from pathlib import Path

import pytest

from cognee_dagster.cogx.write.tally import summarize
from cognee_dagster.sources.files import open_graph_file
from cognee_dagster.sources.mapping.value import GraphMapping
from tests.graph_files import Found

CORPUS = Path(__file__).parents[1] / "corpus"
NAMES = {
    *("Ada Moreno", "Atlas", "Compass", "Customer Care", "Data Platform", "Gdansk", "Harbormaster", "Incident Review"),
    *("Ines Duarte", "Kestrel", "Lantern", "Lisbon", "Mei Tanaka", "Northwind Freight", "Port Operations"),
    *("Rotterdam", "Tomasz Nowak", "Watchtower"),
}
# What Cognee notes of an entity and an edge for itself; a server makes it anew.
BOOKKEEPING = {
    *("edge_object_id", "feedback_weight", "importance_weight", "ontology_valid", "relationship_type"),
    *("source_pipeline", "source_task", "topological_rank", "updated_at", "version"),
}
# Producer or its file; its profile; entities (with communities), types, chunks (with reports); what stays behind.
ARRIVES: dict[str, tuple[str, tuple[int, int, int], set[str]]] = {
    "graphrag": ("graphrag", (22, 10, 7), {"id"}),
    "lightrag": ("lightrag", (18, 9, 3), {"created_at"}),
    "nano-graphrag": ("nano-graphrag", (23, 7, 8), {"order"}),
    "cognee/handbook.graphml": ("cognee", (18, 13, 3), BOOKKEEPING),
    "cognee/handbook.json": ("cognee", (18, 13, 3), BOOKKEEPING),
    "cognee/snapshot.json": ("cognee", (18, 13, 3), BOOKKEEPING),
    "networkx/handbook.graphml": ("generic", (18, 13, 0), set()),
    "networkx/handbook.gexf": ("generic", (18, 13, 0), set()),
    "networkx/handbook.json": ("generic", (18, 13, 0), set()),
    "apoc/handbook.jsonl": ("apoc", (18, 13, 0), set()),
    "neo4j": ("apoc", (18, 13, 0), set()),
    "tinkerpop/handbook.graphml": ("tinkerpop", (18, 13, 0), set()),
    "gephi/handbook.gexf": ("gephi", (18, 13, 0), {"viz"}),
    "yed/handbook.graphml": ("yed", (18, 0, 0), {"shape_type", "x", "y"}),
}
REPORT = " belong together."
COMMUNITY = ("is_a", "community")
COMMUNITIES = {"graphrag": 4, "nano-graphrag": 5}  # each with a report


@pytest.mark.parametrize("place", ARRIVES)
def test_names_types_and_texts_arrive(place: str) -> None:
    profile, counts, left_behind = ARRIVES[place]
    found = Found(open_graph_file(CORPUS / place))
    assert found.reader.profile == profile
    kinds = [row["type"] for row in found.nodes]
    assert tuple(kinds.count(kind) for kind in ("Entity", "EntityType", "DocumentChunk")) == counts
    communities = [source for source, relationship, target in found.triples if (relationship, target) == COMMUNITY]
    entities = {row["name"] for row in found.nodes if row["type"] == "Entity"} - set(communities)
    assert len(communities) == COMMUNITIES.get(place, 0)
    assert {name.lower() for name in entities} == {name.lower() for name in NAMES}
    assert set(found.reader.attributes_left_behind) == left_behind


@pytest.mark.parametrize("place", ARRIVES)
def test_edges_are_the_same_whether_or_not_the_nodes_were_read_before(place: str) -> None:
    found = Found(open_graph_file(CORPUS / place))
    assert [row for batch in open_graph_file(CORPUS / place).edges() for row in batch.to_pylist()] == found.edges


@pytest.mark.parametrize("place", ARRIVES)
def test_a_relationship_says_the_sentence_it_was_found_in(place: str) -> None:
    found = Found(open_graph_file(CORPUS / place))
    between = {"tomasz nowak", "harbormaster"}
    said = [
        text
        for (source, _, target), text in found.edge_texts().items()
        if {str(source).lower(), str(target).lower()} == between
    ]
    assert "Tomasz Nowak is on call for Harbormaster." in "\n".join(said)


@pytest.mark.parametrize("place", ["graphrag", "lightrag", "nano-graphrag"])
def test_texts_are_chunks_of_their_documents_and_contain_what_was_found_in_them(place: str) -> None:
    found = Found(open_graph_file(CORPUS / place))
    chunks = [json.loads(row["properties"]) for row in found.nodes if row["type"] == "DocumentChunk"]
    texts = [chunk for chunk in chunks if "\n\n## " not in chunk["text"]]
    assert (len(texts), len(chunks)) == (3, 3 + COMMUNITIES.get(place, 0))
    documents = [str(chunk.get("document_name")) for chunk in texts]
    assert len(set(documents)) == 3
    if place != "nano-graphrag":  # which does not keep what a document was called
        assert {Path(name).stem for name in documents} == {"runbook", "systems", "teams"}
    assert sum(1 for row in found.edges if row["relationship"] == "contains") > 20


@pytest.mark.parametrize("place", COMMUNITIES)
def test_a_report_leads_to_its_community_and_to_everybody_in_it(place: str) -> None:
    found = Found(open_graph_file(CORPUS / place))
    names = {row["id"]: str(row["name"]) for row in found.nodes}
    chunks = {row["id"]: row["properties"] for row in found.nodes if row["type"] == "DocumentChunk"}
    reports = {identity: str(json.loads(said)["text"]) for identity, said in chunks.items() if REPORT in said}
    assert len(reports) == COMMUNITIES[place]
    for identity, text in reports.items():
        title, _, members, *_ = text.removeprefix("# ").split("\n")
        contained = {names[row["target"]] for row in found.edges if row["source"] == identity}
        belong = {source for source, kind, target in found.triples if (kind, target) == ("member_of", title)}
        assert contained == belong | {title}
        assert {name.title() for name in belong} == set(re.split(", | and ", members.removesuffix(REPORT)))


def test_nothing_that_quotes_or_separators_held_apart_is_left_of_them() -> None:
    found = Found(open_graph_file(CORPUS / "nano-graphrag"))
    rows = [row for row in found.nodes if row["type"] != "DocumentChunk"]
    said = "\n".join([*(row["name"] + row["properties"] for row in rows), *found.edge_texts().values()])
    assert "<SEP>" not in said
    assert '"LISBON' not in said
    assert '\\"Tomasz' not in said


def test_what_igraph_writes_with_types_is_taken_at_its_word_unless_it_is_told_otherwise() -> None:
    path = CORPUS / "igraph" / "handbook.graphml"
    own = Found(open_graph_file(path))
    assert (own.reader.profile, own.types["Kestrel"]) == ("cognee", "Message_Broker")
    assert set(own.reader.attributes_left_behind) == {"evidence"}
    told = Found(open_graph_file(path, profile="generic"))
    assert ("Kestrel", "is_a", "Message Broker") in told.triples
    assert told.reader.attributes_left_behind == {}


@pytest.mark.parametrize("form", ["handbook.json", "snapshot.json"])
def test_cognees_own_exports_in_json_are_the_very_graph_of_its_own_archive(form: str) -> None:
    digest = summarize(open_graph_file(CORPUS / "cognee" / "cogx")).digest
    assert summarize(open_graph_file(CORPUS / "cognee" / form)).digest == digest


def test_cognees_own_graphml_is_its_archives_graph_but_for_what_is_empty() -> None:
    """It holds texts alone: what is a number, a list or an object to Cognee is one again."""
    expected, found = (Found(open_graph_file(CORPUS / "cognee" / form)) for form in ("cogx", "handbook.graphml"))
    written = summarize(open_graph_file(CORPUS / "cognee" / "handbook.graphml"))
    assert written.num_nodes == len(expected.nodes)
    raw = {row["id"]: row for row in expected.nodes if row["type"] != "Entity"}
    assert {row["type"] for row in raw.values()} == {"DocumentChunk", "EntityType", "TextDocument", "TextSummary"}
    for row in found.nodes:
        if row["id"] in raw:
            theirs = raw[row["id"]]
            assert (row["type"], row["name"] or "") == (theirs["type"], theirs["name"] or "")
            values = json.loads(theirs["properties"])  # with id, type and name, as the archive's line has them
            kept = {name for name, value in values.items() if value not in (None, "")} - {"id", "type", "name"}
            assert json.loads(row["properties"]) == {name: values[name] for name in kept}


def test_what_is_dropped_of_cognees_own_export_makes_nothing_else_of_its_nodes() -> None:
    found = Found(open_graph_file(CORPUS / "cognee" / "handbook.json", mapping=GraphMapping(drop=["source_task"])))
    kinds = [row["type"] for row in found.nodes]
    assert tuple(kinds.count(kind) for kind in ("Entity", "EntityType", "DocumentChunk")) == (18, 13, 3)
    assert found.reader.attributes_left_behind["source_task"] == len(found.nodes)
