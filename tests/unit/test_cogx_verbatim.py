"""An archive that is read as a graph and written again says all that it said, and its digest sees all of it."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cognee_dagster.cogx.format import Limits
from cognee_dagster.cogx.read.inspect import inspect_archive
from cognee_dagster.cogx.read.reader import ArchiveReader
from cognee_dagster.cogx.read.safe_members import read_members
from cognee_dagster.cogx.shard.cut import cut
from cognee_dagster.cogx.write.tally import summarize
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.errors import ArchiveError
from tests.cogx_graphs import ID_A, ID_B, ID_C

Records = dict[str, list[dict[str, Any]]]

STAMP = "2026-01-01T10:00:00Z"
SCOPE = {"user_id": "u", "agent_id": "a", "session_id": "s", "run_id": "r"}
COMMON = {"external_system": "elsewhere", "scope": SCOPE, "metadata": {"k": [1, {"x": None}]}}
ENTITY = {"kind": "entity", "external_id": ID_A, "name": "Ann", "description": "d"}
FACT = {"kind": "fact", "external_id": "f", "subject_ref": ID_A, "predicate": "knows", "object_ref": ID_A}
CHUNK = {"id": ID_B, "type": "DocumentChunk", "text": "Ann drinks tea.", "name": ""}
DOCUMENT = {"kind": "document", "external_id": ID_B, "content": "Ann drinks tea."}
# All that a record of a graph may say, one field at a time.
FIELDS: dict[str, list[tuple[str, Any]]] = {
    "entities.jsonl": [("entity_type", "Person"), ("aliases", ["A."]), ("attributes", {"born": 1815})],
    "facts.jsonl": [
        ("fact_text", "Ann knows herself."),
        ("valid_at", "2020-01-01T00:00:00"),
        ("invalid_at", STAMP),
        ("confidence", 0.25),
        ("provenance", ["e1", "e2"]),
    ],
    "documents.jsonl": [("title", "Tea"), ("mime_type", "text/plain")],
    "nodes.jsonl": [("weight", 0.5), ("metadata", {"index_fields": ["text"]})],
}
ALL: Records = {
    "entities.jsonl": [ENTITY],
    "facts.jsonl": [FACT],
    "documents.jsonl": [DOCUMENT],
    "nodes.jsonl": [CHUNK],
}


def pack(path: Path, records: Records, **manifest: Any) -> Path:
    contents = {"manifest.json": json.dumps({"cogx_version": "0.1", "source_system": "cognee", **manifest}).encode()}
    contents |= {
        name: b"".join(json.dumps(record).encode() + b"\n" for record in lines) for name, lines in records.items()
    }
    with tarfile.open(path, "w:gz") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def lines_of(path: Path) -> dict[str, list[bytes]]:
    return {
        member.name: [line for _, line in member.lines()]
        for member in read_members(path)
        if member.name != "manifest.json" and member.size
    }


def digest_of(tmp_path: Path, records: Records) -> str:
    return summarize(ArchiveReader(pack(tmp_path / "d.tar.gz", records))).digest


def test_every_field_of_every_record_survives_line_by_line(tmp_path: Path) -> None:
    whole = {
        name: [{**record, **dict(FIELDS[name]), **({} if name == "nodes.jsonl" else COMMON), "created_at": STAMP}]
        for name, (record,) in ALL.items()
    }
    first = pack(tmp_path / "a.tar.gz", whole)
    again = write_archive(ArchiveReader(first), tmp_path / "b.tar.gz")
    assert lines_of(again.path) == lines_of(first)
    assert (again.num_nodes, again.num_edges) == (2, 1)
    assert again.digest == summarize(ArchiveReader(first)).digest == inspect_archive(again.path).digest


@pytest.mark.parametrize(
    ("file", "field", "value"),
    [
        *((file, *said) for file, fields in FIELDS.items() for said in fields),
        *((file, *said) for file in ALL if file != "nodes.jsonl" for said in COMMON.items()),
        ("facts.jsonl", "external_id", "g"),
        ("documents.jsonl", "external_id", "elsewhere"),
        ("documents.jsonl", "content", "Ann drank tea."),
        ("nodes.jsonl", "text", "Ann drank tea."),
    ],
)
def test_the_digest_sees_every_field(tmp_path: Path, file: str, field: str, value: Any) -> None:
    changed = {**ALL, file: [{**ALL[file][0], field: value}]}
    assert digest_of(tmp_path, changed) != digest_of(tmp_path, ALL)


@pytest.mark.parametrize("file", ALL)
def test_the_digest_is_blind_to_the_stores_timestamps(tmp_path: Path, file: str) -> None:
    stamped = {**ALL, file: [{**ALL[file][0], "created_at": STAMP, "updated_at": STAMP}]}
    assert digest_of(tmp_path, stamped) == digest_of(tmp_path, ALL)


def test_documents_without_a_chunk_stay_and_chunks_without_a_document_get_none(tmp_path: Path) -> None:
    """And the digest tells all four apart."""
    digests = set()
    for number, names in enumerate([("documents.jsonl",), ("nodes.jsonl",), ("documents.jsonl", "nodes.jsonl"), ()]):
        some: Records = {"entities.jsonl": [ENTITY], **{name: ALL[name] for name in names}}
        first = pack(tmp_path / f"{number}.tar.gz", some)
        again = write_archive(ArchiveReader(first), tmp_path / f"{number}.again.tar.gz")
        assert lines_of(again.path) == lines_of(first)
        digests.add(again.digest)
    assert len(digests) == 4


def test_a_fact_may_call_an_entity_by_its_name(tmp_path: Path) -> None:
    by_name: Records = {**ALL, "facts.jsonl": [{**FACT, "object_ref": "Ann"}, {**FACT, "object_ref": ID_C}]}
    summary = summarize(ArchiveReader(pack(tmp_path / "a.tar.gz", by_name)))
    assert (summary.num_edges, summary.dangling_edges) == (2, 1)


def test_what_a_graph_in_memory_has_a_place_for_is_in_its_rows(tmp_path: Path) -> None:
    typed = {**ENTITY, **dict(FIELDS["entities.jsonl"])}
    fact = {**FACT, "confidence": 0.25, "provenance": ["e1"]}
    reader = ArchiveReader(pack(tmp_path / "a.tar.gz", {"entities.jsonl": [typed], "facts.jsonl": [fact]}))
    node = json.loads(next(reader.nodes())["properties"][0].as_py())
    assert (node["entity_type"], node["aliases"], node["attributes"]) == ("Person", ["A."], {"born": 1815})
    edge = json.loads(next(reader.edges())["properties"][0].as_py())
    assert (edge["confidence"], edge["provenance"]) == (0.25, ["e1"])


@pytest.mark.parametrize("given", ["mem0", "episodes"])
def test_what_is_more_than_a_graph_is_told_how_to_be_pushed(tmp_path: Path, given: str) -> None:
    episode = {"kind": "episode", "external_id": "e"}
    if given == "mem0":
        path = pack(tmp_path / "a.tar.gz", ALL, source_system="mem0")
    else:
        path = pack(tmp_path / "a.tar.gz", {**ALL, "episodes.jsonl": [episode]})
    with pytest.raises(ArchiveError, match=r"`cognee-dagster push ARCHIVE`, or CogneeDataset\(archive=…\)"):
        summarize(ArchiveReader(path))


def test_an_archive_that_is_cut_keeps_documents_that_belong_to_no_node(tmp_path: Path) -> None:
    records: Records = {
        "entities.jsonl": [{**ENTITY, "external_id": f"e{n}", "aliases": ["x" * 200]} for n in range(40)],
        "documents.jsonl": [{**DOCUMENT, "external_id": f"d{n}", "content": "y" * 200} for n in range(40)],
        "facts.jsonl": [{**FACT, "subject_ref": f"e{n}", "object_ref": f"e{n}", "confidence": 0.5} for n in range(40)],
    }
    first = pack(tmp_path / "a.tar.gz", records)
    before = lines_of(first)
    parts = cut(
        write_archive(ArchiveReader(first), tmp_path / "b.cogx.tar.gz"),
        limits=Limits(member_bytes=6_000, total_bytes=20_000),
    )
    assert len(parts) > 1
    found = [lines_of(part.path) for part in parts]
    for name, lines in before.items():
        assert sorted(line for part in found for line in part.get(name, [])) == sorted(lines)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(st.none() | st.integers() | st.floats() | TEXT, lambda inner: st.dictionaries(TEXT, inner))
OPTIONAL = {
    "external_system": TEXT,
    "scope": st.fixed_dictionaries({}, optional=dict.fromkeys(SCOPE, TEXT)),
    "metadata": st.dictionaries(TEXT, VALUES),
    "created_at": st.datetimes().map(lambda moment: moment.isoformat()),
}
IDS = st.sampled_from([ID_A, ID_B, ID_C, "ann", "Ann"])
ENTITIES = st.fixed_dictionaries(
    {"external_id": IDS, "name": TEXT},
    optional={
        "entity_type": TEXT, "description": st.none() | TEXT, "aliases": st.lists(TEXT),
        "attributes": st.dictionaries(TEXT, VALUES), **OPTIONAL,
    },
)  # fmt: skip
FACTS = st.fixed_dictionaries(
    {"external_id": TEXT, "subject_ref": IDS, "predicate": TEXT, "object_ref": IDS},
    optional={
        "fact_text": TEXT, "confidence": st.none() | st.floats(), "provenance": st.lists(TEXT),
        "valid_at": st.datetimes().map(lambda moment: moment.isoformat()), **OPTIONAL,
    },
)  # fmt: skip
DOCUMENTS = st.fixed_dictionaries({"external_id": IDS, "content": TEXT}, optional={"title": TEXT, **OPTIONAL})
NODES = st.fixed_dictionaries(
    {"id": IDS}, optional={"type": st.sampled_from(["DocumentChunk", "Entity", "X"]), "text": VALUES, "name": VALUES}
)


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
@given(
    records=st.fixed_dictionaries(
        {
            "entities.jsonl": st.lists(ENTITIES, max_size=3),
            "facts.jsonl": st.lists(FACTS, max_size=3),
            "documents.jsonl": st.lists(DOCUMENTS, max_size=3),
            "nodes.jsonl": st.lists(NODES, max_size=3),
        }
    )
)
def test_any_archive_of_a_graph_written_again_is_the_same(tmp_path: Path, records: Records) -> None:
    first = pack(tmp_path / "a.tar.gz", records)
    again = write_archive(ArchiveReader(first), tmp_path / "b.tar.gz")
    assert lines_of(again.path) == lines_of(first)
    twice = write_archive(ArchiveReader(again.path), tmp_path / "c.tar.gz")
    assert (twice.digest, twice.content_sha256) == (again.digest, again.content_sha256)
