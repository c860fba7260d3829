"""What a push to a mirror costs a real Cognee server, against a push of everything."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from upath import UPath

from bench.parts import Findings, Goal, Setting
from bench.plot import Panel, Series, Tick, draw
from bench.server_time import processor_seconds
from bench.sync_edits import EditedGraph
from bench.tables import seconds, table
from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.pushing.archives import push_archives
from cognee_dagster.pushing.mirror.mirror import push_mirror
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import Connection
from cognee_dagster.sandbox import CogneeServer
from tests.fault_proxy import FaultProxy

PACKAGES = ("cognee", "httpx", "numpy", "pyarrow")

SIZES = (5_000,)
PICTURE = "sync.svg"
FULL, FIRST, NOTHING = "everything, in one archive", "the first push of a mirror", "nothing has changed"
CHANGED, TENTH = "1 % of the nodes changed, here and there", "10 % of the nodes changed, here and there"
REWRITTEN, ADDED, REMOVED = (f"one of a hundred documents {what}" for what in ("rewritten", "added", "removed"))
_SHARES: tuple[Tick, ...] = tuple((share, f"{share:g} %") for share in (0.01, 0.1, 1, 10, 100, 1000))
_NODES: tuple[Tick, ...] = tuple((count, f"{count:,}") for count in (1_000, 2_000, 5_000, 10_000, 20_000, 50_000))


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one push.

    Attributes:
        server_seconds: The server's time on a processor, of all its processes.
        seconds: From the beginning to the end.
        body_bytes: What was uploaded.
        requests: How often the server was asked anything.
    """

    server_seconds: float
    seconds: float
    body_bytes: int
    requests: int


def run(setting: Setting) -> Findings:
    """Push a graph of each size whole, then edit and push it as a mirror; 5,000 nodes unless sizes are chosen."""
    sizes = SIZES if setting.sizes == Setting.sizes else setting.sizes
    return findings({size: costs(size, setting.directory / "sync") for size in sizes})


def costs(num_nodes: int, directory: Path) -> dict[str, Cost]:
    """What each push costs, on a server of its own."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    with CogneeServer(directory / "server") as server, FaultProxy(server.url) as proxy:
        connection = Connection(url=proxy.url, api_key=SecretStr(server.api_key), source="arguments")
        with CogneeClient(connection) as client:
            meter = _Meter(server, proxy, client, directory, EditedGraph.of(num_nodes))
            return meter.all_costs()


@dataclass
class _Meter:
    server: CogneeServer
    proxy: FaultProxy
    client: CogneeClient
    directory: Path
    graph: EditedGraph

    def all_costs(self) -> dict[str, Cost]:
        """In an order in which each edit starts from a mirror that is up to date."""
        whole, graph = self.graph, self.graph
        self.graph = EditedGraph.of(1_000)
        self._measured("warming up", self._push_whole("warming_up"))  # what a server loads with its first import
        self.graph = whole
        found = {
            FULL: self._measured(FULL, self._push_whole("whole")),
            FIRST: self._measured(FIRST, self._push_mirror),
            NOTHING: self._measured(NOTHING, self._push_mirror),
        }
        graph.describe_anew(0.01)
        found[CHANGED] = self._measured(CHANGED, self._push_mirror)
        graph.describe_anew(0.1)
        found[TENTH] = self._measured(TENTH, self._push_mirror)
        graph.rewrite_document()
        found[REWRITTEN] = self._measured(REWRITTEN, self._push_mirror)
        bring_back = graph.remove_document()
        found[REMOVED] = self._measured(REMOVED, self._push_mirror)
        bring_back()
        found[ADDED] = self._measured(ADDED, self._push_mirror)
        return found

    def _measured(self, what: str, push: Callable[[Archive], object]) -> Cost:
        archive = write_archive(self.graph, self.directory / "graph.cogx.tar.gz")
        passages, spent = len(self.proxy.passages), processor_seconds(self.server.pid)
        began = time.perf_counter()
        push(archive)
        took = time.perf_counter() - began
        cost = Cost(
            server_seconds=processor_seconds(self.server.pid) - spent,
            seconds=took,
            body_bytes=sum(passage.body_bytes for passage in self.proxy.passages[passages:]),
            requests=len(self.proxy.passages) - passages,
        )
        print(f"{what}: {cost}", flush=True)
        return cost

    def _push_whole(self, target: str) -> Callable[[Archive], object]:
        return lambda archive: push_archives((archive,), client=self.client, options=PushOptions(target_dataset=target))

    def _push_mirror(self, archive: Archive) -> object:
        return push_mirror(
            (archive,),
            client=self.client,
            base=UPath(self.directory / "mirrors"),
            options=PushOptions(target_dataset="mirrored"),
            mirror=MirrorOptions(),
        )


def findings(costs_by_size: dict[int, dict[str, Cost]]) -> Findings:
    """A table for each size, the goals, and a picture where there are two sizes or more."""
    parts = [_table(size, some) for size, some in costs_by_size.items()]
    goals = [goal for size, some in costs_by_size.items() for goal in _goals(size, some)]
    parts.append(f"![The server's time on a processor, as a share of what a push of everything takes]({PICTURE})")
    return Findings(text="\n\n".join(parts), goals=tuple(goals), pictures={PICTURE: picture(costs_by_size)})


def _table(size: int, some: dict[str, Cost]) -> str:
    full = some[FULL]
    rows = (
        (
            what,
            seconds(cost.server_seconds),
            f"{cost.server_seconds / full.server_seconds:.1%}",
            f"{cost.body_bytes / 1024:,.0f} KiB",
            f"{cost.body_bytes / full.body_bytes:.1%}",
            str(cost.requests),
            seconds(cost.seconds),
        )
        for what, cost in some.items()
    )
    heads = ("<pushed", "server's CPU", "of everything's", "uploaded", "of everything's", "requests", "wall time")
    return f"{size:,} nodes, {round(size * 2.9):,} edges, a hundred documents.\n\n{table(heads, rows)}"


def _goals(size: int, some: dict[str, Cost]) -> list[Goal]:
    full = some[FULL]
    shares = {what: cost.server_seconds / full.server_seconds for what, cost in some.items()}
    sent = some[CHANGED].body_bytes / full.body_bytes
    nothing = some[NOTHING]
    return [
        Goal(
            what=f"{NOTHING}, {size:,} nodes",
            wanted="no upload, 3 requests",
            measured=f"{nothing.body_bytes:,} bytes, {nothing.requests} requests",
            met=nothing.body_bytes == 0 and nothing.requests <= 3,
        ),
        Goal(
            what=f"{CHANGED}, {size:,} nodes",
            wanted="at most 5 % of the bytes, 10 % of the server's time",
            measured=f"{sent:.1%}, {shares[CHANGED]:.1%}",
            met=sent <= 0.05 and shares[CHANGED] <= 0.10,
        ),
        _at_most(f"{REMOVED}, {size:,} nodes", share=shares[REMOVED], wanted=0.15),
        _at_most(f"{FIRST}, {size:,} nodes", share=shares[FIRST], wanted=1.3),
    ]


def _at_most(what: str, *, share: float, wanted: float) -> Goal:
    return Goal(
        what=what, wanted=f"at most {wanted:.0%} of the server's time", measured=f"{share:.1%}", met=share <= wanted
    )


def picture(costs_by_size: dict[int, dict[str, Cost]]) -> str:
    """Shares of a full push over the number of nodes; of a single size, as lines without length."""
    kinds = {REMOVED: "theirs", CHANGED: "ours", FIRST: "floor"}
    names = {REMOVED: "1 % removed", CHANGED: "1 % changed", FIRST: "first push"}
    sizes = sorted(costs_by_size)
    series = [
        Series(name=names[what], kind=kind, points=[(size, _percent(costs_by_size[size], what)) for size in sizes])
        for what, kind in kinds.items()
    ]
    panel = Panel(
        title="server's CPU, of a push of everything",
        x_name="nodes",
        series=series,
        x_ticks=[tick for tick in _NODES if sizes[0] / 3 <= tick[0] <= sizes[-1] * 3],
        y_ticks=_SHARES,
        limit=(100, "everything"),
    )
    return draw([panel], description="The server's time for a push to a mirror, as a share of a push of everything.")


def _percent(some: dict[str, Cost], what: str) -> float:
    """Positive, for a logarithmic axis."""
    return 100 * max(some[what].server_seconds, 0.01) / some[FULL].server_seconds
