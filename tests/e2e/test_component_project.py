"""What the page about the component prints, in a fresh project and without Cognee: the real ``dg``, and a launch."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cognee_dagster.testing import FakeRemote
from tests.dagster_project import free_port
from tests.printed import ROOT, Block, Command, blocks, commands, terminal
from tests.readers_machine import dg_machine

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("dg_command")]

SERVING = "… Serving dagster-webserver on http://127.0.0.1:3000 in process 11227\n"
WITHOUT_COGNEE = """
import importlib.machinery

_found = importlib.machinery.PathFinder.find_spec


def _find_spec(name, path=None, target=None):
    return None if name.partition(".")[0] in ("cognee", "ladybug") else _found(name, path, target)


importlib.machinery.PathFinder.find_spec = _find_spec
"""


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    with FakeRemote() as server:
        yield server


@pytest.fixture
def environ(tmp_path: Path, remote: FakeRemote) -> Iterator[dict[str, str]]:
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "sitecustomize.py").write_text(WITHOUT_COGNEE)
    with dg_machine(tmp_path, remote) as variables:
        variables["DAGSTER_DG_DEV_PORT"] = str(free_port())
        yield {**variables, "PYTHONPATH": f"{tmp_path / 'without'}:{variables['PYTHONPATH']}"}


def _session() -> Block:
    return next(block for block in blocks(ROOT / "docs" / "component.md", "console"))


def test_a_component_is_listed_scaffolded_checked_and_launched(
    tmp_path: Path, environ: dict[str, str], remote: FakeRemote
) -> None:
    here = tmp_path / "here"
    with terminal(here, {**environ, "PYTHONPATH": f"{here / 'src'}:{environ['PYTHONPATH']}"}) as shell:
        shell.run(Command("python -c 'import importlib.util as i; print(i.find_spec(\"cognee\"))'", "None\n"))
        shell.run(Command("create-dagster project . --no-uv-sync", ""))
        for command in commands(_session()):
            shell.run(command)
        shell.run(Command("dg check yaml", "All component YAML validated successfully.\n"))
        shell.start(Command("dg dev", SERVING))
    assert len(remote.graph("graphs").nodes) == 5  # three, and their two types
