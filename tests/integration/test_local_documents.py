"""Documents become a graph through real Cognee: new ones are added, changed ones replaced, others left alone."""

import shutil
from pathlib import Path

import pytest

from cognee_dagster.errors import LocalCogneeError
from cognee_dagster.graph.cognee import LocalCogneeConfig, open_dataset
from cognee_dagster.graph.worker import add_documents
from cognee_dagster.sandbox import LLMStandIn, local_environment


@pytest.fixture
def config(real_cognee: None, llm_stand_in: LLMStandIn, tmp_path: Path) -> LocalCogneeConfig:
    return LocalCogneeConfig(environ=local_environment(tmp_path / "store", llm_url=llm_stand_in.url))


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


def test_what_cognee_refuses_is_an_error_with_its_reason_and_no_key(config: LocalCogneeConfig, tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("Alice works for Acme.")
    environ = {**config.environ, "LLM_PROVIDER": "no-such-provider", "LLM_API_KEY": "sk-marker-value"}
    with pytest.raises(LocalCogneeError, match=r"Cognee failed on dataset 'notes'") as caught:
        add_documents("notes", [document], config=LocalCogneeConfig(environ=environ))
    assert "sk-marker-value" not in str(caught.value)
