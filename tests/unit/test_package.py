"""What people install: a wheel with the package and nothing else, complete with what it says that it needs."""

import importlib.util
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from cognee_dagster._version import __version__
from cognee_dagster.remote.compat import MIN_COGX_RELEASE, MIN_RUN_FEED_RELEASE
from tests.installed import clean_environment
from tests.printed import ROOT

IN_A_CLEAN_ENVIRONMENT = """
import importlib.util
import sys

import dagster as dg
import networkx as nx

import cognee_dagster
from cognee_dagster.testing import FakeRemote

for name in cognee_dagster.__all__:
    getattr(cognee_dagster, name)


@dg.asset
def parts() -> nx.MultiDiGraph:
    return nx.MultiDiGraph([("bolt", "nut")])


with FakeRemote() as remote:
    chain = cognee_dagster.build_definitions(
        [cognee_dagster.CogneeDataset(name="parts", graph=dg.AssetKey("parts"))],
        remote=cognee_dagster.CogneeRemote(url=remote.url, api_key=remote.api_key),
        archives=cognee_dagster.CogxArchiveIOManager(base_directory=sys.argv[1]),
    )
    defs = dg.Definitions.merge(dg.Definitions(assets=[parts]), chain)
    assert defs.resolve_job_def("push_all_datasets").execute_in_process().success
    assert len(remote.uploads) == 1
print(*sorted(name for name in ("cognee", "ladybug", "dagster_webserver", "tests") if importlib.util.find_spec(name)))
"""


@dataclass(frozen=True)
class Built:
    """What ``python -m hatchling build`` leaves in ``dist/``."""

    wheel: Path
    sdist: Path

    @property
    def names(self) -> set[str]:
        with zipfile.ZipFile(self.wheel) as wheel:
            return set(wheel.namelist())

    @property
    def metadata(self) -> Message:
        with zipfile.ZipFile(self.wheel) as wheel:
            return message_from_bytes(wheel.read(f"cognee_dagster-{__version__}.dist-info/METADATA"))


def build(checkout: Path, directory: Path) -> Built:
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(directory)]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True, timeout=120)
    (wheel,), (sdist,) = directory.glob("*.whl"), directory.glob("*.tar.gz")
    return Built(wheel=wheel, sdist=sdist)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(ROOT, tmp_path_factory.mktemp("dist"))


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(built: Built) -> None:
    package = ROOT / "cognee_dagster"
    files = {
        path.relative_to(ROOT).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    ours = {name for name in built.names if not name.startswith(f"cognee_dagster-{__version__}.dist-info/")}
    assert ours == files
    assert "cognee_dagster/py.typed" in ours
    assert f"cognee_dagster-{__version__}.dist-info/licenses/LICENSE" in built.names


def test_the_source_distribution_builds_the_same_wheel(built: Built, tmp_path: Path) -> None:
    with tarfile.open(built.sdist) as sdist:
        sdist.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    assert {"CHANGELOG.md", "LICENSE", "README.md", "docs"} <= {path.name for path in unpacked.iterdir()}
    again = build(unpacked, tmp_path / "dist")
    assert again.wheel.read_bytes() == built.wheel.read_bytes()


def test_the_version_is_in_one_place(built: Built) -> None:
    assert built.metadata["Version"] == __version__
    elsewhere = [name for name in ("pyproject.toml", "README.md") if __version__ in (ROOT / name).read_text("utf-8")]
    assert elsewhere == []
    assert re.search(rf"^## {re.escape(__version__)} |^What {re.escape(__version__)},", CHANGELOG, re.MULTILINE)


def test_every_link_of_the_metadata_could_be_true(built: Built) -> None:
    assert built.metadata["License-Expression"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")
    assert not any(name.startswith("License ::") for name in built.metadata.get_all("Classifier", []))
    assert [url for url in built.metadata.get_all("Project-URL", []) if re.search(r"example|TODO|localhost", url)] == []


def test_the_wheel_works_where_nothing_is_but_what_it_requires(built: Built, tmp_path: Path) -> None:
    commands = clean_environment(tmp_path / "venv", built.wheel)
    assert _run(tmp_path, commands / "cognee-dagster", "--version").split()[-1] == __version__
    assert _run(tmp_path, commands / "python", "-c", IN_A_CLEAN_ENVIRONMENT, tmp_path / "archives").split() == []


def test_its_extras_bring_what_they_are_called_after(built: Built, tmp_path: Path) -> None:
    pytest.importorskip("dagster_webserver", reason="make oldest installs no extra but dev")
    brought = {
        "webserver": "import dagster_webserver",
        "dg": "import dagster_dg_cli, create_dagster",
        "otel": "import opentelemetry.trace",
        "openlineage": "from dagster_openlineage import OpenLineageEventLogStorage",
    }
    if not importlib.util.find_spec("dagster_openlineage") and not os.environ.get("CI"):
        del brought["openlineage"]
    commands = clean_environment(tmp_path / "venv", built.wheel, extras=frozenset(brought))
    found = "\n".join([*brought.values(), "import cognee_dagster; print(cognee_dagster.__file__)"])
    assert _run(tmp_path, commands / "python", "-c", found).startswith(str(tmp_path))


def _run(directory: Path, *command: str | Path) -> str:
    (directory / "empty.env").touch()
    environ = {"HOME": str(directory), "PATH": os.defpath, "COGNEE_ENV_FILE": str(directory / "empty.env")}
    ended = subprocess.run(
        command, cwd=directory, env=environ, capture_output=True, text=True, check=False, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


# What lies beside the package

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
SUPPORT = (ROOT / "docs" / "support.md").read_text(encoding="utf-8")


def test_the_support_matrix_says_what_the_metadata_and_the_code_say(built: Built) -> None:
    rows = SUPPORT.split("<!-- table: support -->\n")[1].split("\n\n")[0].splitlines()[2:]
    needs = {cells[0].strip(): cells[1] for row in rows for cells in [row.strip("|").split("|")]}
    required = {found.name: found for found in map(Requirement, built.metadata.get_all("Requires-Dist", []))}
    ranges = {name: set(str(found.specifier).split(",")) for name, found in required.items()}
    assert _range(needs["Python"]) == set(str(built.metadata["Requires-Python"]).split(","))
    assert _range(needs["Dagster"]) == ranges["dagster"]
    assert _range(needs["Cognee as the local one, extra `cognee`"]) == ranges["cognee"]
    releases = [".".join(map(str, release)) for release in (MIN_COGX_RELEASE, MIN_RUN_FEED_RELEASE)]
    assert re.findall(r">=([\d.]+)", needs["Cognee as the remote"]) == releases


def _range(cell: str) -> set[str]:
    return set(cell.strip().strip("`").split(","))


def test_the_hooks_before_a_commit_are_targets_of_make() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)
    assert [hook["id"] for hook in hooks] == ["lint", "types"]
    assert [hook["entry"] for hook in hooks if hook["entry"].removeprefix("make ") not in targets] == []


def test_llms_txt_leads_to_every_page() -> None:
    linked = re.findall(r"^- \[.+\]\((.+)\): .+$", (ROOT / "llms.txt").read_text("utf-8"), flags=re.MULTILINE)
    assert sorted(linked) == sorted(["README.md", *(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))])
