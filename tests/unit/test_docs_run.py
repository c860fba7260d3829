"""What the documentation prints runs as printed: every example in Python, and the commands that need no Cognee."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml

from cognee_dagster import CogneeDataset, CogneeRemote, LocalCognee, build_definitions
from cognee_dagster.dagster.code_location import CodeLocationSettings
from cognee_dagster.dagster.push_assets import push_assets
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import metadata_of
from tests.daemon import daemon_context
from tests.printed import ROOT, Block, Command, blocks, commands, pattern_of, steady, terminal
from tests.readers_machine import in_this_process, make_local_cognee, push_all, readers_machine, run_example

PAGES = [ROOT / "README.md"] + [
    ROOT / "docs" / f"{name}.md"
    for name in (
        "guide",
        "staging-and-production",
        "tenants",
        "alerts",
        "bring-your-graph",
        "engine",
        "mirrors",
        "configuration",
        "existing-project",
        "from-push-cron-jobs",
    )
]
EVERY = [block for page in PAGES for block in blocks(page)]
# What takes Cognee itself is in tests/integration/test_docs_cognee.py.
OF_DOCUMENTS = [block for block in EVERY if block.language == "python" and "documents=" in block.text]
ON_REAL_COGNEE = [block for block in EVERY if block.text.startswith("$ cognee-dagster ")]
PYTHON = [block for block in EVERY if block.language == "python" and block not in OF_DOCUMENTS]
TENANTS = [block for block in PYTHON if "partitions_def=" in block.text]
EXAMPLES = [block for block in PYTHON if block not in TENANTS]
COMMANDS = [block for block in EVERY if block.language == "bash" and block.text.startswith("cognee-dagster ")]
VARIABLES = next(block for block in EVERY if block.text.startswith("COGNEE_DAGSTER_DATASETS="))
OF_EARLIER_RUNS = next(block for block in COMMANDS if "--archive" in block.text)
OF_A_MIRROR = [block for block in COMMANDS if block.page == "docs/mirrors.md"]
DRY_RUN = next(block for block in EVERY if block.language == "yaml" and "dry_run: true" in block.text)
PROBED = next(block for block in EXAMPLES if "probes=" in block.text)
AFTER_IMPORTS = next(block for block in EXAMPLES if "after_imports" in block.text)


@pytest.fixture(scope="module")
def cognee(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_local_cognee(tmp_path_factory.mktemp("cognee"))


@pytest.fixture
def environ(
    tmp_path: Path, cognee: Path, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    monkeypatch.chdir(tmp_path)
    with readers_machine(tmp_path, remote, cognee=cognee) as variables:
        yield variables


@pytest.fixture
def instance(environ: dict[str, str]) -> Iterator[dg.DagsterInstance]:
    with in_this_process(environ) as found:
        yield found


@pytest.mark.parametrize("block", EXAMPLES, ids=str)
def test_an_example_runs_as_printed(block: Block, instance: dg.DagsterInstance, remote: FakeRemote) -> None:
    names, printed = run_example(block)
    if "defs" in names:
        result = push_all(names["defs"], instance)
        assert result.success, [event for event in result.all_events if event.is_failure]
        # A target that takes what another has confirmed is left out of the job that pushes everything.
        wanted = [asset.key for asset in push_assets(names["defs"].resolve_asset_graph()) if not asset.promote_from]
        assert len(remote.uploads) == len(wanted) > 0
    following = [other for other in EVERY if (other.page, other.number) == (block.page, block.number + 1)]
    for shown in (other for other in following if not other.language):
        assert pattern_of(shown.text).fullmatch(steady(printed)), printed


def test_the_probes_as_printed_find_what_they_must(instance: dg.DagsterInstance) -> None:
    evaluations = push_all(run_example(PROBED)[0]["defs"], instance).get_asset_check_evaluations()
    assert [found.passed for found in evaluations if found.check_name == "remote_answers"] == [True]


def test_tenants_are_pushed_as_printed(instance: dg.DagsterInstance, remote: FakeRemote) -> None:
    by_hand, discovered = (run_example(block)[0]["defs"] for block in TENANTS)
    for tenant in ("acme", "globex"):
        assert (
            by_hand.resolve_job_def("push_tenants").execute_in_process(instance=instance, partition_key=tenant).success
        )
    assert [len(remote.graph(f"tenant_{tenant}").nodes) for tenant in ("acme", "globex")] == [3, 4]
    sensor = discovered.get_repository_def().get_sensor_def("discover_tenants")
    with daemon_context(instance, discovered, {"local_cognee": LocalCognee()}) as context:
        found = sensor.evaluate_tick(context)
    (added,) = found.dynamic_partitions_requests or []
    assert sorted(added.partition_keys) == ["acme", "globex"]


def test_the_variables_as_printed_are_understood() -> None:
    script = f"set -a\n{VARIABLES.text}\nexec env -0"
    printed = subprocess.run(["bash", "-c", script], env={}, capture_output=True, text=True, check=True).stdout
    settings = CodeLocationSettings.read(dict(line.split("=", 1) for line in printed.split("\0") if line))
    assert [dataset.name for dataset in settings.cognee_datasets()] == ["research", "handbook"]
    assert settings.archives == "s3://graphs/archives"


@pytest.mark.parametrize("block", [b for b in COMMANDS if b not in (OF_EARLIER_RUNS, *OF_A_MIRROR)], ids=str)
def test_commands_run_as_printed(block: Block, environ: dict[str, str], tmp_path: Path) -> None:
    for mapping in blocks(_page(block), "yaml"):
        (tmp_path / "birds.yaml").write_text(mapping.text)
    with terminal(tmp_path, environ) as shell:
        for command in commands(block):
            shell.run(command)


def test_a_mirror_is_pushed_planned_and_verified_as_printed(environ: dict[str, str], tmp_path: Path) -> None:
    with terminal(tmp_path, environ) as shell:
        for block in OF_A_MIRROR:
            for command in commands(block):
                shell.run(command)


def test_a_push_is_launched_without_sending_anything_as_printed(
    instance: dg.DagsterInstance, remote: FakeRemote
) -> None:
    defs = build_definitions([CogneeDataset(name="research")])
    job = defs.resolve_job_def("push_all_datasets")
    assert job.execute_in_process(instance=instance, run_config=yaml.safe_load(DRY_RUN.text)).success
    assert remote.uploads == []


def test_archives_of_earlier_runs_are_pushed_as_printed(environ: dict[str, str], tmp_path: Path) -> None:
    with in_this_process(environ) as instance:
        pushed = push_all(build_definitions([CogneeDataset(name="research")]), instance)
    digest = metadata_of(pushed, "remote_push")["cognee/archive_digest"]
    with terminal(tmp_path, {**environ, "COGNEE_SERVICE_URL": "https://production.example.com"}) as shell:
        for command in commands(OF_EARLIER_RUNS):
            shell.run(Command(command.text.replace("3f2a9c", digest[:6]), command.shown))


def test_what_hangs_below_an_import_starts_after_it_and_not_before(
    instance: dg.DagsterInstance, remote: FakeRemote
) -> None:
    defs = run_example(AFTER_IMPORTS)[0]["defs"]
    (automation,) = [s for s in defs.sensors if isinstance(s, dg.AutomationConditionSensorDefinition)]
    assert automation.default_status is dg.DefaultSensorStatus.RUNNING
    asked = dg.evaluate_automation_conditions(defs, instance)
    with remote.hold_imports() as held:
        assert push_all(defs, instance).success
        held.wait_for_import()
        asked = dg.evaluate_automation_conditions(defs, instance, cursor=asked.cursor)
        assert asked.total_requested == 0
    report_imports(defs, instance)
    asked = dg.evaluate_automation_conditions(defs, instance, cursor=asked.cursor)
    assert asked.get_num_requested(dg.AssetKey("search_index")) == 1


def report_imports(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    """What a tick of the import sensor finds, written as the daemon would."""
    repository = defs.get_repository_def()
    resources = {"cognee_remote": CogneeRemote()}
    with dg.build_sensor_context(instance=instance, repository_def=repository, resources=resources) as context:
        found = repository.get_sensor_def("cognee_import_sensor").evaluate_tick(context)
    for event in found.asset_events:
        instance.report_runless_asset_event(event)


def _page(block: Block) -> Path:
    return ROOT / block.page
