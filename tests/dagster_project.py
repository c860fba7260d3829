"""The repository's own code location, run by the real ``dagster`` command in processes of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import networkx as nx

from cognee_dagster.testing import FakeRemote
from tests.asset_chain import people

REPOSITORY = Path(__file__).parent.parent
LOCATION = "cognee_dagster"

_DAGSTER = [sys.executable, "-m", "dagster"]

_LOCATIONS = "{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus } } } }"
_ASSETS = """
query($keys: [AssetKeyInput!]) { assetNodes(assetKeys: $keys) {
  assetKey { path }
  assetMaterializations(limit: 1) { runId metadataEntries { label
    ... on IntMetadataEntry { intValue } ... on TextMetadataEntry { text } ... on UrlMetadataEntry { url }
    ... on PipelineRunMetadataEntry { pushRunId: runId } } } } }
"""
_VALUES = ("intValue", "text", "url", "pushRunId")
_LAUNCH = """
mutation($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { id } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } } } }
"""
_BACKFILL = """
mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""
_BACKFILL_RUNS = """
query($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { results { status } } } }
"""
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
_RUN = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


@dataclass(frozen=True)
class Project:
    """A directory to run ``dagster`` in, and the whole environment it gets."""

    directory: Path
    environ: dict[str, str]

    @classmethod
    def over(cls, directory: Path, *, remote: FakeRemote | None, datasets: object = None, **settings: str) -> "Project":
        """A project that pushes ``datasets`` (default: ``people``, from a GraphML file) to ``remote``."""
        nx.write_graphml(people(), directory / "people.graphml")
        (directory / "home").mkdir()
        (directory / "home" / "dagster.yaml").write_text("telemetry: {enabled: false}\nnux: {enabled: false}\n")
        (directory / "empty.env").touch()
        environ = {
            **DagsterUI.environment(home=directory),
            "COGNEE_ENV_FILE": str(directory / "empty.env"),
            "COGNEE_DAGSTER_ARCHIVES": str(directory / "archives"),
        }
        chosen = [{"name": "people", "graph": str(directory / "people.graphml")}] if datasets is None else datasets
        if chosen:
            environ["COGNEE_DAGSTER_DATASETS"] = json.dumps(chosen)
        if remote is not None:
            environ |= {"COGNEE_SERVICE_URL": remote.url, "COGNEE_API_KEY": remote.api_key}
        return cls(directory, environ | settings)

    @property
    def home(self) -> Path:
        """A DAGSTER_HOME, for who wants one."""
        return self.directory / "home"

    def dagster(self, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Runs ``dagster …``; the output is stdout and stderr together."""
        return subprocess.run(
            [*_DAGSTER, *arguments],
            cwd=self.directory,
            env=self.environ | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=180,
            check=False,
        )

    def materialize(
        self, selection: str, *, config: Mapping[str, Any] | None = None, **settings: str
    ) -> "subprocess.CompletedProcess[str]":
        """Runs ``dagster asset materialize`` on the root definitions.py."""
        options = ["--config-json", json.dumps(config)] if config else []
        return self.dagster(
            "asset",
            "materialize",
            "-f",
            str(REPOSITORY / "definitions.py"),
            "--select",
            selection,
            *options,
            **settings,
        )

    @contextmanager
    def dev(self, *more_workspaces: Path) -> Iterator["DagsterUI"]:
        """``dagster dev`` on the root workspace.yaml, and on others: webserver, daemon and code locations."""
        workspaces = [REPOSITORY / "workspace.yaml", *more_workspaces]
        environ = self.environ | {"DAGSTER_HOME": str(self.home)}
        with dagster_dev(self.directory, environ, *(f"--workspace={path}" for path in workspaces)) as ui:
            yield ui


@dataclass(frozen=True)
class DagsterUI:
    """The webserver's GraphQL."""

    url: str

    @staticmethod
    def environment(*, home: Path) -> dict[str, str]:
        """What a process of Dagster's needs, with nothing of the developer's own settings."""
        return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "PYTHONWARNINGS": "ignore"} | {
            name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ
        }

    @classmethod
    def when_ready(cls, url: str, *, ended: Callable[[], bool], log: Path, timeout: float = 120) -> "DagsterUI":
        """Waits until the code locations are loaded."""
        deadline = time.monotonic() + timeout
        ui = cls(url)
        while time.monotonic() < deadline and not ended():
            try:
                entries = ui.ask(_LOCATIONS)["workspaceOrError"]["locationEntries"]
                if entries and all(entry["loadStatus"] == "LOADED" for entry in entries):
                    return ui
            except (httpx.HTTPError, ValueError):  # not up yet
                pass
            time.sleep(0.5)
        raise AssertionError(f"`dagster dev` did not come up within {timeout} s:\n{log.read_text()[-4000:]}")

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """One GraphQL request."""
        answer = httpx.post(f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=30).json()
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def launch(self, *keys: list[str], config: Mapping[str, Any] | None = None, location: str = LOCATION) -> str:
        """Starts a run of these assets, as the Materialize button does; returns its id."""
        params = {
            "selector": {
                "repositoryLocationName": location,
                "repositoryName": "__repository__",
                "pipelineName": "__ASSET_JOB",
                "assetSelection": [{"path": key} for key in keys],
                "assetCheckSelection": [],
            },
            "runConfigData": dict(config or {}),
            "mode": "default",
        }
        answer = self.ask(_LAUNCH, params=params)["launchPipelineExecution"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["id"])

    def wait_for_run(self, run_id: str, *, timeout: float = 120) -> str:
        """The run's final status."""
        deadline = time.monotonic() + timeout
        status = ""
        while time.monotonic() < deadline:
            status = str(self.ask(_RUN, id=run_id)["runOrError"]["status"])
            if status in _ENDED:
                return status
            time.sleep(0.5)
        raise AssertionError(f"run {run_id} is still {status} after {timeout} s")

    def backfill(self, *keys: list[str], partitions: Sequence[str]) -> str:
        """Starts a backfill of these assets' partitions, as the UI's dialog does; returns its id."""
        params = {"assetSelection": [{"path": key} for key in keys], "partitionNames": list(partitions)}
        answer = self.ask(_BACKFILL, params=params)["launchPartitionBackfill"]
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        return str(answer["backfillId"])

    def wait_for_backfill(self, backfill_id: str, *, runs: int, timeout: float) -> list[str]:
        """The final statuses of the backfill's runs, once there are so many and all have ended.

        Dagster itself calls the backfill ended up to half a minute later.
        """
        deadline = time.monotonic() + timeout
        statuses: list[str] = []
        while time.monotonic() < deadline:
            found = self.ask(_BACKFILL_RUNS, filter={"tags": [{"key": "dagster/backfill", "value": backfill_id}]})
            statuses = [str(run["status"]) for run in found["runsOrError"]["results"]]
            if len(statuses) >= runs and set(statuses) <= _ENDED:
                return statuses
            time.sleep(1)
        raise AssertionError(f"the runs of backfill {backfill_id} are still {statuses} after {timeout} s")

    def materialization(self, *key: str) -> dict[str, Any] | None:
        """Metadata of the asset's latest materialization by label, with its run as ``run_id``."""
        # No node at all while its code location is being loaded again.
        nodes = self.ask(_ASSETS, keys=[{"path": list(key)}])["assetNodes"]
        found = [materialization for node in nodes for materialization in node["assetMaterializations"]]
        if not found:
            return None
        (latest,) = found
        entries = {
            entry["label"]: next((entry[name] for name in _VALUES if name in entry), None)
            for entry in latest["metadataEntries"]
        }
        return {"run_id": latest["runId"], **entries}

    def wait_for_materialization(
        self, *key: str, until: Callable[[dict[str, Any]], bool] = bool, timeout: float = 120
    ) -> dict[str, Any]:
        """As ``materialization``, once there is one that ``until`` likes."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = self.materialization(*key)
            if found is not None and until(found):
                return found
            time.sleep(0.5)
        raise AssertionError(f"{'/'.join(key)} was not materialized within {timeout} s")


@contextmanager
def dagster_dev(directory: Path, environ: Mapping[str, str], *locations: str) -> Iterator[DagsterUI]:
    """``dagster dev`` with these options for its code locations: webserver, daemon and code servers, until it is left.

    Args:
        directory: Where it runs, and writes ``dev.log``.
        environ: Its whole environment, with ``DAGSTER_HOME``.
        locations: Such as ``-f``, ``defs.py``.
    """
    port = free_port()
    log = directory / "dev.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_DAGSTER, "dev", *locations, "-h", "127.0.0.1", "-p", str(port)],
            cwd=directory,
            env=dict(environ),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield DagsterUI.when_ready(f"http://127.0.0.1:{port}", ended=lambda: process.poll() is not None, log=log)
        finally:
            _stop(process)


def program(name: str) -> Path:
    """The script of this interpreter's environment."""
    return Path(sys.executable).with_name(name)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Its whole session: `dagster dev` has children, and they have, too."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)
