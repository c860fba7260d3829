"""What it takes to know what has changed in a graph of 1,000,000 nodes and 3,000,000 edges, and what is kept for it."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.datasets import make_graph_file
from bench.measure import Measurement, measure
from bench.parts import Findings, Goal, Setting
from bench.synthetic import SyntheticGraph
from bench.tables import mebibytes, seconds, table, times
from cognee_dagster.sandbox import local_environment

PACKAGES = ("ladybug", "numpy", "pyarrow", "msgspec", "xxhash")

NODES = 1_034_483  # 2.9 times as many edges: 3,000,001
_HERE = Path(__file__).parent
_EXPORT, _FIRST, _AGAIN = "read, write and cut", "plan the first push", "plan a push of the unchanged graph"
_GOAL_BYTES, _GOAL_TIMES, _GOAL_RECORD = 512 << 20, 2.0, 24


def run(setting: Setting) -> Findings:
    """Each in a fresh process; of the largest size, where sizes are chosen."""
    num_nodes = NODES if setting.sizes == Setting.sizes else max(setting.sizes)
    store = setting.directory / f"shards_{num_nodes}.lbug"
    if not store.is_file():
        print(f"Making a graph of {num_nodes:,} nodes …", flush=True)
        make_graph_file(store, SyntheticGraph(num_nodes))
    directory = setting.directory / "plan"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    environ = local_environment(setting.directory)
    commands = {
        _EXPORT: [str(_HERE / "write_archives.py"), str(store), str(directory)],
        _FIRST: [str(_HERE / "plan_mirror.py"), str(directory), "first"],
        _AGAIN: [str(_HERE / "plan_mirror.py"), str(directory), "again"],
    }
    runs = {}
    for name, command in commands.items():
        runs[name] = measure([sys.executable, *command], environ=environ, directory=directory)
        print(f"{name}: {runs[name]}", flush=True)
    kept_bytes = (directory / "contents").stat().st_size
    shutil.rmtree(directory)
    return findings(runs, num_nodes=num_nodes, kept_bytes=kept_bytes)


def findings(runs: Mapping[str, Measurement], *, num_nodes: int, kept_bytes: int) -> Findings:
    """A table and the goals; in processor time, for the export uses two processors and a plan one."""
    num_edges = round(num_nodes * 2.9)
    rows = (
        (name, seconds(some.seconds), seconds(some.cpu_seconds), mebibytes(some.peak_bytes))
        for name, some in runs.items()
    )
    record = kept_bytes / (num_nodes + num_edges)
    text = (
        f"{num_nodes:,} nodes, {num_edges:,} edges. What is kept of them between two pushes takes "
        f"{mebibytes(kept_bytes)}, {record:.1f} bytes a record.\n\n"
        f"{table(('<', 'wall time', 'CPU', 'memory'), rows)}"
    )
    longest = max(runs[_FIRST].cpu_seconds, runs[_AGAIN].cpu_seconds) / runs[_EXPORT].cpu_seconds
    peak = max(runs[_FIRST].peak_bytes, runs[_AGAIN].peak_bytes)
    return Findings(
        text=text,
        goals=(
            Goal(
                what=f"memory for a plan, {num_nodes:,} nodes",
                wanted=f"at most {mebibytes(_GOAL_BYTES)}",
                measured=mebibytes(peak),
                met=peak <= _GOAL_BYTES,
            ),
            Goal(
                what=f"a plan's CPU time over an export's, {num_nodes:,} nodes",
                wanted=f"at most {_GOAL_TIMES:g}x",
                measured=times(longest),
                met=longest <= _GOAL_TIMES,
            ),
            Goal(
                what="what is kept of a record",
                wanted=f"at most {_GOAL_RECORD} bytes",
                measured=f"{record:.1f} bytes",
                met=record <= _GOAL_RECORD,
            ),
        ),
    )
