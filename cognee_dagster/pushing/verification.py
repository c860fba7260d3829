"""Whether what was sent is what the remote now has. A remote that has more is right: imports merge."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cognee_dagster.pushing.options import Verification
from cognee_dagster.remote.responses import RemoteGraph, migration_imports

if TYPE_CHECKING:  # a code location loads this module, and should not wait for Arrow
    from cognee_dagster.cogx.archive import Archive
    from cognee_dagster.remote.client import CogneeClient

_EXAMPLES = 5


def import_problems(
    client: "CogneeClient",
    archives: "Sequence[Archive]",
    response: Mapping[str, Any],
    *,
    target_dataset: str,
    verify: Verification,
) -> list[str]:
    """What a finished import lacks, in words; empty when nothing is known to be missing.

    Args:
        client: The remote.
        archives: What was sent; their files are read for ``graph``.
        response: The server's answer, with an item for each archive.
        target_dataset: Where it was sent.
        verify: How thoroughly to look.

    Raises:
        RemoteError: The remote graph cannot be read.
    """
    if verify == "off":
        return []
    problems = count_problems(archives, response)
    if verify == "graph":
        dataset = client.find_dataset(target_dataset)
        if dataset is None:
            return [*problems, f"The remote has no dataset {target_dataset!r} (any more). Push again."]
        problems += graph_problems(archives, client.graph(dataset.id))
    return problems


def count_problems(archives: "Sequence[Archive]", response: Mapping[str, Any]) -> list[str]:
    """What the answer to an upload says is missing; empty when all records were taken.

    Args:
        archives: What was sent.
        response: The server's answer. One that was not waited for (detached, recovered) has no counts to compare.
    """
    problems = []
    for archive, item in zip(archives, migration_imports(response), strict=False):
        if item.skipped_facts:
            problems.append(
                f"The remote dropped {item.skipped_facts} of {archive.num_edges} facts: they have an end that is no "
                "node of the archive. The check no_dangling_edges of the graph names some."
            )
        for kind, sent in archive.record_counts.items():
            read = item.record_counts.get(kind, 0)
            if item.record_counts and read < sent:
                problems.append(f"The remote read {read} of {sent} {kind} records. Push again.")
    return problems


def graph_problems(archives: "Iterable[Archive]", graph: RemoteGraph) -> list[str]:
    """Nodes and edges of the archives that the remote graph lacks, with examples; empty when it has them all.

    Memory grows with the remote graph, which ``graph`` holds already.

    Args:
        archives: What was sent; their files are read.
        graph: The remote graph, read after the import was finished.

    Raises:
        ArchiveError: An archive is damaged.
    """
    from cognee_dagster.cogx.read.reader import ArchiveReader

    ids, triples = graph.node_ids(), graph.triples()
    readers = [ArchiveReader(archive.path) for archive in archives]
    nodes = (_shown(node_id) for reader in readers for batch in reader.nodes() for node_id in batch["id"].to_pylist())
    edges = (
        (_shown(source), relationship, _shown(target))
        for reader in readers
        for batch in reader.edges()
        for source, target, relationship in zip(*(batch.column(i).to_pylist() for i in range(3)), strict=True)
    )
    return [
        *_missing("nodes", (node for node in nodes if node not in ids)),
        *_missing("edges", (" ".join(edge) for edge in edges if edge not in triples)),
    ]


def _missing(what: str, found: Iterable[str]) -> Iterator[str]:
    rest = iter(found)
    examples = list(islice(rest, _EXAMPLES))
    if examples:
        count = len(examples) + sum(1 for _ in rest)
        yield f"{count} {what} are missing on the remote, such as {'; '.join(examples)}. Push again."


def _shown(node_id: str) -> str:
    """An id as the remote shows it: UUIDs in their one canonical spelling."""
    try:
        return str(UUID(node_id))
    except ValueError:
        return node_id
