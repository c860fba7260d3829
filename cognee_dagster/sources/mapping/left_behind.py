"""Which attributes do not arrive, counted while nodes and edges are read."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

# Of an ``Entity`` and of an edge a Cognee server keeps these.
_OF_ENTITIES = {"name", "type", "description", "created_at", "updated_at", "metadata", "text"}
RENAMED_TIMES = {"attribute_valid_at", "attribute_invalid_at"}  # those that are not times
_OF_EDGES = {"edge_text", "valid_at", "invalid_at", "relationship_name"}


class LeftBehind:
    """Counts attributes by name."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, name: str, value: Any) -> None:
        """Count one attribute of one element in, if it says anything."""
        if value is not None and value not in ("", [], {}):
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
