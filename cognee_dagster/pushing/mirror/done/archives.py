"""The archives of a plan: of each segment the records that are to be sent, under its generation's name."""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.format import (
    ARCHIVE_SUFFIX,
    DOCUMENTS_FILE,
    ENTITIES_FILE,
    FACTS_FILE,
    MANIFEST_FILE,
    NODES_FILE,
    RECORD_KINDS,
)
from cognee_dagster.cogx.read.safe_members import Member, read_members
from cognee_dagster.cogx.write.spool import Spool, assemble
from cognee_dagster.pushing.mirror.graph.fingerprints import REPEATED, GraphFingerprints
from cognee_dagster.pushing.mirror.graph.generations import Generation
from cognee_dagster.pushing.mirror.graph.matching import groups
from cognee_dagster.pushing.mirror.graph.records import entity_as_raw_node
from cognee_dagster.pushing.mirror.plan.plan import SegmentUpload
from cognee_dagster.system.files import naming_full, unnamed_file

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.integer]

# Segments that are written at once, with two open files each; more take another reading of the graph.
_AT_ONCE = 64
_NOTE = "Segment {segment} of a mirror; entities are raw nodes, which keep their ids under any source system."


def write_segments(
    archives: Sequence[Archive],
    fingerprints: GraphFingerprints,
    uploads: Sequence[SegmentUpload],
    *,
    owner: str,
    directory: Path,
) -> Iterator[tuple[SegmentUpload, Archive]]:
    """Write what is sent of each segment, a few at a time.

    Args:
        archives: The graph's own archives; their files are read.
        fingerprints: What ``read_fingerprints`` made of them.
        uploads: Of which segments, which records.
        owner: Whose mirror it is.
        directory: Where the archives go; who sends one may delete it.

    Raises:
        ArchiveError: One of the graph's archives is damaged.
        OSError: The directory cannot be written.
    """
    manifest = _manifest(archives[0].path)
    for first in range(0, len(uploads), _AT_ONCE):
        some = uploads[first : first + _AT_ONCE]
        with ExitStack() as stack:
            segments = [stack.enter_context(_Segment(upload, directory)) for upload in some]
            _distribute(archives, fingerprints, segments)
            written = [segment.pack(archives[0], manifest, owner=owner) for segment in segments]
        yield from zip(some, written, strict=True)


def write_documents(archives: Sequence[Archive], external_ids: Iterable[str], directory: Path) -> Archive:
    """Write an archive of some documents alone; a server tags documents with the source system, ``cognee``.

    Raises:
        ArchiveError: One of the graph's archives is damaged.
        OSError: The directory cannot be written.
    """
    wanted = set(external_ids)
    with Spool(DOCUMENTS_FILE, file=unnamed_file(directory)) as spool:
        for member in _members(archives, DOCUMENTS_FILE):
            for _, line in member.lines():
                external_id = json.loads(line)["external_id"]
                if external_id in wanted:
                    wanted.discard(external_id)
                    spool.write(line + b"\n", records=1)
        return _packed(archives[0], _manifest(archives[0].path), [spool], directory / f"documents{ARCHIVE_SUFFIX}")


class _Segment:
    """One archive to be."""

    def __init__(self, upload: SegmentUpload, directory: Path) -> None:
        self.upload = upload
        self._directory = directory
        self._stack = ExitStack()
        self._spools = {
            name: self._stack.enter_context(Spool(name, file=unnamed_file(directory)))
            for name in (FACTS_FILE, NODES_FILE)
        }

    def __enter__(self) -> "_Segment":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, file: str, lines: Sequence[bytes]) -> None:
        self._spools[file].write(b"\n".join((*lines, b"")), records=len(lines))

    def pack(self, whole: Archive, manifest: Mapping[str, Any], *, owner: str) -> Archive:
        generation = Generation(owner=owner, segment=self.upload.segment, letter=self.upload.letter)
        note = _NOTE.format(segment=self.upload.segment)
        values = {**manifest, "source_system": generation.source_system, "notes": [*manifest.get("notes", ()), note]}
        path = self._directory / f"{generation.source_system}{ARCHIVE_SUFFIX}"
        return _packed(whole, values, [spool for spool in self._spools.values() if spool.size], path)


def _packed(whole: Archive, manifest: Mapping[str, Any], spools: Sequence[Spool], path: Path) -> Archive:
    counts = {RECORD_KINDS[spool.name]: spool.records for spool in spools}
    with Spool(MANIFEST_FILE, file=unnamed_file(path.parent)) as first:
        text = json.dumps({**manifest, "counts": counts}, indent=2, ensure_ascii=False)
        first.write(text.encode("utf-8", "backslashreplace"))
        with naming_full(path), path.open("wb") as file:
            packed = assemble([first, *spools], file)
    return dataclasses.replace(
        whole,
        path=path,
        num_nodes=counts.get("raw_node", 0),
        num_edges=counts.get("fact", 0),
        **dataclasses.asdict(packed),
        record_counts=counts,
        member_bytes={spool.name: spool.size for spool in (first, *spools)},
        summary=None,
    )


def _manifest(path: Path) -> dict[str, Any]:
    content = next(member for member in read_members(path, any_size=True) if member.name == MANIFEST_FILE).chunks()
    manifest: dict[str, Any] = json.loads(b"".join(content))
    return manifest


def _distribute(archives: Sequence[Archive], fingerprints: GraphFingerprints, segments: Sequence[_Segment]) -> None:
    """Read the graph once and give these segments their records."""
    nodes = _Places.of([segment.upload.nodes for segment in segments], len(fingerprints.node_keys))
    edges = _Places.of([segment.upload.edges for segment in segments], len(fingerprints.edge_keys))
    done = dict.fromkeys(fingerprints.rows, 0)
    for archive in archives:
        for member in read_members(archive.path, any_size=True):
            if member.name not in done:
                continue
            rows = fingerprints.rows[member.name][done[member.name] :]
            places = edges if member.name == FACTS_FILE else nodes
            done[member.name] += _distribute_file(member, rows, places, segments)


def _distribute_file(member: Member, rows: "Integers", places: "_Places", segments: Sequence[_Segment]) -> int:
    """Give the segments the records of one file; how many lines it has."""
    file = FACTS_FILE if member.name == FACTS_FILE else NODES_FILE
    start = 0
    for lines in member.blocks():
        for number, found in places.of_records(rows[start : start + len(lines)]):
            chosen = [lines[place] for place in found.tolist()]
            if member.name == ENTITIES_FILE:
                chosen = [entity_as_raw_node(line)[1] for line in chosen]
            segments[number].write(file, chosen)
        start += len(lines)
    return start


class _Places:
    """Which segments each record goes to."""

    def __init__(self, starts: "Integers", numbers: "Integers") -> None:
        self._starts = starts
        self._numbers = numbers

    @classmethod
    def of(cls, records: "Sequence[Integers]", total: int) -> "_Places":
        """Args: the records of each segment; how many records there are."""
        together = np.concatenate([*records, np.empty(0, np.int64)]).astype(np.int64)
        numbers = np.repeat(np.arange(len(records), dtype=np.int32), [len(some) for some in records])
        order = np.argsort(together, kind="stable")
        starts = np.searchsorted(together[order], np.arange(total + 1))
        return cls(starts, numbers[order])

    def of_records(self, records: "Integers") -> "Iterator[tuple[int, Integers]]":
        """``(segment, places)``: which of these records go to a segment."""
        starts = np.where(records == REPEATED, 0, self._starts[records])
        counts = np.where(records == REPEATED, 0, self._starts[records + 1] - starts)
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        numbers = self._numbers[np.repeat(starts, counts) + offsets]
        lines = np.repeat(np.arange(len(records)), counts)
        for number, found in groups(numbers).items():
            yield number, lines[found]


def _members(archives: Sequence[Archive], name: str) -> Iterator[Member]:
    for archive in archives:
        yield from (member for member in read_members(archive.path, any_size=True) if member.name == name)
