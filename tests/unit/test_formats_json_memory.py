"""Whatever a JSON document holds, it is not made into more values than memory is promised for."""

import subprocess
import sys
from pathlib import Path

import pytest

SIZE = 48 << 20
READ = """
import sys
from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.files import open_graph_file
from tests.peak_memory import peak_mebibytes
try:
    reader = open_graph_file(sys.argv[1])
    said = sum(batch.num_rows for batches in (reader.nodes(), reader.edges()) for batch in batches)
except GraphFileError as error:
    said = error
print(peak_mebibytes(), said)
"""
NODES = '"nodes": [{"id": "a"}]'


def repeated(before: str, each: str, after: str) -> bytes:
    return b"".join((before.encode(), each.encode() * (SIZE // len(each.encode())), after.encode()))


CRAFTED = {
    "numbers as nodes": (repeated('{"links": [], "nodes": [', "1,", "1]}"), "nodes and 0 links"),
    "lists as nodes": (repeated('{"links": [], "nodes": [', "[],", "[]]}"), "nodes and 0 links"),
    "lists in a node": (repeated('{"links": [], "nodes": [[', "[],", "[]]]}"), "one element may have"),
    "numbers as links": (repeated(f'{{{NODES}, "links": [', "1,", "1]}"), "1 nodes and"),
    "lists in a link": (repeated(f'{{{NODES}, "links": [[', "[],", "[]]]}"), "one element may have"),
    "an attribute of lists": (repeated('{"links": [], "nodes": [{"id": "a", "x": [', "[],", "1]}]}"), "one element"),
    "lists in the graph": (repeated(f'{{{NODES}, "links": [], "graph": {{"x": [', "[],", "1]}}"), "1"),
    "NaN in the graph": (repeated(f'{{{NODES}, "links": [], "graph": {{"x": [', "NaN,", "1]}}"), "1"),
    "members of one name": (repeated(f'{{{NODES}, "links": []', ', "a": {}', "}"), "members, and at most"),
    "nodes by their names": (
        repeated('{"graph": {"edges": [], "nodes": {"a": {}', ',"a":{}', "}}}"),
        "members, ",
    ),
    "a long string": (repeated('{"links": [], "nodes": [{"id": "a", "x": "\U0001f600', "x", '"}]}'), "one element may"),
    "a long name": (repeated('{"links": [], "nodes": [{"id": "a", "\U0001f600', "x", '": 1}]}'), "one element may"),
    "a long name above": (repeated(f'{{{NODES}, "links": [], "\U0001f600', '\\"', '": 1}'), "one element may"),
    "deep lists": (repeated('{"links": [], "nodes": [', "[", ""), "cut off"),
    "an array": (repeated("[", "[],", "[]]"), "is no node-link JSON"),
}


@pytest.mark.parametrize("shape", CRAFTED)
def test_a_crafted_document_takes_little_more_than_its_size(shape: str, tmp_path: Path) -> None:
    """Of the largest one there would be 144 MiB more, which is then 512 at most."""
    content, said = CRAFTED[shape]
    (tmp_path / "g.json").write_bytes(content)
    run = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path / "g.json")], capture_output=True, text=True, check=True
    )
    mebibytes, answer = run.stdout.split(" ", 1)
    assert said in answer
    assert int(mebibytes) < 512 - 144
