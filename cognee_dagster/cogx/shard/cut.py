"""``cut``: an archive of a graph of any size as it is or, beyond a server's limits, as several.

Each shard is valid by itself: a fact travels with the full records of both its end nodes, because a Cognee server
skips a fact whose end is not in the same archive, and a bare stub would overwrite the description that the remote has
(measured on 1.6.5). A document is only in the shard that its node is at home in, since a server ignores a second one.

The graph is written whole first and cut from that file: the store is read once, so that the shards cannot hold two
states of it, and is closed before; a graph within the limits costs nothing more. Of the whole, only integers are held
in memory.
"""

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cognee_dagster.cogx.archive import Archive, limit_problems
from cognee_dagster.cogx.format import (
    ARCHIVE_SUFFIX,
    DOCUMENT_GROWTH_BYTES,
    DOCUMENTS_FILE,
    FACTS_FILE,
    MANIFEST_FILE,
    RECORD_KINDS,
    SERVER_LIMITS,
    Limits,
)
from cognee_dagster.cogx.read.safe_members import read_members
from cognee_dagster.cogx.shard.measure import MeasuredArchive, measure, record_at
from cognee_dagster.cogx.shard.plan import FactTooLargeError, Integers, NodeTooLargeError, ShardPlan, plan_shards
from cognee_dagster.cogx.write.spool import Spool, assemble
from cognee_dagster.cogx.write.writer import RECORD_FILES, Progress
from cognee_dagster.errors import ArchiveLimitError
from cognee_dagster.system.files import replacing, unnamed_file

# Shards that are written at once, with four open files each; more shards take another reading of the whole.
_SHARDS_AT_ONCE = 16
# A tar header and padding for each file, and the end of the tar: some readers count them, too.
_TAR_BYTES = 1024 * (len(RECORD_FILES) + 2)


def cut(
    whole: Archive, *, limits: Limits = SERVER_LIMITS, progress: Callable[[Progress], None] | None = None
) -> tuple[Archive, ...]:
    """Make several archives of one that is beyond the limits; one that is not stays what it is.

    The shards are put beside it and replace it: ``graph.cogx.tar.gz`` becomes ``graph.1-of-3.cogx.tar.gz`` and so on;
    to be pushed in this order. They count every node and edge once: their ``num_nodes`` and ``num_edges`` add up to the
    graph's, while ``record_counts`` are of the records in the file. All have digest and summary of the whole graph. The
    same archive gives the same files.

    Args:
        whole: What ``write_archive`` wrote.
        limits: What one archive may hold.
        progress: Called while the shards are written, from this thread.

    Raises:
        ArchiveLimitError: One node, or one edge with its ends, is beyond the limits; the message names it. The archive
            is gone: nobody could import it.
        OSError: The shards cannot be written.
    """
    if not limit_problems(_pushed_bytes(whole), limits=limits):
        return (whole,)
    try:
        return _cut(whole, limits=limits, progress=progress)
    finally:
        whole.path.unlink(missing_ok=True)


def _pushed_bytes(archive: Archive) -> dict[str, int]:
    """Sizes by file as the archive will be uploaded."""
    growth = DOCUMENT_GROWTH_BYTES * archive.record_counts.get("document", 0)
    return {name: size + (growth if name == DOCUMENTS_FILE else 0) for name, size in archive.member_bytes.items()}


def _cut(whole: Archive, *, limits: Limits, progress: Callable[[Progress], None] | None) -> tuple[Archive, ...]:
    measured = measure(whole.path)
    manifest = _Manifest.of(whole.path)
    overhead = len(manifest.encode(whole.record_counts, shard=10**6, num_shards=10**6)) + _TAR_BYTES
    available = dataclasses.replace(limits, total_bytes=limits.total_bytes - overhead)
    try:
        plan = plan_shards(measured.sizes, limits=available)
    except NodeTooLargeError as error:
        raise _node_too_large(whole, measured, error.node, limits) from error
    except FactTooLargeError as error:
        raise _fact_too_large(whole, error.fact, limits) from error
    # Each takes its name when all of them are written.
    with contextlib.ExitStack() as stack:
        paths = [(path, stack.enter_context(replacing(path))) for path in _names(whole.path, plan.num_shards)]
        written = []
        readings = range(0, plan.num_shards, _SHARDS_AT_ONCE)
        for reading, first in enumerate(readings):
            numbers = range(first, min(first + _SHARDS_AT_ONCE, plan.num_shards))
            with contextlib.ExitStack() as files:
                shards = [files.enter_context(_Shard(number, directory=whole.path.parent)) for number in numbers]
                for done in _distribute(whole, _Destinations(plan, measured, numbers), shards):
                    if progress is not None:
                        read, total = (times * whole.unpacked_bytes for times in (reading, len(readings)))
                        progress(Progress(phase="cutting", done=read + done, total=total))
                written += [shard.pack(whole, manifest, *paths[shard.number], total=len(paths)) for shard in shards]
    return tuple(written)


def _names(whole: Path, total: int) -> list[Path]:
    stem, digits = whole.name.removesuffix(ARCHIVE_SUFFIX), len(str(total))
    return [whole.with_name(f"{stem}.{number:0{digits}}-of-{total}{ARCHIVE_SUFFIX}") for number in range(1, total + 1)]


class _Manifest:
    """The manifest of the whole; each shard's differs in the counts and in a note more."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    @classmethod
    def of(cls, archive: Path) -> "_Manifest":
        content = next(m for m in read_members(archive, any_size=True) if m.name == MANIFEST_FILE).chunks()
        return cls(json.loads(b"".join(content)))

    def encode(self, counts: dict[str, int], *, shard: int, num_shards: int) -> bytes:
        notes = [
            *self._values["notes"],
            f"Part {shard} of {num_shards}; facts have both their ends in the same part.",
        ]
        values = {**self._values, "counts": counts, "notes": notes}
        text = json.dumps(values, indent=2, ensure_ascii=False)
        return text.encode("utf-8", "backslashreplace")


class _Shard:
    """One archive to be, of which ``number`` counts from 0."""

    def __init__(self, number: int, *, directory: Path) -> None:
        self.number = number
        self.num_nodes = 0
        self._stack = contextlib.ExitStack()
        self._directory = directory
        self._spools = {
            name: self._stack.enter_context(Spool(name, file=unnamed_file(directory))) for name in RECORD_FILES
        }
        self._counts = dict.fromkeys(RECORD_FILES, 0)

    def write(self, file: str, lines: Sequence[bytes]) -> None:
        """Append records."""
        self._counts[file] += len(lines)
        self._spools[file].write(b"\n".join((*lines, b"")))

    def pack(self, whole: Archive, manifest: _Manifest, path: Path, temporary: Path, *, total: int) -> Archive:
        """Write the file that is to be called ``path``, under a temporary name."""
        counts = {RECORD_KINDS[file]: count for file, count in self._counts.items() if count}
        with self._stack, Spool(MANIFEST_FILE, file=unnamed_file(self._directory)) as first:
            first.write(manifest.encode(counts, shard=self.number + 1, num_shards=total))
            members = [first, *(spool for spool in self._spools.values() if spool.size)]
            with temporary.open("xb") as file:
                packed = assemble(members, file)
        return dataclasses.replace(
            whole,
            path=path,
            num_nodes=self.num_nodes,
            num_edges=counts.get("fact", 0),
            **dataclasses.asdict(packed),
            record_counts=counts,
            member_bytes={spool.name: spool.size for spool in members},
        )

    def __enter__(self) -> "_Shard":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


class _Destinations:
    """The shards, of a range, that each record goes to."""

    def __init__(self, plan: ShardPlan, measured: MeasuredArchive, numbers: range) -> None:
        self._plan = plan
        self._nodes_of = measured.nodes_of
        self._numbers = numbers
        chosen = (plan.copied_to >= numbers.start) & (plan.copied_to < numbers.stop)
        order = np.argsort(plan.copied_nodes[chosen], kind="stable")
        self._copied_nodes = plan.copied_nodes[chosen][order]
        self._copied_to = plan.copied_to[chosen][order]

    def of(self, file: str, records: slice) -> Iterator[tuple[int, Integers]]:
        """``(shard, indices)``: which of these records of a file go to a shard."""
        if file == FACTS_FILE:
            yield from self._by_shard(self._plan.facts[records])
            return
        nodes = self._nodes_of[file][records]
        homes = self._plan.homes[nodes]
        if file == DOCUMENTS_FILE:
            yield from self._by_shard(homes)
            return
        starts = np.searchsorted(self._copied_nodes, nodes, "left")
        counts = np.searchsorted(self._copied_nodes, nodes, "right") - starts
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        copies = self._copied_to[np.repeat(starts, counts) + offsets]
        indices = np.concatenate((np.arange(len(nodes)), np.repeat(np.arange(len(nodes)), counts)))
        yield from self._by_shard(np.concatenate((homes, copies)), indices)

    def num_at_home(self, file: str, records: slice) -> Iterator[tuple[int, int]]:
        """How many of these records are of nodes that are at home in a shard."""
        for shard, indices in self._by_shard(self._plan.homes[self._nodes_of[file][records]]):
            yield shard, len(indices)

    def _by_shard(self, shards: Integers, indices: Integers | None = None) -> Iterator[tuple[int, Integers]]:
        for shard in np.unique(shards).tolist():
            if shard in self._numbers:
                found = np.flatnonzero(shards == shard)
                yield shard, found if indices is None else np.sort(indices[found])


def _distribute(whole: Archive, destinations: _Destinations, shards: list[_Shard]) -> Iterator[int]:
    """Read the whole archive once and give these shards their records, in its order; tells the bytes done so far."""
    by_number = {shard.number: shard for shard in shards}
    done = 0
    for member in read_members(whole.path, any_size=True):
        if member.name not in RECORD_FILES:
            continue
        start = 0
        for lines in member.blocks():
            records = slice(start, start + len(lines))
            for number, indices in destinations.of(member.name, records):
                by_number[number].write(member.name, [lines[index] for index in indices.tolist()])
            if member.name not in (DOCUMENTS_FILE, FACTS_FILE):
                for number, count in destinations.num_at_home(member.name, records):
                    by_number[number].num_nodes += count
            start = records.stop
            done += sum(map(len, lines)) + len(lines)
            yield done


def _node_too_large(whole: Archive, measured: MeasuredArchive, node: int, limits: Limits) -> ArchiveLimitError:
    for file, nodes in measured.nodes_of.items():
        for index in np.flatnonzero(nodes == node).tolist():
            record = record_at(whole.path, file=file, index=index)
            node_id = record.get("external_id") or record.get("id")
            return _too_large(whole, f"node {node_id!r}", limits)
    raise AssertionError("unreachable: a node without a record has no size")


def _fact_too_large(whole: Archive, fact: int, limits: Limits) -> ArchiveLimitError:
    record = record_at(whole.path, file=FACTS_FILE, index=fact)
    edge = f"{record['subject_ref']!r} -[{record['predicate']}]-> {record['object_ref']!r}"
    return _too_large(whole, f"edge {edge} with the records of its ends", limits)


def _too_large(whole: Archive, what: str, limits: Limits) -> ArchiveLimitError:
    return ArchiveLimitError(
        f"Dataset {whole.dataset_name!r} cannot be cut into archives that a Cognee server accepts: {what} is larger "
        f"than one archive may be ({limits.member_bytes:,} bytes a file, {limits.total_bytes:,} in all). Divide the "
        "text, or remove the node, and try again."
    )
