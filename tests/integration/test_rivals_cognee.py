"""Two pushers of one dataset on real Cognee, and what breaks between them: the run that is reported is our own."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.pushing.archives import PushResult
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.pushing.options import DeliverySettings
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.imports.verdict import STALLED_AFTER
from cognee_dagster.remote.imports.vocabulary import IMPORT_PIPELINE, ImportState
from cognee_dagster.remote.imports.watch import WatchedImport, wait_for_import
from cognee_dagster.sandbox import CogneeServer
from cognee_dagster.testing import faults
from tests.conftest import LocalStore
from tests.fault_proxy import FaultProxy
from tests.integration.test_faults_cognee import graph_archive, imports_of
from tests.pushes import client_of, push_archive
from tests.rivals import Rival, rival_archive

PATIENT = DeliverySettings(detach_timeout=60.0, recovery_timeout=20.0, poll_interval=0.2)
LONG = 400  # nodes of an import that is still under way seconds later


@pytest.fixture
def proxy(real_remote: CogneeServer) -> Iterator[FaultProxy]:
    with FaultProxy(real_remote.url) as between:
        yield between


@pytest.fixture
def client(real_remote: CogneeServer) -> Iterator[CogneeClient]:
    with client_of(real_remote.url, real_remote.api_key) as open_client:
        yield open_client


@pytest.fixture
def dataset() -> str:
    return f"rivals_{uuid4().hex}"


def wait_until(happened: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < limit
        time.sleep(0.05)


def is_importing(client: CogneeClient, dataset: str) -> bool:
    found = client.find_dataset(dataset)
    return found is not None and any(client.runs(pipeline_name=IMPORT_PIPELINE, dataset_id=found.id))


def assert_ours(client: CogneeClient, result: PushResult, archive: Archive, dataset: str, rival: Rival) -> None:
    """The run is neither none nor the other one's, it succeeds, and then the remote graph holds the archive."""
    assert result.pipeline_run_id not in (None, rival.run_id)
    watched = WatchedImport(run_id=str(result.pipeline_run_id))
    verdict = wait_for_import(client, watched, stalled_after=STALLED_AFTER, timeout_seconds=60)
    assert verdict.state is ImportState.SUCCEEDED
    assert imports_of(client, dataset) == {result.pipeline_run_id, rival.run_id}
    assert entities_of(client, dataset) == {f"Entity {number}" for number in range(3)}


def entities_of(client: CogneeClient, dataset: str) -> set[str]:
    found = client.find_dataset(dataset)
    assert found is not None
    return {node.label for node in client.graph(found.id).nodes if node.label.startswith("Entity ")}


@pytest.mark.parametrize("run_in_background", [False, True], ids=["foreground", "background"])
def test_a_gateway_that_drops_the_upload_during_another_import_never_makes_it_ours(
    proxy: FaultProxy,
    real_remote: CogneeServer,
    client: CogneeClient,
    dataset: str,
    run_in_background: bool,
    tmp_path: Path,
) -> None:
    archive = graph_archive(tmp_path)
    proxy.on(faults.UPLOADS, faults.answer(504))
    with Rival(real_remote.url, real_remote.api_key, rival_archive(tmp_path, nodes=LONG), dataset=dataset) as rival:
        wait_until(lambda: is_importing(client, dataset))
        with client_of(proxy.url, real_remote.api_key) as through:
            result = push_archive(
                archive, client=through, target_dataset=dataset, run_in_background=run_in_background, settings=PATIENT
            )
    assert_ours(client, result, archive, dataset, rival)


def test_an_import_that_begins_after_our_dropped_upload_is_not_taken_for_ours(
    proxy: FaultProxy, real_remote: CogneeServer, client: CogneeClient, dataset: str, tmp_path: Path
) -> None:
    archive = graph_archive(tmp_path)
    proxy.on(faults.UPLOADS, replace(faults.answer(504), answer_delay=1.5))
    rival = Rival(real_remote.url, real_remote.api_key, rival_archive(tmp_path, nodes=20), dataset=dataset)
    timer = threading.Timer(0.5, rival.begin)
    timer.start()
    with client_of(proxy.url, real_remote.api_key) as through:
        result = push_archive(archive, client=through, target_dataset=dataset, settings=PATIENT)
    timer.join()
    rival.wait()
    assert_ours(client, result, archive, dataset, rival)


def test_a_lost_answer_during_another_import_is_made_good_by_the_remote_graph(
    proxy: FaultProxy, real_remote: CogneeServer, client: CogneeClient, dataset: str, tmp_path: Path
) -> None:
    archive = graph_archive(tmp_path)
    proxy.on(faults.UPLOADS, faults.drop_answer())
    with Rival(real_remote.url, real_remote.api_key, rival_archive(tmp_path, nodes=LONG), dataset=dataset):
        wait_until(lambda: is_importing(client, dataset))
        with client_of(proxy.url, real_remote.api_key) as through:
            result = push_archive(archive, client=through, target_dataset=dataset, settings=PATIENT)
    assert (result.status, result.known_by) == ("completed", KnownBy.REMOTE_GRAPH)
    assert proxy.uploads_delivered == 1
    assert len(imports_of(client, dataset)) == 2
    assert entities_of(client, dataset) == {f"Entity {number}" for number in range(3)}


def test_a_background_push_beside_another_import_reports_its_own_run(
    real_remote: CogneeServer, client: CogneeClient, dataset: str, tmp_path: Path
) -> None:
    archive = graph_archive(tmp_path)
    with Rival(real_remote.url, real_remote.api_key, rival_archive(tmp_path, nodes=LONG), dataset=dataset) as rival:
        wait_until(lambda: is_importing(client, dataset))
        result = push_archive(archive, client=client, target_dataset=dataset, run_in_background=True, settings=PATIENT)
    assert_ours(client, result, archive, dataset, rival)


def test_two_pushers_whose_documents_are_stored_at_once_are_not_taken_for_each_other(
    real_remote: CogneeServer, client: CogneeClient, dataset: str, tmp_path: Path
) -> None:
    """The other one's documents come before its import: its run begins after our last byte and before our own."""
    archive = graph_archive(tmp_path)
    theirs = rival_archive(tmp_path, documents=60)
    with Rival(real_remote.url, real_remote.api_key, theirs, dataset=dataset) as rival:
        wait_until(lambda: client.find_dataset(dataset) is not None)
        result = push_archive(archive, client=client, target_dataset=dataset, run_in_background=True, settings=PATIENT)
    assert_ours(client, result, archive, dataset, rival)


def test_two_processes_that_push_one_dataset_report_a_run_each(
    real_remote: CogneeServer, client: CogneeClient, dataset: str, demo_store: LocalStore, tmp_path: Path
) -> None:
    environ = {
        **os.environ,
        **demo_store.environ,
        "HOME": str(tmp_path),
        "COGNEE_SERVICE_URL": real_remote.url,
        "COGNEE_API_KEY": real_remote.api_key,
    }
    command = [sys.executable, "-m", "cognee_dagster", "push", "demo", "--target-dataset", dataset, "--json"]
    pushing = [
        subprocess.Popen(command, env=environ, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        ended = [(*process.communicate(timeout=120), process.returncode) for process in pushing]
    finally:
        for process in pushing:
            with suppress(ProcessLookupError):
                process.kill()
    assert [code for *_, code in ended] == [0, 0], ended
    results = [json.loads(printed) for printed, *_ in ended]
    assert [result["status"] for result in results] == ["completed", "completed"]
    assert imports_of(client, dataset) == {result["pipeline_run_id"] for result in results}
    assert len(imports_of(client, dataset)) == 2
