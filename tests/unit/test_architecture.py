"""docs/architecture.md says where things are, and the import contracts hold what it says."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.import_map import ROOT, redrawn

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CODE = ("cognee_dagster", "tests", "examples", "bench")
LINT = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"]


def test_the_map_is_the_one_that_the_contracts_draw() -> None:
    assert redrawn(PAGE) == PAGE, "run: python -m tests.import_map"


def test_twenty_questions_have_a_file_each() -> None:
    table = PAGE.partition("## Where do I find …\n")[2].partition("\n## ")[0]
    files = re.findall(r"^\| .+\? \| `([\w/.]+)` \|$", table, flags=re.MULTILINE)
    assert len(files) == len(set(files)) == 20
    assert [file for file in files if not (ROOT / file).is_file()] == []


@pytest.mark.parametrize("page", [PAGE, CONTRIBUTING], ids=["architecture", "CONTRIBUTING"])
def test_every_file_and_folder_that_is_named_is_there(page: str) -> None:
    named = re.findall(r"`([\w.]+(?:/[\w.]*)+)`", page)
    assert len(named) > 5
    assert [name for name in named if not any((base / name).exists() for base in (ROOT, ROOT / "cognee_dagster"))] == []


def private_imports_of_dagster(text: str) -> set[str]:
    """The modules of Dagster's that a file imports, or names to be imported, and that Dagster calls private."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            named |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func) and node.args:
            named.add(str(getattr(node.args[0], "value", "")))
    return {name for name in named if re.match(r"dagster\w*\.(.+\.)?_", name)}


def test_nothing_imports_what_dagster_calls_private() -> None:
    """What has no stable name breaks with a patch release of Dagster's."""
    files = [path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(files) > 300
    found = {str(path.relative_to(ROOT)): private_imports_of_dagster(path.read_text("utf-8")) for path in files}
    assert {name: private for name, private in found.items() if private} == {}


@pytest.mark.parametrize(
    "planted",
    [
        "from dagster._core.instance import DagsterInstance",
        "import dagster._check as check",
        "def f():\n    from dagster_shared._model import DgModel",
        "from dagster import _core",
        "import importlib\nimportlib.import_module('dagster._utils')",
    ],
)
def test_a_private_import_is_noticed(planted: str) -> None:
    assert private_imports_of_dagster(planted)


@pytest.mark.parametrize(
    ("module", "planted", "broken"),
    [
        ("graph/reader.py", "import cognee_dagster.cogx.format", "never up"),
        ("remote/retry.py", "import dagster", "knows Dagster"),
        ("sources/files.py", "import cognee", "child process only"),
        ("remote/retry.py", "import cognee_dagster.remote.client", "No circles"),
    ],
)
def test_a_planted_import_fails_make_lint(module: str, planted: str, broken: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "cognee_dagster", tmp_path / "cognee_dagster", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "cognee_dagster" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{planted}\n")
    ended = subprocess.run(
        LINT, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    said = re.sub(r"\x1b\[\d*m", "", ended.stdout)  # older releases colour it
    assert re.search(rf"{broken}.* BROKEN", said), said
    assert "lint-imports" in (ROOT / "Makefile").read_text(encoding="utf-8")
