"""The image that ``deploy/Dockerfile`` describes: what gets into it, as whom it runs, on which releases."""

import fnmatch
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from cognee_dagster import __version__
from cognee_dagster.cli.settings import ARCHIVES_VARIABLE
from tests.compose_file import DEPLOY, ROOT, deployed, services

tomllib = pytest.importorskip("tomllib", reason="Python 3.11 reads TOML by itself")

DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
INSTRUCTIONS = [
    (word, rest) for line in DOCKERFILE.splitlines() for word, _, rest in [line.partition(" ")] if word.isupper()
]
IGNORE = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()


def stage(name: str) -> list[tuple[str, str]]:
    """The instructions of one stage, without its FROM."""
    first = INSTRUCTIONS.index(next(i for i in INSTRUCTIONS if i[0] == "FROM" and i[1].endswith(f" AS {name}")))
    following = [n for n, (word, _) in enumerate(INSTRUCTIONS) if word == "FROM" and n > first]
    return INSTRUCTIONS[first + 1 : following[0] if following else None]


def let_in(path: str) -> bool:
    """Whether Docker would see a file of the repository, by the patterns of the .dockerignore in their order."""
    seen = True
    for pattern in IGNORE:
        bare = pattern.removeprefix("!").removeprefix("**/")
        parents = [path, *map(str, Path(path).parents)]
        if any(fnmatch.fnmatch(p, bare) or (pattern.startswith("**/") and fnmatch.fnmatch(Path(p).name, bare))
               for p in parents):  # fmt: skip
            seen = pattern.startswith("!")
    return seen


def tracked() -> list[str]:
    return subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")


def copied() -> set[str]:
    """What instructions copy from the repository."""
    return {path for word, rest in INSTRUCTIONS if word == "COPY" for path in rest.split()[:-1]}


def test_what_is_copied_is_there_and_let_in_and_nothing_else() -> None:
    for path in copied():
        assert (ROOT / path).exists(), path
        assert let_in(path if (ROOT / path).is_file() else f"{path}/__init__.py"), path
    for path in (".env", "deploy/.env", "cognee_dagster/.env", ".git/config", "tests/conftest.py", "deploy/graphs/x"):
        assert not let_in(path), path
    allowed = {pattern.removeprefix("!") for pattern in IGNORE if pattern.startswith("!")}
    assert allowed == copied()


def test_the_wheel_is_built_from_what_is_let_in(tmp_path: Path) -> None:
    for path in filter(None, tracked()):
        if let_in(path):
            target = tmp_path / "src" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, target)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "wheels")]
    built = subprocess.run(command, cwd=tmp_path / "src", capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = (tmp_path / "wheels").iterdir()
    assert wheel.name.startswith(f"cognee_dagster-{__version__}-")


@pytest.mark.parametrize("name", ["dagster", "cognee"])
def test_it_runs_as_a_user_without_rights(name: str) -> None:
    words = [word for word, _ in stage(name)]
    (user,) = [rest for word, rest in stage(name) if word == "USER"]
    assert user == "cognee"
    assert "RUN" not in words[words.index("USER") :]
    assert ("RUN", "useradd --uid 10001 --create-home --shell /usr/sbin/nologin cognee") in stage("base")
    (deployment,) = deployed("helm-values.yaml")["dagster-user-deployments"]["deployments"]
    assert deployment["podSecurityContext"] == {"runAsNonRoot": True, "runAsUser": 10001}


def test_places_are_the_same_in_the_image_and_where_it_runs() -> None:
    rest = dict(stage("dagster"))
    assert rest["ENV"] == "DAGSTER_HOME=/opt/dagster/dagster_home"  # the chart's own, too
    app = rest["WORKDIR"]
    (deployment,) = deployed("helm-values.yaml")["dagster-user-deployments"]["deployments"]
    assert deployment["codeServerArgs"] == ["-f", f"{app}/definitions.py"]
    volumes = {volume.split(":")[1] for volume in services()["code"]["volumes"]}
    assert {"/opt/dagster/dagster_home/storage", services()["code"]["environment"][ARCHIVES_VARIABLE]} <= volumes
    assert rest["EXPOSE"].split() == ["3000", "4000"]
    for name in ("dagster", "cognee"):
        command = next(rest for word, rest in stage(name) if word == "CMD")
        assert (
            command.strip("[]").replace('"', "").split(", ")
            == services()[{"dagster": "code", "cognee": "cognee"}[name]]["command"]
        )


def test_every_release_is_pinned() -> None:
    bases = [rest.split()[0] for word, rest in INSTRUCTIONS if word == "FROM"]
    assert [base for base in bases if not re.fullmatch(r"base|python:3\.\d+\.\d+-slim-\w+", base)] == []
    for name, service in services().items():
        if "image" in service and "build" not in service and name == "postgres":
            assert re.fullmatch(r"postgres:\d+\.\d+-\w+", service["image"])
        else:
            assert service["image"].endswith(f":{__version__}")
    assert f"cognee-dagster:{__version__} ." in (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


def test_the_releases_are_those_that_are_tested_and_allowed() -> None:
    lines = [line for line in (DEPLOY / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    pinned = {name: version for line in lines for name, _, version in [line.partition("==")]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    everything = [*project["dependencies"], *(r for extra in project["optional-dependencies"].values() for r in extra)]
    ranges = {found.name: found.specifier for found in map(Requirement, everything)}
    for name, version in pinned.items():
        assert version in ranges[name], name
    support = (ROOT / "docs" / "support.md").read_text(encoding="utf-8")
    for row, name in (("Dagster", "dagster"), ("Cognee as the remote", "cognee")):
        tested = re.search(rf"^\| {row} \|[^|]*\| ([\d.]+) \|", support, flags=re.MULTILINE)
        assert tested is not None
        assert tested[1] == pinned[name]
    assert f"--version {pinned['dagster']} " in (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
