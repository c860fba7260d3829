"""A run from Dagster's Launchpad whose text nobody changed, in a real browser: it succeeds, and the key is nowhere."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import networkx as nx
import pytest
from playwright.sync_api import Browser, sync_playwright

from cognee_dagster.system.child_process import ChildProcess, tethered
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import people
from tests.dagster_project import DagsterUI, free_port, program
from tests.run_storage import places_holding
from tests.unit.local_stores import TinyGraph, TinyStore

LLM_KEY = "planted-llm-key-90ab"
WAIT_SECONDS = 180.0
PAGE_SECONDS = 60.0

# How an author may say the key: written into the code, as the name of a variable, or not at all.
RESOURCES = {
    "literal": (
        "CogneeRemote(url={url!r}, api_key={key!r}), LocalCognee(environment={{**STORE, 'LLM_API_KEY': {llm!r}}})"
    ),
    "env_var": (
        "CogneeRemote(url=dg.EnvVar('REMOTE_URL'), api_key=dg.EnvVar('REMOTE_KEY')), "
        "LocalCognee(environment={{**STORE, 'LLM_API_KEY': dg.EnvVar('MY_LLM_KEY')}})"
    ),
    "nothing": "CogneeRemote(), LocalCognee()",
}
CODE_LOCATION = """
import dagster as dg
from cognee_dagster import CogneeDataset, CogneeRemote, CogxArchiveIOManager, LocalCognee, build_definitions

STORE = {{"SYSTEM_ROOT_DIRECTORY": {system!r}}}
remote, local = {resources}
defs = dg.Definitions.merge(
    build_definitions(
        [
            CogneeDataset(name="people", graph={graph!r}, key_prefix={prefix!r}, group_name="people"),
            CogneeDataset(name="handbook", key_prefix={prefix!r}, group_name="people"),
        ],
        remote=remote,
        local=local,
        archives=CogxArchiveIOManager(base_directory={archives!r}),
    ),
    dg.Definitions(executor={executor}),
)
"""

_JOB_PAGE = "/locations/{}/jobs/push_all_datasets"
_RUNS = "query { runsOrError { ... on Runs { results { id status pipelineName runConfigYaml pipelineSnapshotId } } } }"
_SCHEMA = """
query($selector: PipelineSelector!) { runConfigSchemaOrError(selector: $selector) { ... on RunConfigSchema {
  rootDefaultYaml allConfigTypes { key description ... on CompositeConfigType { fields {
    name description defaultValueAsJson } } } } } }
"""
_RESOURCES = """
query($selector: RepositorySelector!) { allTopLevelResourceDetailsOrError(repositorySelector: $selector) {
  ... on ResourceDetailsList { results { name description configFields { name description defaultValueAsJson }
    configuredValues { key value type } nestedResources { name type } } } } }
"""

pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Site:
    """A running webserver over one code location for each way to say the key."""

    ui: DagsterUI
    browser: Browser
    remote: FakeRemote
    home: Path

    def launch_untouched(self, path: str) -> str:
        """Open the Launchpad beside a page's Materialize button and press its own; returns what it showed."""
        page = self.browser.new_page()
        page.set_default_timeout(PAGE_SECONDS * 1000)
        page.goto(self.ui.url + path)
        page.get_by_role("button", name="Materialize all").locator("xpath=following::button[1]").click()
        page.get_by_text("Open launchpad").click()
        launchpad = page.locator("[role=dialog][aria-modal=true]")
        launchpad.get_by_text("cognee_remote:", exact=True).or_(launchpad.get_by_text("No errors")).first.wait_for()
        shown = page.content()
        launchpad.get_by_role("button", name=re.compile("Materialize$")).click()
        launchpad.wait_for(state="hidden")
        page.close()
        return shown

    def wait_for_new_run(self, known: set[str]) -> str:
        """The final status of the one run that is not known yet."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            fresh = [run for run in self.ui.ask(_RUNS)["runsOrError"]["results"] if run["id"] not in known]
            if fresh:
                return self.ui.wait_for_run(fresh[0]["id"], timeout=WAIT_SECONDS)
            time.sleep(0.5)
        raise AssertionError("the Launchpad launched no run")

    def run_ids(self) -> set[str]:
        return {run["id"] for run in self.ui.ask(_RUNS)["runsOrError"]["results"]}


@pytest.fixture(scope="module")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("home")
    code = tmp_path_factory.mktemp("code")
    (home / "dagster.yaml").write_text(
        "telemetry: {enabled: false}\nnux: {enabled: false}\n"
        "run_coordinator: {module: dagster.core.run_coordinator, class: DefaultRunCoordinator}\n"
    )
    with ExitStack() as stack:
        remote = stack.enter_context(FakeRemote())
        environ = _write_code(code, remote=remote) | {"DAGSTER_HOME": str(home)}
        port = free_port()
        command = tethered(program("dagster-webserver"), "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port))
        log = code / "server.log"
        server = stack.enter_context(
            ChildProcess(command, environ=environ, log=log, directory=code, secrets=("COGNEE_API_KEY",))
        )
        ui = DagsterUI.when_ready(
            f"http://127.0.0.1:{port}", ended=lambda: server.returncode is not None, log=server.log
        )
        playwright = stack.enter_context(sync_playwright())
        # A root user has no sandbox to put the browser into.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        stack.callback(browser.close)
        yield Site(ui, browser, remote, home)


def _write_code(code: Path, *, remote: FakeRemote) -> dict[str, str]:
    """A workspace, a graph file, a local Cognee store; returns the environment to run it in."""
    nx.write_graphml(people(size=5), code / "people.graphml")
    store = TinyStore(code)
    dataset = store.add_dataset("handbook")
    store.grant(dataset, store.default_user)
    with TinyGraph(store.place_graph(dataset)) as graph:
        graph.add_node(str(uuid4()), "Ada", "Person")
    (code / "empty.env").touch()
    for name, resources in RESOURCES.items():
        text = CODE_LOCATION.format(
            prefix=name,
            system=str(store.system),
            graph=str(code / "people.graphml"),
            archives=str(code / f"archives-{name}"),
            resources=resources.format(url=remote.url, key=remote.api_key, llm=LLM_KEY),
            # The default starts a process for every step: what a process does not load with the code is not there.
            executor="None" if name == "literal" else "dg.in_process_executor",
        )
        (code / f"{name}.py").write_text(text)
    files = [f"  - python_file: {{relative_path: {name}.py, location_name: {name}}}" for name in RESOURCES]
    (code / "workspace.yaml").write_text("\n".join(["load_from:", *files]))
    return {
        **DagsterUI.environment(home=code),
        "COGNEE_ENV_FILE": str(code / "empty.env"),
        "REMOTE_URL": remote.url,
        "REMOTE_KEY": remote.api_key,
        "MY_LLM_KEY": LLM_KEY,
        "COGNEE_SERVICE_URL": remote.url,
        "COGNEE_API_KEY": remote.api_key,
        "SYSTEM_ROOT_DIRECTORY": str(store.system),
    }


# What is given decides on the run's settings, the page only on who asks for them: one job stands for all.
@pytest.mark.parametrize(
    ("given", "page"),
    [*((given, "/locations/{}/asset-groups/people/lineage") for given in RESOURCES), ("env_var", _JOB_PAGE)],
)
def test_a_run_from_the_launchpads_untouched_text_succeeds_and_shows_no_key(site: Site, given: str, page: str) -> None:
    known = site.run_ids()
    shown = site.launch_untouched(page.format(given))
    assert site.wait_for_new_run(known) == "SUCCESS"
    assert "background_strategy" in shown  # the remote's other settings are offered
    for secret in (site.remote.api_key, LLM_KEY):
        assert secret not in shown


@pytest.mark.parametrize("given", list(RESOURCES))
def test_the_key_is_in_no_answer_about_schema_and_resources(site: Site, given: str) -> None:
    repository = {"repositoryName": "__repository__", "repositoryLocationName": given}
    answers = json.dumps(
        [
            site.ui.ask(_RESOURCES, selector=repository),
            *(
                site.ui.ask(_SCHEMA, selector={**repository, "pipelineName": job})
                for job in ("__ASSET_JOB", "push_all_datasets")
            ),
        ]
    )
    assert "connect_timeout" in answers
    assert site.remote.api_key not in answers
    assert LLM_KEY not in answers


def test_the_key_is_in_no_file_of_the_run_storage(site: Site) -> None:
    """Runs, snapshots, events, logs; after the runs of the tests above, or one made here."""
    if not site.run_ids():
        site.launch_untouched("/locations/literal/asset-groups/people/lineage")
        assert site.wait_for_new_run(set()) == "SUCCESS"
    assert any(place.endswith(": snapshots") for place in places_holding("connect_timeout", site.home))
    for secret in (site.remote.api_key, LLM_KEY):
        assert places_holding(secret, site.home) == []
