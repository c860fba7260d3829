"""Nodes of NetworkX graphs against the code with which a real Cognee server takes them from an archive."""

import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import LocalStore

# For each name that an attribute could collide with: a node whose attribute has that name and an unexpected value,
# taken by a server's importer and made into what its graph store gets.
PROGRAM = """
import asyncio, json, sys
import networkx as nx
from cognee_dagster.sources.networkx.graphs import from_networkx
from cognee.infrastructure.engine import DataPoint
from cognee.modules.graph.utils import get_graph_from_model
from cognee.modules.migration.snapshot import rehydrate_node

names = sorted({*dir(DataPoint), *DataPoint.model_fields, "self", "cls", "data", "class", "_x", "two words", "1", ""})
graph = nx.Graph()
for name in names:
    graph.add_node(name)
    graph.nodes[name].update({"age": 3, name: "odd", "type": "Thing"})

async def lost():
    for batch in from_networkx(graph, dataset_name="g").nodes():
        for row in batch.to_pylist():
            properties = json.loads(row["properties"])
            raw = {"id": row["id"], "name": row["name"], "type": row["type"], **properties}
            try:
                stored, _ = await get_graph_from_model(rehydrate_node(raw), {}, {})
                [kept] = [node.model_dump() for node in stored if str(node.id) == row["id"]]
                missing = [key for key, value in raw.items() if key != "id" and kept.get(key, "missing") != value]
            except Exception as error:
                missing = repr(error)
            if missing:
                yield row["name"], missing

async def main():
    return [item async for item in lost()]

open(sys.argv[1], "w").write(json.dumps({"names": len(names), "lost": asyncio.run(main())}))
"""


def test_no_attribute_fails_the_import_or_gets_lost(demo_store: LocalStore, tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "answer.json")],
        env=demo_store.environ, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr[-3000:]
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert answer["lost"] == []
    assert answer["names"] > 50
