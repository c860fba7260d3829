"""Whether a graph's file changed is told without reading it, and never wrongly denied."""

import os
import time
from pathlib import Path

import pytest

from cognee_dagster.graph.source import SETTLED_SECONDS, FileState, FoundGraph
from tests.cogx_graphs import demo_reader
from tests.unit.local_stores import TinyGraph


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "graph.lbug"
    path.write_bytes(b"content")
    return path


def rewrite(file: Path) -> None:
    """Other content of the same length, in the same inode, with the old modification time."""
    times = (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    time.sleep(0.05)  # longer than the steps in which the kernel notes times
    file.write_bytes(b"CONTENT")
    os.utime(file, ns=times)


def replace(file: Path) -> None:
    """What ``mv`` does with a file of the same size and time."""
    other = file.with_name("other")
    other.write_bytes(b"CONTENT")
    os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    os.replace(other, file)


def append(file: Path) -> None:
    with file.open("ab") as opened:
        opened.write(b"more")


def begin_log(file: Path) -> None:
    """What a writer does first: the changes are beside the file, which itself stays what it was."""
    file.with_name(f"{file.name}.wal").write_bytes(b"change")


@pytest.mark.parametrize("change", [rewrite, replace, append, begin_log, Path.touch])
def test_every_change_shows(file: Path, change: object) -> None:
    before = FileState.of(file)
    assert callable(change)
    change(file)
    assert FileState.of(file) != before


def test_what_stays_has_the_same_state_and_files_of_other_names_do_not_matter(file: Path) -> None:
    before = FileState.of(file)
    assert before is not None
    file.read_bytes()
    (file.parent / "other.lbug").write_bytes(b"content")
    assert FileState.of(file) == before


def test_a_copy_in_another_place_has_another_state(file: Path) -> None:
    link = file.parent / "elsewhere"
    link.mkdir()
    os.link(file, link / file.name)
    first, second = FileState.of(file), FileState.of(link / file.name)
    assert first is not None
    assert second is not None
    assert first.fingerprint != second.fingerprint


def test_a_relative_path_is_the_same_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    assert FileState.of(Path(file.name)) == FileState.of(file)


def test_what_is_no_file_has_no_state(file: Path) -> None:
    assert FileState.of(file.parent) is None
    assert FileState.of(file.parent / "missing") is None
    assert FileState.of(file.parent / "missing" / "graph.lbug") is None
    link = file.parent / "link"
    link.symlink_to(file)
    assert FileState.of(link) is None  # what belongs to the file is not beside the link
    (file.parent / f"{file.name}.parts").mkdir()
    assert FileState.of(file) is None


def test_a_file_changed_a_moment_ago_may_be_changed_again_unseen(file: Path) -> None:
    now = FileState.of(file)
    assert now is not None
    assert not now.is_settled
    assert FileState(fingerprint="", changed=time.time_ns() - int(SETTLED_SECONDS * 1e9)).is_settled
    assert not FileState(fingerprint="", changed=time.time_ns() + 10**12).is_settled  # a clock that is ahead


def test_a_graph_without_a_file_has_no_state() -> None:
    assert FoundGraph(open=demo_reader).state() is None  # type: ignore[arg-type]


def test_ladybugs_own_changes_show_before_they_are_in_its_file_and_reading_is_none(tmp_path: Path) -> None:
    path = tmp_path / "graph.lbug"
    with TinyGraph(path) as graph:
        graph.add_node("a", "A")
    closed = FileState.of(path)
    assert closed is not None
    content = path.read_bytes()
    with TinyGraph(path, create=False) as graph:
        graph.connection.execute("MATCH (n:Node) RETURN n.id")
        assert FileState.of(path) == closed
        graph.connection.execute("MATCH (n:Node {id: 'a'}) SET n.name = 'B'")
        written = FileState.of(path)
        assert path.read_bytes() == content
        assert written not in (closed, None)
        graph.connection.execute("MATCH (n:Node {id: 'a'}) SET n.name = 'A'")
        assert FileState.of(path) not in (closed, written)
    assert FileState.of(path) not in (closed, written)
