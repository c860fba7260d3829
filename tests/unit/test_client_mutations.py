"""Every endpoint's answer with something changed in it: what comes out is a typed value or an error of ours.

And what the engine does with a list of runs afterwards ends in a verdict.
"""

import ast
import copy
import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognee_dagster.errors import RemoteError, UnexpectedAnswerError
from cognee_dagster.remote import client
from cognee_dagster.remote.answers import content_of
from cognee_dagster.remote.api_offer import parse_api_offer
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.failures import Answer, Question
from cognee_dagster.remote.imports.feed import read_import_runs
from cognee_dagster.remote.imports.verdict import judge_import
from cognee_dagster.remote.imports.vocabulary import ImportState
from cognee_dagster.remote.imports.watch import ImportWatch, WatchedImport
from cognee_dagster.remote.language_model import parse_endpoint
from cognee_dagster.remote.moments import http_date
from cognee_dagster.remote.responses import (
    PipelineRun,
    import_run_id,
    migration_imports,
    parse_dataset,
    parse_datasets,
    parse_documents,
    parse_done,
    parse_health,
    parse_import_answer,
    parse_runs,
    parse_user,
)
from cognee_dagster.remote.rows import Rows
from cognee_dagster.remote.searches import parse_results
from tests.remote_graphs import parse_graph
from tests.unit.test_responses import FAILED, STARTED

QUESTION = Question(what="asking", remote="https://a.example.com", source="arguments", secret="ck_marker_0123456789")
RUN = str(STARTED["pipeline_run_id"])
DATASET = {
    "id": STARTED["dataset_id"],
    "name": "abc",
    "createdAt": "2026-11-22T19:44:54",
    "ownerId": STARTED["user_id"],
}
DOCUMENT = {
    "id": STARTED["id"],
    "name": "text_1",
    "dataSize": 27,
    "externalMetadata": {"external_system": "cognee", "external_id": "chunk"},
}
IMPORT: dict[str, Any] = {
    "status": "completed",
    "dataset_id": None,
    "pipeline_run_id": RUN,
    "items": [{"kind": "migration_import", "mode": "preserve", "record_counts": {"entity": 8}, "graph_nodes": 14}],
}
FORM: dict[str, Any] = {"content": {"multipart/form-data": {"schema": {"properties": {"import_mode": {}}}}}}
ENDPOINTS: dict[str, tuple[Any, Any]] = {
    "health": (parse_health, {"status": "ready", "health": "healthy", "version": "1.6.5"}),
    "user": (parse_user, {"id": STARTED["user_id"], "email": "a@example.com"}),
    "dataset": (parse_dataset, DATASET),
    "datasets": (parse_datasets, [DATASET, {**DATASET, "name": "b"}]),
    "documents": (parse_documents, [DOCUMENT, DOCUMENT]),
    "runs": (parse_runs, [FAILED, STARTED]),
    "graph": (
        parse_graph,
        {
            "nodes": [{"id": "a", "label": "Ann", "type": "Entity", "properties": {"description": "x"}}],
            "edges": [{"source": "a", "target": "a", "label": "knows"}],
        },
    ),
    "openapi": (
        parse_api_offer,
        {
            "paths": {
                "/api/v1/remember": {"post": {"requestBody": FORM}},
                "/api/v1/activity/pipeline-runs": {"get": {"parameters": [{"name": "pipeline_name"}]}},
            }
        },
    ),
    "upload": (parse_import_answer, IMPORT),
    "search": (
        parse_results,
        [
            {"dataset_id": STARTED["dataset_id"], "context_result": "Ann knows Bob"},
            {"dataset_id": STARTED["dataset_id"], "context_result": ["Ann", "Bob"], "text_result": None},
        ],
    ),
    "settings": (parse_endpoint, {"llm": {"endpoint": "http://127.0.0.1/v1", "model": "m", "apiKey": "********"}}),
    "deletion": (parse_done, {"status": "success", "deleted": [STARTED["id"]]}),
}

# What each method of the client is answered with.
METHODS: dict[str, set[str]] = {
    "health": {"health"},
    "lacks_language_model": {"settings"},
    "require_cogx": {"health", "openapi"},
    "me": {"user"},
    "user": {"user"},
    "datasets": {"datasets"},
    "find_dataset": {"datasets", "user"},
    "ensure_dataset": {"dataset"},
    "delete_dataset": {"deletion", "datasets"},
    "data": {"documents"},
    "delete_data": {"deletion"},
    "empty_dataset": {"deletion"},
    "graph": {"graph"},
    "graph_size": {"graph"},
    "read_graph": {"graph"},
    "search": {"search"},
    "runs": {"runs"},
    "upload": {"upload"},
}
ASK_NOTHING = {"close", "requests_done", "without_retries"}

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(
        [10**30, -(10**400), "9999-12-31T23:59:59", "0001-01-01T00:00:00+23:59", "2026-11-22T19:44:54-99:00"]
    ),
    st.sampled_from(["x" * 5000, "\x1b[31m", "[a](http://evil.example)", "1" * 5000, "\u202e", ""]),
    st.sampled_from([[], {}, [[[[]]]], {"id": {"id": {}}}]),
)


def paths(tree: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something can be changed."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(found for key, value in inner for found in paths(value, (*path, key)))]


def changed(tree: Any, path: tuple[Any, ...], value: object, *, gone: bool) -> Any:
    """The tree with another value at ``path``, or without it."""
    if not path:
        return value
    tree = copy.deepcopy(tree)
    inner = tree
    for key in path[:-1]:
        inner = inner[key]
    if gone:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return tree


def answered(content: object, parse: Any) -> Any:
    return content_of(Answer(200, httpx.Headers(), json.dumps(content).encode()), QUESTION, parse, max_values=500_000)


def test_every_answer_that_the_client_reads_is_among_those_that_are_changed() -> None:
    methods = {name for name, value in vars(CogneeClient).items() if callable(value) and not name.startswith("_")}
    assert methods - ASK_NOTHING == set(METHODS)
    assert set.union(*METHODS.values()) == set(ENDPOINTS)
    readers: set[str] = set()
    for path in Path(client.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                readers |= {
                    word.value.id for word in node.keywords if word.arg == "parse" and isinstance(word.value, ast.Name)
                }
    assert readers == {parse.__name__ for parse, _ in ENDPOINTS.values()} - {"parse_graph", "parse_import_answer"}


@pytest.mark.parametrize("name", ENDPOINTS)
@given(value=ODD, seed=st.integers(0, 10_000), gone=st.booleans(), twice=st.booleans())
def test_an_answer_with_anything_changed_is_a_value_or_an_error_of_ours(
    name: str, value: object, seed: int, gone: bool, twice: bool
) -> None:
    parse, content = ENDPOINTS[name]
    choose = random.Random(seed).choice
    for _ in range(1 + twice):
        content = changed(content, choose(paths(content)), value, gone=gone)
    result: Any = None
    problem: RemoteError | None = None
    try:
        result = answered(content, parse)
    except RemoteError as error:
        problem = error
    if problem is not None:
        assert isinstance(problem, UnexpectedAnswerError)
        assert str(problem).isprintable()
        assert len(str(problem)) < 1000
        return
    if name == "upload":
        migration_imports(result)
    if name == "health":
        assert result.version.isprintable()
        assert len(result.version) <= 40


@given(value=ODD, seed=st.integers(0, 10_000), gone=st.booleans())
def test_whatever_the_rows_say_there_is_a_verdict_and_never_a_foreign_error(
    value: object, seed: int, gone: bool
) -> None:
    rows = [FAILED, STARTED, {**STARTED, "id": "other", "pipeline_run_id": "other"}]
    content = changed(rows, random.Random(seed).choice(paths(rows)[1:]), value, gone=gone)

    class Feed:
        clock_offset = timedelta(0)

        def runs(self, **_: object) -> Rows[PipelineRun]:
            return answered(content, parse_runs)  # type: ignore[no-any-return]

    for pushed_at in (None, 0.0, 1.9e9):
        watch = ImportWatch(feed=Feed(), now=1.9e9, stalled_after=timedelta(hours=6))
        for dataset_id in ("", str(STARTED["dataset_id"])):
            verdict = watch.ask(WatchedImport(run_id=RUN, dataset_id=dataset_id, pushed_at=pushed_at))
            assert isinstance(verdict.state, ImportState)
            assert verdict.reason.isprintable()
            assert "](" not in verdict.reason


@pytest.mark.parametrize("name", [7, [], "left out"])
def test_a_server_that_does_not_name_the_dataset_does_not_say_that_it_is_gone(name: object) -> None:
    """Cognee says so with null."""
    row = {key: value for key, value in {**FAILED, "dataset_name": name}.items() if value != "left out"}
    (run,) = answered([row], parse_runs)
    assert judge_import([run], run_id=RUN).state is ImportState.FAILED
    (run,) = answered([{**FAILED, "dataset_name": None}], parse_runs)
    assert judge_import([run], run_id=RUN).state is ImportState.GONE


BAD_ROWS: list[Any] = [
    {**STARTED, "id": None},
    {**STARTED, "id": "x" * 65},
    {**STARTED, "id": "with\x1b[31m"},
    7,
    None,
    [],
    {},
]


@pytest.mark.parametrize("bad", BAD_ROWS, ids=lambda row: str(row)[:20])
def test_a_row_that_makes_no_sense_costs_itself_only_and_is_counted(bad: object) -> None:
    rows = answered([FAILED, bad, STARTED], parse_runs)
    assert [row.row_id for row in rows] == [FAILED["id"], STARTED["id"]]
    assert (rows.sent, rows.skipped) == (3, 1)
    assert rows.problem


@pytest.mark.parametrize(
    "moment", ["9999-12-31T23:59:59", "0001-01-01T00:00:00", "1969-12-31T23:59:59Z", "yesterday", 7]
)
def test_a_time_that_no_clock_shows_is_left_out_of_its_row(moment: object) -> None:
    (row,) = answered([{**STARTED, "created_at": moment, "started_at": moment}], parse_runs)
    assert (row.created_at, row.started_at) == (None, None)
    assert row.pipeline_run_id == RUN


def test_a_page_with_a_bad_row_is_not_taken_for_the_last_one() -> None:
    page = [{**STARTED, "id": f"row-{number}", "pipeline_run_id": f"run-{number}"} for number in range(499)] + [None]
    offsets = []

    class Feed:
        clock_offset = timedelta(0)

        def runs(self, *, offset: int = 0, **_: object) -> Rows[PipelineRun]:
            offsets.append(offset)
            return answered(page if offset == 0 else [FAILED], parse_runs)  # type: ignore[no-any-return]

    reading = read_import_runs(Feed(), [RUN], since=1.79e9, keep_going=lambda: True)
    assert offsets == [0, 500]
    assert set(reading.rows) == {RUN}


@pytest.mark.parametrize(
    "date",
    [
        "Sun, 22 Nov 99999999999 12:00:00 GMT",
        "Sun, 22 Nov 9999 12:00:00 GMT",
        "Mon, 01 Jan 1900 00:00:00 GMT",
        "1" * 5000,
    ],
)
def test_a_date_that_no_clock_shows_is_no_date(date: str) -> None:
    assert http_date(date) is None


@given(date=st.text() | st.from_regex(r"\w{3}, \d{1,12} \w{3} \d{1,12} \d+:\d+:\d+ [+-]?\w+", fullmatch=True))
def test_any_date_header_is_a_time_or_nothing(date: str) -> None:
    moment = http_date(date)
    assert moment is None or moment.utcoffset() == timedelta(0)


@pytest.mark.parametrize("odd", ["x" * 65, "\x1b[31m", "[a](http://evil.example)", {"id": 1}, [], 7, None, ""])
def test_a_run_id_that_is_no_id_is_not_taken_for_one(odd: object) -> None:
    assert import_run_id({**IMPORT, "pipeline_run_id": odd}) is None
    named = {**IMPORT["items"][0], "pipeline_run_id": RUN}
    assert import_run_id({**IMPORT, "pipeline_run_id": odd, "items": [named]}) == RUN
    assert import_run_id(IMPORT) == RUN


@pytest.mark.parametrize("text", ["[a](http://evil.example)", "\x1b[31mValueError", "<b>", "x" * 101, "two words"])
def test_an_error_class_that_is_no_name_is_not_shown(text: str) -> None:
    (row,) = answered([{**FAILED, "error_class": text}], parse_runs)
    assert row.error_class is None
