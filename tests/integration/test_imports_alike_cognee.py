"""One archive through Cognee's own importer and through ours: a server then has the same rows in its three stores.

The archive is a part of one that Cognee itself exported. Ids of documents are unique over a server, and those of a
dataset follow from its name: so each import goes into the same dataset, which is deleted before the next.
"""

import json
import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from cognee_dagster import pushing
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.remote.connection import resolve_connection
from cognee_dagster.sandbox import CogneeServer
from cognee_dagster.sources import open_graph
from tests.archives_of_others import Records, pack

EXPORT = Path(__file__).parents[1] / "corpus" / "cognee" / "cogx"
DATASET = "imports_alike"
# When something was done, and in which run: that differs between two imports by Cognee itself.
VOLATILE = re.compile(r".*_at|last_accessed|.*run_id.*|.*run_refs|.*pipeline_run.*|slug", re.IGNORECASE)
RELATIONAL = ("data", "nodes", "edges", "provenance_edge_evidence")


@dataclass(frozen=True)
class Stored:
    """What a server holds of the dataset: graph, vectors by table, and rows of its relational tables."""

    graph: Any
    vectors: dict[str, list[str]]
    rows: dict[str, list[str]]


def one_documents_part() -> Records:
    """Of the export, a document with its chunk, summary and entities, and what is known between them."""
    records: Records = {
        path.name: [json.loads(line) for line in path.read_text().splitlines()] for path in EXPORT.glob("*.jsonl")
    }
    facts = records["facts.jsonl"]
    chunk = records["documents.jsonl"][0]["external_id"]
    kept = {chunk} | {end for fact in facts for end in ends(fact) if chunk in ends(fact)}
    kept |= {fact["object_ref"] for fact in facts if fact["predicate"] == "is_a" and fact["subject_ref"] in kept}
    return {
        name: [
            record for record in each
            if (set(ends(record)) if name == "facts.jsonl" else {record.get("external_id", record.get("id"))}) <= kept
        ]
        for name, each in records.items()
    }  # fmt: skip


def ends(fact: dict[str, Any]) -> tuple[str, str]:
    return fact["subject_ref"], fact["object_ref"]


def plain(value: Any) -> Any:
    """A value without what is volatile, also where it is written as JSON."""
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return plain(json.loads(value))
        except ValueError:
            return value
    if isinstance(value, dict):
        return {key: plain(each) for key, each in sorted(value.items()) if not VOLATILE.fullmatch(key)}
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def as_lines(rows: Iterable[Any]) -> list[str]:
    return sorted(json.dumps(plain(row), sort_keys=True, default=str) for row in rows)


def vectors_in(server: CogneeServer, dataset_id: str) -> dict[str, list[str]]:
    lancedb = pytest.importorskip("lancedb", reason="needs Cognee: pip install -e '.[cognee]'")
    (place,) = (server.directory / "system" / "databases").glob(f"*/{dataset_id}.lance.db")
    database = lancedb.connect(str(place))
    return {name: as_lines(database.open_table(name).to_arrow().to_pylist()) for name in database.list_tables().tables}


def rows_in(server: CogneeServer, dataset_id: str) -> dict[str, list[str]]:
    """What the relational store notes of the dataset's documents, nodes and edges."""
    found = {}
    with sqlite3.connect(f"file:{server.directory}/system/databases/cognee_db?mode=ro", uri=True) as database:
        database.row_factory = sqlite3.Row
        for table in RELATIONAL:
            rows = database.execute(
                f"SELECT * FROM {table} WHERE replace(dataset_id, '-', '') = ?", (dataset_id.replace("-", ""),)
            )
            found[table] = as_lines(dict(row) for row in rows)
    return found


@pytest.fixture(scope="module")
def stored(real_remote: CogneeServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stored]:
    """What is there after the archive came by Cognee's own way, by ours, by ours again, and as a graph."""
    path = pack(tmp_path_factory.mktemp("alike") / "part.cogx.tar.gz", "cognee", one_documents_part())
    connection = resolve_connection(real_remote.url, real_remote.api_key, environ={})
    options = PushOptions(target_dataset=DATASET)

    def theirs() -> None:
        answer = httpx.post(
            f"{real_remote.url}/api/v1/remember",
            data={"datasetName": DATASET, "content_type": "cogx-archive", "import_mode": "preserve"},
            files={"data": (path.name, path.read_bytes(), "application/gzip")},
            headers={"X-Api-Key": real_remote.api_key},
            timeout=300,
            trust_env=False,
        )
        assert answer.json()["status"] == "completed", answer.text

    def ours() -> None:
        assert pushing.push_archive_file(path, connection=connection, options=options).status == "completed"

    def as_graph() -> None:
        result = pushing.push_graph(open_graph(path), connection=connection, options=options)
        assert result.status == "completed"

    states: dict[str, Stored] = {}
    with CogneeClient(connection) as client:
        for name, deliver, anew in (
            ("theirs", theirs, True), ("ours", ours, True), ("ours twice", ours, False), ("as a graph", as_graph, True),
        ):  # fmt: skip
            found = client.find_dataset(DATASET)
            if anew and found is not None:
                client.delete_dataset(found.id)
            deliver()
            found = client.find_dataset(DATASET)
            assert found is not None
            graph = client.graph(found.id)
            states[name] = Stored(
                graph=(
                    as_lines({"id": n.id, "label": n.label, "type": n.type, **n.properties} for n in graph.nodes),
                    sorted(graph.triples()),
                ),
                vectors=vectors_in(real_remote, found.id),
                rows=rows_in(real_remote, found.id),
            )
    return states


@pytest.mark.timeout(900)
def test_there_is_something_in_every_store(stored: dict[str, Stored]) -> None:
    """Or all of the rest could be true of nothing."""
    theirs = stored["theirs"]
    assert {"DocumentChunk_text", "Entity_name", "EntityType_name", "EdgeType_relationship_name"} <= set(theirs.vectors)
    assert min(map(len, theirs.vectors.values())) >= 1
    assert len(theirs.rows["data"]) == 1
    assert len(theirs.graph[1]) > 20


@pytest.mark.timeout(900)
@pytest.mark.parametrize("way", ["ours", "ours twice"])
def test_graph_vectors_and_rows_are_those_of_cognees_own_import(stored: dict[str, Stored], way: str) -> None:
    assert stored[way].graph == stored["theirs"].graph
    assert stored[way].vectors == stored["theirs"].vectors
    assert stored[way].rows == stored["theirs"].rows


@pytest.mark.timeout(900)
def test_as_a_graph_it_is_the_same_but_for_the_ids_of_documents(stored: dict[str, Stored]) -> None:
    """Which bear the remote dataset's, so that one archive can be in several datasets of a server."""
    assert stored["as a graph"].graph == stored["theirs"].graph
    assert stored["as a graph"].vectors == stored["theirs"].vectors
    assert {table: len(rows) for table, rows in stored["as a graph"].rows.items()} == {
        table: len(rows) for table, rows in stored["theirs"].rows.items()
    }
