"""A graph beyond a server's limits: what 1,000,000 nodes and 3,000,000 edges cost from the store to the remote."""

import pickle
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.datasets import make_graph_file
from bench.measure import Measurement, measure
from bench.parts import Findings, Goal, Setting
from bench.synthetic import SyntheticGraph
from bench.tables import mebibytes, seconds, table
from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.format import ENTITIES_FILE, FACTS_FILE, NODES_FILE
from cognee_dagster.sandbox import local_environment
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.graph import Graph

PACKAGES = ("ladybug", "pyarrow", "numpy", "httpx")

_NODES = 1_034_483  # 2.9 times as many edges: 3,000,001
_HERE = Path(__file__).parent


def run(setting: Setting) -> Findings:
    """Write and push as ``cognee-dagster push`` does; the stand-in for a remote refuses what a real server refuses."""
    graph = SyntheticGraph(_NODES)
    store = setting.directory / f"shards_{_NODES}.lbug"
    if not store.is_file():
        print(f"Making a graph of {_NODES:,} nodes …", flush=True)
        make_graph_file(store, graph)
    directory = setting.directory / "shards"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    environ = local_environment(setting.directory)
    write = [sys.executable, str(_HERE / "write_archives.py"), str(store), str(directory)]
    writing = measure(write, environ=environ, directory=directory)
    print(f"Written in {seconds(writing.seconds)}", flush=True)
    archives: Sequence[Archive] = pickle.loads((directory / "archives").read_bytes())
    with FakeRemote() as remote:
        environ |= {"COGNEE_SERVICE_URL": remote.url, "COGNEE_API_KEY": remote.api_key}
        push = [sys.executable, str(_HERE / "push_archives.py"), str(directory)]
        pushing = measure(push, environ=environ, directory=directory)
        complete = arrived_whole(graph, remote.graph("large"))
    shutil.rmtree(directory)
    return findings(archives, writing=writing, pushing=pushing, complete=complete)


def arrived_whole(graph: SyntheticGraph, arrived: Graph) -> bool:
    """Whether the remote has each node and edge, and nothing else; it merges edges of the same ends and name."""
    if len(arrived.nodes) != graph.num_nodes or not all(node_id in arrived.nodes for node_id, *_ in graph.nodes()):
        return False
    different = set()  # of hashes: millions of triples would not fit beside the remote's own
    for source, target, relationship, _ in graph.edges():
        triple = (source, relationship or "", target)
        if triple not in arrived.edges:
            return False
        different.add(hash(triple))
    return len(different) == len(arrived.edges)


def findings(archives: Sequence[Archive], *, writing: Measurement, pushing: Measurement, complete: bool) -> Findings:
    """The steps, and the archives."""
    steps = (("read, write and cut", writing), ("push", pushing))
    costs = table(
        ("<", "wall time", "CPU", "memory"),
        ((name, seconds(some.seconds), seconds(some.cpu_seconds), mebibytes(some.peak_bytes)) for name, some in steps),
    )
    sizes = table(
        ("archive", "packed", FACTS_FILE, "node files", "edges"),
        (
            (
                f"{number} of {len(archives)}",
                mebibytes(archive.size_bytes),
                mebibytes(archive.member_bytes[FACTS_FILE]),
                mebibytes(sum(archive.member_bytes.get(name, 0) for name in (ENTITIES_FILE, NODES_FILE))),
                f"{archive.num_edges:,}",
            )
            for number, archive in enumerate(archives, start=1)
        ),
    )
    nodes, edges = sum(archive.num_nodes for archive in archives), sum(archive.num_edges for archive in archives)
    records = sum(archive.record_counts.get(kind, 0) for archive in archives for kind in ("entity", "raw_node"))
    arrived = Goal(
        what="a graph beyond the server's limits arrives whole",
        wanted=f"{nodes:,} nodes, {edges:,} edges",
        measured="all" if complete else "not all",
        met=complete,
    )
    repeated = f"{records:,} node records for {nodes:,} nodes: {records / nodes - 1:.0%} are repeated."
    return Findings(text=f"{costs}\n\n{sizes}\n\n{repeated}", goals=(arrived,))
