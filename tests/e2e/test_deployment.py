"""``deploy/compose.yaml``'s own commands and health checks, run as processes on PostgreSQL, until pushes have arrived.

One deployment for all tests of this file: webserver, daemon and code location over gRPC, each on its own port. Pools
and run monitoring are those of ``deploy/dagster.yaml``; only its intervals are shorter.
"""

import importlib.util
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import networkx as nx
import pytest
import yaml

from cognee_dagster.testing import FakeRemote, Hold
from tests.asset_chain import people
from tests.compose_file import Machine, deployed, services
from tests.dagster_project import REPOSITORY, DagsterUI, free_port
from tests.postgres import PostgresServer, postgres_binaries

pytestmark = pytest.mark.timeout(1200)

PATIENCE = 240.0  # on a machine that has other things to do
DATASETS = ["first", "second", "third", "fourth"]
IN_PROCESS: dict[str, Any] = {"execution": {"config": {"in_process": {}}}}
_TERMINATE = """
mutation($id: String!) { terminateRun(runId: $id, terminatePolicy: SAFE_TERMINATE) { __typename } }
"""
_WORKER = """
query($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events { ... on MessageEvent { message } } } } }
"""


@dataclass
class Deployed:
    """The running deployment, seen through its pages and its remote."""

    machine: Machine
    remote: FakeRemote
    ui: DagsterUI

    def status(self, run_id: str) -> str:
        asked = self.ui.ask("query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", id=run_id)
        return str(asked["runOrError"]["status"])

    def worker(self, run_id: str) -> int:
        """The id of the process that executes a run."""
        events = self.ui.ask(_WORKER, id=run_id)["logsForRun"]["events"]
        (pid,) = {found[1] for event in events for found in re.finditer(r"\(pid: (\d+)\)", event.get("message", ""))}
        return int(pid)

    def ended(self, run_id: str) -> str:
        """A run's final status."""
        return self.ui.wait_for_run(run_id, timeout=PATIENCE)

    def push(self, dataset: str) -> str:
        return self.ui.launch([dataset, "remote_push"], config=IN_PROCESS)


@pytest.fixture(scope="module")
def deployment(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    directory = tmp_path_factory.mktemp("deployment")
    with FakeRemote() as remote, ExitStack() as stack:
        machine = machine_for(remote, postgres, directory)
        machine.wait_until_healthy("postgres")
        stack.enter_context(machine.up("code"))
        stack.enter_context(machine.up("webserver", "daemon"))
        url = f"http://127.0.0.1:{machine.replaced['3000']}"
        log = machine.logs["webserver"]
        yield Deployed(machine, remote, DagsterUI.when_ready(url, ended=lambda: False, log=log))


def machine_for(remote: FakeRemote, postgres: PostgresServer, directory: Path) -> Machine:
    """What the image and the volumes of the compose file hold, in a directory."""
    app, home = directory / "app", directory / "dagster_home"
    for made in (app, home, directory / "graphs", directory / "user"):
        made.mkdir()
    ports = {port: str(free_port()) for port in ("3000", "4000")}
    shutil.copy(REPOSITORY / "definitions.py", app)
    workspace = deployed("workspace.yaml")
    server = workspace["load_from"][0]["grpc_server"]
    server.update(host="127.0.0.1", port=int(ports[str(server["port"])]))
    (app / "workspace.yaml").write_text(yaml.safe_dump(workspace))
    settings = deployed("dagster.yaml")
    settings["run_monitoring"] |= {"poll_interval_seconds": 1, "free_slots_after_run_end_seconds": 1}
    (home / "dagster.yaml").write_text(yaml.safe_dump(settings))
    for name in DATASETS:
        nx.write_graphml(people(), directory / "graphs" / f"{name}.graphml")
    datasets = [
        {"name": name, "graph": str(directory / "graphs" / f"{name}.graphml"), "sync": "full"} for name in DATASETS
    ]
    database, binaries = urlsplit(postgres.new_database()), postgres_binaries()
    assert binaries is not None
    variables = {
        **DagsterUI.environment(home=directory / "user"),
        **remote.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        "DAGSTER_HOME": str(home),
        "DAGSTER_POSTGRES_HOST": "127.0.0.1",
        "DAGSTER_POSTGRES_PORT": str(database.port),
        "DAGSTER_POSTGRES_DB": database.path.strip("/"),
        "COGNEE_DAGSTER_ARCHIVES": str(directory / "archives"),
        "COGNEE_DAGSTER_DATASETS": json.dumps(datasets),
    }
    replaced = {**ports, "5432": str(database.port), "pg_isready": str(binaries / "pg_isready")}
    return Machine(directory=app, variables=variables, replaced=replaced)


def commands_in_code(start: str) -> list[str]:
    """What the documentation has run in the container ``code``."""
    page = (REPOSITORY / "docs" / "deployment.md").read_text(encoding="utf-8")
    return re.findall(rf"exec code ({start} .*)", page)


@pytest.fixture(scope="module")
def pushed(deployment: Deployed) -> Deployed:
    """The deployment, once its documentation's command has pushed every dataset."""
    (shown,) = commands_in_code("dagster job launch")
    launched = deployment.machine.run("code", [*shown.split(), "--config-json", json.dumps(IN_PROCESS)])
    assert launched.returncode == 0, launched.stdout
    for name in DATASETS:
        deployment.ui.wait_for_materialization(name, "remote_graph", timeout=PATIENCE)
    return deployment


def test_the_command_of_the_docs_pushes_every_dataset(pushed: Deployed) -> None:
    for name in DATASETS:
        graph = pushed.ui.materialization(name, "remote_graph") or {}
        assert graph["num_nodes"] == len(pushed.remote.graph(name).nodes) == len(people().nodes)
        assert pushed.ended(graph["run_id"]) == "SUCCESS"
    assert len(pushed.remote.uploads) == len(DATASETS)


def test_a_remote_gets_two_pushes_at_once_and_runs_that_die_or_are_cancelled_make_room(pushed: Deployed) -> None:
    deployment, remote, ui = pushed, pushed.remote, pushed.ui
    limit = deployed("dagster.yaml")["concurrency"]["pools"]["default_limit"]
    assert limit == 2
    hold = remote.pace.hold = Hold()
    before = len(remote.uploads)
    try:
        killed, cancelled = deployment.push("first"), deployment.push("second")
        hold.wait_for_import(timeout=PATIENCE)
        hold.wait_for_import(timeout=PATIENCE)
        third, fourth = deployment.push("third"), deployment.push("fourth")
        other = ui.launch(["first", "cognified_graph"], config=IN_PROCESS)  # the daemon passes over those two
        assert deployment.ended(other) == "SUCCESS"
        assert (deployment.status(third), deployment.status(fourth)) == ("QUEUED", "QUEUED")
        assert len(remote.uploads) == before + limit

        os.kill(deployment.worker(killed), signal.SIGKILL)
        hold.wait_for_import(timeout=PATIENCE)
        assert deployment.ended(killed) == "FAILURE"
        assert len(remote.uploads) == before + limit + 1

        ui.ask(_TERMINATE, id=cancelled)
        hold.wait_for_import(timeout=PATIENCE)
        assert deployment.ended(cancelled) == "CANCELED"
        assert len(remote.uploads) == before + limit + 2
    finally:
        hold.release()
        remote.pace.hold = None
    assert [deployment.ended(run) for run in (third, fourth)] == ["SUCCESS", "SUCCESS"]


def test_the_command_of_the_docs_gives_one_remote_another_limit(pushed: Deployed) -> None:
    (shown,) = commands_in_code("dagster instance concurrency")
    done = pushed.machine.run("code", shown.split())
    assert done.returncode == 0, done.stdout
    asked = pushed.ui.ask('{ instance { concurrencyLimit(concurrencyKey: "cognee_remote") { slotCount } } }')
    assert asked["instance"]["concurrencyLimit"] == {"slotCount": int(shown.split()[-1])}


def test_what_has_to_outlive_a_container_is_on_volumes(pushed: Deployed) -> None:
    directory = pushed.machine.directory.parent
    volumes = {Path(volume.split(":")[1]).name for volume in services()["code"]["volumes"]}
    image = {"dagster_home/dagster.yaml", "app/definitions.py", "app/workspace.yaml"}
    logs = {log.name for log in pushed.machine.logs.values()}
    found = [path.relative_to(directory) for path in directory.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    written = {str(path).removeprefix("dagster_home/") for path in found if str(path) not in image}
    assert {path.partition("/")[0] for path in written} - logs <= volumes | {"user"}
    # Locks among the processes of one host are worth nothing after it.
    assert all("/locks/" in path for path in written if path.startswith("user/"))


@pytest.mark.usefixtures("real_cognee")
def test_the_cognee_to_try_it_with_takes_a_push_without_a_key(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    nx.write_graphml(people(), tmp_path / "people.graphml")
    image = services()["cognee"]["environment"]["TIKTOKEN_CACHE_DIR"]
    (litellm,) = importlib.util.find_spec("litellm").submodule_search_locations  # type: ignore[union-attr, misc]
    here = {
        "SYSTEM_ROOT_DIRECTORY": str(tmp_path / "system"),
        "DATA_ROOT_DIRECTORY": str(tmp_path / "data"),
        "TIKTOKEN_CACHE_DIR": str(Path(litellm, image.partition("/litellm/")[2])),
        "LLM_API_KEY": "none",  # as Compose fills it in
    }
    variables = {**DagsterUI.environment(home=tmp_path), **here}
    machine = Machine(directory=tmp_path / "app", variables=variables, replaced={"8000": str(free_port())})
    with machine.up("cognee"):
        url = f"http://127.0.0.1:{machine.replaced['8000']}"
        for command in (["push", str(tmp_path / "people.graphml")], ["verify", str(tmp_path / "people.graphml")]):
            done = machine.run("cognee", ["cognee-dagster", *command, "--url", url])
            assert done.returncode == 0, done.stdout
