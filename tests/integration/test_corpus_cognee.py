"""What producers of graphs write is found by Cognee's own search: five questions to each graph on a real server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cognee_dagster.pushing import PushOptions, push_graph
from cognee_dagster.remote import CogneeClient, Connection, resolve_connection
from cognee_dagster.remote.search_types import SearchType
from cognee_dagster.sandbox import CogneeServer
from cognee_dagster.sources import open_graph
from cognee_dagster.sources.mapping.value import GraphMapping
from tests.unit.test_corpus import ARRIVES, COMMUNITIES, CORPUS

# A question, and what an answer to it has to say; the words of a sentence that the graph holds.
QUESTIONS = {
    "Who is on call for Harbormaster?": "Tomasz Nowak is on call for Harbormaster.",
    "Who founded Northwind Freight?": "Ines Duarte is a director who founded Northwind Freight.",
    "Who chairs the Incident Review?": "Ines Duarte chairs the Incident Review.",
    "Who wrote Compass?": "Ada Moreno wrote Compass.",
    "Which team is in Gdansk?": "Customer Care is a team in Gdansk.",
}
WITH_TEXTS = ("cognee/handbook.graphml", "graphrag", "lightrag", "nano-graphrag")
# Only the report on a community says who belongs to it.
BELONG = "Atlas, Lantern, Compass, Mei Tanaka, Customer Care and Gdansk belong together."
ASKED_OF_REPORTS = {"graphrag": ("Who belongs together with Lantern, Compass and Customer Care?", BELONG)}
TWINS = {"networkx/handbook.gexf", "networkx/handbook.json", "cognee/handbook.json", "cognee/snapshot.json"}
ONE_OF_EACH = [place for place in ARRIVES if place not in TWINS]


@pytest.fixture(scope="module")
def connection(real_remote: CogneeServer) -> Connection:
    return resolve_connection(real_remote.url, real_remote.api_key, environ={})


@pytest.fixture
def client(connection: Connection) -> Iterator[CogneeClient]:
    with CogneeClient(connection) as opened:
        yield opened


def pushed(place: Path, *, connection: Connection, dataset: str, mapping: GraphMapping | None = None) -> None:
    options = PushOptions(target_dataset=dataset)
    result = push_graph(open_graph(place, mapping=mapping), connection=connection, options=options)
    assert result.status == "completed"


def asked(question: str, *, client: CogneeClient, dataset: str, kind: SearchType, top: int) -> str:
    """What a language model would be given to answer the question from."""
    found = client.find_dataset(dataset)
    assert found is not None
    return client.search(found.id, question, search_type=kind, top_k=top)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("place", ONE_OF_EACH)
def test_a_graph_arrives_whole_and_answers(place: str, connection: Connection, client: CogneeClient) -> None:
    dataset = "corpus_" + place.split("/", maxsplit=1)[0].replace("-", "_")
    pushed(CORPUS / place, connection=connection, dataset=dataset)
    found = client.find_dataset(dataset)
    assert found is not None
    kinds = [node.type for node in client.graph(found.id).nodes]
    assert tuple(kinds.count(kind) for kind in ("Entity", "EntityType", "DocumentChunk")) == ARRIVES[place][1]
    for question, answer in QUESTIONS.items():
        context = asked(question, client=client, dataset=dataset, kind="GRAPH_COMPLETION", top=5)
        assert answer in context, question
        if place in WITH_TEXTS:
            top = 1 if place not in COMMUNITIES else 2  # a report may come before the text itself
            assert answer in asked(question, client=client, dataset=dataset, kind="CHUNKS", top=top), question
    if place in ASKED_OF_REPORTS:
        question, answer = ASKED_OF_REPORTS[place]
        assert answer in asked(question, client=client, dataset=dataset, kind="CHUNKS", top=1)
        assert answer in asked(question, client=client, dataset=dataset, kind="GRAPH_COMPLETION", top=5)


@pytest.mark.timeout(600)
def test_what_graphrag_found_claimed_is_there_with_its_days_and_answers(
    connection: Connection, client: CogneeClient
) -> None:
    pushed(CORPUS / "graphrag-claims", connection=connection, dataset="corpus_claims")
    found = client.find_dataset("corpus_claims")
    assert found is not None
    graph = client.graph(found.id)
    names = {node.id: node.label for node in graph.nodes}
    claimed = sorted(
        (names[source], kind, names[target]) for source, kind, target in graph.triples() if kind == "claimed_of"
    )
    assert claimed == [
        *[("ATLAS: INCIDENT", "claimed_of", "ATLAS")] * 3,
        ("DATA PLATFORM: INCIDENT", "claimed_of", "DATA PLATFORM"),
        ("KESTREL: INCIDENT", "claimed_of", "KESTREL"),
    ]
    question, answer = "Who is suspected of overloading Kestrel?", "Data Platform is suspected of overloading Kestrel."
    for kind in ("GRAPH_COMPLETION", "CHUNKS"):
        assert answer in asked(question, client=client, dataset="corpus_claims", kind=kind, top=5), kind


@pytest.mark.timeout(600)
def test_a_node_of_a_type_of_its_own_is_found_through_its_relationships_and_never_by_its_name(
    connection: Connection, client: CogneeClient, tmp_path: Path
) -> None:
    """Cognee looks for entities, their types, texts and relationships, and for nothing else."""
    content = {
        "nodes": [{"id": name, "category": "Flower"} for name in ("Marigold", "Tansy", "Yarrow")],
        "links": [{"source": "Tansy", "target": "Yarrow", "relation": "grows_beside"}],
    }
    (tmp_path / "flowers.json").write_text(json.dumps(content))
    found = {}
    for as_nodes in ("cognee", "typed"):
        dataset, mapping = f"corpus_flowers_{as_nodes}", GraphMapping.of({"as_nodes": as_nodes})
        pushed(tmp_path / "flowers.json", connection=connection, dataset=dataset, mapping=mapping)
        found[as_nodes] = [
            name
            for name in ("Marigold", "Tansy")
            if f"Node: {name}" in asked(name, client=client, dataset=dataset, kind="GRAPH_COMPLETION", top=5)
        ]
    assert found == {"cognee": ["Marigold", "Tansy"], "typed": ["Tansy"]}
