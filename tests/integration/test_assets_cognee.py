"""The chain of assets over real local Cognee datasets."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import dagster as dg
import pytest

from cognee_dagster import CogneeDataset, CogneeRemote, CogxArchiveIOManager, LocalCognee, build_dataset_assets
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import attempts, checks, failure_of, materialized, metadata_of
from tests.conftest import HANDBOOK, LocalStore

STEPS = ["cognified_graph", "cogx_archive", "remote_push"]


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    with FakeRemote() as server:
        yield server


def run(
    dataset: CogneeDataset, *, store: LocalStore, remote: FakeRemote, directory: Path, steps: list[str] | None = None
) -> dg.ExecuteInProcessResult:
    keys = [dg.AssetKey([dataset.segment, step]) for step in steps or STEPS]
    return dg.materialize(
        build_dataset_assets(dataset),
        selection=dg.AssetSelection.assets(*keys),
        instance=dg.DagsterInstance.ephemeral(),
        raise_on_error=False,
        resources={
            "cognee_remote": CogneeRemote(url=remote.url, api_key=remote.api_key),
            "local_cognee": LocalCognee(environment=store.environ),
            "cogx_archives": CogxArchiveIOManager(base_directory=str(directory / "archives")),
        },
    )


def test_a_dataset_of_the_local_cognee_arrives(demo_store: LocalStore, remote: FakeRemote, tmp_path: Path) -> None:
    result = run(CogneeDataset(name="demo"), store=demo_store, remote=remote, directory=tmp_path)
    assert result.success
    graph = metadata_of(result, "cognified_graph")
    assert (graph["num_nodes"], graph["num_edges"], graph["cognee/read_through"]) == (47, 86, "files")
    assert (len(remote.graph("demo").nodes), len(remote.graph("demo").edges)) == (47, 86)
    assert all(evaluation.passed for evaluation in checks(result).values())


def test_a_uuid_pushes_to_the_datasets_name(demo_store: LocalStore, remote: FakeRemote, tmp_path: Path) -> None:
    by_name = run(
        CogneeDataset(name="demo"), store=demo_store, remote=remote, directory=tmp_path, steps=["cognified_graph"]
    )
    dataset_id = metadata_of(by_name, "cognified_graph")["cognee/dataset_id"]
    for name in (UUID(dataset_id), dataset_id):
        result = run(CogneeDataset(name=name), store=demo_store, remote=remote, directory=tmp_path)
        assert metadata_of(result, "remote_push")["target_dataset"] == "demo"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"name": "nope"}, "DatasetNotFoundError"),
        ({"name": "demo", "user": "stranger@example.com"}, "DatasetPermissionError"),
    ],
)
def test_a_dataset_that_cannot_be_read_is_refused_once(
    demo_store: LocalStore, remote: FakeRemote, tmp_path: Path, options: dict[str, Any], error: str
) -> None:
    result = run(CogneeDataset(**options), store=demo_store, remote=remote, directory=tmp_path)
    message, metadata = failure_of(result, "cognified_graph")
    assert metadata["cognee/error"] == error
    assert options.get("user", options["name"]) in message
    assert attempts(result, "cognified_graph") == 1
    assert materialized(result) == []


@pytest.mark.timeout(900)
def test_documents_are_added_and_cognified_before_the_graph_is_read(
    handbook_store: LocalStore, remote: FakeRemote, tmp_path: Path
) -> None:
    """Only what is new: the store holds the handbook already, and gets one page more."""
    store = handbook_store.copy_to(tmp_path / "store")
    shutil.copytree(HANDBOOK, tmp_path / "pages")
    dataset = CogneeDataset(name="handbook", documents=[str(HANDBOOK / "*.md")])
    unchanged = metadata_of(run(dataset, store=store, remote=remote, directory=tmp_path), "cognified_graph")
    assert unchanged["cognee/documents"]["added"] == 0
    assert not unchanged["cognee/documents"]["cognified"]

    page = tmp_path / "pages" / "zeppelins.md"
    page.write_text("# Zeppelins\n\nCount Zeppelin founded Luftschiffbau in Friedrichshafen.\n")
    dataset = CogneeDataset(name="handbook", documents=[str(HANDBOOK / "*.md"), str(page)])
    result = run(dataset, store=store, remote=remote, directory=tmp_path)
    extended = metadata_of(result, "cognified_graph")
    assert extended["cognee/documents"]["added"] == 1
    assert extended["cognee/documents"]["cognified"]
    assert extended["num_nodes"] > unchanged["num_nodes"]
    assert len(remote.graph("handbook").nodes) == extended["num_nodes"]
