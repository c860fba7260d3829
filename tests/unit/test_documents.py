"""Documents on the remote: several datasets, pushes again and again, changed texts."""

import io
import tarfile
from pathlib import Path

import pytest

from cognee_dagster.cogx.read.documents import DocumentPrint, document_prints, rename_documents
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.errors import ArchiveError
from cognee_dagster.pushing.delivery.documents import plan_documents
from cognee_dagster.remote.responses import RemoteDocument
from cognee_dagster.testing import FakeRemote
from tests.cogx_graphs import ID_A, MemoryReader, archived_records
from tests.pushes import HASTY, client_of, demo_archive, push_archive


def push_text(remote: FakeRemote, directory: Path, text: str, *, target: str) -> None:
    reader = MemoryReader([(ID_A, "", "DocumentChunk", f'{{"text": "{text}"}}')])
    archive = write_archive(reader, directory / "text.cogx.tar.gz")
    with client_of(remote.url, remote.api_key) as client:
        push_archive(archive, client=client, target_dataset=target, settings=HASTY)


def stored(external_id: str, md5: str, *, data_id: str = "data") -> RemoteDocument:
    return RemoteDocument(
        id=data_id, name=f"text_{md5}", external_system="cognee", external_id=external_id, data_size=1
    )


def test_one_dataset_can_be_pushed_into_several(remote: FakeRemote, tmp_path: Path) -> None:
    for target in ("one", "two", "three"):
        push_text(remote, tmp_path, "A text.", target=target)
        assert list(remote.documents(target).values()) == ["A text."]


def test_pushing_again_adds_no_document(remote: FakeRemote, tmp_path: Path) -> None:
    for _ in range(3):
        push_text(remote, tmp_path, "A text.", target="docs")
    assert len(remote.documents("docs")) == 1


def test_a_changed_text_reaches_the_remote(remote: FakeRemote, tmp_path: Path) -> None:
    push_text(remote, tmp_path, "Old.", target="docs")
    push_text(remote, tmp_path, "New.", target="docs")
    assert list(remote.documents("docs").values()) == ["New."]


def test_documents_that_cognee_pushed_keep_their_ids(remote: FakeRemote, tmp_path: Path) -> None:
    """``cognee.push()`` uses the node's id as it is."""
    import httpx

    with demo_archive(tmp_path).path.open("rb") as file:
        httpx.post(
            f"{remote.url}/api/v1/remember",
            headers={"x-api-key": remote.api_key},
            data={"datasetName": "docs", "content_type": "cogx-archive", "import_mode": "preserve"},
            files={"data": ("a.cogx.tar.gz", file)},
        ).raise_for_status()
    push_text(remote, tmp_path, "Ada wrote.", target="docs")
    assert remote.documents("docs") == {ID_A: "Ada wrote."}
    push_text(remote, tmp_path, "Ada wrote more.", target="docs")
    assert remote.documents("docs") == {ID_A: "Ada wrote more."}


def test_a_new_document_gets_an_id_that_no_other_dataset_can_have() -> None:
    plan = plan_documents([DocumentPrint("chunk", "m")], [], dataset_id="d1")
    assert plan.external_ids == {"chunk": "d1:chunk"}
    assert plan.outdated == ()


def test_a_document_under_our_id_goes_before_one_that_another_tool_put_there() -> None:
    present = [stored("chunk", "other", data_id="1"), stored("d1:chunk", "m", data_id="2")]
    plan = plan_documents([DocumentPrint("chunk", "m")], present, dataset_id="d1")
    assert (plan.external_ids, plan.outdated) == ({"chunk": "d1:chunk"}, ())


def test_only_documents_with_another_text_are_outdated() -> None:
    present = [stored("d1:same", "m1", data_id="1"), stored("d1:changed", "old", data_id="2")]
    plan = plan_documents([DocumentPrint("same", "m1"), DocumentPrint("changed", "m2")], present, dataset_id="d1")
    assert plan.outdated == ("2",)


def test_documents_of_other_systems_are_none_of_ours() -> None:
    foreign = RemoteDocument(id="1", name="text_m", external_system="zep", external_id="chunk", data_size=1)
    assert plan_documents([DocumentPrint("chunk", "m")], [foreign], dataset_id="d1").external_ids == {
        "chunk": "d1:chunk"
    }


@pytest.mark.parametrize("line", [b"{", b"[]", b"{}", b'{"external_id": "a"}'])
def test_a_line_that_is_no_document_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "odd.cogx.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo("documents.jsonl")
        member.size = len(line)
        tar.addfile(member, io.BytesIO(line))
    with pytest.raises(ArchiveError, match=r"documents\.jsonl, line 1 is no document"):
        rename_documents(path, tmp_path / "renamed.cogx.tar.gz", {})


def test_renaming_changes_document_ids_and_nothing_else(tmp_path: Path) -> None:
    archive = demo_archive(tmp_path)
    rename_documents(archive.path, tmp_path / "renamed.cogx.tar.gz", {ID_A: "d1:a"})
    before, after = archived_records(archive.path), archived_records(tmp_path / "renamed.cogx.tar.gz")
    assert [document["external_id"] for document in after["documents.jsonl"]] == ["d1:a"]
    assert [document["content"] for document in after.pop("documents.jsonl")] == [
        document["content"] for document in before.pop("documents.jsonl")
    ]
    assert after == before
    assert document_prints(archive.path)[0].md5 == document_prints(tmp_path / "renamed.cogx.tar.gz")[0].md5
