"""Records are those of Cognee's own export, whatever the graph holds."""

import json
import math
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cognee_dagster.cogx.encode.facts import encode_edges
from cognee_dagster.cogx.encode.nodes import encode_nodes
from cognee_dagster.cogx.encode.timestamps import parse_timestamp, timestamp_json
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.errors import GraphFileError
from cognee_dagster.graph.reader import EDGE_SCHEMA, NODE_SCHEMA, GraphOrigin
from tests.cogx_graphs import (
    ID_A,
    ID_B,
    EdgeRow,
    MemoryReader,
    NodeRow,
    archived_records,
    cognee_records,
    demo_reader,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(TEXT, children, max_size=3),
    max_leaves=8,
)
STAMP = st.one_of(
    st.integers(-(10**13), 10**13),
    st.integers(10**12, 2 * 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes().map(str),
    st.none(),
    TEXT,
)
PROPERTIES = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXT,
        "type": st.sampled_from(["Entity", "DocumentChunk", "X"]),
        "text": TEXT,
        "description": st.none() | TEXT,
        "created_at": STAMP,
        "updated_at": STAMP,
        "other": JSON,
        "id": TEXT,
    },
).map(json.dumps)
NODE = st.tuples(
    st.uuids().map(str),
    st.none() | TEXT,
    st.sampled_from(["Entity", "DocumentChunk", "", None]),
    st.none() | PROPERTIES,
)
EDGE_PROPERTIES = st.fixed_dictionaries(
    {}, optional={"edge_text": st.none() | TEXT, "valid_at": STAMP, "invalid_at": STAMP, "other": JSON}
).map(json.dumps)
EDGE = st.tuples(TEXT, TEXT, TEXT, st.none() | st.sampled_from(["", "{", "null", "[]", "0"]) | EDGE_PROPERTIES)


def node(*rows: NodeRow) -> pa.RecordBatch:
    return next(MemoryReader(rows).nodes())


def edge(*rows: EdgeRow) -> pa.RecordBatch:
    return next(MemoryReader([], rows).edges())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nodes=st.lists(NODE, max_size=5), edges=st.lists(EDGE, max_size=5))
def test_records_equal_those_of_cognee(tmp_path: Path, nodes: list[NodeRow], edges: list[EdgeRow]) -> None:
    reader = MemoryReader(nodes, edges, batch_rows=2)
    path = tmp_path / "a.cogx.tar.gz"
    write_archive(reader, path)
    assert archived_records(path) == cognee_records(reader)


@given(value=STAMP | st.booleans() | JSON)
def test_timestamps_are_printed_as_pydantic_prints_them(value: Any) -> None:
    from pydantic_core import to_json

    parsed = parse_timestamp(value)
    assert timestamp_json(value) == (None if parsed is None else to_json(parsed).decode())


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (1788471595772, '"2026-09-03T21:39:55.772000Z"'),
        (1788471595000, '"2026-09-03T21:39:55Z"'),
        ("2026-01-01T10:00:00.100+02:00", '"2026-01-01T10:00:00.100000+02:00"'),
        # Python 3.10 reads no fraction of one digit, hence neither does Cognee there.
        ("2026-01-01T10:00:00.1+02:00", '"2026-01-01T10:00:00.100000+02:00"' if sys.version_info >= (3, 11) else None),
        ("2026-01-01", '"2026-01-01T00:00:00Z"'),
        (True, '"1970-01-01T00:00:01Z"'),
        (math.nan, None),
        ("yesterday", None),
    ],
)
def test_timestamps_as_measured_on_cognee(value: Any, printed: str | None) -> None:
    assert timestamp_json(value) == printed


@pytest.mark.parametrize(
    "properties",
    [
        '{"x": NaN, "y": [Infinity, -Infinity]}',
        '{"x": 123456789012345678901234567890, "y": -9223372036854775809}',
        '{"x": "\\ud800 alone"}',
        '{"x": 1e400}',
        '{"x": ' + "[" * 500 + "]" * 500 + "}",
        "not json",
        "",
        "[]",
        '{"x": "10 MB ' + "z" * 10_000_000 + '"}',
    ],
)
def test_odd_properties_of_raw_nodes_survive_as_in_cognee(tmp_path: Path, properties: str) -> None:
    reader = MemoryReader([(ID_A, "n", "X", properties)])
    path = tmp_path / "a.cogx.tar.gz"
    write_archive(reader, path)
    # NaN is not equal to itself, but its text is.
    assert json.dumps(archived_records(path), sort_keys=True) == json.dumps(cognee_records(reader), sort_keys=True)


@pytest.mark.parametrize(
    "row",
    [
        (ID_A, None, "Entity", '{"name": 5}'),
        (ID_A, "n", "Entity", '{"description": ["a list"]}'),
        (ID_A, "n", "DocumentChunk", '{"text": true}'),
        (ID_A, "n", "Entity", '{"description": "\\udfff"}'),
        (ID_A, "n", "X", "[1, 2]"),
        (ID_A, "n", "X", "17"),
        (ID_A, "n", "X", "[" * 100_000),
        (ID_A, "n", "Entity", '{"created_at": ' + "9" * 400 + "}"),
    ],
)
def test_a_node_that_cognee_cannot_export_is_named(row: NodeRow) -> None:
    with pytest.raises(GraphFileError, match=ID_A):
        encode_nodes(node(row))


@pytest.mark.parametrize(
    "properties",
    ['{"edge_text": 5}', '{"edge_text": "\\ud800"}', "[1]", "3", "[" * 100_000, '{"valid_at": ' + "9" * 400 + "}"],
)
def test_an_edge_that_cognee_cannot_export_is_named(properties: str) -> None:
    with pytest.raises(GraphFileError, match=rf"{ID_A}.*knows.*{ID_B}"):
        encode_edges(edge((ID_A, ID_B, "knows", properties)))


def test_a_node_without_an_id_is_left_out_as_in_cognee() -> None:
    assert len(encode_nodes(node(("", "n", "X", "{}"))).ids) == 0


def test_empty_batches_have_no_records() -> None:
    assert encode_nodes(pa.RecordBatch.from_pylist([], schema=NODE_SCHEMA)).entities.count == 0
    assert encode_edges(pa.RecordBatch.from_pylist([], schema=EDGE_SCHEMA)).content == b""


def test_fact_texts_are_made_only_where_the_source_may_lack_them(tmp_path: Path) -> None:
    nodes: list[NodeRow] = [(ID_A, "Ada", "X", None), (ID_B, None, "X", json.dumps({"text": "a  long\ntext" * 9}))]
    edges: list[EdgeRow] = [
        (ID_A, ID_B, "has_written", None),
        (ID_B, ID_A, "r", '{"edge_text": "given"}'),
        (ID_A, ID_A, "", '{"edge_text": " "}'),
    ]
    texts = {}
    for complete in (True, False):
        path = tmp_path / f"{complete}.cogx.tar.gz"
        origin = GraphOrigin(dataset_name="d", fact_text_complete=complete)
        write_archive(MemoryReader(nodes, edges, origin=origin), path)
        texts[complete] = {fact["predicate"]: fact.get("fact_text") for fact in archived_records(path)["facts.jsonl"]}
    beginning = ("a long text" + "a long text" * 8)[:80]
    assert texts[True] == {"has_written": None, "r": "given", "": " "}
    assert texts[False] == {"has_written": f"Ada has written {beginning}.", "r": "given", "": "Ada related to Ada."}


def test_demo_records_are_cognees(tmp_path: Path) -> None:
    write_archive(demo_reader(), tmp_path / "a.cogx.tar.gz")
    assert archived_records(tmp_path / "a.cogx.tar.gz") == cognee_records(demo_reader())
