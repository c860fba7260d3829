"""Ours against Cognee's own: export and pack of the same dataset, in fresh processes, in turns."""

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.datasets import dataset_name, graph_file
from bench.measure import Measurement, measure
from bench.records import same_records
from cognee_dagster.cogx.unpack import unpack

_HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class ExportResult:
    """Medians of several rounds at one size.

    Attributes:
        num_nodes: Nodes of the graph.
        ours: This package's ``export``.
        cognee: Cognee's import, export and pack; None where it was not run.
        floor: Raw read and raw compression.
        archive_bytes: Size of our archive.
        cognee_archive_bytes: Size of Cognee's.
        same_records: Whether both hold the same records.
        same_bytes: Whether every run of ours wrote the same file.
    """

    num_nodes: int
    ours: Measurement
    cognee: Measurement | None
    floor: Measurement
    archive_bytes: int
    cognee_archive_bytes: int | None
    same_records: bool | None
    same_bytes: bool


def compare(
    directory: Path, num_nodes: int, *, environ: Mapping[str, str], rounds: int, with_cognee: bool
) -> ExportResult:
    """Export the dataset of a size with both, ``rounds`` times in turns."""
    workspace = directory / "exports"
    shutil.rmtree(workspace, ignore_errors=True)
    workspace.mkdir()
    name = dataset_name(num_nodes)
    archives = [workspace / f"ours_{number}.cogx.tar.gz" for number in range(rounds)]
    theirs, unpacked = workspace / "cognee", workspace / "unpacked"
    package = [str(Path(sys.executable).with_name("cognee-dagster")), "export", name]
    cognee = [sys.executable, str(_HERE / "cognee_export_pack.py"), name, str(theirs)]
    floor = [sys.executable, str(_HERE / "floor.py"), str(graph_file(directory, num_nodes)), str(unpacked)]
    runs: dict[str, list[Measurement]] = {"ours": [], "cognee": [], "floor": []}
    for number, archive in enumerate(archives):
        runs["ours"].append(measure([*package, str(archive)], environ=environ, directory=directory))
        if not unpacked.exists():
            unpack(archive, unpacked)
        if with_cognee:
            runs["cognee"].append(measure(cognee, environ=environ, directory=directory))
        runs["floor"].append(measure(floor, environ=environ, directory=directory))
        print(
            f"{name}, round {number + 1}: " + _line({kind: some[-1] for kind, some in runs.items() if some}), flush=True
        )
    return ExportResult(
        num_nodes=num_nodes,
        ours=_median(runs["ours"]),
        cognee=_median(runs["cognee"]) if with_cognee else None,
        floor=_median(runs["floor"]),
        archive_bytes=archives[0].stat().st_size,
        cognee_archive_bytes=theirs.with_name("cognee.cogx.tar.gz").stat().st_size if with_cognee else None,
        same_records=same_records(archives[0], theirs, workspace=workspace / "again") if with_cognee else None,
        same_bytes=len({archive.read_bytes() for archive in archives}) == 1,
    )


def _median(runs: list[Measurement]) -> Measurement:
    return Measurement(
        seconds=median(run.seconds for run in runs),
        cpu_seconds=median(run.cpu_seconds for run in runs),
        peak_bytes=max(run.peak_bytes for run in runs),
    )


def _line(runs: Mapping[str, Measurement]) -> str:
    return ", ".join(f"{kind} {run.seconds:.2f} s ({run.peak_bytes >> 20} MiB)" for kind, run in runs.items())
