"""Graphs beyond a server's limits: how many records a cut repeats, and what 1,000,000 nodes cost from store to remote.

python -m bench.shards overhead            # our cut against others, on made-up graphs of integers
python -m bench.shards push                # a million nodes into the fake remote, under a real server's limits
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import click
import numpy as np

from bench.graph_file import GraphFile
from bench.measure import measure
from bench.synthetic import SyntheticGraph
from cognee_dagster.cogx.archive import SERVER_LIMITS
from cognee_dagster.cogx.cut import write_archives
from cognee_dagster.cogx.layout import ENTITIES_FILE, NODES_FILE, Limits
from cognee_dagster.cogx.partition import GraphSizes, Integers, partition
from cognee_dagster.cogx.writer import Progress
from cognee_dagster.connection import resolve_connection
from cognee_dagster.graph.ladybug import open_ladybug_file
from cognee_dagster.graph.reader import GraphOrigin
from cognee_dagster.pushing import push_archives
from cognee_dagster.remote.client import CogneeClient
from tests.fake_remote import FakeRemote

_MEBI = 1 << 20
_ROWS_A_COPY = 500_000
# Bytes of a record: a document node, a type, a chunk, a summary, an entity, a fact (bench/synthetic.py).
_DOCUMENT, _TYPE, _CHUNK, _SUMMARY, _ENTITY, _FACT = 900, 700, 2500, 1100, 400, 480


@click.group()
def main() -> None:
    """Measure the cutting of large graphs."""


@main.command()
@click.option("--nodes", "num_nodes", default=100_000, show_default=True)
@click.option("--parts", "num_parts", default=5, show_default=True)
def overhead(*, num_nodes: int, num_parts: int) -> None:
    """Bytes of node records that a cut repeats, as a share of all bytes of node records."""
    print("| mentions within the topic | parts | ours | ours, s | by source in store order | random |")
    print("|---:|---:|---:|---:|---:|---:|")
    for within in (0.0, 0.5, 0.9, 0.98):
        sizes = made_up(num_nodes, within=within)
        limits = Limits(member_bytes=int(sizes.facts.sum()) // num_parts + _FACT, total_bytes=1 << 50)
        begin = time.process_time()
        plan = partition(sizes, limits=limits)
        seconds = time.process_time() - begin
        order = np.empty(len(sizes.facts), np.int64)
        order[np.argsort(sizes.sources, kind="stable")] = np.arange(len(order))
        shuffled = np.random.default_rng(1).permutation(len(order))
        shares = [
            _repeated(sizes, facts) / _records(sizes).sum()
            for facts in (plan.facts, order * plan.num_parts // len(order), shuffled * plan.num_parts // len(order))
        ]
        ours, in_order, random = (f"{share:.1%}" for share in shares)
        print(f"| {within:.0%} | {plan.num_parts} | {ours} | {seconds:.1f} | {in_order} | {random} |", flush=True)


def made_up(num_nodes: int, *, within: float) -> GraphSizes:
    """A graph of ``bench.synthetic``'s shape, in integers.

    Args:
        num_nodes: How many nodes.
        within: The share of mentions and relations that stay within one document's topic; 0 is ``bench.synthetic``.
    """
    random = np.random.default_rng(3)
    documents = types = max(1, num_nodes // 200)
    chunks = num_nodes // 10
    entities = num_nodes - documents - types - 2 * chunks
    first_chunk, first_summary = documents + types, documents + types + chunks
    first_entity = first_summary + chunks
    chunk, entity = np.arange(chunks), np.arange(entities)

    def mentioned(topics: Integers) -> Integers:
        anywhere = (entities * random.random(len(topics)) ** 1.5).astype(np.int64)
        near = topics + documents * ((entities // documents) * random.random(len(topics)) ** 1.5).astype(np.int64)
        return first_entity + np.where(random.random(len(topics)) < within, np.minimum(near, entities - 1), anywhere)

    rest = round(2.9 * num_nodes) - 2 * chunks - entities
    mentions, relations = np.arange(rest * 5 // 8), np.arange(rest - rest * 5 // 8)
    pairs = [
        (first_chunk + chunk, chunk % documents),
        (first_summary + chunk, first_chunk + chunk),
        (first_entity + entity, documents + (types * random.random(entities) ** 2).astype(np.int64)),
        (first_chunk + mentions % chunks, mentioned(mentions % chunks % documents)),
        (first_entity + relations % entities, mentioned(relations % entities % documents)),
    ]
    counts = (documents, types, chunks, chunks, entities)
    records = np.repeat(np.array((_DOCUMENT, _TYPE, _CHUNK, _SUMMARY, 0)), counts).astype(np.int64)
    typed = np.repeat(np.array((0, 0, 0, 0, _ENTITY)), counts).astype(np.int64)
    sources, targets = (np.concatenate(side).astype(np.int32) for side in zip(*pairs, strict=True))
    return GraphSizes(
        documents=np.zeros(num_nodes, np.int64),
        entities=typed,
        raw_nodes=records,
        facts=np.full(len(sources), _FACT, np.int64),
        sources=sources,
        targets=targets,
    )


def _records(sizes: GraphSizes) -> Integers:
    return sizes.entities + sizes.raw_nodes


def _repeated(sizes: GraphSizes, facts: Integers) -> int:
    """Bytes that are in more than one part, where a node is in every part that one of its facts is in."""
    parts = int(facts.max()) + 1
    places = np.unique(np.concatenate((sizes.sources, sizes.targets)).astype(np.int64) * parts + np.tile(facts, 2))
    nodes = places // parts
    return int(_records(sizes)[nodes].sum() - _records(sizes)[np.unique(nodes)].sum())


@main.command()
@click.option("--nodes", "num_nodes", default=1_034_483, show_default=True, help="2.9 times as many edges.")
@click.option("--directory", type=click.Path(path_type=Path), default=Path(".sandbox/bench"), show_default=True)
@click.option("--max-file-bytes", default=SERVER_LIMITS.member_bytes, show_default=True)
def push(*, num_nodes: int, directory: Path, max_file_bytes: int) -> None:
    """Write and push a graph as ``cognee-dagster push`` does; the fake remote refuses what a real server refuses."""
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    store = directory / f"shards_{num_nodes}.lbug"
    if not store.is_file():
        print(f"Making a graph of {num_nodes:,} nodes …", flush=True)
        _fill(store, SyntheticGraph(num_nodes))
    with FakeRemote() as remote:
        arguments = ["write-and-push", str(store), remote.url, remote.api_key, str(max_file_bytes)]
        environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
        result_file = directory / "shards.json"
        command = [sys.executable, "-m", "bench.shards", *arguments, str(result_file)]
        measured = measure(command, environ=environ, directory=directory)
        result = json.loads(result_file.read_text())
        graph = remote.graph("large")
        print(json.dumps(result, indent=2))
        print(
            f"{measured.seconds:.0f} s, {measured.cpu_seconds:.0f} s on processors, {measured.peak_bytes // _MEBI} MiB "
            f"at most; load average {os.getloadavg()[0]:.1f}"
        )
        print(f"The remote has {len(graph.nodes):,} nodes and {len(graph.edges):,} edges.")
        if len(graph.nodes) != result["num_nodes"] or result["skipped_facts"]:
            raise SystemExit("The remote graph is not the local one.")


def _fill(store: Path, graph: SyntheticGraph) -> None:
    unfinished = store.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with GraphFile(unfinished) as file:
        # In portions: one COPY of millions of rows does not fit into Ladybug's buffer pool.
        nodes, edges = graph.nodes(), graph.edges()
        while some_nodes := list(islice(nodes, _ROWS_A_COPY)):
            file.add_nodes(some_nodes)
        while some_edges := list(islice(edges, _ROWS_A_COPY)):
            file.add_edges(some_edges)
    unfinished.rename(store)


@main.command(hidden=True)
@click.argument("store", type=click.Path(path_type=Path))
@click.argument("url")
@click.argument("api_key")
@click.argument("max_file_bytes", type=int)
@click.argument("result_file", type=click.Path(path_type=Path))
def write_and_push(*, store: Path, url: str, api_key: str, max_file_bytes: int, result_file: Path) -> None:
    """What is measured, in a process of its own."""
    result: dict[str, Any] = {}
    phases: dict[str, float] = {}
    limits = Limits(member_bytes=max_file_bytes)

    def note(step: Progress) -> None:
        phases.setdefault(step.phase, time.perf_counter())

    with tempfile.TemporaryDirectory(dir=store.parent) as directory:
        with (
            _timed(result, "writing"),
            open_ladybug_file(store, origin=GraphOrigin(dataset_name="large")) as reader,
        ):
            archives = write_archives(
                reader,
                Path(directory) / "large.cogx.tar.gz",
                limits=limits,
                progress=note,
            )
        cutting = phases.get("cutting")
        result["until_cutting_s"] = round(cutting - phases["nodes"], 1) if cutting else None
        with _timed(result, "pushing"), CogneeClient(resolve_connection(url, api_key, environ={})) as client:
            pushed = push_archives(archives, client=client)
    node_bytes = [sum(a.member_bytes.get(file, 0) for file in (ENTITIES_FILE, NODES_FILE)) for a in archives]
    result |= {
        "archives": [
            {"MiB": a.size_bytes // _MEBI, **{k: v // _MEBI for k, v in a.member_bytes.items()}} for a in archives
        ],
        "num_nodes": pushed.num_nodes,
        "num_edges": pushed.num_edges,
        "node_records": sum(a.record_counts.get(kind, 0) for a in archives for kind in ("entity", "raw_node")),
        "node_bytes": sum(node_bytes),
        "skipped_facts": sum(item["skipped_facts"] for item in pushed.remote_response["items"]),
    }
    result_file.write_text(json.dumps(result))


@contextmanager
def _timed(result: dict[str, Any], name: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    result[f"{name}_s"] = round(time.perf_counter() - begin, 1)


if __name__ == "__main__":
    main()
