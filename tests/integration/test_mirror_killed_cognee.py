"""A process that pushes a mirror to real Cognee is killed with SIGKILL, or the server while one is under way: the next
push ends in an exact mirror, and the one after has nothing to do."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from uuid import uuid4

import pytest

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.errors import RemoteError
from cognee_dagster.pushing.verify import compare_archives
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.sandbox import CogneeServer
from cognee_dagster.testing.faults import UPLOADS, Fault
from tests.fault_proxy import FaultProxy
from tests.mirrored_graph import ChangingGraph
from tests.pushes import client_of, push_archive
from tests.pushing_child import PATIENT, SEGMENT_NODES, push, pushing_process
from tests.rounds.contents import differences, read_contents
from tests.rounds.graph import FormerEntries

# What a Cognee server's log says of a database that it cannot open after a kill (Cognee 1.6.5 with Ladybug 0.19).
UNOPENABLE = "{dataset}.lbug.shadow' does not match the current database"
DELETIONS = "/api/v1/datasets/[^/]+/data/[^/]+"
HERE = -1.0  # seconds that nobody waits: the moment that a fault is about


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When something happens: at the n-th request of that kind, before it is sent, while the server is at work on it,
    or when the server has answered and the answer has not arrived."""

    method: str
    path: str
    number: int
    when: str

    def __str__(self) -> str:
        kind = "upload" if self.path == UPLOADS else "deletion"
        return f"{self.when} {kind} {self.number}"

    @property
    def fault(self) -> Fault:
        """What makes it happen, and loses the request's answer."""
        if self.when == "before":
            return Fault(delay=HERE, request_bytes=0)
        return Fault(answer_delay=HERE, answer_bytes=0 if self.when == "during" else 1)


def upload(number: int, when: str) -> Moment:
    return Moment(method="POST", path=UPLOADS, number=number, when=when)


def deletion(number: int, when: str) -> Moment:
    return Moment(method="DELETE", path=DELETIONS, number=number, when=when)


class Mirrored:
    """A mirror on a real server behind a proxy, its graph, and what happens in between."""

    def __init__(self, server: CogneeServer, proxy: FaultProxy, directory: Path, graph: ChangingGraph) -> None:
        self.server, self.proxy, self.directory, self.graph = server, proxy, directory, graph
        self.target = f"killed_{uuid4().hex}"
        self.former = FormerEntries(graph)
        self._archives = 0

    def edit(self) -> None:
        """So that the next push sends a document, replaces segments, and deletes a document and segments."""
        self.graph.remove_chunk()
        self.graph.add_node("DocumentChunk")
        self.graph.change(4)
        self.former.look()

    def archive(self) -> Archive:
        self._archives += 1
        return self.graph.archive(self.directory / f"{self._archives}.cogx.tar.gz")

    @property
    def where(self) -> dict[str, str | Path]:
        """What a push goes by."""
        mirrors = self.directory / "mirrors"
        return {"url": self.proxy.url, "api_key": self.server.api_key, "directory": mirrors, "target": self.target}

    def at(self, moment: Moment, happening: Callable[[], None]) -> threading.Event:
        """Let something happen; the event is set when it has."""
        happened = threading.Event()

        def sleep(seconds: float) -> None:
            if seconds != HERE:
                time.sleep(seconds)
                return
            happening()
            happened.set()

        self.proxy.sleep = sleep
        self.proxy.on(moment.path, *[None] * (moment.number - 1), moment.fault, method=moment.method)
        return happened

    def push_killed(self, moment: Moment) -> None:
        """A push of a process of its own that lives no longer than until that moment."""
        process = pushing_process(self.archive(), **self.where)

        def kill() -> None:
            process.kill()
            wait([process.sentinel])  # who joins is the test

        happened = self.at(moment, kill)
        process.start()
        process.join(120)
        assert happened.wait(300), f"the push ended before {moment}"
        assert process.exitcode == -9
        self.proxy.clear()

    def push_interrupted(self, moment: Moment, happening: Callable[[], None]) -> None:
        """A push during which something happens to the server; it may say so, or get over it."""
        happened = self.at(moment, happening)
        with suppress(RemoteError):
            push(self.archive(), **self.where)  # type: ignore[arg-type]
        assert happened.wait(300), f"the push ended before {moment}"
        self.proxy.clear()

    def assert_mirrored(self, client: CogneeClient) -> None:
        """The next push ends in a mirror, and the one after has nothing to do."""
        archive = self.archive()
        push(archive, **self.where)  # type: ignore[arg-type]
        assert compare_archives([archive], client=client, target_dataset=self.target).is_exact
        assert push(archive, **self.where) == "unchanged"  # type: ignore[arg-type]

    def assert_like_a_fresh_push(self, client: CogneeClient) -> None:
        fresh = f"{self.target}_fresh"
        push_archive(self.archive(), client=client, target_dataset=fresh, settings=PATIENT)
        found, wanted = (
            read_contents(self.server, client, client.ensure_dataset(name).id) for name in (self.target, fresh)
        )
        assert differences(found, wanted, former=self.former) == []


def mirrored(server: CogneeServer, proxy: FaultProxy, directory: Path) -> Mirrored:
    some = Mirrored(server, proxy, directory, ChangingGraph(3, nodes=3 * SEGMENT_NODES))
    push(some.archive(), **some.where)  # type: ignore[arg-type]
    some.edit()
    return some


@pytest.fixture
def proxy(real_remote: CogneeServer) -> Iterator[FaultProxy]:
    with FaultProxy(real_remote.url) as between:
        yield between


def test_a_process_that_is_killed_while_it_pushes_leaves_what_the_next_push_makes_an_exact_mirror(
    proxy: FaultProxy, real_remote: CogneeServer, tmp_path: Path
) -> None:
    moments = [
        upload(1, "during"),
        upload(2, "before"),
        upload(2, "after"),
        deletion(1, "before"),
        deletion(1, "during"),
        deletion(2, "after"),
    ]
    with client_of(real_remote.url, real_remote.api_key) as client:
        some = mirrored(real_remote, proxy, tmp_path)
        for moment in moments:
            some.push_killed(moment)
            some.graph.change(2)
            some.former.look()
            some.assert_mirrored(client)
            some.edit()
        push(some.archive(), **some.where)  # type: ignore[arg-type]
        some.assert_like_a_fresh_push(client)


def imports_of(client: CogneeClient, dataset_id: str) -> set[str | None]:
    return {row.pipeline_run_id for row in client.runs(dataset_id=dataset_id)}


@pytest.mark.timeout(900)
def test_a_server_that_is_killed_during_a_push_and_started_again_gets_an_exact_mirror_from_the_next_push(
    real_cognee: None, tmp_path: Path
) -> None:
    """Killed at the wrong moment, Ladybug cannot open the dataset's database any more: then another one is tried."""
    # A run whose server was killed counts as dead when the server has said so, which is else an hour later.
    settings = {"COGNEE_STALE_RUN_RECOVERY_MIN_AGE_SECONDS": "0"}
    with (
        CogneeServer(tmp_path / "server", settings=settings) as server,
        FaultProxy(server.url) as proxy,
        client_of(server.url, server.api_key) as client,
    ):
        for attempt in range(4):
            directory = tmp_path / str(attempt)
            directory.mkdir()
            some = mirrored(server, proxy, directory)
            dataset_id = client.ensure_dataset(some.target).id
            before = imports_of(client, dataset_id)

            def kill(dataset_id: str = dataset_id, before: set[str | None] = before) -> None:
                while imports_of(client, dataset_id) == before:
                    time.sleep(0.01)
                server.kill()
                server.restart()

            some.push_interrupted(upload(2, "during"), kill)
            try:
                some.assert_mirrored(client)
            except RemoteError:
                if UNOPENABLE.format(dataset=dataset_id) in server.log.read_text(errors="replace"):
                    continue
                raise
            return
        pytest.fail("The server could not open its database again, four times.")
