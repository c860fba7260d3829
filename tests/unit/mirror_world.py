"""A graph that changes and its mirror on the fake remote, others who push there, and pushes that are killed."""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from upath import UPath

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.pushing.archives import PushResult
from cognee_dagster.pushing.mirror.done import sending
from cognee_dagster.pushing.mirror.kept.files import MirrorFiles
from cognee_dagster.pushing.mirror.kept.state import MirrorState
from cognee_dagster.pushing.mirror.mirror import plan_mirror, push_mirror
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.options import DeliverySettings, PushOptions
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.testing import FakeRemote
from tests.mirrored_graph import ChangingGraph
from tests.pushes import HASTY, client_of, push_archive


class Mirror:
    """Pushes of one graph into one remote dataset, in small segments."""

    def __init__(self, remote: FakeRemote, directory: Path, graph: ChangingGraph) -> None:
        self.remote = remote
        self.directory = directory
        self.graph = graph

    def archive(self) -> Archive:
        return self.graph.archive(self.directory / "graph.cogx.tar.gz")

    def push(
        self,
        *,
        target: str = "demo",
        stop: threading.Event | None = None,
        delivery: DeliverySettings = HASTY,
        **options: Any,
    ) -> PushResult:
        with client_of(self.remote.url, self.remote.api_key) as client:
            return push_mirror(
                [self.archive()],
                client=client,
                base=UPath(self.directory / "mirrors"),
                options=PushOptions(target_dataset=target, delivery=delivery),
                mirror=MirrorOptions(**{"segment_nodes": 8, "max_removed": 1.0, **options}),
                stop=stop,
            )

    def plan(self, **options: Any) -> dict[str, Any]:
        with client_of(self.remote.url, self.remote.api_key) as client:
            return plan_mirror(
                [self.archive()],
                client=client,
                base=UPath(self.directory / "mirrors"),
                options=PushOptions(target_dataset="demo"),
                mirror=MirrorOptions(**{"segment_nodes": 8, "max_removed": 1.0, **options}),
            ).as_json()

    def noted(self) -> tuple[MirrorFiles, MirrorState]:
        """What is kept of the only mirror."""
        (file,) = (self.directory / "mirrors").glob("*/mirror.json")
        files = MirrorFiles(UPath(file.parent))
        state = files.load()
        assert state is not None
        return files, state

    def assert_exact(self, *, target: str = "demo") -> None:
        """The remote dataset shows what a fresh one shows after a full push, and has the same documents."""
        fresh = FakeRemote()
        with fresh, client_of(fresh.url, fresh.api_key) as client:
            push_archive(self.archive(), client=client, target_dataset=target, settings=HASTY)
            assert self.shown(self.remote, target) == self.shown(fresh, target)

    @staticmethod
    def shown(remote: FakeRemote, target: str) -> dict[str, Any]:
        graph = remote.graph(target)
        nodes = {node_id: node.shown(node_id) for node_id, node in graph.nodes.items()}
        known_by = str(remote.dataset(target).id)  # in documents' ids: the stand-in makes it of a dataset's first name
        documents = {key.replace(known_by, "dataset"): text for key, text in remote.documents(target).items()}
        return {"nodes": nodes, "edges": graph.edges, "documents": documents}


def push_as_another_tool(remote: FakeRemote, mirror: Mirror, graph: ChangingGraph) -> None:
    archive = graph.archive(mirror.directory / "other.cogx.tar.gz")
    with client_of(remote.url, remote.api_key) as client:
        push_archive(archive, client=client, target_dataset="demo", settings=HASTY)


def unlike(graph: ChangingGraph) -> ChangingGraph:
    """The graph under ids that no other has, without edges and texts."""
    found = ChangingGraph(3, nodes=2)
    rows = [row for row in graph.nodes.values() if row[2] != "DocumentChunk"]
    found.nodes = {row[0][:-4] + "ffff": (row[0][:-4] + "ffff", *row[1:]) for row in rows}
    found.edges = {}
    return found


def emptied(remote: FakeRemote) -> int:
    return sum(request.path == "/api/v1/forget" for request in remote.requests)


class Crashed(BaseException):
    """The process is gone."""


class Crash:
    """Ends a push before or after its n-th step that somebody else can see."""

    STEPS: ClassVar = {
        "save": MirrorFiles,
        "save_contents": MirrorFiles,
        "delete_data": CogneeClient,
        "empty_dataset": CogneeClient,
        "deliver": sending,
    }

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, at: int, after: bool, steps: Iterable[str] = STEPS) -> None:
        self.at = at
        self.after = after
        self.steps = 0
        for name in steps:
            self._patch(monkeypatch, self.STEPS[name], name)

    def _patch(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def stepping(*args: Any, **options: Any) -> Any:
            self.steps += 1
            is_last = self.steps == self.at
            if is_last and not self.after:
                raise Crashed
            result = original(*args, **options)  # which may be a step of several
            if is_last:
                raise Crashed
            return result

        monkeypatch.setattr(owner, name, stepping)
