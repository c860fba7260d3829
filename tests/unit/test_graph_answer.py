"""A graph that is taken in part by part is the graph that the whole answer holds, whatever stands in its strings."""

import json
import tracemalloc
from collections.abc import Iterable
from itertools import repeat
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cognee_dagster.remote import graph_answer
from cognee_dagster.remote.graph_answer import GraphAnswer
from cognee_dagster.remote.kept_rows import HeldRows
from cognee_dagster.remote.remote_graph import RemoteGraph

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["},{", '"},{"', "],", '],"edges":[', '{"nodes":[', "\\", '\\"', "]}", "\u0000"]
)
VALUES = st.recursive(
    TEXT | st.integers(-(2**40), 2**40) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT | st.just("edges"), inner, max_size=3),
    max_leaves=6,
)
NODES = st.lists(
    st.fixed_dictionaries(
        {"id": st.text("abc", min_size=1, max_size=3), "label": TEXT, "type": TEXT},
        optional={"properties": st.dictionaries(TEXT | st.just("edges"), VALUES, max_size=3)},
    ),
    max_size=8,
)
EDGES = st.lists(
    st.fixed_dictionaries(
        {"source": st.text("abc", min_size=1, max_size=2), "target": st.text("abc", min_size=1), "label": TEXT}
    ),
    max_size=8,
)


def taken(body: bytes, *, parts: int) -> RemoteGraph:
    answer = GraphAnswer(HeldRows(), max_values=500_000)
    for begin in range(0, len(body), parts):
        answer.take(body[begin : begin + parts])
    answer.end()
    return answer.rows.graph(skipped=answer.skipped, problem=answer.problem)


@settings(max_examples=300, deadline=None)
@given(nodes=NODES, edges=EDGES, parts=st.integers(1, 200), batch=st.integers(1, 200), spaced=st.booleans())
def test_what_is_taken_part_by_part_is_what_the_whole_holds(
    nodes: list[dict[str, Any]], edges: list[dict[str, Any]], parts: int, batch: int, spaced: bool
) -> None:
    text = json.dumps({"nodes": nodes, "edges": edges}, separators=None if spaced else (",", ":"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(graph_answer, "_BATCH_BYTES", batch)
        graph = taken(text.encode(), parts=parts)
    assert [(node.id, node.label, node.type, node.properties) for node in graph.nodes] == [
        (node["id"], node["label"], node["type"], node.get("properties", {})) for node in nodes
    ]
    assert [edge._asdict() for edge in graph.edges] == edges
    assert graph.skipped == 0


@pytest.mark.parametrize("row", [b"{}", b"1", b'{"id":7}', b'{"id":""}', b"[{},{}]", b'{"id":"\xff"}'])
def test_rows_that_make_no_sense_cost_themselves_only(row: bytes) -> None:
    rows = b",".join([row, b'{"id":"a","label":7,"type":null,"properties":{"x":1}}'] * 20_000)
    graph = taken(b'{"nodes":[' + rows + b'],"edges":[]}', parts=65_536)
    assert (len(graph.nodes), graph.skipped) == (20_000, 20_000)
    assert (graph.nodes[-1].label, graph.nodes[-1].type, graph.nodes[-1].properties) == ("", "", {"x": 1})


@pytest.mark.parametrize("gone", [1, 2, 40])
def test_half_an_answer_is_no_graph(gone: int) -> None:
    rows = b",".join(b'{"id":"a"}' for _ in range(60_000))
    with pytest.raises(msgspec.DecodeError):
        taken((b'{"nodes":[' + rows + b'],"edges":[]}')[:-gone], parts=65_536)


def pour(answer: GraphAnswer[HeldRows], parts: Iterable[bytes]) -> None:
    for part in parts:
        answer.take(part)


FLOODS = {
    "one string": b"x" * 65_536,
    "lists": b"[]," * 20_000,
    "rows that are none": b"{ },\n{ },\n" * 8_000,
    "ends of rows in a string": b"},{" * 20_000,
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_without_rows_ends_at_the_largest_row(flood: str) -> None:
    answer = GraphAnswer(HeldRows(), max_values=500_000)
    answer.take(b'{"nodes":[{"id":"' if "string" in flood else b'{"nodes":[')
    with pytest.raises(ValueError, match=r"no rows of a graph|cannot be told apart"):
        pour(answer, repeat(FLOODS[flood]))


@pytest.mark.parametrize("begin", [b'{"nodes":[{"id":"', b'{"nodes":[{"id":"a","properties":{"p":['])
def test_a_flood_of_what_looks_like_the_begin_of_the_edges_takes_no_memory_of_its_own(begin: bytes) -> None:
    flood, answer = b'],"edges":[' * 6_000, GraphAnswer(HeldRows(), max_values=500_000)
    answer.take(begin)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="no rows of a graph"):
            pour(answer, repeat(flood))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * graph_answer.MAX_ROW_BYTES


def test_short_rows_among_which_no_end_is_found_are_not_decoded_all_at_once() -> None:
    rows, decoy = b'{"id":"1"},' * 80_000, b'{"id":"1","label":"' + b"},{" * 2_000 + b'"},'
    answer = GraphAnswer(HeldRows(), max_values=500_000)
    answer.take(b'{"nodes":[')
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="rows whose ends cannot be told apart"):
            pour(answer, repeat(rows + decoy, 40))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * graph_answer.MAX_ROW_BYTES


SHAPES = {
    "shortest nodes": b'{"id":"%x"},',
    "as Cognee sends them": b'{"id":"11111111-2222-5333-8444-%012x","label":"Ada","type":"E","properties":{"a":1}},',
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_graph_is_refused_before_it_takes_more_memory_than_it_may(shape: str) -> None:
    allowed, answer = 8 * 2**20, GraphAnswer(HeldRows(max_bytes=8 * 2**20), max_values=500_000)
    tracemalloc.start()
    try:
        answer.take(b'{"nodes":[')
        with pytest.raises(ValueError, match="takes more than 8,388,608 bytes of memory"):
            pour(answer, (SHAPES[shape] % number for number in range(100_000)))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert allowed / 3 < held < 1.3 * allowed
