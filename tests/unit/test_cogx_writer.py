"""Archives are complete or absent, the same every time, and readable by anyone."""

import gzip
import hashlib
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cognee_dagster.cogx.archive import Archive, check_limits, limit_problems
from cognee_dagster.cogx.format import MAX_MEMBER_BYTES, MAX_MEMBERS
from cognee_dagster.cogx.read.reader import read_archive
from cognee_dagster.cogx.write.tally import summarize
from cognee_dagster.cogx.write.writer import Progress, write_archive
from cognee_dagster.errors import ArchiveLimitError, GraphFileError
from cognee_dagster.graph.reader import GraphOrigin
from tests.cogx_graphs import ID_A, ID_B, ID_C, EdgeRow, MemoryReader, NodeRow, demo_reader


def test_the_same_graph_gives_the_same_bytes(tmp_path: Path) -> None:
    first = write_archive(demo_reader(), tmp_path / "a.cogx.tar.gz")
    second = write_archive(demo_reader(batch_rows=1), tmp_path / "b.cogx.tar.gz")
    assert gzip.decompress(first.path.read_bytes()) == gzip.decompress(second.path.read_bytes())
    assert first.content_sha256 == second.content_sha256
    assert first.sha256 == hashlib.sha256(first.path.read_bytes()).hexdigest()


def test_a_summary_counts_the_most_frequent_first_and_names_five_dangling_edges() -> None:
    nodes: list[NodeRow] = [(ID_A, None, "b", None), (ID_B, None, "c", None), (ID_C, None, "b", None)]
    edges: list[EdgeRow] = [(ID_A, f"x{number}", "knows", None) for number in range(7)]
    edges += [(ID_A, ID_B, label, None) for label in ("sees", "hears")]
    origin = GraphOrigin(dataset_name="d", endpoints_guaranteed=False)
    summary = summarize(MemoryReader([*nodes, ("y", None, "a", None)], edges, origin=origin))
    assert list(summary.nodes_by_type.items()) == [("b", 2), ("a", 1), ("c", 1)]
    assert list(summary.edges_by_relationship.items()) == [("knows", 7), ("hears", 1), ("sees", 1)]
    assert summary.dangling_edges == 7
    assert summary.dangling_examples == tuple(f"{ID_A} -[knows]-> x{number}" for number in range(5))


def test_entities_are_counted_by_their_types_in_a_graph_and_in_its_archive(tmp_path: Path) -> None:
    assert summarize(demo_reader()).entities_by_type == {"person": 1}
    archive = write_archive(demo_reader(), tmp_path / "a.cogx.tar.gz")
    assert summarize(read_archive(archive.path)).entities_by_type == {"person": 1}


def test_the_archive_says_what_is_in_it(tmp_path: Path) -> None:
    archive = write_archive(demo_reader(), tmp_path / "a.cogx.tar.gz")
    assert (archive.num_nodes, archive.num_edges, archive.dataset_name) == (3, 2, "demo")
    assert archive.record_counts == {"document": 1, "entity": 1, "raw_node": 2, "fact": 2}
    assert archive.size_bytes == archive.path.stat().st_size
    assert archive.digest == summarize(demo_reader()).digest
    assert archive.summary == summarize(demo_reader())
    with tarfile.open(archive.path) as tar:
        assert archive.member_bytes == {member.name: member.size for member in tar}
        assert all((member.mtime, member.uid, member.gid, member.mode) == (0, 0, 0, 0o644) for member in tar)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(min_size=1), model=st.none() | st.text(), revision=st.none() | st.text())
def test_the_manifest_is_cognees_for_every_name(
    tmp_path: Path, name: str, model: str | None, revision: str | None
) -> None:
    origin = GraphOrigin(dataset_name=name, embedding_model=model, migration_revision=revision)
    write_archive(demo_reader(origin=origin), tmp_path / "a.cogx.tar.gz")
    with tarfile.open(tmp_path / "a.cogx.tar.gz") as tar:
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert manifest == {
        "cogx_version": "0.1",
        "source_system": "cognee",
        "exported_at": None,
        "counts": {"document": 1, "entity": 1, "raw_node": 2, "fact": 2},
        "embedding_model": model,
        "migration_revision": revision,
        "notes": [f"Exported from Cognee dataset {name!r}."],
    }


def test_the_file_is_one_tar_in_one_gzip_for_every_reader(tmp_path: Path) -> None:
    archive = write_archive(demo_reader(), tmp_path / "a.cogx.tar.gz")
    unzipped = gzip.decompress(archive.path.read_bytes())
    assert len(unzipped) % tarfile.BLOCKSIZE == 0
    assert unzipped.endswith(bytes(2 * tarfile.BLOCKSIZE))


def test_an_empty_graph_is_an_archive_of_a_manifest(tmp_path: Path) -> None:
    archive = write_archive(MemoryReader([]), tmp_path / "a.cogx.tar.gz")
    assert list(archive.member_bytes) == ["manifest.json"]
    assert (archive.num_nodes, archive.num_edges, archive.record_counts) == (0, 0, {})


class BreakingReader(MemoryReader):
    """Fails in the middle, as a store does that somebody writes to."""

    def edges(self) -> Iterator[pa.RecordBatch]:
        raise RuntimeError("changed meanwhile")


def test_a_failed_export_leaves_the_old_archive_and_nothing_else(tmp_path: Path) -> None:
    destination = tmp_path / "a.cogx.tar.gz"
    destination.write_bytes(b"the old one")
    for reader, error in ((BreakingReader([]), RuntimeError), (MemoryReader([(ID_A, "", "", "3")]), GraphFileError)):
        with pytest.raises(error):
            write_archive(reader, destination)
    assert destination.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [destination]


def test_a_missing_directory_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_archive(demo_reader(), tmp_path / "no" / "a.cogx.tar.gz")


def test_progress_is_told_after_every_batch(tmp_path: Path) -> None:
    told: list[Progress] = []
    archive = write_archive(demo_reader(batch_rows=2), tmp_path / "a.cogx.tar.gz", progress=told.append)
    assert [(step.phase, step.done) for step in told] == [
        ("nodes", 2),
        ("nodes", 3),
        ("edges", 2),
        ("packing", 0),
        ("packing", archive.size_bytes),
    ]


def test_what_a_server_would_refuse_for_its_size_is_refused_with_the_limit() -> None:
    assert limit_problems({"manifest.json": 10}) == []
    assert len(limit_problems({f"{number}": MAX_MEMBER_BYTES for number in range(5)})) == 1
    assert len(limit_problems(dict.fromkeys(map(str, range(MAX_MEMBERS + 1)), 0))) == 1
    archive = Archive(
        path=Path("a.cogx.tar.gz"),
        dataset_name="demo",
        num_nodes=1,
        num_edges=1,
        digest="",
        content_sha256="",
        sha256="",
        size_bytes=1,
        record_counts={},
        member_bytes={"facts.jsonl": MAX_MEMBER_BYTES + 1},
    )
    with pytest.raises(ArchiveLimitError, match=r"'demo'.*facts.jsonl has 536,870,913 bytes.*536,870,912"):
        check_limits(archive)
