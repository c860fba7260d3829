"""Keys looked up among other keys, all at once."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.integer]


def places_in(known: "Integers", keys: "Integers") -> "Integers":
    """Where each key stands among the known ones, which are all different; -1 for a key that is not there. int32."""
    if not len(known):
        return np.full(len(keys), -1, np.int32)
    order = np.argsort(known)
    places = np.minimum(np.searchsorted(known, keys, sorter=order), len(known) - 1)
    found = order[places].astype(np.int32)
    return np.where(known[found] == keys, found, np.int32(-1))


def unmatched(places: "Integers", total: int) -> "Integers":
    """Of so many known keys, the places that nothing was found at."""
    is_there = np.zeros(total, bool)
    is_there[places[places >= 0]] = True
    return np.flatnonzero(~is_there)


def groups(values: "Integers") -> "dict[int, Integers]":
    """The places of each value, in their order."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1)).tolist() if len(ordered) else []
    stops = [*starts[1:], len(ordered)]
    return {int(ordered[start]): order[start:stop] for start, stop in zip(starts, stops, strict=False)}
