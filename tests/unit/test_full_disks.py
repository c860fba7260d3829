"""Where a disk is full, what says so says which: tests let no file grow instead."""

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from upath import UPath

from cognee_dagster import cogx
from cognee_dagster.cogx.write import edge_process
from cognee_dagster.cogx.write.spool import Spool
from cognee_dagster.cogx.write.tally import Tally
from cognee_dagster.store.archives import ArchiveStore
from cognee_dagster.store.files import put_bytes
from cognee_dagster.store.keep import Keep
from cognee_dagster.store.prune import prune_archives
from cognee_dagster.system.files import unnamed_file
from tests.cogx_graphs import demo_reader
from tests.command_line import call, have_datasets, have_no_settings
from tests.unit.test_io_manager import PLACE, make_archive


@contextlib.contextmanager
def files_of(most: int) -> Iterator[None]:
    """Inside it, no file of this process can have more bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("most", [0, 300, 600, 1000])
def test_an_archive_that_finds_no_room_says_where(tmp_path: Path, most: int) -> None:
    whole = cogx.write_archive(demo_reader(), tmp_path / "whole.cogx.tar.gz").size_bytes
    assert whole > most
    with files_of(most), pytest.raises(OSError, match="File too large") as caught:
        cogx.write_archive(demo_reader(), tmp_path / "a.cogx.tar.gz")
    assert caught.value.filename in (str(tmp_path), str(tmp_path / "a.cogx.tar.gz"))


def test_an_unnamed_file_is_called_as_its_directory(tmp_path: Path) -> None:
    with unnamed_file(tmp_path) as file:
        file.write(b"content")
        file.seek(0)
        assert (file.name, file.read()) == (str(tmp_path), b"content")
    assert not list(tmp_path.iterdir())


def test_what_another_process_finds_no_room_for_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool("facts.jsonl", file=unnamed_file(tmp_path))

    class Full:
        def messages(self) -> Iterator[object]:
            raise OSError(28, "No space left on device")

    process = edge_process.EdgeProcess.__new__(edge_process.EdgeProcess)
    process._spool, process._dataset_name = spool, "demo"
    monkeypatch.setattr(process, "_worker", Full(), raising=False)
    with pytest.raises(OSError, match="No space left") as caught:
        process.wait(tally=Tally(demo_reader().origin), report=lambda _: None)
    assert caught.value.filename == str(tmp_path)


def test_a_small_file_that_finds_no_room_is_named(tmp_path: Path) -> None:
    with files_of(0), pytest.raises(OSError, match="File too large") as caught:
        put_bytes(b"content", UPath(tmp_path) / "a.json")
    assert caught.value.filename == str(tmp_path / "a.json")


def test_a_command_that_finds_no_room_names_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have_no_settings(monkeypatch, tmp_path)
    have_datasets(monkeypatch, {"demo": demo_reader})
    with files_of(0):
        result = call("export", "demo", str(tmp_path / "a.cogx.tar.gz"))
    assert f"Error: {tmp_path}: File too large." in result.stderr


def test_a_prune_that_finds_no_room_says_what_to_do(tmp_path: Path) -> None:
    store = ArchiveStore.at(str(tmp_path / "store"))
    for run in ("1", "2"):
        store.save([make_archive(tmp_path, run.encode())], place=PLACE, run_id=run)
    with files_of(0):
        report = prune_archives(store, Keep(last=1))
    (problem,) = report.problems
    assert problem.endswith("make room for some kilobytes, and prune again.")
    assert report.removed == []
