"""A round: push a graph to its mirror while a second user reads, push all of it to a fresh dataset, compare both."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from upath import UPath

from cognee_dagster.errors import UnremovableEdgesError
from cognee_dagster.pushing.archives import PushResult
from cognee_dagster.pushing.mirror.mirror import push_mirror
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.options import DeliverySettings, OnRemoved, PushOptions
from cognee_dagster.pushing.verify import RemoteComparison, compare_archives
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.sandbox import CogneeServer
from tests.pushes import push_archive
from tests.rounds.by_cognee import push_by_cognee
from tests.rounds.contents import RemoteContents, differences, read_contents
from tests.rounds.graph import FormerEntries, WideGraph, edits_between
from tests.rounds.reader import BothStates, WatchingReader, reader_of

TARGET = "mirrored"
_PATIENT = DeliverySettings(poll_interval=0.2)


@dataclass(frozen=True, kw_only=True)
class Round:
    """What a round showed.

    Attributes:
        told: What was done, in words.
        wrong: How the mirror differs from the fresh dataset, and what the reader had to do without.
        sent_whole_because: Why the mirror was sent whole; empty where it was not.
    """

    told: str
    wrong: list[str]
    sent_whole_because: str


@dataclass
class Rounds:
    """A graph, its mirror, and what has been found out about them.

    Attributes:
        server: Where the mirror is.
        client: Its client.
        graph: What is mirrored.
        directory: For files.
        segment_nodes: Nodes in a segment.
        target: The remote dataset.
        compared_on: Where the fresh datasets are; None: on the same server.
        beside: Nodes in the remote dataset that are not the mirror's.
        leaves_removed_edge_texts: Whether the server remembers imports in its relational database (docs/mirrors.md).
        shown: What it had after the last round.
        reader: The second user's client.
        former: What may be left in the vector index.
    """

    server: CogneeServer
    client: CogneeClient
    graph: WideGraph
    directory: Path
    segment_nodes: int
    target: str = TARGET
    compared_on: tuple[CogneeServer, CogneeClient] | None = None
    beside: frozenset[str] = frozenset()
    leaves_removed_edge_texts: bool = False
    shown: RemoteContents | None = None
    reader: CogneeClient | None = None
    former: FormerEntries = field(init=False)

    def __post_init__(self) -> None:
        self.former = FormerEntries(self.graph, of_removed_edges=self.leaves_removed_edge_texts)

    def round(self, *, at_once: int = 1, by_cognee: bool = False) -> Round:
        """Push and compare.

        Args:
            at_once: How many pushes of the same graph are under way at the same time.
            by_cognee: Whether ``cognee.push()`` makes the fresh dataset.
        """
        dataset = self.client.ensure_dataset(self.target)
        self.reader = self.reader or reader_of(self.server, dataset.id)
        began = time.monotonic()
        with WatchingReader(self.reader, dataset.id) as watching:
            try:
                results = self._push_mirror(at_once)
                was_emptied = False
            except UnremovableEdgesError:
                results = self._push_mirror(1, on_removed="replace")
                was_emptied = True
        mirrored = time.monotonic()
        with self._fresh(by_cognee=by_cognee) as fresh:
            pushed = time.monotonic()
            wanted = read_contents(*fresh)
        found = read_contents(self.server, self.client, dataset.id).without(self.beside)
        wrong = differences(found, wanted, former=self.former)
        if self.shown is None or was_emptied:
            wrong += watching.errors
        else:
            wrong += watching.missed(BothStates.of(self.shown, found))
        self.shown = found
        told = (
            f"{_sent(results, was_emptied=was_emptied)} in {mirrored - began:.0f} s; "
            f"{'cognee.push()' if by_cognee else 'full push'} {pushed - mirrored:.0f} s; {_counts(found)}; "
            f"read {len(watching.graphs)} times"
        )
        return Round(told=told, wrong=wrong, sent_whole_because=_pushed(results)["sent_whole_because"])

    def verified(self) -> RemoteComparison:
        """What ``cognee-dagster verify`` finds."""
        archive = self.graph.archive(self.directory / "verified.cogx.tar.gz")
        return compare_archives([archive], client=self.client, target_dataset=self.target)

    def edit(self, edits: int) -> str:
        """Change the graph; in words."""
        before = dict(self.graph.nodes), dict(self.graph.edges)
        self.graph.change(edits)
        self.former.look()
        return edits_between(before, (self.graph.nodes, self.graph.edges))

    def _push_mirror(self, at_once: int, *, on_removed: OnRemoved = "remove") -> list[PushResult]:
        archives = [self.graph.archive(self.directory / f"graph_{number}.cogx.tar.gz") for number in range(at_once)]

        def push(number: int) -> PushResult:
            return push_mirror(
                archives[number : number + 1],
                client=self.client,
                base=UPath(self.directory / "mirrors"),
                options=PushOptions(target_dataset=self.target, delivery=_PATIENT),
                mirror=MirrorOptions(
                    segment_nodes=self.segment_nodes,
                    max_removed=1.0,
                    on_removed=on_removed,
                    adopt=bool(self.beside) and self.shown is None,
                ),
            )

        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(push, range(at_once)))

    @contextmanager
    def _fresh(self, *, by_cognee: bool) -> Iterator[tuple[CogneeServer, CogneeClient, str]]:
        """Where a dataset is that was pushed whole, and its id; deleted afterwards."""
        fresh = f"{self.target}_fresh"
        server, client = self.compared_on or (self.server, self.client)
        if by_cognee:
            push_by_cognee(self.graph, server=server, directory=self.directory / "local", target=fresh)
        else:
            archive = self.graph.archive(self.directory / "whole.cogx.tar.gz")
            push_archive(archive, client=client, target_dataset=fresh, settings=_PATIENT)
        dataset = client.ensure_dataset(fresh)
        yield server, client, dataset.id
        client.delete_dataset(dataset.id)


def _pushed(results: list[PushResult]) -> dict[str, Any]:
    """What the one push did that did anything."""
    (result,) = [result for result in results if result.status == "completed"]
    mirror: dict[str, Any] = result.remote_response["mirror"]
    return mirror


def _sent(results: list[PushResult], *, was_emptied: bool) -> str:
    mirror = _pushed(results)
    whole = f", whole: {mirror['sent_whole_because']}" if mirror["sent_whole_because"] else ""
    at_once = ", two at once" if len(results) > 1 else ""
    first = "refused, then replaced: " if was_emptied else ""
    return (
        f"{first}{mirror['segments_sent']} of {mirror['segments']} segments sent, "
        f"{mirror['segments_replaced']} replaced{whole}{at_once}"
    )


def _counts(found: RemoteContents) -> str:
    return (
        f"{len(found.nodes)} nodes, {len(found.triples)} edges, {len(found.documents)} documents, "
        f"{sum(rows.total() for rows in found.vectors.values())} vectors"
    )
