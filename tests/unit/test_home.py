"""Where the home directory is, and what stands in the place of a directory of the archive store."""

import os
import pwd
import shutil
from pathlib import Path

import pytest

from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.pushing.journal import PushJournal
from cognee_dagster.pushing.mirror.mirror import default_base
from cognee_dagster.remote.saved_credentials import default_credentials_file
from cognee_dagster.store.archives import ArchiveStore
from cognee_dagster.system.home import expanded
from tests.command_line import call, have_no_settings
from tests.unit.test_io_manager import PLACE, make_archive


def test_an_empty_home_counts_as_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "")
    home = pwd.getpwuid(os.getuid()).pw_dir
    assert str(expanded("~/a")) == f"{home}/a"
    assert str(expanded("/a/~")) == "/a/~"
    archives = [make_archive(tmp_path, content) for content in (b"one", b"two")]
    journal = PushJournal.of(archives, remote_url="http://remote", target_dataset="a", mode="raw")
    for place in (
        default_base(),
        journal._path,
        default_credentials_file(),
        ArchiveStore.at("~/.cognee-dagster/archives").base,
    ):
        assert str(place).startswith(f"{home}/.cognee")


def test_a_home_that_is_set_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/a") == tmp_path / "a"


@pytest.mark.parametrize("command", [("list",), ("prune", "--keep-last", "1")])
@pytest.mark.parametrize("name", ["runs", "holds", "blobs"])
def test_a_file_in_the_place_of_a_stores_directory_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], name: str
) -> None:
    have_no_settings(monkeypatch, tmp_path)
    store = ArchiveStore.at(str(tmp_path / "store"))
    store.save([make_archive(tmp_path, b"one")], place=PLACE, run_id="1")
    place = Path(store.directory(PLACE).path)
    shutil.rmtree(place / name, ignore_errors=True)
    (place / name).touch()
    result = call("archives", *command, "--archives", str(tmp_path / "store"))
    assert result.exit_code == ExitCode.FAILED
    assert f"{place / name} is no directory" in result.stderr


def test_a_device_is_no_archive_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have_no_settings(monkeypatch, tmp_path)
    result = call("archives", "list", "--archives", "/dev/null")
    assert result.exit_code == ExitCode.FAILED
    assert "/dev/null cannot be read: NotADirectoryError: it is no directory" in result.stderr
