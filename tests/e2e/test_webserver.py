"""``dagster dev`` on the root workspace.yaml: the UI's own requests, the daemon's sensor and schedule."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from cognee_dagster.testing import FakeRemote
from tests.dagster_project import LOCATION, DagsterUI, Project
from tests.run_storage import places_holding

pytestmark = pytest.mark.timeout(600)

LITERAL = "literal-secret-7e21"
CHAIN = [["people", "cognified_graph"], ["people", "cogx_archive"], ["people", "remote_push"]]
_SELECTOR = {"repositoryName": "__repository__", "repositoryLocationName": LOCATION}
_RESOURCES = """
query($selector: RepositorySelector!) { allTopLevelResourceDetailsOrError(repositorySelector: $selector) {
  ... on ResourceDetailsList { results { name description configFields { name description defaultValueAsJson }
    configuredValues { key value type } } } } }
"""
_INSTIGATORS = """
query($selector: RepositorySelector!) { repositoryOrError(repositorySelector: $selector) { ... on Repository {
  sensors { name sensorState { status } } schedules { name pipelineName scheduleState { id status } } } } }
"""
_STOP = "mutation($id: String!) { stopRunningSchedule(id: $id) { __typename } }"
_TERMINATE = """
mutation($id: String!) { terminateRun(runId: $id, terminatePolicy: SAFE_TERMINATE) { __typename } }
"""
_CONFIG = """
query($selector: PipelineSelector!) { runConfigSchemaOrError(selector: $selector) {
  ... on RunConfigSchema { rootDefaultYaml } } }
"""
_CHECKS = """
query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode { assetChecksOrError {
  ... on AssetChecks { checks { name canExecuteIndividually
    executionForLatestMaterialization { status evaluation { success description } } } } } } } }
"""


@dataclass(frozen=True)
class Scene:
    """One `dagster dev` for all tests of this module, and the remote it pushes to."""

    ui: DagsterUI
    remote: FakeRemote
    project: Project


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    directory = tmp_path_factory.mktemp("project")
    with ExitStack() as stack:
        remote = stack.enter_context(FakeRemote())
        graph = str(directory / "people.graphml")
        datasets = [
            {"name": "people", "graph": graph},
            {"name": "nightly", "graph": graph, "cron_schedule": "* * * * *"},
        ]
        project = Project.over(directory, remote=remote, datasets=datasets)
        yield Scene(stack.enter_context(project.dev(location_with_literal_secrets(directory))), remote, project)


def location_with_literal_secrets(directory: Path) -> Path:
    """The workspace of a second code location, whose author wrote the secrets into the code."""
    (directory / "literal.py").write_text(
        "from cognee_dagster import CogneeDataset, CogneeRemote, LocalCognee, build_definitions\n"
        "defs = build_definitions(\n"
        "    [CogneeDataset(name='literal')],\n"
        f"    remote=CogneeRemote(url='https://cognee.example.com', api_key='{LITERAL}'),\n"
        f"    local=LocalCognee(environment={{'LLM_API_KEY': '{LITERAL}'}}),\n"
        ")\n"
    )
    workspace = directory / "literal.yaml"
    workspace.write_text(
        f"load_from: [{{python_file: {{relative_path: {directory / 'literal.py'}, location_name: literal}}}}]\n"
    )
    return workspace


def test_sensor_and_schedule_are_on(scene: Scene) -> None:
    found = scene.ui.ask(_INSTIGATORS, selector=_SELECTOR)["repositoryOrError"]
    assert [sensor["sensorState"]["status"] for sensor in found["sensors"]] == ["RUNNING"]
    assert [(schedule["pipelineName"], schedule["scheduleState"]["status"]) for schedule in found["schedules"]] == [
        ("push_nightly", "RUNNING")
    ]


def test_a_schedule_runs_its_chain_without_being_switched_on(scene: Scene) -> None:
    """Once is enough: it is switched off again, so that the other tests have the machine for themselves."""
    imported = scene.ui.wait_for_materialization("nightly", "remote_graph", timeout=300)
    (schedule,) = scene.ui.ask(_INSTIGATORS, selector=_SELECTOR)["repositoryOrError"]["schedules"]
    scene.ui.ask(_STOP, id=schedule["scheduleState"]["id"])
    assert imported["status"] == "completed"
    assert scene.remote.graph("nightly").nodes


def test_a_launch_from_the_ui_pushes_and_shows_what_it_did(scene: Scene) -> None:
    run_id = scene.ui.launch(*CHAIN)
    assert scene.ui.wait_for_run(run_id) == "SUCCESS"
    pushed = scene.ui.materialization("people", "remote_push")
    assert pushed is not None
    assert (pushed["run_id"], pushed["num_nodes"], pushed["num_edges"], pushed["status"]) == (run_id, 3, 2, "completed")
    imported = scene.ui.materialization("people", "remote_graph")
    assert imported is not None
    assert imported["pipeline_run_id"] == pushed["pipeline_run_id"]


def test_a_background_push_is_finished_by_the_sensor_in_the_daemon(scene: Scene) -> None:
    config = {"target_dataset": "background", "run_in_background": True}
    with scene.remote.hold_imports() as hold:
        run_id = scene.ui.launch(*CHAIN, config={"ops": {"people__remote_push": {"config": config}}})
        hold.wait_for_import(timeout=120)
        assert scene.ui.wait_for_run(run_id) == "SUCCESS"
        pushed = scene.ui.materialization("people", "remote_push")
        assert pushed is not None
        assert pushed["status"] == "started"
        before = scene.ui.materialization("people", "remote_graph")
        assert before is None or before["pipeline_run_id"] != pushed["pipeline_run_id"]
        hold.release()
    imported = scene.ui.wait_for_materialization(
        "people", "remote_graph", until=lambda found: found["pipeline_run_id"] == pushed["pipeline_run_id"]
    )
    assert imported["cognee/push_run_id"] == run_id


def test_a_run_that_is_terminated_ends_at_once_and_reports_no_import(scene: Scene) -> None:
    before = scene.ui.materialization("people", "remote_graph")
    config = {"target_dataset": "terminated", "run_in_background": False}
    with scene.remote.hold_imports() as hold:
        run_id = scene.ui.launch(CHAIN[-1], config={"ops": {"people__remote_push": {"config": config}}})
        hold.wait_for_import(timeout=120)
        answer = scene.ui.ask(_TERMINATE, id=run_id)["terminateRun"]
        assert answer["__typename"] == "TerminateRunSuccess"
        assert scene.ui.wait_for_run(run_id, timeout=30) == "CANCELED"
    assert scene.ui.materialization("people", "remote_graph") == before


def test_the_remote_graphs_checks_are_shown_with_an_execute_button(scene: Scene) -> None:
    found = scene.ui.ask(_CHECKS, key={"path": ["people", "remote_graph"]})["assetNodeOrError"]
    checks = {check["name"]: check["canExecuteIndividually"] for check in found["assetChecksOrError"]["checks"]}
    assert checks == {"remote_import_succeeded": "CAN_EXECUTE", "remote_in_sync": "CAN_EXECUTE"}


def test_the_launchpad_offers_the_pushs_settings(scene: Scene) -> None:
    selector = {**_SELECTOR, "pipelineName": "__ASSET_JOB", "assetSelection": [{"path": CHAIN[-1]}]}
    yaml = scene.ui.ask(_CONFIG, selector=selector)["runConfigSchemaOrError"]["rootDefaultYaml"]
    assert "run_in_background" in yaml
    assert "mode: preserve" in yaml


def test_the_key_is_on_no_page_and_in_no_file(scene: Scene) -> None:
    key = scene.remote.api_key
    resources = scene.ui.ask(_RESOURCES, selector=_SELECTOR)
    assert "cognee_remote" in json.dumps(resources)
    assert key not in json.dumps(resources)
    assert any(place.endswith(": snapshots") for place in places_holding("connect_timeout", scene.project.directory))
    assert places_holding(key, scene.project.directory) == []


def test_a_secret_that_stands_in_the_code_is_masked(scene: Scene) -> None:
    selector = {"repositoryName": "__repository__", "repositoryLocationName": "literal"}
    resources = json.dumps(scene.ui.ask(_RESOURCES, selector=selector))
    assert "https://cognee.example.com" in resources
    assert LITERAL not in resources
