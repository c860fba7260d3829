"""``remote_in_sync``: whether the remote still is what was last pushed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.graph import Graph
from tests.asset_chain import NO_RETRY, Chain, checks, people


@pytest.fixture
def chain(remote: FakeRemote, tmp_path: Path) -> Chain:
    options = {"sync": "incremental", "max_removed": 1.0, "retry_policy": NO_RETRY}
    return Chain(remote=remote, directory=tmp_path, graph=people(size=5), options=options)


def asked(chain: Chain) -> tuple[bool, str, dict[str, Any]]:
    evaluation = chain.check("remote_in_sync")
    metadata = {key: value.value for key, value in evaluation.metadata.items()}
    return evaluation.passed, str(evaluation.description), metadata


def graph_of(remote: FakeRemote) -> Graph:
    return remote.graph("people")


def make_archive(chain: Chain) -> None:
    """Everything but the push."""
    selection = dg.AssetSelection.keys(chain.dataset.archive_key).upstream()
    made = dg.materialize(
        chain.assets, resources=chain.resources, instance=chain.instance, selection=selection, raise_on_error=False
    )
    assert made.success


def test_a_mirror_that_is_exact_passes_and_says_what_was_not_compared(chain: Chain) -> None:
    assert chain.run().success
    passed, said, metadata = asked(chain)
    assert (passed, "is exactly what was last pushed" in said) == (True, True)
    assert metadata["cognee/num_differences"] == 0
    assert "vectors" in metadata["cognee/not_compared"]


@pytest.mark.parametrize("change", ["missing node", "extra node", "missing edge", "extra edge", "changed node"])
def test_each_change_behind_a_mirrors_back_fails_and_is_named(remote: FakeRemote, chain: Chain, change: str) -> None:
    assert chain.run().success
    graph = graph_of(remote)
    what, kind = change.split()
    node_id, node = next(iter(graph.nodes.items()))
    edge = next(iter(graph.edges))
    name = f"{node_id} {node.name}"
    if change == "missing node":
        del graph.nodes[node_id]
    elif change == "extra node":
        other = "33333333-3333-5333-8333-333333333333"
        graph.nodes[other] = replace(node, name="Somebody")
        name = f"{other} Somebody"
    elif change == "missing edge":
        del graph.edges[edge]
        name = f"{' '.join(edge)} (Person 0 knows Person 1)"
    elif change == "extra edge":
        graph.edges[edge[2], "likes", edge[0]] = {}
        name = f"{edge[2]} likes {edge[0]} (Person 1 likes Person 0)"
    else:
        graph.nodes[node_id] = replace(node, properties={**node.properties, "description": "Another."})
        name = f"{node_id} {node.name} (description)"
    passed, said, metadata = asked(chain)
    assert (passed, metadata["cognee/num_differences"]) == (False, 1)
    assert f"1 {kind} " in said
    assert name in said
    assert f"Launch remote_push with `{'adopt' if what == 'extra' else 'resend'}: true` in its config" in said
    (record,) = metadata["cognee/differences"].records
    assert record.data == {"kind": kind, "difference": what, "count": 1, "examples": name}


def test_documents_that_are_gone_or_there_besides_are_named(remote: FakeRemote, chain: Chain) -> None:
    chain.graph.add_node("chunk", name="", type="DocumentChunk", text="Ada leads.")
    assert chain.run().success
    documents = remote.dataset("people").documents
    (key, document), *others = documents.items()
    assert others == []
    documents["another"] = replace(document, id="another", external_id="another", external_system="cognee")
    del documents[key]
    passed, said, metadata = asked(chain)
    assert not passed
    assert "1 document missing on the remote" in said
    assert "1 document on the remote only, such as another" in said
    assert metadata["cognee/num_differences"] == 2


def test_a_document_that_is_there_twice_is_one_too_many(remote: FakeRemote, chain: Chain) -> None:
    """``cognee.push()`` brings it under its plain id, whatever is there under the dataset's own."""
    chain.graph.add_node("chunk", name="", type="DocumentChunk", text="Ada leads.")
    assert chain.run().success
    documents = remote.dataset("people").documents
    (ours,) = documents.values()
    plain = str(ours.external_id).rpartition(":")[2]
    documents["twin"] = replace(ours, id="twin", external_id=plain)
    passed, said, metadata = asked(chain)
    assert (passed, metadata["cognee/num_differences"]) == (False, 1)
    assert f"1 document on the remote only, such as {plain}" in said


def test_where_rows_of_the_remote_graph_make_no_sense_nothing_is_known(
    remote: FakeRemote, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chain.run().success
    shown = Graph.shown

    def with_nonsense(self: Graph) -> dict[str, list[dict[str, object]]]:
        graph = shown(self)
        return {**graph, "nodes": [*graph["nodes"], {"label": "Nobody"}]}

    monkeypatch.setattr(Graph, "shown", with_nonsense)
    assert "1 row of the remote graph makes no sense" in warned(chain)


def test_after_a_full_push_more_is_right_and_less_is_not(remote: FakeRemote, chain: Chain) -> None:
    chain.options = {"retry_policy": NO_RETRY}
    assert chain.run().success
    chain.graph.remove_node("p4")
    assert chain.run().success
    passed, said, metadata = asked(chain)
    assert (passed, "has all of what was last pushed" in said) == (True, True)
    assert "1 node on the remote only" in metadata["cognee/remarks"]
    del graph_of(remote).nodes[next(iter(graph_of(remote).nodes))]
    passed, said, _ = asked(chain)
    assert (passed, said.endswith("Push again.")) == (False, True)


def test_it_compares_with_what_was_pushed_whichever_archives_were_made_since(chain: Chain) -> None:
    assert chain.run().success
    chain.graph.remove_node("p4")
    make_archive(chain)
    assert asked(chain)[:1] == (True,)


def test_a_run_of_the_chain_does_not_read_the_remote_back(chain: Chain) -> None:
    assert "remote_in_sync" not in checks(chain.run())


def test_what_cannot_be_asked_is_a_warning_with_the_reason_and_never_a_pass(
    remote: FakeRemote, chain: Chain, tmp_path: Path
) -> None:
    assert "Nothing was pushed yet" in warned(chain)
    assert chain.run().success
    chain.graph.remove_node("p4")
    make_archive(chain)
    for blob in set((tmp_path / "archives").rglob("*.cogx.tar.gz")):
        blob.unlink()
    assert "is not stored any more" in warned(chain)
    assert chain.run().success
    remote.kill()
    assert "could not be asked" in warned(chain)


def warned(chain: Chain) -> str:
    evaluation = chain.check("remote_in_sync")
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    return str(evaluation.description)


def test_an_import_that_is_under_way_is_a_warning(remote: FakeRemote, chain: Chain) -> None:
    chain.options = {"run_in_background": True, "retry_policy": NO_RETRY}
    with remote.hold_imports():
        assert chain.run().success
        assert "still under way" in warned(chain)


def test_a_dataset_that_is_gone_fails(remote: FakeRemote, chain: Chain) -> None:
    assert chain.run().success
    remote.state.datasets.clear()
    passed, said, _ = asked(chain)
    assert (passed, "has no dataset 'people'" in said) == (False, True)
