"""A packed COGX archive as a value, and the limits of a Cognee server."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cognee_dagster.cogx.format import (
    ARCHIVE_SUFFIX,
    COGNEE_SYSTEM,
    MAX_MEMBER_BYTES,
    MAX_MEMBERS,
    MAX_TOTAL_BYTES,
    SERVER_LIMITS,
    Limits,
)
from cognee_dagster.errors import ArchiveLimitError, GraphFileError
from cognee_dagster.graph.counting import counted

if TYPE_CHECKING:  # an archive is passed around by code that never touches Arrow
    from cognee_dagster.graph.reader import GraphSummary

__all__ = [
    "ARCHIVE_SUFFIX",
    "MAX_MEMBERS",
    "MAX_MEMBER_BYTES",
    "MAX_TOTAL_BYTES",
    "SERVER_LIMITS",
    "Archive",
    "Limits",
    "check_accepted",
    "check_limits",
    "limit_problems",
    "refused_nodes",
]


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A packed archive on disk.

    Attributes:
        path: The ``.cogx.tar.gz`` file.
        dataset_name: The dataset that it was made of; the default target of a push.
        num_nodes: Nodes of the graph (entities and raw nodes).
        num_edges: Edges of the graph (facts).
        digest: Content digest, 32 hex digits: see ``GraphSummary``.
        content_sha256: SHA-256 of what is in it, uncompressed, 64 hex digits: its identity. The same records give the
            same one, whatever the compressor makes of them; see ``cogx.digest.content_sha256``.
        sha256: SHA-256 of the file, 64 hex digits.
        size_bytes: Size of the file.
        record_counts: Number of records by kind, as in the manifest.
        member_bytes: Unpacked size by file name.
        summary: The whole graph's counts by type and relationship; None where the archive was not written just now.
        source_system: The system that it was exported from, as its manifest says.
        as_it_is: Whether a remote is to get this very file, byte by byte. Otherwise documents get ids of the remote
            dataset's own on the way.
    """

    path: Path
    dataset_name: str
    num_nodes: int
    num_edges: int
    digest: str
    content_sha256: str
    sha256: str
    size_bytes: int
    record_counts: dict[str, int]
    member_bytes: dict[str, int] = field(default_factory=dict)
    summary: "GraphSummary | None" = None
    source_system: str = COGNEE_SYSTEM
    as_it_is: bool = False

    @property
    def unpacked_bytes(self) -> int:
        """Size of all files together when unpacked."""
        return sum(self.member_bytes.values())


def limit_problems(member_bytes: dict[str, int], *, limits: Limits = SERVER_LIMITS) -> list[str]:
    """Why a Cognee server would refuse an archive of these files for its size; empty if it would not."""
    problems = []
    if len(member_bytes) > limits.members:
        problems.append(f"has {len(member_bytes):,} files; a Cognee server accepts {limits.members:,}")
    for name, size in member_bytes.items():
        if size > limits.member_bytes:
            problems.append(
                f"{name} has {size:,} bytes unpacked; a Cognee server accepts {limits.member_bytes:,} a file"
            )
    total = sum(member_bytes.values())
    if total > limits.total_bytes:
        problems.append(f"has {total:,} bytes unpacked; a Cognee server accepts {limits.total_bytes:,}")
    return problems


def check_accepted(archive: Archive) -> None:
    """Refuse what every Cognee server would refuse after the upload because of what is in it.

    Raises:
        GraphFileError: With the first nodes because of which it would.
    """
    if archive.summary is not None and (problem := refused_nodes(archive.summary)):
        raise GraphFileError(f"The graph of dataset {archive.dataset_name!r}: {problem}")


def refused_nodes(summary: "GraphSummary") -> str:
    """Because of which nodes a Cognee server refuses a graph, in words; empty if it takes it."""
    if not summary.refused_nodes:
        return ""
    return (
        f"a Cognee server refuses the whole import because of {counted(summary.refused_nodes, 'node')}: "
        f"{'; '.join(summary.refused_examples)}. Correct that in the graph."
    )


def check_limits(archive: Archive) -> None:
    """Refuse what every Cognee server would refuse after the upload.

    Raises:
        ArchiveLimitError: A file or the whole is larger than a server accepts.
    """
    if problems := limit_problems(archive.member_bytes):
        raise ArchiveLimitError(
            f"The archive of dataset {archive.dataset_name!r} is beyond a Cognee server's limits: "
            f"{'; '.join(problems)}. Cut it into several with cognee_dagster.cogx.shard.cut()."
        )
