"""``make demo``: two datasets travel from a local Cognee through Dagster's assets into a remote Cognee, all of it real.

``demo``, the graph that Cognee bundles, is pushed in the foreground. ``handbook`` is cognified from the Markdown files
beside this program and pushed in the background; Dagster's daemon runs the sensor that sees its import end. Then both
remote graphs are read back over HTTP and compared with the local ones.
"""

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import SecretStr
from rich.console import Console
from rich.table import Column, Table

from cognee_dagster.dagster import keys
from cognee_dagster.errors import CogneeDagsterError
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import Connection
from cognee_dagster.sources.cognee.datasets import LocalCogneeConfig, open_dataset
from examples.playground import DEFINITIONS, Playground, playground

DATASETS = ("demo", "handbook")
MATERIALIZE_SECONDS = 900.0  # 30 to 60 on an idle machine, ten times that on a busy one
IMPORT_SECONDS = 600.0
LOG_COLUMNS = 106
STEPS = ("cognified_graph", "cogx_archive", "remote_push")
REMOTE_GRAPH = "remote_graph"


class DemoError(Exception):
    """The demo did not go as it should."""


@dataclass(frozen=True)
class Graph:
    """What must be equal on both sides."""

    node_ids: frozenset[str]
    triples: frozenset[tuple[str, str, str]]


def main(directory: Path) -> int:
    """Run the demo in an empty directory; 1 if the graphs differ."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else LOG_COLUMNS)
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        with _step(console, "start a remote Cognee, and load the graph that Cognee bundles into a local one"):
            stage = stack.enter_context(playground(directory))
        console.print(f"  remote {stage.remote.url}, local {directory / 'local'}, {stage.llm}", soft_wrap=True)
        with _step(console, "dagster asset materialize: demo, in the foreground"):
            _materialize(stage, "demo")
        with _step(console, "dagster asset materialize: handbook, from its documents and in the background"):
            _materialize(stage, "handbook")
        os.environ["DAGSTER_HOME"] = str(stage.dagster_home)
        instance = stack.enter_context(dg.DagsterInstance.get())
        with _step(console, "dagster-daemon run: the sensor waits for the end of handbook's import"):
            _run_sensor(stage, instance)
        with _step(console, "read both graphs back over HTTP and compare them with the local ones"):
            differences = [line for dataset in DATASETS for line in _differences(stage, dataset)]
        console.print(_table(instance))
    for line in differences:
        console.print(f"DIFFERENT: {line}", soft_wrap=True)
    if differences:
        return 1
    console.print(f"Both remote graphs equal the local ones. All stopped again after {time.monotonic() - began:.0f} s.")
    return 0


def _materialize(stage: Playground, dataset: str) -> None:
    selection = " or ".join(f'key:"{dataset}/{step}"' for step in STEPS)
    arguments = ("asset", "materialize", "-f", str(DEFINITIONS), "--select", selection)
    with stage.dagster("dagster", *arguments) as dagster:
        code = dagster.wait(MATERIALIZE_SECONDS)
        if code != 0:
            what = _unfinished(MATERIALIZE_SECONDS) if code is None else "failed"
            raise DemoError(f"Materializing {dataset} {what}. {dagster.log} ends with:\n{dagster.log_tail()}")


def _run_sensor(stage: Playground, instance: dg.DagsterInstance) -> None:
    """Let Dagster's daemon tick until the sensor has seen the import's end."""
    deadline = time.monotonic() + IMPORT_SECONDS
    with stage.dagster("dagster-daemon", "run", "-f", str(DEFINITIONS)) as daemon:
        while _latest(instance, "handbook", REMOTE_GRAPH) is None:
            if daemon.returncode is not None or time.monotonic() > deadline:
                what = _unfinished(IMPORT_SECONDS) if daemon.returncode is None else "failed: dagster-daemon ended"
                raise DemoError(f"Watching handbook's import {what}. {daemon.log} ends with:\n{daemon.log_tail()}")
            time.sleep(0.5)


def _unfinished(seconds: float) -> str:
    return f"has not ended within {seconds:.0f} s, and was stopped: run the demo again when the machine is less busy"


def _differences(stage: Playground, dataset: str) -> Iterator[str]:
    local, remote = _local_graph(stage, dataset), _remote_graph(stage, dataset)
    for what, here, there in (("node", local.node_ids, remote.node_ids), ("edge", local.triples, remote.triples)):
        for only in sorted(map(str, here - there)):
            yield f"{dataset}: {what} {only} is not on the remote"
        for only in sorted(map(str, there - here)):
            yield f"{dataset}: {what} {only} is on the remote only"


def _local_graph(stage: Playground, dataset: str) -> Graph:
    with open_dataset(dataset, config=LocalCogneeConfig(environ=stage.local_environ)) as reader:
        node_ids = frozenset(row["id"] for batch in reader.nodes() for row in batch.to_pylist())
        edges = (row for batch in reader.edges() for row in batch.to_pylist())
        return Graph(node_ids, frozenset((row["source"], row["relationship"], row["target"]) for row in edges))


def _remote_graph(stage: Playground, dataset: str) -> Graph:
    connection = Connection(url=stage.remote.url, api_key=SecretStr(stage.remote.api_key))
    with CogneeClient(connection) as client:
        found = client.find_dataset(dataset)
        if found is None:
            raise DemoError(f"The remote has no dataset {dataset!r}.")
        graph = client.graph(found.id)
    return Graph(frozenset(graph.node_ids()), frozenset(graph.triples()))


def _table(instance: dg.DagsterInstance) -> Table:
    rows: dict[str, list[str]] = defaultdict(list)
    for dataset in DATASETS:
        push = _metadata(instance, dataset, "remote_push")
        rows["nodes"].append(str(push[keys.NUM_NODES]))
        rows["edges"].append(str(push[keys.NUM_EDGES]))
        rows["archive size"].append(f"{push[keys.ARCHIVE_BYTES]:,} bytes")
        rows["mode"].append(str(push[keys.MODE]))
        rows["status"].append(_status(instance, dataset))
        rows["pipeline_run_id"].append(str(push[keys.PIPELINE_RUN_ID]))
        for step, seconds in _seconds(instance, dataset):
            rows[f"seconds: {step}"].append(f"{seconds:.1f}")
    table = Table("dataset", *(Column(dataset, overflow="fold") for dataset in DATASETS))
    for name, values in rows.items():
        table.add_row(name, *values)
    return table


def _seconds(instance: dg.DagsterInstance, dataset: str) -> Iterator[tuple[str, float]]:
    """Of each step's own work, and from the push to the report of the import's end."""
    for step in STEPS:
        yield step, float(_metadata(instance, dataset, step)[keys.SECONDS])
    pushed, imported = _latest(instance, dataset, "remote_push"), _latest(instance, dataset, REMOTE_GRAPH)
    if pushed is not None and imported is not None:
        yield REMOTE_GRAPH, imported.timestamp - pushed.timestamp


def _status(instance: dg.DagsterInstance, dataset: str) -> str:
    pushed = _metadata(instance, dataset, "remote_push")[keys.STATUS]
    imported = _metadata(instance, dataset, REMOTE_GRAPH)[keys.STATUS]
    return str(imported) if pushed == imported else f"{pushed}, then {imported}"


def _metadata(instance: dg.DagsterInstance, dataset: str, asset: str) -> dict[str, Any]:
    event = _latest(instance, dataset, asset)
    if event is None or event.asset_materialization is None:
        raise DemoError(f"{dataset}/{asset} was not materialized.")
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def _latest(instance: dg.DagsterInstance, dataset: str, asset: str) -> dg.EventLogEntry | None:
    return instance.get_latest_materialization_event(dg.AssetKey([dataset, asset]))


@contextlib.contextmanager
def _step(console: Console, what: str) -> Iterator[None]:
    began = time.monotonic()
    with console.status(f"{what} …"):
        yield
    console.print(f"{time.monotonic() - began:6.1f} s  {what}", soft_wrap=True)


def _run() -> int:
    """``main`` in a directory that is removed if all went well, and named if not."""
    directory = Path(tempfile.mkdtemp(prefix="cognee-dagster-demo-"))
    try:
        code = main(directory)
    except (CogneeDagsterError, DemoError) as error:
        print(f"The demo failed: {error}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        code = 130
    if code == 1:
        print(f"All logs are in {directory}", file=sys.stderr)
    else:
        shutil.rmtree(directory)
    return code


if __name__ == "__main__":
    sys.exit(_run())
