"""What users of the engine may import from a package itself."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import cognee_dagster

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


@each_face
def test_every_name_of_a_face_is_documented(face: str) -> None:
    section = ENGINE.partition(f"\n## `{face}`")[2].partition("\n## ")[0]
    missing = [name for name in importlib.import_module(face).__all__ if f"`{name}" not in section]
    assert missing == []


@each_face
def test_importing_a_face_loads_nothing_behind_it(face: str) -> None:
    code = f"import sys, {face}; print([name for name in sys.modules if name.startswith('{face}.')])"
    assert ast.literal_eval(subprocess.check_output([sys.executable, "-c", code], text=True)) == []


def test_the_example_of_the_engine_runs(tmp_path: Path) -> None:
    example = ENGINE.partition("```python\n")[2].partition("```")[0]
    output = subprocess.check_output([sys.executable, "-c", example], text=True, cwd=tmp_path)
    assert output.split() == ["2", "1", output.split()[2], "engines", "2"]
