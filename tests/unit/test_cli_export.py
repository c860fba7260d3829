"""``cognee-dagster export``: what it does to what is there already, and what it leaves when it is interrupted."""

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.graph.origin import GraphOrigin
from tests.cogx_graphs import ID_A, MemoryReader, demo_reader
from tests.command_line import call, have_datasets

# A local Cognee whose graph is never read to its end, in a process that can be interrupted.
EXPORT_WITHOUT_END = """
import sys, threading
from contextlib import contextmanager
from cognee_dagster.cli import main
from cognee_dagster.sources.cognee import datasets as cognee
from tests.cogx_graphs import MemoryReader, demo_reader

class Endless(MemoryReader):
    def edges(self):
        yield from super().edges()
        print("half read", file=sys.stderr, flush=True)
        threading.Event().wait(300)

@contextmanager
def open_dataset(dataset, **_):
    yield Endless(demo_reader()._nodes, demo_reader()._edges)

cognee.open_dataset = open_dataset
main()
"""


@pytest.fixture(autouse=True)
def local_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    have_datasets(
        monkeypatch,
        {
            "demo": demo_reader,
            "notes": lambda: MemoryReader([(ID_A, "A", None, None)], origin=GraphOrigin(dataset_name="notes")),
        },
    )


def export(destination: Path) -> Result:
    return call("export", "demo", str(destination))


def make_device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))  # as /dev/null
    except (AttributeError, PermissionError):
        pytest.skip("devices cannot be made here")


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such files")
@pytest.mark.parametrize("through_a_link", [False, True])
@pytest.mark.parametrize(
    ("make", "called"),
    [(make_device, "a device"), (make_pipe, "a named pipe"), (make_socket, "a socket")],
)
def test_what_is_no_regular_file_stays_what_it_is(
    make: Callable[[Path], None],
    called: str,
    through_a_link: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    special = Path("special")
    make(special)
    before = special.lstat()
    destination = special
    if through_a_link:
        destination = Path("link")
        destination.symlink_to(special)
    result = export(destination)
    assert result.exit_code == ExitCode.FAILED
    assert f"{destination} is {called}, and stays what it is. Name a file to write." in result.stderr
    after = special.lstat()
    assert (after.st_ino, after.st_mode, after.st_rdev) == (before.st_ino, before.st_mode, before.st_rdev)
    assert destination.is_symlink() is through_a_link


def test_a_directory_is_no_destination(tmp_path: Path) -> None:
    assert export(tmp_path).exit_code == ExitCode.USAGE
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target_exists", [True, False])
def test_a_symbolic_link_stays_and_what_it_leads_to_is_written(target_exists: bool, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    target, link = elsewhere / "demo.cogx.tar.gz", tmp_path / "link.cogx.tar.gz"
    if target_exists:
        target.write_bytes(b"before")
    link.symlink_to(target)
    assert export(link).exit_code == ExitCode.OK
    assert link.is_symlink()
    assert call("validate", str(target)).exit_code == ExitCode.OK
    assert [path.name for path in elsewhere.iterdir()] == [target.name]


def test_the_mode_of_a_file_that_is_replaced_is_kept(tmp_path: Path) -> None:
    destination = tmp_path / "demo.cogx.tar.gz"
    destination.write_bytes(b"before")
    destination.chmod(0o604)
    assert export(destination).exit_code == ExitCode.OK
    assert stat.S_IMODE(destination.stat().st_mode) == 0o604


@pytest.mark.skipif(sys.platform == "win32", reason="other signals")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.TERMINATED)]
)
def test_an_interrupted_export_leaves_the_file_that_was_there_and_nothing_else(
    number: signal.Signals, code: ExitCode, tmp_path: Path
) -> None:
    script, temporary, out = tmp_path / "export.py", tmp_path / "tmp", tmp_path / "out"
    script.write_text(EXPORT_WITHOUT_END, encoding="utf-8")
    temporary.mkdir()
    out.mkdir()
    destination = out / "demo.cogx.tar.gz"
    destination.write_bytes(b"before")
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TMPDIR": str(temporary)}
    command = [sys.executable, str(script), "export", "demo", str(destination)]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as exporting:
        assert exporting.stderr is not None
        assert any("half read" in line for line in exporting.stderr)
        exporting.send_signal(number)
        said = exporting.stderr.read()
        assert exporting.wait(20) == code
    assert said in ("Interrupted.\n", "Terminated.\n")
    assert [path.name for path in out.iterdir()] == [destination.name]
    assert destination.read_bytes() == b"before"
    assert [path.name for path in temporary.iterdir() if path.name.startswith("cognee-")] == []


def test_an_archive_of_another_dataset_is_not_written_over(tmp_path: Path) -> None:
    destination = tmp_path / "demo.cogx.tar.gz"
    assert export(destination).exit_code == ExitCode.OK
    before = destination.read_bytes()
    refused = call("export", "notes", str(destination))
    assert refused.exit_code == ExitCode.USAGE
    assert f"{destination} is an archive of dataset 'demo', and this one would be of 'notes'" in refused.stderr
    assert destination.read_bytes() == before
    assert export(destination).exit_code == ExitCode.OK


def test_an_archive_without_nodes_is_written_with_a_warning(tmp_path: Path) -> None:
    (graph := tmp_path / "empty.json").write_text('{"nodes": [], "links": []}')
    written = call("export", str(graph), str(tmp_path / "empty.cogx.tar.gz"))
    assert written.exit_code == ExitCode.OK
    assert "Warning: Dataset 'empty' has 0 nodes: there is nothing to push." in written.stderr
