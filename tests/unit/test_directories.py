"""A file where a directory has to be is told as what it is, by everything that makes directories."""

import threading
from pathlib import Path

import pytest
from upath import UPath

from cognee_dagster.errors import DirectoryError
from cognee_dagster.store.files import put_bytes, put_file
from cognee_dagster.system.files import make_directory
from cognee_dagster.system.host_lock import host_lock
from cognee_dagster.testing import FakeRemote
from tests.command_line import call, have_no_settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory in which ``.cognee-dagster`` is a file; the working directory has a graph."""
    have_no_settings(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".cognee-dagster").write_text("")
    (tmp_path / "birds.json").write_text('{"nodes": [{"id": "a"}], "links": []}')
    return tmp_path


@pytest.mark.parametrize("below", ["", "archives", "archives/deeper"])
def test_what_is_in_the_way_is_named_and_what_to_do(home: Path, below: str) -> None:
    with pytest.raises(DirectoryError) as caught:
        make_directory(home / ".cognee-dagster" / below)
    assert str(caught.value) == (
        f"The directory {home / '.cognee-dagster' / below} cannot be made: {home / '.cognee-dagster'} is a file, and "
        "no directory. Move it out of the way, or name another directory."
    )


def test_a_directory_that_is_there_is_fine_and_modes_are_kept(tmp_path: Path) -> None:
    make_directory(tmp_path)
    make_directory(tmp_path / "a" / "b", mode=0o700)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_the_archive_store_says_so(home: Path) -> None:
    target = UPath(home / ".cognee-dagster" / "archives" / "x")
    with pytest.raises(DirectoryError, match="is a file, and no directory"):
        put_bytes(b"", target)
    with pytest.raises(DirectoryError, match="is a file, and no directory"):
        put_file(home / "birds.json", target)


@pytest.mark.parametrize(
    "arguments",
    [("push", "birds.json", "--sync", "incremental"), ("export", "birds.json", ".cognee-dagster/x/b.cogx.tar.gz")],
    ids=" ".join,
)
def test_commands_say_so(home: Path, arguments: tuple[str, ...]) -> None:
    with FakeRemote() as remote:
        to = ("--url", remote.url, "--api-key", remote.api_key) if arguments[0] == "push" else ()
        result = call(*arguments, *to)
    assert result.exit_code == 1
    assert "is a file, and no directory. Move it out of the way" in result.stderr
    assert "Errno" not in result.stderr


def test_a_lock_of_this_machine_goes_elsewhere(home: Path) -> None:
    with host_lock("x", stop=threading.Event(), waiting=lambda _: None) as is_held:
        assert is_held
