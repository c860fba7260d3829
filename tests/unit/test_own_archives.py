"""What was written here is not suspect: no limit on what is read of other people's files stops it on its way."""

import shutil
from pathlib import Path

import pytest

from cognee_dagster import cogx
from cognee_dagster.cogx.read import safe_members, tar_stream, validate
from cognee_dagster.cogx.read.manifest import unpack
from cognee_dagster.graph import portray
from cognee_dagster.testing import FakeRemote
from tests.cogx_graphs import MemoryReader, demo_reader
from tests.command_line import call, have_datasets

pytest_plugins = ["cognee_dagster.testing.plugin"]


@pytest.fixture
def reads_little_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that every archive is beyond."""
    for module, name in (
        (safe_members, "MAX_LINE_BYTES"),
        (validate, "MAX_LINE_BYTES"),
        (safe_members, "MAX_MEMBER_BYTES"),
        (tar_stream, "MAX_TOTAL_BYTES"),
        (validate, "MAX_TOTAL_BYTES"),
    ):
        monkeypatch.setattr(module, name, 100 if "LINE" in name else 1_100)


@pytest.mark.usefixtures("reads_little_of_others")
def test_a_graph_that_a_server_takes_is_inspected_pushed_and_verified_whatever_its_size(
    fake_remote_environment: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_datasets(monkeypatch, {"demo": demo_reader})
    for command in (["inspect"], ["push"], ["verify"], ["push", "--sync", "incremental", "--target-dataset", "mirror"]):
        ended = call(command[0], "demo", *command[1:])
        assert (ended.exit_code, ended.stderr.count("longer")) == (0, 0), ended.stdout + ended.stderr


@pytest.mark.usefixtures("reads_little_of_others")
def test_a_graph_is_shown_whatever_its_size(tmp_path: Path) -> None:
    archive = cogx.write_archive(demo_reader(), tmp_path / "a.cogx.tar.gz")
    assert len(portray(cogx.BriefReader(archive.path)).nodes) == 3


def test_what_shrinks_a_thousand_times_is_valid_as_it_is_for_a_server(tmp_path: Path) -> None:
    node = '{"text": "' + " " * 1_000_000 + '"}'
    nodes = [(f"{number:08}-0000-4000-8000-000000000000", "", "Padded", node) for number in range(70)]
    archive = cogx.write_archive(MemoryReader(nodes, []), tmp_path / "a.cogx.tar.gz")
    assert archive.unpacked_bytes > 500 * archive.size_bytes
    report = cogx.validate_archive(archive.path)
    assert (report.verdict, report.problems) == ("taken", ())


def test_an_error_about_a_copy_of_an_archive_names_the_archive(
    fake_remote_environment: FakeRemote, tmp_path: Path
) -> None:
    """A server passes over a link, which is never read here."""
    directory = tmp_path / "given"
    directory.mkdir()
    archive = cogx.write_archive(demo_reader(), directory / "a.cogx.tar.gz").path
    unpacked = unpack(archive, tmp_path / "out")
    (unpacked / "episodes.jsonl").symlink_to("facts.jsonl")
    shutil.make_archive(str(directory / "linked"), "gztar", unpacked)
    ended = call("push", str(directory / "linked.tar.gz"), "--target-dataset", "x")
    assert ended.exit_code == 5
    assert f"Error: {directory / 'linked.tar.gz'}: " in ended.stderr
    assert not fake_remote_environment.state.rows
