"""Getting started does what it prints, from an empty directory: ``create-dagster``, ``dg``, real Cognees.

Two stand-ins, both by the environment: a ``python3`` whose virtual environments have the packages of this one, instead
of installing 2 GB again, and a free port for Dagster's UI.
"""

import os
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.dagster_project import free_port
from tests.printed import ROOT, Block, Command, blocks, commands, terminal

PAGE = blocks(ROOT / "docs" / "getting-started.md")
PLACEHOLDER = "/path/to/cognee-dagster"
SAME_ENVIRONMENT = "cd northwind && . .venv/bin/activate"

# As a script named python3. A package of this environment is not of the new one, so pip leaves it alone.
PYTHON_WITH_OUR_PACKAGES = f"""#!{sys.executable}
import subprocess, sys
from pathlib import Path

subprocess.run([{sys.executable!r}, *sys.argv[1:]], check=True)
made = Path(sys.argv[-1]).absolute()
(packages,) = made.glob("lib/python*/site-packages")
(packages / "of_the_tests.pth").write_text("import site; site.addsitedir({sysconfig.get_path("purelib")!r})")
for script in Path({sysconfig.get_path("scripts")!r}).iterdir():
    first, _, rest = script.read_bytes().partition(b"\\n") if script.is_file() else (b"", b"", b"")
    if first.startswith(b"#!") and b"python" in first and not (made / "bin" / script.name).exists():
        (made / "bin" / script.name).write_bytes(b"#!" + bytes(made / "bin" / "python") + b"\\n" + rest)
        (made / "bin" / script.name).chmod(0o755)
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Nothing of the developer's own settings."""
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python3").write_text(PYTHON_WITH_OUR_PACKAGES)
    (home / "bin" / "python3").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "HTTPS_", "HTTP_"))}
    return {
        **kept,
        "HOME": str(home),
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
        "COLUMNS": "100",
        "OPENLINEAGE_DISABLED": "true",  # its package is one of ours, which dg loads and a reader has not installed
        "DAGSTER_DG_DEV_PORT": str(free_port()),
    }


def _as_typed(command: Command) -> Command:
    return Command(command.text.replace(PLACEHOLDER, str(ROOT)), command.shown)


def _block(start: str) -> Block:
    """The block of the page that begins so."""
    (found,) = [block for block in PAGE if block.text.startswith(start)]
    return found


@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("real_cognee", "dg_command")
def test_getting_started_does_what_it_prints(tmp_path: Path, environ: dict[str, str]) -> None:
    project, sandbox, ui = tmp_path / "northwind", _block("$ cognee-dagster sandbox"), _block("$ dg dev")
    with (
        terminal(tmp_path, environ) as first,
        terminal(tmp_path, environ) as second,
        terminal(tmp_path, environ) as third,
    ):
        for block in PAGE:
            if block.file:
                (project / block.file).write_text(block.text)
            elif block == sandbox:
                (command,) = commands(block)
                second.run(Command(SAME_ENVIRONMENT, ""))
                printed = second.start(command)
                lines = [line.removeprefix("export ") for line in printed.splitlines() if line.startswith("export ")]
                with (project / ".env").open("a") as file:
                    file.write("".join(f"{line}\n" for line in lines))
            elif block == ui:
                (command,) = commands(block)
                third.run(Command(f"{SAME_ENVIRONMENT} && export DAGSTER_HOME=$PWD/dagster_home", ""))
                third.start(command)
            elif block.language == "console":
                for command in commands(block):
                    first.run(_as_typed(command))
            else:
                third.wait_for(block.text)
