"""Answers of Cognee servers, old and new, as typed values; anything else is a ``ValueError``."""

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognee_dagster.remote import responses
from cognee_dagster.remote.api_offer import parse_api_offer
from tests.remote_graphs import parse_graph

# Rows of a Cognee 1.6.5 server.
STARTED: dict[str, Any] = {
    "id": "44460804-aa53-446b-b56e-6764513bfcc9",
    "kind": "pipeline",
    "pipeline_name": "migration_import_pipeline",
    "status": "DATASET_PROCESSING_STARTED",
    "dataset_id": "011a0f69-ce99-5a5e-acf4-81e800cfd2fc",
    "dataset_name": "happy",
    "owner_id": "0501c1ec-1c90-4752-8b7f-a847a2e6d510",
    "owner_email": "admin@example.com",
    "created_at": "2026-11-22T19:44:54.400236",
    "pipeline_run_id": "172a5bfd-99d9-4193-8ff1-d37c4ffe5eab",
    "operation_name": "migration_import_pipeline",
    "origin": "api",
    "outcome": None,
    "background": None,
    "error_class": None,
    "tokens_in": None,
    "tokens_out": None,
    "embedding_tokens": None,
    "started_at": "2026-11-22T19:44:54.395336",
    "ended_at": None,
    "user_id": "0501c1ec-1c90-4752-8b7f-a847a2e6d510",
    "session_id": None,
    "parent_operation_id": None,
}
FAILED = {
    **STARTED,
    "id": "efbedf9f-bb9e-46d8-a3be-9ad7d044369b",
    "status": "DATASET_PROCESSING_ERRORED",
    "outcome": "failed",
    "error_class": "AbandonedPipelineRunError",
    "ended_at": "2026-11-22T19:44:59.481173",
}
OPERATION = {
    **STARTED,
    "kind": "operation",
    "pipeline_name": None,
    "status": None,
    "operation_name": "remember",
    "outcome": "succeeded",
    "background": True,
}
BEFORE_1_5_4 = ("id", "pipeline_name", "status", "dataset_id", "dataset_name", "created_at", "pipeline_run_id")

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from(sorted(STARTED)), inner, max_size=4)
    ),
    max_leaves=20,
)


def parsed(parse: Any, content: Any) -> Any:
    """What a parser makes of an answer's body."""
    return parse(json.dumps(content).encode())


class TestRuns:
    def test_a_started_run_has_no_outcome_yet(self) -> None:
        (run,) = parsed(responses.parse_runs, [STARTED])
        assert (run.kind, run.status, run.outcome) == ("pipeline", "DATASET_PROCESSING_STARTED", None)
        assert run.pipeline_run_id == STARTED["pipeline_run_id"]
        assert run.started_at == datetime(2026, 11, 22, 19, 44, 54, 395336, tzinfo=timezone.utc)
        assert run.ended_at is None

    def test_both_rows_of_a_run_share_its_id_and_not_their_own(self) -> None:
        failed, started = parsed(responses.parse_runs, [FAILED, STARTED])
        assert failed.pipeline_run_id == started.pipeline_run_id
        assert failed.row_id != started.row_id
        assert (failed.outcome, failed.error_class) == ("failed", "AbandonedPipelineRunError")

    def test_an_operation_is_told_from_a_pipeline(self) -> None:
        (operation,) = parsed(responses.parse_runs, [OPERATION])
        assert (operation.kind, operation.pipeline_name, operation.status) == ("operation", None, None)

    def test_a_row_of_an_older_server_has_what_it_has(self) -> None:
        (run,) = parsed(responses.parse_runs, [{key: FAILED[key] for key in BEFORE_1_5_4}])
        assert (run.kind, run.status, run.outcome) == ("pipeline", "DATASET_PROCESSING_ERRORED", None)
        assert (run.started_at, run.error_class) == (None, None)

    def test_what_a_newer_server_adds_is_ignored(self) -> None:
        assert parsed(responses.parse_runs, [{**STARTED, "new": {"a": 1}}]) == parsed(responses.parse_runs, [STARTED])

    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2026-11-22T19:44:54", datetime(2026, 11, 22, 19, 44, 54, tzinfo=timezone.utc)),
            ("2026-11-22T19:44:54Z", datetime(2026, 11, 22, 19, 44, 54, tzinfo=timezone.utc)),
            ("2026-11-22T20:44:54+01:00", datetime(2026, 11, 22, 19, 44, 54, tzinfo=timezone.utc)),
            ("0001-01-01T00:00:00+23:00", None),
            ("yesterday", None),
            (7, None),
        ],
    )
    def test_times_are_utc_and_one_that_cannot_be_read_is_none(self, text: object, moment: datetime | None) -> None:
        (run,) = parsed(responses.parse_runs, [{**STARTED, "created_at": text}])
        assert run.created_at == moment
        assert run.created_at is None or run.created_at.tzinfo is timezone.utc


class TestHealth:
    def test_another_services_health_is_not_cognees(self) -> None:
        with pytest.raises(ValueError, match="without status"):
            parsed(responses.parse_health, {"message": "Hello, World, I am alive!"})


class TestImportAnswers:
    def test_the_item_of_an_import_is_found_among_others(self) -> None:
        item = {
            "kind": "migration_import",
            "source_system": "cognee",
            "mode": "preserve",
            "record_counts": {"entity": 8, "fact": 32, "raw_node": 5},
            "graph_nodes": 14,
            "graph_edges": 27,
            "skipped_facts": 2,
            "deduped_edges": 3,
            "pipeline_run_id": "e34a3aab-6fa2-4711-a959-b3c3ec87fa95",
        }
        (found,) = responses.migration_imports({"items": [{"kind": "other"}, "text", item]})
        assert found.record_counts == {"entity": 8, "fact": 32, "raw_node": 5}
        assert (found.skipped_facts, found.deduped_edges) == (2, 3)

    def test_hybrid_does_not_count_deduped_edges(self) -> None:
        item = {"kind": "migration_import", "mode": "hybrid", "graph_import": "running"}
        (found,) = responses.migration_imports({"items": [item]})
        assert (found.deduped_edges, found.pipeline_run_id) == (None, None)

    @pytest.mark.parametrize(
        "answer", [{}, {"items": None}, {"items": []}, {"items": [{"kind": "data"}]}, {"items": "x"}]
    )
    def test_an_answer_without_the_item_imported_no_archive(self, answer: dict[str, Any]) -> None:
        assert responses.migration_imports(answer) == []


def test_a_dataset_has_its_owner_and_the_time_it_was_made() -> None:
    row = {"id": "d1", "name": "demo", "createdAt": "2026-11-22T19:44:54", "updatedAt": None, "ownerId": "u1"}
    dataset = parsed(responses.parse_dataset, row)
    assert (dataset.owner_id, dataset.created_at) == ("u1", datetime(2026, 11, 22, 19, 44, 54, tzinfo=timezone.utc))


@pytest.mark.parametrize(
    "row", [{"id": "", "name": "demo"}, {"id": "d1", "name": ""}, {"id": "d1"}, {"id": 1, "name": "a"}]
)
def test_a_row_whose_name_or_id_is_empty_is_no_dataset(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"a dataset without (id|name)"):
        parsed(responses.parse_dataset, row)
    assert [dataset.id for dataset in parsed(responses.parse_datasets, [row, {"id": "d2", "name": "b"}])] == ["d2"]


BAD_TEXTS = {
    "half a pair of surrogates": (rb"x\ud800", ["a", "x\ufffd", "b"]),
    "the other half": (rb"x\udc00\ud83d\ude00", ["a", "x\ufffd\U0001f600", "b"]),
    "a backslash before what looks like one": (rb"\ud800\\ud800", ["a", "\ufffd\\ud800", "b"]),
    "no UTF-8": (b"x\xff", ["a", "b"]),
}


@pytest.mark.parametrize(("text", "names"), BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_a_string_that_is_no_text_costs_its_own_row_at_most(text: bytes, names: list[str]) -> None:
    body = b'[{"id":"1","name":"a"},{"id":"2","name":"%b"},{"id":"3","name":"b"}]' % text
    rows = responses.parse_datasets(body)
    assert [row.name for row in rows] == names
    assert rows.skipped == 3 - len(names)
    assert ("not in UTF-8" in rows.problem) == bool(rows.skipped)


def test_a_graph_gives_ids_and_triples_for_comparing() -> None:
    node = {"id": "a", "label": "Ann", "type": "Entity", "properties": {"description": "x"}}
    bare = {"id": "b", "label": None, "type": None, "properties": None}
    edge = {"source": "a", "target": "b", "label": "knows"}
    graph = parsed(parse_graph, {"nodes": [node, bare], "edges": [edge, edge]})
    assert graph.node_ids() == {"a", "b"}
    assert graph.triples() == {("a", "knows", "b")}
    assert graph.nodes[0].properties == {"description": "x"}
    assert len(graph.edges) == 2


@pytest.mark.parametrize("wrap", [lambda ref: ref, lambda ref: {"allOf": [ref]}])
def test_import_mode_is_found_however_the_description_refers_to_the_form(wrap: Any) -> None:
    schema = wrap({"$ref": "#/components/schemas/Form"})
    body = {"content": {"multipart/form-data": {"schema": schema}}}
    description = {
        "paths": {"/api/v1/remember": {"post": {"requestBody": body}}},
        "components": {"schemas": {"Form": {"properties": {"import_mode": {}}}, "Other": {"properties": {}}}},
    }
    assert parsed(parse_api_offer, description).imports_archives
    description["components"] = {"schemas": {"Form": {"properties": {}}, "Other": {"properties": {"import_mode": {}}}}}
    assert not parsed(parse_api_offer, description).imports_archives


PARSERS = [
    responses.parse_health,
    responses.parse_user,
    responses.parse_dataset,
    responses.parse_datasets,
    responses.parse_documents,
    responses.parse_runs,
    parse_graph,
    parse_api_offer,
]


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__name__)
@given(answer=anything)
def test_any_json_is_a_value_or_a_value_error(parse: Any, answer: Any) -> None:
    for content in (answer, [answer], {**STARTED, "nodes": [answer], "edges": answer, "externalMetadata": answer}):
        reason = ""
        try:
            parsed(parse, content)
        except ValueError as error:
            reason = str(error)
        assert len(reason) < 100, "the reason does not repeat the answer"


@given(answer=st.dictionaries(st.sampled_from(["items", "kind"]), anything), item=anything)
def test_any_answer_to_an_upload_can_be_searched_for_the_import(answer: dict[str, Any], item: Any) -> None:
    responses.migration_imports(answer)
    responses.migration_imports({"items": [{"kind": "migration_import", "record_counts": item, "mode": item}]})
