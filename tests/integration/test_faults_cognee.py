"""The main faults on real Cognee: whatever breaks in between, one import, the whole graph, and each document once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.errors import RemoteError
from cognee_dagster.pushing.options import DeliverySettings
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.imports.verdict import STALLED_AFTER
from cognee_dagster.remote.imports.vocabulary import IMPORT_PIPELINE, ImportState
from cognee_dagster.remote.imports.watch import WatchedImport, wait_for_import
from cognee_dagster.sandbox import CogneeServer
from cognee_dagster.testing import faults
from tests.cogx_graphs import MemoryReader
from tests.fault_proxy import FaultProxy
from tests.pushes import client_of, push_archive

# What a Cognee server's log says of a database that it cannot open after a kill (Cognee 1.6.5 with Ladybug 0.19).
UNOPENABLE = "{dataset}.lbug.shadow' does not match the current database"
PATIENT = DeliverySettings(detach_timeout=60.0, recovery_timeout=20.0, poll_interval=0.2)


@pytest.fixture
def proxy(real_remote: CogneeServer) -> Iterator[FaultProxy]:
    with FaultProxy(real_remote.url) as between:
        yield between


def graph_archive(directory: Path, *, entities: int = 3) -> Archive:
    """A chunk and the entities it names, under ids that no other test uses."""
    chunk, *others = (str(uuid4()) for _ in range(entities + 1))
    nodes = [(chunk, "", "DocumentChunk", '{"text": "A text."}')]
    nodes += [(entity, f"Entity {place}", "Entity", '{"description": "One."}') for place, entity in enumerate(others)]
    edges = [(chunk, entity, "contains", '{"edge_text": "The text names it."}') for entity in others]
    return write_archive(MemoryReader([*nodes], [*edges]), directory / "graph.cogx.tar.gz")


def imports_of(client: CogneeClient, dataset: str) -> set[str | None]:
    found = client.find_dataset(dataset)
    assert found is not None
    return {row.pipeline_run_id for row in client.runs(pipeline_name=IMPORT_PIPELINE, dataset_id=found.id)}


def assert_arrived(client: CogneeClient, archive: Archive, dataset: str) -> None:
    found = client.find_dataset(dataset)
    assert found is not None
    graph = client.graph(found.id)
    assert (len(graph.nodes), len(graph.edges)) == (archive.num_nodes, archive.num_edges)
    assert len(list(client.data(found.id))) == 1


@pytest.mark.parametrize("run_in_background", [False, True], ids=["foreground", "background"])
@pytest.mark.parametrize(
    "fault",
    [faults.cut_request(300), faults.cut_answer(0), faults.answer(504, deliver=True), faults.answer(503)],
    ids=["upload_cut", "answer_lost", "gateway_timeout", "unavailable"],
)
def test_a_fault_in_between_costs_neither_the_graph_nor_a_second_import(
    proxy: FaultProxy, real_remote: CogneeServer, fault: faults.Fault, run_in_background: bool, tmp_path: Path
) -> None:
    archive, dataset = graph_archive(tmp_path), f"fault_{uuid4().hex}"
    proxy.on(faults.UPLOADS, fault)
    with client_of(proxy.url, real_remote.api_key) as client:
        result = push_archive(
            archive,
            client=client,
            target_dataset=dataset,
            run_in_background=run_in_background,
            settings=PATIENT,
        )
        watched = WatchedImport(run_id=str(result.pipeline_run_id))
        verdict = wait_for_import(client, watched, stalled_after=STALLED_AFTER, timeout_seconds=60)
        assert verdict.state is ImportState.SUCCEEDED
        assert imports_of(client, dataset) == {result.pipeline_run_id}
        assert_arrived(client, archive, dataset)
    assert proxy.uploads_delivered == 1


def test_one_dataset_reaches_several_remote_datasets_and_again(real_remote: CogneeServer, tmp_path: Path) -> None:
    """Document ids are unique over a server, and a push that is repeated adds no document."""
    archive = graph_archive(tmp_path)
    targets = [f"target_{uuid4().hex}" for _ in range(2)]
    with client_of(real_remote.url, real_remote.api_key) as client:
        for target in [*targets, *targets]:
            push_archive(archive, client=client, target_dataset=target, settings=PATIENT)
        for target in targets:
            assert_arrived(client, archive, target)


def test_a_changed_text_reaches_the_remote(real_remote: CogneeServer, tmp_path: Path) -> None:
    chunk, target = str(uuid4()), f"changed_{uuid4().hex}"
    with client_of(real_remote.url, real_remote.api_key) as client:
        names = []
        for text in ("An old text.", "A new text."):
            reader = MemoryReader([(chunk, "", "DocumentChunk", f'{{"text": "{text}"}}')])
            archive = write_archive(reader, tmp_path / "text.cogx.tar.gz")
            push_archive(archive, client=client, target_dataset=target, settings=PATIENT)
            (document,) = client.data(client.ensure_dataset(target).id)
            names.append(document.name)
        assert names[0] != names[1]
        (node,) = client.graph(client.ensure_dataset(target).id).nodes
        assert node.properties["text"] == "A new text."


def test_a_server_that_is_killed_in_the_middle_of_an_import_gets_the_whole_graph_from_the_next_push(
    real_cognee: None, tmp_path: Path
) -> None:
    """Killed at the wrong moment, Ladybug cannot open the dataset's database any more: then another one is tried."""
    with CogneeServer(tmp_path / "server") as server:
        for attempt in range(4):
            archive, dataset = graph_archive(tmp_path, entities=1500), f"killed_{attempt}"
            with client_of(server.url, server.api_key) as client, pytest.raises(RemoteError):
                push_archive(
                    archive,
                    client=client,
                    target_dataset=dataset,
                    settings=replace(PATIENT, recovery_timeout=2.0),
                    on_run=lambda run_id: server.kill(),
                )
            server.restart()
            with client_of(server.url, server.api_key) as client:
                try:
                    result = push_archive(archive, client=client, target_dataset=dataset, settings=PATIENT)
                except RemoteError:
                    if UNOPENABLE.format(dataset=client.ensure_dataset(dataset).id) in server.log.read_text():
                        continue
                    raise
                assert result.status == "completed"
                assert_arrived(client, archive, dataset)
                return
        pytest.fail("The server could not open its database again, four times.")
