"""What the server refuses, with which status and in which words. None of these writes anything."""

import gzip
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.contract.archives import Records, entity, fact, pack, people
from tests.contract.remote_under_test import RemoteUnderTest

INVALID = {"error": "Invalid COGX archive."}
FAILED = {"error": "An error occurred during COGX archive import."}
GOOD = people("refusals")


@dataclass(frozen=True)
class Refusal:
    """An upload and its answer. ``dataset`` False: no dataset is named."""

    content: Records | bytes | None
    status: int
    body: Mapping[str, Any]
    fields: Mapping[str, Any] = field(default_factory=dict)
    dataset: bool = True


def _with_line(member: str, line: bytes) -> Records:
    files = GOOD.files()
    return GOOD.with_members({member: files.get(member, b"") + line + b"\n"})


def _declaring(size: int) -> bytes:
    """A tar whose one member says that it is so large."""
    member = tarfile.TarInfo("entities.jsonl")
    member.size = size
    packed = io.BytesIO(member.tobuf() + b"\0" * 1024)
    return packed.getvalue()


REFUSALS = {
    "unknown import_mode": Refusal(
        GOOD,
        400,
        {"detail": "Unknown import_mode 'bogus'. Expected one of ('re-derive', 'preserve', 'hybrid')."},
        {"import_mode": "bogus"},
    ),
    "unknown content_type": Refusal(
        GOOD,
        400,
        {
            "detail": "Unsupported content_type 'cogx'. Use 'skills', 'code', 'cogx-archive', or leave it empty for "
            "normal ingestion."
        },
        {"content_type": "cogx"},
    ),
    "no file": Refusal(None, 400, {"detail": "content_type 'cogx-archive' requires an uploaded archive file."}),
    "no dataset": Refusal(GOOD, 400, {"detail": "Either datasetId or datasetName must be provided."}, dataset=False),
    "raw_data": Refusal(
        None,
        400,
        {
            "detail": "raw_data is only supported for normal ingestion and content_type='code' (repository paths or "
            "git URLs) — 'skills' and 'cogx-archive' take file uploads."
        },
        {"raw_data": "hello"},
    ),
    "unknown dataset id": Refusal(
        GOOD,
        403,
        {
            "detail": "Request owner does not have necessary permission: [write] for all datasets requested. "
            "[PermissionDeniedError]"
        },
        {"datasetId": "1b6a54cc-9a2a-47fb-af56-5b54cb57a751"},
        dataset=False,
    ),
    "empty file": Refusal(b"", 400, INVALID),
    "garbage": Refusal(bytes(range(256)) * 8, 400, INVALID),
    "gzip that is no tar": Refusal(gzip.compress(b"hello " * 100), 400, INVALID),
    "truncated": Refusal(GOOD.packed()[: len(GOOD.packed()) // 2], 409, FAILED),
    "no manifest": Refusal(pack({"entities.jsonl": GOOD.files()["entities.jsonl"]}), 400, INVALID),
    "manifest that is no JSON": Refusal(GOOD.with_members({"manifest.json": b"{nope"}), 400, INVALID),
    "manifest that is no object": Refusal(GOOD.with_members({"manifest.json": b"[]"}), 400, INVALID),
    "manifest with counts that are no numbers": Refusal(GOOD.with_manifest(counts={"entity": "many"}), 400, INVALID),
    "cogx_version 9.0": Refusal(GOOD.with_manifest(cogx_version="9.0"), 400, INVALID),
    "cogx_version abc": Refusal(GOOD.with_manifest(cogx_version="abc"), 400, INVALID),
    "path traversal": Refusal(GOOD.with_members({"../outside.txt": b"x"}), 400, INVALID),
    "absolute path": Refusal(GOOD.with_members({"/tmp/outside.txt": b"x"}), 400, INVALID),
    "entity line that is no JSON": Refusal(_with_line("entities.jsonl", b"{nope"), 400, INVALID),
    "fact line that is no JSON": Refusal(_with_line("facts.jsonl", b"{nope"), 400, INVALID),
    "node line that is no object": Refusal(_with_line("nodes.jsonl", b"[1, 2]"), 400, INVALID),
    "entity without a name": Refusal(
        _with_line("entities.jsonl", b'{"kind": "entity", "external_id": "1"}'), 400, INVALID
    ),
    "entity whose name is a number": Refusal(GOOD.plus(entity=[{**entity("x", "n"), "name": 7}]), 400, INVALID),
    "entity with an unreadable time": Refusal(GOOD.plus(entity=[entity("x", "n", created_at="soon")]), 400, INVALID),
    "entity whose aliases are a text": Refusal(GOOD.plus(entity=[entity("x", "n", aliases="N")]), 400, INVALID),
    "fact whose confidence is a text": Refusal(GOOD.plus(fact=[fact("a", "p", "b", confidence="high")]), 400, INVALID),
    "unknown kind": Refusal(
        _with_line("entities.jsonl", b'{"kind": "thing", "external_id": "1", "name": "n"}'), 400, INVALID
    ),
    "member that declares 600 MiB": Refusal(_declaring(600 << 20), 400, INVALID),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_an_upload_that_cannot_be_imported_is_refused(remote: RemoteUnderTest, case: str) -> None:
    refusal = REFUSALS[case]

    answer = remote.upload(refusal.content, "refusals" if refusal.dataset else None, **refusal.fields)

    assert (answer.status_code, answer.json()) == (refusal.status, refusal.body)


def test_none_of_the_refused_uploads_made_a_dataset(remote: RemoteUnderTest, name: str) -> None:
    remote.upload(b"garbage", name)
    remote.upload(_with_line("facts.jsonl", b"{nope"), name)

    assert remote.dataset_ids(name) == []


@pytest.mark.parametrize("bad", ["with space", "with.dot"])
def test_a_name_with_a_space_or_dot_is_called_a_bad_archive_and_stays_behind(remote: RemoteUnderTest, bad: str) -> None:
    answer = remote.upload(GOOD, bad)

    assert (answer.status_code, answer.json()) == (400, INVALID)
    assert len(remote.dataset_ids(bad)) == 1
    assert remote.graph(bad) == {"nodes": [], "edges": []}


def test_a_dataset_id_that_is_no_uuid_is_400_with_an_echo_of_the_form(remote: RemoteUnderTest) -> None:
    answer = remote.upload(GOOD, None, datasetId="nope")

    assert answer.status_code == 400
    assert [problem["type"] for problem in answer.json()["detail"]] == ["uuid_parsing", "literal_error"]
    assert answer.json()["detail"][0]["loc"] == ["body", "datasetId", "uuid"]
    assert answer.json()["body"]["datasetId"] == "nope"
