"""What it takes to import this package and to load a code location, over what Dagster itself takes."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.bare_definitions import CHAINS
from bench.measure import Measurement, measure, median_of
from bench.parts import Findings, Goal, Setting
from bench.tables import seconds, table

PACKAGES = ("dagster", "pydantic")

_HERE = Path(__file__).parent
_OURS = _HERE.parent / "definitions.py"
_BARE = _HERE / "bare_definitions.py"

_IMPORT_GOAL_SECONDS = 0.3
_LOAD_GOAL = 1.5

_DAGSTER = "`import dagster`"
_PACKAGE = "`import cognee_dagster`"
_NAMES = "both, and every name of ours for definitions"
_PLAIN = f"{CHAINS * 3} plain assets"
_AND_JOB = f"{_PLAIN}, a job over all"
_AND_CHECKS = f"{_PLAIN}, a job over all, {CHAINS} external assets with a check each"
_DATASETS = f"our {CHAINS} datasets"
_VALIDATE_PLAIN = f"`dagster definitions validate`, {_PLAIN}"
_VALIDATE_OURS = f"`dagster definitions validate`, {_DATASETS}"


@dataclass(frozen=True, kw_only=True)
class _Case:
    command: tuple[str, ...]
    bare_with: str = ""


def run(setting: Setting) -> Findings:
    """Each in fresh processes, in turns."""
    cases = _cases()
    directory = setting.directory / "loading"
    directory.mkdir(parents=True, exist_ok=True)
    environ = _environ(directory)
    for case in cases.values():  # bytecode is compiled once
        measure([*case.command], environ=environ, directory=directory)
    rounds = [
        {
            name: measure([*case.command], environ={**environ, "BARE_WITH": case.bare_with}, directory=directory)
            for name, case in cases.items()
        }
        for _ in range(setting.rounds)
    ]
    return findings({name: median_of([some[name] for some in rounds]) for name in cases}, rounds=setting.rounds)


def findings(runs: Mapping[str, Measurement], *, rounds: int) -> Findings:
    """A table; in processor time, which other work on the machine disturbs least, and nothing here waits."""
    dagster, plain, ours = (runs[name].cpu_seconds for name in (_DAGSTER, _PLAIN, _DATASETS))
    rows = [
        (
            name,
            seconds(some.cpu_seconds),
            seconds(some.cpu_seconds - dagster),
            f"{some.cpu_seconds / plain:.2f}x" if name in (_PLAIN, _AND_JOB, _AND_CHECKS, _DATASETS) else "",
            f"{(some.cpu_seconds - dagster) / (plain - dagster):.2f}x"
            if name in (_PLAIN, _AND_JOB, _AND_CHECKS, _DATASETS)
            else "",
        )
        for name, some in runs.items()
    ]
    heads = ("<", "CPU time", "over `import dagster`", "of the plain assets", "of the plain assets, over the import")
    text = (
        f"Median of {rounds}. A code location is loaded with everything in it: assets, checks, jobs and sensors.\n\n"
        f"{table(heads, rows)}"
    )
    extra = runs[_NAMES].cpu_seconds - dagster
    ratio = ours / plain
    validated = runs[_VALIDATE_OURS].cpu_seconds / runs[_VALIDATE_PLAIN].cpu_seconds
    return Findings(
        text=text,
        goals=(
            Goal(
                what="`import cognee_dagster` over `import dagster`",
                wanted=f"at most {_IMPORT_GOAL_SECONDS} s",
                measured=f"{extra:.2f} s",
                met=extra <= _IMPORT_GOAL_SECONDS,
            ),
            Goal(
                what=f"loading {CHAINS} datasets against {CHAINS * 3} plain assets",
                wanted=f"at most {_LOAD_GOAL}x",
                measured=f"{ratio:.2f}x, validating {validated:.2f}x",
                met=ratio <= _LOAD_GOAL,
            ),
        ),
    )


def _cases() -> dict[str, _Case]:
    names = "import dagster, cognee_dagster as c; [getattr(c, n) for n in dir(c) if n not in ('push', 'PushResult')]"
    load = (sys.executable, str(_HERE / "load_definitions.py"))
    validate = (sys.executable, "-m", "dagster", "definitions", "validate", "-f")
    return {
        _DAGSTER: _Case(command=(sys.executable, "-c", "import dagster")),
        _PACKAGE: _Case(command=(sys.executable, "-c", "import dagster, cognee_dagster")),
        _NAMES: _Case(command=(sys.executable, "-c", names)),
        _PLAIN: _Case(command=(*load, str(_BARE))),
        _AND_JOB: _Case(command=(*load, str(_BARE)), bare_with="job"),
        _AND_CHECKS: _Case(command=(*load, str(_BARE)), bare_with="job checks"),
        _DATASETS: _Case(command=(*load, str(_OURS))),
        _VALIDATE_PLAIN: _Case(command=(*validate, str(_BARE))),
        _VALIDATE_OURS: _Case(command=(*validate, str(_OURS))),
    }


def _environ(directory: Path) -> dict[str, str]:
    (directory / "empty.env").touch()
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),
        "PYTHONPATH": str(_HERE.parent),
        "PYTHONWARNINGS": "ignore",
        "COGNEE_ENV_FILE": str(directory / "empty.env"),
        "COGNEE_DAGSTER_DATASETS": json.dumps([f"dataset_{number}" for number in range(CHAINS)]),
    }


if __name__ == "__main__":
    print(run(Setting(directory=Path(".sandbox/bench").resolve())).text)
