"""Ours against Cognee's own: export and pack of the same dataset, in fresh processes, in turns, at several sizes."""

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import export_report
from bench.datasets import dataset_name, graph_file, prepare
from bench.export_report import MORE_ROUNDS, SMALL_NODES, ExportResult
from bench.measure import Measurement, measure, median_of
from bench.parts import Findings, Setting
from bench.records import file_digest, same_records, unpack_records

PACKAGES = ("cognee", "ladybug", "pyarrow", "msgspec", "isal", "xxhash")

_HERE = Path(__file__).parent


def run(setting: Setting) -> Findings:
    """Export the dataset of each size with both, and read and compress it with nothing between."""
    environ = prepare(setting.directory, setting.sizes)
    results = [
        compare(
            setting.directory,
            size,
            environ=environ,
            rounds=setting.rounds * (1 if size >= SMALL_NODES else MORE_ROUNDS),
            with_cognee=size <= setting.cognee_limit,
        )
        for size in setting.sizes
    ]
    return export_report.findings(results, rounds=setting.rounds)


def compare(
    directory: Path, num_nodes: int, *, environ: Mapping[str, str], rounds: int, with_cognee: bool
) -> ExportResult:
    """Export the dataset of a size with both, ``rounds`` times in turns."""
    workspace = directory / "exports"
    shutil.rmtree(workspace, ignore_errors=True)
    workspace.mkdir()
    files = _Files(workspace)
    commands = _commands(files, dataset_name(num_nodes), graph_file(directory, num_nodes))
    if not with_cognee:
        del commands["cognee"]
    runs: dict[str, list[Measurement]] = {kind: [] for kind in commands}
    digests = set()
    for number in range(rounds):
        for kind, command in commands.items():
            if kind == "floor" and not files.unpacked.exists():
                unpack_records(files.ours, files.unpacked)
            runs[kind].append(measure(command, environ=environ, directory=directory))
        digests.add(file_digest(files.ours))
        print(f"{dataset_name(num_nodes)}, round {number + 1}: {_line(runs)}", flush=True)
    result = ExportResult(
        num_nodes=num_nodes,
        ours=median_of(runs["ours"]),
        cognee=median_of(runs["cognee"]) if with_cognee else None,
        floor=median_of(runs["floor"]),
        archive_bytes=files.ours.stat().st_size,
        cognee_archive_bytes=files.cognee.stat().st_size if with_cognee else None,
        same_records=same_records(files.ours, files.cognee) if with_cognee else None,
        same_bytes=len(digests) == 1 if rounds > 1 else None,
    )
    shutil.rmtree(workspace)
    return result


@dataclass(frozen=True)
class _Files:
    workspace: Path

    @property
    def ours(self) -> Path:
        return self.workspace / "ours.cogx.tar.gz"

    @property
    def cognee_directory(self) -> Path:
        return self.workspace / "cognee"

    @property
    def cognee(self) -> Path:
        return self.workspace / "cognee.cogx.tar.gz"

    @property
    def unpacked(self) -> Path:
        return self.workspace / "unpacked"


def _commands(files: _Files, dataset: str, graph: Path) -> dict[str, list[str]]:
    package = str(Path(sys.executable).with_name("cognee-dagster"))
    return {
        "ours": [package, "export", dataset, str(files.ours)],
        "cognee": [sys.executable, str(_HERE / "cognee_export_pack.py"), dataset, str(files.cognee_directory)],
        "floor": [sys.executable, str(_HERE / "floor.py"), str(graph), str(files.unpacked)],
    }


def _line(runs: Mapping[str, list[Measurement]]) -> str:
    last = {kind: some[-1] for kind, some in runs.items()}
    return ", ".join(f"{kind} {run.seconds:.2f} s ({run.peak_bytes >> 20} MiB)" for kind, run in last.items())
