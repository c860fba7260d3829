"""What is done by the column gives what is done one by one."""

import json
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh3_128_intdigest

from cognee_dagster.cogx import digest
from cognee_dagster.cogx.digest import combined, digest_of
from cognee_dagster.cogx.encode.json_columns import content_of, decoded, digest_of_lines, escaped, joined, optional
from cognee_dagster.cogx.encode.timestamps import EXACT_MILLISECONDS, timestamp_json, timestamps_json
from cognee_dagster.graph.arrow import integer_column, text_column, truth_column

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('"\\\n\x00\x1f\x7f'), max_size=8))


class Point(msgspec.Struct):
    x: int = 0


DECODER = msgspec.json.Decoder(Point)


@given(texts=TEXTS, offset=st.integers(0, 3))
def test_texts_are_escaped_as_msgspec_does_it(texts: list[str], offset: int) -> None:
    column = pa.array(texts, pa.string()).slice(offset)
    assert escaped(column).to_pylist() == [msgspec.json.encode(text).decode()[1:-1] for text in texts[offset:]]


def test_what_is_missing_stays_missing() -> None:
    assert escaped(pa.array(['"', None, "a"])).to_pylist() == ['\\"', None, "a"]


@given(values=st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)))
def test_columns_hold_what_they_were_made_of(values: list[str | None]) -> None:
    assert text_column(values).to_pylist() == values
    assert truth_column(np.array([value is None for value in values], np.bool_)).to_pylist() == [
        v is None for v in values
    ]
    lengths = [len(value or "") for value in values]
    assert integer_column(np.array(lengths, np.int64)).to_pylist() == lengths
    assert integer_column(np.array(lengths, np.int64), missing=0).to_pylist() == [length or None for length in lengths]


def test_a_lone_surrogate_is_no_text() -> None:
    with pytest.raises(UnicodeEncodeError):
        text_column(["a", "\ud800"])


@pytest.mark.parametrize(
    ("texts", "expected"), [(["a", None], ["1(a)2", "12"]), (["a", ""], ["1(a)2", "1()2"]), ([None], ["12"])]
)
def test_what_belongs_to_a_missing_text_is_left_out(texts: list[str | None], expected: list[str]) -> None:
    pieces = optional(pa.scalar("("), pa.array(texts, pa.string()), pa.scalar(")"))
    assert joined(pa.scalar("1"), *pieces, pa.scalar("2")).to_pylist() == expected


@given(values=st.lists(st.integers(-9, 9)), offset=st.integers(0, 3), spaces=st.sampled_from(["", " ", "\n"]))
def test_objects_are_decoded_together(values: list[int], offset: int, spaces: str) -> None:
    texts = pa.array([f'{{{spaces}"x":{value}{spaces}}}' for value in values], pa.string()).slice(offset)
    assert decoded(texts, DECODER) == [Point(value) for value in values[offset:]]


@pytest.mark.parametrize(
    "texts",
    [
        ["{}", None],
        ["{}", ""],
        ["{}{}", ""],
        ["{} {}", " "],
        ["{}\n{}", None],
        ["[1", "]"],
        ['{"y":"}', '{"}', "{}{}"],
        ['{"y":{}', "{}}", "{}{}"],
        ['{"y":[{}', "{}]}", "{}{}"],
        ['{"y":{}', ',"z":{}}', "{}{}"],
        ["{}", "{"],
        ["}", "{"],
        ["{}", "null"],
        ["{}", '{"x":"no number"}'],
        ["{}", "{} "],
    ],
)
def test_damaged_texts_are_never_taken_for_good_ones(texts: list[str | None]) -> None:
    """Two of them could make up for each other: the number of values alone says nothing."""
    for order in (texts, texts[::-1]):
        assert decoded(pa.array(order, pa.string()), DECODER) is None


@given(values=st.lists(st.none() | st.integers(EXACT_MILLISECONDS.start, EXACT_MILLISECONDS.stop - 1)))
def test_timestamps_are_printed_as_one_by_one(values: list[int | None]) -> None:
    values = [*values, *(value and value // 1000 * 1000 for value in values)]
    printed = timestamps_json(pa.array(values, pa.int64()))
    assert printed.to_pylist() == [None if value is None else timestamp_json(value) for value in values]


@given(records=st.lists(st.binary(max_size=5)))
def test_the_digest_is_the_sum_of_the_hashes(records: list[bytes]) -> None:
    assert digest_of(records) == sum(map(xxh3_128_intdigest, records)) % (1 << 128)


def test_the_digest_of_many_records_does_not_depend_on_how_many_are_added_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    records = [json.dumps({"number": number}).encode() for number in range(100)]
    whole = digest_of(records)
    monkeypatch.setattr(digest, "_ADDED_TOGETHER", 7)
    assert digest_of(reversed(records)) == whole == combined(digest_of(records[:30]), digest_of(records[30:]))


@given(lines=st.lists(st.text(st.characters(codec="utf-8"), max_size=5)), offset=st.integers(0, 3))
def test_lines_are_joined_and_hashed_without_their_ends(lines: list[str], offset: int) -> None:
    column: Any = pa.array([line + "\n" for line in lines], pa.string()).slice(offset)
    assert content_of(column).decode() == "".join(line + "\n" for line in lines[offset:])
    assert digest_of_lines(column, content_of(column)) == digest_of(line.encode() for line in lines[offset:])
