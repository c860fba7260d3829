"""A graph's most connected part as an SVG: nodes coloured by type, a legend, names where there is room."""

import base64
import math
from collections import Counter
from xml.sax.saxutils import escape

import networkx as nx

from cognee_dagster.graph.portrait import GraphPortrait, PortraitNode

WIDTH = 700  # pixels

_HEIGHT = 440
_MARGIN = 40
_LEGEND_ROW = 20
_LEGEND_COLUMNS = 4
_NAMED = 16  # of more names nobody could read one
_NAME_LENGTH, _TYPE_LENGTH = 24, 20
# Okabe and Ito's colours, which also those can tell apart who see fewer; all further types share the last.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
_OTHER_COLOUR = "#999999"

_Place = tuple[float, float]


def picture_as_markdown(portrait: GraphPortrait) -> str:
    """The picture within Markdown, the only form in which Dagster's pages show one that belongs to an event."""
    data = base64.b64encode(draw(portrait).encode("utf-8", "replace")).decode()
    return f"![The most connected part of the graph](data:image/svg+xml;base64,{data})"


def draw(portrait: GraphPortrait) -> str:
    """The picture, ``WIDTH`` pixels wide; the same for the same portrait."""
    colours = _colours(portrait)
    legend = _legend(colours)
    height = _HEIGHT + _LEGEND_ROW * math.ceil(len(legend) / _LEGEND_COLUMNS) + 10
    places = _places(portrait)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            *(_line(places[edge.source], places[edge.target]) for edge in portrait.edges),
            *(_circle(places[node.id], _radius(node), colours[node.type]) for node in portrait.nodes),
            *(_name(node, places[node.id]) for node in portrait.nodes[:_NAMED]),
            *legend,
            "</svg>",
        ]
    )


def _places(portrait: GraphPortrait) -> dict[str, _Place]:
    """Where each node is drawn, in pixels: connected ones close to each other."""
    graph = nx.Graph()
    graph.add_nodes_from(node.id for node in portrait.nodes)
    graph.add_edges_from((edge.source, edge.target) for edge in portrait.edges)
    around = nx.spring_layout(graph, seed=1, iterations=120, k=1.6 / math.sqrt(max(1, len(graph))))
    reach_x, reach_y = (max((abs(place[axis]) for place in around.values()), default=0.0) or 1.0 for axis in (0, 1))
    half_width, half_height = WIDTH / 2 - 2 * _MARGIN, _HEIGHT / 2 - _MARGIN
    return {
        node_id: (WIDTH / 2 + x / reach_x * half_width, _HEIGHT / 2 + y / reach_y * half_height)
        for node_id, (x, y) in around.items()
    }


def _colours(portrait: GraphPortrait) -> dict[str, str]:
    """A colour for each type, the most frequent first."""
    by_frequency = Counter(node.type for node in portrait.nodes).most_common()
    return {
        name: _COLOURS[number] if number < len(_COLOURS) else _OTHER_COLOUR
        for number, (name, _) in enumerate(by_frequency)
    }


def _legend(colours: dict[str, str]) -> list[str]:
    names = {colour: _shortened(name, _TYPE_LENGTH) or "(no type)" for name, colour in reversed(colours.items())}
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


def _radius(node: PortraitNode) -> float:
    return min(18.0, 4 + 1.5 * math.log2(1 + node.degree))


def _line(one: _Place, other: _Place) -> str:
    return f'<path d="M{one[0]:.0f} {one[1]:.0f}L{other[0]:.0f} {other[1]:.0f}" stroke="#cccccc"/>'


def _circle(place: _Place, radius: float, colour: str) -> str:
    return f'<circle cx="{place[0]:.0f}" cy="{place[1]:.0f}" r="{radius:.1f}" fill="{colour}" stroke="#ffffff"/>'


def _name(node: PortraitNode, place: _Place) -> str:
    """The node's name below it, outlined in white, since it crosses lines."""
    x, y = place[0], place[1] + _radius(node) + 12
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="middle" stroke="#ffffff" stroke-width="3" '
        f'paint-order="stroke">{_escaped(_shortened(node.name, _NAME_LENGTH))}</text>'
    )


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _escaped(text: str) -> str:
    """Without what no XML document may hold."""
    return escape("".join(character if character.isprintable() else " " for character in text))
