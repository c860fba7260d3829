"""An archive is known by what is in it, whatever a compressor makes of that."""

import gzip
import itertools
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from upath import UPath

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.format import Limits
from cognee_dagster.cogx.read.inspect import inspect_archive
from cognee_dagster.cogx.write import spool
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.errors import ArchiveError
from cognee_dagster.pushing.journal import PushJournal
from cognee_dagster.pushing.resume import BegunImport
from cognee_dagster.store.archives import ArchiveStore
from tests.cogx_graphs import MemoryReader, demo_reader, write_archives

LIMITS = Limits(member_bytes=1_500, total_bytes=12_000)


@pytest.fixture
def fickle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compressor that never makes the same of the same content: ISA-L does so now and then."""
    levels = itertools.cycle(range(10))

    def compressobj(_level: int, *, wbits: int) -> object:
        return zlib.compressobj(next(levels), wbits=wbits)

    monkeypatch.setattr(spool, "isal_zlib", SimpleNamespace(compressobj=compressobj))


def graph(*, description: str = "") -> MemoryReader:
    nodes = [(f"{n:032x}", f"Name {n}", "Entity", f'{{"description": "{n}{description}"}}') for n in range(40)]
    edges = [(f"{n:032x}", f"{n + 1:032x}", "knows", "{}") for n in range(39)]
    return MemoryReader(nodes, edges)


def packed(directory: Path, name: str, *, description: str = "") -> Archive:
    return write_archive(graph(description=description), directory / f"{name}.cogx.tar.gz")


def shards(directory: Path, name: str) -> tuple[Archive, ...]:
    return write_archives(graph(), directory / f"{name}.cogx.tar.gz", limits=LIMITS)


def test_equal_graphs_are_known_as_equal_whatever_the_compressor_does(tmp_path: Path, fickle: None) -> None:
    first, second = packed(tmp_path, "a"), packed(tmp_path, "b")
    assert first.path.read_bytes() != second.path.read_bytes()
    assert first.content_sha256 == second.content_sha256


def test_equal_graphs_have_equal_shards_whatever_the_compressor_does(tmp_path: Path, fickle: None) -> None:
    first, second = shards(tmp_path, "a"), shards(tmp_path, "b")
    assert len(first) > 3
    assert [shard.path.read_bytes() for shard in first] != [shard.path.read_bytes() for shard in second]
    assert [shard.content_sha256 for shard in first] == [shard.content_sha256 for shard in second]
    assert len({shard.content_sha256 for shard in first}) == len(first)


def test_one_changed_character_is_another_content(tmp_path: Path) -> None:
    assert packed(tmp_path, "a").content_sha256 != packed(tmp_path, "b", description=".").content_sha256


def test_an_archive_on_disk_is_known_as_the_one_that_was_written(tmp_path: Path, fickle: None) -> None:
    archive = write_archive(demo_reader(), tmp_path / "a.cogx.tar.gz")
    archive.path.write_bytes(gzip.compress(gzip.decompress(archive.path.read_bytes()), 9))
    assert inspect_archive(archive.path).content_sha256 == archive.content_sha256


def test_an_archive_that_was_compressed_otherwise_is_stored_once(tmp_path: Path, fickle: None) -> None:
    store = ArchiveStore(UPath(tmp_path / "store"))
    first, second = packed(tmp_path, "a"), packed(tmp_path, "b")
    store.save([first], place=("x",), run_id="1")
    store.save([second], place=("x",), run_id="2")
    assert len(list((tmp_path / "store").glob("*/blobs/*"))) == 1
    for run_id in ("1", "2"):
        found = store.find(place=("x",), run_id=run_id)
        assert found.files[0].archive.sha256 == first.sha256
        with found.local() as (archive,):
            assert archive.path.read_bytes() == first.path.read_bytes()


def test_a_damaged_blob_is_mended_for_every_run_that_points_to_it(tmp_path: Path, fickle: None) -> None:
    store = ArchiveStore(UPath(tmp_path / "store"))
    first, second = packed(tmp_path, "a"), packed(tmp_path, "b")
    blob = store.save([first], place=("x",), run_id="1").files[0].location
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    store.save([second], place=("x",), run_id="2")
    with store.find(place=("x",), run_id="1").local() as (archive,):
        assert archive.sha256 == second.sha256
        assert archive.size_bytes == second.size_bytes


@pytest.mark.parametrize("damage", ["one bit", "zeros", "cut off", "another archive"])
@pytest.mark.parametrize("base", ["local", "memory"])
def test_a_blob_with_another_content_never_leaves_the_store(tmp_path: Path, damage: str, base: str) -> None:
    store = ArchiveStore(UPath(tmp_path / "store" if base == "local" else f"memory://{tmp_path.name}{damage}"))
    stored = store.save([packed(tmp_path, "a")], place=("x",), run_id="1")
    blob = stored.files[0].location
    content = bytearray(blob.read_bytes())
    if damage == "one bit":
        content[len(content) // 2] ^= 1
    elif damage == "zeros":
        content = bytearray(len(content))
    elif damage == "cut off":
        del content[-40:]
    else:
        content = bytearray(packed(tmp_path, "b", description=".").path.read_bytes())
    blob.write_bytes(bytes(content))
    assert not stored.is_intact()
    with pytest.raises(ArchiveError, match="is damaged"), stored.local():
        pass


def test_a_push_of_several_archives_goes_on_whatever_the_compressor_does(tmp_path: Path, fickle: None) -> None:
    first, second = shards(tmp_path, "a"), shards(tmp_path, "b")
    (tmp_path / "journal").mkdir()
    before, after = (
        PushJournal.of(
            archives, remote_url="http://x", target_dataset="t", mode="preserve", directory=tmp_path / "journal"
        )
        for archives in (first, second)
    )
    before.note(first[0], BegunImport(run_id="run-1"))
    assert after.begun() == {second[0].content_sha256: BegunImport(run_id="run-1")}


def test_a_pointer_of_an_earlier_release_finds_its_blob(tmp_path: Path) -> None:
    store = ArchiveStore(UPath(tmp_path / "store"))
    archive = packed(tmp_path, "a")
    blob = store.save([archive], place=("x",), run_id="1").files[0].location
    blob.rename(blob.with_name(f"{archive.sha256}.cogx.tar.gz"))
    pointer = next((tmp_path / "store").glob("*/latest.json"))
    known = f'"content_sha256": "{archive.content_sha256}",'
    assert known in pointer.read_text()
    pointer.write_text(pointer.read_text().replace(known, ""))
    with store.find(place=("x",), run_id=None).local() as (found,):
        assert found.path.read_bytes() == archive.path.read_bytes()
