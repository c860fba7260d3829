"""All that a real Cognee server has of a dataset, and how two datasets differ."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

import httpx

from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.sandbox import CogneeServer
from tests.rounds.graph import FormerEntries

EDGE_TEXTS = "EdgeType_relationship_name"
_EXAMPLES = 3
_VOLATILE = frozenset({"created_at", "updated_at"})


@dataclass(frozen=True, kw_only=True)
class RemoteContents:
    """What a dataset holds, without anything that is its own and nobody else's, such as its id.

    Attributes:
        nodes: Name, type and properties by node id.
        triples: (source, relationship, target), each as often as it is there.
        documents: (external id, text), each as often as it is there.
        vectors: By collection (id, text, vector), each as often as it is there.
    """

    nodes: Mapping[str, tuple[str, str, str]]
    triples: Counter[tuple[str, str, str]]
    documents: Counter[tuple[str, str]]
    vectors: Mapping[str, Counter[tuple[str, str, int]]]

    def without(self, nodes: Set[str]) -> "RemoteContents":
        """All but some nodes, which have neither edges nor documents."""
        vectors = {
            name: Counter({row: times for row, times in rows.items() if row[0] not in nodes})
            for name, rows in self.vectors.items()
        }
        return replace(
            self,
            nodes={node_id: row for node_id, row in self.nodes.items() if node_id not in nodes},
            vectors={name: rows for name, rows in vectors.items() if rows},
        )


def read_contents(server: CogneeServer, client: CogneeClient, dataset_id: str) -> RemoteContents:
    """Ask the server for graph and documents, and look at its vectors in its own files."""
    graph = client.graph(dataset_id)
    assert graph.skipped == 0, graph.problem
    return RemoteContents(
        nodes={node.id: (node.label, node.type, _shown(node.properties)) for node in graph.nodes},
        triples=Counter((edge.source, edge.label, edge.target) for edge in graph.edges),
        documents=Counter(_documents(client, dataset_id)),
        vectors=_vectors(server, dataset_id),
    )


def differences(found: RemoteContents, wanted: RemoteContents, *, former: FormerEntries) -> list[str]:
    """What is missing, too much or other than it should be; empty where both hold the same.

    Args:
        found: What is there.
        wanted: What should be.
        former: What the graph has had before: vectors of that may be left (docs/mirrors.md).
    """
    lines = [
        *_of(Counter(found.nodes.items()), Counter(wanted.nodes.items()), "node"),
        *_of(found.triples, wanted.triples, "edge"),
        *_of(found.documents, wanted.documents, "document"),
    ]
    for name in sorted({*found.vectors, *wanted.vectors}):
        here, there = (contents.vectors.get(name, Counter()) for contents in (found, wanted))
        here = Counter({row: times for row, times in here.items() if row in there or not _is_former(name, row, former)})
        lines += _of(here, there, f"vector of {name}")
    return lines


def _is_former(collection: str, row: tuple[str, str, int], former: FormerEntries) -> bool:
    if collection == EDGE_TEXTS:
        return row[1] in former.edge_texts
    return (collection, row[0]) in former.of_nodes


def _of(found: Counter[Any], wanted: Counter[Any], kind: str) -> Iterator[str]:
    for words, rows in (("missing", wanted - found), ("too much", found - wanted)):
        if rows:
            examples = "; ".join(str(row)[:200] for row in sorted(rows, key=str)[:_EXAMPLES])
            yield f"{rows.total()} times {words}: {kind}, such as {examples}"


def _shown(properties: Mapping[str, Any]) -> str:
    return json.dumps({key: value for key, value in properties.items() if key not in _VOLATILE}, sort_keys=True)


def _documents(client: CogneeClient, dataset_id: str) -> Iterator[tuple[str, str]]:
    """What documents are known by in the archive, and their texts as the server gives them back."""
    headers = {"X-Api-Key": client.connection.api_key.get_secret_value()} if client.connection.api_key else {}
    with httpx.Client(base_url=client.connection.url, headers=headers, timeout=120, trust_env=False) as http:
        for row in client.data(dataset_id):
            answer = http.get(f"/api/v1/datasets/{dataset_id}/data/{row.id}/raw")
            assert answer.status_code == httpx.codes.OK, answer.text
            yield str(row.external_id).removeprefix(f"{dataset_id}:"), answer.text


def _vectors(server: CogneeServer, dataset_id: str) -> dict[str, Counter[tuple[str, str, int]]]:
    import lancedb

    found = {}
    stores = [path for path in server.directory.rglob(f"*{dataset_id}*lance*") if path.is_dir()]
    for directory in stores or server.directory.rglob("*.lancedb"):  # one for all, with access control off
        database = lancedb.connect(directory)
        for name in database.list_tables().tables:
            rows = database.open_table(name).to_arrow().select(["id", "payload", "vector"]).to_pylist()
            found[name] = Counter((str(row["id"]), row["payload"]["text"], hash(tuple(row["vector"]))) for row in rows)
    return {name: rows for name, rows in found.items() if rows}
