"""A store that is damaged, or was left by a crash, is told at once from one that somebody is writing."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cognee_dagster.errors import LocalCogneeError, StoreBusyError, StoreDamagedError, StoreFormatError
from cognee_dagster.graph.reader import GraphOrigin
from cognee_dagster.sources.cognee import ladybug_database, ladybug_memory
from cognee_dagster.sources.cognee.ladybug_process import open_ladybug_graph
from cognee_dagster.sources.cognee.ladybug_reader import open_ladybug_file
from cognee_dagster.system.write_lock import is_write_locked
from tests.unit.local_stores import TinyGraph

ORIGIN = GraphOrigin(dataset_name="tiny")
WRITER = """
import os, sys
import ladybug
database = ladybug.Database(sys.argv[1])
connection = ladybug.Connection(database)
connection.execute("CREATE (:Node {id: 'late', name: 'Late', type: 'T', properties: '{}'})")
print("wrote", flush=True)
sys.stdin.read()
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def graph_file(tmp_path: Path) -> Path:
    path = tmp_path / "graph.lbug"
    with TinyGraph(path) as graph:
        graph.add_nodes({"id": f"n{n}", "name": "N", "type": "T", "properties": "{}"} for n in range(100))
    return path


@contextmanager
def writer(path: Path) -> Iterator[None]:
    """A process that has the file open for writing; killed at the end, so that its log is left."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "wrote\n"
        yield
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


class Waits:
    """Time that goes on by the waits that are asked for."""

    asked = 0.0

    def monotonic(self) -> float:
        return self.asked

    def sleep(self, seconds: float) -> None:
        self.asked += seconds


def zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def count(path: Path, *, wait_seconds: float = 30) -> int:
    with open_ladybug_file(path, origin=ORIGIN, wait_seconds=wait_seconds) as reader:
        return sum(batch.num_rows for batch in reader.nodes())


def test_a_lock_for_writing_is_seen_while_it_is_held(graph_file: Path) -> None:
    assert is_write_locked(graph_file) is False
    with writer(graph_file):
        assert is_write_locked(graph_file) is True
    assert is_write_locked(graph_file) is False


def test_the_changes_in_the_log_of_a_writer_that_was_killed_are_read(graph_file: Path) -> None:
    with writer(graph_file):
        pass
    assert beside(graph_file, ".wal").stat().st_size
    assert count(graph_file) == 101


@pytest.mark.parametrize("suffix", [".wal.checkpoint", ".shadow"])
def test_a_checkpoint_that_nobody_will_finish_is_told_at_once_and_cognee_can_finish_it(
    graph_file: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = Waits()
    monkeypatch.setattr(ladybug_database, "time", waits)
    beside(graph_file, suffix).touch()
    with pytest.raises(StoreDamagedError, match=rf"in the middle of a change: graph.lbug{suffix} .*cognee.search"):
        count(graph_file)
    assert waits.asked < 10
    with TinyGraph(graph_file, create=False):
        pass
    assert count(graph_file) == 100


def test_a_checkpoint_that_a_writer_may_still_finish_is_waited_for(graph_file: Path) -> None:
    with writer(graph_file):
        beside(graph_file, ".shadow").touch()
        with pytest.raises(StoreBusyError, match=r"Another process is writing .*within 2 s.*try again"):
            count(graph_file, wait_seconds=2)


@pytest.mark.parametrize("damage", ["cut", "flipped", "rubbish"])
def test_a_damaged_log_is_told_at_once_and_moving_it_away_helps(graph_file: Path, damage: str) -> None:
    with writer(graph_file):
        pass
    log = beside(graph_file, ".wal")
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes({"cut": log.read_bytes()[:-5], "flipped": bytes(content), "rubbish": b"rubbish" * 99}[damage])
    with pytest.raises(StoreDamagedError, match=r"graph\.lbug\.wal .*is damaged.*move graph.lbug.wal away"):
        count(graph_file)
    log.unlink()
    assert count(graph_file) == 100


def test_a_file_that_was_cut_off_is_damaged_and_not_busy(graph_file: Path) -> None:
    graph_file.write_bytes(graph_file.read_bytes()[:-5000])
    with pytest.raises(StoreDamagedError, match=r"graph\.lbug is damaged.*backup"):
        count(graph_file)


def test_strings_that_are_not_utf_8_are_damage(graph_file: Path) -> None:
    with TinyGraph(graph_file, create=False) as graph:
        graph.add_node("marker", "a-name-of-its-own-that-is-long")
    content = graph_file.read_bytes()
    assert content.count(b"a-name-of-its-own") == 1
    graph_file.write_bytes(content.replace(b"a-name-of-its-own", b"a-name\xff\xfe\xff-its-own"))
    with (
        open_ladybug_graph(graph_file, origin=ORIGIN) as reader,
        pytest.raises(StoreDamagedError, match=r"graph\.lbug is damaged.*UTF"),
    ):
        list(reader.nodes())


def test_a_file_that_may_not_be_read_is_not_called_damaged(graph_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("IO exception: Cannot open file: Permission denied")

    monkeypatch.setattr("ladybug.Database", refuse)
    with pytest.raises(LocalCogneeError, match="Permission denied") as caught:
        count(graph_file)
    assert not isinstance(caught.value, StoreDamagedError)


@pytest.mark.parametrize("beginning", [b"\0" * 4096, b"SQLite format 3\0" * 256, b"rubbish" * 600])
def test_a_file_that_does_not_begin_as_one_of_ladybugs_is_damaged_and_of_no_other_release(
    graph_file: Path, beginning: bytes
) -> None:
    graph_file.write_bytes(beginning)
    with pytest.raises(StoreDamagedError, match=r"graph\.lbug is damaged.*not a valid"):
        count(graph_file)


@pytest.mark.parametrize("magic", [b"KUZU", b"NEWL"])
def test_a_file_that_begins_as_that_of_another_release_is_none_that_is_damaged(graph_file: Path, magic: bytes) -> None:
    graph_file.write_bytes(magic + graph_file.read_bytes()[4:])
    with pytest.raises(StoreFormatError, match="Install the Ladybug release"):
        count(graph_file)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("suffix", ["", ".wal", ".wal.checkpoint", ".shadow"])
@pytest.mark.parametrize(
    ("make", "kind"), [(os.mkfifo, "a named pipe"), (Path.mkdir, "a directory"), (zeros, "a device")]
)
def test_what_is_no_file_beside_a_graph_or_in_its_place_is_told_at_once(
    graph_file: Path, suffix: str, make: Callable[[Path], None], kind: str
) -> None:
    place = beside(graph_file, suffix)
    place.unlink(missing_ok=True)
    make(place)
    with (
        open_ladybug_graph(graph_file, origin=ORIGIN) as reader,
        pytest.raises(StoreDamagedError, match=rf"{place.name} is {kind}, and no file.*Move it out of the way"),
    ):
        list(reader.nodes())


def test_holes_in_a_file_make_it_none_that_may_take_more_memory(graph_file: Path) -> None:
    before = ladybug_memory.largest_pool(graph_file)
    os.truncate(graph_file, 1 << 40)
    assert ladybug_memory.largest_pool(graph_file) == before


@pytest.mark.parametrize("length", [1 << 38, 1 << 40])
@pytest.mark.parametrize("suffix", ["", ".wal"])
def test_a_long_file_of_which_the_disk_holds_next_to_nothing_is_not_opened(
    graph_file: Path, suffix: str, length: int
) -> None:
    place = beside(graph_file, suffix) if suffix else graph_file
    place.touch()
    os.truncate(place, length)
    with (
        open_ladybug_graph(graph_file, origin=ORIGIN) as reader,
        pytest.raises(StoreDamagedError, match=rf"{place.name} is damaged: it is .* bytes long"),
    ):
        list(reader.nodes())


@pytest.mark.parametrize(
    "error", [ValueError("basic_string"), IndexError("vector"), MemoryError(), ArithmeticError("sum")]
)
@pytest.mark.parametrize("where", ["opening", "asking"])
def test_whatever_ladybug_raises_is_damage_and_no_defect(
    graph_file: Path, error: Exception, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("ladybug.Database" if where == "opening" else "ladybug.Connection.query_as_arrow", fail)
    with (
        pytest.raises(StoreDamagedError, match=r"graph\.lbug is damaged"),
        open_ladybug_file(graph_file, origin=ORIGIN) as reader,
    ):
        list(reader.edges())


TAKING = """
import sys
from pathlib import Path
from cognee_dagster.graph.origin import GraphOrigin
from cognee_dagster.sources.cognee import ladybug_reader
with ladybug_reader.open_in_own_process(Path(sys.argv[1]), origin=GraphOrigin(dataset_name="tiny")) as reader:
    assert sum(batch.num_rows for batch in reader.nodes()) == 100
    for _ in range(2):
        try:
            bytearray(512 << 20)
            print("taken")
        except MemoryError:
            print("refused")
        reader._database.reopen_with_larger_pool()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="no other system says how much address space a process has")
def test_who_reads_a_small_file_cannot_take_512_mib_unless_a_result_needs_a_larger_pool(graph_file: Path) -> None:
    """A page of zeros, as a crash of the machine leaves it, made Ladybug take all that it was let."""
    ended = subprocess.run(
        [sys.executable, "-c", TAKING, str(graph_file)], check=True, capture_output=True, text=True, timeout=100
    )
    assert ended.stdout.split() == ["refused", "taken"]
