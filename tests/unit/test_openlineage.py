"""OpenLineage's package tells its server of a push what docs/observability.md says."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import dagster as dg
import networkx as nx
import pytest

from cognee_dagster import CogneeDataset, CogxArchiveIOManager, build_definitions
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import UPLOADS, answer
from tests.asset_chain import NO_RETRY, people
from tests.printed import ROOT, blocks

pytest.importorskip("dagster_openlineage", reason="needs the extra openlineage")

PAGE = ROOT / "docs" / "observability.md"
Event = tuple[str, str, str, str]


class Collector(ThreadingHTTPServer):
    """A server of OpenLineage's, and the events that it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.received: list[dict[str, Any]] = []

    def of_jobs(self) -> list[Event]:
        """What happened, to which job, with which input and output."""
        return [
            (event["eventType"], event["job"]["name"], _name(event, "inputs"), _name(event, "outputs"))
            for event in self.received
            if "job" in event
        ]


class _Request(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(json.loads(body))  # type: ignore[attr-defined]
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


def _name(event: dict[str, Any], side: str) -> str:
    (dataset,) = event.get(side) or [{"name": "", "namespace": "knowledge"}]
    assert dataset["namespace"] == event["job"]["namespace"] == "knowledge"
    return str(dataset["name"])


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextmanager
def instance_as_printed(
    home: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    (configuration,) = [block for block in blocks(PAGE, "yaml") if "event_log_storage" in block.text]
    home.mkdir()
    (home / "dagster.yaml").write_text(configuration.text + "telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.setenv("DAGSTER_EVENTS", str(home / "history" / "runs"))
    monkeypatch.setenv("OPENLINEAGE_URL", f"http://127.0.0.1:{collector.server_port}")
    with dg.DagsterInstance.get() as instance:
        yield instance


def printed() -> list[Event]:
    """The page's table of events."""
    rows = PAGE.read_text("utf-8").split("<!-- table: openlineage -->\n")[1].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]
    return [(kind, job, before, after) for kind, job, before, after in cells]


def test_a_push_is_told_as_the_page_says(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    nx.write_graphml(people(size=3), tmp_path / "people.graphml")
    with FakeRemote() as remote, instance_as_printed(tmp_path / "home", collector, monkeypatch) as instance:
        defs = build_definitions(
            [CogneeDataset(name="research", graph=tmp_path / "people.graphml", retry_policy=NO_RETRY)],
            remote=remote.resource(max_attempts=1),
            archives=CogxArchiveIOManager(base_directory=str(tmp_path / "archives")),
        )
        push = defs.resolve_job_def("push_all_datasets")
        ended = push.execute_in_process(instance=instance)
        assert list(dict.fromkeys(collector.of_jobs())) == printed()
        assert {UUID(event["run"]["runId"]) for event in collector.received if "run" in event} == {UUID(ended.run_id)}

        told = len(collector.received)
        nx.write_graphml(people(size=4), tmp_path / "people.graphml")
        remote.faults.always(UPLOADS, answer(403))
        assert not push.execute_in_process(instance=instance, raise_on_error=False).success
        failed = [event for event in collector.of_jobs()[-(len(collector.received) - told) :] if event[0] == "FAIL"]
        assert ("FAIL", "research/remote_push", "", "research/remote_push") in failed

        told = len(collector.received)
        graph = dg.AssetKey(["research", "remote_graph"])
        with caplog.at_level(logging.ERROR):
            instance.report_runless_asset_event(dg.AssetMaterialization(graph, description="in the background"))
        assert len(collector.received) == told
        assert "OpenLineage dispatch failed for event" in caplog.text
        kept = instance.get_latest_materialization_event(graph)
        assert kept is not None
        assert kept.asset_materialization is not None
        assert kept.asset_materialization.description == "in the background"
