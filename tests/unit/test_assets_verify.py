"""A finished import is held against what was sent, as thoroughly as the dataset asks for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cognee_dagster.testing import FakeRemote
from tests.asset_chain import Chain, checks, materialized
from tests.pushes import client_of
from tests.unit.test_delivery import import_outcomes, wait_until


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    with FakeRemote() as server:
        yield server


def lose_a_node(remote: FakeRemote, monkeypatch: pytest.MonkeyPatch) -> None:
    """A remote that says all is well, and shows a graph with a gap."""
    from cognee_dagster.testing.graph import Graph

    shown = Graph.shown

    def gapped(self: Graph) -> dict[str, list[dict[str, object]]]:
        graph = shown(self)
        return {**graph, "nodes": graph["nodes"][1:]}

    monkeypatch.setattr(Graph, "shown", gapped)


@pytest.mark.parametrize(("verify", "passes"), [("graph", False), ("counts", True), ("off", True)])
def test_a_gap_in_the_remote_graph_is_found_by_reading_it_back(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verify: str, passes: bool
) -> None:
    lose_a_node(remote, monkeypatch)
    result = Chain(remote=remote, directory=tmp_path, options={"verify": verify}).run()
    assert result.success
    check = checks(result)["remote_import_succeeded"]
    assert check.passed is passes
    assert ("remote_graph" in materialized(result)) is passes
    if not passes:
        assert "1 nodes are missing on the remote, such as" in str(check.description)


def test_a_complete_graph_passes_when_it_is_read_back(remote: FakeRemote, tmp_path: Path) -> None:
    result = Chain(remote=remote, directory=tmp_path, options={"verify": "graph"}).run()
    assert checks(result)["remote_import_succeeded"].passed


def test_the_check_reads_the_graph_of_a_background_push_back(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = Chain(remote=remote, directory=tmp_path, options={"verify": "graph", "run_in_background": True})
    with remote.hold_imports():
        assert chain.run().success
    wait_until(lambda: "succeeded" in import_outcomes(remote).values())
    assert chain.check("remote_graph_complete").passed
    lose_a_node(remote, monkeypatch)
    gap = chain.check("remote_graph_complete")
    assert not gap.passed
    assert "1 nodes are missing" in str(gap.description)


def test_the_check_says_when_the_remote_has_no_such_dataset(remote: FakeRemote, tmp_path: Path) -> None:
    chain = Chain(remote=remote, directory=tmp_path, options={"verify": "graph"})
    assert chain.run().success
    with client_of(remote.url, remote.api_key) as client:
        client.delete_dataset(remote.dataset("people").id)
    assert "has no dataset 'people'" in str(chain.check("remote_graph_complete").description)
