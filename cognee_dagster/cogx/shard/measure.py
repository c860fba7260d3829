"""What a packed archive's records weigh and which nodes its facts join, as integers: what deciding on shards takes."""

from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from xxhash import xxh3_64_intdigest

from cognee_dagster.cogx.encode.exact_json import parse_line
from cognee_dagster.cogx.format import DOCUMENT_GROWTH_BYTES, DOCUMENTS_FILE, ENTITIES_FILE, FACTS_FILE, NODES_FILE
from cognee_dagster.cogx.read.safe_members import read_members
from cognee_dagster.cogx.shard.plan import GraphSizes, Integers

# In the order in which nodes are numbered: a chunk with a text begins a neighbourhood, so it comes early.
NODE_FILES = (DOCUMENTS_FILE, NODES_FILE, ENTITIES_FILE)


class _Ends(msgspec.Struct, gc=False):
    """Of a fact, all that matters here."""

    subject_ref: str
    object_ref: str


class _Typed(msgspec.Struct, gc=False):
    """Of a document or an entity, all that matters here."""

    external_id: str


class _Raw(msgspec.Struct, gc=False):
    """Of a raw node, all that matters here."""

    id: str


_decode_ends = msgspec.json.Decoder(_Ends).decode
_decode_typed = msgspec.json.Decoder(_Typed).decode
_decode_raw = msgspec.json.Decoder(_Raw).decode


@dataclass(frozen=True, kw_only=True)
class MeasuredArchive:
    """An archive without its contents.

    Attributes:
        sizes: Its graph. Records with the same id are one node.
        nodes_of: By record file, the node that each record belongs to, int32, in the order of the file.
    """

    sizes: GraphSizes
    nodes_of: dict[str, Integers]


def measure(path: Path) -> MeasuredArchive:
    """Read a packed archive that ``write_archive`` wrote, of any size.

    Ids are known by a hash of 64 bit: 8 bytes a node instead of a dictionary. Two nodes with one hash would only be
    taken for one: they stay together, and nothing is lost.

    Raises:
        ArchiveError: The archive is damaged.
    """
    keys = {name: array("Q") for name in NODE_FILES}
    lengths = {name: array("q") for name in (*NODE_FILES, FACTS_FILE)}
    sources, targets = array("Q"), array("Q")
    for member in read_members(path, any_size=True):
        if member.name == FACTS_FILE:
            for _, line in member.lines():
                ends = _decode_ends(line)
                sources.append(_key(ends.subject_ref))
                targets.append(_key(ends.object_ref))
                lengths[FACTS_FILE].append(len(line) + 1)
        elif member.name in keys:
            growth = 1 + (DOCUMENT_GROWTH_BYTES if member.name == DOCUMENTS_FILE else 0)
            id_of = _id_of_raw if member.name == NODES_FILE else _id_of_typed
            for _, line in member.lines():
                keys[member.name].append(_key(id_of(line)))
                lengths[member.name].append(len(line) + growth)
    return _numbered(keys, lengths, sources, targets)


def record_at(path: Path, *, file: str, index: int) -> Any:
    """One record of an archive; ``index`` counts from 0."""
    lines = (line for member in read_members(path, any_size=True) if member.name == file for _, line in member.lines())
    return parse_line(next(line for number, line in enumerate(lines) if number == index))


def _key(node_id: str) -> int:
    return xxh3_64_intdigest(node_id.encode("utf-8", "surrogatepass"))


def _id_of_typed(line: bytes) -> str:
    return _decode_typed(line).external_id


def _id_of_raw(line: bytes) -> str:
    try:
        return _decode_raw(line).id
    except msgspec.DecodeError:  # NaN and the like, which only raw nodes hold, or an id that is not a string
        return str(parse_line(line)["id"])


def _numbered(
    keys: dict[str, "array[int]"], lengths: dict[str, "array[int]"], sources: "array[int]", targets: "array[int]"
) -> MeasuredArchive:
    """Nodes by number instead of by key, in the order of their first record."""
    all_keys = np.concatenate([np.asarray(keys[name], np.uint64) for name in NODE_FILES])
    known, first, inverse = np.unique(all_keys, return_index=True, return_inverse=True)
    number_of = np.empty(len(known), np.int32)
    number_of[np.argsort(first)] = np.arange(len(known), dtype=np.int32)
    stops = np.cumsum([len(keys[name]) for name in NODE_FILES])
    nodes_of = dict(zip(NODE_FILES, np.split(number_of[inverse], stops[:-1]), strict=True))
    num_nodes = len(known) + 1  # the last one is nowhere: both ends of facts that have no end here
    columns = [_sums(nodes_of[name], np.asarray(lengths[name], np.int64), num_nodes) for name in NODE_FILES]
    ends = [_numbers(np.asarray(side, np.uint64), known, number_of) for side in (sources, targets)]
    # A fact with one missing end needs but the other one.
    starts, stops = (
        np.where(own >= 0, own, np.where(other >= 0, other, num_nodes - 1)) for own, other in (ends, ends[::-1])
    )
    sizes = GraphSizes(
        documents=columns[0],
        raw_nodes=columns[1],
        entities=columns[2],
        facts=np.asarray(lengths[FACTS_FILE], np.int64),
        sources=starts.astype(np.int32),
        targets=stops.astype(np.int32),
    )
    return MeasuredArchive(sizes=sizes, nodes_of=nodes_of)


def _sums(nodes: Integers, lengths: Integers, num_nodes: int) -> Integers:
    return np.bincount(nodes, weights=lengths, minlength=num_nodes).astype(np.int64)


def _numbers(keys: Integers, known: Integers, number_of: Integers) -> Integers:
    """The nodes of keys; -1 for a key that no record has."""
    if not len(known):
        return np.full(len(keys), -1, np.int32)
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[places] == keys, number_of[places], np.int32(-1))
