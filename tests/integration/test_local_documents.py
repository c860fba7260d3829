"""Documents become a graph through real Cognee: new ones are added, changed ones replaced, others left alone."""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster import CogneeDataset, CogneeRemote, CogxArchiveIOManager, LocalCognee, build_dataset_assets
from cognee_dagster.errors import LocalCogneeError
from cognee_dagster.sandbox import local_environment
from cognee_dagster.sources.cognee.datasets import LocalCogneeConfig, open_dataset
from cognee_dagster.sources.cognee.documents import add_documents
from examples.stand_in_llm import MODEL, LLMStandIn
from tests.asset_chain import NO_RETRY, failure_of, metadata_of


@pytest.fixture
def config(real_cognee: None, llm_stand_in: LLMStandIn, tmp_path: Path) -> LocalCogneeConfig:
    return LocalCogneeConfig(
        environ=local_environment(tmp_path / "store", environ={**os.environ, **llm_stand_in.settings})
    )


def names(config: LocalCogneeConfig) -> set[str]:
    with open_dataset("notes", config=config) as reader:
        return {str(row["name"]) for batch in reader.nodes() for row in batch.to_pylist()}


def test_the_graph_follows_the_documents(config: LocalCogneeConfig, tmp_path: Path) -> None:
    """One long story, since each step costs a start of Cognee."""
    kept, edited, late = (tmp_path / name for name in ("kept.md", "edited.md", "late.md"))
    kept.write_text("Bob works for Globex.")
    edited.write_text("Alice works for Acme.")

    first = add_documents("notes", [kept, edited], config=config)  # makes store and dataset
    assert (first.added, first.changed, first.unchanged, first.cognified) == ((kept, edited), (), (), True)
    assert {"bob", "globex", "alice", "acme"} <= names(config)

    again = add_documents("notes", [kept, edited], config=config)
    assert (again.added, again.changed, again.unchanged, again.cognified) == ((), (), (kept, edited), False)

    edited.write_text("Carol works for Initech.")
    late.write_text("Dave lives in Rome.")
    moved = tmp_path / "moved.md"
    shutil.move(kept, moved)
    third = add_documents("notes", [moved, edited, late], config=config)
    assert (third.added, third.changed, third.unchanged, third.cognified) == ((late,), (edited,), (moved,), True)
    found = names(config)
    assert {"bob", "globex", "carol", "initech", "dave", "rome"} <= found
    assert not {"alice", "acme"} & found

    graph_files = list((config.system_root / "databases").rglob("*.lbug*"))
    assert graph_files
    for path in graph_files:
        path.unlink()
    rebuilt = add_documents("notes", [moved, edited, late], config=config)
    assert (rebuilt.added, rebuilt.changed, rebuilt.cognified) == ((), (), True)
    assert names(config) == found


def test_a_document_that_left_its_folder_is_forgotten_with_what_the_graph_has_from_it_alone(
    config: LocalCogneeConfig, llm_stand_in: LLMStandIn, tmp_path: Path
) -> None:
    """Through the step of ``cognified_graph``, which runs Cognee each time."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "kept.md").write_text("Bob works for Globex.")
    (folder / "left.md").write_text("Bob works for Globex. Alice works for Acme.")
    local = LocalCognee(environment=dict(config.environ))

    def look(policy: Any, **more: Any) -> dg.ExecuteInProcessResult:
        dataset = CogneeDataset(
            name="notes", documents=[f"{folder}/*.md"], documents_removed=policy, retry_policy=NO_RETRY, **more
        )
        return dg.materialize(
            build_dataset_assets(dataset),
            selection=dg.AssetSelection.assets(dataset.graph_key),
            resources={
                "local_cognee": local,
                "cognee_remote": CogneeRemote(),
                "cogx_archives": CogxArchiveIOManager(base_directory=str(tmp_path / "archives")),
            },
            raise_on_error=False,
        )

    def counts(result: dg.ExecuteInProcessResult) -> tuple[int, int]:
        found = metadata_of(result, "cognified_graph")["cognee/documents"]
        return found["gone"], found["forgotten"]

    assert counts(look("forget")) == (0, 0)
    assert {"bob", "globex", "alice", "acme"} <= names(config)
    texts = set(chunks(config))
    (folder / "left.md").unlink()
    assert counts(look("keep")) == (1, 0)
    refused = look("fail")
    assert not refused.success
    assert "documents_removed is fail" in failure_of(refused, "cognified_graph")[0]
    assert {"alice", "acme"} <= names(config)
    assert counts(look("forget", max_removed=0.5)) == (1, 1)
    found = names(config)
    assert {"bob", "globex"} <= found
    assert not {"alice", "acme"} & found
    assert len(texts) == 2
    assert set(chunks(config)) == {text for text in texts if "Alice" not in text}


def chunks(config: LocalCogneeConfig) -> list[str]:
    with open_dataset("notes", config=config) as reader:
        rows = [row for batch in reader.nodes() for row in batch.to_pylist()]
    return [json.loads(row["properties"])["text"] for row in rows if row["type"] == "DocumentChunk"]


def test_a_model_that_refuses_the_key_is_an_error_with_the_reason_and_without_the_key(
    real_cognee: None, tmp_path: Path
) -> None:
    document = tmp_path / "a.md"
    document.write_text("Alice works for Acme.")
    with refusing_model() as url:
        model = {"LLM_PROVIDER": "custom", "LLM_MODEL": MODEL, "LLM_ENDPOINT": url, "LLM_API_KEY": "sk-marker-value"}
        environ = local_environment(tmp_path / "store", environ={**os.environ, **model})
        with pytest.raises(LocalCogneeError, match=r"Cognee failed on dataset 'notes'.*Incorrect API key") as caught:
            add_documents("notes", [document], config=LocalCogneeConfig(environ=environ))
    assert "sk-marker-value" not in str(caught.value)


def test_a_document_that_cognee_does_not_take_as_one_is_named(real_cognee: None, tmp_path: Path) -> None:
    """Outside the allowed directories Cognee 1.6.5 stores the path's text in place of the file's."""
    document = tmp_path / "a.md"
    document.write_text("Alice works for Acme.")
    environ = {**local_environment(tmp_path / "store"), "COGNEE_ALLOWED_LOCAL_FILE_ROOTS": str(tmp_path / "elsewhere")}
    with pytest.raises(LocalCogneeError, match=r"a\.md.*COGNEE_ALLOWED_LOCAL_FILE_ROOTS"):
        add_documents("notes", [document], config=LocalCogneeConfig(environ=environ))


@contextmanager
def refusing_model() -> Iterator[str]:
    """An OpenAI-compatible endpoint that knows no key and repeats the one it was sent."""

    class RequestHandler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            key = self.headers["Authorization"].removeprefix("Bearer ")
            answer = json.dumps({"error": {"message": f"Incorrect API key provided: {key}", "code": "invalid_api_key"}})
            self.send_response(401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), RequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
