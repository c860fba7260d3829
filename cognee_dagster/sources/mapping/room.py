"""How much is kept of a graph from a file while it is read: names, whatever their number, within bounds."""

import math
import sys

from cognee_dagster.errors import GraphFileError

MAX_KEPT = 340 << 20  # bytes, as they are reckoned here: with libraries and what is at work, 512 MiB in all
_AT_WORK = 40 << 20  # more than that, where a part of the file is held
_NODE_BYTES = 200  # its id, and its place among the others
_EDGE_BYTES = 24
_KIND_BYTES = 1_000  # what is counted by name is in several tables, and is shown
_KIND_COPIES = 4
_PAIR_BYTES = 600  # of parallel edges, which are held until the last of them


class Room:
    """What may still be kept; without a bound for a graph that is in memory as it is.

    Args:
        left: Bytes.
        whose: What an error begins with, where nobody else says which file it is.
    """

    def __init__(self, left: float = math.inf, *, whose: str = "") -> None:
        self._left = left
        self._whose = whose
        self._kinds: dict[str, set[str]] = {}

    @classmethod
    def beside(cls, held: int) -> "Room":
        """The room beside so many bytes of a file that are held."""
        return cls(MAX_KEPT - (held + _AT_WORK if held else 0))

    def rest(self) -> "Room":
        """The same room, for one of several passes."""
        room = Room(self._left, whose=self._whose)
        room._kinds = {what: set(names) for what, names in self._kinds.items()}
        return room

    def add_node(self, name: str) -> None:
        """Keep a node's id and name.

        Raises:
            GraphFileError: There is no room for it; so do the others.
        """
        self._take(_NODE_BYTES + sys.getsizeof(name))

    def add_edge(self) -> None:
        """Keep what is noted of every edge."""
        self._take(_EDGE_BYTES)

    def add_kind(self, what: str, name: str) -> None:
        """Keep the name of a type, a relationship or an attribute, once."""
        if name not in (kinds := self._kinds.setdefault(what, set())):
            self._take(_KIND_BYTES + _KIND_COPIES * sys.getsizeof(name))
            kinds.add(name)

    def add_parallel(self, properties: str, *, is_first: bool) -> None:
        """Keep what one of several parallel edges says."""
        self._take(sys.getsizeof(properties) + (_PAIR_BYTES if is_first else 0))

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise GraphFileError(
                f"{self._whose}holds more than is kept in memory of a file: names of nodes, types, relationships and "
                f"attributes, and a JSON document itself, may take {MAX_KEPT >> 20} MiB together. Shorten them, write "
                "several files, or return it as a NetworkX graph from an asset."
            )
