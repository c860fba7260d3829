"""Whoever is told that a graph or an archive cannot be used is told what to do about it."""

import ast
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import cognee_dagster
from cognee_dagster.cogx import advice as cogx_advice
from cognee_dagster.cogx.read.validate import validate_archive
from cognee_dagster.errors import ArchiveError, reason_and_advice
from cognee_dagster.sources.archives import archive_as_it_is
from cognee_dagster.sources.files import open_graph_file

PACKAGE = Path(cognee_dagster.__file__).parent
FOLDERS = ("cogx", "sources")
CLASSES = {"ArchiveError", "ArchiveLimitError", "GraphFileError"}
# What stands in a message for another one that says what to do: a variable's name, or what the message begins with.
SAY_IT_THEMSELVES = {"hint", "instead", "advice"}
PASSED_ON = (
    "The graph of dataset",  # because of nodes that ``refused_nodes`` names
    "has a wrong default (line ",  # ``declared_value`` says what to do
    ": attribute ",  # likewise
)

ADVICE = {value for name, value in vars(cogx_advice).items() if name.isupper()}
DAMAGED = {
    "a line that is no JSON": {"entities.jsonl": b"{"},
    "a field that is missing": {"entities.jsonl": b'{"kind": "entity"}'},
    "no manifest": {"manifest.json": b"", "facts.jsonl": b" "},
    "a newer version": {"manifest.json": b'{"cogx_version": "7.0", "source_system": "cognee"}'},
    "a name that leads out": {"../manifest.json": b"{}"},
}


def messages() -> Iterator[tuple[str, str]]:
    """Place and text of every message that one of the errors is made of; ``…`` stands for what it is about."""
    for folder in FOLDERS:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CLASSES:
                    yield f"{path.relative_to(PACKAGE)}, line {node.lineno}", text_of(node.args[0])


def text_of(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(text_of, node.values))
    if isinstance(node, ast.FormattedValue):
        return text_of(node.value)
    if isinstance(node, ast.BoolOp):
        return text_of(node.values[-1])
    if isinstance(node, ast.Name) and (node.id.isupper() or node.id in SAY_IT_THEMSELVES):
        return " Do this."  # a sentence of its own
    return "…"


def test_every_error_about_a_graph_or_an_archive_says_what_to_do() -> None:
    found = dict(messages())
    silent = {
        place: text
        for place, text in found.items()
        if text.strip("… ") and not reason_and_advice(text)[1] and not text.lstrip("…").startswith(PASSED_ON)
    }
    assert silent == {}
    assert len(found) > 100


@pytest.mark.parametrize("text", ["is damaged.", "is damaged: it is cut off.", "is damaged, and … is not."])
def test_a_message_without_a_second_sentence_says_nothing_to_do(text: str) -> None:
    assert reason_and_advice(text)[1] == ""


def damaged(path: Path, files: dict[str, bytes]) -> Path:
    whole = {"manifest.json": b'{"cogx_version": "0.1", "source_system": "cognee"}', **files}
    with tarfile.open(path, "w:gz") as tar:
        for name, content in whole.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            if content:
                tar.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("files", DAMAGED.values(), ids=DAMAGED)
def test_of_a_damaged_archive_everybody_is_told_once_what_to_do(files: dict[str, bytes], tmp_path: Path) -> None:
    path = damaged(tmp_path / "g.cogx.tar.gz", files)
    with pytest.raises(ArchiveError) as as_graph:
        list(open_graph_file(path).nodes())
    with pytest.raises(ArchiveError) as as_it_is:
        archive_as_it_is(path, directory=tmp_path)
    report = validate_archive(path)
    judged = f"{report.problems[0].reason} {report.advice}".strip()
    for text in (str(as_graph.value), str(as_it_is.value), judged):
        told = [advice for advice in ADVICE if advice in text]
        assert len(told) == 1, text
        assert text.count(told[0]) == 1
        assert text.endswith(told[0])
