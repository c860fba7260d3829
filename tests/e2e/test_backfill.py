"""A backfill of tenants in a real daemon, on real Cognee: each one's graph arrives, once, and nobody else's with it.

``make scale`` runs it with 100 tenants.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import dagster as dg
import pytest

from cognee_dagster.remote.imports.vocabulary import IMPORT_PIPELINE
from cognee_dagster.sandbox import CogneeServer
from tests.dagster_project import DagsterUI, dagster_dev
from tests.pushes import client_of
from tests.unit.local_stores import TinyGraph, TinyStore

pytestmark = pytest.mark.timeout(7200)

TENANTS = [f"t{number:03}" for number in range(int(os.environ.get("SCALE_TENANTS", "3")))]
PEOPLE = 3
SECONDS_EACH = 60.0
KEYS = [["tenants", name] for name in ("cognified_graph", "cogx_archive", "remote_push")]

# What is new is discovered only: the pushes are the backfill's.
CODE_LOCATION = """
import dagster as dg
from cognee_dagster import CogneeDataset, CogxArchiveIOManager, build_definitions, build_discovery_sensor

tenants = CogneeDataset(
    name="tenant_{partition}", target_dataset="remote_{partition}", asset_name="tenants", partitions_def="tenants"
)
discovery = build_discovery_sensor(tenants, request_runs=False, minimum_interval_seconds=1)
defs = dg.Definitions.merge(
    build_definitions([tenants], archives=CogxArchiveIOManager(base_directory="archives")),
    dg.Definitions(sensors=[discovery], executor=dg.in_process_executor),
)
"""
SETTINGS = """
telemetry: {enabled: false}
concurrency: {runs: {max_concurrent_runs: 2}}
"""


def node_ids(tenant: str) -> list[str]:
    return [str(uuid5(NAMESPACE_URL, f"{tenant}/{number}")) for number in range(PEOPLE)]


def write_local_cognee(directory: Path) -> TinyStore:
    """A local Cognee with a dataset for each tenant: people in a row, called after it."""
    store = TinyStore(directory)
    for tenant in TENANTS:
        dataset = store.add_dataset(f"tenant_{tenant}")
        store.grant(dataset, store.default_user)
        ids = node_ids(tenant)
        with TinyGraph(store.place_graph(dataset)) as graph:
            for number, node_id in enumerate(ids):
                graph.add_node(node_id, f"Person {number} of {tenant}", "Person")
            for source, target in pairwise(ids):
                graph.add_edge(source, target)
    return store


@contextmanager
def dagster_over(directory: Path, remote: CogneeServer) -> Iterator[DagsterUI]:
    store = write_local_cognee(directory / "local")
    (directory / "dagster.yaml").write_text(SETTINGS)
    (directory / "defs.py").write_text(CODE_LOCATION)
    (directory / "empty.env").touch()
    environ = {
        **DagsterUI.environment(home=directory),
        "DAGSTER_HOME": str(directory),
        "COGNEE_ENV_FILE": str(directory / "empty.env"),
        "COGNEE_SERVICE_URL": remote.url,
        "COGNEE_API_KEY": remote.api_key,
        "SYSTEM_ROOT_DIRECTORY": str(store.system),
    }
    with dagster_dev(directory, environ, "-f", "defs.py") as ui:
        yield ui


def wait_for_partitions(instance: dg.DagsterInstance) -> None:
    deadline = time.monotonic() + 120
    while set(instance.get_dynamic_partitions("tenants")) != set(TENANTS):
        assert time.monotonic() < deadline, "the discovery sensor has not found all tenants"
        time.sleep(0.5)


def test_each_tenant_of_a_backfill_arrives_once_on_real_cognee(
    real_remote: CogneeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dagster_over(tmp_path, real_remote) as ui, dg.DagsterInstance.get() as instance:
        wait_for_partitions(instance)
        backfill = ui.backfill(*KEYS, partitions=TENANTS)
        ui.wait_for_backfill(backfill, runs=len(TENANTS), timeout=120 + SECONDS_EACH * len(TENANTS))
        runs = instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": backfill}))
        events = instance.fetch_materializations(dg.AssetKey(["tenants", "remote_graph"]), limit=1000).records
    assert Counter((run.tags["dagster/partition"], run.status.value) for run in runs) == Counter(
        (tenant, "SUCCESS") for tenant in TENANTS
    )
    assert Counter(event.partition_key for event in events) == Counter(TENANTS)
    with client_of(real_remote.url, real_remote.api_key) as client:
        for tenant in TENANTS:
            found = client.find_dataset(f"remote_{tenant}")
            assert found is not None, tenant
            graph = client.graph(found.id)
            assert graph.node_ids() == set(node_ids(tenant))
            assert {node.label for node in graph.nodes} == {f"Person {n} of {tenant}" for n in range(PEOPLE)}
            assert len(graph.edges) == PEOPLE - 1
            imports = {row.pipeline_run_id for row in client.runs(pipeline_name=IMPORT_PIPELINE, dataset_id=found.id)}
            assert len(imports) == 1, (tenant, imports)
