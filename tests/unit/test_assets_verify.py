"""A finished import is held against what was sent, as thoroughly as the dataset asks for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asset_chain import Chain, checks, materialized
from tests.fake_remote import FakeRemote


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    with FakeRemote() as server:
        yield server


def lose_a_node(remote: FakeRemote, monkeypatch: pytest.MonkeyPatch) -> None:
    """A remote that says all is well, and shows a graph with a gap."""
    from tests.fake_remote.graph import Graph

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
