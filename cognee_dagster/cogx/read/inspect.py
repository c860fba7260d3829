"""An archive on disk as a value: what is in it, and what it is known by."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.digest import combined, digest_of, digest_text
from cognee_dagster.cogx.format import COGNEE_SYSTEM, RECORD_KINDS
from cognee_dagster.cogx.read.manifest import dataset_name_of, read_manifest
from cognee_dagster.cogx.read.reader import ArchiveReader
from cognee_dagster.cogx.read.records import GRAPH_FILES
from cognee_dagster.cogx.read.safe_members import content_sha256_of, read_members
from cognee_dagster.cogx.write.tally import summarize
from cognee_dagster.system.files import sha256_of


def inspect_archive(path: Path) -> Archive:
    """An archive on disk as a value: reads it whole, to count its records and find its digest.

    Raises:
        ArchiveError: The archive is damaged or not valid.
        OSError: The file cannot be read.
    """
    manifest = read_manifest(path)
    with path.open("rb") as file:
        sha256 = sha256_of(file)
    member_bytes: dict[str, int] = {}
    counts: Counter[str] = Counter()
    digest = 0
    is_graph = manifest.source_system == COGNEE_SYSTEM
    for member in read_members(path):
        member_bytes[member.name] = member.size
        if member.name in RECORD_KINDS:
            lines = _counted(member.lines(), kind=RECORD_KINDS[member.name], counts=counts)
            digest = combined(digest, digest_of(lines))
            is_graph = is_graph and (member.name in GRAPH_FILES or not member.size)
    summary = summarize(ArchiveReader(path)) if is_graph else None
    return Archive(
        path=path,
        dataset_name=dataset_name_of(manifest, path),
        num_nodes=counts["entity"] + counts["raw_node"],
        num_edges=counts["fact"],
        digest=summary.digest if summary else digest_text(digest),
        content_sha256=content_sha256_of(path),
        sha256=sha256,
        size_bytes=path.stat().st_size,
        record_counts={kind: count for kind, count in counts.items() if count},
        member_bytes=member_bytes,
        summary=summary,
        source_system=manifest.source_system,
    )


def _counted(lines: Iterable[tuple[int, bytes]], *, kind: str, counts: Counter[str]) -> Iterator[bytes]:
    """The lines without their numbers, each counted as it passes."""
    for _, line in lines:
        counts[kind] += 1
        yield line
