"""A second user who may read a dataset, and reads it all the time while it is pushed to."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType

import httpx
from pydantic import SecretStr

from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import Connection
from cognee_dagster.remote.remote_graph import RemoteGraph
from cognee_dagster.sandbox import CogneeServer
from tests.rounds.contents import RemoteContents

EMAIL, PASSWORD = "reader@example.com", "correct-horse-battery"
_PAUSE_SECONDS = 2.0


def reader_of(server: CogneeServer, dataset_id: str) -> CogneeClient:
    """A client with the key of a new user who may read the dataset, and nothing else."""
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as http:
        made = http.post("/api/v1/auth/register", json={"email": EMAIL, "password": PASSWORD})
        assert made.status_code == httpx.codes.CREATED, made.text
        login = http.post("/api/v1/auth/login", data={"username": EMAIL, "password": PASSWORD}).json()
        token = {"Authorization": f"Bearer {login['access_token']}"}
        key = http.post("/api/v1/auth/api-keys", json={"name": "reader"}, headers=token).json()["key"]
        http.cookies.clear()  # the login left one
        granted = http.post(
            f"/api/v1/permissions/datasets/{made.json()['id']}",
            params={"permission_name": "read"},
            json=[dataset_id],
            headers={"X-Api-Key": server.api_key},
        )
        assert granted.status_code == httpx.codes.OK, granted.text
    return CogneeClient(Connection(url=server.url, api_key=SecretStr(key), source="arguments"))


@dataclass(frozen=True, kw_only=True)
class BothStates:
    """What a push leaves as it is, and what it changes: a reader never misses any of it.

    Attributes:
        nodes: The values that each node of both states may have.
        triples: Edges of both states.
    """

    nodes: Mapping[str, frozenset[tuple[str, str]]]
    triples: frozenset[tuple[str, str, str]]

    @classmethod
    def of(cls, before: RemoteContents, after: RemoteContents) -> "BothStates":
        """What both have; a node that changes may be seen either way."""
        shared = before.nodes.keys() & after.nodes.keys()
        return cls(
            nodes={one: frozenset({before.nodes[one][:2], after.nodes[one][:2]}) for one in shared},
            triples=frozenset(before.triples.keys() & after.triples.keys()),
        )

    def missed_in(self, graph: RemoteGraph) -> list[str]:
        """What a graph that was read lacks, or has with a value of neither state."""
        seen = {node.id: (node.label, node.type) for node in graph.nodes}
        lines = [] if seen else ["the graph was empty"]
        missing = self.nodes.keys() - seen.keys()
        odd = {one for one, values in self.nodes.items() if one in seen and seen[one] not in values}
        edges = self.triples - graph.triples()
        for what, rows in (("nodes", missing), ("values of nodes", odd), ("edges", edges)):
            if rows:
                lines.append(f"{len(rows)} {what} of both states were not there, such as {sorted(rows)[:2]}")
        return lines


@dataclass
class WatchingReader:
    """Reads the graph from a thread until the end of the ``with`` block.

    Attributes:
        graphs: What was read, oldest first.
        errors: What went wrong.
    """

    client: CogneeClient
    dataset_id: str
    graphs: list[RemoteGraph] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __enter__(self) -> "WatchingReader":
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def missed(self, both: BothStates) -> list[str]:
        """What a reader had to do without."""
        return [*self.errors, *(line for graph in self.graphs for line in both.missed_in(graph))]

    def _run(self) -> None:
        while True:
            self._note(lambda: self.graphs.append(self.client.graph(self.dataset_id)))
            if self._stop.wait(_PAUSE_SECONDS):
                return

    def _note(self, read: Callable[[], object]) -> None:
        try:
            read()
        except Exception as error:  # whatever a reader gets to see
            self.errors.append(f"the reader was told: {error}")
