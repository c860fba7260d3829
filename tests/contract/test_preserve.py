"""Foreground preserve: the answer, and what is in the graph afterwards."""

from uuid import UUID

from tests.contract.archives import Records, an_id, entity, fact, handbook, pack, people, raw_node
from tests.contract.remote_under_test import RemoteUnderTest, in_order, node, node_ids, triples


def test_the_answer_counts_what_was_imported(remote: RemoteUnderTest, name: str) -> None:
    answer = remote.upload(handbook(name), name)

    body = answer.json()
    assert answer.status_code == 200
    assert UUID(body["pipeline_run_id"])
    assert body["elapsed_seconds"] >= 0
    assert body == {
        "status": "completed",
        "dataset_name": name,
        "dataset_id": None,
        "pipeline_run_id": body["pipeline_run_id"],
        "items_processed": 1 + 7,
        "elapsed_seconds": body["elapsed_seconds"],
        "items": [
            {
                "kind": "migration_import",
                "source_system": "cognee",
                "mode": "preserve",
                "record_counts": {"document": 1, "entity": 3, "fact": 7, "raw_node": 4},
                "graph_nodes": 7,
                "graph_edges": 7,
                "skipped_facts": 0,
                "deduped_edges": 0,
                "pipeline_run_id": body["pipeline_run_id"],
            }
        ],
    }


def test_the_graph_reads_back_with_the_archives_ids_and_edges(remote: RemoteUnderTest, name: str) -> None:
    sent = handbook(name)
    remote.upload(sent.without("document"), name)

    graph = remote.graph(name)

    assert node_ids(graph) == sent.node_ids()
    assert triples(graph) == sent.triples()
    assert node(graph, an_id(name, "Ada")) == {
        "id": an_id(name, "Ada"),
        "label": "Ada",
        "type": "Entity",
        "properties": {
            "ontology_valid": False,
            "version": 1,
            "topological_rank": 0,
            "metadata": {"index_fields": ["name"], "identity_fields": ["name"]},
            "feedback_weight": 0.5,
            "importance_weight": 0.5,
            "description": "Ada of the team",
            "relations": [],
        },
    }


def test_raw_nodes_keep_their_properties_and_show_a_label_for_a_missing_name(
    remote: RemoteUnderTest, name: str
) -> None:
    chunk_id, type_id = an_id(name, "DocumentChunk", "0"), an_id(name, "EntityType", "role")
    remote.upload(handbook(name).without("document"), name)

    graph = remote.graph(name)
    common = {
        "ontology_valid": False,
        "version": 1,
        "topological_rank": 0,
        "feedback_weight": 0.5,
        "importance_weight": 0.5,
        "source_pipeline": "cognify_pipeline",
        "source_task": "extract_graph_from_data",
    }
    assert node(graph, chunk_id) == {
        "id": chunk_id,
        "label": f"DocumentChunk_{chunk_id}",
        "type": "DocumentChunk",
        "properties": {
            **common,
            "metadata": {"index_fields": ["text"]},
            "chunk_index": 0,
            "chunk_size": 5,
            "cut_type": "sentence_end",
            "text": "Ada leads.",
        },
    }
    assert node(graph, type_id)["properties"] == {
        **common,
        "metadata": {"index_fields": ["name"], "identity_fields": ["name"]},
        "description": "a role",
        "relations": [],
    }


def test_nodes_of_unknown_types_keep_every_property(remote: RemoteUnderTest, name: str) -> None:
    planet = raw_node(name, "Planet", "Mars", name="Mars", moons=["Phobos", "Deimos"], mass={"kg": 6.4e23}, rings=None)
    remote.upload(Records({"raw_node": [planet]}), name)

    shown = node(remote.graph(name), planet["id"])

    assert (shown["type"], shown["label"]) == ("Planet", "Mars")
    assert shown["properties"]["moons"] == ["Phobos", "Deimos"]
    assert shown["properties"]["mass"] == {"kg": 6.4e23}
    assert shown["properties"]["metadata"] == {"index_fields": []}
    assert "rings" not in shown["properties"]


def test_odd_raw_nodes_are_taken_as_they_are(remote: RemoteUnderTest, name: str) -> None:
    """No type, an entity without a description, an empty name, a number for a name, metadata as text, NaN."""
    ids = [an_id(name, str(number)) for number in range(7)]
    odd: list[dict[str, object]] = [
        {"id": ids[0], "name": "untyped"},
        {"id": ids[1], "type": "Entity", "name": "undescribed"},
        {"id": ids[2], "type": "Planet", "name": ""},
        {"id": ids[3], "type": "Planet", "name": 7},
        {"id": ids[4], "type": "Planet", "name": "n", "metadata": '{"index_fields": ["name"]}', "moons": [1, None]},
        {"id": ids[5], "type": "Entity", "name": "n", "description": "d", "attributes": {"a": 1}, "more": 5},
        {"id": ids[6], "type": "Planet", "name": "n", "mass": float("nan")},
    ]

    assert remote.upload(Records({"raw_node": odd}), name).status_code == 200

    graph = remote.graph(name)
    common = {"ontology_valid": False, "version": 1, "topological_rank": 0, "metadata": {"index_fields": []}}
    common |= {"feedback_weight": 0.5, "importance_weight": 0.5}
    by_name = {"metadata": {"index_fields": ["name"]}}
    entity_class = {"metadata": {"index_fields": ["name"], "identity_fields": ["name"]}, "relations": []}
    shown = [node(graph, node_id) for node_id in ids]
    assert [(one["type"], one["label"]) for one in shown] == [
        ("DataPoint", "untyped"),
        ("Entity", "undescribed"),
        ("Planet", f"Planet_{ids[2]}"),
        ("Planet", "7"),
        ("Planet", "n"),
        ("Entity", "n"),
        ("Planet", "n"),
    ]
    assert [one["properties"] for one in shown] == [
        common,
        common,
        common,
        common,
        {**common, **by_name, "moons": [1, None]},
        {**common, **entity_class, "description": "d"},
        {**common, "mass": None},
    ]


def test_a_raw_node_whose_id_is_no_uuid_fails_the_import_after_it_began(remote: RemoteUnderTest, name: str) -> None:
    sent = people(name).plus(raw_node=[{"id": "node-1", "type": "Planet", "name": "Mars"}])

    answer = remote.upload(sent, name)

    (dataset_id,) = remote.dataset_ids(name)
    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid COGX archive."})
    assert remote.runs(dataset_id)[0]["outcome"] == "failed"
    assert remote.runs(dataset_id)[0]["error_class"] == "ValidationError"


def test_entities_lose_what_their_class_does_not_know(remote: RemoteUnderTest, name: str) -> None:
    sent = entity(
        name, "Ada", description="leads", aliases=["A", "Countess"], attributes={"born": 1815}, created_at="2020"
    )
    sent["created_at"] = "2020-01-01T00:00:00+00:00"
    plain = entity(name, "Bea")
    remote.upload(Records({"entity": [sent, plain]}), name)

    graph = remote.graph(name)

    properties = node(graph, sent["external_id"])["properties"]
    assert properties["description"] == "leads Also known as: A, Countess."
    assert "attributes" not in properties
    assert node(graph, plain["external_id"])["properties"]["description"] == "Bea"


def test_an_entity_type_makes_a_node_and_an_edge_that_no_count_includes(remote: RemoteUnderTest, name: str) -> None:
    ada = entity(name, "Ada", entity_type="Mathematician")

    item = remote.upload(Records({"entity": [ada]}), name).json()["items"][0]

    graph = remote.graph(name)
    (type_node,) = [node for node in graph["nodes"] if node["type"] == "EntityType"]
    assert (item["graph_nodes"], item["graph_edges"]) == (2, 0)
    assert type_node["label"] == "Mathematician"
    assert triples(graph) == {(ada["external_id"], "is_a", type_node["id"])}


def test_facts_are_skipped_deduplicated_or_make_stubs_and_the_status_stays_completed(
    remote: RemoteUnderTest, name: str
) -> None:
    ada, bea = an_id(name, "Ada"), an_id(name, "Bea")
    nobody = an_id("nobody", name)
    odd = [
        fact(ada, "knows", nobody),
        fact(nobody, "knows", ada),
        fact(ada, "leads", bea),
        fact(ada, "knows", "Dot Matrix"),
    ]

    answer = remote.upload(people(name).plus(fact=odd), name).json()

    item = answer["items"][0]
    graph = remote.graph(name)
    (stub,) = [node for node in graph["nodes"] if node["label"] == "Dot Matrix"]
    assert answer["status"] == "completed"
    assert (item["skipped_facts"], item["deduped_edges"]) == (2, 1)
    assert (item["graph_nodes"], item["graph_edges"]) == (3, 2)
    assert stub["properties"]["description"] == "Dot Matrix"
    assert triples(graph) == {(ada, "leads", bea), (ada, "knows", stub["id"])}


def test_a_fact_may_name_an_entity_of_the_archive(remote: RemoteUnderTest, name: str) -> None:
    """Only where the entity has the id that Cognee itself derives from its name; else the name makes a new entity."""
    ada, bea = an_id(name, "Ada"), an_id(name, "Bea")

    item = remote.upload(people(name).plus(fact=[fact("Ada", "knows", bea)]), name).json()["items"][0]

    assert (item["graph_nodes"], item["skipped_facts"]) == (3, 0)
    assert (ada, "knows", bea) not in triples(remote.graph(name))


def test_pushing_again_changes_nothing_and_changes_are_merged(remote: RemoteUnderTest, name: str) -> None:
    """Updated: descriptions, names. Kept: what is no longer in the archive."""
    ada, bea = an_id(name, "Ada"), an_id(name, "Bea")
    first = remote.upload(people(name), name).json()
    before = in_order(remote.graph(name))

    again = remote.upload(people(name), name).json()
    assert again["items"][0] | {"pipeline_run_id": None} == first["items"][0] | {"pipeline_run_id": None}
    assert again["pipeline_run_id"] != first["pipeline_run_id"]
    assert in_order(remote.graph(name)) == before

    changed = {**people(name).records["entity"][0], "name": "Ada L.", "description": "programs"}
    item = remote.upload(Records({"entity": [changed]}), name).json()["items"][0]
    graph = remote.graph(name)
    assert (item["graph_nodes"], item["graph_edges"]) == (1, 0)
    assert node(graph, ada)["label"] == "Ada L."
    assert node(graph, ada)["properties"]["description"] == "programs"
    assert node_ids(graph) == {ada, bea}
    assert triples(graph) == {(ada, "leads", bea)}


def test_a_delta_needs_the_full_records_of_both_ends(remote: RemoteUnderTest, name: str) -> None:
    """Without an end the edge is lost; a bare end costs the remote description."""
    ada, cyd, dot = an_id(name, "Ada"), entity(name, "Cyd", description="new"), entity(name, "Dot", description="new")
    full_ada, bare_ada = people(name).records["entity"][0], entity(name, "Ada")
    remote.upload(people(name), name)

    without = remote.upload(Records({"entity": [cyd], "fact": [fact(cyd["external_id"], "knows", ada)]}), name)
    assert (without.status_code, without.json()["items"][0]["skipped_facts"]) == (200, 1)
    assert cyd["external_id"] in node_ids(remote.graph(name))
    assert len(triples(remote.graph(name))) == 1

    remote.upload(Records({"entity": [dot, full_ada], "fact": [fact(dot["external_id"], "knows", ada)]}), name)
    assert (dot["external_id"], "knows", ada) in triples(remote.graph(name))
    assert node(remote.graph(name), ada)["properties"]["description"] == "leads"

    remote.upload(Records({"entity": [cyd, bare_ada], "fact": [fact(cyd["external_id"], "knows", ada)]}), name)
    assert node(remote.graph(name), ada)["properties"]["description"] == "Ada"


def test_what_an_archive_may_be_like(remote: RemoteUnderTest, name: str) -> None:
    """Plain tar, one sub-directory, an older version, other members; links are skipped, be it a record file."""
    files, without_facts = people(name).files(), people(name).without("fact").files()
    accepted: list[tuple[bytes, int]] = [
        (pack(files, mode="w"), 1),
        (pack({f"inside/{member}": content for member, content in files.items()}), 1),
        (people(name).with_manifest(cogx_version="0.9", unheard_of=1).packed(), 1),
        (people(name).with_members({"notes.txt": b"x"}).packed(), 1),
        (pack(files, links={"link": "manifest.json"}), 1),
        (pack(without_facts, links={"facts.jsonl": "entities.jsonl"}), 0),
    ]

    for content, num_edges in accepted:
        answer = remote.upload(content, name, import_mode="", session_id="s1").json()
        assert answer["status"] == "completed"
        assert answer["items"][0]["mode"] == "preserve"
        assert answer["items"][0]["graph_edges"] == num_edges


def test_an_archive_with_nothing_in_it_is_completed_without_a_run_or_dataset(
    remote: RemoteUnderTest, name: str
) -> None:
    answer = remote.upload(Records(), name).json()

    assert (answer["status"], answer["pipeline_run_id"], answer["items_processed"]) == ("completed", None, 0)
    assert answer["items"][0]["record_counts"] == {}
    assert remote.dataset_ids(name) == []


def test_archives_of_another_system_get_ids_derived_from_names(remote: RemoteUnderTest, name: str) -> None:
    sent = people(name).with_manifest(source_system="mem0")

    item = remote.upload(sent, name).json()["items"][0]

    graph = remote.graph(name)
    assert item["source_system"] == "mem0"
    assert {shown["label"] for shown in graph["nodes"]} == {"Ada", "Bea"}
    assert node_ids(graph).isdisjoint(sent.node_ids())
    assert len(triples(graph)) == 1


def test_several_files_are_imported_in_turn_and_a_bad_one_does_not_undo_those_before(
    remote: RemoteUnderTest, name: str
) -> None:
    first, second = people(f"{name}_1"), people(f"{name}_2")

    answer = remote.upload([first.packed(), second.packed()], name).json()
    assert [item["kind"] for item in answer["items"]] == ["migration_import", "migration_import"]
    assert answer["pipeline_run_id"] == answer["items"][1]["pipeline_run_id"]
    assert answer["items_processed"] == 4

    third = people(f"{name}_3")
    refused = remote.upload([third.packed(), b"garbage"], name)
    assert refused.status_code == 400
    assert node_ids(remote.graph(name)) == first.node_ids() | second.node_ids() | third.node_ids()
