"""How something grows, on two logarithmic axes, as an SVG that reads well on a light page and on a dark one.

A library of its own for two panels of a few lines would be the largest dependency of the project.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import log

_WIDTH, _HEIGHT = 480, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 106, 64, 54
_LABEL_GAP = 15
# The picture brings its own background: a page may be dark where the reader's system is light, and the other way round.
_STYLE = """
  svg { --paper: #ffffff; --ink: #1f2328; --dim: #59636e; --grid: #d1d9e0;
        --ours: #0969da; --theirs: #bc4c00; --floor: #1a7f37; --limit: #cf222e }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #151b23; --ink: #f0f6fc; --dim: #9198a1; --grid: #3d444d;
          --ours: #4493f8; --theirs: #f0883e; --floor: #3fb950; --limit: #f85149 }
  }
  text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--dim) }
  .title { font-size: 14px; font-weight: 600; fill: var(--ink) }
  .name { font-weight: 600 }
  .paper { fill: var(--paper); stroke: var(--grid) }
  .grid { stroke: var(--grid); stroke-width: 1 }
  .line { fill: none; stroke-width: 2.5; stroke-linejoin: round }
  .dashed { stroke-width: 1.5; stroke-dasharray: 5 4 }
""" + "".join(
    f"  .{kind} {{ stroke: var(--{kind}) }} .{kind}-dot, text.{kind}-text {{ fill: var(--{kind}) }}\n"
    for kind in ("ours", "theirs", "floor", "limit")
)

Tick = tuple[float, str]


@dataclass(frozen=True, kw_only=True)
class Series:
    """A line.

    Attributes:
        name: What stands at its end.
        kind: Its colour: ``ours``, ``theirs`` or ``floor``.
        points: x and y; all positive, x ascending.
        dashed: Drawn thin, without points.
    """

    name: str
    kind: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One diagram.

    Attributes:
        title: What is drawn over what.
        x_name: What the horizontal axis counts.
        series: Its lines.
        x_ticks: Marks of the horizontal axis, ascending.
        y_ticks: Marks of the vertical axis, ascending; those around the values are drawn.
        limit: A height that is not to be passed, and its name.
    """

    title: str
    x_name: str
    series: Sequence[Series]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    limit: Tick | None = None


def draw(panels: Sequence[Panel], *, description: str) -> str:
    """The panels side by side; ``description`` is for who cannot see them."""
    width = _WIDTH * len(panels)
    body = "".join(
        f'<g transform="translate({number * _WIDTH} 0)">\n{_drawn(panel)}\n</g>\n'
        for number, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HEIGHT}" role="img" '
        f'aria-label="{escape(description)}">\n<style>{_STYLE}</style>\n'
        f'<rect class="paper" x="0.5" y="0.5" width="{width - 1}" height="{_HEIGHT - 1}" rx="8"/>\n{body}</svg>\n'
    )


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """Puts values between ``low`` and ``high`` on pixels between ``start`` and ``end``, by their logarithm."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = log(value / self.low) / log(self.high / self.low)
        return round(self.start + share * (self.end - self.start), 1)


def _drawn(panel: Panel) -> str:
    ticks = _around(panel)
    x = _Axis(low=panel.x_ticks[0][0], high=panel.x_ticks[-1][0], start=_LEFT, end=_WIDTH - _RIGHT)
    y = _Axis(low=ticks[0][0], high=ticks[-1][0], start=_HEIGHT - _BOTTOM, end=_TOP)
    parts = [
        f'<text class="title" x="{_LEFT}" y="32">{escape(panel.title)}</text>',
        f'<text x="{(x.start + x.end) / 2}" y="{_HEIGHT - 14}" text-anchor="middle">{escape(panel.x_name)}</text>',
        *(_grid_line(x.start, x.end, y.at(value), label) for value, label in ticks),
        *(_grid_column(y.start, y.end, x.at(value), label) for value, label in panel.x_ticks),
        *(_line(series, x, y) for series in panel.series),
        *_names(panel, x, y),
    ]
    if panel.limit is not None:
        height = y.at(panel.limit[0])
        parts.append(f'<line class="limit dashed" x1="{x.start}" x2="{x.end}" y1="{height}" y2="{height}"/>')
    return "\n".join(parts)


def _around(panel: Panel) -> Sequence[Tick]:
    """The marks from the one at or below the lowest value to the one at or above the highest."""
    values = [value for series in panel.series for _, value in series.points]
    if panel.limit is not None:
        values.append(panel.limit[0])
    first = max((number for number, (at, _) in enumerate(panel.y_ticks) if at <= min(values)), default=0)
    last = min((number for number, (at, _) in enumerate(panel.y_ticks) if at >= max(values)), default=None)
    return panel.y_ticks[first : None if last is None else max(last, first + 1) + 1]


def _grid_line(left: float, right: float, y: float, label: str) -> str:
    line = f'<line class="grid" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'
    return f'{line}<text x="{left - 8}" y="{y + 4}" text-anchor="end">{escape(label)}</text>'


def _grid_column(bottom: float, top: float, x: float, label: str) -> str:
    line = f'<line class="grid" x1="{x}" x2="{x}" y1="{bottom}" y2="{top}"/>'
    return f'{line}<text x="{x}" y="{bottom + 18}" text-anchor="middle">{escape(label)}</text>'


def _line(series: Series, x: _Axis, y: _Axis) -> str:
    places = [(x.at(first), y.at(second)) for first, second in series.points]
    points = " ".join(f"{left},{top}" for left, top in places)
    line = f'<polyline class="line {series.kind}{" dashed" if series.dashed else ""}" points="{points}"/>'
    if series.dashed:
        return line
    return line + "".join(f'<circle class="{series.kind}-dot" cx="{left}" cy="{top}" r="4"/>' for left, top in places)


def _names(panel: Panel, x: _Axis, y: _Axis) -> Iterable[str]:
    """Each name where its line ends; moved apart where two lines end close to each other."""
    ends = [
        (y.at(series.points[-1][1]), x.at(series.points[-1][0]), series.name, series.kind) for series in panel.series
    ]
    if panel.limit is not None:
        ends.append((y.at(panel.limit[0]), x.end, panel.limit[1], "limit"))
    below = float("-inf")
    for height, left, name, kind in sorted(ends):
        below = max(height, below + _LABEL_GAP)
        yield f'<text class="name {kind}-text" x="{left + 9}" y="{below + 4}">{escape(name)}</text>'
