"""What the exports cost: tables and a picture."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bench.measure import Measurement
from bench.parts import Findings, Goal
from bench.plot import Panel, Series, Tick, draw
from bench.tables import mebibytes, seconds, table, times, yes

PICTURE = "performance.svg"
# A run of a second varies more than one of a minute, and is repeated sooner.
SMALL_NODES = 50_000
MORE_ROUNDS = 3
_MEMORY_GOAL_BYTES = 512 << 20
_SIZE_GOAL = 1.25
_FLOOR_GOAL = 2.0
_SPEED_GOALS = {10_000: 15, 200_000: 20}
_SECONDS_TICKS: Sequence[Tick] = [
    (digit * power, f"{digit * power:g} s") for power in (0.1, 1, 10, 100, 1000) for digit in (1, 2, 5)
]
_MEMORY_TICKS: Sequence[Tick] = [
    (2**n << 20, f"{2**n} MiB" if n < 10 else f"{2 ** (n - 10)} GiB") for n in range(4, 17)
]
_NODES_TICKS: Sequence[Tick] = [(10**n, f"{10**n:,}") for n in range(3, 9)]


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
        same_bytes: Whether every run of ours wrote the same file; None of a single run.
    """

    num_nodes: int
    ours: Measurement
    cognee: Measurement | None
    floor: Measurement
    archive_bytes: int
    cognee_archive_bytes: int | None
    same_records: bool | None
    same_bytes: bool | None


def findings(results: Sequence[ExportResult], *, rounds: int) -> Findings:
    """Tables of time, and of memory and archives; the goals; the picture if there is more than one size."""
    more = MORE_ROUNDS * rounds
    texts = [
        f"Median of {rounds} runs, of {more} below {SMALL_NODES:,} nodes; memory is the largest of all.",
        _times_table(results),
        _memory_table(results),
    ]
    pictures = {}
    if len(results) > 1:
        texts.append(f"![Seconds and memory over the number of nodes, on logarithmic scales]({PICTURE})")
        pictures[PICTURE] = picture(results)
    return Findings(text="\n\n".join(texts), goals=tuple(_goals(results)), pictures=pictures)


def picture(results: Sequence[ExportResult]) -> str:
    """Seconds and memory over nodes."""
    ordered = sorted(results, key=lambda result: result.num_nodes)
    x_ticks = _x_ticks(ordered)

    time = Panel(
        title="Seconds to export and pack",
        x_name="nodes (2.9 edges each)",
        series=_lines(ordered, lambda run: run.seconds),
        x_ticks=x_ticks,
        y_ticks=_SECONDS_TICKS,
    )
    memory = Panel(
        title="Peak memory of all processes",
        x_name="nodes (2.9 edges each)",
        series=[line for line in _lines(ordered, lambda run: run.peak_bytes) if line.kind != "floor"],
        x_ticks=x_ticks,
        y_ticks=_MEMORY_TICKS,
        limit=(_MEMORY_GOAL_BYTES, "512 MiB"),
    )
    return draw([time, memory], description="Cost of an export over the size of the graph")


def _lines(ordered: Iterable[ExportResult], value: Callable[[Measurement], float]) -> list[Series]:
    points: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": [], "floor": []}
    for result in ordered:
        for kind, run in (("ours", result.ours), ("theirs", result.cognee), ("floor", result.floor)):
            if run is not None:
                points[kind].append((result.num_nodes, value(run)))
    names = {"ours": "this package", "theirs": "Cognee", "floor": "floor"}
    return [
        Series(name=names[kind], kind=kind, points=some, dashed=kind == "floor")
        for kind, some in points.items()
        if some
    ]


def _x_ticks(ordered: Sequence[ExportResult]) -> Sequence[Tick]:
    first = max(number for number, (at, _) in enumerate(_NODES_TICKS) if at <= ordered[0].num_nodes)
    last = min(number for number, (at, _) in enumerate(_NODES_TICKS) if at >= ordered[-1].num_nodes)
    return _NODES_TICKS[first : max(last, first + 1) + 1]


def _times_table(results: Iterable[ExportResult]) -> str:
    heads = ("nodes", "edges", "ours", "Cognee", "ratio", "floor", "ours / floor", "our CPU", "Cognee's CPU")
    return table(heads, map(_times_row, results))


def _times_row(result: ExportResult) -> Sequence[str]:
    ours, cognee, floor = result.ours, result.cognee, result.floor
    return (
        *_size(result),
        seconds(ours.seconds),
        seconds(cognee.seconds) if cognee else "-",
        f"**{times(cognee.seconds / ours.seconds)}**" if cognee else "-",
        seconds(floor.seconds),
        f"{ours.seconds / floor.seconds:.2f}",
        seconds(ours.cpu_seconds),
        seconds(cognee.cpu_seconds) if cognee else "-",
    )


def _memory_table(results: Iterable[ExportResult]) -> str:
    heads = ("nodes", "edges", "our memory", "Cognee's memory", "archive", "archive / Cognee's")
    return table((*heads, "<same records", "<same bytes again"), map(_memory_row, results))


def _memory_row(result: ExportResult) -> Sequence[str]:
    return (
        *_size(result),
        mebibytes(result.ours.peak_bytes),
        mebibytes(result.cognee.peak_bytes) if result.cognee else "-",
        mebibytes(result.archive_bytes),
        f"{result.archive_bytes / result.cognee_archive_bytes:.2f}" if result.cognee_archive_bytes else "-",
        yes(result.same_records),
        yes(result.same_bytes),
    )


def _size(result: ExportResult) -> tuple[str, str]:
    return f"{result.num_nodes:,}", f"{round(result.num_nodes * 2.9):,}"


def _goals(results: Iterable[ExportResult]) -> Iterable[Goal]:
    for result in results:
        nodes = f"{result.num_nodes:,} nodes"
        if result.cognee and result.num_nodes in _SPEED_GOALS:
            ratio, wanted = result.cognee.seconds / result.ours.seconds, _SPEED_GOALS[result.num_nodes]
            yield _at_least(f"faster than Cognee, {nodes}", wanted=wanted, ratio=ratio)
        if result.num_nodes in _SPEED_GOALS:
            over = result.ours.seconds / result.floor.seconds
            yield _at_most(f"over the floor, {nodes}", wanted=_FLOOR_GOAL, ratio=over)
        if result.cognee_archive_bytes:
            size = result.archive_bytes / result.cognee_archive_bytes
            yield _at_most(f"archive over Cognee's, {nodes}", wanted=_SIZE_GOAL, ratio=size)
        peak = result.ours.peak_bytes
        yield Goal(
            what=f"memory, {nodes}",
            wanted=f"at most {mebibytes(_MEMORY_GOAL_BYTES)}",
            measured=mebibytes(peak),
            met=peak <= _MEMORY_GOAL_BYTES,
        )


def _at_least(what: str, *, wanted: float, ratio: float) -> Goal:
    return Goal(what=what, wanted=f"at least {wanted:g}x", measured=times(ratio), met=ratio >= wanted)


def _at_most(what: str, *, wanted: float, ratio: float) -> Goal:
    return Goal(what=what, wanted=f"at most {wanted:g}x", measured=f"{ratio:.2f}x", met=ratio <= wanted)
