"""What was sent against what the remote has."""

from pathlib import Path

import pytest

from cognee_dagster.pushing.verification import compare_graph, count_problems
from cognee_dagster.remote.responses import RemoteEdge, RemoteGraph, RemoteNode
from tests.cogx_graphs import ID_A, ID_B, ID_C
from tests.pushes import demo_archive

NODES = tuple(RemoteNode(node_id, "", "Entity", {}) for node_id in (ID_A, ID_B, ID_C))
EDGES = (RemoteEdge(ID_A, ID_B, "contains"), RemoteEdge(ID_B, ID_C, "is_a"))


def answer(**item: object) -> dict[str, object]:
    counts = {"document": 1, "entity": 1, "raw_node": 2, "fact": 2}
    return {"items": [{"kind": "migration_import", "record_counts": counts, "skipped_facts": 0, **item}]}


def test_a_complete_import_has_no_problems(tmp_path: Path) -> None:
    archive = demo_archive(tmp_path)
    assert count_problems([archive], answer()) == []
    assert compare_graph([archive], RemoteGraph(NODES, EDGES)).problems == []


def test_a_remote_that_has_more_is_right(tmp_path: Path) -> None:
    more = RemoteGraph((*NODES, RemoteNode("x", "", "Entity", {})), (*EDGES, RemoteEdge(ID_A, "x", "knows")))
    assert compare_graph([demo_archive(tmp_path)], more).problems == []


def test_dropped_facts_and_unread_records_are_told(tmp_path: Path) -> None:
    archive = demo_archive(tmp_path)
    assert "dropped 1 of 2 facts" in count_problems([archive], answer(skipped_facts=1))[0]
    assert (
        "read 0 of 1 entity records" in count_problems([archive], answer(record_counts={"document": 1, "fact": 2}))[0]
    )


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (RemoteGraph(NODES[1:], EDGES), f"1 nodes are missing on the remote, such as {ID_A}"),
        (RemoteGraph(NODES, EDGES[1:]), f"1 edges are missing on the remote, such as {ID_A} contains {ID_B}"),
        (RemoteGraph(NODES, (RemoteEdge(ID_A, ID_B, "has"), EDGES[1])), "1 edges are missing"),
    ],
    ids=["node", "edge", "relationship"],
)
def test_what_is_missing_is_told_with_examples(graph: RemoteGraph, words: str, tmp_path: Path) -> None:
    (problem,) = compare_graph([demo_archive(tmp_path)], graph).problems
    assert words in problem


def test_an_answer_that_was_not_waited_for_has_no_counts_to_compare(tmp_path: Path) -> None:
    assert count_problems([demo_archive(tmp_path)], answer(record_counts={})) == []
