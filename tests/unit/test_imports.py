"""What the rows of a server's run feed mean for one import."""

from datetime import datetime, timedelta, timezone
from random import Random

import msgspec
import pytest

from cognee_dagster.remote.imports.verdict import ImportVerdict, judge_import, judge_rederive
from cognee_dagster.remote.imports.vocabulary import (
    ADD_PIPELINE,
    COGNIFY_PIPELINE,
    IMPORT_PIPELINE,
    ImportState,
    cognify_follows,
)
from cognee_dagster.remote.moments import http_date
from cognee_dagster.remote.responses import PipelineRun

START = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
DATASET = "011a0f69-ce99-5a5e-acf4-81e800cfd2fc"
STATES = {"started": "DATASET_PROCESSING_STARTED", "succeeded": "DATASET_PROCESSING_COMPLETED"}


def row(
    run_id: str,
    outcome: str = "started",
    *,
    at: float = 0,
    began: float = 0,
    error: str | None = None,
    pipeline: str | None = IMPORT_PIPELINE,
    dataset: str = DATASET,
    name: str | None = "handbook",
    old: bool = False,
) -> PipelineRun:
    """A row written ``at`` seconds after START by a run that ``began`` then; ``old``: as before Cognee 1.5.4."""
    ended = outcome != "started"
    return PipelineRun(
        row_id=f"{run_id}-{at}",
        kind="operation" if pipeline is None else "pipeline",
        pipeline_name=pipeline,
        pipeline_run_id=run_id,
        status=None if pipeline is None else STATES.get(outcome, "DATASET_PROCESSING_ERRORED"),
        outcome=outcome if ended and not old else None,
        error_class=error,
        dataset_id=dataset,
        dataset_name=name,
        created_at=START + timedelta(seconds=at),
        started_at=None if old else START + timedelta(seconds=began),
        ended_at=START + timedelta(seconds=at) if ended and not old else None,
    )


def judge(*rows: PipelineRun, run_id: str = "a", cognifies: bool = False, after: float = 10) -> ImportVerdict:
    """The verdict ``after`` seconds; whatever the order of the rows."""
    shuffled = Random(len(rows)).sample(rows, len(rows))
    now = START + timedelta(seconds=after)
    return judge_import(shuffled, run_id=run_id, cognifies=cognifies, now=now, stalled_after=timedelta(minutes=30))


def test_a_run_without_an_end_is_running() -> None:
    verdict = judge(row("a"))

    assert verdict.state is ImportState.RUNNING
    assert (verdict.started_at, verdict.finished_at) == (START, None)
    assert verdict.progress == "the graph is being imported"
    assert "since 10 s" in verdict.reason


def test_a_run_that_ended_well_has_succeeded() -> None:
    verdict = judge(row("a"), row("a", "succeeded", at=5))

    assert verdict.state is ImportState.SUCCEEDED
    assert (verdict.started_at, verdict.finished_at) == (START, START + timedelta(seconds=5))


def test_servers_before_1_5_4_say_by_the_status_alone_how_a_run_ended() -> None:
    assert judge(row("a", old=True), row("a", "succeeded", at=5, old=True)).state is ImportState.SUCCEEDED
    failed = judge(row("a", old=True), row("a", "failed", at=5, old=True))
    assert failed.state is ImportState.FAILED
    assert "does not say why" in failed.reason


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("FileNotFoundError", "background_strategy auto or detached"),
        ("AbandonedPipelineRunError", "Push again"),
        ("IngestionError", "belongs to another dataset"),
        ("KeyError", "the server's log"),
    ],
)
def test_a_failure_says_what_to_do_next(error: str, advice: str) -> None:
    verdict = judge(row("a"), row("a", "failed", at=5, error=error))

    assert verdict.state is ImportState.FAILED
    assert verdict.error_class == error
    assert error in verdict.reason
    assert advice in verdict.reason


def test_only_the_imports_own_run_counts() -> None:
    """An older run that the recovery sweep closes late becomes the dataset's latest row, and must not be ours."""
    rows = [
        row("dead"),
        row("a", at=60, began=60),
        row("a", "succeeded", at=90, began=60),
        row("dead", "failed", at=4000, error="AbandonedPipelineRunError"),
    ]

    assert judge(*rows, after=5000).state is ImportState.SUCCEEDED
    assert judge(*rows, run_id="dead", after=5000).state is ImportState.FAILED


def test_a_sweep_that_takes_a_live_run_for_dead_does_not_overturn_its_success() -> None:
    rows = [
        row("a"),
        row("a", "failed", at=3700, error="AbandonedPipelineRunError"),
        row("a", "succeeded", at=3600),
    ]

    assert judge(*rows, after=4000).state is ImportState.SUCCEEDED


def test_an_operation_row_decides_nothing() -> None:
    """Its "succeeded" means that background work was accepted."""
    assert judge(row("a"), row("a", "succeeded", at=1, pipeline=None)).state is ImportState.RUNNING


def test_a_run_that_is_not_shown_is_unknown() -> None:
    verdict = judge(row("b"), row("b", "succeeded", at=5))

    assert verdict.state is ImportState.UNKNOWN
    assert "no such run" in verdict.reason


def test_a_run_without_an_end_stalls_with_age() -> None:
    assert judge(row("a"), after=30 * 60 - 1).state is ImportState.RUNNING
    stalled = judge(row("a"), after=30 * 60)
    assert stalled.state is ImportState.STALLED
    assert "begun 30 min ago" in stalled.reason
    assert "Push again" in stalled.reason
    assert not stalled.state.is_final


def test_without_the_servers_clock_age_is_read_off_the_rows() -> None:
    """However wrong this machine's clock is: only another row that is so much newer makes a run look old."""
    alone = judge_import([row("a")], run_id="a", stalled_after=timedelta(minutes=30))
    beside = judge_import([row("a"), row("b", at=2000)], run_id="a", stalled_after=timedelta(minutes=30))

    assert alone.state is ImportState.RUNNING
    assert beside.state is ImportState.STALLED


def test_rows_of_the_future_are_running() -> None:
    verdict = judge(row("a", at=5000, began=5000))

    assert verdict.state is ImportState.RUNNING
    assert "since 0 s" in verdict.reason


@pytest.mark.parametrize("rows", [[row("a", name=None)], [row("a", name=None), row("a", "succeeded", at=5, name=None)]])
def test_a_dataset_deleted_since_is_gone(rows: list[PipelineRun]) -> None:
    """Rows outlive their dataset; without its name nobody can read the graph that they speak of."""
    verdict = judge(*rows)

    assert verdict.state is ImportState.GONE
    assert "deleted" in verdict.reason


def hybrid(*follow_up: PipelineRun) -> list[PipelineRun]:
    return [row("a"), row("a", "succeeded", at=5), *follow_up]


ADDED = [
    row("add", at=6, began=6, pipeline=ADD_PIPELINE),
    row("add", "succeeded", at=7, began=6, pipeline=ADD_PIPELINE),
]


def test_an_import_that_cognifies_is_not_finished_with_its_graph() -> None:
    assert judge(*hybrid(), cognifies=True).progress == "the documents are being stored"
    assert judge(*hybrid(*ADDED), cognifies=True).state is ImportState.RUNNING
    cognifying = judge(*hybrid(*ADDED, row("c", at=8, began=8, pipeline=COGNIFY_PIPELINE)), cognifies=True)
    assert cognifying.state is ImportState.RUNNING
    assert cognifying.progress == "the documents are being cognified"


def test_an_import_that_cognifies_ends_with_the_cognify_run() -> None:
    started = row("c", at=8, began=8, pipeline=COGNIFY_PIPELINE)
    done = judge(
        *hybrid(*ADDED, started, row("c", "succeeded", at=99, began=8, pipeline=COGNIFY_PIPELINE)), cognifies=True
    )
    failure = row("c", "failed", at=99, began=8, pipeline=COGNIFY_PIPELINE, error="InternalServerError")
    failed = judge(*hybrid(*ADDED, started, failure), cognifies=True)

    assert (done.state, done.started_at, done.finished_at) == (
        ImportState.SUCCEEDED,
        START,
        START + timedelta(seconds=99),
    )
    assert failed.state is ImportState.FAILED
    assert "language model" in failed.reason


def test_a_cognify_run_before_the_import_or_of_another_dataset_is_not_its() -> None:
    earlier = [
        row("c", at=1, began=1, pipeline=COGNIFY_PIPELINE),
        row("c", "succeeded", at=2, pipeline=COGNIFY_PIPELINE),
    ]
    elsewhere = [row("d", "succeeded", at=9, began=8, pipeline=COGNIFY_PIPELINE, dataset="another")]

    assert judge(*hybrid(*earlier, *elsewhere), cognifies=True).state is ImportState.RUNNING


def test_the_first_cognify_run_after_the_import_is_its_own() -> None:
    own = row("c", "succeeded", at=20, began=8, pipeline=COGNIFY_PIPELINE)
    next_one = row("d", "failed", at=40, began=30, pipeline=COGNIFY_PIPELINE, error="ValueError")

    assert judge(*hybrid(own, next_one), cognifies=True).state is ImportState.SUCCEEDED


def test_documents_that_cannot_be_stored_fail_the_import() -> None:
    refused = row("add", "failed", at=7, began=6, pipeline=ADD_PIPELINE, error="IngestionError")

    verdict = judge(*hybrid(refused), cognifies=True)

    assert (verdict.state, verdict.error_class) == (ImportState.FAILED, "IngestionError")


def test_an_import_whose_graph_failed_does_not_wait_for_cognify() -> None:
    rows = [row("a"), row("a", "failed", at=5, error="ValueError")]

    assert judge(*rows, cognifies=True).state is ImportState.FAILED


def test_a_cognify_run_that_never_comes_stalls() -> None:
    assert judge(*hybrid(), cognifies=True, after=5 + 30 * 60).state is ImportState.STALLED


def rederive(*rows: PipelineRun, after: float = 20) -> ImportVerdict:
    since, now = START + timedelta(seconds=5), START + timedelta(seconds=after)
    return judge_rederive(rows, dataset_id=DATASET, since=since, now=now, stalled_after=timedelta(minutes=30))


def test_a_rederive_without_a_run_of_its_own_is_judged_by_what_follows_it() -> None:
    refused = row("add", "failed", at=7, began=6, pipeline=ADD_PIPELINE, error="IngestionError")
    cognified = row("c", "succeeded", at=9, began=8, pipeline=COGNIFY_PIPELINE)

    assert rederive().state is ImportState.RUNNING
    assert rederive(refused).error_class == "IngestionError"
    assert "one dataset a server" in rederive(refused).reason
    assert rederive(*ADDED, cognified).state is ImportState.SUCCEEDED
    assert rederive(after=5 + 30 * 60).state is ImportState.STALLED


def test_a_rederive_is_not_judged_by_runs_before_it() -> None:
    earlier = row("c", "failed", at=4, began=1, pipeline=COGNIFY_PIPELINE, error="ValueError")

    assert rederive(earlier).state is ImportState.RUNNING


def test_the_servers_clock_is_its_date_header() -> None:
    assert http_date("Sun, 22 Nov 2026 12:00:00 GMT") == START
    assert http_date("yesterday") is None
    assert http_date(None) is None


def test_an_outcome_that_nobody_knows_is_neither_success_nor_failure() -> None:
    strange = msgspec.structs.replace(row("a", "succeeded", at=5), outcome="partially")
    verdict = judge(row("a"), strange)
    assert verdict.state is ImportState.RUNNING
    assert "says 'partially' of it, which is not known here" in verdict.reason
    assert judge(row("a"), strange, row("a", "succeeded", at=8)).state is ImportState.SUCCEEDED


@pytest.mark.parametrize(
    "words",
    [
        {"status": "DATASET_PROCESSING_ERRORED"},
        {"status": "DATASET_PROCESSING_STARTED"},
        {"error_class": "ValueError"},
        {"outcome": "failed", "status": "DATASET_PROCESSING_COMPLETED"},
        {"outcome": None, "status": "DATASET_PROCESSING_COMPLETED", "error_class": "ValueError"},
    ],
)
def test_a_row_that_contradicts_itself_is_neither_success_nor_failure(words: dict[str, str | None]) -> None:
    """The graph would be materialized on its word."""
    strange = msgspec.structs.replace(row("a", "succeeded", at=5), **words)
    verdict = judge(row("a"), strange)
    assert verdict.state is ImportState.RUNNING
    assert "the remote contradicts itself about it" in verdict.reason
    assert judge(row("a"), strange, row("a", "failed", at=8)).state is ImportState.FAILED


@pytest.mark.parametrize("state", ImportState)
def test_a_state_is_found_by_the_word_that_results_and_metadata_have_for_it(state: ImportState) -> None:
    expected = ImportState.FAILED if state is ImportState.GONE else state
    assert ImportState.of_status(state.status) is expected


@pytest.mark.parametrize("word", ["errored", "Completed", "done", "", None, 1, "succeeded"])
def test_a_status_that_nobody_knows_is_unknown(word: object) -> None:
    assert ImportState.of_status(word) is ImportState.UNKNOWN


@pytest.mark.parametrize(
    ("status", "mode", "follows"),
    [
        ("started", "preserve", False),
        ("started", "hybrid", False),
        ("running", "hybrid", True),
        ("running", "re-derive", True),
        ("started", "re-derive", True),
    ],
)
def test_a_cognify_run_follows_where_the_server_says_running(status: str, mode: str, follows: bool) -> None:
    assert cognify_follows(status=status, mode=mode) is follows


@pytest.mark.parametrize(
    ("mode", "num_texts", "follows"),
    [
        ("preserve", 9, False),
        ("hybrid", 9, True),
        ("hybrid", 0, False),
        ("re-derive", 9, True),
        ("re-derive", 0, True),
        (None, 9, False),
    ],
)
def test_before_the_server_has_answered_it_is_told_by_the_mode_and_the_texts(
    mode: str | None, num_texts: int, follows: bool
) -> None:
    assert cognify_follows(mode=mode, num_texts=num_texts) is follows
