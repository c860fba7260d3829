"""Writes what the parts found out into a Markdown page, each between its own marks."""

import importlib.metadata
import os
import platform
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from bench.parts import Findings
from bench.tables import goals_table

_CPUINFO = Path("/proc/cpuinfo")


def section(findings: Findings, *, conditions: str) -> str:
    """The part's own text, the goals it bears on, and under which conditions all that is true."""
    goals = [goals_table(findings.goals)] if findings.goals else []
    return "\n\n".join([findings.text.strip(), *goals, conditions])


def write(page: Path, name: str, text: str, findings: Findings) -> None:
    """Put a part's section into the page, and its pictures beside it.

    Raises:
        ValueError: The page has no place for that part.
    """
    page.write_text(replaced(page.read_text(encoding="utf-8"), name, text), encoding="utf-8")
    for file_name, picture in findings.pictures.items():
        page.with_name(file_name).write_text(picture, encoding="utf-8")


def replaced(page: str, name: str, text: str) -> str:
    """The page with another text between a part's marks.

    Raises:
        ValueError: The page has no such marks.
    """
    begin, end = marks(name)
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"The page has no place for the part {name!r}: put {begin} and {end} where it is to go.")
    return pattern.sub(lambda _: f"{begin}\n\n{text}\n\n{end}", page)


def marks(name: str) -> tuple[str, str]:
    """What stands before and after a part's section."""
    return f"<!-- bench: {name} -->", f"<!-- end of {name} -->"


def versions(packages: Sequence[str]) -> str:
    """The installed releases of packages."""
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)


def conditions(releases: str, *, load_before: float, took_seconds: float) -> str:
    """Date, machine, releases, and what else the machine was doing."""
    return (
        f"*{datetime.now(timezone.utc):%Y-%m-%d}, {os.cpu_count()} cores ({_processor()}), "
        f"Python {platform.python_version()}, {releases}; load average {load_before:.1f} before; "
        f"took {took_seconds / 60:.1f} minutes.*"
    )


def _processor() -> str:
    if _CPUINFO.is_file():
        model = re.search(r"^model name\s*: (.+)$", _CPUINFO.read_text(), flags=re.MULTILINE)
        if model:
            return f"{model[1].strip()}, {platform.machine()}"
    return platform.machine()
