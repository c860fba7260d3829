"""Archives from anywhere are read, refused or reported, and never trusted."""

import bz2
import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cognee_dagster.cogx.format import RECORD_KINDS
from cognee_dagster.cogx.read import safe_members, tar_stream
from cognee_dagster.cogx.read.inspect import inspect_archive
from cognee_dagster.cogx.read.manifest import read_manifest, unpack
from cognee_dagster.cogx.read.reader import ArchiveReader
from cognee_dagster.cogx.read.validate import MAX_PROBLEMS, ValidationReport, validate_archive
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.errors import ArchiveError, ArchiveLimitError
from cognee_dagster.graph.reader import GraphOrigin
from tests.cogx_graphs import ID_A, ID_B, ID_C, archived_records, demo_reader

MANIFEST: dict[str, Any] = {"cogx_version": "0.1", "source_system": "cognee", "counts": {}}
ENTITY = {"kind": "entity", "external_id": ID_A, "name": "Ada"}
FACT = {"kind": "fact", "external_id": "f", "subject_ref": ID_A, "predicate": "r", "object_ref": ID_A}


def jsonl(*records: Any) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def pack(path: Path, files: dict[str, bytes], *, extra: tuple[tarfile.TarInfo, ...] = ()) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for member in extra:
            tar.addfile(member)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.cogx.tar.gz"


def reasons(report: ValidationReport) -> list[str]:
    return [str(problem) for problem in report.problems]


def remarks(report: ValidationReport) -> list[str]:
    assert report.valid, reasons(report)
    return [str(warning) for warning in report.warnings]


def test_our_own_archive_is_valid(path: Path) -> None:
    archive = write_archive(demo_reader(), path)
    report = validate_archive(path)
    assert report.valid, reasons(report)
    assert report.record_counts == archive.record_counts
    assert report.member_bytes == archive.member_bytes


def test_an_archive_read_as_a_graph_and_written_again_is_the_same(path: Path, tmp_path: Path) -> None:
    origin = GraphOrigin(dataset_name="it's", embedding_model="m", migration_revision="r")
    first = write_archive(demo_reader(origin=origin), path)
    reader = ArchiveReader(path)
    second = write_archive(reader, tmp_path / "b.cogx.tar.gz")
    assert (reader.origin.dataset_name, reader.origin.embedding_model) == ("it's", "m")
    assert second.digest == first.digest
    assert archived_records(second.path) == archived_records(first.path)
    inspected = inspect_archive(path)
    assert inspected.summary is not None
    assert (inspected.digest, inspected.sha256, inspected.record_counts, inspected.member_bytes) == (
        first.digest,
        first.sha256,
        first.record_counts,
        first.member_bytes,
    )


def test_unpack_gives_the_files_and_refuses_to_overwrite(path: Path, tmp_path: Path) -> None:
    archive = write_archive(demo_reader(), path)
    directory = unpack(path, tmp_path / "out")
    assert {file.name: file.stat().st_size for file in directory.iterdir()} == archive.member_bytes
    with pytest.raises(FileExistsError):
        unpack(path, tmp_path / "out")


def records_in(path: Path) -> list[tuple[str, Any]]:
    """The parsed lines of an archive's files, each with its file's name."""
    return [
        (member.name, json.loads(line))
        for member in safe_members.read_members(path)
        if member.name in RECORD_KINDS
        for _, line in member.lines()
    ]


def test_records_come_with_their_file(path: Path) -> None:
    pack(path, {"x/manifest.json": jsonl(MANIFEST), "x/entities.jsonl": b"\n \n" + jsonl(ENTITY)[:-1]})
    assert records_in(path) == [("entities.jsonl", ENTITY)]


def test_files_below_the_one_directory_are_passed_over(path: Path) -> None:
    pack(path, {"x/manifest.json": jsonl(MANIFEST), "x/entities.jsonl": jsonl(ENTITY), "x/y/facts.jsonl": b"no fact"})
    assert records_in(path) == [("entities.jsonl", ENTITY)]


def test_an_archive_in_two_directories_is_refused(path: Path) -> None:
    pack(path, {"x/manifest.json": jsonl(MANIFEST), "y/entities.jsonl": jsonl(ENTITY)})
    with pytest.raises(ArchiveError, match="more than once"):
        records_in(path)


def test_a_plain_tar_is_read_too(path: Path) -> None:
    pack(path, {"manifest.json": jsonl(MANIFEST)})
    path.write_bytes(gzip.decompress(path.read_bytes()))
    assert read_manifest(path).source_system == "cognee"


def test_long_names_and_extended_headers_are_understood(path: Path) -> None:
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        with tarfile.open(path, "w:gz", format=form) as tar:
            for name, content in (("n" * 300, b"x"), ("manifest.json", jsonl(MANIFEST))):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                member.mtime = 1.5
                tar.addfile(member, io.BytesIO(content))
        assert read_manifest(path).cogx_version == "0.1"


@pytest.mark.parametrize(
    "name", ["../manifest.json", "/manifest.json", "a/../../x", "..\\x", "C:\\x", "C:x", "\\\\host\\share"]
)
def test_names_that_lead_out_are_refused_and_nothing_is_left(path: Path, tmp_path: Path, name: str) -> None:
    pack(path, {"entities.jsonl": jsonl(ENTITY), name: b"x"})
    with pytest.raises(ArchiveError, match="leads out"):
        unpack(path, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("kind", "named"),
    [(tarfile.SYMTYPE, "symbolic"), (tarfile.LNKTYPE, "hard"), (tarfile.CHRTYPE, "device"), (tarfile.FIFOTYPE, "pipe")],
)
def test_links_and_devices_are_never_followed_and_a_server_passes_over_them(
    path: Path, kind: bytes, named: str
) -> None:
    member = tarfile.TarInfo("facts.jsonl")
    member.type = kind
    member.linkname = "/etc/passwd"
    pack(path, {"manifest.json": jsonl(MANIFEST)}, extra=(member,))
    assert named in remarks(validate_archive(path))[0]
    with pytest.raises(ArchiveError, match=named):
        inspect_archive(path)


def test_bombs_are_refused_by_size_and_count(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(path, {"manifest.json": jsonl(MANIFEST), "facts.jsonl": bytes(80_000_000)})
    monkeypatch.setattr(safe_members, "MAX_MEMBER_BYTES", 10_000_000)
    assert "80,000,000 bytes" in reasons(validate_archive(path))[0]
    monkeypatch.setattr(tar_stream, "MAX_TOTAL_BYTES", 1000)
    with pytest.raises(ArchiveLimitError):
        unpack(path, tmp_path / "out")
    pack(path, {str(number): b"" for number in range(20)})
    monkeypatch.setattr(tar_stream, "MAX_TOTAL_BYTES", 1_000_000)
    monkeypatch.setattr(safe_members, "MAX_MEMBERS", 19)
    with pytest.raises(ArchiveLimitError, match="more than 19 files"):
        unpack(path, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [path]


def test_an_archive_may_be_as_large_as_a_server_takes_and_not_a_byte_larger(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_archive(demo_reader(), path)
    size = len(gzip.decompress(path.read_bytes()))
    monkeypatch.setattr(tar_stream, "MAX_TOTAL_BYTES", size)
    assert read_manifest(path).source_system == "cognee"
    assert len(records_in(path)) == 6
    monkeypatch.setattr(tar_stream, "MAX_TOTAL_BYTES", size - 1)
    with pytest.raises(ArchiveLimitError, match="bytes unpacked"):
        records_in(path)


def test_an_extended_header_cannot_fill_the_memory(path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type = tarfile.XHDTYPE
    header.size = 1 << 32
    path.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT)))
    with pytest.raises(ArchiveError, match="extended header has 4,294,967,296 bytes"):
        read_manifest(path)


@pytest.mark.parametrize("size", [64 * 1024, 64 * 1024 + 1])
def test_an_extended_header_has_64_kib_at_most(path: Path, size: int) -> None:
    header = tarfile.TarInfo("x")
    header.type = tarfile.XHDTYPE
    header.size = size
    path.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + b"\0" * (size + 2048)))
    with pytest.raises(ArchiveError, match="extended header has 65,537 bytes" if size > 64 * 1024 else "") as caught:
        read_manifest(path)
    assert ("no COGX archive needs that" in str(caught.value)) == (size > 64 * 1024)


@pytest.mark.parametrize("size", [1024 * 1024, 1024 * 1024 + 1])
def test_a_manifest_has_a_mebibyte_at_most(path: Path, size: int) -> None:
    content = json.dumps(MANIFEST).encode()
    pack(path, {"manifest.json": content + b" " * (size - len(content))})
    if size > 1024 * 1024:
        with pytest.raises(ArchiveError, match=r"manifest\.json has 1,048,577 bytes; no manifest is that long"):
            read_manifest(path)
    else:
        assert read_manifest(path).source_system == "cognee"


def test_what_is_read_at_a_time_is_bounded_in_rows_and_in_characters(path: Path) -> None:
    short = [{**ENTITY, "external_id": f"e{number}"} for number in range(10_001)]
    long = [{**ENTITY, "external_id": f"l{number}", "description": "x" * 3_000_000} for number in range(4)]
    pack(path, {"manifest.json": json.dumps(MANIFEST).encode(), "entities.jsonl": jsonl(*short, *long)})
    rows = [batch.num_rows for batch in ArchiveReader(path).nodes()]
    assert rows == [10_000, 3, 2]


def test_the_same_file_twice_is_refused(path: Path) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for _ in range(2):
            tar.addfile(tarfile.TarInfo("facts.jsonl"))
    with pytest.raises(ArchiveError, match="more than once"):
        records_in(path)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"facts.jsonl": b""}, "no manifest.json in it: not a COGX archive"),
        ({"manifest.json": b"{"}, "manifest.json: Invalid JSON"),
        ({"manifest.json": b'{"counts": []}'}, "manifest.json: counts: Input should be an object"),
        ({"manifest.json": b'{"cogx_version": "9.0"}'}, "manifest.json: cogx_version '9.0' is newer than 0.1"),
        ({"manifest.json": b'{"cogx_version": "abc"}'}, "manifest.json: cogx_version 'abc' is no version"),
        ({"entities.jsonl": b'{"kind": "entity"'}, "entities.jsonl, line 1: not JSON"),
        ({"entities.jsonl": b"\n\xff"}, "entities.jsonl, line 2: not UTF-8 (byte 1)"),
        ({"entities.jsonl": b"[" * 100_000}, "entities.jsonl, line 1: n"),
        (
            {"entities.jsonl": jsonl({"kind": "entity", "external_id": "x"})},
            "entities.jsonl, line 1: name: Field required",
        ),
        ({"entities.jsonl": jsonl({**ENTITY, "kind": "x"})}, "entities.jsonl, line 1: kind: Input should be 'entity'"),
        ({"documents.jsonl": jsonl(3)}, "documents.jsonl, line 1: Input should be"),
        ({"nodes.jsonl": jsonl([])}, "nodes.jsonl, line 1: properties: Input should be a valid dictionary"),
        (
            {"nodes.jsonl": jsonl({"id": "x"})},
            "nodes.jsonl, line 1: id 'x': the node's id: Input should be a valid UUID",
        ),
        ({"permissions.json": b"{}"}, "permissions.json: holds accounts and password hashes: a secret"),
    ],
)
def test_every_problem_is_named_with_file_and_line(path: Path, files: dict[str, bytes], expected: str) -> None:
    if "facts.jsonl" not in files or files["facts.jsonl"]:
        files = {"manifest.json": jsonl(MANIFEST), **files}
    pack(path, files)
    assert reasons(validate_archive(path))[0].startswith(expected)


def test_counts_that_do_not_match_are_reported(path: Path) -> None:
    manifest = {**MANIFEST, "counts": {"entity": 2, "fact": 1}}
    pack(path, {"manifest.json": jsonl(manifest), "entities.jsonl": jsonl(ENTITY), "facts.jsonl": jsonl(FACT)})
    assert remarks(validate_archive(path)) == [
        "manifest.json: says 2 records of kind 'entity', but the archive has 1 that a server takes"
    ]


def test_facts_may_stand_before_their_nodes_and_name_entities(path: Path) -> None:
    by_name = {**FACT, "subject_ref": "Ada", "object_ref": ID_B}
    files = {"facts.jsonl": jsonl(by_name), "entities.jsonl": jsonl(ENTITY), "nodes.jsonl": jsonl({"id": ID_B})}
    pack(path, {**files, "manifest.json": jsonl({**MANIFEST, "source_system": "mem0"})})
    assert remarks(validate_archive(path)) == []


def test_other_systems_may_speak_of_names_without_a_record(path: Path) -> None:
    manifest = {**MANIFEST, "source_system": "zep"}
    pack(path, {"manifest.json": jsonl(manifest), "facts.jsonl": jsonl({**FACT, "subject_ref": "Bob"})})
    assert [ID_A in remark for remark in remarks(validate_archive(path))] == [True]
    with pytest.raises(ArchiveError, match="an archive of 'zep'"):
        ArchiveReader(path)
    assert inspect_archive(path).num_edges == 1


def test_a_thousand_problems_are_counted_and_a_hundred_told(path: Path) -> None:
    pack(path, {"manifest.json": jsonl(MANIFEST), "entities.jsonl": b"x\n" * 1000})
    report = validate_archive(path)
    assert (report.num_problems, len(report.problems)) == (1000, MAX_PROBLEMS)


@pytest.mark.parametrize(
    "record",
    [{**ENTITY, "name": "\ud800"}, {**ENTITY, "description": "\ud800"}, {"name": "no id"}, {"id": "\ud800"}],
)
def test_records_that_cannot_be_a_graph_are_our_error(path: Path, record: dict[str, Any]) -> None:
    file = "entities.jsonl" if "kind" in record else "nodes.jsonl"
    pack(path, {"manifest.json": jsonl(MANIFEST), file: jsonl(record)})
    with pytest.raises(ArchiveError):
        inspect_archive(path)


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"\x1f\x8b", gzip.compress(b"", mtime=0), gzip.compress(b"no tar" * 99, mtime=0)]
)
def test_what_is_no_archive_at_all_is_said_to_be_none(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for read in (read_manifest, inspect_archive, ArchiveReader, records_in):
        with pytest.raises(ArchiveError):
            read(path)
    assert validate_archive(path).num_problems == 1


def test_another_compression_is_no_archive(path: Path) -> None:
    path.write_bytes(bz2.compress(b"x" * 2000))
    assert not validate_archive(path).valid


def test_a_missing_file_is_an_os_error(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        validate_archive(path)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("packed") / "a.cogx.tar.gz"
    write_archive(demo_reader(), path)
    return path.read_bytes()


def read_in_every_way(path: Path, destination: Path) -> bool:
    """Whether all ways to read an archive accept it; anything but our own error is a failure of the test."""
    valid = validate_archive(path).valid
    for read in (read_manifest, inspect_archive, lambda file: unpack(file, destination)):
        try:
            read(path)
        except ArchiveError:
            valid = False
    for file in destination.iterdir() if destination.exists() else ():
        file.unlink()
    if destination.exists():
        destination.rmdir()
    return valid


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_archives_end_in_our_error(tmp_path: Path, packed: bytes, data: st.DataObject) -> None:
    """A cut, or flipped bytes, in the compressed file or in the tar inside it."""
    path, destination = tmp_path / "a.cogx.tar.gz", tmp_path / "out"
    inside = data.draw(st.booleans())
    content = bytearray(gzip.decompress(packed) if inside else packed)
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[position] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    path.write_bytes(gzip.compress(content, 1) if inside else bytes(content))
    read_in_every_way(path, destination)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(1, 600))
@example(cut=28)  # exactly the end marker
def test_a_truncated_archive_is_never_valid(tmp_path: Path, packed: bytes, cut: int) -> None:
    path = tmp_path / "a.cogx.tar.gz"
    path.write_bytes(packed[:-cut])
    assert not read_in_every_way(path, tmp_path / "out")


LINE = st.one_of(
    st.binary(max_size=30),
    st.recursive(st.none() | st.floats() | st.text(), lambda inner: st.dictionaries(st.text(), inner)).map(
        lambda value: json.dumps(value).encode()
    ),
    st.fixed_dictionaries(
        {}, optional={key: st.none() | st.text() | st.integers() for key in (*FACT, "id", "name")}
    ).map(lambda value: json.dumps(value).encode()),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    manifest=LINE,
    files=st.dictionaries(
        st.sampled_from(["entities.jsonl", "facts.jsonl", "nodes.jsonl", "documents.jsonl"]), st.lists(LINE, max_size=4)
    ),
    good_manifest=st.booleans(),
)
def test_any_content_ends_in_success_or_our_error(
    tmp_path: Path, manifest: bytes, files: dict[str, list[bytes]], good_manifest: bool
) -> None:
    path = tmp_path / "a.cogx.tar.gz"
    contents = {name: b"\n".join(lines) for name, lines in files.items()}
    pack(path, {"manifest.json": jsonl(MANIFEST) if good_manifest else manifest, **contents})
    read_in_every_way(path, tmp_path / "out")


def test_ids_that_only_differ_in_case_or_form_are_the_same_text_or_none(path: Path) -> None:
    """Ends are compared as text, as Cognee does: a UUID written differently is another end."""
    fact = {**FACT, "object_ref": ID_C.replace("-", "")}
    files = {"manifest.json": jsonl(MANIFEST), "entities.jsonl": jsonl(ENTITY), "nodes.jsonl": jsonl({"id": ID_C})}
    pack(path, {**files, "facts.jsonl": jsonl(fact)})
    assert len(remarks(validate_archive(path))) == 1
