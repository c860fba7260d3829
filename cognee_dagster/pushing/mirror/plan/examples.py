"""The first records of each kind that a push to a mirror would add, change and remove."""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
import numpy as np

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.format import ENTITIES_FILE, FACTS_FILE, NODES_FILE
from cognee_dagster.cogx.read.safe_members import read_members
from cognee_dagster.pushing.comparison.wording import with_name, with_names
from cognee_dagster.pushing.mirror.graph.fingerprints import GraphFingerprints
from cognee_dagster.pushing.mirror.graph.records import RELATIONS, decode_fact
from cognee_dagster.pushing.mirror.plan.survey import MirrorSurvey

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.integer]

EXAMPLES = 5
_NOTHING = -1  # no node's number
Examples = Mapping[str, Mapping[str, Sequence[str]]]


class _Named(msgspec.Struct, gc=False):
    """Of a node's line, what it is called; ``id`` of a raw node, ``external_id`` of an entity."""

    name: str | None = None
    id: str | None = None
    external_id: str | None = None


_named = msgspec.json.Decoder(_Named, strict=False).decode


def first_examples(archives: Sequence[Archive], found: MirrorSurvey, removed_documents: Sequence[str]) -> Examples:
    """``{"nodes": {"added": [id and name, …], …}, "edges": …, "documents": …}``, at most ``EXAMPLES`` of each.

    A document is a chunk's text: the name is that of the document that the chunk is from.
    Of nodes that are gone the id is known, and of edges that are gone nothing but that they are.

    Args:
        archives: The graph's; they are read until all names are found.
        found: What there is, and what is to be done.
        removed_documents: What the documents are called that would be removed.

    Raises:
        ArchiveError: An archive is damaged.
    """
    difference, documents = found.plan.difference, found.documents
    nodes = {"added": difference.added_nodes[:EXAMPLES], "changed": difference.changed_nodes[:EXAMPLES]}
    edges = {"added": difference.added_edges[:EXAMPLES], "changed": difference.changed_edges[:EXAMPLES]}
    prints = found.fingerprints
    ends = [of_edges[some] for some in edges.values() for of_edges in (prints.sources, prints.targets)]
    sent = {
        "added": documents.added[:EXAMPLES],
        "changed": [name for name in documents.sent if name not in set(documents.added)][:EXAMPLES],
    }
    wholes = {chunk: whole for some in sent.values() for chunk in some if (whole := _whole(chunk, prints)) is not None}
    wanted = np.concatenate([*nodes.values(), *ends, np.array([*wholes.values()], np.int64)])
    lines = _lines(archives, found, (ENTITIES_FILE, NODES_FILE), wanted=wanted)
    names = {number: name for number, line in lines if (name := _name(line))}
    facts = dict(_lines(archives, found, (FACTS_FILE,), wanted=np.concatenate([*edges.values()])))
    ids, there = prints.ids, found.known.contents if found.known.confirmed is None else found.known.confirmed
    gone = there.node_ids[found.gone[0][:EXAMPLES]]
    return {
        "nodes": {
            **{
                what: [with_name(_id(ids[number]), names.get(number)) for number in some.tolist()]
                for what, some in nodes.items()
            },
            "removed": [_id(one) for one in gone],
        },
        "edges": {
            what: [_edge(number, facts[number], names=names, prints=prints) for number in some.tolist()]
            for what, some in edges.items()
        },
        "documents": {
            **{
                what: [with_name(chunk, names.get(wholes.get(chunk, _NOTHING))) for chunk in some]
                for what, some in sent.items()
            },
            "removed": removed_documents[:EXAMPLES],
        },
    }


def names_of(archives: Sequence[Archive], ids: Collection[str]) -> dict[str, str]:
    """What nodes are called in archives that have them, by id; those without a name are left out.

    Args:
        archives: They are read until all are found.
        ids: UUIDs, as text.

    Raises:
        ArchiveError: An archive is damaged.
    """
    names, left = dict[str, str](), set(ids)
    for archive in archives:
        for member in read_members(archive.path, any_size=True):
            if member.name not in (ENTITIES_FILE, NODES_FILE) or not left:
                continue
            for _, line in member.lines():
                with contextlib.suppress(msgspec.MsgspecError):
                    node = _named(line)
                    if (node_id := str(node.external_id or node.id)) in left:
                        left.discard(node_id)
                        names.update({node_id: node.name} if node.name else {})
    return names


def _lines(
    archives: Sequence[Archive], found: MirrorSurvey, files: Sequence[str], *, wanted: "Integers"
) -> Iterator[tuple[int, bytes]]:
    """The lines of some nodes or edges, by their number."""
    left = set(wanted.tolist())
    done = dict.fromkeys(files, 0)
    for archive in archives:
        for member in read_members(archive.path, any_size=True):
            if member.name not in files or not left:
                continue
            numbers = found.fingerprints.rows[member.name]
            for _, line in member.lines():
                number = int(numbers[done[member.name]])
                done[member.name] += 1
                if number in left:
                    left.discard(number)
                    yield number, line


def _whole(chunk: str, prints: GraphFingerprints) -> int | None:
    """The number of the document that a chunk's text is from: people know its name, and nobody knows the chunk's id."""
    try:
        node_id = np.frombuffer(UUID(chunk).bytes, np.uint8)
    except ValueError:  # of a graph that is not Cognee's
        return None
    is_chunk = (prints.ids == node_id).all(axis=1)
    parts = np.flatnonzero(prints.relations == RELATIONS["is_part_of"])
    found = parts[is_chunk[prints.sources[parts]]]
    return int(prints.targets[found[0]]) if len(found) else None


def _name(line: bytes) -> str | None:
    try:
        return _named(line).name
    except msgspec.MsgspecError:
        return None  # of some other kind than a string


def _edge(number: int, line: bytes, *, names: Mapping[int, str], prints: GraphFingerprints) -> str:
    fact = decode_fact(line)
    source, target = (names.get(int(ends[number])) for ends in (prints.sources, prints.targets))
    return with_names((fact.subject_ref, fact.predicate, fact.object_ref), source=source, target=target)


def _id(node_id: "Integers") -> str:
    return str(UUID(bytes=node_id.tobytes()))
