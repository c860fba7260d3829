"""Thousands of steps of a mirror that is killed, refused and interfered with: what is called done is exact, whatever
came before, and no step takes away what both states have.

``MIRROR_SEQUENCES=500`` in the environment tries more than the suite does.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from upath import UPath

from cognee_dagster.errors import RemoteError
from cognee_dagster.pushing.mirror import carry_out, state
from cognee_dagster.pushing.mirror.generations import Generation, owner_of
from cognee_dagster.pushing.mirror.mirror import push_mirror
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.remote.session import Session
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import UPLOADS, answer
from tests.mirrored_graph import ChangingGraph
from tests.pushes import HASTY, client_of, push_archive

SEQUENCES = int(os.environ.get("MIRROR_SEQUENCES", "8"))
ACTIONS = 14
TARGET = "demo"


class Killed(BaseException):
    """The process is gone."""


class Steps:
    """Every write and every request of a push; one of them may be the last."""

    PLACES = ((state, "put_bytes"), (Session, "ask"), (carry_out, "deliver"))

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


class World:
    """One sequence: a graph, its mirror, what is done to both, and what must hold."""

    def __init__(self, seed: int, remotes: tuple[FakeRemote, FakeRemote], directory: Path) -> None:
        self.random = Random(seed)
        self.remote, self.fresh = remotes
        self.directory = directory
        self.graph = ChangingGraph(seed, nodes=self.random.choice([4, 12, 24]))
        self.segment_nodes = self.random.choice([2, 5, 8])
        self.target = f"{TARGET}_{seed}"
        self.safe: set[str] = set()  # nodes of the last exact state and of every one that was pushed since
        self.adopt = False
        self.done = Counter[str]()

    def act(self, steps: Steps) -> None:
        """Something happens."""
        self.graph.change(self.random.randrange(7))
        self.random.choice([self.push, self.push, self.kill, self.kill, self.kill, self.refuse, self.meddle])(steps)

    def push(self, steps: Steps) -> None:
        """An undisturbed push, after which the mirror is exact."""
        self.done["push"] += 1
        steps.until(None)
        self._push()
        assert self._shown(self.remote) == self._wanted()
        self.adopt, self.safe = False, set(self.graph.nodes)

    def kill(self, steps: Steps) -> None:
        """A push that ends with its process, somewhere."""
        steps.until(self.random.choice([1, 2, 3, 5, 8, 13, 21, 34]), after=self.random.random() < 0.5)
        try:
            self._push()
            self.done["over before"] += 1
        except Killed:
            self.done["killed"] += 1
        steps.until(None)

    def refuse(self, steps: Steps) -> None:
        """A push of which some uploads are refused."""
        refused = self.random.choice([(answer(400),), (None, answer(400)), (None, None, answer(400))])
        self.remote.faults.on(UPLOADS, *refused)
        try:
            self._push()
            self.done["over before"] += 1
        except RemoteError:
            self.done["refused"] += 1
        self.remote.faults.clear()

    def meddle(self, steps: Steps) -> None:
        """Another tool's push, what somebody deletes, or damage on this side."""
        kind = self.random.choice(["other tool", "dataset deleted", "emptied", "data deleted", "contents damaged"])
        self.done[kind] += 1
        if kind == "other tool":
            self._push_as_another_tool()
        elif kind in ("dataset deleted", "emptied", "data deleted"):
            self.safe = set()
            self._delete(kind)
        else:
            self.adopt = True  # nobody knows any more which documents are ours
            for path in self.directory.glob("mirrors/*/contents-*.bin"):
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
        if self.safe:
            missing = self.safe - self.remote.graph(self.target).nodes.keys()
            assert not missing, f"{len(missing)} nodes of both states are gone"

    def _push(self) -> None:
        self.safe &= self.graph.nodes.keys()
        with client_of(self.remote.url, self.remote.api_key) as client:
            push_mirror(
                [self.graph.archive(self.directory / "graph.cogx.tar.gz")],
                client=client,
                base=UPath(self.directory / "mirrors"),
                options=PushOptions(target_dataset=self.target, delivery=HASTY),
                mirror=MirrorOptions(segment_nodes=self.segment_nodes, max_removed=1.0, adopt=self.adopt),
            )

    def _push_as_another_tool(self) -> None:
        """A part of the graph with other values; what it brought is its own until it is adopted."""
        other = ChangingGraph(self.random.randrange(99), nodes=2)
        some = self.random.sample(sorted(self.graph.nodes), min(3, len(self.graph.nodes)))
        other.nodes = {node_id: other._row(node_id, str(self.graph.nodes[node_id][2])) for node_id in some}
        other.edges = {}
        self._push_whole(other, self.remote)
        self.adopt = True

    def _push_whole(self, graph: ChangingGraph, remote: FakeRemote) -> None:
        with client_of(remote.url, remote.api_key) as client:
            archive = graph.archive(self.directory / "whole.cogx.tar.gz")
            push_archive(archive, client=client, target_dataset=self.target, settings=HASTY)

    def _wanted(self) -> dict[str, Any]:
        """What a fresh dataset shows after a full push."""
        self._push_whole(self.graph, self.fresh)
        shown = self._shown(self.fresh)
        with client_of(self.fresh.url, self.fresh.api_key) as client:
            client.delete_dataset(self.fresh.dataset(self.target).id)
        return shown

    def _shown(self, remote: FakeRemote) -> dict[str, Any]:
        graph = remote.graph(self.target)
        nodes = {node_id: node.shown(node_id) for node_id, node in graph.nodes.items()}
        return {"nodes": nodes, "edges": dict(graph.edges), "documents": remote.documents(self.target)}


@pytest.fixture(scope="module")
def remotes() -> Iterator[tuple[FakeRemote, FakeRemote]]:
    with FakeRemote() as remote, FakeRemote() as fresh:
        yield remote, fresh


def played(seed: int, remotes: tuple[FakeRemote, FakeRemote], directory: Path) -> tuple[World, int]:
    """A whole sequence, which ends with a push; and how many steps it took."""
    world = World(seed, remotes, directory)
    with pytest.MonkeyPatch.context() as patches:
        steps = Steps(patches, world.assert_nothing_is_missed)
        for _ in range(ACTIONS):
            world.act(steps)
        world.push(steps)
    return world, steps.taken


@pytest.mark.timeout(60 + 10 * SEQUENCES)
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
    assert {"push", "killed", "refused", "other tool", "dataset deleted", "emptied", "data deleted"} <= done.keys()
    assert "contents damaged" in done
