"""What an inspection remembers of the elements of a graph: counts, a number for each, and the first of them."""

import json
from array import array
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from cognee_dagster.sources.mapping.room import Room

SAMPLES = 20
SHOWN_NAME = 1_000  # characters of a name or an id in a sample
_SHOWN = 20_000  # of its properties
_Numbers = np.ndarray[Any, np.dtype[np.int64]]


class OnceEach:
    """Counts elements by kind, each once, as what it was at first; an element takes 12 bytes.

    Args:
        what: What their kinds are called.
        room: For the kinds' names.
    """

    def __init__(self, what: str, room: Room) -> None:
        self._what, self._room = what, room
        self._kinds: dict[str, int] = {}
        self._numbers = array("i")
        self._hashes = array("q")

    def add(self, identity: Hashable, *, kind: str) -> None:
        """Take note of an element."""
        self.add_mark(hash(identity), kind=kind)

    def add_mark(self, mark: int, *, kind: str) -> None:
        """Take note of an element by the hash of its identity.

        Raises:
            GraphFileError: There is no room for the names of more kinds.
        """
        self._room.add_kind(self._what, kind)
        self._hashes.append(mark)
        self._numbers.append(self._kinds.setdefault(kind, len(self._kinds)))

    @property
    def counts(self) -> Counter[str]:
        """How many there are of a kind."""
        _, first = np.unique(np.frombuffer(self._hashes, np.int64), return_index=True)
        counts = np.bincount(np.frombuffer(self._numbers, np.int32)[first], minlength=len(self._kinds))
        return Counter({kind: int(counts[number]) for kind, number in self._kinds.items() if counts[number]})


class Sightings:
    """Counts elements by kind, in all and each once; see ``OnceEach``."""

    def __init__(self, what: str, room: Room) -> None:
        self._what, self._room = what, room
        self.all: Counter[str] = Counter()
        self.first: list[dict[str, Any]] = []
        self._once = OnceEach(what, room)

    def add(self, batch: pa.RecordBatch, *, kinds: str, identity: Iterable[str], complete: Iterable[bool]) -> None:
        """Take note of a batch.

        Args:
            batch: The elements.
            kinds: The column that says what an element is.
            identity: The columns that say which one it is.
            complete: Whether each element counts as one that arrives.
        """
        names = [kind or "" for kind in batch.column(kinds).to_pylist()]
        for name in {*names}:
            self._room.add_kind(self._what, name)
        self.all.update(names)
        for number in range(min(batch.num_rows, SAMPLES - len(self.first))):
            self.first.append(_sample(batch.slice(number, 1).to_pylist()[0]))
        identities = zip(*(batch.column(name).to_pylist() for name in identity), strict=True)
        for name, which, counts in zip(names, identities, complete, strict=True):
            if counts:
                self._once.add(which, kind=name)

    @property
    def once(self) -> Counter[str]:
        """How many there are of a kind, each counted once, as what its first one is."""
        return self._once.counts


class Known:
    """Ids, eight bytes each: whether one is among them is true where it is, and nearly always false where it is not."""

    def __init__(self) -> None:
        self._hashes = array("q")
        self._in_order: _Numbers | None = None

    def add(self, ids: pa.Array) -> None:
        """Take note of ids, before the first one is asked for."""
        self._hashes.extend(map(hash, ids.to_pylist()))

    def has(self, ids: pa.Array) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        """Whether each of these is among them."""
        if self._in_order is None:
            self._in_order = np.unique(np.frombuffer(self._hashes, np.int64))
        if not len(self._in_order):
            return np.zeros(len(ids), np.bool_)
        asked = np.fromiter(map(hash, ids.to_pylist()), np.int64, len(ids))
        places = np.searchsorted(self._in_order, asked).clip(max=len(self._in_order) - 1)
        found: np.ndarray[Any, np.dtype[np.bool_]] = self._in_order[places] == asked
        return found


def _sample(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its properties beside its columns, which win; what is long is cut."""
    columns = {name: value and value[:SHOWN_NAME] for name, value in row.items() if name != "properties"}
    properties = json.loads(row["properties"]) if row["properties"] else {}
    return {**columns, **_cut({name: value for name, value in properties.items() if name not in columns})}


def _cut(values: Mapping[str, Any]) -> dict[str, Any]:
    left, shown = _SHOWN, {}
    for name, value in values.items():
        text = value if isinstance(value, str) else json.dumps(value)
        shown[name[:left]] = value if len(text) <= left else f"{text[:left]}…"
        left -= len(name) + len(text)
        if left <= 0:
            break
    return shown
