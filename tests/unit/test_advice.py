"""Whoever is told that a graph or an archive cannot be used is told what to do about it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import cognee_dagster
from cognee_dagster.errors import reason_and_advice

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
