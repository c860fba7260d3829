"""What stands in the place of a file of ours is read only where it is a file, and within bounds."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from upath import UPath

from cognee_dagster.cogx.write.packing import archive_root
from cognee_dagster.errors import ArchiveError, ConnectionConfigError, UnfitFileError
from cognee_dagster.pushing.journal import PushJournal
from cognee_dagster.pushing.mirror.graph.contents import MirrorContents
from cognee_dagster.pushing.mirror.kept.files import MirrorFiles
from cognee_dagster.pushing.mirror.kept.state import MirrorState
from cognee_dagster.remote import CogneeClient
from cognee_dagster.remote.connection import Connection
from cognee_dagster.remote.saved_credentials import read_saved_credentials
from cognee_dagster.store import holds
from cognee_dagster.store.archives import ArchiveStore
from cognee_dagster.store.files import get_bytes
from cognee_dagster.system.bounded_reading import read_regular
from tests.unit.test_io_manager import PLACE, make_archive

_TB = 1 << 40

pytestmark = pytest.mark.timeout(60)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link_to_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def vast(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(_TB)


def directory(path: Path) -> None:
    path.mkdir()


IN_ITS_PLACE = pytest.mark.parametrize("put", [pipe, link_to_pipe, endless, vast, directory])


@IN_ITS_PLACE
def test_only_a_file_of_a_fitting_size_is_read(tmp_path: Path, put: Callable[[Path], None]) -> None:
    put(tmp_path / "file")
    with pytest.raises(UnfitFileError, match=r"file (is|has) .*\. Move it out of the way\."):
        read_regular(tmp_path / "file", most=100)


def test_a_file_of_just_that_size_is_read_also_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100)
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link", most=100) == b"x" * 100
    with pytest.raises(UnfitFileError, match="has more than the 99 bytes"):
        read_regular(tmp_path / "link", most=99)


def test_of_a_store_elsewhere_no_more_is_read_than_there_can_be() -> None:
    path = UPath("memory://bounded/file")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 100)
    assert get_bytes(path, most=100) == b"x" * 100
    with pytest.raises(UnfitFileError, match="has more than the 99 bytes"):
        get_bytes(path, most=99)


@IN_ITS_PLACE
def test_a_pointer_that_is_none_is_told_as_a_damaged_one(tmp_path: Path, put: Callable[[Path], None]) -> None:
    store = ArchiveStore.at(str(tmp_path / "store"))
    store.save([make_archive(tmp_path, b"graph")], place=PLACE, run_id="1")
    latest = Path(store.directory(PLACE).path) / "latest.json"
    latest.unlink()
    put(latest)
    with pytest.raises(ArchiveError, match=r"latest\.json is not a pointer to an archive: it (is|has) "):
        store.find(place=PLACE, run_id=None)


def test_a_pointer_with_counts_of_another_kind_is_told_as_a_damaged_one(tmp_path: Path) -> None:
    store = ArchiveStore.at(str(tmp_path / "store"))
    store.save([make_archive(tmp_path, b"graph")], place=PLACE, run_id="1")
    latest = Path(store.directory(PLACE).path) / "latest.json"
    values = json.loads(latest.read_bytes())
    values["archives"][0]["member_bytes"] = [1]
    latest.write_text(json.dumps(values))
    with pytest.raises(ArchiveError, match=r"latest\.json is not a pointer to an archive: "):
        store.find(place=PLACE, run_id=None)


@pytest.mark.parametrize("put", [vast, lambda path: path.write_text("[" * 200_000)])
def test_a_hold_that_is_none_is_told_as_a_damaged_one(tmp_path: Path, put: Callable[[Path], None]) -> None:
    (tmp_path / "holds").mkdir()
    put(tmp_path / "holds" / "a.json")
    with pytest.raises(ArchiveError, match=r"a\.json cannot be read: .* Delete it"):
        holds.held(UPath(tmp_path), now=0.0)


@IN_ITS_PLACE
def test_credentials_that_are_none_are_told_as_damaged(tmp_path: Path, put: Callable[[Path], None]) -> None:
    put(tmp_path / "credentials.json")
    with pytest.raises(ConnectionConfigError, match=r"cannot be used: it (is|has) .*delete the file"):
        read_saved_credentials(tmp_path / "credentials.json")


@IN_ITS_PLACE
def test_what_is_no_state_of_a_mirror_is_left_alone(tmp_path: Path, put: Callable[[Path], None]) -> None:
    put(tmp_path / "mirror.json")
    with pytest.raises(UnfitFileError, match=r"mirror\.json (is|has) .*Nothing was sent\. Move it out of the way"):
        MirrorFiles(UPath(tmp_path)).load()


@pytest.mark.parametrize("put", [pipe, link_to_pipe, endless, directory])
def test_what_is_no_contents_of_a_mirror_is_left_alone_or_damaged(tmp_path: Path, put: Callable[[Path], None]) -> None:
    files, state = _mirror(tmp_path)
    path = tmp_path / f"contents-{state.contents}.bin"
    path.unlink()
    put(path)
    with pytest.raises(UnfitFileError, match="Nothing was sent"):
        files.load_contents(state)


def test_contents_are_read_no_further_than_they_say_that_they_go(tmp_path: Path) -> None:
    files, state = _mirror(tmp_path)
    assert files.load_contents(state) is not None
    path = tmp_path / f"contents-{state.contents}.bin"
    os.truncate(path, _TB)
    assert files.load_contents(state) is None
    vast(path)
    assert files.load_contents(state) is None


def _mirror(directory: Path) -> tuple[MirrorFiles, MirrorState]:
    files = MirrorFiles(UPath(directory))
    sha256 = files.save_contents(MirrorContents.empty())
    return files, MirrorState(remote_url="http://remote", contents=sha256, letters={}, began_at=0.0)


@pytest.mark.parametrize("put", [pipe, endless, vast, lambda path: path.write_text("[" * 200_000)])
def test_a_journal_that_is_none_is_begun_again(tmp_path: Path, put: Callable[[Path], None]) -> None:
    archive = make_archive(tmp_path, b"graph")
    journal = PushJournal.of(
        [archive, replace(archive, content_sha256="b")],
        remote_url="http://remote", target_dataset="a", mode="raw", directory=tmp_path / "pushes",
    )  # fmt: skip
    (tmp_path / "pushes").mkdir()
    assert journal._path is not None
    put(journal._path)
    assert journal.begun() == {}


def test_authorities_in_a_named_pipe_are_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(tmp_path / "authorities.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))
    with pytest.raises(ConnectionConfigError, match="SSL_CERT_FILE names no file"):
        CogneeClient(Connection(url="https://remote"))


@IN_ITS_PLACE
def test_a_folder_whose_manifest_is_no_file_holds_no_archive(tmp_path: Path, put: Callable[[Path], None]) -> None:
    put(tmp_path / "manifest.json")
    assert archive_root(tmp_path) is None
