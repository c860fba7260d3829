"""Whether what was sent is what the remote now has. A remote that has more is right: imports merge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cognee_dagster.errors import RemoteError
from cognee_dagster.graph.counting import counted
from cognee_dagster.pushing.comparison.difference import GraphComparison
from cognee_dagster.pushing.options import Verification
from cognee_dagster.remote.responses import migration_imports

if TYPE_CHECKING:
    from cognee_dagster.cogx.archive import Archive
    from cognee_dagster.remote.client import CogneeClient


@dataclass(frozen=True, kw_only=True)
class ImportFindings:
    """What holding a finished import against what was sent has found.

    Attributes:
        problems: What it lacks, in words.
        remarks: What the remote has besides.
        not_compared: Why the remote graph could not be read back, where it was to be: the import is finished all the
            same.
    """

    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    not_compared: str = ""


def check_import(
    client: "CogneeClient",
    archives: "Sequence[Archive]",
    response: Mapping[str, Any],
    *,
    target_dataset: str,
    verify: Verification,
) -> ImportFindings:
    """Look whether a finished import brought everything.

    Args:
        client: The remote.
        archives: What was sent; their files are read for ``graph``.
        response: The server's answer, with an item for each archive.
        target_dataset: Where it was sent.
        verify: How thoroughly to look.
    """
    if verify == "off":
        return ImportFindings()
    problems = count_problems(archives, response)
    if verify == "counts":
        return ImportFindings(problems=problems)
    try:
        dataset = client.find_dataset(target_dataset)
        if dataset is None:
            gone = f"The remote has no dataset {target_dataset!r} (any more). Push again."
            return ImportFindings(problems=[*problems, gone])
        found = compare_graph(client, dataset.id, archives)
    except RemoteError as error:
        return ImportFindings(problems=problems, not_compared=str(error))
    return ImportFindings(problems=[*problems, *found.problems], remarks=found.remarks)


def count_problems(archives: "Sequence[Archive]", response: Mapping[str, Any]) -> list[str]:
    """What the answer to an upload says is missing; empty when all records were taken.

    Args:
        archives: What was sent.
        response: The server's answer. What stands in for one that was not waited for (detached, recovered) has the
            archive's own counts, so that nothing is missing by it.
    """
    dropped = [
        f"The remote dropped {item.skipped_facts} of {counted(archive.num_edges, 'fact')}, as an end is no "
        "node of the archive. The check no_dangling_edges of the graph names some."
        for archive, item in zip(archives, migration_imports(response), strict=False)
        if item.skipped_facts
    ]
    return [*dropped, *_unread_records(archives, response)]


def _unread_records(archives: "Sequence[Archive]", response: Mapping[str, Any]) -> list[str]:
    """What the answer to an upload says of records that were sent and not read."""
    return [
        f"The remote read {item.record_counts.get(kind, 0)} of {counted(sent, f'{kind} record')}. Push again."
        for archive, item in zip(archives, migration_imports(response), strict=False)
        for kind, sent in archive.record_counts.items()
        if item.record_counts and item.record_counts.get(kind, 0) < sent
    ]


def num_edges_there(num_edges: int, response: Mapping[str, Any]) -> int:
    """How many edges of a finished import the remote has: without those that it found to be one, and dropped ones.

    Args:
        num_edges: How many were sent.
        response: The server's answer. Hybrid imports do not say how many edges were one.
    """
    fewer = sum((item.deduped_edges or 0) + item.skipped_facts for item in migration_imports(response))
    return max(num_edges - fewer, 0)


def compare_graph(client: "CogneeClient", dataset_id: str, archives: "Sequence[Archive]") -> GraphComparison:
    """Hold a remote graph against the archives: ids, names, types and properties, and (source, relationship, target).

    Memory grows with the archives, and not with the remote graph.

    Args:
        client: The remote.
        dataset_id: Its dataset; after the import was finished.
        archives: What was sent; their files are read.

    Raises:
        ArchiveError: An archive is damaged.
        RemoteError: The remote graph cannot be read.
    """
    from cognee_dagster.pushing.comparison.rows import ComparedRows, SentGraph  # Arrow comes with it

    sent = SentGraph(archives)
    answer = client.read_graph(dataset_id, lambda: ComparedRows(sent))
    return replace(answer.rows.comparison(), unreadable=answer.skipped)
