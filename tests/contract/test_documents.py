"""Documents: stored beside the graph, under ids that the whole server shares."""

from tests.contract.archives import Records, an_id, document, fact, people
from tests.contract.remote_under_test import RemoteUnderTest, node_ids, triples


def test_documents_alone_need_no_import_run_even_in_the_background(remote: RemoteUnderTest, name: str) -> None:
    sent = Records({"document": [document(name, "a.md", "text of a"), document(name, "b.md", "text of b")]})

    for background in ("false", "true"):
        answer = remote.upload(sent, name, run_in_background=background).json()
        assert (answer["status"], answer["pipeline_run_id"], answer["items_processed"]) == ("completed", None, 2)
        assert answer["items"][0]["record_counts"] == {"document": 2}
        assert "graph_import" not in answer["items"][0]

    (dataset_id,) = remote.dataset_ids(name)
    assert remote.get(f"/api/v1/datasets/{dataset_id}/data/count").json() == {"count": 2}
    assert {row["pipeline_name"] for row in remote.runs(dataset_id)} == {"add_pipeline"}
    assert remote.graph(name) == {"nodes": [], "edges": []}


def test_a_stored_document_tells_where_it_came_from(remote: RemoteUnderTest, name: str) -> None:
    remote.upload(Records({"document": [document(name, "a.md", "text of ä")]}), name)

    (dataset_id,) = remote.dataset_ids(name)
    (shown,) = remote.get(f"/api/v1/datasets/{dataset_id}/data", limit=10).json()
    assert shown == {
        "id": an_id(f"cogx:cognee:{an_id(name, 'a.md')}"),
        "name": shown["name"],
        "createdAt": shown["createdAt"],
        "updatedAt": shown["updatedAt"],
        "extension": "txt",
        "mimeType": "text/plain",
        "rawDataLocation": shown["rawDataLocation"],
        "datasetId": dataset_id,
        "label": "a.md",
        "externalMetadata": {
            "external_system": "cognee",
            "external_id": an_id(name, "a.md"),
            "node_set": ["import:cognee"],
        },
        "dataSize": len("text of ä".encode()),
    }
    assert shown["name"].startswith("text_")


def test_a_changed_text_is_ignored_unless_the_document_is_deleted_first(remote: RemoteUnderTest, name: str) -> None:
    def stored() -> dict[str, int]:
        listed = remote.get(f"/api/v1/datasets/{dataset_id}/data").json()
        return {shown["id"]: shown["dataSize"] for shown in listed}

    remote.upload(Records({"document": [document(name, "a.md", "old")]}), name)
    (dataset_id,) = remote.dataset_ids(name)
    document_id = an_id(f"cogx:cognee:{an_id(name, 'a.md')}")
    changed = Records({"document": [document(name, "a.md", "new and longer")]})

    assert remote.upload(changed, name).json()["items_processed"] == 1
    assert stored() == {document_id: len("old")}

    deleted = remote.delete(f"/api/v1/datasets/{dataset_id}/data/{document_id}")
    assert (deleted.status_code, deleted.json()) == (200, None)
    assert stored() == {}
    remote.upload(changed, name)
    assert stored() == {document_id: len("new and longer")}


def test_a_document_belongs_to_one_dataset_of_the_server(remote: RemoteUnderTest, name: str) -> None:
    """Another dataset gets 415 before its graph is written, but exists from then on; other users are no exception."""
    sent = people(name).plus(document=[document(name, "a.md", "text")])
    document_id = an_id(f"cogx:cognee:{an_id(name, 'a.md')}")
    remote.upload(sent.without("entity", "fact"), name)

    for background in ("false", "true"):
        refused = remote.upload(sent, f"{name}_2", run_in_background=background)
        (second_id,) = remote.dataset_ids(f"{name}_2")
        assert refused.status_code == 415
        assert refused.json() == {
            "detail": f"Data id {document_id} is not available in dataset {second_id}. [IngestionError]"
        }
    assert remote.graph(f"{name}_2") == {"nodes": [], "edges": []}
    newest = remote.runs(second_id)[0]
    assert (newest["pipeline_name"], newest["outcome"], newest["error_class"]) == (
        "add_pipeline",
        "failed",
        "IngestionError",
    )
    assert remote.upload(sent, name, as_user=remote.bob).status_code == 415


def test_hybrid_writes_the_graph_before_it_refuses_a_document(remote: RemoteUnderTest, name: str) -> None:
    sent = people(name).plus(document=[document(name, "a.md", "text")])
    remote.upload(sent.without("entity", "fact"), name)

    refused = remote.upload(sent, f"{name}_2", import_mode="hybrid")

    assert refused.status_code == 415
    assert node_ids(remote.graph(f"{name}_2")) == sent.node_ids()
    (second_id,) = remote.dataset_ids(f"{name}_2")
    rows = remote.runs(second_id)
    assert [(row["kind"], row["operation_name"], row["outcome"]) for row in rows] == [
        ("operation", "remember", "failed"),
        ("pipeline", "add_pipeline", "failed"),
        ("pipeline", "add_pipeline", None),
        ("pipeline", "migration_import_pipeline", "succeeded"),
        ("pipeline", "migration_import_pipeline", None),
    ]
    assert (rows[0]["error_class"], rows[0]["background"], rows[0]["status"]) == ("IngestionError", False, None)


def test_deleting_a_dataset_frees_its_documents(remote: RemoteUnderTest, name: str) -> None:
    sent = Records({"document": [document(name, "a.md", "text")]})
    remote.upload(sent, name)
    (dataset_id,) = remote.dataset_ids(name)

    remote.delete(f"/api/v1/datasets/{dataset_id}")

    assert remote.upload(sent, f"{name}_2").status_code == 200


def test_a_fact_never_points_at_a_document(remote: RemoteUnderTest, name: str) -> None:
    text = document(name, "a.md", "text")
    sent = people(name).plus(document=[text], fact=[fact(an_id(name, "Ada"), "wrote", text["external_id"])])

    item = remote.upload(sent, name).json()["items"][0]

    assert item["skipped_facts"] == 1
    assert len(triples(remote.graph(name))) == 1
