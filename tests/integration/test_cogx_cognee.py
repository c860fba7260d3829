"""Our archives against Cognee's own code: its export writes the same records, its import side reads them."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bench.graph_file import EdgeRow, GraphFile, NodeRow
from cognee_dagster.cogx.read.validate import validate_archive
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.errors import GraphFileError
from cognee_dagster.graph.reader import GraphOrigin
from cognee_dagster.sources.cognee.ladybug_reader import open_ladybug_file
from tests.conftest import LocalStore

CHILD = Path(__file__).with_name("cogx_child.py")
ORIGIN = GraphOrigin(dataset_name="odd 'name'", embedding_model="model", migration_revision="revision")


def uuid(number: int) -> str:
    return f"00000000-0000-5000-8000-{number:012}"


def chain(relationships: list[tuple[str | None, str | None]]) -> list[EdgeRow]:
    return [(uuid(0), uuid(1), *relationship) for relationship in relationships]


NAMED: list[NodeRow] = [(uuid(0), "a", "Entity", "{}"), (uuid(1), "b", "Entity", '{"description": "B"}')]

# What Cognee can export, however odd.
GRAPHS: dict[str, tuple[list[NodeRow], list[EdgeRow]]] = {
    "nodes": (
        [
            (uuid(0), None, None, None),
            (uuid(1), "", "", ""),
            (uuid(2), "n", "X", "no json"),
            (uuid(3), "n", "X", "[]"),
            (uuid(4), "n", "Entity", '{"name": "", "properties": 3}'),
            (uuid(5), "column", "X", '{"name": "wins", "type": "Entity", "id": "other"}'),
            (uuid(6), uuid(7), "Entity", '{"description": null, "created_at": null, "updated_at": "2026-01-01"}'),
            (uuid(7), "n", "DocumentChunk", '{"text": "", "created_at": 1788471595772}'),
            (uuid(8), "n", "DocumentChunk", '{"text": "t\\n\\u00e9\\ud83d\\ude00", "created_at": 1788471595772}'),
            (uuid(9), 'n\n"\\\u2028é', "Entity", '{"created_at": 1788471595000.5, "updated_at": true}'),
            (uuid(10), "n", "X", '{"a": NaN, "b": [Infinity, 1e999], "c": 123456789012345678901, "d": -1E-7}'),
            (uuid(11), "n", "X", '{"lone": "\\ud800", "nested": {"b": {"d": [1, {"f": null}]}, "a": ""}}'),
            (uuid(12), "n", "X", '{"x": 1, "x": 2, "": 3, "created_at": "kept as it is", "updated_at": [1]}'),
            (uuid(13), "n", "X", json.dumps({"long": "z" * 3_000_000})),
        ],
        [],
    ),
    "edges": (
        NAMED,
        [
            (uuid(0), uuid(0), "SELF", '{"edge_text": "left out"}'),
            (uuid(0), uuid(0), "loop", "{}"),
            *chain(
                [
                    ("r", None),
                    ("r", ""),
                    ("r", "no json"),
                    ("r", "[]"),
                    ("r", "null"),
                    (None, '{"edge_text": "no name"}'),
                    ('a"b\\c\nd', '{"edge_text": ""}'),
                    (
                        "r",
                        '{"edge_text": null, "valid_at": 1788471595772, "invalid_at": "2026-01-01T10:00:00.5+02:00"}',
                    ),
                    ("r", '{"edge_text": "\\u00e9 \\"quoted\\"", "valid_at": "never", "confidence": 0.5}'),
                    ("r", '{"edge_text": "parallel"}'),
                    ("r", '{"edge_text": "parallel"}'),
                    ("SELF", '{"edge_text": "no loop"}'),
                ]
            ),
        ],
    ),
}

# What ends Cognee's export with an exception.
REFUSED: dict[str, tuple[list[NodeRow], list[EdgeRow]]] = {
    "number_as_name": ([(uuid(0), None, "Entity", '{"name": 5}')], []),
    "list_as_description": ([(uuid(0), "n", "Entity", '{"description": []}')], []),
    "surrogate_in_chunk": ([(uuid(0), "n", "DocumentChunk", '{"text": "\\ud800"}')], []),
    "list_as_properties": ([(uuid(0), "n", "X", "[1]")], []),
    "endless_timestamp": ([(uuid(0), "n", "Entity", '{"created_at": 1' + "0" * 400 + "}")], []),
    "number_as_edge_text": (NAMED, chain([("r", '{"edge_text": 1}')])),
    "list_as_edge_properties": (NAMED, chain([("r", "[1]")])),
}


@pytest.fixture(scope="module")
def exported(demo_store: LocalStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All graphs, exported by us and by Cognee, and our archives read by Cognee."""
    directory = tmp_path_factory.mktemp("cogx")
    for name, (nodes, edges) in {**GRAPHS, **REFUSED}.items():
        with GraphFile(directory / f"{name}.lbug") as graph:
            graph.add_nodes(nodes)
            graph.add_edges(edges)
    (stored,) = (demo_store.directory / "system" / "databases").glob("*/*.lbug")
    (directory / "demo.lbug").write_bytes(stored.read_bytes())
    for name in ("demo", *GRAPHS):
        with open_ladybug_file(directory / f"{name}.lbug", origin=ORIGIN) as reader:
            write_archive(reader, directory / f"{name}.cogx.tar.gz")
    subprocess.run(
        [sys.executable, str(CHILD), str(directory)],
        env=demo_store.environ,
        cwd=demo_store.directory,
        check=True,
        capture_output=True,
        timeout=300,
    )
    return directory


def read(path: Path) -> tuple[Any, Counter[str]]:
    content = json.loads(path.read_text(encoding="utf-8"))
    return content["manifest"], Counter(content["records"])


@pytest.mark.parametrize("name", ["demo", *GRAPHS])
def test_cognee_reads_our_archive_as_its_own(exported: Path, name: str) -> None:
    assert not (exported / f"{name}.error").exists(), (exported / f"{name}.error").read_text()
    manifest, records = read(exported / f"{name}.ours.json")
    expected_manifest, expected_records = read(exported / f"{name}.json")
    assert records == expected_records
    assert manifest == expected_manifest


@pytest.mark.parametrize("name", ["demo", *GRAPHS])
def test_every_line_says_what_cognees_line_says(exported: Path, name: str) -> None:
    """Beyond what the models read: the same keys, the same spelling of times, nothing more and nothing less."""
    theirs = lines(exported / name)
    assert "nodes.jsonl" in theirs or "facts.jsonl" in theirs
    assert lines(exported / f"{name}.unpacked") == theirs


def lines(directory: Path) -> dict[str, Counter[str]]:
    return {
        path.name: Counter(json.dumps(json.loads(line), sort_keys=True) for line in path.open(encoding="utf-8"))
        for path in directory.glob("*.jsonl")
    }


@pytest.mark.parametrize("name", REFUSED)
def test_what_cognee_cannot_export_is_refused_by_name(exported: Path, name: str) -> None:
    assert (exported / f"{name}.error").exists()
    with (
        open_ladybug_file(exported / f"{name}.lbug", origin=ORIGIN) as reader,
        pytest.raises(GraphFileError, match=uuid(0)),
    ):
        write_archive(reader, exported / "refused.cogx.tar.gz")


def test_the_demo_archive_is_valid(exported: Path) -> None:
    assert validate_archive(exported / "demo.cogx.tar.gz").problems == ()
