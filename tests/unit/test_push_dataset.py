"""``push_dataset`` from a tiny local store to the fake remote."""

from pathlib import Path

import pytest

from cognee_dagster.errors import EmptyGraphError
from cognee_dagster.pushing.progress import PushProgress
from cognee_dagster.pushing.push import push_dataset
from cognee_dagster.remote.connection import Connection, resolve_connection
from cognee_dagster.system.worker import Worker
from cognee_dagster.testing import FakeRemote
from tests.unit.local_stores import TinyGraph, TinyStore


@pytest.fixture
def store(tmp_path: Path) -> TinyStore:
    store = TinyStore(tmp_path)
    dataset = store.add_dataset("papers")
    store.grant(dataset, store.default_user)
    with TinyGraph(store.place_graph(dataset)) as graph:
        graph.add_node("a", "Ada")
        graph.add_node("b", "Bob")
        graph.add_edge("a", "b")
    return store


def connection_to(remote: FakeRemote) -> Connection:
    return resolve_connection(remote.url, remote.api_key)


def test_the_store_is_closed_before_anything_is_sent(
    store: TinyStore, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import takes minutes: meanwhile its memory and its lock belong to others."""
    events: list[str] = []
    close = Worker.close

    def noting(worker: Worker) -> None:
        close(worker)
        events.append("closed")

    monkeypatch.setattr(Worker, "close", noting)
    result = push_dataset(
        "papers",
        config=store.config,
        connection=connection_to(remote),
        progress=PushProgress(on_upload=lambda *_: events.append("sent")),
    )
    assert (result.status, result.num_nodes, result.num_edges) == ("completed", 2, 1)
    assert events[0] == "closed"
    assert events.count("closed") == 1
    assert "sent" in events


def test_a_dataset_without_a_graph_is_told_what_to_do(tmp_path: Path, remote: FakeRemote) -> None:
    store = TinyStore(tmp_path)
    store.grant(store.add_dataset("empty"), store.default_user)
    with pytest.raises(EmptyGraphError, match=r"cognify\(\)"):
        push_dataset("empty", config=store.config, connection=connection_to(remote))
