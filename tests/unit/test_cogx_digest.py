"""The content digest: equal for equal content, different for any other."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cognee_dagster.cogx.write.tally import summarize
from cognee_dagster.graph.reader import GraphOrigin
from tests.cogx_graphs import ID_A, ID_B, ID_C, EdgeRow, MemoryReader, NodeRow, demo_reader

NODES: list[NodeRow] = [
    (ID_A, "a", "X", '{"k": [1, {"x": 1, "y": 2}], "text": "t", "created_at": 1}'),
    (ID_B, "b", "Entity", '{"description": "d", "created_at": 2, "updated_at": 3}'),
    (ID_C, "c", "DocumentChunk", '{"text": "c"}'),
]
EDGES: list[EdgeRow] = [(ID_A, ID_B, "r", '{"edge_text": "e"}'), (ID_B, ID_C, "s", None), (ID_A, ID_C, "r", None)]


def digest(nodes: Sequence[NodeRow], edges: Sequence[EdgeRow], **options: Any) -> str:
    return summarize(MemoryReader(nodes, edges, **options)).digest


@given(nodes=st.permutations(NODES), edges=st.permutations(EDGES), batch_rows=st.integers(1, 4))
def test_digest_does_not_depend_on_order_or_batches(
    nodes: list[NodeRow], edges: list[EdgeRow], batch_rows: int
) -> None:
    assert digest(nodes, edges, batch_rows=batch_rows) == digest(NODES, EDGES)


def test_digest_does_not_depend_on_key_order_spelling_or_which_column_says_it() -> None:
    def spelled(row: NodeRow) -> NodeRow:
        values = {"name": row[1], "type": row[2], **json.loads(row[3] or "{}")}
        return row[0], "overridden", None, json.dumps(dict(reversed(values.items())), indent=1)

    assert digest([spelled(row) for row in NODES], EDGES) == digest(NODES, EDGES)
    assert digest([(ID_A, "a", "X", '{"k": "é/"}')], []) == digest([(ID_A, "a", "X", '{"k": "\\u00e9\\/"}')], [])


def test_digest_does_not_see_when_the_store_was_written() -> None:
    later = [(*row[:3], (row[3] or "").replace('"created_at": ', '"created_at": 77')) for row in NODES]
    assert digest(later, EDGES) == digest(NODES, EDGES)


def test_digest_sees_every_change_of_content() -> None:
    changes: list[tuple[list[NodeRow], list[EdgeRow]]] = [
        (NODES, EDGES),
        (NODES[:2], EDGES),
        (NODES, EDGES[:2]),
        (NODES, [*EDGES, EDGES[0]]),
        ([*NODES, NODES[0]], EDGES),
        ([(ID_A, "a", "X", '{"k": [1, {"x": 1, "y": 3}], "text": "t"}'), *NODES[1:]], EDGES),
        ([NODES[0], (ID_B, "b", "Entity", '{"description": "other"}'), NODES[2]], EDGES),
        ([(ID_A, "a", "X", '{"k": NaN}'), *NODES[1:]], EDGES),
        ([(ID_A, "a", "X", '{"k": null}'), *NODES[1:]], EDGES),
        ([(ID_A, "a", "X", '{"k": 18446744073709551616}'), *NODES[1:]], EDGES),
        ([(ID_A, "a", "X", '{"k": 1.8446744073709552e19}'), *NODES[1:]], EDGES),
        (NODES, [(ID_B, ID_A, "r", '{"edge_text": "e"}'), *EDGES[1:]]),
        (NODES, [(ID_A, ID_B, "r", '{"edge_text": "f"}'), *EDGES[1:]]),
        (NODES, [(ID_A, ID_B, "r", '{"edge_text": "e", "valid_at": 5}'), *EDGES[1:]]),
    ]
    digests = [digest(nodes, edges) for nodes, edges in changes]
    assert len(set(digests)) == len(digests)


def test_summary_counts_types_relationships_and_dangling_edges() -> None:
    origin = GraphOrigin(dataset_name="d", endpoints_guaranteed=False)
    reader = MemoryReader(NODES[:2], [*EDGES, (ID_B, ID_A, "s", None)], origin=origin, batch_rows=1)
    summary = summarize(reader)
    assert (summary.num_nodes, summary.num_edges) == (2, 4)
    assert summary.nodes_by_type == {"Entity": 1, "X": 1}
    assert summary.edges_by_relationship == {"r": 2, "s": 2}
    assert summary.dangling_edges == 2
    assert summary.dangling_examples == (f"{ID_B} -[s]-> {ID_C}", f"{ID_A} -[r]-> {ID_C}")


def test_digest_is_stable_across_releases() -> None:
    """Stored data versions must stay valid: a change of this value makes every dataset look changed."""
    assert summarize(demo_reader()).digest == "a71769b844bbd9d2798bfd701eddd7f0"
