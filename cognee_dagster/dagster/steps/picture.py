"""A graph's most connected part as an SVG: nodes coloured by type, a legend, names where there is room."""

import base64
import math
from collections import Counter
from xml.sax.saxutils import escape

from cognee_dagster.dagster.steps.picture_layout import (
    FONT_SIZE,
    Box,
    Label,
    Point,
    lay_out,
    radius_of,
    shortened,
)
from cognee_dagster.graph.portrait import GraphPortrait

WIDTH = 700  # pixels

_HEIGHT = 480
_MARGIN = 20
# Where nodes and their names are; the legend is below.
CANVAS = Box(_MARGIN, _MARGIN, WIDTH - _MARGIN, _HEIGHT - _MARGIN)

_LEGEND_ROW = 20
_LEGEND_COLUMNS = 4
_TYPE_LENGTH = 20
# Okabe and Ito's colours, which also those can tell apart who see fewer; all further types share the last.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
_OTHER_COLOUR = "#999999"


def picture_as_markdown(portrait: GraphPortrait) -> str:
    """The picture within Markdown, the only form in which Dagster's pages show one that belongs to an event."""
    data = base64.b64encode(draw(portrait).encode("utf-8", "replace")).decode()
    return f"![The most connected part of the graph](data:image/svg+xml;base64,{data})"


def draw(portrait: GraphPortrait) -> str:
    """The picture, ``WIDTH`` pixels wide; the same for the same portrait."""
    colours = _colours(portrait)
    legend = _legend(colours)
    height = _HEIGHT + _LEGEND_ROW * math.ceil(len(legend) / _LEGEND_COLUMNS) + 10
    layout = lay_out(portrait, within=CANVAS)
    places = layout.places
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="{FONT_SIZE}">',
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            *(_line(places[edge.source], places[edge.target]) for edge in portrait.edges),
            *(_circle(places[node.id], radius_of(node), colours[node.type]) for node in portrait.nodes),
            *map(_name, layout.labels),
            *legend,
            "</svg>",
        ]
    )


def _colours(portrait: GraphPortrait) -> dict[str, str]:
    """A colour for each type, the most frequent first."""
    by_frequency = Counter(node.type for node in portrait.nodes).most_common()
    return {
        name: _COLOURS[number] if number < len(_COLOURS) else _OTHER_COLOUR
        for number, (name, _) in enumerate(by_frequency)
    }


def _legend(colours: dict[str, str]) -> list[str]:
    names = {colour: shortened(name, _TYPE_LENGTH) or "(no type)" for name, colour in reversed(colours.items())}
    if len(colours) > len(_COLOURS):
        names[_OTHER_COLOUR] = "other types"
    entries = []
    for number, colour in enumerate(sorted(names, key=[*_COLOURS, _OTHER_COLOUR].index)):
        x = _MARGIN + number % _LEGEND_COLUMNS * (WIDTH - 2 * _MARGIN) / _LEGEND_COLUMNS
        y = _HEIGHT + _LEGEND_ROW * (number // _LEGEND_COLUMNS + 0.5)
        entries.append(
            f'<g><circle cx="{x:.0f}" cy="{y:.0f}" r="6" fill="{colour}"/>'
            f'<text x="{x + 12:.0f}" y="{y + 4:.0f}">{_escaped(names[colour])}</text></g>'
        )
    return entries


def _line(one: Point, other: Point) -> str:
    return f'<path d="M{one.x:.0f} {one.y:.0f}L{other.x:.0f} {other.y:.0f}" stroke="#cccccc"/>'


def _circle(place: Point, radius: float, colour: str) -> str:
    return f'<circle cx="{place.x:.0f}" cy="{place.y:.0f}" r="{radius:.1f}" fill="{colour}" stroke="#ffffff"/>'


def _name(label: Label) -> str:
    """A name, outlined in white, since it crosses lines."""
    left, _, right, bottom = label.box
    x = {"start": left, "middle": (left + right) / 2, "end": right}[label.anchor]
    return (
        f'<text x="{x:.0f}" y="{bottom - 3:.0f}" text-anchor="{label.anchor}" stroke="#ffffff" stroke-width="3" '
        f'paint-order="stroke">{_escaped(label.text)}</text>'
    )


def _escaped(text: str) -> str:
    """Without what no XML document may hold."""
    return escape("".join(character if character.isprintable() else " " for character in text))
