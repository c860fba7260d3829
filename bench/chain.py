"""The whole chain for a small dataset by ``dagster asset materialize``, against three empty assets."""

import os
import sys
from pathlib import Path
from uuid import uuid4

from bench.datasets import TEMPLATE, prepare
from bench.measure import Measurement, measure, median_of
from bench.parts import Findings, Goal, Setting
from bench.tables import seconds, table
from tests.fake_remote import FakeRemote

PACKAGES = ("dagster", "pyarrow", "ladybug", "httpx")

_HERE = Path(__file__).parent
_GOAL = 1.25
_EMPTY = "three empty assets"
_EMPTY_AND_LIBRARIES = "three empty assets, and `import pyarrow.compute, ladybug, httpx`"
_CHAIN = "read, pack and push 47 nodes"
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
    empty = runs[_EMPTY]
    rows = [
        (
            name,
            seconds(some.seconds),
            f"{some.seconds / empty.seconds:.2f}x",
            seconds(some.cpu_seconds),
            f"{some.cpu_seconds / empty.cpu_seconds:.2f}x",
        )
        for name, some in runs.items()
    ]
    ratio = runs[_CHAIN].seconds / empty.seconds
    return Findings(
        text=f"Median of {rounds}, after a round that is not counted; `dagster asset materialize` with the in-process "
        f"executor.\n\n{table(('<', 'wall time', 'ratio', 'CPU time', 'ratio'), rows)}",
        goals=(
            Goal(
                what="the whole chain for a small dataset against three empty assets",
                wanted=f"at most {_GOAL}x",
                measured=f"{ratio:.2f}x",
                met=ratio <= _GOAL,
            ),
        ),
    )


def _round(directory: Path, environ: dict[str, str]) -> dict[str, Measurement]:
    materialize = [sys.executable, "-m", "dagster", "asset", "materialize", "-f"]
    empty = [*materialize, str(_HERE / "empty_definitions.py"), "--select", "*"]
    libraries = "import pyarrow.compute, ladybug, httpx, runpy; runpy.run_module('dagster', run_name='__main__')"
    commands = {
        _EMPTY: empty,
        _EMPTY_AND_LIBRARIES: [sys.executable, "-c", libraries, *empty[3:]],
        _CHAIN: [*materialize, str(_HERE / "chain_definitions.py"), "--select", _SELECTION],
    }
    fresh = {"COGNEE_DAGSTER_ARCHIVES": str(directory / "archives" / uuid4().hex)}  # nothing is there to be found
    return {name: measure(command, environ=environ | fresh, directory=directory) for name, command in commands.items()}


if __name__ == "__main__":
    print(run(Setting(directory=Path(".sandbox/bench").resolve())).text)
