"""Which shard of a cut graph gets which fact and which node: integers only, no records.

A fact needs the records of both its end nodes in its own shard, so a node whose facts go to several shards is repeated.
Shards are grown one after another by *neighbourhood expansion* (Zhang et al., KDD 2017): a shard takes the node with
the fewest open facts, for its size, with all of them, then the next one among the nodes it came to, until it is full.
Large records, such as texts, are finished early and rarely repeated, and so documents, chunks and communities stay
together. Equal graphs in equal order are cut equally.
"""

import heapq
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cognee_dagster.cogx.format import Limits

Integers = npt.NDArray[Any]

_NOWHERE = -1
# How much dearer than a fresh start a hub must be; from 2 to 16 the measured cuts are the same (bench/overhead.py).
_HUB_FACTOR = 4


@dataclass(frozen=True, kw_only=True)
class GraphSizes:
    """What deciding on shards takes of a graph. Nodes and facts are numbered from 0.

    Attributes:
        documents: Bytes in ``documents.jsonl`` by node, int64.
        entities: Bytes in ``entities.jsonl`` by node, int64.
        raw_nodes: Bytes in ``nodes.jsonl`` by node, int64.
        facts: Bytes in ``facts.jsonl`` by fact, int64.
        sources: One end node by fact, int32.
        targets: The other end node by fact, int32.
    """

    documents: Integers
    entities: Integers
    raw_nodes: Integers
    facts: Integers
    sources: Integers
    targets: Integers


@dataclass(frozen=True, kw_only=True)
class ShardPlan:
    """Where everything goes; shards are numbered from 0.

    Attributes:
        num_shards: How many shards.
        homes: The shard by node that has its document and counts it, int32.
        facts: The shard by fact, int32.
        copied_nodes: Nodes whose records are repeated in a shard that is not their home, int32.
        copied_to: That shard, for each of them, int32.
    """

    num_shards: int
    homes: Integers
    facts: Integers
    copied_nodes: Integers
    copied_to: Integers


class FactTooLargeError(Exception):
    """A fact that fits into no shard together with the records of its end nodes.

    Attributes:
        fact: Its number.
    """

    def __init__(self, fact: int) -> None:
        super().__init__(fact)
        self.fact = fact


class NodeTooLargeError(Exception):
    """A node whose records fit into no shard.

    Attributes:
        node: Its number.
    """

    def __init__(self, node: int) -> None:
        super().__init__(node)
        self.node = node


def plan_shards(sizes: GraphSizes, *, limits: Limits) -> ShardPlan:
    """Cut a graph into shards that are within the limits, with few repeated records.

    Time and memory grow with nodes and facts: some 10 µs a node, 70 bytes a fact.

    Args:
        sizes: The graph.
        limits: What one shard may hold at most, without its manifest.

    Raises:
        NodeTooLargeError: A node's records are beyond the limits by themselves.
        FactTooLargeError: A fact with its end nodes' records is.
    """
    _require_fitting(sizes, limits)
    growth = _Growth(sizes, limits)
    while growth.grow_shard():
        pass
    return growth.result()


def _require_fitting(sizes: GraphSizes, limits: Limits) -> None:
    """Every node fits into a shard, and every fact with its ends: then a new shard can always take something."""
    columns = (sizes.documents, sizes.entities, sizes.raw_nodes)
    total = sum(columns, np.zeros_like(sizes.documents))
    beyond = (total > limits.total_bytes) | np.any([column > limits.member_bytes for column in columns], axis=0)
    if beyond.any():
        raise NodeTooLargeError(int(beyond.argmax()))
    is_loop = sizes.sources == sizes.targets
    total = sizes.facts.copy()
    beyond = sizes.facts > limits.member_bytes
    for column in (sizes.entities, sizes.raw_nodes):
        both = column[sizes.sources] + np.where(is_loop, 0, column[sizes.targets])
        beyond |= both > limits.member_bytes
        total += both
    beyond |= total > limits.total_bytes
    if beyond.any():
        raise FactTooLargeError(int(beyond.argmax()))


class _Growth:
    """Shards grown so far, and what is left. Plain Python over buffers: one step is one node or one fact."""

    def __init__(self, sizes: GraphSizes, limits: Limits) -> None:
        self._limits = limits
        num_nodes, num_facts = len(sizes.documents), len(sizes.facts)
        self._documents, self._entities, self._raw_nodes, self._fact_bytes = (
            np.ascontiguousarray(column, np.int64).data
            for column in (sizes.documents, sizes.entities, sizes.raw_nodes, sizes.facts)
        )
        degrees, self._starts, self._others, self._incident = _adjacency(sizes, num_nodes)
        self._open: list[int] = degrees.tolist()  # facts of a node that have no shard yet
        self._homes = array("i", [_NOWHERE]) * num_nodes
        self._facts = array("i", [_NOWHERE]) * num_facts
        self._member_of = array("i", [_NOWHERE]) * num_nodes  # the last shard that a node's records went to
        self._copied_nodes, self._copied_to = array("i"), array("i")
        self._seed = 0
        self._shard = _NOWHERE
        self._candidates: list[int] = []
        self._used_documents = self._used_entities = self._used_raw_nodes = self._used_facts = 0
        self._has_gained = False  # a home or a fact

    def grow_shard(self) -> bool:
        """Fill one more shard; False if nothing was left for it."""
        if self._next_seed() is None:
            return False
        self._begin_shard()
        while True:
            node, seed = self._cheapest(), self._next_seed()
            if node is not None and not self._is_better(seed, node):
                if not self._expand(node):
                    return True
                continue
            if node is not None:
                heapq.heappush(self._candidates, self._entry(node))
            # A member that still has no home came without its document: it is the first of the next shard.
            if seed is None or self._member_of[seed] == self._shard or not self._join(seed, fact=None):
                return True

    def result(self) -> ShardPlan:
        return ShardPlan(
            num_shards=self._shard + 1,
            homes=np.asarray(self._homes, np.int32),
            facts=np.asarray(self._facts, np.int32),
            copied_nodes=np.asarray(self._copied_nodes, np.int32),
            copied_to=np.asarray(self._copied_to, np.int32),
        )

    def _begin_shard(self) -> None:
        self._shard += 1
        self._candidates.clear()
        self._used_documents = self._used_entities = self._used_raw_nodes = self._used_facts = 0
        self._has_gained = False

    def _next_seed(self) -> int | None:
        """The first node, in the order of the graph, that has no home or an open fact."""
        seed, count = self._seed, len(self._homes)
        while seed < count and self._homes[seed] != _NOWHERE and not self._open[seed]:
            seed += 1
        self._seed = seed
        return seed if seed < count else None

    def _cheapest(self) -> int | None:
        """The member of the shard with the fewest open facts a byte."""
        while self._candidates:
            entry = heapq.heappop(self._candidates)
            node = entry & 0xFFFFFFFF
            if self._open[node] and entry == self._entry(node):  # else the node has changed since
                return node
        return None

    def _entry(self, node: int) -> int:
        """A node's cost and its number as one number: half the memory of a tuple, and twice as fast to compare."""
        return self._cost(node) << 32 | node

    def _cost(self, node: int) -> int:
        """Open facts a byte of its records."""
        size: int = self._entities[node] + self._raw_nodes[node] or 1
        return (self._open[node] << 32) // size

    def _is_better(self, seed: int | None, node: int) -> bool:
        """Whether to begin somewhere else rather than take all facts of a hub, whose ends have nothing in common."""
        if seed is None or self._homes[seed] != _NOWHERE:
            return False
        return self._cost(node) > _HUB_FACTOR * self._cost(seed)

    def _expand(self, node: int) -> bool:
        """Take all open facts of a member, with their other ends; False when the shard is full."""
        return all(
            self._join(other, fact=fact)
            for other, fact in self._incidences(node)
            if self._facts[fact] == _NOWHERE and self._member_of[other] != self._shard
        )

    def _join(self, node: int, *, fact: int | None) -> bool:
        """Take a node, if it fits together with the fact that needs it, and its open facts with members of the shard.

        False when the shard is full; what did not fit is left for the next one.
        """
        at_home = self._homes[node] == _NOWHERE
        fact_bytes = 0 if fact is None else self._fact_bytes[fact]
        if not self._has_room(node, fact_bytes, with_document=at_home):
            # Two ends of a fact may fit together, but not with their documents: then one end is at home elsewhere.
            if self._has_gained or fact is None or not self._has_room(node, fact_bytes, with_document=False):
                return False
            at_home = False
        self._add_records(node, at_home=at_home)
        shard, facts, open_facts, member_of = self._shard, self._facts, self._open, self._member_of
        for other, incident in self._incidences(node):
            if member_of[other] == shard and facts[incident] == _NOWHERE:
                if not self._add_fact(incident):
                    return False
                open_facts[node] -= 1
                open_facts[other] -= 1
                if open_facts[other] and other != node:
                    heapq.heappush(self._candidates, self._entry(other))
        if open_facts[node]:
            heapq.heappush(self._candidates, self._entry(node))
        return True

    def _add_records(self, node: int, *, at_home: bool) -> None:
        self._member_of[node] = self._shard
        self._used_entities += self._entities[node]
        self._used_raw_nodes += self._raw_nodes[node]
        if at_home:
            self._homes[node] = self._shard
            self._used_documents += self._documents[node]
            self._has_gained = True
        else:
            self._copied_nodes.append(node)
            self._copied_to.append(self._shard)

    def _add_fact(self, fact: int) -> bool:
        size = self._fact_bytes[fact]
        used = self._used_facts + size
        total = used + self._used_documents + self._used_entities + self._used_raw_nodes
        if used > self._limits.member_bytes or total > self._limits.total_bytes:
            return False
        self._facts[fact] = self._shard
        self._used_facts = used
        self._has_gained = True
        return True

    def _has_room(self, node: int, fact_bytes: int, *, with_document: bool) -> bool:
        documents = self._used_documents + (self._documents[node] if with_document else 0)
        entities = self._used_entities + self._entities[node]
        raw_nodes = self._used_raw_nodes + self._raw_nodes[node]
        facts = self._used_facts + fact_bytes
        most = self._limits.member_bytes
        return (
            documents <= most
            and entities <= most
            and raw_nodes <= most
            and facts <= most
            and documents + entities + raw_nodes + facts <= self._limits.total_bytes
        )

    def _incidences(self, node: int) -> Iterator[tuple[int, int]]:
        """The facts of a node, each with the node at its other end."""
        start, stop = self._starts[node], self._starts[node + 1]
        return zip(self._others[start:stop].tolist(), self._incident[start:stop].tolist(), strict=True)


def _adjacency(sizes: GraphSizes, num_nodes: int) -> tuple[Integers, Any, Any, Any]:
    """Degrees, and for each node from ``starts[node]`` on: its facts' other ends, and its facts."""
    degrees = np.bincount(sizes.sources, minlength=num_nodes) + np.bincount(sizes.targets, minlength=num_nodes)
    starts = np.zeros(num_nodes + 1, np.int64)
    np.cumsum(degrees, out=starts[1:])
    # Here is the most memory of a plan: nothing is kept that has been used, and what can be is done in place.
    order = np.argsort(np.concatenate((sizes.sources, sizes.targets)), kind="stable")
    others = np.concatenate((sizes.targets, sizes.sources)).astype(np.int32, copy=False)[order]
    order %= max(len(sizes.facts), 1)
    return degrees, starts.data, others.data, order.astype(np.int32).data
