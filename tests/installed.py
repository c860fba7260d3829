"""An environment that has nothing but what a distribution requires: links to what is installed here."""

import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def clean_environment(directory: Path, wheel: Path, *, extras: frozenset[str] = frozenset()) -> Path:
    """Makes a virtual environment, and installs a wheel in it with its requirements; gives its ``bin``.

    No index is asked: what the wheel requires, and what that requires, is linked from this process's environment, file
    by file. What is required but not installed here fails; what is installed here but not required is not there.
    """
    venv.create(directory, with_pip=False, symlinks=True)
    site_packages = next(directory.glob("lib/python*/site-packages"))
    install = [sys.executable, "-m", "pip", "--python", str(directory / "bin" / "python"), "install", "--quiet"]
    # Not compiled: an environment that is used for a few seconds has no gain from it.
    options = ["--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check"]
    subprocess.run([*install, *options, str(wheel)], check=True, timeout=120)
    (ours,) = Distribution.discover(name="cognee-dagster", path=[str(site_packages)])
    for required in _closure(ours, extras).values():
        _link(required, site_packages)
    return directory / "bin"


def _closure(of: Distribution, extras: frozenset[str]) -> dict[str, Distribution]:
    """Everything that a distribution needs, by name, itself left out."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    open_ends = [(of, extras)]
    while open_ends:
        for requirement in _requirements(*open_ends.pop()):
            name, wanted = canonicalize_name(requirement.name), frozenset(requirement.extras)
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                try:
                    found[name] = distribution(name)
                except PackageNotFoundError:
                    raise AssertionError(f"{requirement} is required and not installed here") from None
                assert requirement.specifier.contains(found[name].version, prereleases=True), requirement
                open_ends.append((found[name], wanted))
    return found


def _requirements(of: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    for text in of.requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or {""}):
            yield requirement


def _link(installed: Distribution, site_packages: Path) -> None:
    for file in installed.files or ():
        if ".." not in file.parts:  # commands, and what lies beside site-packages
            place = site_packages / file
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                place.symlink_to(Path(file.locate()).resolve())
