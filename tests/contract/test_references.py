"""Who owns what an import brought: references by source system, and taking them away again."""

from uuid import NAMESPACE_OID, uuid4, uuid5

from tests.contract.archives import Records, an_id, entity, fact, handbook, people
from tests.contract.remote_under_test import RemoteUnderTest, in_order, node, node_ids, triples


def _data(dataset_id: str, source_system: str, name: str) -> str:
    """The path of all that archives of one source system brought into a dataset."""
    return f"/api/v1/datasets/{dataset_id}/data/{uuid5(NAMESPACE_OID, f'cogx-import:{source_system}:{name}')}"


def _as_raw_nodes(records: Records, source_system: str) -> Records:
    """Entities as raw nodes, which keep their ids under every source system."""
    raw = [
        {"id": one["external_id"], "type": "Entity", "name": one["name"], "description": one["description"]}
        for one in records.records["entity"]
    ]
    return records.without("entity").plus(raw_node=raw).with_manifest(source_system=source_system)


def _person(owner: str, name: str, description: str) -> dict[str, object]:
    return entity(owner, name, description=description)


def test_an_entity_sent_as_a_raw_node_is_stored_like_one_sent_as_an_entity(remote: RemoteUnderTest, name: str) -> None:
    sent = people(name)
    remote.upload(sent, f"{name}_entities")
    remote.upload(_as_raw_nodes(sent, "cognee-5f3a-0-a"), f"{name}_raw")

    assert in_order(remote.graph(f"{name}_raw")) == in_order(remote.graph(f"{name}_entities"))


def test_taking_one_import_away_leaves_what_another_brought_too(remote: RemoteUnderTest, name: str) -> None:
    """With the values of the last import; and without anything that only the first one brought."""
    ada, bea, cyd = (_person(name, who, "first") for who in ("Ada", "Bea", "Cyd"))
    changed = {**bea, "description": "changed"}
    ids = [str(person["external_id"]) for person in (ada, bea, cyd)]
    first = Records({"entity": [ada, bea], "fact": [fact(ids[0], "leads", ids[1])]})
    second = Records({"entity": [changed, cyd], "fact": [fact(ids[1], "knows", ids[2])]})
    remote.upload(_as_raw_nodes(first, "one"), name)
    remote.upload(_as_raw_nodes(second, "two"), name)
    (dataset_id,) = remote.dataset_ids(name)

    answer = remote.delete(_data(dataset_id, "one", name))

    graph = remote.graph(name)
    assert (answer.status_code, answer.json()) == (200, None)
    assert node_ids(graph) == {ids[1], ids[2]}
    assert triples(graph) == {(ids[1], "knows", ids[2])}
    assert node(graph, ids[1])["properties"]["description"] == "changed"


def test_an_edge_goes_when_only_the_import_taken_away_had_it(remote: RemoteUnderTest, name: str) -> None:
    sent = people(name)
    ids = [an_id(name, "Ada"), an_id(name, "Bea")]
    more = sent.plus(fact=[fact(ids[1], "knows", ids[0])])
    remote.upload(_as_raw_nodes(more, "old"), name)
    remote.upload(_as_raw_nodes(sent, "new"), name)
    (dataset_id,) = remote.dataset_ids(name)

    remote.delete(_data(dataset_id, "old", name))

    assert node_ids(remote.graph(name)) == set(ids)
    assert triples(remote.graph(name)) == sent.triples()


def test_an_import_under_an_id_that_was_taken_away_brings_it_all_back(remote: RemoteUnderTest, name: str) -> None:
    sent = _as_raw_nodes(people(name), "again")
    remote.upload(sent, name)
    before = in_order(remote.graph(name))
    (dataset_id,) = remote.dataset_ids(name)
    remote.delete(_data(dataset_id, "again", name))
    assert remote.graph(name) == {"nodes": [], "edges": []}

    remote.upload(sent, name)

    assert in_order(remote.graph(name)) == before
    assert remote.dataset_ids(name) == [dataset_id]


def test_taking_an_import_away_leaves_documents_and_permissions(remote: RemoteUnderTest, name: str) -> None:
    remote.upload(handbook(name), name)
    (dataset_id,) = remote.dataset_ids(name)

    remote.delete(_data(dataset_id, "cognee", name))

    assert remote.graph(name) == {"nodes": [], "edges": []}
    assert remote.get(f"/api/v1/datasets/{dataset_id}/data/count").json() == {"count": 1}


def test_an_id_that_nothing_has_is_deleted_without_an_error(remote: RemoteUnderTest, name: str) -> None:
    remote.upload(people(name), name)
    (dataset_id,) = remote.dataset_ids(name)

    answer = remote.delete(f"/api/v1/datasets/{dataset_id}/data/{uuid4()}")

    assert (answer.status_code, answer.json()) == (200, None)
    assert triples(remote.graph(name)) == people(name).triples()


def test_an_emptied_dataset_keeps_documents_and_readers_and_takes_the_same_import_again(
    remote: RemoteUnderTest, name: str
) -> None:
    sent = handbook(name)
    remote.upload(sent, name)
    before = in_order(remote.graph(name))
    (dataset_id,) = remote.dataset_ids(name)

    refused = remote.empty(dataset_id, as_user=remote.bob)
    answer = remote.empty(dataset_id)

    assert (refused.status_code, answer.status_code) == (403, 200)
    assert remote.graph(name) == {"nodes": [], "edges": []}
    assert remote.dataset_ids(name) == [dataset_id]
    assert remote.get(f"/api/v1/datasets/{dataset_id}/data/count").json() == {"count": 1}
    remote.upload(sent, name)
    assert in_order(remote.graph(name)) == before
    remote.delete(_data(dataset_id, "cognee", name))  # and its references are in order
    assert remote.graph(name) == {"nodes": [], "edges": []}


def test_archives_of_one_request_have_a_run_and_a_reference_each(remote: RemoteUnderTest, name: str) -> None:
    one, two = _as_raw_nodes(people(f"{name}_1"), "one"), _as_raw_nodes(people(f"{name}_2"), "two")

    answer = remote.upload([one.packed(), two.packed()], name).json()

    assert [item["source_system"] for item in answer["items"]] == ["one", "two"]
    assert len({item["pipeline_run_id"] for item in answer["items"]}) == 2
    (dataset_id,) = remote.dataset_ids(name)
    remote.delete(_data(dataset_id, "one", name))
    assert node_ids(remote.graph(name)) == people(f"{name}_2").node_ids()
