"""Parallel edges of one name: Cognee keeps one edge of a name between two nodes, so that one says what all of them say.

To find them takes a first look at all edges, which keeps eight bytes of each; the edges themselves stay in memory only
where there are several.
"""

import json
from array import array
from collections.abc import Iterable, Iterator

import numpy as np

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.mapping.edges import EdgeRow
from cognee_dagster.sources.mapping.room import Room

EdgeKey = tuple[str, str, str]  # source, target, relationship
_TIMES = ("valid_at", "invalid_at")
_MAX_JOINED = 4 << 20  # characters of what parallel edges say together


def repeated_keys(keys: Iterable[EdgeKey]) -> frozenset[int]:
    """Hashes of the keys that come more than once."""
    hashes = np.frombuffer(array("q", map(hash, keys)), np.int64)
    found, counts = np.unique(hashes, return_counts=True)
    return frozenset(found[counts > 1].tolist())


def joined(rows: Iterable[EdgeRow], *, repeated: frozenset[int], room: Room) -> Iterator[EdgeRow]:
    """The rows, those of one key as one, which come last.

    Raises:
        GraphFileError: There is no room for what they say.
    """
    held: dict[EdgeKey, list[str]] = {}
    for row in rows:
        key = row[:3]
        if repeated and hash(key) in repeated:
            room.add_parallel(row[3], is_first=key not in held)
            held.setdefault(key, []).append(row[3])
        else:
            yield row
    for key, properties in held.items():
        yield (*key, properties[0] if len(properties) == 1 else _join(key, properties))


def _join(key: EdgeKey, texts: list[str]) -> str:
    """The first edge's properties, and a text of what all say; times that differ are said in it."""
    if (length := sum(map(len, texts))) > _MAX_JOINED:
        raise GraphFileError(
            f"has {len(texts):,} edges {key[0]} -[{key[2]:.60}]-> {key[1]}, which become one and say more than "
            f"{_MAX_JOINED:,} characters together: {length:,}. Give them different names, or leave most of them out."
        )
    first = json.loads(texts[0])
    lines: dict[str, None] = {}
    for each in map(json.loads, texts):
        lines.update(dict.fromkeys(each["edge_text"].split("\n")))
        lines.update(
            {f"{name}: {each[name]}": None for name in _TIMES if name in each and each[name] != first.get(name)}
        )
    return json.dumps({**first, "edge_text": "\n".join(lines)})
