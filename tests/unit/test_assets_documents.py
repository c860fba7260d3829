"""When a dataset's documents are added to the local Cognee, and what the run says of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from cognee_dagster import CogneeDataset, CogneeRemote, CogxArchiveIOManager, LocalCognee, build_dataset_assets
from cognee_dagster.graph.source import FoundGraph
from cognee_dagster.sources.cognee.documents import DocumentsReport
from tests.asset_chain import metadata_of
from tests.cogx_graphs import MemoryReader, demo_reader

DATASET = CogneeDataset(name="notes", documents=["*.md"])


@contextmanager
def _demo() -> Iterator[MemoryReader]:
    yield demo_reader()


@pytest.fixture
def adding(monkeypatch: pytest.MonkeyPatch) -> list[CogneeDataset]:
    """The datasets whose documents were added, each with 150 new ones; Cognee itself is left out."""
    asked: list[CogneeDataset] = []

    def add_documents(dataset: CogneeDataset, *_: object, **__: object) -> DocumentsReport:
        asked.append(dataset)
        added = tuple(Path(f"{number}.md") for number in range(150))
        return DocumentsReport(added=added, changed=(), unchanged=(), cognified=True, seconds=0.5)

    monkeypatch.setattr("cognee_dagster.dagster.steps.documents.add_documents", add_documents)
    monkeypatch.setattr("cognee_dagster.dagster.steps.documents.find_documents", lambda _: [])
    monkeypatch.setattr("cognee_dagster.dagster.steps.graph.find_graph", lambda *_, **__: FoundGraph(open=_demo))
    return asked


def run(selection: dg.AssetSelection, directory: Path, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        build_dataset_assets(DATASET),
        selection=selection,
        instance=instance,
        resources={
            "local_cognee": LocalCognee(),
            "cognee_remote": CogneeRemote(),
            "cogx_archives": CogxArchiveIOManager(base_directory=str(directory)),
        },
    )


def test_executing_a_check_alone_adds_no_documents(tmp_path: Path, adding: list[CogneeDataset]) -> None:
    check = dg.AssetSelection.checks(dg.AssetCheckKey(DATASET.graph_key, "graph_not_empty"))
    with dg.DagsterInstance.ephemeral() as instance:
        (evaluation,) = run(check, tmp_path, instance).get_asset_check_evaluations()
    assert evaluation.passed
    assert adding == []


def test_materializing_the_graph_adds_its_documents_and_names_a_hundred(
    tmp_path: Path, adding: list[CogneeDataset]
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(dg.AssetSelection.assets(DATASET.graph_key), tmp_path, instance)
        said = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert adding == [DATASET]
    counts = metadata_of(result, "cognified_graph")["cognee/documents"]
    assert counts == {
        "added": 150, "changed": 0, "unchanged": 0, "gone": 0, "forgotten": 0, "cognified": True, "seconds": 0.5,
    }  # fmt: skip
    assert [line for line in said if line.startswith("Document added: ")] == [
        f"Document added: {number}.md" for number in range(100)
    ]
