"""Parallel edges of one name: Cognee keeps one edge of a name between two nodes, so that one says what all of them say.

To find them takes a first look at all edges, which keeps eight bytes of each; the edges themselves stay in memory only
where there are several.
"""

import json
from array import array
from collections.abc import Iterable, Iterator

import numpy as np

from cognee_dagster.sources.mapping.edges import EdgeRow

EdgeKey = tuple[str, str, str]  # source, target, relationship
_TIMES = ("valid_at", "invalid_at")


def repeated_keys(keys: Iterable[EdgeKey]) -> frozenset[int]:
    """Hashes of the keys that come more than once."""
    hashes = np.frombuffer(array("q", map(hash, keys)), np.int64)
    found, counts = np.unique(hashes, return_counts=True)
    return frozenset(found[counts > 1].tolist())


def joined(rows: Iterable[EdgeRow], *, repeated: frozenset[int]) -> Iterator[EdgeRow]:
    """The rows, those of one key as one, which come last."""
    held: dict[EdgeKey, list[str]] = {}
    for row in rows:
        key = row[:3]
        if repeated and hash(key) in repeated:
            held.setdefault(key, []).append(row[3])
        else:
            yield row
    for key, properties in held.items():
        yield (*key, properties[0] if len(properties) == 1 else _join([json.loads(text) for text in properties]))


def _join(properties: list[dict[str, str]]) -> str:
    """The first edge's properties, and a text of what all say; times that differ are said in it."""
    first = properties[0]
    lines: dict[str, None] = {}
    for each in properties:
        lines.update(dict.fromkeys(each["edge_text"].split("\n")))
        lines.update(
            {f"{name}: {each[name]}": None for name in _TIMES if name in each and each[name] != first.get(name)}
        )
    return json.dumps({**first, "edge_text": "\n".join(lines)})
