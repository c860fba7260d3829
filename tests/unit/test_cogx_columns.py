"""Encoding by the column gives the same bytes as row by row, or leaves the row to that."""

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cognee_dagster.cogx import fact_records
from cognee_dagster.cogx.ahead import map_ahead, pieces
from cognee_dagster.cogx.entity_columns import encode_entities
from cognee_dagster.cogx.fact_records import encode_edges
from cognee_dagster.cogx.json_columns import has_shape, object_shape, string_values
from cognee_dagster.cogx.node_records import encode_nodes
from cognee_dagster.graph.reader import NODE_SCHEMA
from tests.cogx_graphs import ID_A, ID_B, EdgeRow, MemoryReader, NodeRow

# Cognee 1.6.5's own properties of an entity and of an edge.
ENTITY: dict[str, Any] = {
    "created_at": 1795383137100,
    "updated_at": 1795383137000,
    "ontology_valid": False,
    "ontology_uri": None,
    "metadata": {"index_fields": ["name"], "identity_fields": ["name"]},
    "feedback_weight": 0.5,
    "description": "An open-source AI memory platform.",
    "relations": [],
}
EDGE: dict[str, Any] = {
    "relationship_name": "made_from",
    "source_system": "cognee",
    "edge_text": "This chunk is about an AI memory platform.",
    "feedback_weight": 0.5,
}
# What tends to break scanners: quotes, backslashes, keys inside of texts, and what needs an escape.
NASTY = st.lists(
    st.sampled_from(
        [
            *('"', "\\", ", ", ": ", "{", "}", "[", "edge_text", "description", '"edge_text": "', ', "description": "'),
            *("\n", "\x00", "é", "\u2028", "😀", "\x7f", "created_at", "a", " ", "/", "null"),
        ]
    ),
    max_size=8,
).map("".join)
TEXT = NASTY | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUE = TEXT | st.none() | st.integers() | st.floats(allow_nan=False) | st.lists(TEXT, max_size=2) | st.just({"a": "b"})


def spelled(values: dict[str, Any], *, compact: bool = False, ascii_only: bool = True) -> str:
    return json.dumps(values, separators=(",", ":") if compact else None, ensure_ascii=ascii_only)


def mixed(*defaults: dict[str, Any]) -> st.SearchStrategy[str]:
    """Usual properties with some values replaced, keys added and the order changed; some in another spelling."""
    keys = st.sampled_from([*{key for default in defaults for key in default}, "name", "type", "id", "valid_at"]) | TEXT
    changes = st.dictionaries(keys, VALUE, max_size=3)
    merged = st.tuples(st.sampled_from(defaults), changes, st.booleans()).map(
        lambda parts: {**parts[1], **parts[0]} if parts[2] else {**parts[0], **parts[1]}
    )
    return st.builds(spelled, merged, compact=st.integers(0, 9).map(lambda x: x == 0), ascii_only=st.booleans())


NODES = st.lists(st.tuples(st.just(ID_A) | TEXT, st.none() | TEXT, st.just("Entity"), mixed(ENTITY)), max_size=4)
EDGES = st.lists(st.tuples(st.just(ID_A) | TEXT, st.just(ID_B), st.just("r") | TEXT, mixed(EDGE)), max_size=4)


def nodes_batch(rows: list[NodeRow]) -> pa.RecordBatch:
    return next(MemoryReader(rows).nodes(), pa.RecordBatch.from_pylist([], schema=NODE_SCHEMA))


def outcome(encode: Any, *arguments: Any, **options: Any) -> Any:
    try:
        return encode(*arguments, **options)
    except ValueError as error:
        return str(error)


@settings(deadline=None, max_examples=300)
@given(rows=NODES)
def test_nodes_by_the_column_are_those_by_the_row(rows: list[NodeRow]) -> None:
    batch = nodes_batch(rows)
    fast, slow = outcome(encode_nodes, batch), outcome(encode_nodes, batch, with_labels=True)
    if isinstance(slow, str):
        assert fast == slow
        return
    assert (fast.entities, fast.raw_nodes, fast.documents) == (slow.entities, slow.raw_nodes, slow.documents)
    assert (fast.digest, fast.types) == (slow.digest, slow.types)


@settings(deadline=None, max_examples=300)
@given(rows=EDGES)
def test_edges_by_the_column_are_those_by_the_row(rows: list[EdgeRow]) -> None:
    for batch in MemoryReader([], rows).edges():
        columns = [column.to_pylist() for column in batch.columns]
        slow = [outcome(fact_records._fact, *row, labels=None) for row in zip(*columns, strict=True)]
        refused = [line for line in slow if isinstance(line, str)]
        fast = outcome(encode_edges, batch)
        assert fast == refused[0] if refused else fast.content == b"".join(line + b"\n" for line in slow)


def test_the_usual_shape_is_encoded_by_the_column_alone() -> None:
    """Or all of this would be for nothing: a change of Cognee's spelling must not go unnoticed."""
    batch = nodes_batch([(ID_A, "cognee", "Entity", json.dumps(ENTITY)), (ID_B, 'a "b"', "Entity", json.dumps(ENTITY))])
    assert encode_entities(batch).done.to_pylist() == [True, True]
    edges = next(MemoryReader([], [(ID_A, ID_B, "made_from", json.dumps(EDGE))]).edges())
    assert fact_records._regular_lines(edges).null_count == 0


@pytest.mark.parametrize(
    ("text", "regular"),
    [
        (json.dumps(ENTITY), True),
        (json.dumps({"a": ["x", 1], "b": -0.5, "c": '\\"\u2028'}), True),
        ("{}", True),
        ('{"a": 01}', False),
        ('{"a": "\\x"}', False),
        ('{"a": "\n"}', False),
        ('{"a": 1,}', False),
        ('{"a":1}', False),
        ('{"a": 1} ', False),
        ('{"a": {"b": 1}}', False),
        ('{"a": "b}', False),
        ("[]", False),
        ("", False),
        (None, False),
    ],
)
def test_only_the_usual_shape_is_regular(text: str | None, regular: bool) -> None:
    assert has_shape(pa.array([text], pa.string()), object_shape()).to_pylist() == [regular]


@pytest.mark.parametrize(
    ("key", "allowed"), [("valid", False), ("v", True), ("", True), ("version", True), ("a", True), ("xva", True)]
)
def test_keys_can_be_left_out_of_a_shape(key: str, allowed: bool) -> None:
    shape = object_shape(beginning='"first": 1', without={"v": "a"})
    text = json.dumps({"first": 1, key: 2})
    assert has_shape(pa.array([text, '{"first": 1}', "{}"]), shape).to_pylist() == [allowed, True, False]


def test_strings_are_found_under_their_key_only() -> None:
    texts = [
        {"x": "", "k": "found"},
        {"k": "first"},
        {"x": "", "k": None},
        {"x": ', "k": "no"', "k": 'a "quoted" é'},
        {"x": 1},
        {"x": "", "k": ""},
        {"x": "", "k": "ends with \\"},
    ]
    column = pa.array([json.dumps(text) for text in texts])
    assert string_values(column, "k").to_pylist() == ["found", None, None, None, None, "", "ends with \\\\"]
    assert string_values(pa.array(['{"x": "", "k": "\\u00e9\\n"}']), "k").to_pylist() == ["é\\n"]


def test_pieces_have_the_rows_of_the_batches_and_not_too_many_bytes() -> None:
    batch = pa.RecordBatch.from_pydict({"text": ["x" * 100_000] * 100})
    cut = list(pieces([batch, batch.slice(0, 0), batch]))
    assert sum(piece.num_rows for piece in cut) == 200
    assert max(piece.nbytes for piece in cut) < 3_000_000
    assert [piece.num_rows for piece in pieces([pa.RecordBatch.from_pydict({"text": ["x" * 9_000_000] * 3})])] == [
        1
    ] * 3


def test_results_come_in_order_and_errors_come_through() -> None:
    assert list(map_ahead(str, range(100))) == [str(number) for number in range(100)]
    with pytest.raises(ZeroDivisionError):
        list(map_ahead(lambda number: 1 // number, [2, 1, 0, 1]))


def test_no_more_items_are_taken_than_are_needed_soon() -> None:
    taken: list[int] = []
    results = map_ahead(str, (taken.append(number) or number for number in range(100)))  # type: ignore[func-returns-value]
    next(results)
    assert len(taken) <= 4
    results.close()  # type: ignore[attr-defined]
