"""A push that fails when it has sent something leaves no green check, and no confirmation, behind."""

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster.dagster import keys
from cognee_dagster.dagster.event_log.evaluations import evaluation_in
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import UPLOADS, Fault, answer, cut_request, drop_answer
from tests.asset_chain import NO_RETRY, Chain, failure_of, people
from tests.unit.alert_world import Alerts
from tests.unit.target_world import PROD, STAGING, TO_ARCHIVE, TwoRemotes, two_remotes

world = pytest.fixture(two_remotes)

TO_STAGING = (*TO_ARCHIVE, "people/staging/remote_push")
PUSH_TO_PROD = "people/prod/remote_push"


@pytest.fixture(params=["full", None], ids=["full", "mirror"])
def chain(request: pytest.FixtureRequest, remote: FakeRemote, tmp_path: Path) -> Chain:
    """A graph was pushed, and its import has succeeded; another one is to be pushed next."""
    chain = Chain(remote=remote, directory=tmp_path, options={"retry_policy": NO_RETRY, "sync": request.param})
    assert chain.run().success
    assert latest_check(chain).passed
    chain.graph = people(size=5)
    return chain


@pytest.fixture(params=["full", None], ids=["full", "mirror"])
def promoting(request: pytest.FixtureRequest, world: TwoRemotes) -> TwoRemotes:
    """Staging has confirmed three people; five are to be pushed there next."""
    world.targets = (replace(STAGING, sync=request.param), replace(PROD, promote_from="staging"))
    assert world.run(*TO_STAGING).success
    world.graph = people(size=5)
    return world


def latest_check(chain: Chain | TwoRemotes, graph_key: dg.AssetKey | None = None) -> dg.AssetCheckEvaluation:
    key = dg.AssetCheckKey(graph_key or chain.dataset.remote_graph_key, keys.CHECK_IMPORT_SUCCEEDED)
    (record,) = chain.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    evaluation = evaluation_in(record)
    assert evaluation is not None
    return evaluation


def why_not_promoted(world: TwoRemotes) -> str:
    words, metadata = failure_of(world.run(PUSH_TO_PROD), "prod__remote_push")
    assert metadata[keys.ERROR] == "PromotionError"
    assert world.production.uploads == []
    return words


def test_a_push_whose_import_failed_turns_the_check_red_with_what_failed_where(
    chain: Chain, remote: FakeRemote
) -> None:
    remote.fail_next_import("RuntimeError")
    run_id = chain.run().run_id
    evaluation = latest_check(chain)
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.ERROR)
    metadata = {key: value.value for key, value in evaluation.metadata.items()}
    assert metadata[keys.STATUS] == "failed"
    assert metadata[keys.PUSH_RUN_ID] == run_id
    assert (metadata[keys.TARGET_DATASET], metadata[keys.REMOTE_URL]) == ("people", remote.url)
    assert metadata[keys.REASON] == evaluation.description
    assert f"into dataset 'people' on {remote.url}: the push failed." in str(metadata[keys.REASON])


@pytest.mark.parametrize("fault", [drop_answer(), cut_request(100), answer(500)])
def test_a_push_of_which_nobody_knows_what_became_turns_the_check_red(
    chain: Chain, remote: FakeRemote, fault: Fault
) -> None:
    remote.faults.on(UPLOADS, fault)
    remote.fail_next_import("RuntimeError")
    assert not chain.run().success
    assert not latest_check(chain).passed


@pytest.mark.parametrize(
    ("options", "config", "fault"),
    [
        ({"url": "http://127.0.0.1:9"}, None, None),
        ({"api_key": "wrong"}, None, None),
        ({}, {"target_dataset": "my data"}, None),
        ({}, {"dry_run": True}, None),
        ({}, None, answer(400)),
        ({}, None, answer(413)),
    ],
)
def test_a_push_that_sent_nothing_or_was_refused_leaves_the_check_as_it_is(
    chain: Chain, remote: FakeRemote, options: dict[str, Any], config: dict[str, Any] | None, fault: Fault | None
) -> None:
    chain.remote_options = options
    remote.faults.on(UPLOADS, fault)
    chain.run(config=config)
    assert latest_check(chain).passed
    chain.remote_options = {}
    assert chain.check().passed


def test_the_next_push_makes_it_good(chain: Chain, remote: FakeRemote) -> None:
    remote.fail_next_import("RuntimeError")
    chain.run()
    assert chain.run().success
    assert latest_check(chain).passed
    assert chain.check().passed


def test_executed_the_check_judges_the_push_that_failed(chain: Chain, remote: FakeRemote) -> None:
    remote.fail_next_import("RuntimeError")
    chain.run()
    evaluation = chain.check()
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "the push failed" in str(evaluation.description)


def test_a_person_is_told_once_of_a_push_that_failed_however_often_the_check_is_executed(tmp_path: Path) -> None:
    with FakeRemote() as remote:
        instance = dg.DagsterInstance.local_temp(str(tmp_path))
        chain = Chain(remote=remote, directory=tmp_path, options={"retry_policy": NO_RETRY}, instance=instance)
        alerts = Alerts(instance, [chain.dataset.push_key], now=datetime.now(timezone.utc).timestamp())
        alerts.tick()
        remote.fail_next_import("RuntimeError")
        chain.run()
        chain.check()
        alerts.tick()
        alerts.tick()
    assert [failure.kind for failure in alerts.told] == ["push"]


def seen_to_begin(chain: Chain, run_id: str, *, dagster_run: str) -> None:
    """What a push that is killed after that leaves in the event log."""
    chain.instance.report_runless_asset_event(
        dg.AssetObservation(
            chain.dataset.push_key,
            metadata={
                keys.TARGET_DATASET: "people",
                keys.REMOTE_URL: chain.remote.url,
                keys.PIPELINE_RUN_ID: run_id,
                keys.PUSH_RUN_ID: dagster_run,
            },
        )
    )


@pytest.mark.parametrize(
    ("state", "severity", "words"),
    [
        ("ERRORED", dg.AssetCheckSeverity.ERROR, "the import failed"),
        ("COMPLETED", dg.AssetCheckSeverity.WARN, "Push again: it goes on from there."),
        ("STARTED", dg.AssetCheckSeverity.WARN, "the graph is being imported"),
    ],
)
def test_executed_the_check_asks_about_the_import_of_a_push_that_was_killed(
    chain: Chain, remote: FakeRemote, state: Any, severity: dg.AssetCheckSeverity, words: str
) -> None:
    seen_to_begin(chain, remote.add_run("people", state=state), dagster_run="gone")
    evaluation = chain.check()
    assert (evaluation.passed, evaluation.severity) == (False, severity)
    assert words in str(evaluation.description)


def test_nothing_is_promoted_after_a_push_to_staging_has_failed(promoting: TwoRemotes) -> None:
    promoting.staging.fail_next_import("RuntimeError")
    assert not promoting.run(*TO_STAGING).success
    words = why_not_promoted(promoting)
    assert "a push after what people/staging/remote_graph confirms has failed." in words
    assert "When that is mended, launch this again" in words
    assert promoting.run("people/staging/remote_push").success
    assert promoting.run(PUSH_TO_PROD).success
    assert len(promoting.production.graph("people_prod").nodes) == 5


def test_no_word_on_the_check_makes_a_push_good_that_failed(promoting: TwoRemotes) -> None:
    promoting.staging.fail_next_import("RuntimeError")
    assert not promoting.run(*TO_STAGING).success
    promoting.instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=promoting.dataset.target("staging").remote_graph_key,
            check_name=keys.CHECK_IMPORT_SUCCEEDED,
            passed=True,
        )
    )
    assert "has failed" in why_not_promoted(promoting)


def test_what_was_pushed_to_another_dataset_of_staging_is_no_confirmation(promoting: TwoRemotes) -> None:
    experiment = {"target_dataset": "experiment"}
    assert promoting.run(*TO_STAGING, config=experiment, target="staging").success
    assert len(promoting.staging.graph("experiment").nodes) == 5
    promoting.graph = people(size=7)
    promoting.staging.fail_next_import("RuntimeError")
    assert not promoting.run(*TO_STAGING, config=experiment, target="staging").success
    assert promoting.run(PUSH_TO_PROD).success
    assert len(promoting.production.graph("people_prod").nodes) == 3


def test_a_push_to_another_dataset_alone_confirms_nothing(world: TwoRemotes) -> None:
    world.targets = (STAGING, replace(PROD, promote_from="staging"))
    assert world.run(*TO_STAGING, config={"target_dataset": "experiment"}, target="staging").success
    assert "was never materialized by an import into 'people'" in why_not_promoted(world)
