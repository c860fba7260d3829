"""What users of the engine may import from a package itself."""

import ast
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from uuid import UUID

import networkx as nx
import pytest

import cognee_dagster
from cognee_dagster.cogx import write_archive
from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources import open_graph
from cognee_dagster.testing import FakeRemote
from tests.cogx_graphs import MemoryReader, demo_reader

PACKAGE = Path(cognee_dagster.__file__).parent
ENGINE = (PACKAGE.parent / "docs" / "engine.md").read_text(encoding="utf-8")
FACES = sorted(f"cognee_dagster.{stub.parent.name}" for stub in PACKAGE.glob("*/__init__.pyi"))

each_face = pytest.mark.parametrize("face", FACES)


@each_face
def test_every_name_of_a_face_is_there(face: str) -> None:
    module = importlib.import_module(face)
    assert module.__all__
    for name in module.__all__:
        assert getattr(module, name) is not None
    assert set(module.__all__) <= set(dir(module))
    assert [name for name in module.__all__ if find_spec(f"{face}.{name}")] == []  # it would take the name's place


@each_face
def test_every_name_of_a_face_is_documented(face: str) -> None:
    section = ENGINE.partition(f"\n## `{face}`")[2].partition("\n## ")[0]
    missing = [name for name in importlib.import_module(face).__all__ if f"`{name}" not in section]
    assert missing == []


@each_face
def test_importing_a_face_loads_nothing_behind_it(face: str) -> None:
    code = f"import sys, {face}; print([name for name in sys.modules if name.startswith('{face}.')])"
    assert ast.literal_eval(subprocess.check_output([sys.executable, "-c", code], text=True)) == []


@pytest.mark.parametrize(
    ("section", "printed"),
    [
        ("cogx", r"2 1 \S+\nengines 2\n"),
        ("sources", r"friends 1\n"),
        ("pushing", r"completed friends_there 1\n"),
        ("remote", r"1\.6\.5 \['team'\]\n\[\('team', 'succeeded'\)\]\n"),
    ],
)
def test_the_examples_of_the_engine_run(section: str, printed: str, tmp_path: Path) -> None:
    example = ENGINE.partition(f"\n## `cognee_dagster.{section}`")[2].partition("```python\n")[2].partition("```")[0]
    (tmp_path / "empty.env").touch()
    with FakeRemote() as remote:
        remote.add_run("team", state="COMPLETED")
        environ = {**os.environ, **remote.environ, "COGNEE_ENV_FILE": str(tmp_path / "empty.env")}
        environ["PYTHONPATH"] = str(PACKAGE.parent)
        output = subprocess.check_output([sys.executable, "-c", example], text=True, cwd=tmp_path, env=environ)
    assert re.fullmatch(printed, output), output


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("cognee_dagster.graph.cognee", "cognee_dagster.sources", "open_dataset"),
        ("cognee_dagster.graph.networkx", "cognee_dagster.sources", "to_networkx"),
    ],
)
def test_import_paths_that_the_guide_named_still_work_and_warn(old: str, new: str, name: str) -> None:
    with pytest.warns(DeprecationWarning, match=re.escape(f"{old}.{name} is {new}")):
        moved = getattr(importlib.import_module(old), name)
    assert moved is getattr(importlib.import_module(new), name)
    with pytest.raises(AttributeError):
        getattr(importlib.import_module(old), "no_such_name")  # noqa: B009


def test_open_graph_takes_whatever_holds_a_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    @contextmanager
    def open_dataset(dataset: object, **_: object) -> Iterator[MemoryReader]:
        asked.append(dataset)
        yield demo_reader()

    monkeypatch.setattr("cognee_dagster.sources.opening.open_dataset", open_dataset)
    graph = nx.DiGraph([("a", "b")], name="letters")
    nx.write_graphml(graph, tmp_path / "words.graphml")
    with open_graph(graph) as reader:
        archive = write_archive(reader, tmp_path / "letters.cogx.tar.gz")
    names = []
    for source in ("demo", UUID(int=1), tmp_path / "words.graphml", archive.path, archive, graph):
        with open_graph(source) as reader:
            names.append(reader.origin.dataset_name)
    assert names == ["demo", "demo", "words", "letters", "letters", "letters"]
    assert asked == ["demo", UUID(int=1)]
    with pytest.raises(GraphFileError, match="from a int"), open_graph(7):
        pass
