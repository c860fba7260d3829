"""A step that fails says what happened and what to do, and is tried again only where that can help."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from fsspec.registry import _registry as loaded_file_systems

from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.failures import is_retryable
from cognee_dagster.dagster.steps.documents import find_documents
from cognee_dagster.dagster.steps.step import engine_step, progress_in_log
from cognee_dagster.dagster.translator import CogneeStep
from cognee_dagster.errors import (
    CogneeDagsterError,
    DatasetDefinitionError,
    DatasetNotFoundError,
    RemoteAuthError,
    RemoteUnreachableError,
    StoreBusyError,
)
from cognee_dagster.store.archives import ArchiveStore
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import Chain, attempts, failure_of, materialized, people

TWICE = dg.RetryPolicy(max_retries=1, delay=0)


@pytest.fixture
def chain(remote: FakeRemote, tmp_path: Path) -> Chain:
    return Chain(remote=remote, directory=tmp_path, options={"retry_policy": TWICE})


def test_a_wrong_key_ends_the_push_at_once(chain: Chain) -> None:
    chain.remote_options = {"api_key": "wrong"}
    result = chain.run()
    message, metadata = failure_of(result, "remote_push")
    assert "key" in message
    assert metadata["cognee/error"] == "RemoteAuthError"
    assert attempts(result, "remote_push") == 1


def test_an_unreachable_remote_is_tried_again(chain: Chain, remote: FakeRemote) -> None:
    chain.remote_options = {"url": remote.url}
    remote.kill()
    result = chain.run()
    message, metadata = failure_of(result, "remote_push")
    assert remote.url in message
    assert metadata["cognee/error"] == "RemoteUnreachableError"
    assert attempts(result, "remote_push") == 2


def test_the_last_attempt_shows_its_error_not_how_many_there_were(chain: Chain, remote: FakeRemote) -> None:
    chain.remote_options = {"url": remote.url}
    remote.kill()
    (failed,) = [event for event in chain.run().all_events if event.is_step_failure]
    error = failed.step_failure_data.error
    assert error is not None
    assert remote.url in error.message
    assert "max_retries" not in error.to_string()


@pytest.mark.parametrize("terminated", [True, False])
def test_a_step_that_is_interrupted_is_tried_again_unless_its_run_was_terminated(
    chain: Chain, *, terminated: bool
) -> None:
    def interrupted(context: dg.AssetExecutionContext, step: CogneeStep) -> Iterator[Any]:
        if step.kind != "remote_push" or context.retry_number:
            yield from step.run()
            return
        if terminated:
            context.instance.report_run_canceling(context.run)
        raise dg.DagsterExecutionInterruptedError

    chain.options["execute"] = interrupted
    result = chain.run()
    (run,) = chain.instance.get_runs()
    assert run.status == (dg.DagsterRunStatus.CANCELED if terminated else dg.DagsterRunStatus.SUCCESS)
    assert attempts(result, "remote_push") == (1 if terminated else 2)


@pytest.mark.parametrize(("base", "missing"), [("s3://bucket/archives", "s3fs"), ("nowhere://archives", "nowhere")])
@pytest.mark.parametrize("step", ["cognified_graph", "cogx_archive", "remote_push"])
def test_archives_that_cannot_be_kept_end_the_step_at_once_and_name_what_is_missing(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, step: str, base: str, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)  # wherever it is installed
    monkeypatch.delitem(loaded_file_systems, "s3", raising=False)  # and has been loaded
    chain.run()
    chain.archives = base
    result = chain.run(step)
    message, metadata = failure_of(result, step)
    assert message.startswith(f"Archives cannot be kept in {base}: ")
    assert missing in message
    assert metadata["cognee/error"] == "DatasetDefinitionError"
    assert attempts(result, step) == 1


@pytest.mark.parametrize(
    ("error", "tries"),
    [(ModuleNotFoundError("No module named 'x'"), 1), (ValueError("no number"), 1), (OSError("the disk is away"), 2)],
)
def test_an_error_that_nobody_foresaw_is_shown_as_it_is(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, error: Exception, tries: int
) -> None:
    def push_archives(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("cognee_dagster.dagster.steps.push.push_archives", push_archives)
    result = chain.run()
    message, metadata = failure_of(result, "remote_push")
    assert message == f"{type(error).__name__}: {error}"
    assert metadata["cognee/error"] == type(error).__name__
    assert attempts(result, "remote_push") == tries


@pytest.mark.parametrize(("method", "step"), [("save", "cogx_archive"), ("find", "remote_push")])
@pytest.mark.parametrize(("error", "tries"), [(NotImplementedError("no such thing here"), 1), (OSError("away"), 2)])
def test_an_archive_store_that_fails_is_tried_again_where_that_can_help(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, method: str, step: str, error: Exception, tries: int
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(ArchiveStore, method, fails)
    result = chain.run()
    assert attempts(result, step) == tries
    (failed,) = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    assert failed is not None
    assert f"{type(error).__name__}: {error}" in failed.to_string()


def test_a_missing_connection_says_where_to_put_it(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.env").touch()
    monkeypatch.setenv("COGNEE_ENV_FILE", str(tmp_path / "empty.env"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("COGNEE_SERVICE_URL", "COGNEE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    chain.remote_options = {"url": None, "api_key": None}
    message, metadata = failure_of(chain.run(), "remote_push")
    assert "COGNEE_SERVICE_URL" in message
    assert metadata["cognee/error"] == "NoConnectionError"


def test_a_launch_that_cannot_work_is_refused_before_the_upload(chain: Chain, remote: FakeRemote) -> None:
    result = chain.run(config={"target_dataset": "my data"})
    assert failure_of(result, "remote_push")[1]["cognee/error"] == "InvalidTargetError"
    assert attempts(result, "remote_push") == 1
    assert remote.uploads == []


def test_a_misspelt_launch_setting_is_refused(chain: Chain) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError, match="run_in_the_background"):
        chain.run(config={"run_in_the_background": True})


def test_an_import_that_the_remote_fails_leaves_no_remote_graph(chain: Chain, remote: FakeRemote) -> None:
    for _ in range(4):  # a 409 is tried once more, in each of two attempts
        remote.fail_next_import()
    result = chain.run()
    assert not result.success
    assert materialized(result)[-1] == "cogx_archive"


def test_an_empty_archive_is_not_pushed_even_when_pushed_alone(chain: Chain, remote: FakeRemote) -> None:
    chain.graph = people(size=0)
    chain.run()
    chain.run("cogx_archive")
    message, metadata = failure_of(chain.run("remote_push"), "remote_push")
    assert "0 nodes" in message
    assert "cognify" not in str(metadata)  # the graph is no local dataset
    assert metadata["cognee/error"] == "EmptyGraphError"
    assert remote.uploads == []


def test_something_that_is_no_graph_is_refused(chain: Chain) -> None:
    chain.graph = {"not": "a graph"}
    message, metadata = failure_of(chain.run(), "cognified_graph")
    assert metadata["cognee/error"] == "GraphFileError"
    assert "people" in message


def test_documents_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetDefinitionError, match=r"'handbook'.*nowhere/\*\.md' matches no file"):
        find_documents(CogneeDataset(name="handbook", documents=[f"{tmp_path}/nowhere/*.md"]))


def test_documents_are_found_once_and_in_order(tmp_path: Path) -> None:
    for name in ("b.md", "a.md", "c.txt", "deep/er/d.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    dataset = CogneeDataset(name="handbook", documents=[f"{tmp_path}/*.md", f"{tmp_path}/**/*.md"])
    assert [path.relative_to(tmp_path).as_posix() for path in find_documents(dataset)] == [
        "a.md",
        "b.md",
        "deep/er/d.md",
    ]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RemoteUnreachableError("down", retryable=True), True),
        (StoreBusyError("writing"), True),
        (RemoteAuthError("401"), False),
        (DatasetNotFoundError("x"), False),
    ],
)
def test_only_what_may_pass_is_tried_again(error: CogneeDagsterError, expected: bool) -> None:
    assert is_retryable(error) is expected


def test_a_cancelled_run_passes_through() -> None:
    """Dagster interrupts a step with a BaseException; turning it into a failure would make it retry."""

    class Interrupted(BaseException):
        pass

    with pytest.raises(Interrupted), engine_step(dg.build_asset_context()):
        raise Interrupted


def test_what_the_engine_logs_is_in_the_runs_log_and_only_while_the_step_lasts() -> None:
    engine = logging.getLogger("cognee_dagster.somewhere")
    level_before = logging.getLogger("cognee_dagster").level

    @dg.asset
    def step(context: dg.AssetExecutionContext) -> None:
        with engine_step(context):
            engine.info("waiting %d s", 3)
        engine.info("afterwards")

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([step], instance=instance)
        messages = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert messages.count("waiting 3 s") == 1
    assert "afterwards" not in messages
    assert logging.getLogger("cognee_dagster").level == level_before


def test_progress_is_logged_now_and_then(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    clock = iter([0.0, 1.0, 11.0, 12.0, 22.0])
    monkeypatch.setattr("cognee_dagster.dagster.steps.step.time.monotonic", lambda: next(clock))
    log = logging.getLogger("test.progress")
    with caplog.at_level(logging.INFO, logger=log.name):
        report = progress_in_log(log, what="Upload")
        for done in (10, 50, 60, 100):
            report(done, 100)
    assert [record.message for record in caplog.records] == [
        "Upload: 50 of 100 bytes (50 %)",
        "Upload: 100 of 100 bytes (100 %)",
    ]
