"""What a user sees: Dagster's own pages over a chain of assets, in a real browser."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import httpx
import networkx as nx
import pytest

from cognee_dagster.system.child_process import ChildProcess, tethered
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import people

START_SECONDS = 120.0
PAGE_SECONDS = 120.0
STEPS = ("cognified_graph", "cogx_archive", "remote_push")

CODE_LOCATION = """
import dagster as dg
from cognee_dagster import CogneeDataset, CogxArchiveIOManager, build_definitions

defs = dg.Definitions.merge(
    build_definitions(
        [CogneeDataset(name="people", graph="people.graphml")],
        archives=CogxArchiveIOManager(base_directory="archives"),
    ),
    dg.Definitions(executor=dg.in_process_executor),
)
"""

# A root user has no sandbox to put the browser into; the rest keeps it from talking to anybody but the page's server.
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=en-US"),
    "--virtual-time-budget=20000",  # milliseconds of the page's own time, which runs faster than ours
)

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Site:
    """A running Dagster webserver over a chain of assets that was materialized."""

    url: str
    directory: Path
    chromium: str

    def text_of(self, path: str, *, shows: str) -> str:
        """The words on a page; loaded again, for as long as that makes sense, until it shows what is expected."""
        deadline = time.monotonic() + PAGE_SECONDS
        while shows not in (text := self._load(path)) and time.monotonic() < deadline:
            time.sleep(1)
        return text

    def _load(self, path: str) -> str:
        with tempfile.TemporaryDirectory(dir=self.directory, ignore_cleanup_errors=True) as profile:
            page = subprocess.run(
                [self.chromium, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", self.url + path],
                capture_output=True,
                timeout=PAGE_SECONDS,
                check=False,
            )
        if page.returncode != 0:  # a browser may crash; the page is then loaded again
            return f"(no page: Chromium ended with {page.returncode}: {page.stderr.decode()[-2000:]})"
        html = page.stdout.decode("utf-8", "replace")
        words = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL)
        return " ".join(unescape(words).split())


@pytest.fixture(scope="module")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("site")
    nx.write_graphml(people(size=5), directory / "people.graphml")
    (directory / "location.py").write_text(CODE_LOCATION)
    (directory / "dagster.yaml").write_text("telemetry: {enabled: false}\nnux: {enabled: false}\n")
    with FakeRemote() as remote:
        environ = {
            **os.environ,
            "DAGSTER_HOME": str(directory),
            "COGNEE_SERVICE_URL": remote.url,
            "COGNEE_API_KEY": remote.api_key,
        }

        def dagster(program: str, *arguments: str) -> ChildProcess:
            script = Path(sys.executable).with_name(program)
            log = directory / f"{program}.log"
            command = tethered(script, *arguments)
            return ChildProcess(command, environ=environ, log=log, directory=directory, secrets=("COGNEE_API_KEY",))

        selection = '+key:"people/remote_push"'
        with dagster("dagster", "asset", "materialize", "-f", "location.py", "--select", selection) as run:
            assert run.wait(START_SECONDS) == 0, run.log_tail()
        port = _free_port()
        with dagster("dagster-webserver", "-f", "location.py", "-h", "127.0.0.1", "-p", str(port)) as server:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, server)
            yield Site(url, directory, chromium)


def test_the_asset_graph_shows_the_chain_of_four_assets(site: Site) -> None:
    text = site.text_of("/locations/location.py/asset-groups/people/lineage", shows="remote_graph")
    for asset in (*STEPS, "remote_graph"):
        assert asset in text
    assert "Never materialized" not in text


def test_the_push_shows_what_arrived(site: Site) -> None:
    text = site.text_of("/assets/people/remote_push", shows="pipeline_run_id")
    for name, value in (("num_nodes", "5"), ("num_edges", "4"), ("status", "completed"), ("target_dataset", "people")):
        row = rf"\b{name} \w+ \d+, \d+:\d+ [AP]M {value}\b"  # key, timestamp, value
        assert re.search(row, text), f"{name} = {value} is not in: {text}"


def test_the_remote_graph_shows_that_its_import_succeeded(site: Site) -> None:
    text = site.text_of("/assets/people/remote_graph?view=checks", shows="remote_import_succeeded")
    assert "The remote has finished the import" in text


def _wait_for(url: str, server: ChildProcess) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.returncode is None:
        try:
            if httpx.get(f"{url}/server_info", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    pytest.fail(f"Dagster's webserver did not start:\n{server.log_tail()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
