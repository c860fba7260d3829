"""Which attributes do not arrive, counted while nodes and edges are read."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from cognee_dagster.sources.elements import Edge, Node
from cognee_dagster.sources.mapping.rules import Rules
from cognee_dagster.sources.mapping.values import json_attributes

# Of an ``Entity`` and of an edge a Cognee server keeps these.
_OF_ENTITIES = {"name", "type", "description", "created_at", "updated_at", "metadata", "text"}
RENAMED_TIMES = {"attribute_valid_at", "attribute_invalid_at"}  # those that are not times
_OF_EDGES = {"edge_text", "valid_at", "invalid_at", "relationship_name"}
_SAYS_NOTHING: tuple[Any, ...] = (
    None,
    "",
    [],
    {},
    "[]",
    "{}",
)  # the last two are GraphML's way to write the two before


class LeftBehind:
    """Counts attributes by name."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, name: str, value: Any) -> None:
        """Count one attribute of one element in, if it says anything."""
        if value not in _SAYS_NOTHING:
            self.counts[name] += 1

    def add_all(self, values: Mapping[str, Any], names: Iterable[str]) -> None:
        """Count some attributes of one element in."""
        for name in names:
            if name in values:
                self.add(name, values[name])

    def of_entity(self, values: Mapping[str, Any], *, used: Iterable[str | None]) -> None:
        """Count what an ``Entity`` has beside what the server keeps of it."""
        self.add_all(values, set(values) - _OF_ENTITIES - set(used))

    def of_edge(self, values: Mapping[str, Any], *, used: str | None) -> None:
        """Count what an edge has beside what the server keeps of it."""
        for name in set(values) - _OF_EDGES - {used}:
            self.add(name.removeprefix("attribute_") if name in RENAMED_TIMES else name, values[name])


def kept_attributes(element: Node | Edge, *, rules: Rules, left: LeftBehind) -> dict[str, Any]:
    """The attributes of an element as JSON, without those that a profile or mapping drops, which are counted.

    Raises:
        GraphFileError: An attribute has no form in JSON; the message names it.
    """
    values = json_attributes(element)
    dropped = rules.dropped_from_nodes if isinstance(element, Node) else rules.dropped_from_edges
    for name in dropped & values.keys():
        left.add(name, values.pop(name))
    return values
