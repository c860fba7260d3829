"""Whether what was sent is what the remote now has. A remote that has more is right: imports merge."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, UUID, uuid5

from cognee_dagster import cogx
from cognee_dagster.pushing.options import Verification
from cognee_dagster.remote.responses import RemoteGraph, migration_imports

if TYPE_CHECKING:  # a code location loads this module, and should not wait for Arrow
    from cognee_dagster.cogx.archive import Archive
    from cognee_dagster.remote.client import CogneeClient

_EXAMPLES = 5

_Triple = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class GraphComparison:
    """A remote graph held against what was sent.

    Attributes:
        missing_nodes: Ids that the remote lacks, as it would show them.
        missing_edges: (source, relationship, target) that the remote lacks.
        other_names: Ids of nodes that are there under another name.
        extra_nodes: Ids that only the remote has.
        extra_edges: Edges that only the remote has.
        repeated_edges: How many edges of the archives are one with another: the remote keeps one of a kind between two
            nodes.
    """

    missing_nodes: Collection[str] = ()
    missing_edges: Collection[_Triple] = ()
    other_names: Collection[str] = ()
    extra_nodes: Collection[str] = ()
    extra_edges: Collection[_Triple] = ()
    repeated_edges: int = 0

    @property
    def problems(self) -> list[str]:
        """What is missing, in words; empty when the remote has all of it."""
        return [
            *_counted(self.missing_nodes, "nodes are missing on the remote", "Push again."),
            *_counted(map(" ".join, self.missing_edges), "edges are missing on the remote", "Push again."),
            *_counted(self.other_names, "nodes have another name on the remote", "Push again."),
        ]

    @property
    def remarks(self) -> list[str]:
        """What the remote has besides, in words: kept from earlier pushes, or put there by others."""
        return [
            *_counted(self.extra_nodes, "nodes are on the remote only"),
            *_counted(map(" ".join, self.extra_edges), "edges are on the remote only"),
        ]


@dataclass(frozen=True, kw_only=True)
class ImportFindings:
    """What a finished import lacks (``problems``) and what the remote has besides (``remarks``), in words."""

    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


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

    Raises:
        RemoteError: The remote graph cannot be read.
    """
    if verify == "off":
        return ImportFindings()
    problems = count_problems(archives, response)
    if verify == "counts":
        return ImportFindings(problems=problems)
    dataset = client.find_dataset(target_dataset)
    if dataset is None:
        return ImportFindings(
            problems=[*problems, f"The remote has no dataset {target_dataset!r} (any more). Push again."]
        )
    found = compare_graph(archives, client.graph(dataset.id))
    return ImportFindings(problems=[*problems, *found.problems], remarks=found.remarks)


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


def num_edges_there(num_edges: int, response: Mapping[str, Any]) -> int:
    """How many edges of a finished import the remote has: without those that it found to be one, and dropped ones.

    Args:
        num_edges: How many were sent.
        response: The server's answer. Hybrid imports do not say how many edges were one.
    """
    return num_edges - sum((item.deduped_edges or 0) + item.skipped_facts for item in migration_imports(response))


def compare_graph(archives: "Sequence[Archive]", graph: RemoteGraph) -> GraphComparison:
    """Hold a remote graph against the archives, by ids, names and (source, relationship, target).

    Memory grows with the remote graph, which ``graph`` holds already, and with the archives' ids.

    Args:
        archives: What was sent; their files are read.
        graph: The remote graph, read after the import was finished.

    Raises:
        ArchiveError: An archive is damaged.
    """
    readers = [cogx.ArchiveReader(archive.path) for archive in archives]
    named_there = {node.id: node.label for node in graph.nodes}
    ids = _RemoteIds()
    sent_nodes: dict[str, bool] = {}
    for reader in readers:
        for batch in reader.nodes():
            for node_id, name in zip(batch["id"].to_pylist(), batch["name"].to_pylist(), strict=True):
                there = ids.of_node(node_id, name)
                same = not name or _canonical(node_id) is None or (named_there.get(there) or name) == name
                sent_nodes[there] = same or sent_nodes.get(there, False)
    num_edges, sent_edges = 0, set[_Triple]()
    for reader in readers:
        for batch in reader.edges():
            num_edges += batch.num_rows
            sent_edges.update(
                (ids.of_end(source), relationship, ids.of_end(target))
                for source, target, relationship in zip(*(batch.column(i).to_pylist() for i in range(3)), strict=True)
            )
    triples = graph.triples()
    return GraphComparison(
        missing_nodes=[node_id for node_id in sent_nodes if node_id not in named_there],
        missing_edges=sorted(sent_edges - triples),
        other_names=[node_id for node_id, as_sent in sent_nodes.items() if not as_sent],
        extra_nodes=[node_id for node_id in named_there if node_id not in sent_nodes],
        extra_edges=sorted(triples - sent_edges),
        repeated_edges=num_edges - len(sent_edges),
    )


class _RemoteIds:
    """Which id a server gives what the archive has under another one.

    UUIDs are kept, in their one canonical spelling. An entity without one gets an id that is made from its name, and so
    does the end of a fact that names no node (Cognee 1.6.5, ``modules/migration/loader.py``).
    """

    def __init__(self) -> None:
        self._made: dict[str, str] = {}

    def of_node(self, node_id: str, name: str | None) -> str:
        kept = _canonical(node_id)
        return kept if kept is not None else self._made.setdefault(node_id, _id_for_entity(name or node_id))

    def of_end(self, node_id: str) -> str:
        return _canonical(node_id) or self._made.get(node_id) or _id_for_entity(node_id)


def _canonical(node_id: str) -> str | None:
    try:
        return str(UUID(node_id))
    except ValueError:
        return None


def _id_for_entity(name: str) -> str:
    """Cognee's own id of an entity of that name (1.6.5, ``infrastructure/engine/models/DataPoint.py``, ``id_for``)."""
    return str(uuid5(NAMESPACE_OID, f"Entity:{name.lower().replace(' ', '_').replace(chr(39), '')}"))


def _counted(found: Iterable[str], what: str, advice: str = "") -> Iterator[str]:
    rest = iter(found)
    examples = list(islice(rest, _EXAMPLES))
    if examples:
        count = len(examples) + sum(1 for _ in rest)
        yield f"{count} {what}, such as {'; '.join(examples)}. {advice}".rstrip()
