"""The command line on real Cognee: a local store on one side, a server on the other."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from cognee_dagster.sandbox import CogneeServer
from tests.conftest import LocalStore

COMMAND = [sys.executable, "-m", "cognee_dagster"]


@pytest.fixture
def environ(demo_store: LocalStore, real_remote: CogneeServer) -> dict[str, str]:
    return {**demo_store.environ, "COGNEE_SERVICE_URL": real_remote.url, "COGNEE_API_KEY": real_remote.api_key}


def run(*arguments: str, environ: dict[str, str]) -> dict[str, Any]:
    """The JSON object that a successful command prints."""
    done = subprocess.run(
        [*COMMAND, *arguments, "--json"], env=environ, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    parsed = json.loads(done.stdout)
    assert isinstance(parsed, dict)
    return parsed


def remote_graph_size(remote: CogneeServer, dataset: str) -> tuple[int, int]:
    headers = {"X-Api-Key": remote.api_key}
    with httpx.Client(base_url=remote.url, headers=headers, timeout=60, trust_env=False) as client:
        (found,) = (entry for entry in client.get("/api/v1/datasets").json() if entry["name"] == dataset)
        graph = client.get(f"/api/v1/datasets/{found['id']}/graph").json()
    return len(graph["nodes"]), len(graph["edges"])


def test_a_push_brings_the_whole_graph(environ: dict[str, str], real_remote: CogneeServer) -> None:
    pushed = run("push", "demo", "--target-dataset", "cli_foreground", environ=environ)
    assert (pushed["status"], pushed["num_nodes"], pushed["num_edges"]) == ("completed", 47, 86)
    assert remote_graph_size(real_remote, "cli_foreground") == (47, 86)
    state = run("status", pushed["pipeline_run_id"], "--dataset", "cli_foreground", environ=environ)
    assert state["state"] == "succeeded"


def test_a_background_push_that_is_waited_for_has_arrived(environ: dict[str, str], real_remote: CogneeServer) -> None:
    pushed = run("push", "demo", "--target-dataset", "cli_background", "--background", "--wait", environ=environ)
    assert pushed["status"] == "completed"
    assert remote_graph_size(real_remote, "cli_background") == (47, 86)


def test_an_export_is_a_valid_archive(environ: dict[str, str], tmp_path: Path) -> None:
    exported = run("export", "demo", str(tmp_path / "demo.cogx.tar.gz"), environ=environ)
    assert (exported["num_nodes"], exported["num_edges"]) == (47, 86)
    assert run("validate", exported["path"], environ=environ)["valid"] is True


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_sandbox_can_be_used_as_it_says_and_ends_with_ctrl_c_or_sigterm(
    number: signal.Signals, code: int, real_cognee: None, tmp_path: Path
) -> None:
    with _sandbox(tmp_path) as sandbox:
        assert sandbox.stdout is not None
        settings = dict(sandbox.stdout.readline().removeprefix("export ").strip().split("=", 1) for _ in range(2))
        answer = httpx.get(
            settings["COGNEE_SERVICE_URL"] + "/api/v1/datasets",
            headers={"X-Api-Key": settings["COGNEE_API_KEY"]},
            timeout=30,
            trust_env=False,
        )
        assert answer.status_code == 200
        sandbox.send_signal(number)
        assert sandbox.wait(60) == code
    with pytest.raises(httpx.ConnectError):
        httpx.get(settings["COGNEE_SERVICE_URL"] + "/health", trust_env=False)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("cognee-")] == []


def test_a_sandbox_that_is_interrupted_while_it_starts_leaves_nothing(real_cognee: None, tmp_path: Path) -> None:
    with _sandbox(tmp_path) as sandbox:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("cognee-sandbox-*/server.log")) and time.monotonic() < deadline:
            time.sleep(0.1)
        sandbox.send_signal(signal.SIGINT)
        # Interrupted while it executes a string, as dataclasses do, Python ends itself with the signal: 130 in a shell.
        assert sandbox.wait(60) in (130, -signal.SIGINT)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("cognee-")] == []


@contextmanager
def _sandbox(temporary: Path) -> Iterator[subprocess.Popen[str]]:
    environ = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(
        [*COMMAND, "sandbox"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as sandbox:
        try:
            yield sandbox
        finally:
            sandbox.kill()
