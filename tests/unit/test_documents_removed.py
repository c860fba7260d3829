"""Documents that left their folder: what is known to be gone, and what is done about it."""

import glob
import hashlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster import CogneeDataset, LocalCognee, RemoteTarget
from cognee_dagster.dagster.steps import documents as step
from cognee_dagster.errors import DatasetDefinitionError, DocumentsGoneError
from cognee_dagster.sources.cognee.documents import DocumentsReport
from cognee_dagster.sources.cognee.gone_documents import GoneDocuments, HeldDocument, gone_documents


class Folder:
    """A folder whose files a dataset holds."""

    def __init__(self, root: Path, *names: str) -> None:
        self.root = root
        self.pattern = f"{root}/**/*.md"
        for name in names:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(f"This is {name}.")
        self.held = [held(root / name) for name in names]

    def delete(self, *names: str) -> None:
        for name in names:
            (self.root / name).unlink()

    def look(self, *patterns: str) -> GoneDocuments:
        wanted = patterns or (self.pattern,)
        present = [Path(path) for pattern in wanted for path in glob.glob(pattern, recursive=True)]
        return gone_documents(self.held, wanted, present=present)

    def gone(self, *patterns: str) -> list[str]:
        return [str(document.path.relative_to(self.root)) for document in self.look(*patterns).gone if document.path]


def held(path: Path, location: str | None = None) -> HeldDocument:
    digest = hashlib.md5(path.read_bytes()).hexdigest() if path.exists() else "0" * 32
    return HeldDocument(
        data_id=path.name, location=location or Path(os.path.realpath(path)).as_uri(), content_hash=digest
    )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "hand book%20", "a.md", "b.md", "manuals/c.md", "manuals/d.md", "manuals/old/e.md")


def test_a_document_is_gone_when_its_file_is(folder: Folder) -> None:
    assert folder.gone() == []
    folder.delete("b.md", "manuals/c.md")
    found = folder.look()
    assert folder.gone() == ["b.md", "manuals/c.md"]
    assert (found.num_held, found.left_alone) == (5, ())


def test_a_document_is_gone_when_its_subfolder_is(folder: Folder) -> None:
    folder.delete("manuals/old/e.md")
    (folder.root / "manuals" / "old").rmdir()
    assert folder.gone() == ["manuals/old/e.md"]


def test_an_empty_folder_says_nothing_as_it_may_not_be_mounted(folder: Folder) -> None:
    folder.delete("manuals/old/e.md", "a.md")
    assert folder.gone() == ["a.md"]
    (reason,) = folder.look().left_alone
    assert reason == f"{folder.root}/manuals/old is empty, as a folder that is not mounted: its documents stay (1)"


@pytest.mark.parametrize("then", ["absent", "empty", "a file"])
def test_a_folder_that_is_not_there_says_nothing(folder: Folder, then: str) -> None:
    folder.delete("a.md", "b.md", "manuals/c.md", "manuals/d.md", "manuals/old/e.md")
    for name in ("manuals/old", "manuals", "."):
        (folder.root / name).rmdir()
    if then == "empty":
        folder.root.mkdir()
    if then == "a file":
        folder.root.write_text("")
    found = folder.look()
    assert found.gone == ()
    assert len(found.left_alone) == 1
    assert "its documents stay (5)" in found.left_alone[0]


def test_a_folder_that_cannot_be_read_whole_says_nothing(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may read everything, so that the refusal is made here."""
    scandir = os.scandir

    def refusing(path: Any) -> Any:
        if str(path).endswith("old"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    folder.delete("b.md")
    monkeypatch.setattr(os, "scandir", refusing)
    found = folder.look()
    assert found.gone == ()
    assert found.left_alone == (
        f"{folder.root}/manuals/old cannot be read (Permission denied): its documents stay (1)",
    )


def test_a_file_that_cannot_be_looked_at_is_not_gone(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    lstat = os.lstat

    def refusing(path: Any) -> Any:
        if str(path).endswith("b.md"):
            raise PermissionError(13, "Permission denied", str(path))
        return lstat(path)

    monkeypatch.setattr(os, "lstat", refusing)
    folder.held.append(held(folder.root / "sure.md"))
    assert folder.gone() == ["sure.md"]


def test_a_document_that_was_moved_stays(folder: Folder) -> None:
    """Cognee takes the same content under another name for what it holds already."""
    (folder.root / "b.md").rename(folder.root / "manuals" / "renamed.md")
    assert folder.gone() == []
    (folder.root / "manuals" / "renamed.md").write_text("And changed.")
    assert folder.gone() == ["b.md"]


def test_a_deleted_copy_is_gone_although_the_other_one_is_held(folder: Folder) -> None:
    (folder.root / "copy.md").write_bytes((folder.root / "a.md").read_bytes())
    folder.held.append(held(folder.root / "copy.md"))
    folder.delete("copy.md")
    assert folder.gone() == ["copy.md"]


@pytest.mark.parametrize(
    ("pattern", "gone"),
    [
        ("{root}/*.md", ["b.md"]),
        ("{root}/manuals/*.md", ["manuals/c.md"]),
        ("{root}/**/?.md", ["b.md", "manuals/c.md"]),
        ("{root}/b.md", ["b.md"]),
        ("{root}/**/*.txt", []),
        ("{root}/*/*.md", ["manuals/c.md"]),
        ("{root}/../*/[b-c].md", ["b.md"]),
    ],
)
def test_only_what_a_pattern_would_match_came_from_it(folder: Folder, pattern: str, gone: list[str]) -> None:
    folder.delete("b.md", "manuals/c.md")
    assert folder.gone(pattern.format(root=folder.root)) == gone


def test_what_came_from_elsewhere_is_passed_over(folder: Folder, tmp_path: Path) -> None:
    folder.held += [
        held(tmp_path / "elsewhere.md"),
        held(folder.root / "x.md", location="text_0815"),
        held(folder.root / "y.md", location="https://example.com/y.md"),
        held(folder.root / ".hidden.md"),
        held(folder.root / ".git" / "z.md"),
    ]
    found = folder.look()
    assert (found.gone, found.num_held, found.left_alone) == ((), 5, ())


def test_a_folder_behind_a_link_is_looked_through(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder.root)
    folder.delete("b.md")
    assert folder.gone(f"{tmp_path}/link/**/*.md") == ["b.md"]


# What the step does


class Log(logging.Logger):
    def __init__(self) -> None:
        super().__init__("run", logging.DEBUG)
        self.said: list[str] = []

    def handle(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


class Context:
    def __init__(self) -> None:
        self.log = Log()


@pytest.fixture
def forgotten(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the documents that Cognee was asked to forget; it holds what the folder once had."""
    names: list[str] = []

    def add(*_: object, **__: object) -> DocumentsReport:
        return DocumentsReport(
            added=(), changed=(), unchanged=(), cognified=False, seconds=0.5, held=tuple(folder.held)
        )

    def forget(_: object, documents: Sequence[HeldDocument], **__: object) -> None:
        names.extend(document.data_id for document in documents)

    monkeypatch.setattr("cognee_dagster.sources.add_documents", add)
    monkeypatch.setattr("cognee_dagster.sources.forget_documents", forget)
    return names


def follow(folder: Folder, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    dataset = CogneeDataset(name="notes", documents=[folder.pattern], **fields)
    context: Any = Context()
    return step.follow_documents(context, dataset, local=LocalCognee()), context.log.said


def test_documents_that_are_gone_stay_unless_it_is_said(folder: Folder, forgotten: list[str]) -> None:
    folder.delete("b.md")
    counts, said = follow(folder)
    assert (counts["gone"], counts["forgotten"], forgotten) == (1, 0, [])
    assert said == ["1 document left the folder and stay: documents_removed is keep."]


def test_documents_that_are_gone_are_forgotten_and_named(folder: Folder, forgotten: list[str]) -> None:
    folder.delete("b.md")
    counts, said = follow(folder, documents_removed="forget")
    assert (counts["gone"], counts["forgotten"], forgotten) == (1, 1, ["b.md"])
    assert said == [f"Document forgotten: {folder.root / 'b.md'}"]


def test_more_than_max_removed_is_refused_with_names_and_advice(
    folder: Folder, forgotten: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.delete("a.md", "manuals/c.md")
    with pytest.raises(DocumentsGoneError, match="2 of 5 documents") as caught:
        follow(folder, documents_removed="forget")
    assert forgotten == []
    assert all(
        text in str(caught.value) for text in ("'notes'", "a.md", "manuals/c.md", "max_removed is 20%", "1 allows")
    )
    assert " more" not in str(caught.value)
    monkeypatch.setattr(step, "_EXAMPLES", 1)
    with pytest.raises(DocumentsGoneError, match=r"a\.md and 1 more\. If they are gone on purpose"):
        follow(folder, documents_removed="forget")
    follow(folder, documents_removed="forget", max_removed=0.4)
    assert forgotten == ["a.md", "c.md"]


def test_fail_fails_for_a_single_document(folder: Folder, forgotten: list[str]) -> None:
    follow(folder, documents_removed="fail", max_removed=1)
    folder.delete("b.md")
    with pytest.raises(DocumentsGoneError, match="documents_removed is fail: none was forgotten"):
        follow(folder, documents_removed="fail", max_removed=1)
    assert forgotten == []


def test_a_folder_of_which_nothing_can_be_said_is_named_in_the_log(folder: Folder, forgotten: list[str]) -> None:
    folder.delete("manuals/old/e.md")
    counts, said = follow(folder, documents_removed="forget")
    assert (counts["gone"], forgotten) == (0, [])
    assert said[0].startswith("Whether documents left their folder cannot be told: ")


@pytest.mark.parametrize(
    "fields", [{"documents_removed": "delete", "documents": ["*.md"]}, {"documents_removed": "forget"}]
)
def test_what_cannot_be_done_is_refused_where_it_is_said(fields: dict[str, Any]) -> None:
    with pytest.raises(DatasetDefinitionError, match="documents_removed"):
        CogneeDataset(name="notes", **fields)


def test_a_dataset_with_several_targets_says_itself_how_many_documents_it_may_forget() -> None:
    targets = [RemoteTarget("staging", max_removed=0.1), RemoteTarget("prod", remote="prod")]
    dataset = CogneeDataset(
        name="notes", documents=["*.md"], documents_removed="forget", max_removed=0.5, targets=targets
    )
    assert [dataset.max_removed, *(each.max_removed for each in dataset.each_target)] == [0.5, 0.1, 0.2]
    with pytest.raises(DatasetDefinitionError, match="max_removed"):
        CogneeDataset(name="notes", documents=["*.md"], max_removed=0.5, targets=targets)
