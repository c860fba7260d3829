"""The check ``remote_answers``: whether the remote has an answer to a dataset's probes, and when it is asked."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cognee_dagster import CogneeDataset, Probe, RemoteTarget, build_import_sensor
from cognee_dagster.dagster import keys
from cognee_dagster.dagster.event_log.import_events import ImportOutcome
from cognee_dagster.dagster.event_log.pushes import Push
from cognee_dagster.dagster.sensors.answers import Prober
from cognee_dagster.dagster.sensors.budget import TimeBudget
from cognee_dagster.dagster.sensors.tick_summary import TickSummary
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.pushing.probes.asking import ProbeAnswer
from cognee_dagster.remote.imports.verdict import ImportVerdict
from cognee_dagster.remote.imports.vocabulary import ImportState
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import DATASETS, SEARCHES, answer
from tests.asset_chain import NO_RETRY, Chain, checks, failure_of, materialized
from tests.unit.target_world import STAGING, TO_ARCHIVE, TwoRemotes
from tests.unit.tenant_world import Tenants, some_tenants

KNOWN = Probe("Whom does Person 0 know?", contains="person 1")
UNKNOWN = Probe("Who is Ada?", contains="Ada")


@pytest.fixture
def chain(remote: FakeRemote, tmp_path: Path) -> Chain:
    return Chain(remote=remote, directory=tmp_path, options={"probes": [KNOWN], "retry_policy": NO_RETRY})


tenants = pytest.fixture(some_tenants)


def searches(remote: FakeRemote) -> int:
    return [request.path for request in remote.requests].count(SEARCHES)


def rows(evaluation: dg.AssetCheckEvaluation) -> list[dict[str, Any]]:
    table = evaluation.metadata[keys.ANSWERS]
    assert isinstance(table, dg.TableMetadataValue)
    return [dict(record.data) for record in table.records]


# In the step of a push


def test_a_push_that_waits_asks_when_the_import_has_ended(chain: Chain, remote: FakeRemote) -> None:
    result = chain.run()
    assert result.success
    evaluation = checks(result)["remote_answers"]
    assert (evaluation.passed, evaluation.asset_key) == (True, chain.dataset.remote_graph_key)
    assert evaluation.description == f"'people' on {remote.url} has an answer to 1 probe."
    (row,) = rows(evaluation)
    assert "Person 0 --[knows]--> Person 1" in row.pop("found")
    assert row == {
        "question": KNOWN.question,
        "search_type": "GRAPH_COMPLETION",
        "must_contain": "person 1",
        "answered": "yes",
    }
    assert evaluation.metadata[keys.PUSH_RUN_ID].value == result.run_id


def test_an_answer_without_it_fails_the_check_with_what_was_found_and_not_the_push(chain: Chain) -> None:
    chain.options["probes"] = [KNOWN, UNKNOWN]
    result = chain.run()
    assert result.success
    evaluation = checks(result)["remote_answers"]
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert str(evaluation.description).startswith("'people' on ")
    assert "has no answer to 1 of 2 probes: `Who is Ada?` does not find `Ada`, but `" in str(evaluation.description)
    assert [row["answered"] for row in rows(evaluation)] == ["yes", "no"]
    assert "Person" in rows(evaluation)[1]["found"]
    assert checks(result)["remote_import_succeeded"].passed
    assert materialized(result)[-1] == "remote_graph"


def test_a_probe_may_only_warn(chain: Chain) -> None:
    chain.options["probes"] = [Probe("Who is Ada?", contains="Ada", severity="warn")]
    evaluation = checks(chain.run())["remote_answers"]
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)


def test_a_remote_that_cannot_be_asked_then_is_a_warning_and_the_push_is_made(chain: Chain, remote: FakeRemote) -> None:
    chain.options["probes"] = [KNOWN, UNKNOWN]
    remote.faults.on(SEARCHES, answer(500))
    remote.faults.on(SEARCHES, None)
    result = chain.run()
    assert result.success
    evaluation = checks(result)["remote_answers"]
    assert not evaluation.passed
    assert [row["answered"] for row in rows(evaluation)] == ["not known", "no"]
    assert evaluation.severity is dg.AssetCheckSeverity.ERROR  # the other one is known to have no answer
    chain.options["probes"] = [KNOWN]
    remote.faults.on(SEARCHES, answer(503, "busy"))
    unknown = checks(chain.run())["remote_answers"]
    assert (unknown.passed, unknown.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "could not be asked about 1 of 1 probe: " in str(unknown.description)


def test_an_import_that_lacks_something_is_asked_too_so_that_no_older_pass_stays(
    chain: Chain, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.options |= {"verify": "graph", "fail_on_incomplete": True}
    shown = remote.graph
    monkeypatch.setattr("cognee_dagster.testing.graph.Graph.shown", lambda _: {"nodes": [], "edges": []})
    result = chain.run()
    assert shown("people").nodes
    assert failure_of(result, "remote_push")
    assert not checks(result)["remote_import_succeeded"].passed
    assert "remote_answers" in checks(result)


def test_a_dataset_without_probes_has_no_such_check_and_asks_nothing(chain: Chain, remote: FakeRemote) -> None:
    chain.options.pop("probes")
    assert "remote_answers" not in checks(chain.run())
    assert searches(remote) == 0
    assert [key for asset in chain.assets for key in asset.check_keys if key.name == "remote_answers"] == []


# Executed


def test_executed_it_asks_what_the_remote_has_now(chain: Chain, remote: FakeRemote) -> None:
    assert chain.run().success
    assert chain.check("remote_answers").passed
    remote.graph("people").edges.clear()
    evaluation = chain.check("remote_answers")
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert rows(evaluation)[0]["found"] == ""
    assert "nor anything else" in str(evaluation.description)
    remote.state.datasets.clear()
    assert "has no dataset 'people'. Push it." in str(chain.check("remote_answers").description)


def test_what_cannot_be_asked_is_a_warning_with_the_reason_and_never_a_pass(
    chain: Chain, remote: FakeRemote, tmp_path: Path
) -> None:
    def warned() -> str:
        evaluation = chain.check("remote_answers")
        assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
        return str(evaluation.description)

    assert "Nothing was pushed yet" in warned()
    assert chain.run().success
    with FakeRemote() as other:
        chain.remote = other
        assert "The latest push went to" in warned()
    chain.remote = remote
    remote.faults.on(DATASETS, answer(500, "no"))
    assert "when listing its datasets" in warned()
    remote.kill()
    assert "could not be asked" in warned()


def test_while_the_import_is_under_way_nothing_is_known(chain: Chain, remote: FakeRemote) -> None:
    chain.options["run_in_background"] = True
    with remote.hold_imports():
        assert "remote_answers" not in checks(chain.run())
        evaluation = chain.check("remote_answers")
        assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
        assert "still under way" in str(evaluation.description)


# By the sensor


def tick(chain: Chain, cursor: str | None = None, *, budget: float = 40.0) -> dg.SensorResult:
    """A tick of the import sensor, whose events are written."""
    sensor = build_import_sensor([chain.dataset], time_budget_seconds=budget)
    definitions = dg.Definitions(assets=chain.assets, resources=chain.resources, sensors=[sensor])
    with dg.build_sensor_context(
        instance=chain.instance, definitions=definitions, cursor=cursor, resources=chain.resources
    ) as context:
        result = sensor.evaluate_tick(context)
    for event in result.asset_events:
        chain.instance.report_runless_asset_event(event)
    return result  # type: ignore[return-value]  # the data of a tick, which has what is looked at


def test_the_sensor_asks_when_an_import_in_the_background_has_succeeded(chain: Chain, remote: FakeRemote) -> None:
    chain.options["probes"] = [KNOWN, UNKNOWN]
    push_in_background(chain)
    events = wait_for_events(chain)
    assert [type(event).__name__ for event in events] == [
        "AssetMaterialization",
        "AssetCheckEvaluation",
        "AssetCheckEvaluation",
    ]
    answers, import_check = events[1:]
    # The check of the import is the last: what was killed before it is reported again, answers and all.
    assert (answers.check_name, import_check.check_name) == ("remote_answers", "remote_import_succeeded")
    assert (answers.passed, import_check.passed) == (False, True)
    assert [row["answered"] for row in rows(answers)] == ["yes", "no"]


def push_in_background(chain: Chain) -> None:
    chain.options["run_in_background"] = True
    with chain.remote.hold_imports():
        assert chain.run().success
        assert tick(chain).asset_events == []


def wait_for_events(chain: Chain) -> Any:
    for _ in range(200):
        if events := tick(chain).asset_events:
            return events
    raise AssertionError("the import did not end")


def test_an_import_in_the_background_that_fails_is_not_asked(chain: Chain, remote: FakeRemote) -> None:
    remote.fail_next_import()
    push_in_background(chain)
    (event,) = wait_for_events(chain)
    assert (event.check_name, event.passed) == ("remote_import_succeeded", False)
    assert searches(remote) == 0


def test_the_sensor_reports_the_import_of_a_remote_that_does_not_search(chain: Chain, remote: FakeRemote) -> None:
    push_in_background(chain)
    remote.faults.on(SEARCHES, *[answer(404, '{"detail": "Not Found"}')] * 3)
    answers = wait_for_events(chain)[1]
    assert (answers.passed, answers.severity) == (False, dg.AssetCheckSeverity.WARN)


def test_probes_beyond_a_ticks_time_wait_for_the_next_one_but_for_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither is an import reported without answers that there is time for, nor is one never reported."""

    def ask(client: Any, probes: Any, **_: Any) -> list[ProbeAnswer]:
        return [ProbeAnswer(probe=probe, is_found=True) for probe in probes]

    monkeypatch.setattr("cognee_dagster.dagster.sensors.answers.ask_probes", ask)
    outcomes = [an_outcome(number, succeeded=number != 2) for number in range(4)]
    asked = {0: [KNOWN], 1: [KNOWN], 2: [KNOWN], 3: []}
    prober = Prober(client=None, probes=lambda push: asked[push.storage_id])  # type: ignore[arg-type]  # not reached
    summary = TickSummary()
    complete = prober.with_answers(outcomes, budget=TimeBudget(0.0), summary=summary)
    assert [(found.push.storage_id, found.answers is not None) for found in complete] == [
        (0, True),
        (2, False),
        (3, False),
    ]
    assert str(summary) == "1 to be reported next."


def test_a_probe_that_the_end_of_a_tick_cuts_off_is_asked_again_in_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There was time to begin, and none to wait for the answer: nothing is known, but not for good."""
    seconds = 0.0

    def ask(client: Any, probes: Any, **_: Any) -> list[ProbeAnswer]:
        nonlocal seconds
        seconds += 4.0
        in_time = seconds <= 10.0
        return [ProbeAnswer(probe=probe, is_found=True if in_time else None) for probe in probes]

    monkeypatch.setattr("cognee_dagster.dagster.sensors.answers.ask_probes", ask)
    prober = Prober(client=None, probes=lambda _: [KNOWN])  # type: ignore[arg-type]  # not reached
    outcomes = [an_outcome(number, succeeded=True) for number in range(4)]
    budget, summary = TimeBudget(10.0, clock=lambda: seconds), TickSummary()
    complete = prober.with_answers(outcomes, budget=budget, summary=summary)
    assert [found.push.storage_id for found in complete] == [0, 1]
    assert all(answer.is_found for found in complete if found.answers for answer in found.answers.items)
    assert str(summary) == "2 to be reported next."


def an_outcome(number: int, *, succeeded: bool) -> ImportOutcome:
    push = Push(
        storage_id=number,
        asset_key=dg.AssetKey(["people", "remote_push"]),
        partition=None,
        dagster_run_id="run",
        timestamp=0.0,
        metadata={},
    )
    state = ImportState.SUCCEEDED if succeeded else ImportState.FAILED
    return ImportOutcome(push=push, verdict=ImportVerdict(state=state, reason=""))


# Targets and partitions


def test_each_target_has_probes_of_its_own(remote: FakeRemote, tmp_path: Path) -> None:
    with FakeRemote() as production:
        asked = RemoteTarget("prod", remote="production", sync="full", probes=[UNKNOWN])
        world = TwoRemotes(staging=remote, production=production, directory=tmp_path, targets=(STAGING, asked))
        result = world.run(*TO_ARCHIVE, "people/staging/remote_push", "people/prod/remote_push")
        (evaluation,) = [
            found for found in result.get_asset_check_evaluations() if found.check_name == "remote_answers"
        ]
        assert evaluation.asset_key == world.dataset.target("prod").remote_graph_key
        assert (searches(remote), searches(production)) == (0, 1)


def test_each_partition_is_asked_with_its_key_in_the_probe(tenants: Tenants, remote: FakeRemote) -> None:
    tenants.options["probes"] = [Probe("Whom does Person 0 of {partition} know?", contains="Person 1")]
    for tenant in ("acme", "beta"):
        tenants.write(tenant, size=2)
        assert checks(tenants.run(tenant))["remote_answers"].metadata[keys.PARTITION].value == tenant
    result = tenants.check("remote_answers")
    assert (result.passed, result.description) == (True, "2 of 2 partitions are as they should be.")
    remote.graph("tenant_beta").edges.clear()
    result = tenants.check("remote_answers")
    assert not result.passed
    assert "1 of 2 partitions are as they should be.\nbeta: 'tenant_beta'" in str(result.description)
    assert "Person 0 of beta" in str(result.description)


def test_a_partition_whose_probes_cannot_be_asked_says_nothing_of_the_others(
    tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenants.options["probes"] = [Probe("Whom does Person 0 of {partition} know?", contains="Person 1")]
    for tenant in ("acme", "beta"):
        tenants.write(tenant, size=2)
        assert tenants.run(tenant).success
    of_partition = CogneeDataset.of_partition

    def refused(self: CogneeDataset, key: str) -> CogneeDataset:
        if key == "acme":
            raise DatasetDefinitionError("Partition 'acme' cannot be used.")
        return of_partition(self, key)

    dataset = tenants.dataset  # whose own partitions are looked at when it is made
    monkeypatch.setattr(Tenants, "dataset", dataset)
    monkeypatch.setattr(CogneeDataset, "of_partition", refused)
    result = tenants.check("remote_answers")
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    said = "1 of 2 partitions are as they should be.\nacme: Partition 'acme' cannot be used."
    assert str(result.description).startswith(said)


def test_the_sensor_knows_the_probes_of_each_partition(tenants: Tenants, remote: FakeRemote) -> None:
    tenants.options |= {"probes": [Probe("{partition}?", contains="{partition}")], "run_in_background": True}
    tenants.write("acme", size=2)
    with remote.hold_imports():
        assert tenants.run("acme").success
    definitions = tenants.definitions
    (sensor,) = definitions.sensors or ()  # the shared one, which is told no datasets
    assert isinstance(sensor, dg.SensorDefinition)
    for _ in range(200):
        with dg.build_sensor_context(
            instance=tenants.instance, definitions=definitions, resources=definitions.resources
        ) as context:
            if events := sensor.evaluate_tick(context).asset_events:
                break
    assert isinstance(events[1], dg.AssetCheckEvaluation)
    assert rows(events[1])[0]["must_contain"] == "acme"


# As it is said


def test_what_is_no_probe_is_refused_where_it_is_said() -> None:
    for wrong in (["Who?"], "Who?", [KNOWN] * 21):
        with pytest.raises(DatasetDefinitionError, match=r"probes=.*a list of Probe, 20 at most"):
            CogneeDataset(name="demo", probes=wrong)  # type: ignore[arg-type]
    with pytest.raises(DatasetDefinitionError, match="each RemoteTarget says that itself"):
        CogneeDataset(name="demo", probes=[KNOWN], targets=[STAGING])
