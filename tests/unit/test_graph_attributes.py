"""Any Python value becomes JSON, or an error that says why; no attribute name can trip a Cognee server."""

import json
import math
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognee_dagster.sources.mapping.attributes import accepted_name, as_json_value


class Colour(Enum):
    RED = "red"
    NESTED = (1, 2)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (10**30, 10**30),
        (1.5, 1.5),
        (math.nan, None),
        (-math.inf, None),
        ("text", "text"),
        ("a\ud800b", "a\ufffd\ufffd\ufffdb"),
        (b"bytes", "bytes"),
        (b"\xff\x00", "/wA="),
        (datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc), "2026-01-02T03:04:00+00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (time(3, 4), "03:04:00"),
        (timedelta(minutes=1), 60.0),
        (PurePosixPath("/a/b"), "/a/b"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Decimal("1.10"), "1.10"),
        (Colour.RED, "red"),
        (Colour.NESTED, [1, 2]),
        ({"b", "a"}, ["a", "b"]),
        ((1, (2, [3])), [1, [2, [3]]]),
        ({1: {None: "x"}}, {"1": {"None": "x"}}),
        (np.int64(3), 3),
        (np.float32(math.nan), None),
        (np.bool_(True), True),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (range(2), [0, 1]),
    ],
    ids=lambda value: repr(sorted(value) if isinstance(value, set) else value),
)
def test_values_have_this_form_in_json(value: Any, expected: Any) -> None:
    result = as_json_value(value)
    assert result == expected
    assert type(result) is type(expected)
    assert json.loads(json.dumps(result, allow_nan=False)) == expected


def test_a_value_without_a_form_in_json_is_an_error_that_names_its_type() -> None:
    with pytest.raises(TypeError, match=r"builtins\.object has no form in JSON"):
        as_json_value([object()])


def test_keys_of_a_mapping_that_are_equal_as_text_are_an_error() -> None:
    with pytest.raises(ValueError, match="two keys are both '1'"):
        as_json_value({1: "a", "1": "b"})


def test_a_value_that_contains_itself_is_an_error() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="contains itself"):
        as_json_value(endless)


def test_an_integer_that_no_reader_would_take_is_an_error() -> None:
    with pytest.raises(ValueError, match="bits"):
        as_json_value(10**5000)


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.datetimes(), st.decimals()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_whatever_is_made_of_ordinary_values_is_strict_json_with_a_utf8_form(value: Any) -> None:
    text = json.dumps(as_json_value(value), allow_nan=False, ensure_ascii=False)
    assert json.loads(text.encode()) == as_json_value(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", 1), ("properties", {}), ("self", 1), ("_private", 1), ("model_config", 1), ("copy", 1), ("", 1),
        ("version", "v2"), ("version", True), ("created_at", "2026-01-02"), ("created_at", 1.5),
        ("feedback_weight", "x"),
        ("source_user", 3), ("ontology_valid", "maybe"), ("metadata", "text"), ("metadata", {"index_fields": [1]}),
        ("belongs_to_set", "a set"), ("source_ref_keys", "|a|"),
    ],
)  # fmt: skip
def test_an_attribute_that_a_server_would_trip_over_is_renamed(name: str, value: Any) -> None:
    assert accepted_name(name, value) == f"attribute_{name.strip('_')}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("age", 1), ("description", "x"), ("version", 2), ("created_at", 1_763_850_000_000), ("feedback_weight", 1),
        ("source_user", None), ("ontology_valid", True), ("metadata", {"index_fields": ["name"]}), ("two words", 1),
        ("belongs_to_set", ["a"]), ("belongs_to_set", None),
    ],
)  # fmt: skip
def test_other_attributes_keep_their_names(name: str, value: Any) -> None:
    assert accepted_name(name, value) == name
