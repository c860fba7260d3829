"""A finished import is held against what was sent, as thoroughly as the dataset asks for."""

from pathlib import Path

import dagster as dg
import pytest

from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import answer
from tests.asset_chain import NO_RETRY, Chain, attempts, checks, failure_of, materialized, metadata_of, people
from tests.cogx_graphs import ID_A, ID_B, MemoryReader
from tests.pushes import client_of
from tests.unit.test_delivery import import_outcomes, wait_until


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
        assert "1 node is missing on the remote, such as" in str(check.description)


def test_a_complete_graph_passes_when_it_is_read_back(remote: FakeRemote, tmp_path: Path) -> None:
    result = Chain(remote=remote, directory=tmp_path, options={"verify": "graph"}).run()
    assert checks(result)["remote_import_succeeded"].passed


@pytest.mark.parametrize("sync", ["full", "incremental"])
def test_a_graph_that_cannot_be_read_back_is_a_warning_about_an_import_that_has_finished(
    remote: FakeRemote, tmp_path: Path, sync: str
) -> None:
    options = {"verify": "graph", "fail_on_incomplete": True, "sync": sync, "retry_policy": NO_RETRY}
    chain = Chain(remote=remote, directory=tmp_path, options=options)
    remote.faults.always(r"/api/v1/datasets/.*/graph", answer(500, "x"))
    result = chain.run()
    assert result.success
    assert materialized(result)[-2:] == ["remote_push", "remote_graph"]
    assert checks(result)["remote_import_succeeded"].passed
    not_compared = checks(result)["remote_graph_complete"]
    assert (not_compared.passed, not_compared.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "is not known; the import has finished." in str(not_compared.description)


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
    assert "1 node is missing" in str(gap.description)


def test_the_check_says_when_the_remote_has_no_such_dataset(remote: FakeRemote, tmp_path: Path) -> None:
    chain = Chain(remote=remote, directory=tmp_path, options={"verify": "graph"})
    assert chain.run().success
    with client_of(remote.url, remote.api_key) as client:
        client.delete_dataset(remote.dataset("people").id)
    assert "has no dataset 'people'" in str(chain.check("remote_graph_complete").description)


def test_the_check_compares_with_what_was_pushed_whichever_archives_were_made_since(
    remote: FakeRemote, tmp_path: Path
) -> None:
    chain = Chain(remote=remote, directory=tmp_path, options={"verify": "graph"})
    assert chain.run().success
    chain.graph = people(size=5)
    assert chain.run("my_graph", "cognified_graph", "cogx_archive").success
    assert chain.check("remote_graph_complete").passed
    remote.graph("people").nodes.clear()
    assert "3 nodes are missing" in str(chain.check("remote_graph_complete").description)


def test_the_check_does_not_know_about_an_archive_that_is_not_stored_any_more(
    remote: FakeRemote, tmp_path: Path
) -> None:
    chain = Chain(remote=remote, directory=tmp_path, options={"verify": "graph"})
    assert chain.run().success
    for found in set((tmp_path / "archives").rglob("*.cogx.tar.gz")):
        found.unlink()
    evaluation = chain.check("remote_graph_complete")
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "is not stored any more" in str(evaluation.description)


def not_known(chain: Chain) -> str:
    evaluation = chain.check("remote_graph_complete")
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    return str(evaluation.description)


def test_the_check_says_nothing_of_another_remote_than_was_pushed_to(remote: FakeRemote, tmp_path: Path) -> None:
    chain = Chain(remote=remote, directory=tmp_path, options={"verify": "graph"})
    assert chain.run().success
    with FakeRemote() as another:
        chain.remote = another
        assert f"The latest push went to {remote.url}, and the remote is now {another.url}" in not_known(chain)


def test_the_check_says_nothing_while_the_import_is_under_way(remote: FakeRemote, tmp_path: Path) -> None:
    chain = Chain(remote=remote, directory=tmp_path, options={"verify": "graph", "run_in_background": True})
    with remote.hold_imports():
        assert chain.run().success
        assert "still under way" in not_known(chain)


def test_the_check_says_nothing_of_a_graph_that_the_remote_made_itself(remote: FakeRemote, tmp_path: Path) -> None:
    remote.pace.llm_works = True
    chain = Chain(remote=remote, directory=tmp_path, options={"verify": "graph", "sync": None})
    assert chain.run(config={"mode": "re-derive"}).success
    assert "in mode re-derive" in not_known(chain)


@pytest.mark.parametrize("fail_on_incomplete", [False, True])
def test_a_push_that_lacks_something_fails_its_step_where_that_is_wanted(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail_on_incomplete: bool
) -> None:
    lose_a_node(remote, monkeypatch)
    options = {"verify": "graph", "fail_on_incomplete": fail_on_incomplete}
    result = Chain(remote=remote, directory=tmp_path, options=options).run()
    assert result.success is not fail_on_incomplete
    assert not checks(result)["remote_import_succeeded"].passed
    assert attempts(result, "remote_push") == 1
    if fail_on_incomplete:
        said = failure_of(result, "remote_push")[0]
        assert said.startswith(f"'people' on {remote.url} is incomplete: 1 node is missing")


def test_what_the_remote_has_besides_is_told_and_no_failure(remote: FakeRemote, tmp_path: Path) -> None:
    chain = Chain(remote=remote, directory=tmp_path, options={"verify": "graph"})
    chain.graph = people(size=4)
    assert chain.run().success
    chain.graph = people(size=3)
    check = checks(chain.run())["remote_import_succeeded"]
    assert check.passed
    assert "1 node is on the remote only, such as" in str(check.metadata["cognee/remarks"].value)


def test_the_remote_graph_has_as_many_edges_as_are_there(remote: FakeRemote, tmp_path: Path) -> None:
    """Of edges with the same ends and the same name a server keeps one."""
    edges = [(ID_A, ID_B, "knows", "{}")] * 3
    nodes = [(ID_A, "Ada", "Entity", "{}"), (ID_B, "Bob", "Entity", "{}")]
    write_archive(MemoryReader(nodes, edges), tmp_path / "twice.cogx.tar.gz")
    result = Chain(remote=remote, directory=tmp_path, options={"graph": str(tmp_path / "twice.cogx.tar.gz")}).run()
    assert metadata_of(result, "remote_push")["num_edges"] == 3
    assert metadata_of(result, "remote_graph")["num_edges"] == len(remote.graph("people").edges) == 1
