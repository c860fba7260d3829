"""The example project passes its own tests, and what ``dg`` checks, where somebody has copied it to."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cognee_dagster.testing import FakeRemote
from tests.printed import ROOT, blocks, commands

pytest_plugins = ["cognee_dagster.testing.plugin"]

PROJECT = ROOT / "examples" / "northwind"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project, as somebody has it."""
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    return Path(shutil.copytree(PROJECT, tmp_path / "northwind", ignore=ignored))


def run(project: Path, *command: str, **environ: str) -> str:
    """What a command in the project prints; it has to succeed."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COGNEE_", "DAGSTER_"))
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    ended = subprocess.run(
        command,
        cwd=project,
        env={
            **kept,
            "PATH": path,
            "HOME": str(project.parent),
            "PYTHONPATH": os.pathsep.join(map(str, (project / "src", ROOT))),
            **environ,
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_its_tests_pass(copy: Path) -> None:
    (printed,) = blocks(PROJECT / "README.md", "bash")
    install, test = (command.text.split() for command in commands(printed))
    assert install[:3] == ["pip", "install", "-e"]  # here PYTHONPATH does
    assert "4 passed" in run(copy, *test, "-q", "-p", "no:cacheprovider", "-p", "no:xdist")


def test_dg_finds_nothing_to_complain_about(copy: Path, fake_remote: FakeRemote) -> None:
    pytest.importorskip("dagster_dg_cli", reason="needs dg: pip install dagster-dg-cli")
    environ = {
        "STAGING_COGNEE_URL": fake_remote.url,
        "STAGING_COGNEE_API_KEY": fake_remote.api_key,
        "PRODUCTION_COGNEE_URL": "https://cognee.example.com",  # which nobody asks
        "PRODUCTION_COGNEE_API_KEY": "a-key",
        "NORTHWIND_ARCHIVES": str(copy.parent / "archives"),
    }
    assert "All component YAML validated successfully." in run(copy, "dg", "check", "yaml", **environ)
    assert "All definitions loaded successfully." in run(copy, "dg", "check", "defs", **environ)
