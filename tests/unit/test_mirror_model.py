"""Thousands of steps of a mirror that is killed, refused and interfered with: what is called done is exact, whatever
came before, and no step takes away what both states have.

``MIRROR_SEQUENCES=500`` in the environment tries more than the suite does.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from upath import UPath

from cognee_dagster.errors import RemoteError, RemovedRecordsError
from cognee_dagster.pushing.archives import PushResult
from cognee_dagster.pushing.mirror.done import sending
from cognee_dagster.pushing.mirror.graph.generations import Generation, owner_of
from cognee_dagster.pushing.mirror.kept import files
from cognee_dagster.pushing.mirror.mirror import push_mirror
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.options import OnRemoved, PushOptions
from cognee_dagster.remote.session import Session
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import UPLOADS, answer
from tests.mirrored_graph import ChangingGraph
from tests.pushes import HASTY, client_of, push_archive

SEQUENCES = int(os.environ.get("MIRROR_SEQUENCES", "8"))
ACTIONS = 14
KILLS_APART = 6  # about as many as a sequence has
LAST_KILL = 24
RULES: tuple[OnRemoved, ...] = ("remove", "remove", "keep", "replace", "fail")
TARGET = "demo"


class Killed(BaseException):
    """The process is gone."""


class Steps:
    """Every write and every request of a push; one of them may be the last."""

    PLACES = ((files, "put_bytes"), (Session, "ask"), (sending, "deliver"))

    def __init__(self, patches: pytest.MonkeyPatch, each: Callable[[], None]) -> None:
        self.last: int | None = None
        self.after = False
        self.taken = 0
        self._each = each
        for owner, name in self.PLACES:
            patches.setattr(owner, name, self._step(getattr(owner, name)))

    def until(self, last: int | None, *, after: bool = False) -> None:
        """End the push before or after its n-th step from now; None: never."""
        self.last = None if last is None else self.taken + last
        self.after = after

    def _step(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*args: Any, **options: Any) -> Any:
            self.taken += 1
            is_last = self.taken == self.last
            if is_last and not self.after:
                raise Killed
            result = original(*args, **options)  # a delivery is a step of several
            self._each()
            if is_last:
                raise Killed
            return result

        return stepping


@dataclass
class Side:
    """One of two mirrors in the remote dataset, which have no node in common.

    Attributes:
        source: Its name.
        graph: What it mirrors.
        ids: Of all nodes that it ever had.
        safe: Nodes that a reader never misses: of the last exact state and of every one that was pushed since.
        known: Nodes that it has confirmed; None where something came in between.
        adopt: Whether there may be more that no push without ``adopt`` removes.
        knows_documents: Whether what it has stored is known to it.
    """

    source: str
    graph: ChangingGraph
    ids: set[str] = field(default_factory=set)
    safe: set[str] = field(default_factory=set)
    known: set[str] | None = None
    adopt: bool = False
    knows_documents: bool = True

    def lose(self) -> None:
        """Somebody has taken something of it away."""
        self.safe, self.known = set(), None


class World:
    """One sequence: two graphs, their mirrors, what is done to them, and what must hold."""

    def __init__(
        self, seed: int, remotes: tuple[FakeRemote, FakeRemote], directory: Path, patches: pytest.MonkeyPatch
    ) -> None:
        self.steps = Steps(patches, self.assert_nothing_is_missed)
        self.random = Random(seed)
        self.remote, self.fresh = remotes
        self.directory = directory
        main = ChangingGraph(seed, nodes=self.random.choice([4, 12, 24]))
        self.main = Side("demo", main)
        self.beside = Side("beside", ChangingGraph(seed, nodes=self.random.choice([3, 8]), ids="beside"))
        self.segment_nodes = self.random.choice([2, 5, 8])
        self.target = f"{TARGET}_{seed}"
        self.kills = count(KILLS_APART * seed)
        self.done = Counter[str]()

    def act(self) -> None:
        """Something happens; a graph may go back to what it was before a push of it that never ended."""
        side = self.random.choice([self.main, self.main, self.main, self.beside])
        before = dict(side.graph.nodes), dict(side.graph.edges)
        side.graph.change(self.random.randrange(7))
        actions = [self.push, self.push, self.push, self.kill, self.kill, self.kill, self.refuse]
        if side is self.main:
            actions += [self.meddle, self.meddle]
        action = self.random.choice(actions)
        action(side)
        if action in (self.kill, self.refuse) and self.random.random() < 0.4:
            side.graph.nodes, side.graph.edges = before

    def push(self, side: Side, on_removed: OnRemoved | None = None) -> None:
        """An undisturbed push."""
        on_removed = on_removed or self._rule(side)
        resend = self.random.random() < 0.2
        known, uploads = side.known, len(self.remote.uploads)
        try:
            result = self._push(side, on_removed, resend=resend)
        except RemovedRecordsError:
            self.done["refused to remove"] += 1
            assert on_removed == "fail"
            assert len(self.remote.uploads) == uploads
            return
        self.done[f"push with {on_removed}{' again' if resend else ''}"] += 1
        assert on_removed != "fail" or known is None or known <= side.graph.nodes.keys()
        if on_removed == "remove" and self.random.random() < 0.3:
            assert self._push(side, "remove").status == "unchanged", f"not after {result.status}"
            self._assert_that_nothing_is_removed_unasked(side)

    def _assert_that_nothing_is_removed_unasked(self, side: Side) -> None:
        """What everybody is sure that the remote has is not removed against ``fail``."""
        side.graph.remove_node()
        if side.graph.nodes.keys() != side.known:
            with pytest.raises(RemovedRecordsError):
                self._push(side, "fail")

    def kill(self, side: Side) -> None:
        """A push that ends with its process: before or after each of its steps, in turn."""
        number = next(self.kills)
        self.steps.until(1 + number // 2 % LAST_KILL, after=bool(number % 2))
        try:
            self._push(side, self._rule(side), resend=self.random.random() < 0.2)
            self.done["over before"] += 1
        except RemovedRecordsError:
            self.done["refused to remove"] += 1
        except Killed:
            side.known = None
            self.done["killed"] += 1

    def _rule(self, side: Side) -> OnRemoved:
        """What becomes of removed records; only one of the mirrors replaces everything."""
        rule = self.random.choice(RULES)
        return "remove" if rule == "replace" and side is self.beside else rule

    def refuse(self, side: Side) -> None:
        """A push of which some uploads are refused."""
        refused = self.random.choice([(answer(400),), (None, answer(400)), (None, None, answer(400))])
        self.remote.faults.on(UPLOADS, *refused)
        try:
            self._push(side, "remove")
            self.done["over before"] += 1
        except RemoteError:
            side.known = None
            self.done["refused"] += 1
        self.remote.faults.clear()

    def meddle(self, side: Side) -> None:
        """Another tool's push, what somebody deletes, or damage on this side."""
        kind = self.random.choice(["other tool", "dataset deleted", "emptied", "data deleted", "contents damaged"])
        self.done[kind] += 1
        side.known = None
        if kind == "other tool":
            self._push_as_another_tool(side)
        elif kind in ("dataset deleted", "emptied", "data deleted"):
            self.main.lose()
            self.beside.lose()
            self._delete(kind)
        else:
            side.adopt = True  # nobody knows any more which documents are ours
            for path in self.directory.glob(f"mirrors/*-{owner_of(side.source)}/contents-*.bin"):
                path.write_bytes(path.read_bytes()[:-1])

    def _delete(self, kind: str) -> None:
        with client_of(self.remote.url, self.remote.api_key) as client:
            found = client.find_dataset(self.target)
            if found is None:
                return
            if kind == "dataset deleted":
                client.delete_dataset(found.id)
            elif kind == "emptied":
                client.empty_dataset(found.id)
            else:  # a document, and what an import of the mirror has brought
                generation = Generation(owner=owner_of("demo"), segment=0, letter=self.random.choice("ab"))
                for row in list(islice(client.data(found.id), 1)):
                    client.delete_data(found.id, row.id)
                client.delete_data(found.id, generation.data_id(self.target))

    def assert_nothing_is_missed(self) -> None:
        """A reader sees at every step what all states have had since the mirror was exact."""
        if safe := self.main.safe | self.beside.safe:
            missing = safe - self.remote.graph(self.target).nodes.keys()
            assert not missing, f"{len(missing)} nodes of both states are gone"

    def _push(self, side: Side, on_removed: OnRemoved, *, resend: bool = False) -> PushResult:
        """A push, which leaves the other mirror alone, and what it should where it comes to its end."""
        other = self.beside if side is self.main else self.main
        adopt = side.adopt and on_removed in ("remove", "replace")
        side.ids |= side.graph.nodes.keys()
        if on_removed != "keep":
            side.safe &= side.graph.nodes.keys()
        if on_removed == "replace":
            side.safe, other.knows_documents = set(), False
        if adopt or on_removed == "replace":
            other.lose()
        others = None if adopt or on_removed == "replace" or not other.ids else self._shown(other)
        try:
            with client_of(self.remote.url, self.remote.api_key) as client:
                result = push_mirror(
                    [side.graph.archive(self.directory / "graph.cogx.tar.gz")],
                    client=client,
                    base=UPath(self.directory / "mirrors"),
                    options=PushOptions(target_dataset=self.target, delivery=HASTY),
                    mirror=MirrorOptions(
                        on_removed=on_removed,
                        segment_nodes=self.segment_nodes,
                        max_removed=1.0,
                        adopt=adopt,
                        resend=resend,
                        source=side.source,
                    ),
                )
        finally:
            self.steps.until(None)
            assert others is None or self._shown(other) == others, "the other mirror was touched"
        self._assert_done(side, on_removed)
        return result

    def _assert_done(self, side: Side, on_removed: OnRemoved) -> None:
        """What a push that came to its end leaves there: all of the graph, and only where something stays more."""
        shown, wanted, nodes = self._shown(side), self._wanted(side), set(side.graph.nodes)
        if on_removed == "keep" or (on_removed == "fail" and side.adopt):
            shown = {kind: {key: row for key, row in shown[kind].items() if key in wanted[kind]} for kind in wanted}
            assert shown == wanted, on_removed
            side.safe |= nodes
            side.known = None if side.known is None else side.known | nodes
            return
        if not side.knows_documents:
            shown["documents"] = {key: text for key, text in shown["documents"].items() if key in wanted["documents"]}
        assert shown == wanted, on_removed
        side.adopt, side.safe, side.known = False, nodes, nodes

    def _push_as_another_tool(self, side: Side) -> None:
        """A part of the graph with other values; what it brought is its own until it is adopted."""
        other = ChangingGraph(self.random.randrange(99), nodes=2)
        some = self.random.sample(sorted(side.graph.nodes), min(3, len(side.graph.nodes)))
        other.nodes = {node_id: other._row(node_id, str(side.graph.nodes[node_id][2])) for node_id in some}
        other.edges = {}
        side.ids |= other.nodes.keys()
        self._push_whole(other, self.remote)
        side.adopt = True

    def _push_whole(self, graph: ChangingGraph, remote: FakeRemote) -> None:
        with client_of(remote.url, remote.api_key) as client:
            archive = graph.archive(self.directory / "whole.cogx.tar.gz")
            push_archive(archive, client=client, target_dataset=self.target, settings=HASTY)

    def _wanted(self, side: Side) -> dict[str, Any]:
        """What a fresh dataset shows after a full push."""
        self._push_whole(side.graph, self.fresh)
        shown = _all_of(self.fresh, self.target)
        with client_of(self.fresh.url, self.fresh.api_key) as client:
            client.delete_dataset(self.fresh.dataset(self.target).id)
        return shown

    def _shown(self, side: Side) -> dict[str, Any]:
        """What the remote shows of a mirror."""
        shown = _all_of(self.remote, self.target)
        return {
            "nodes": {node_id: row for node_id, row in shown["nodes"].items() if node_id in side.ids},
            "edges": {ends: row for ends, row in shown["edges"].items() if ends[0] in side.ids},
            "documents": {key: text for key, text in shown["documents"].items() if _chunk_of(key) in side.ids},
        }


def _chunk_of(external_id: str) -> str:
    """The node that a document is known by, without the dataset's id before it."""
    return external_id.rpartition(":")[2]


def _all_of(remote: FakeRemote, target: str) -> dict[str, Any]:
    try:
        graph = remote.graph(target)
    except LookupError:  # the dataset was deleted
        return {"nodes": {}, "edges": {}, "documents": {}}
    nodes = {node_id: node.shown(node_id) for node_id, node in graph.nodes.items()}
    return {"nodes": nodes, "edges": dict(graph.edges), "documents": remote.documents(target)}


@pytest.fixture(scope="module")
def remotes() -> Iterator[tuple[FakeRemote, FakeRemote]]:
    with FakeRemote() as remote, FakeRemote() as fresh:
        yield remote, fresh


def played(seed: int, remotes: tuple[FakeRemote, FakeRemote], directory: Path) -> tuple[World, int]:
    """A whole sequence, which ends with pushes; and how many steps it took."""
    with pytest.MonkeyPatch.context() as patches:
        world = World(seed, remotes, directory, patches)
        for _ in range(ACTIONS):
            world.act()
        world.push(world.beside, "remove")
        world.push(world.main, "remove")
    return world, world.steps.taken


@pytest.mark.timeout(600 + 30 * SEQUENCES)
def test_what_is_called_done_is_exact_and_nothing_of_both_states_is_ever_missed(
    remotes: tuple[FakeRemote, FakeRemote], tmp_path: Path
) -> None:
    total, done = 0, Counter[str]()
    for seed in range(SEQUENCES):
        directory = tmp_path / str(seed)
        directory.mkdir()
        try:
            world, steps = played(seed, remotes, directory)
        except AssertionError as broken:
            raise AssertionError(f"seed {seed}: {broken}") from broken
        total += steps
        done += world.done
    assert total > 100 * SEQUENCES
    assert {"killed", "refused", "other tool", "dataset deleted", "emptied", "data deleted"} <= done.keys()
    assert {
        "contents damaged",
        "refused to remove",
        "over before",
        *(f"push with {rule}" for rule in RULES),
    } <= done.keys()
