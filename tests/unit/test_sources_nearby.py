"""Who names a place that is no graph is told of one that is near it."""

import shutil
from pathlib import Path

import pytest

from cognee_dagster.errors import GraphFileError, GraphFileNotFoundError
from cognee_dagster.sources.files import open_graph_file
from tests.archives_of_others import pack, unpack
from tests.unit.test_corpus import CORPUS


def told(place: Path) -> str:
    with pytest.raises(GraphFileError) as caught:
        open_graph_file(place)
    return str(caught.value)


@pytest.mark.parametrize("below", ["tables", "project/working_directory"])
@pytest.mark.parametrize("producer", ["graphrag", "lightrag", "neo4j"])
def test_a_folder_above_a_graph_leads_to_it(tmp_path: Path, producer: str, below: str) -> None:
    (tmp_path / "package.json").write_text("{}")
    shutil.copytree(CORPUS / producer, tmp_path / below)
    assert told(tmp_path).endswith(f" Did you mean {tmp_path / below}?")


def test_files_and_archives_in_a_folder_are_named_and_json_is_not(tmp_path: Path) -> None:
    for name in ("a.graphml", "b.gexf", "manifest.json", "package.json", "notes.txt"):
        (tmp_path / name).write_text("{}")
    pack(tmp_path / "c.cogx.tar.gz", "cognee")
    named = ", ".join(str(tmp_path / name) for name in ("a.graphml", "b.gexf", "c.cogx.tar.gz"))
    assert told(tmp_path).endswith(f" Did you mean one of {named}?")


@pytest.mark.parametrize(("producer", "file"), [("graphrag", "entities.parquet"), ("neo4j", "nodes.csv")])
def test_a_part_of_a_folders_graph_leads_to_the_folder(tmp_path: Path, producer: str, file: str) -> None:
    shutil.copytree(CORPUS / producer, tmp_path / "output")
    assert told(tmp_path / "output" / file).endswith(f" Did you mean {tmp_path / 'output'}?")


def test_a_json_file_of_a_working_directory_leads_to_the_directory(tmp_path: Path) -> None:
    shutil.copytree(CORPUS / "lightrag", tmp_path / "rag")
    said = told(tmp_path / "rag" / "kv_store_full_docs.json")
    assert "is no node-link JSON" in said
    assert said.endswith(f" Did you mean {tmp_path / 'rag'}?")


@pytest.mark.parametrize("wrong", ["birds.json", "brids.graphml", "birds.graphml.gz"])
def test_a_name_that_is_nearly_right_leads_to_the_right_one(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "birds.graphml").write_text("")
    said = told(tmp_path / wrong)
    assert f"There is no file or folder {tmp_path / wrong}" in said
    assert said.endswith(f" Did you mean {tmp_path / 'birds.graphml'}?")


def test_where_nothing_is_near_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    unpack(tmp_path / ".git" / "hidden", "cognee")
    (tmp_path / "notes.txt").write_text("x")
    assert "Did you mean" not in told(tmp_path) + told(tmp_path / "notes.txt") + told(tmp_path / "gone" / "g.json")


@pytest.mark.parametrize("wrong", ["b.graphml", "dirbs.graphml", "robins.json", "birds2.graphml", ".graphml"])
def test_a_suffix_alone_makes_nothing_near(tmp_path: Path, wrong: str) -> None:
    for name in ("birds.graphml", "a.graphml", ".hidden.graphml"):
        (tmp_path / name).write_text("")
    assert "Did you mean" not in told(tmp_path / wrong)


def test_a_folder_is_offered_as_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(CORPUS / "neo4j", "tables")
    assert told(Path("tabels")).endswith(" Did you mean ./tables?")


def test_a_folder_without_a_graph_is_told_apart_and_says_which_are_read(tmp_path: Path) -> None:
    with pytest.raises(GraphFileNotFoundError, match=r"holds no graph of a known kind\. Name a folder with nodes\.csv"):
        open_graph_file(tmp_path)
    (tmp_path / "nodes.csv").write_text("id\na\n")
    with pytest.raises(GraphFileNotFoundError, match=r"one table only, nodes\.csv: add edges\.csv"):
        open_graph_file(tmp_path)
