"""Whether what was sent is what the remote now has. A remote that has more is right: imports merge."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Literal
from uuid import UUID

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.reading import ArchiveReader
from cognee_dagster.remote.responses import RemoteGraph, migration_imports

Verify = Literal["counts", "graph", "off"]
"""``counts``: the server's own count of what it read; ``graph``: read the remote graph back; ``off``."""

_EXAMPLES = 5


def count_problems(archive: Archive, response: Mapping[str, Any]) -> list[str]:
    """What the answer to an upload says is missing; empty when all records were taken.

    Args:
        archive: What was sent.
        response: The server's answer. One that was not waited for (detached, recovered) has no counts to compare.
    """
    problems = []
    for item in migration_imports(response):
        if item.skipped_facts:
            problems.append(
                f"The remote dropped {item.skipped_facts} of {archive.num_edges} facts: an end of theirs is no node of "
                "the archive. The check no_dangling_edges of the graph names them."
            )
        for kind, sent in archive.record_counts.items():
            read = item.record_counts.get(kind, 0)
            if item.record_counts and read < sent:
                problems.append(f"The remote read {read} of {sent} {kind} records. Push again.")
    return problems


def graph_problems(archive: Archive, graph: RemoteGraph) -> list[str]:
    """Nodes and edges of the archive that the remote graph lacks, with examples; empty when it has them all.

    Memory grows with the remote graph, which ``graph`` holds already.

    Args:
        archive: What was sent; its file is read.
        graph: The remote graph, read after the import was finished.

    Raises:
        ArchiveError: The archive is damaged.
    """
    reader = ArchiveReader(archive.path)
    ids = graph.node_ids()
    triples = graph.triples()
    nodes = (_shown(node_id) for batch in reader.nodes() for node_id in batch.column("id").to_pylist())
    edges = (
        (_shown(source), relationship, _shown(target))
        for batch in reader.edges()
        for source, target, relationship in zip(*(batch.column(i).to_pylist() for i in range(3)), strict=True)
    )
    return [
        *_missing("nodes", archive.num_nodes, (node for node in nodes if node not in ids)),
        *_missing("edges", archive.num_edges, (" ".join(edge) for edge in edges if edge not in triples)),
    ]


def _missing(what: str, sent: int, found: Iterable[str]) -> Iterator[str]:
    rest = iter(found)
    examples = list(islice(rest, _EXAMPLES))
    if examples:
        count = len(examples) + sum(1 for _ in rest)
        yield f"{count} of {sent} {what} are missing on the remote, such as {'; '.join(examples)}. Push again."


def _shown(node_id: str) -> str:
    """An id as the remote shows it: UUIDs in their one canonical spelling."""
    try:
        return str(UUID(node_id))
    except ValueError:
        return node_id
