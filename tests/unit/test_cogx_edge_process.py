"""A second process writes what the first one would have written, or its failure is the first one's."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import cognee_dagster.sources.cognee.ladybug_reader as ladybug
from cognee_dagster.cogx.write import writer
from cognee_dagster.cogx.write.edge_process import EdgeProcess
from cognee_dagster.cogx.write.writer import Progress, write_archive
from cognee_dagster.errors import GraphFileError, LocalCogneeError, StoreBusyError
from cognee_dagster.graph.reader import GraphOrigin
from cognee_dagster.sources.cognee.ladybug_database import LadybugState
from cognee_dagster.sources.cognee.ladybug_reader import open_ladybug_file
from cognee_dagster.system.child_process import ChildProcess
from tests.cogx_graphs import MemoryReader, demo_reader
from tests.unit.local_stores import TinyGraph

ORIGIN = GraphOrigin(dataset_name="tiny")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[ChildProcess]:
    """The processes that are started, which a machine with one processor would do without."""
    processes: list[ChildProcess] = []

    class Noted(EdgeProcess):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            processes.append(self._worker.process)

    monkeypatch.setattr(writer, "EdgeProcess", Noted)
    monkeypatch.setattr(writer, "pays_off", lambda: True)
    monkeypatch.setattr(ladybug, "TWO_PROCESSES_BYTES", 0)
    return processes


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A ring of 400 nodes, one of whose edges takes the slow way."""
    path = tmp_path / "ring.lbug"
    with TinyGraph(path) as graph:
        graph.add_nodes(
            {"id": f"n{n:03d}", "name": f"Node {n}", "type": "Entity", "properties": "{}"} for n in range(400)
        )
        graph.connection.execute(
            "MATCH (a:Node), (b:Node) WHERE offset(id(b)) = (offset(id(a)) + 1) % 400 "
            "CREATE (a)-[:EDGE {relationship_name: 'next', properties: '{\"edge_text\": \"and on\"}'}]->(b)"
        )
        graph.add_edge("n000", "n007", "met", json.dumps({"edge_text": "x", "valid_at": "2026-01-31"}))
    return path


def export(store: Path, name: str, **options: Any) -> Any:
    with open_ladybug_file(store, origin=ORIGIN) as reader:
        return write_archive(reader, store.parent / f"{name}.cogx.tar.gz", **options)


def test_two_processes_write_the_same_archive_as_one(
    store: Path, started: list[ChildProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Progress] = []
    two = export(store, "two", progress=told.append)
    assert len(started) == 1
    assert [step.done for step in told if step.phase == "edges"][-1] == 401
    monkeypatch.setattr(writer, "pays_off", lambda: False)
    one = export(store, "one")
    assert len(started) == 1
    assert two.path.read_bytes() == one.path.read_bytes()
    assert (two.summary, two.record_counts, two.member_bytes) == (one.summary, one.record_counts, one.member_bytes)
    assert (two.num_nodes, two.num_edges) == (400, 401)


def test_types_and_what_is_of_them_are_counted_together_across_the_processes(
    store: Path, started: list[ChildProcess]
) -> None:
    with TinyGraph(store, create=False) as graph:
        graph.add_nodes([{"id": "robot", "name": "Robot", "type": "EntityType", "properties": "{}"}])
        for node_id in ("n001", "n002"):
            graph.add_edge(node_id, "robot", "is_a", "{}")
        graph.add_edge("n001", "n002", "is_a", "{}")  # to what is no type
    assert export(store, "typed").summary.entities_by_type == {"Robot": 2}
    assert len(started) == 1


def test_a_small_graph_and_one_that_is_in_memory_are_left_to_one_process(
    store: Path, tmp_path: Path, started: list[ChildProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladybug, "TWO_PROCESSES_BYTES", store.stat().st_size + 1)
    export(store, "small")
    write_archive(demo_reader(), tmp_path / "memory.cogx.tar.gz")
    assert started == []


def test_an_edge_that_cannot_be_written_is_the_error_it_would_have_been(
    store: Path, started: list[ChildProcess]
) -> None:
    with TinyGraph(store, create=False) as graph:
        graph.add_edge("n001", "n002", "odd", '{"edge_text": 3}')
    with pytest.raises(GraphFileError, match=r"Edge 'n001' -\[odd\]-> 'n002' has an edge_text that is no text but 3"):
        export(store, "odd")
    assert list(store.parent.glob("*.cogx.tar.gz")) == []
    assert len(started) == 1


def test_a_graph_that_changed_before_the_second_process_opened_it_is_not_used(store: Path) -> None:
    with open_ladybug_file(store, origin=ORIGIN) as reader:
        reopen = reader.reopen
    assert reopen is None  # it is small
    state = LadybugState.of(store)
    with TinyGraph(store, create=False) as graph:
        graph.add_node("late", "Late")
        graph.connection.execute("CHECKPOINT")
    with (
        pytest.raises(StoreBusyError, match="while it was being read"),
        open_ladybug_file(store, origin=ORIGIN, state=state),
    ):
        pass


class ElsewhereReader(MemoryReader):
    """Its second process does what it is told."""

    def __init__(self, reopen: Any) -> None:
        super().__init__([("n", "N", "Entity", "{}")])
        self.reopen = reopen


def test_a_process_that_dies_is_an_error_with_its_last_words(tmp_path: Path, started: list[ChildProcess]) -> None:
    for does, said in (
        (partial(os._exit, 7), "edges of dataset 'demo' ended early, with code 7"),
        (partial(sys.exit, "out of luck"), "It said last: out of luck"),
    ):
        with pytest.raises(LocalCogneeError, match=said):
            write_archive(ElsewhereReader(does), tmp_path / "a.cogx.tar.gz")
    assert list(tmp_path.iterdir()) == []
    assert len(started) == 2


def test_the_process_gets_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COGNEE_API_KEY", "LLM_API_KEY", "DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "DAGSTER_CLOUD_API_TOKEN"):
        monkeypatch.setenv(name, "a-marker")
    monkeypatch.setattr(writer, "pays_off", lambda: True)
    says = partial(
        exec, "import os, sys; sys.exit(f'secrets: {[n for n, v in os.environ.items() if v == \"a-marker\"]}')"
    )
    with pytest.raises(LocalCogneeError, match=r"secrets: \[\]"):
        write_archive(ElsewhereReader(says), tmp_path / "a.cogx.tar.gz")


class InterruptedReader(ElsewhereReader):
    """Is interrupted when the second process is where it should be."""

    def __init__(self, script: str, *, mark: Path) -> None:
        super().__init__(partial(exec, script.format(mark=str(mark))))
        self._mark = mark

    def nodes(self) -> Iterator[pa.RecordBatch]:
        deadline = time.monotonic() + 60
        while not self._mark.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self._mark.unlink()
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("import pathlib, time; pathlib.Path({mark!r}).touch(); time.sleep(600)", -signal.SIGTERM),
        (
            "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
            "pathlib.Path({mark!r}).touch(); time.sleep(600)",
            -signal.SIGKILL,
        ),
    ],
)
def test_a_process_does_not_outlive_an_interrupted_export(
    tmp_path: Path, started: list[ChildProcess], script: str, code: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_archive(InterruptedReader(script, mark=tmp_path / "mark"), tmp_path / "a.cogx.tar.gz")
    assert [process.returncode for process in started] == [code]
    assert list(tmp_path.iterdir()) == []


def is_running(process: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()  # a zombie is what nobody has asked about yet
    except FileNotFoundError:
        return False


def test_a_process_does_not_outlive_the_one_that_started_it(store: Path) -> None:
    """Killed, the first process cannot end the second one, which notices by itself."""
    script = (
        "import os, signal, sys, time\n"
        "from pathlib import Path\n"
        "import cognee_dagster.sources.cognee.ladybug_reader as ladybug\n"
        "from cognee_dagster.cogx.write import edge_process, writer\n"
        "from cognee_dagster.graph.reader import GraphOrigin\n"
        "ladybug.TWO_PROCESSES_BYTES = 0\n"
        "writer.pays_off = lambda: True\n"
        "started = edge_process.EdgeProcess.__init__\n"
        "def die(self, *arguments, **options):\n"
        "    started(self, *arguments, **options)\n"
        "    print(self._worker.process.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "edge_process.EdgeProcess.__init__ = die\n"
        "with ladybug.open_ladybug_file(Path(sys.argv[1]), origin=GraphOrigin(dataset_name='g')) as reader:\n"
        "    writer.write_archive(reader, Path(sys.argv[1] + '.cogx.tar.gz'))\n"
    )
    command = [sys.executable, "-c", script, str(store)]
    first = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert first.returncode == -signal.SIGKILL, first.stderr
    second = int(first.stdout)
    deadline = time.monotonic() + 60
    while is_running(second):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert sorted(store.parent.iterdir()) == [store]
