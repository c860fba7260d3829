"""The results as a Markdown page."""

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from datetime import datetime, timezone

from bench.export import ExportResult

_PACKAGES = ("cognee", "ladybug", "pyarrow", "orjson", "isal", "xxhash")


def report(results: Sequence[ExportResult], *, rounds: int) -> str:
    """Tables of all results, and what they were measured on."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    lines = [
        "## Export",
        "",
        "`cognee-dagster export` against what `cognee.push()` does before it sends the first byte (`import cognee`, "
        '`cognee.export(format="cogx")`, `pack_archive`), of the same dataset in Cognee\'s default store. Fresh '
        f"processes, in turns, median of {rounds}; memory is the largest sum over all processes. The floor is reading "
        "the rows as Arrow and compressing the finished lines, one after the other, with nothing between.",
        "",
        "| nodes | edges | ours | Cognee | ratio | floor | ours / floor | our memory | Cognee's memory "
        "| archive / Cognee's | same records | same bytes again |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|---|",
        *map(_row, results),
        "",
        f"{datetime.now(timezone.utc):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), "
        f"Python {platform.python_version()}, {versions}. Other work on the machine: load average "
        f"{os.getloadavg()[0]:.1f} at the end.",
    ]
    return "\n".join(lines) + "\n"


def _row(result: ExportResult) -> str:
    ours, cognee, floor = result.ours, result.cognee, result.floor
    cells = [
        f"{result.num_nodes:,}",
        f"{round(result.num_nodes * 2.9):,}",
        f"{ours.seconds:.2f} s",
        f"{cognee.seconds:.1f} s" if cognee else "-",
        f"**{cognee.seconds / ours.seconds:.1f}x**" if cognee else "-",
        f"{floor.seconds:.2f} s",
        f"{ours.seconds / floor.seconds:.2f}",
        f"{ours.peak_bytes >> 20} MiB",
        f"{cognee.peak_bytes >> 20} MiB" if cognee else "-",
        f"{result.archive_bytes / result.cognee_archive_bytes:.2f}" if result.cognee_archive_bytes else "-",
        _yes(result.same_records),
        _yes(result.same_bytes),
    ]
    return f"| {' | '.join(cells)} |"


def _yes(value: bool | None) -> str:
    return "-" if value is None else "yes" if value else "**no**"
