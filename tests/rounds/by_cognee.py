"""``cognee.push()`` of a changing graph, by Cognee itself, from a local Cognee dataset of the same graph."""

import subprocess
import sys
from pathlib import Path

from bench.datasets import add_dataset, prepare
from cognee_dagster.sandbox import CogneeServer
from tests.mirrored_graph import ChangingGraph
from tests.rounds.graph import GraphRows

_PUSH = (
    "import asyncio, sys, cognee as c; asyncio.run(c.push(sys.argv[1], target_dataset=sys.argv[2], url=sys.argv[3]))"
)


def push_by_cognee(graph: ChangingGraph, *, server: CogneeServer, directory: Path, target: str) -> None:
    """Push all of it; what ``directory`` has of an earlier push is used again."""
    environ = prepare(directory, ())
    add_dataset(directory, GraphRows(graph), name="changing", key="changing")
    command = [sys.executable, "-c", _PUSH, "changing", target, server.url]
    environ |= {"COGNEE_API_KEY": server.api_key}
    done = subprocess.run(command, env=environ, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
