"""The whole chain for a small dataset by ``dagster asset materialize``, against three empty assets."""

import os
import sys
from pathlib import Path
from uuid import uuid4

from bench.datasets import TEMPLATE, prepare
from bench.measure import Measurement, measure, median_of
from bench.parts import Findings, Goal, Setting
from bench.tables import seconds, table
from cognee_dagster.testing import FakeRemote

PACKAGES = ("dagster", "pyarrow", "ladybug", "httpx")

_HERE = Path(__file__).parent
_GOAL = 1.25
_EMPTY = "three empty assets"
_EMPTY_AND_LIBRARIES = "three empty assets, and `import pyarrow.compute, ladybug, httpx`"
_CHAIN = "read, pack and push 47 nodes"
_IN_PROCESS = ", in-process executor"
_SELECTION = " or ".join(f'key:"{TEMPLATE}/{name}"' for name in ("cognified_graph", "cogx_archive", "remote_push"))


def run(setting: Setting) -> Findings:
    """Materialize each in fresh processes, in turns; the remote is a fake one, that answers at once."""
    with FakeRemote() as remote:
        environ = prepare(setting.directory, ()) | {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(_HERE.parent),
            "PYTHONWARNINGS": "ignore",
            "COGNEE_DAGSTER_DATASETS": TEMPLATE,
            "COGNEE_SERVICE_URL": remote.url,
            "COGNEE_API_KEY": remote.api_key,
        }
        _round(setting.directory, environ)  # bytecode is compiled once
        rounds = [_round(setting.directory, environ) for _ in range(setting.rounds)]
    return findings({name: median_of([some[name] for some in rounds]) for name in rounds[0]}, rounds=setting.rounds)


def findings(runs: dict[str, Measurement], *, rounds: int) -> Findings:
    """A table; what our steps cannot do without is shown, too."""
    rows, goals = [], []
    for name, some in runs.items():
        empty = runs[_EMPTY + (_IN_PROCESS if name.endswith(_IN_PROCESS) else "")]
        ratio = some.seconds / empty.seconds
        cpu_ratio = some.cpu_seconds / empty.cpu_seconds
        rows.append((name, seconds(some.seconds), f"{ratio:.2f}x", seconds(some.cpu_seconds), f"{cpu_ratio:.2f}x"))
        if name.startswith(_CHAIN):
            what = f"the whole chain for a small dataset{name.removeprefix(_CHAIN)}"
            goals.append(
                Goal(what=what, wanted=f"at most {_GOAL}x", measured=f"{ratio:.2f}x", met=ratio <= _GOAL),
            )
    heads = ("<", "wall time", "ratio", "CPU time", "ratio")
    return Findings(
        text=f"Median of {rounds}, after a round that is not counted; `dagster asset materialize` with Dagster's own "
        "executor, which starts\na process for each step, and with the in-process one. Ratios are to the empty assets "
        f"under the same executor.\n\n{table(heads, rows)}",
        goals=tuple(goals),
    )


def _round(directory: Path, environ: dict[str, str]) -> dict[str, Measurement]:
    def materialize(definitions: Path, selection: str) -> list[str]:
        return [sys.executable, "-m", "dagster", "asset", "materialize", "-f", str(definitions), "--select", selection]

    libraries = "import pyarrow.compute, ladybug, httpx, runpy; runpy.run_module('dagster', run_name='__main__')"
    empty_in_process = materialize(_HERE / "empty_in_process.py", "*")
    commands = {
        _EMPTY: materialize(_HERE / "empty_definitions.py", "*"),
        _CHAIN: materialize(_HERE.parent / "definitions.py", _SELECTION),
        _EMPTY + _IN_PROCESS: empty_in_process,
        _EMPTY_AND_LIBRARIES + _IN_PROCESS: [sys.executable, "-c", libraries, *empty_in_process[3:]],
        _CHAIN + _IN_PROCESS: materialize(_HERE / "chain_in_process.py", _SELECTION),
    }

    def fresh() -> dict[str, str]:
        return {"COGNEE_DAGSTER_ARCHIVES": str(directory / "archives" / uuid4().hex)}  # nothing is there to be found

    return {
        name: measure(command, environ=environ | fresh(), directory=directory) for name, command in commands.items()
    }


if __name__ == "__main__":
    print(run(Setting(directory=Path(".sandbox/bench").resolve())).text)
