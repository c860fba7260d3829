"""A graph is read in another process, whose end is an error here and never the end of this process."""

import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.errors import LocalCogneeError, StoreBusyError, StoreDamagedError
from cognee_dagster.graph.origin import GraphOrigin
from cognee_dagster.graph.reader import GraphReader
from cognee_dagster.graph.reading_process import open_in_process
from cognee_dagster.sources.cognee import ladybug_reader
from cognee_dagster.sources.cognee.ladybug_memory import largest_pool
from cognee_dagster.sources.cognee.ladybug_process import open_ladybug_graph
from cognee_dagster.sources.cognee.ladybug_reader import open_in_own_process, open_ladybug_file
from cognee_dagster.system.worker import Receive, Send, Worker
from tests.cogx_graphs import MemoryReader
from tests.unit.local_stores import TinyGraph

ORIGIN = GraphOrigin(dataset_name="tiny")
PAGE_BYTES = 4096
NODES = [(f"n{n}", f"Node {n}", "Entity", "{}") for n in range(5)]


@contextmanager
def open_memory(fails: str = "", code: int = 0) -> Iterator[GraphReader]:
    """What the other process opens in these tests."""

    class Reader(MemoryReader):
        def nodes(self) -> Any:
            yield from super().nodes()
            if fails == "kill":
                os.kill(os.getpid(), code)
            elif fails:
                raise StoreBusyError(fails)

    yield Reader(NODES)


def ids(reader: GraphReader) -> list[str]:
    return [row["id"] for batch in reader.nodes() for row in batch.to_pylist()]


def read(path: Path) -> tuple[int, int]:
    with open_ladybug_graph(path, origin=ORIGIN) as reader:
        return sum(b.num_rows for b in reader.nodes()), sum(b.num_rows for b in reader.edges())


@pytest.fixture
def graph_file(tmp_path: Path) -> Path:
    path = tmp_path / "graph.lbug"
    with TinyGraph(path) as graph:
        graph.add_nodes(
            {"id": f"n{n:04d}", "name": f"Node {n}", "type": "Entity", "properties": '{"text": "' + "é" * 60 + '"}'}
            for n in range(1_000)
        )
        graph.connection.execute(
            "MATCH (a:Node), (b:Node) WHERE offset(id(b)) = (offset(id(a)) * 7 + 1) % 1000 "
            "CREATE (a)-[:EDGE {relationship_name: 'next', properties: '{}'}]->(b)"
        )
    return path


def test_a_graph_comes_through_whole_and_again_and_after_a_pass_that_was_left(graph_file: Path) -> None:
    with open_ladybug_file(graph_file, origin=ORIGIN) as here, open_ladybug_graph(graph_file, origin=ORIGIN) as there:
        nodes, edges = list(here.nodes()), list(here.edges())
        next(there.edges())
        for _ in range(2):
            assert list(there.nodes()) == nodes
            assert list(there.edges()) == edges
        assert there.origin == ORIGIN


def test_a_pass_that_another_one_ended_does_not_seem_to_be_over() -> None:
    with open_in_process(open_memory, dataset_name="tiny") as reader:
        first = reader.nodes()
        next(first)
        assert len(ids(reader)) == 5
        with pytest.raises(RuntimeError, match="Another pass"):
            next(first)


def test_an_error_over_there_is_the_same_error_here() -> None:
    with (
        open_in_process(partial(open_memory, "it is being written"), dataset_name="tiny") as reader,
        pytest.raises(StoreBusyError, match="it is being written"),
    ):
        ids(reader)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT])
def test_a_crash_over_there_is_a_damaged_store_here(number: signal.Signals) -> None:
    with (
        open_in_process(partial(open_memory, "kill", number), dataset_name="tiny") as reader,
        pytest.raises(StoreDamagedError, match=rf"graph of dataset 'tiny' crashed \({number.name}\).*backup"),
    ):
        ids(reader)


def test_a_process_that_was_killed_is_no_damage() -> None:
    with (
        open_in_process(partial(open_memory, "kill", signal.SIGKILL), dataset_name="tiny") as reader,
        pytest.raises(LocalCogneeError, match=r"with code -9.*more memory") as caught,
    ):
        ids(reader)
    assert not isinstance(caught.value, StoreDamagedError)


def test_a_crash_while_another_process_changes_the_file_is_a_busy_store(graph_file: Path) -> None:
    def crash() -> None:
        with open_ladybug_graph(graph_file, origin=ORIGIN):
            graph_file.touch()
            raise StoreDamagedError("crashed")

    with pytest.raises(StoreBusyError, match="changed the graph file"):
        crash()


def take_memory(path: Path, _receive: Receive, send: Send) -> None:
    with open_in_own_process(path, origin=ORIGIN) as reader:
        send(sum(batch.num_rows for batch in reader.nodes()))
        send(len(bytearray(8 << 30)))


def test_a_process_that_reads_a_graph_cannot_take_all_memory(graph_file: Path) -> None:
    """One zeroed page of 2,000 made Ladybug ask for more than the machine had, until the system killed it."""
    with Worker(partial(take_memory, graph_file)) as worker:
        assert worker.receive() == 1_000
        with pytest.raises(MemoryError):
            worker.receive()


def test_the_process_that_reads_edges_is_bounded_too(graph_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladybug_reader, "TWO_PROCESSES_BYTES", 0)
    with open_ladybug_file(graph_file, origin=ORIGIN) as reader:
        assert isinstance(reader.reopen, partial)
        assert reader.reopen.func is open_in_own_process


def test_no_node_needs_a_pool_beyond_what_its_file_can_hold(graph_file: Path) -> None:
    assert largest_pool(graph_file) == 1 << 30
    assert largest_pool(graph_file.with_name("missing")) == 1 << 30


def test_no_damage_to_a_page_ends_this_process(graph_file: Path) -> None:
    """Of pages filled with rubbish, one in ten ends the process that reads them; the other rubbish must be an error."""
    content = graph_file.read_bytes()
    chance = random.Random(11)
    crashed = 0
    for page in [*range(3), *chance.sample(range(3, len(content) // PAGE_BYTES), 7)]:
        damaged = bytearray(content)
        damaged[page * PAGE_BYTES : (page + 1) * PAGE_BYTES] = chance.randbytes(PAGE_BYTES)
        graph_file.write_bytes(damaged)
        try:
            assert read(graph_file) == (1_000, 1_000), page  # a page that is in no use
        except LocalCogneeError as error:
            crashed += "crashed" in str(error)
    assert crashed
