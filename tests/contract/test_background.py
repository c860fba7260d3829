"""Imports that go on after the answer, or without anybody who waits for one."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.contract.archives import Records, handbook, people
from tests.contract.remote_under_test import RemoteUnderTest, node_ids, triples


def test_the_servers_own_background_preserve_always_fails(remote: RemoteUnderTest, name: str) -> None:
    """The answer says "started"; documents arrive, the graph never does."""
    answer = remote.upload(handbook(name), name, run_in_background="true").json()

    (dataset_id,) = remote.dataset_ids(name)
    item = answer["items"][0]
    assert (answer["status"], answer["dataset_id"], answer["items_processed"]) == ("started", None, 1)
    assert item == {
        "kind": "migration_import",
        "source_system": "cognee",
        "mode": "preserve",
        "record_counts": {"document": 1, "entity": 3, "fact": 7, "raw_node": 4},
        "graph_nodes": 0,
        "graph_edges": 0,
        "skipped_facts": 0,
        "deduped_edges": 0,
        "pipeline_run_id": answer["pipeline_run_id"],
        "graph_import": "running",
    }
    end = remote.wait_for_end(dataset_id, answer["pipeline_run_id"])
    assert (end["status"], end["outcome"], end["error_class"]) == (
        "DATASET_PROCESSING_ERRORED",
        "failed",
        "FileNotFoundError",
    )
    assert remote.graph(name) == {"nodes": [], "edges": []}
    assert remote.get(f"/api/v1/datasets/{dataset_id}/data/count").json() == {"count": 1}


def test_background_hybrid_without_documents_works(remote: RemoteUnderTest, name: str) -> None:
    sent = handbook(name).without("document")

    answer = remote.upload(sent, name, import_mode="hybrid", run_in_background="true").json()

    (dataset_id,) = remote.dataset_ids(name)
    assert (answer["status"], answer["dataset_id"], answer["items_processed"]) == ("started", None, 7)
    assert answer["items"] == [
        {
            "kind": "migration_import",
            "source_system": "cognee",
            "mode": "hybrid",
            "record_counts": sent.counts(),
            "graph_nodes": 7,
            "graph_edges": 7,
            "skipped_facts": 0,
            "pipeline_run_id": answer["pipeline_run_id"],
            "graph_import": "running",
        }
    ]
    assert remote.wait_for_end(dataset_id, answer["pipeline_run_id"])["outcome"] == "succeeded"
    assert node_ids(remote.graph(name)) == sent.node_ids()
    assert triples(remote.graph(name)) == sent.triples()


def test_foreground_hybrid_without_documents_says_the_same_when_it_is_done(remote: RemoteUnderTest, name: str) -> None:
    answer = remote.upload(people(name), name, import_mode="hybrid").json()

    assert (answer["status"], answer["dataset_id"], answer["items_processed"]) == ("completed", None, 2)
    assert "graph_import" not in answer["items"][0]
    assert "deduped_edges" not in answer["items"][0]
    assert triples(remote.graph(name)) == people(name).triples()


def test_an_import_goes_on_when_its_client_hangs_up_after_its_run_is_there(remote: RemoteUnderTest, name: str) -> None:
    """What a detached push stands on. Hung up right after its last byte, a small body can be lost: uvicorn drops it."""
    sent = people(name)
    dataset_id = remote.create_dataset(name)
    assert remote.runs(dataset_id) == []

    with _sending(remote, sent, name, share=1.0):
        run_id = _first_run(remote, dataset_id)

    assert remote.wait_for_end(dataset_id, run_id)["outcome"] == "succeeded"
    assert node_ids(remote.graph(name)) == sent.node_ids()
    assert triples(remote.graph(name)) == sent.triples()


def test_nothing_happens_when_a_client_hangs_up_within_the_body(remote: RemoteUnderTest, name: str) -> None:
    dataset_id = remote.create_dataset(name)

    with _sending(remote, people(name), name, share=0.6):
        pass
    time.sleep(1.0)

    assert remote.runs(dataset_id) == []
    assert remote.graph(name) == {"nodes": [], "edges": []}


@contextmanager
def _sending(remote: RemoteUnderTest, archive: Records, dataset: str, *, share: float) -> Iterator[None]:
    """Sends that share of an upload's bytes, and closes the connection at the end without reading an answer."""
    request = remote.http.build_request(
        "POST",
        "/api/v1/remember",
        data={"datasetName": dataset, "content_type": "cogx-archive", "import_mode": "preserve"},
        files={"data": ("x.cogx.tar.gz", archive.packed())},
        headers={"X-Api-Key": remote.admin.api_key},
    )
    head = "".join(f"{key}: {value}\r\n" for key, value in request.headers.items())
    body = request.read()
    url = urlsplit(remote.url)
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=10) as connection:
        connection.sendall(f"POST /api/v1/remember HTTP/1.1\r\n{head}\r\n".encode())
        connection.sendall(body[: int(len(body) * share)])
        yield


def _first_run(remote: RemoteUnderTest, dataset_id: str) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for row in remote.runs(dataset_id, pipeline_name="migration_import_pipeline"):
            return str(row["pipeline_run_id"])
        time.sleep(0.05)
    raise AssertionError("no run became visible within 30 s")
