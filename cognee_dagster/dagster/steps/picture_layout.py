"""Where the nodes of a picture and their names go: no circle covers another, and no name a circle or another name."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, NamedTuple

import networkx as nx

from cognee_dagster.graph.portrait import GraphPortrait, PortraitNode

FONT_SIZE = 12  # pixels
NAME_LENGTH = 24

_ROUNDS = 200
_BETWEEN_NODES = 12.0  # pixels: about a line of text
_LINE_HEIGHT = 14.0
# Of the widest fonts that "sans-serif" stands for, in parts of the font's size.
_NARROW, _WIDE, _USUAL, _BEYOND_LATIN = 0.42, 1.0, 0.68, 1.15
_NARROW_LETTERS, _WIDE_LETTERS = frozenset("fijlrtI .,:;'!|()[]-"), frozenset("mwMWOQ@%…")


Anchor = Literal["start", "middle", "end"]
_DIRECTIONS: Sequence[tuple[str, Anchor]] = (
    ("below", "middle"),
    ("above", "middle"),
    ("level", "start"),
    ("level", "end"),
    ("lower", "start"),
    ("lower", "end"),
    ("upper", "start"),
    ("upper", "end"),
)


class Point(NamedTuple):
    """A place in pixels, from the upper left."""

    x: float
    y: float


class Box(NamedTuple):
    """A rectangle that a name fills."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        """Whether the two have a point in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


@dataclass(frozen=True, kw_only=True)
class Label:
    """A name, the rectangle that it fills at most, and the end of it that the name keeps to."""

    text: str
    box: Box
    anchor: Anchor


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where everything is drawn.

    Attributes:
        places: The middle of each node's circle, by the node's id.
        labels: The names that have room, the most connected node's first.
    """

    places: Mapping[str, Point]
    labels: tuple[Label, ...]


def lay_out(portrait: GraphPortrait, *, within: Box) -> Layout:
    """Places for all nodes, and for as many names as there is room for; the same for the same portrait.

    Args:
        portrait: What is drawn.
        within: Where circles and names have to be.
    """
    radii = {node.id: radius_of(node) for node in portrait.nodes}
    places = _apart(_connected_together(portrait, within), radii, within)
    return Layout(places=places, labels=tuple(_labels(portrait.nodes, places, within)))


def radius_of(node: PortraitNode) -> float:
    """The larger, the more edges the node has."""
    return min(18.0, 4 + 1.5 * math.log2(1 + node.degree))


def shortened(text: str, length: int) -> str:
    """At most ``length`` characters."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def width_of(text: str) -> float:
    """About how wide a text is, in pixels: rather too much than too little."""
    return FONT_SIZE * sum(map(_letter_width, text))


def _letter_width(letter: str) -> float:
    if letter in _NARROW_LETTERS:
        return _NARROW
    if letter in _WIDE_LETTERS:
        return _WIDE
    return _USUAL if letter < "\u0250" else _BEYOND_LATIN


def _connected_together(portrait: GraphPortrait, within: Box) -> dict[str, Point]:
    """A place for each node, connected ones close to each other."""
    graph = nx.Graph()
    graph.add_nodes_from(node.id for node in portrait.nodes)
    graph.add_edges_from((edge.source, edge.target) for edge in portrait.edges)
    around = nx.spring_layout(graph, seed=1, iterations=120, k=1.6 / math.sqrt(max(1, len(graph))))
    spans = [
        (min(values), max(values)) if (values := [float(place[axis]) for place in around.values()]) else (0.0, 0.0)
        for axis in (0, 1)
    ]
    (left, right), (top, bottom) = spans
    return {
        node_id: Point(
            _between(within.left, within.right, float(x) - left, right - left),
            _between(within.top, within.bottom, float(y) - top, bottom - top),
        )
        for node_id, (x, y) in around.items()
    }


def _between(low: float, high: float, part: float, whole: float) -> float:
    return low + (high - low) * (part / whole if whole else 0.5)


def _apart(places: Mapping[str, Point], radii: Mapping[str, float], within: Box) -> dict[str, Point]:
    """The places, moved until no two circles are closer than a line of text, as far as there is room for that."""
    moved = {node_id: _kept_in(place, radii[node_id], within) for node_id, place in places.items()}
    for _ in range(_ROUNDS):
        crowded = False
        for number, (one, other) in enumerate(combinations(moved, 2)):
            wanted = radii[one] + radii[other] + _BETWEEN_NODES
            x, y = moved[other].x - moved[one].x, moved[other].y - moved[one].y
            distance = math.hypot(x, y)
            if distance >= wanted:
                continue
            crowded = True
            if not distance:  # any direction will do, but not the same one for all
                x, y, distance = math.cos(number), math.sin(number), 1.0
            step = (wanted - distance) / 2 / distance
            moved[one] = _kept_in(Point(moved[one].x - x * step, moved[one].y - y * step), radii[one], within)
            moved[other] = _kept_in(Point(moved[other].x + x * step, moved[other].y + y * step), radii[other], within)
        if not crowded:
            break
    return moved


def _kept_in(place: Point, radius: float, within: Box) -> Point:
    return Point(
        min(max(place.x, within.left + radius), within.right - radius),
        min(max(place.y, within.top + radius), within.bottom - radius),
    )


def _labels(nodes: Sequence[PortraitNode], places: Mapping[str, Point], within: Box) -> Iterator[Label]:
    """The names of the nodes in turn, each at the first place beside its circle that is free."""
    taken = [_around(places[node.id], radius_of(node)) for node in nodes]
    for node in nodes:
        text = shortened(node.name, NAME_LENGTH)
        for box, anchor in _beside(places[node.id], radius_of(node), width_of(text)):
            if _holds(within, box) and not _meets_any(box, taken):
                taken.append(box)
                yield Label(text=text, box=box, anchor=anchor)
                break


def _around(place: Point, radius: float) -> Box:
    return Box(place.x - radius, place.y - radius, place.x + radius, place.y + radius)


def _beside(place: Point, radius: float, width: float) -> Iterator[tuple[Box, Anchor]]:
    """Below, above, to the right, to the left, and in the four directions between them."""
    reach, aside = radius + 2, radius * 0.7 + 2
    rows: Mapping[str, float] = {
        "below": reach,
        "above": -reach - _LINE_HEIGHT,
        "level": -_LINE_HEIGHT / 2,
        "lower": aside,
        "upper": -aside - _LINE_HEIGHT,
    }
    columns: Mapping[Anchor, float] = {"middle": -width / 2, "start": reach, "end": -reach - width}
    for row, anchor in _DIRECTIONS:
        left = place.x + columns[anchor]
        top = place.y + rows[row]
        yield Box(left, top, left + width, top + _LINE_HEIGHT), anchor


def _holds(outer: Box, inner: Box) -> bool:
    return (
        outer.left <= inner.left
        and inner.right <= outer.right
        and outer.top <= inner.top
        and inner.bottom <= outer.bottom
    )


def _meets_any(box: Box, taken: Iterable[Box]) -> bool:
    return any(box.meets(other) for other in taken)
