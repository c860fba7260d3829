"""What ``dg check yaml`` says of a wrong ``defs.yaml``: which keys there are, and what a value must be."""

from typing import Any

import pytest

from cognee_dagster import CogneeComponent
from cognee_dagster.dagster.component.clear_schema import clear_schema

jsonschema = pytest.importorskip("jsonschema", reason="dg checks with it: pip install dagster-dg-cli")

TEMPLATE = {"type": "string", "pattern": r"\{\{"}
NULL = {"type": "null"}
NUMBER = {"type": "number", "minimum": 0}
WORD = {"enum": ["full", "incremental"], "type": "string"}
THINGS = {"type": "array", "items": {"$ref": "#/$defs/Thing"}, "maxItems": 2}
DEFINITIONS = {
    "Thing": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "size": {"anyOf": [NUMBER, TEMPLATE]}},
        "required": ["name"],
        "additionalProperties": False,
    }
}
CHOICES: list[list[dict[str, Any]]] = [
    [NUMBER, TEMPLATE],
    [NUMBER, TEMPLATE, NULL],
    [WORD, TEMPLATE, NULL],
    [{"type": "boolean"}, {"type": "string"}],
    [THINGS, TEMPLATE],
    [{"$ref": "#/$defs/Thing"}, {"type": "string", "pattern": r"\S"}, NULL],
    [{"$ref": "#/$defs/Thing"}, TEMPLATE],
    [TEMPLATE, NULL],
    [NUMBER, THINGS, NULL],
]
VALUES: list[Any] = [
    *(None, 1, -1, True, "", "full", "fool", "{{ env.X }}", [], ["a"], {}, {"name": "a"}, {"name": "a", "size": "b"}),
    *({"name": "a", "size": "{{ b }}"}, {"nam": "a"}, [{"name": "a"}], [{"name": "a", "more": 1}], [{"name": "a"}] * 3),
]


def complaints(value: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Each as ``dg check yaml`` prints it: where, and what."""
    found = jsonschema.Draft202012Validator(schema).iter_errors(value)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_the_same_values_are_taken(choice: list[dict[str, Any]]) -> None:
    schema = {"$defs": DEFINITIONS, "type": "object", "properties": {"at": {"anyOf": choice, "default": None}}}
    clear = clear_schema(schema)
    assert clear["properties"]["at"]["default"] is None
    for value in VALUES:
        assert bool(complaints({"at": value}, clear)) is bool(complaints({"at": value}, schema)), value


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"dataset": []}, ": 'dataset' is not one of ['alerts', 'archives', 'automation_sensor', 'dataset_in_names', "),
        ({"datasets": [{"name": "a", "schedul": "@daily"}]}, "datasets.0: 'schedul' is not one of ['archive', "),
        ({"datasets": [{"name": "a", "mode": "presrve"}]}, "datasets.0.mode: 'presrve' is not one of ['preserve', "),
        ({"datasets": [{"name": "a", "sync": "ful"}]}, "datasets.0.sync: 'ful' is not one of ['full', 'incremental']"),
        ({"datasets": [{"name": "a", "max_removed": "x"}]}, "datasets.0.max_removed: 'x' is not of type 'number'"),
        ({"datasets": [{"name": "a", "documents": "*.md"}]}, "datasets.0.documents: '*.md' is not of type 'array'"),
        ({"datasets": [{"name": "a", "graph": 5}]}, "datasets.0.graph: 5 is not of type 'null', 'string'"),
        ({"datasets": [{"name": "a", "targets": [{"name": "b", "remot": "c"}]}]}, "datasets.0.targets.0: 'remot' is "),
        ({"datasets": [{"name": "a", "retry_policy": {"max_retry": 1}}]}, "'max_retry' is not one of ['backoff', "),
        ({"remote": {"ulr": "https://a"}}, "remote: 'ulr' is not one of ['allow_plain_http', 'api_key', "),
        ({"remotes": {"b": {"read_timeout": "x"}}}, "remotes.b.read_timeout: 'x' is not of type 'number'"),
        ({"discover": {"on_vanishd": "keep"}}, "discover: 'on_vanishd' is not one of ['max_removed', "),
        ({"sensor": [1]}, "sensor: [1] is not of type 'boolean'"),
    ],
)
def test_what_is_wrong_is_said_where_it_is_with_what_would_be_right(wrong: dict[str, Any], said: str) -> None:
    model = CogneeComponent.get_model_cls()
    found = complaints({"datasets": [], **wrong}, model.model_json_schema())
    assert [text for text in found if said in text]
    assert [text for text in found if "any of the given schemas" in text] == []


def test_a_template_may_stand_for_a_value_as_before() -> None:
    datasets = [{"name": "a", "mode": "{{ env.MODE }}", "max_removed": "{{ env.SHARE }}", "targets": "{{ targets }}"}]
    schema = CogneeComponent.get_model_cls().model_json_schema()
    assert complaints({"datasets": datasets, "demo_mode": "{{ env.DEMO }}"}, schema) == []
