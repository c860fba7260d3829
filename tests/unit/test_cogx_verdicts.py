"""``validate_archive`` judges as a Cognee server does: refused, taken, or taken but changed without a word.

What a server does with each of these was seen on a real one; ``tests/integration`` asks one again.
"""

import bz2
import gzip
import io
import json
import lzma
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.cogx.read.inspect import inspect_archive
from cognee_dagster.cogx.read.validate import ValidationReport, validate_archive
from cognee_dagster.errors import ArchiveError
from tests.cogx_graphs import ID_A, ID_B

MANIFEST: dict[str, Any] = {"cogx_version": "0.1", "source_system": "cognee", "counts": {}}
ENTITY = {"kind": "entity", "external_id": ID_A, "name": "Ada"}
NODE = {"id": ID_B, "type": "Person", "name": "Ann", "metadata": {"index_fields": ["name"]}}


def tar(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            archive.addfile(member, io.BytesIO(data))
    return content.getvalue()


def jsonl(*records: Any) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def files(*, manifest: dict[str, Any] | None = None, **records: Sequence[dict[str, Any]]) -> dict[str, bytes]:
    kept = {f"{name}.jsonl": jsonl(*lines) for name, lines in records.items()}
    return {"manifest.json": jsonl(MANIFEST | (manifest or {})), **kept}


def judged(content: bytes | dict[str, bytes], directory: Path) -> ValidationReport:
    path = directory / "a.cogx.tar.gz"
    path.write_bytes(gzip.compress(tar(content), 1) if isinstance(content, dict) else content)
    return validate_archive(path)


REFUSED_NODES: dict[str, tuple[dict[str, Any], str]] = {
    "a type that makes no table": ({"type": "Legal Entity"}, "'Legal Entity' and its indexed attribute 'name'"),
    "a type with a slash": ({"type": "Person/Org"}, "make no name of a vector table"),
    "a type with a blank at its end": ({"type": "Person "}, "make no name of a vector table"),
    "a type and an attribute too long for a directory": ({"type": "x" * 245}, "249 in all"),
    "an indexed number": ({"age": 3, "metadata": {"index_fields": ["age"]}}, "'age' is 3 and not text"),
    "an index field that is no name": ({"metadata": {"index_fields": [5]}}, "hold 5, which is not a name"),
    "an index field that is a list": ({"metadata": {"index_fields": [["name"]]}}, "not hashable"),
    "index fields that are a number": ({"metadata": {"index_fields": 5}}, "are 5 and no list"),
    "an indexed field that every node has": ({"metadata": {"index_fields": ["version"]}}, "is 1 and not text"),
    "an indexed attribute that pydantic has": ({"metadata": {"index_fields": ["model_dump"]}}, "and not text"),
    "a lone surrogate in the name": ({"name": "\ud800"}, "name is no valid Unicode"),
    "a lone surrogate in an indexed text": ({"text": "\ud800", "metadata": {"index_fields": ["text"]}}, "not text"),
    "a type that is a list": ({"type": ["Person"]}, "type: Input should be a valid string"),
    "a type with a NUL": ({"type": "a\0b"}, "cannot be the name of a class"),
    "a version in words": ({"version": "one"}, "version: Input should be a valid integer"),
    "a time in words": ({"created_at": "2026-01-01T00:00:00"}, "created_at: Input should be a valid integer"),
    "an id that is null": ({"id": None}, "id: UUID input"),
    "an id that only Python takes for a UUID": ({"id": ID_B.replace("-", "", 1)}, "id: Input should be a valid UUID"),
    "metadata that is no object": ({"metadata": ["name"]}, "metadata: Input should be a valid dictionary"),
    "a document id that is a number": ({"document_id": 7}, "is indexed, and its document_id"),
    "an attribute named like a method": ({"model_copy": 1}, "'model_copy', which a server takes for a function"),
    "a nesting of 900": ({"x": json.loads("[" * 600 + "]" * 600)}, "nested more than 475 deep"),
}


@pytest.mark.parametrize("name", REFUSED_NODES)
def test_a_raw_node_that_a_server_refuses_is_named(tmp_path: Path, name: str) -> None:
    properties, reason = REFUSED_NODES[name]
    report = judged(files(nodes=[NODE | properties]), tmp_path)
    assert report.verdict == "refused"
    (problem,) = report.problems
    assert (problem.file, problem.line) == ("nodes.jsonl", 1)
    assert reason in problem.reason


@pytest.mark.parametrize(
    "properties",
    [
        {"type": "Legal Entity", "metadata": {"index_fields": []}},
        {"type": "Legal Entity", "metadata": {"index_fields": ["nothing"]}},
        {"type": "a.b-c_d"},
        {"type": "x" * 244},
        {"type": ""},
        {"id": ID_B.replace("-", "").upper()},
        {"metadata": '{"index_fields": ["name"]}', "belongs_to_set": '["a"]'},
        {"metadata": "no JSON"},
        {"version": "1", "created_at": 2.0, "document_id": None, "chunk_index": "3"},
        {"x": json.loads("[" * 400 + "]" * 400)},
        {"x": [{"\ud800": 1}], "text": "\ud800"},
    ],
)
def test_a_raw_node_that_a_server_takes_is_taken(tmp_path: Path, properties: dict[str, Any]) -> None:
    assert judged(files(nodes=[NODE | properties]), tmp_path).verdict == "taken"


@pytest.mark.parametrize(
    ("properties", "forgotten"),
    [
        ({"_hidden": 1}, "_hidden, as their names begin with an underscore"),
        ({"self": 1}, "name, self, because of the attribute 'self'"),
        ({"type": "NodeSet", "color": "red"}, "color, as it makes its own NodeSet of it"),
    ],
)
def test_what_a_server_forgets_of_a_node_is_a_warning(
    tmp_path: Path, properties: dict[str, Any], forgotten: str
) -> None:
    report = judged(files(nodes=[NODE | properties]), tmp_path)
    assert report.verdict == "changed"
    assert report.warnings[0].reason == f"a server forgets the node's {forgotten}"


def test_a_node_without_an_id_is_taken_and_gets_one(tmp_path: Path) -> None:
    node = {name: value for name, value in NODE.items() if name != "id"}
    report = judged(files(nodes=[node]), tmp_path)
    assert (report.verdict, report.record_counts) == ("changed", {"raw_node": 1})


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"entities": [ENTITY | {"name": "\ud800"}]}, "name is no valid Unicode"),
        ({"entities": [ENTITY | {"attributes": json.loads('{"a":' * 940 + "1" + "}" * 940)}]}, "nested more than 935"),
        ({"documents": [{"external_id": "d", "content": "https://example.com says so"}]}, "an address (https:)"),
        ({"documents": [{"external_id": "d", "content": "s3://bucket/key"}]}, "an address (s3:)"),
        ({"documents": [{"external_id": "d", "content": "//[x"}]}, "a broken address"),
        ({"memories": [{"external_id": "d", "content": "file:///etc/passwd"}]}, "an address (file:)"),
        (
            {"episodes": [{"external_id": "e", "turns": [{"role": "a", "content": "b", "occurred_at": "0001-01-01"}]}]},
            "occurred_at is no moment",
        ),
    ],
)
def test_a_record_that_a_server_refuses_is_named(
    tmp_path: Path, record: dict[str, list[dict[str, Any]]], reason: str
) -> None:
    report = judged(files(**record), tmp_path)  # type: ignore[arg-type]  # none of them is a manifest
    assert report.verdict == "refused"
    assert reason in report.problems[0].reason


def test_a_record_without_kind_is_taken_for_what_fits_best(tmp_path: Path) -> None:
    one, two = {"external_id": "a", "name": "n"}, {"external_id": "b", "content": "t"}
    report = judged(files(facts=[one, two, {}]), tmp_path)
    assert report.record_counts == {"entity": 1, "document": 1, "raw_node": 1}


@pytest.mark.parametrize("end", [b"\r", b"\r\n", "\n\u00a0\n".encode(), "\u0085\n".encode()])
def test_lines_end_where_a_server_ends_them(tmp_path: Path, end: bytes) -> None:
    lines = jsonl(ENTITY, ENTITY | {"external_id": ID_B}).replace(b"\n", end)
    report = judged({**files(), "entities.jsonl": lines}, tmp_path)
    assert (report.verdict, report.record_counts) == ("taken", {"entity": 2})


def test_a_carriage_return_within_a_line_breaks_it(tmp_path: Path) -> None:
    line = jsonl(ENTITY).replace(b", ", b",\r", 1)
    assert judged({**files(), "entities.jsonl": line}, tmp_path).verdict == "refused"


FACT = {"external_id": "f", "subject_ref": ID_A, "predicate": "r", "object_ref": ID_A}


@pytest.mark.parametrize(
    ("system", "end", "remark"),
    [
        ("cognee", "Ada", "makes up a node of that name"),
        ("cognee", "Bob", "makes up a node of that name"),
        ("cognee", ID_B, "drops the fact"),
        ("mem0", ID_B, "drops the fact"),
        ("mem0", "ADA", None),
        ("mem0", "Bob", None),
    ],
)
def test_ends_of_facts_are_found_as_a_server_finds_them(
    tmp_path: Path, system: str, end: str, remark: str | None
) -> None:
    archive = files(manifest={"source_system": system}, entities=[ENTITY], facts=[FACT | {"object_ref": end}])
    report = judged(archive, tmp_path)
    assert report.verdict == ("changed" if remark else "taken")
    assert [remark in warning.reason for warning in report.warnings if remark] == [True] * bool(remark)


def test_an_entity_whose_id_cognee_made_of_its_name_is_found_by_name(tmp_path: Path) -> None:
    entity = ENTITY | {"external_id": "6c503cfa-c70a-5adf-bf5c-b0df1d03c26b", "name": "Ada Byron"}
    facts = [FACT | {"subject_ref": entity["external_id"], "object_ref": "ada byron"}]
    assert judged(files(entities=[entity], facts=facts), tmp_path).verdict == "taken"


def test_entities_whose_ids_are_no_uuids_are_taken_and_get_others(tmp_path: Path) -> None:
    entities = [{"external_id": "a", "name": "Ada"}, {"external_id": "b", "name": "Bea"}]
    report = judged(files(entities=entities, facts=[FACT | {"subject_ref": "a", "object_ref": "bea"}]), tmp_path)
    assert [warning.reason for warning in report.warnings] == [
        "2 entities have no UUID as id; a Cognee server makes one of the name, and one for all that are called alike"
    ]


def test_nodes_and_facts_that_are_there_twice_are_counted(tmp_path: Path) -> None:
    report = judged(files(entities=[ENTITY, ENTITY], facts=[FACT, FACT, FACT | {"predicate": "s"}]), tmp_path)
    said = " ".join(warning.reason for warning in report.warnings)
    assert "1 node has the id of another one" in said
    assert "1 fact has both ends and the predicate of another one" in said


def test_an_archive_without_records_makes_no_dataset(tmp_path: Path) -> None:
    assert "makes no dataset" in judged(files(), tmp_path).warnings[0].reason


GRAPH = files(entities=[ENTITY])


def below(name: str) -> dict[str, bytes]:
    return {f"{name}/{file}": content for file, content in GRAPH.items()}


TREES: dict[str, tuple[dict[str, bytes], str, str]] = {
    "in a directory": (below("graph"), "taken", ""),
    "a directory beside the manifest's": ({**below("graph"), "other/": b""}, "refused", "finds no manifest"),
    "what macOS adds": ({**below("graph"), "__MACOSX/x": b""}, "refused", "'__MACOSX'"),
    "a directory beside a manifest at the top": ({**GRAPH, "other/": b""}, "taken", ""),
    "two directories deep": (below("a/b"), "refused", "no manifest.json"),
    "records elsewhere": ({**GRAPH, "graph/facts.jsonl": b"no JSON"}, "changed", "'graph/facts.jsonl' is not beside"),
    "a file below a file": ({**GRAPH, "a": b"", "a/b": b""}, "refused", "'a/b' is below 'a', which is a file"),
    "a file for a directory": ({**GRAPH, "a/": b"", "a": b""}, "refused", "is a file, and a directory before"),
    "a manifest that is a directory": ({"manifest.json/": b""}, "refused", "holds no file"),
    "a name that no file system takes": ({**GRAPH, "x" * 300: b""}, "refused", "no file system takes"),
    "a name that leads out": ({**GRAPH, "../x": b""}, "refused", "leads out"),
    "a name that leads out on Windows": ({**GRAPH, "..\\x": b""}, "changed", "on Windows"),
}


@pytest.mark.parametrize("name", TREES)
def test_an_archive_is_where_a_server_finds_it(tmp_path: Path, name: str) -> None:
    tree, verdict, reason = TREES[name]
    report = judged(tree, tmp_path)
    assert (report.verdict, [reason in str(said) for said in (*report.problems, *report.warnings)][:1]) == (
        verdict,
        [True] * bool(reason),
    )


def test_of_two_files_of_one_name_the_last_one_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for name, content in (("entities.jsonl", b"no JSON"), *GRAPH.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    report = validate_archive(path)
    assert (report.verdict, str(report.warnings[0])) == (
        "changed",
        "entities.jsonl: is there more than once; a Cognee server keeps the last one",
    )
    with pytest.raises(ArchiveError, match="more than once"):  # nobody could say what such an archive is
        inspect_archive(path)


@pytest.mark.parametrize("compress", [bz2.compress, lzma.compress, gzip.compress, bytes])
def test_every_compression_that_a_server_reads_is_read(tmp_path: Path, compress: Any) -> None:
    content = tar({**files(entities=[ENTITY]), "filler": bytes(300_000)})
    report = judged(compress(content), tmp_path)
    assert (report.verdict, report.record_counts) == ("taken", {"entity": 1})
    assert inspect_archive(report.path).record_counts == {"entity": 1}
    assert judged(compress(content[:700]) + compress(content[700:]), tmp_path).verdict == "taken"


@pytest.mark.parametrize("compress", [bz2.compress, lzma.compress, gzip.compress])
def test_what_is_cut_off_is_refused_and_damage_behind_the_end_is_a_warning(tmp_path: Path, compress: Any) -> None:
    packed = compress(tar(GRAPH))
    assert judged(packed[: len(packed) // 2], tmp_path).verdict == "refused"
    assert judged(packed[:-3], tmp_path).verdict == "changed"
    with pytest.raises(ArchiveError, match="damaged or cut off"):
        inspect_archive(tmp_path / "a.cogx.tar.gz")


def test_zstandard_is_refused_by_name(tmp_path: Path) -> None:
    assert "Zstandard" in str(judged(b"\x28\xb5\x2f\xfd" + bytes(100), tmp_path).problems[0])


def test_an_xz_that_needs_much_memory_is_refused(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 29}]
    assert not judged(lzma.compress(tar(GRAPH), filters=filters), tmp_path).valid


def test_a_tar_without_its_end_mark_is_taken_with_a_warning(tmp_path: Path) -> None:
    body = tar(GRAPH).rstrip(b"\0")
    body += bytes(-len(body) % tarfile.BLOCKSIZE)
    for ending in (b"", bytes(100), b"x" * tarfile.BLOCKSIZE):
        report = judged(gzip.compress(body + ending), tmp_path)
        assert (report.verdict, report.record_counts) == ("changed", {"entity": 1})
        assert "more of it may be missing" in report.warnings[0].reason


def test_a_global_header_speaks_of_every_file(tmp_path: Path) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", pax_headers={"path": "facts.jsonl"}) as archive:
        archive.addfile(tarfile.TarInfo("manifest.json"))
    assert "no manifest.json" in str(judged(content.getvalue(), tmp_path).problems[0])


@pytest.mark.parametrize("headers", [{"GNU.sparse.map": "0,3"}, {"GNU.sparse.major": "1"}, {"mtime": "1e300"}])
def test_headers_that_a_server_fails_at_are_refused(tmp_path: Path, headers: dict[str, str]) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, data in GRAPH.items():
            member = tarfile.TarInfo(name)
            member.size, member.pax_headers = len(data), headers
            archive.addfile(member, io.BytesIO(data))
    assert not judged(content.getvalue(), tmp_path).valid


def test_accounts_are_refused_though_a_server_would_take_them(tmp_path: Path) -> None:
    assert "a secret, never to be pushed" in str(judged({**GRAPH, "permissions.json": b"{}"}, tmp_path).problems[0])
