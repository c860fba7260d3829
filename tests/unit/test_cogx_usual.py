"""What Cognee usually stores is encoded fast, and to the same bytes as the slow and exact way gives."""

import json
from typing import Any
from unittest import mock

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cognee_dagster.cogx.encode import entities as entity_lines
from cognee_dagster.cogx.encode import exact_json
from cognee_dagster.cogx.encode import facts as fact_records
from cognee_dagster.cogx.encode.facts import encode_edges
from cognee_dagster.cogx.encode.nodes import encode_nodes
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


@settings(max_examples=300)
@given(rows=NODES)
def test_usual_nodes_are_as_the_slow_way_writes_them(rows: list[NodeRow]) -> None:
    batch = nodes_batch(rows)
    fast, slow = outcome(encode_nodes, batch), outcome(encode_nodes, batch, with_labels=True)
    if isinstance(slow, str):
        assert fast == slow
        return
    assert (fast.entities, fast.raw_nodes, fast.documents) == (slow.entities, slow.raw_nodes, slow.documents)
    assert (fast.digest, fast.types, fast.ids) == (slow.digest, slow.types, slow.ids)


@settings(max_examples=300)
@given(rows=EDGES)
def test_usual_edges_are_as_the_slow_way_writes_them(rows: list[EdgeRow]) -> None:
    for batch in MemoryReader([], rows).edges():
        fast = outcome(encode_edges, batch)
        with mock.patch.object(fact_records, "_usual_lines", return_value=None):
            slow = outcome(encode_edges, batch)
        assert fast == slow


def test_what_cognee_stores_goes_the_fast_way() -> None:
    """Or all of this would be for nothing: a change of Cognee's spelling must not go unnoticed."""
    batch = nodes_batch([(ID_A, "cognee", "Entity", json.dumps(ENTITY)), (ID_B, 'a "b"', "Entity", json.dumps(ENTITY))])
    edges = next(MemoryReader([], [(ID_A, ID_B, "made_from", json.dumps(EDGE))]).edges())
    with mock.patch.object(exact_json, "parse_noting", side_effect=AssertionError("the slow way")):
        assert encode_nodes(batch).entities.count == 2
        assert encode_edges(edges).content.count(b"\n") == 1


@settings(max_examples=500)
@given(
    data=st.data(),
    text=st.sampled_from([json.dumps(ENTITY), json.dumps(EDGE), json.dumps({"a": ["\ud83d\ude00\n", -1e-5]})]),
)
def test_json_is_read_as_python_reads_it_or_refused(data: st.DataObject, text: str) -> None:
    """A damaged text must not be taken for a good one, nor a value for another: Cognee reads with ``json``."""
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text)))
        character = data.draw(st.sampled_from('{}[]",:\\019.eE-+ntu\x00\x1f\x7f \t\né'))
        text = text[:place] + character + text[place + data.draw(st.integers(0, 1)) :]
    try:
        expected = json.loads(text)
    except ValueError:
        for decode in (exact_json._decode, fact_records._decoder.decode, entity_lines._decoder.decode):
            with pytest.raises(msgspec.DecodeError):
                decode(text)
    else:
        value = exact_json.parse(text)
        assert (value, repr(value)) == (expected, repr(expected))
