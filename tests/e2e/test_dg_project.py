"""The commands of ``dg`` that the README, the guide and the reference print, in a project with their definitions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cognee_dagster.testing import FakeRemote
from tests.dagster_project import free_port
from tests.printed import ROOT, Block, Command, blocks, commands, terminal
from tests.readers_machine import dg_machine

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("dg_command")]
SERVING = "… Serving dagster-webserver on http://127.0.0.1:3000 in process 11227\n"


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    with FakeRemote() as server:
        yield server


@pytest.fixture
def environ(tmp_path: Path, remote: FakeRemote) -> Iterator[dict[str, str]]:
    with dg_machine(tmp_path, remote) as variables:
        yield {**variables, "DAGSTER_DG_DEV_PORT": str(free_port())}


def _block(page: str, *, holding: str) -> Block:
    return next(block for block in blocks(ROOT / page) if holding in block.text)


def test_the_readmes_definitions_are_served_and_launched(
    tmp_path: Path, environ: dict[str, str], remote: FakeRemote
) -> None:
    definitions = _block("README.md", holding="dg.EnvVar")
    (tmp_path / "here" / str(definitions.file)).write_text(definitions.text)
    home, dev = commands(_block("README.md", holding="dg dev"))
    launch = commands(_block("README.md", holding="dg launch"))
    with terminal(tmp_path / "here", environ) as first, terminal(tmp_path / "here", environ) as second:
        first.run(home)
        first.start(Command(dev.text, SERVING))
        for command in launch:
            second.run(command)
    assert len(remote.graph("research").nodes) == 3


def test_commands_in_a_project_run_as_printed(tmp_path: Path, environ: dict[str, str], remote: FakeRemote) -> None:
    here = tmp_path / "here"
    definitions = _block("docs/alerts.md", holding="build_alert_sensor(datasets, on_failure=send_mail")
    with terminal(here, {**environ, "PYTHONPATH": f"{here / 'src'}:{environ['PYTHONPATH']}"}) as shell:
        shell.run(Command("create-dagster project . --no-uv-sync", ""))
        (here / "src" / "here" / "defs" / "graphs.py").write_text(definitions.text)
        for page, holding in (("docs/guide.md", "dg launch --job"), ("docs/configuration.md", "dg launch --assets")):
            for command in commands(_block(page, holding=holding)):
                shell.run(command)
    assert [len(remote.graph(name).nodes) for name in ("research", "handbook", "handbook_staging")] == [3, 3, 3]
