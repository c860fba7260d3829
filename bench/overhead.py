"""How many bytes of node records a cut into several archives repeats: our cut against others."""

import time
from collections.abc import Iterator

import numpy as np

from bench.parts import Findings, Setting
from bench.tables import table
from cognee_dagster.cogx.format import Limits
from cognee_dagster.cogx.shard.plan import GraphSizes, Integers, plan_shards

PACKAGES = ("numpy",)

_NODES = 100_000
_PARTS = 5
# Bytes of a record: a document node, a type, a chunk, a summary, an entity, a fact (bench/synthetic.py).
_DOCUMENT, _TYPE, _CHUNK, _SUMMARY, _ENTITY, _FACT = 900, 700, 2500, 1100, 400, 480


def run(setting: Setting) -> Findings:  # noqa: ARG001 - every part is given it
    """Cut graphs of integers, which have more and more of a topic, into as many parts."""
    heads = ("edges that stay within a topic", "ours", "by source, in store order", "random cut", "our cut takes")
    return Findings(text=f"{_NODES:,} nodes, {_PARTS} archives.\n\n{table(heads, _rows())}")


def _rows() -> Iterator[tuple[str, ...]]:
    for within in (0.0, 0.5, 0.9, 0.98):
        sizes = made_up(_NODES, within=within)
        limits = Limits(member_bytes=int(sizes.facts.sum()) // _PARTS + _FACT, total_bytes=1 << 50)
        begin = time.process_time()
        plan = plan_shards(sizes, limits=limits)
        seconds = time.process_time() - begin
        order = np.empty(len(sizes.facts), np.int64)
        order[np.argsort(sizes.sources, kind="stable")] = np.arange(len(order))
        shuffled = np.random.default_rng(1).permutation(len(order))
        others = (every * plan.num_shards // len(order) for every in (order, shuffled))
        shares = [repeated_bytes(sizes, facts) / _records(sizes).sum() for facts in (plan.facts, *others)]
        yield f"{within:.0%}", *(f"{share:.0%}" for share in shares), f"{seconds:.1f} s"


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


def repeated_bytes(sizes: GraphSizes, facts: Integers) -> int:
    """Bytes that are in more than one part, where a node is in every part that one of its facts is in."""
    parts = int(facts.max()) + 1
    places = np.unique(np.concatenate((sizes.sources, sizes.targets)).astype(np.int64) * parts + np.tile(facts, 2))
    nodes = places // parts
    return int(_records(sizes)[nodes].sum() - _records(sizes)[np.unique(nodes)].sum())
