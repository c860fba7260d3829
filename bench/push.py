"""A push of the graph that Cognee bundles (47 nodes), ours and Cognee's own, in turns, to the same Cognee server."""

import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.datasets import TEMPLATE, prepare
from bench.measure import Measurement, measure, median_of
from bench.parts import Findings, Setting
from bench.tables import mebibytes, seconds, table, times, yes
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import resolve_connection
from cognee_dagster.sandbox import CogneeServer

PACKAGES = ("cognee", "httpx", "ladybug", "pyarrow")

_FUNCTION = Path(__file__).with_name("push_function.py")
_COGNEE = "`cognee-cli push`"
_PACKAGE = "`cognee-dagster push`"
_CALL = "`cognee_dagster.push()`"
_PUSHES = (_COGNEE, _PACKAGE, _CALL)
_IMPORT = "`import cognee`"
_SERVER = "the upload alone"
# A document belongs to one dataset of a server, and only our push gives it an id of its own in each: so what is not
# our push goes to the same dataset.
_COGNEES_TARGET = "cognee"


def run(setting: Setting) -> Findings:
    """Push with each, always to a dataset that is new to the server, and upload the same archive with nothing else."""
    environ = prepare(setting.directory, ())
    server_directory = setting.directory / "server"
    shutil.rmtree(server_directory, ignore_errors=True)
    with CogneeServer(server_directory) as server:
        environ |= {"COGNEE_SERVICE_URL": server.url, "COGNEE_API_KEY": server.api_key}
        with CogneeClient(resolve_connection(server.url, server.api_key, environ={})) as client:
            archive = server_directory / "demo.cogx.tar.gz"
            measure(
                [_script("cognee-dagster"), "export", TEMPLATE, str(archive)], environ=environ, directory=Path.cwd()
            )
            pushes = _Pushes(client=client, archive=archive, environ=environ, directory=setting.directory)
            pushes.round()  # what a server loads with its first import is nobody's to pay for
            rounds = [pushes.round() for _ in range(setting.rounds)]
    medians = {kind: median_of([some[kind] for some in rounds]) for kind in rounds[0]}
    return findings(medians, rounds=setting.rounds, same=all(pushes.same_graphs))


@dataclass(frozen=True, kw_only=True)
class _Pushes:
    client: CogneeClient
    archive: Path
    environ: Mapping[str, str]
    directory: Path
    same_graphs: list[bool] = field(default_factory=list)

    def round(self) -> dict[str, Measurement]:
        """Each once."""
        package, cognee = (
            [_script(name), "push", TEMPLATE, "--target-dataset"] for name in ("cognee-dagster", "cognee-cli")
        )
        commands = {
            _COGNEE: [*cognee, _COGNEES_TARGET],
            _PACKAGE: [*package, "ours"],
            _CALL: [sys.executable, str(_FUNCTION), TEMPLATE, "function"],
            _IMPORT: [sys.executable, "-c", "import cognee"],
        }
        self._forget_all()
        runs = {
            kind: measure(command, environ=self.environ, directory=self.directory) for kind, command in commands.items()
        }
        self.same_graphs.append(self._same_graphs())
        self._forget_all()
        runs[_SERVER] = self._upload()
        print(", ".join(f"{kind} {some.seconds:.2f} s" for kind, some in runs.items()), flush=True)
        return runs

    def _upload(self) -> Measurement:
        """The one request that the server's import hangs on, by a process that has long started."""
        begin = time.perf_counter()
        with self.client.upload(self.archive, dataset_name=_COGNEES_TARGET, mode="preserve") as upload:
            upload.wait()
        return Measurement(seconds=time.perf_counter() - begin, cpu_seconds=0.0, peak_bytes=0)

    def _forget_all(self) -> None:
        for dataset in self.client.datasets():
            self.client.delete_dataset(dataset.id)

    def _same_graphs(self) -> bool:
        """Whether the datasets of all pushes have the same nodes and edges."""
        graphs = [self.client.graph(dataset.id) for dataset in self.client.datasets()]
        different = {(frozenset(graph.node_ids()), frozenset(graph.triples())) for graph in graphs}
        return len(graphs) == len(_PUSHES) and len(different) == 1


def findings(runs: Mapping[str, Measurement], *, rounds: int, same: bool) -> Findings:
    """A table; the ratio of the whole, and of what the server has no part in."""
    server, cognee = runs[_SERVER].seconds, runs[_COGNEE].seconds
    rows = [
        (
            kind,
            seconds(some.seconds),
            f"**{times(cognee / some.seconds)}**",
            seconds(some.seconds - server),
            # Where the server's time varies by more than ours takes, there is nothing to divide by.
            times((cognee - server) / (some.seconds - server)) if some.seconds > server else "-",
            seconds(some.cpu_seconds),
            mebibytes(some.peak_bytes),
        )
        for kind, some in runs.items()
        if kind in _PUSHES
    ]
    heads = ("<", "wall time", "ratio", "without the server's", "ratio", "CPU", "memory")
    text = (
        f"Median of {rounds}, after a round that is not counted. The server's own time is {seconds(server)}: that long "
        f"takes the upload of a finished archive by a process that has nothing else to do. Of Cognee's time, {_IMPORT} "
        f"alone is {seconds(runs[_IMPORT].seconds)}. All remote datasets have the same graph: {yes(same)}."
    )
    return Findings(text=f"{table(heads, rows)}\n\n{text}")


def _script(name: str) -> str:
    return str(Path(sys.executable).with_name(name))
