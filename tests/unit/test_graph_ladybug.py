"""Reading a Ladybug file gives what Cognee's own reader gives, in bounded pages, beside a writer."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ladybug
import pytest

import cognee_dagster.sources.cognee.ladybug_reader as reading
from cognee_dagster.errors import LocalCogneeError, StoreBusyError, StoreFormatError
from cognee_dagster.graph.reader import EDGE_SCHEMA, NODE_SCHEMA, GraphOrigin
from cognee_dagster.sources.cognee.ladybug_reader import LadybugReader, open_ladybug_file
from tests.unit.local_stores import TinyGraph

ORIGIN = GraphOrigin(dataset_name="tiny")


def nodes_of(reader: LadybugReader) -> list[dict[str, Any]]:
    return [row for batch in reader.nodes() for row in batch.to_pylist()]


def edges_of(reader: LadybugReader) -> list[dict[str, Any]]:
    return [row for batch in reader.edges() for row in batch.to_pylist()]


def read(path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    with open_ladybug_file(path, origin=ORIGIN, wait_seconds=0.2) as reader:
        return nodes_of(reader), edges_of(reader)


def record(row: dict[str, Any]) -> dict[str, Any]:
    """What a row means: a null column is no property, the object's values win."""
    columns = {key: row[key] for key in ("name", "type") if row[key] is not None}
    return {**columns, **(json.loads(row["properties"]) if row["properties"] is not None else {})}


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """Ten nodes in a row, and back from the last to the first."""
    path = tmp_path / "chain.lbug"
    with TinyGraph(path) as graph:
        for number in range(10):
            graph.add_node(f"n{number}", f"Node {number}", number=number)
        for number in range(10):
            graph.add_edge(
                f"n{number}", f"n{(number + 1) % 10}", f"rel{number}", json.dumps({"edge_text": f"e{number}"})
            )
    return path


def test_batches_have_the_readers_schemas(chain: Path) -> None:
    with open_ladybug_file(chain, origin=ORIGIN) as reader:
        assert [batch.schema for batch in reader.nodes()] == [NODE_SCHEMA]
        assert next(reader.edges()).schema == EDGE_SCHEMA


def test_nodes_and_edges_come_with_names_types_and_properties(chain: Path) -> None:
    nodes, edges = read(chain)
    assert nodes[3] == {"id": "n3", "name": "Node 3", "type": "Entity", "properties": '{"number": 3}'}
    assert {"source": "n9", "target": "n0", "relationship": "rel9", "properties": '{"edge_text": "e9"}'} in edges
    assert (len(nodes), len(edges)) == (10, 10)


@pytest.mark.parametrize(
    ("nodes", "edges", "edge_bytes", "edge_rows"),
    [(1, 1, 1, 1), (3, 4, 1, 3), (10, 10, 1 << 20, 2), (100, 100, 1 << 20, 100), (3, 1, 1 << 20, 11)],
)
def test_rows_and_their_order_do_not_depend_on_the_page_size(
    chain: Path, nodes: int, edges: int, edge_bytes: int, edge_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TinyGraph(chain, create=False) as graph:
        for number in range(6):
            graph.add_edge("n3", f"n{number}", "more")
    whole = read(chain)
    monkeypatch.setattr(reading, "NODE_PAGE", nodes)
    monkeypatch.setattr(reading, "ID_PAGE", nodes)
    monkeypatch.setattr(reading, "FIRST_EDGE_PAGE", edges)
    monkeypatch.setattr(reading, "EDGE_PAGE_BYTES", edge_bytes)
    monkeypatch.setattr(reading, "EDGE_PAGE_ROWS", edge_rows)
    assert read(chain) == whole


def test_a_page_of_edges_shrinks_where_they_become_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "growing.lbug"
    with TinyGraph(path) as graph:
        graph.add_nodes({"id": f"n{n:03d}", "name": str(n), "type": "T", "properties": "{}"} for n in range(400))
        graph.connection.execute(
            "MATCH (a:Node), (b:Node {id: 'n000'}) "
            "CREATE (a)-[:EDGE {relationship_name: 'has', properties: "
            "repeat('x', CASE WHEN a.id < 'n200' THEN 500 ELSE 10000 END)}]->(b)"
        )
    monkeypatch.setattr(reading, "FIRST_EDGE_PAGE", 10)
    monkeypatch.setattr(reading, "EDGE_PAGE_BYTES", 50_000)
    with open_ladybug_file(path, origin=ORIGIN) as reader:
        pages = [page.num_rows for page in reader._edge_pages(400)]
    assert pages[:4] == [10, 20, 40, 80]  # less than half of what a page may have
    assert max(pages[4:6]) == 80
    assert set(pages[6:-1]) == {4}  # of 10 kB each; the last one is what is left
    assert sum(pages) == 400


def test_nodes_and_edges_can_be_read_again_and_in_any_order(chain: Path) -> None:
    with open_ladybug_file(chain, origin=ORIGIN) as reader:
        edges, nodes = edges_of(reader), nodes_of(reader)
        assert (nodes_of(reader), edges_of(reader)) == (nodes, edges)


def test_a_reader_that_fails_halfway_leaves_the_page_that_is_on_its_way_in_peace(
    chain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next page is read in another thread: closing the database under it would end the process."""
    monkeypatch.setattr(reading, "NODE_PAGE", 1)

    def fail() -> None:
        with open_ladybug_file(chain, origin=ORIGIN) as reader:
            pages = reader.nodes()
            next(pages)
            raise ZeroDivisionError

    for _ in range(20):
        with pytest.raises(ZeroDivisionError):
            fail()


@pytest.mark.parametrize("page", [2, 100])
def test_gaps_that_deleted_nodes_leave_do_not_shift_edges(
    chain: Path, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TinyGraph(chain, create=False) as graph:
        graph.connection.execute("MATCH (n:Node) WHERE n.id IN ['n0', 'n4', 'n5'] DETACH DELETE n")
        graph.add_node("late", "Late")
        graph.add_edge("late", "n9", "after")
    monkeypatch.setattr(reading, "NODE_PAGE", page)
    monkeypatch.setattr(reading, "FIRST_EDGE_PAGE", page)
    nodes, edges = read(chain)
    assert {row["id"] for row in nodes} == {"n1", "n2", "n3", "n6", "n7", "n8", "n9", "late"}
    assert {(row["source"], row["target"], row["relationship"]) for row in edges} == {
        ("n1", "n2", "rel1"), ("n2", "n3", "rel2"), ("n6", "n7", "rel6"), ("n7", "n8", "rel7"), ("n8", "n9", "rel8"),
        ("late", "n9", "after"),
    }  # fmt: skip


def test_what_a_writer_has_committed_but_not_checkpointed_is_seen(chain: Path) -> None:
    with TinyGraph(chain, create=False) as graph:
        graph.add_node("committed", "Committed")
        graph.add_edge("committed", "n0")
        nodes, edges = read(chain)
    assert ("committed" in {row["id"] for row in nodes}, len(edges)) == (True, 11)


def test_a_page_that_does_not_fit_the_buffer_pool_is_halved_and_a_single_hub_gets_a_larger_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "hub.lbug"
    text = "x" * 2_000
    with TinyGraph(path) as graph:
        graph.add_nodes(
            {"id": f"n{n}", "name": str(n), "type": "T", "properties": json.dumps({"t": text})} for n in range(3_000)
        )
        graph.connection.execute(
            "MATCH (a:Node {id: 'n0'}), (b:Node) CREATE (a)-[:EDGE {relationship_name: 'has', properties: $p}]->(b)",
            {"p": json.dumps({"edge_text": text})},
        )
    monkeypatch.setattr(reading, "BUFFER_POOL_BYTES", 8 << 20)
    with open_ladybug_file(path, origin=ORIGIN) as reader:
        assert {row["id"] for row in nodes_of(reader)} == {f"n{n}" for n in range(3_000)}
        assert {row["target"] for row in edges_of(reader)} == {f"n{n}" for n in range(3_000)}
        assert reader._database._pool_bytes > 8 << 20


class TestRowsAreTheRecordsOfCogneesGetGraphData:
    """``{name, type, **json.loads(properties)}``, with the quirks of Cognee 1.6.5."""

    @pytest.fixture
    def make(self, tmp_path: Path) -> Callable[..., dict[str, Any]]:
        def make(**row: str | None) -> dict[str, Any]:
            path = tmp_path / "one.lbug"
            with TinyGraph(path) as graph:
                graph.add_nodes([{"id": "plain", "name": "P", "type": "T", "properties": '{"a": 1}'}])
                graph.add_nodes([{"id": "odd", "name": "O", "type": "T", "properties": "{}", **row}])
            plain, odd = read(path)[0]
            assert record(plain) == {"name": "P", "type": "T", "a": 1}
            return record(odd)

        return make

    def test_a_missing_name_is_a_name_of_none(self, make: Callable[..., dict[str, Any]]) -> None:
        assert make(name=None, properties='{"a": 2}') == {"name": None, "type": "T", "a": 2}

    def test_a_name_among_the_properties_wins_over_the_column(self, make: Callable[..., dict[str, Any]]) -> None:
        assert make(name=None, type=None, properties='{"name": "N"}') == {"name": "N", "type": None}

    @pytest.mark.parametrize("text", [None, ""])
    def test_missing_properties_are_a_property_themselves(
        self, make: Callable[..., dict[str, Any]], text: str | None
    ) -> None:
        assert make(properties=text) == {"name": "O", "type": "T", "properties": text}

    def test_a_property_named_properties_is_lost(self, make: Callable[..., dict[str, Any]]) -> None:
        assert make(properties='{"properties": 1, "b": "\\ud800"}') == {"name": "O", "type": "T", "b": "\ud800"}

    def test_a_nested_property_named_properties_stays(self, make: Callable[..., dict[str, Any]]) -> None:
        assert make(properties='{"a": {"properties": 1}}') == {"name": "O", "type": "T", "a": {"properties": 1}}


def test_nodes_without_an_id_are_skipped(tmp_path: Path) -> None:
    with TinyGraph(tmp_path / "g.lbug") as graph:
        graph.add_node("", "nobody")
        graph.add_node("a", "somebody")
    assert [row["id"] for row in read(tmp_path / "g.lbug")[0]] == ["a"]


def test_self_loops_named_self_are_no_edges_other_loops_are(tmp_path: Path) -> None:
    with TinyGraph(tmp_path / "g.lbug") as graph:
        graph.add_node("a")
        graph.add_node("b")
        for edge in (("a", "a", "SELF"), ("a", "a", "likes"), ("a", "b", "SELF"), ("b", "a", None)):
            graph.add_edge(*edge)
    edges = {(row["source"], row["target"], row["relationship"]) for row in read(tmp_path / "g.lbug")[1]}
    assert edges == {("a", "a", "likes"), ("a", "b", "SELF"), ("b", "a", "None")}


def test_a_file_without_tables_is_an_empty_graph(tmp_path: Path) -> None:
    with TinyGraph(tmp_path / "g.lbug", create=False):
        pass
    assert read(tmp_path / "g.lbug") == ([], [])


def test_a_graph_without_edges_has_nodes(tmp_path: Path) -> None:
    with TinyGraph(tmp_path / "g.lbug") as graph:
        graph.add_node("a")
    nodes, edges = read(tmp_path / "g.lbug")
    assert (len(nodes), edges) == (1, [])


def test_reading_changes_nothing_in_the_store(chain: Path) -> None:
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in chain.parent.iterdir()}
    read(chain)
    assert {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in chain.parent.iterdir()} == before


TRANSIENT = [
    "Cannot open database in read-only mode while checkpoint is in progress",
    "IO exception: Cannot open file x.lbug.wal: No such file or directory",
    "Runtime exception: Corrupted wal file. WAL file is corrupted.",
    "IO exception: Could not set lock on file : x.lbug",
]


class FailingDatabase:
    """Fails the first times it is opened."""

    def __init__(self, message: str, *, times: int) -> None:
        self.message = message
        self.remaining = times
        self._real = ladybug.Database

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if self.remaining:
            self.remaining -= 1
            raise RuntimeError(self.message)
        return self._real(*arguments, **options)


@pytest.mark.parametrize("message", TRANSIENT)
def test_what_a_checkpointing_writer_causes_is_waited_out(
    chain: Path, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladybug, "Database", FailingDatabase(message, times=3))
    with open_ladybug_file(chain, origin=ORIGIN, wait_seconds=10) as reader:
        assert len(nodes_of(reader)) == 10


@pytest.mark.parametrize("message", TRANSIENT)
def test_a_writer_that_does_not_let_go_is_reported_as_busy(
    chain: Path, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cognee_dagster.sources.cognee.ladybug_database.is_write_locked", lambda _path: True)
    monkeypatch.setattr(ladybug, "Database", FailingDatabase(message, times=10_000))
    with pytest.raises(StoreBusyError, match=r"within 0\.2 s.*try again"):
        read(chain)


def test_other_failures_to_open_are_not_waited_out(chain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladybug, "Database", FailingDatabase("disk on fire", times=1))
    with pytest.raises(LocalCogneeError, match="disk on fire"):
        read(chain)


def test_a_file_of_another_storage_version_is_a_format_error(chain: Path) -> None:
    content = bytearray(chain.read_bytes())
    assert content[:4] == b"LBUG"
    content[4:12] = (39).to_bytes(8, "little")
    chain.write_bytes(content)
    with pytest.raises(StoreFormatError, match=r"different version.*COGNEE_PYTHON"):
        read(chain)


@pytest.mark.parametrize("part", ["nodes", "edges"])
def test_a_graph_that_is_checkpointed_while_it_is_read_is_not_used(chain: Path, part: str) -> None:
    """Pages are read when they are needed, so two states of the graph could be mixed."""
    with open_ladybug_file(chain, origin=ORIGIN) as reader:
        batches = getattr(reader, part)()
        next(batches)
        with TinyGraph(chain, create=False) as graph:
            graph.add_node("new")
            graph.connection.execute("CHECKPOINT")
        with pytest.raises(StoreBusyError, match="while it was being read"):
            list(batches)


def test_an_export_does_not_import_pandas(chain: Path) -> None:
    """Arrow imports it for some conversions where it is installed, which takes longer than a small export."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from cognee_dagster.cogx.write.writer import write_archive\n"
        "from cognee_dagster.sources.cognee.ladybug_reader import open_ladybug_file\n"
        "from cognee_dagster.graph.reader import GraphOrigin\n"
        "with open_ladybug_file(Path(sys.argv[1]), origin=GraphOrigin(dataset_name='tiny')) as reader:\n"
        "    archive = write_archive(reader, Path(sys.argv[1] + '.cogx.tar.gz'))\n"
        "print(archive.num_edges, 'pandas' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(chain)], capture_output=True, text=True, check=True)
    assert done.stdout == "10 False\n"
