"""Commands take a graph from anywhere, with what its attributes mean, and never take a dataset's name for a path."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.cogx.read.reader import read_archive
from cognee_dagster.sources.places import is_place
from cognee_dagster.testing import FakeRemote
from tests.command_line import call
from tests.graph_files import Found

BIRDS = {
    "nodes": [{"id": "a", "species": "Robin", "called": "Ron"}, {"id": "b", "species": "Trout", "ring": "x1"}],
    "links": [{"source": "a", "target": "b", "does": "ignores"}],
}
MAPPING = ("--mapping", "node_type=species", "--mapping", "relationship=does", "--mapping", "drop=ring")


@pytest.fixture(autouse=True)
def birds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "birds.json").write_text(json.dumps(BIRDS))
    return tmp_path / "birds.json"


def test_a_graph_file_is_pushed_under_its_name(birds: Path) -> None:
    with FakeRemote() as remote:
        result = call("push", str(birds), *MAPPING, "--json", "--url", remote.url, "--api-key", remote.api_key)
        assert result.exit_code == ExitCode.OK, result.stderr
        pushed = json.loads(result.stdout)
        graph = remote.graph("birds")
    assert (pushed["target_dataset"], pushed["num_nodes"], pushed["num_edges"]) == ("birds", 4, 3)
    assert {node.name for node in graph.nodes.values()} == {"a", "b", "Robin", "Trout"}
    assert "Attributes that do not reach the remote: ring (1)" in result.stderr


def test_a_graph_file_is_exported_as_an_archive(birds: Path, tmp_path: Path) -> None:
    result = call("export", str(birds), str(tmp_path / "b.cogx.tar.gz"), *MAPPING, "--profile", "generic")
    assert result.exit_code == ExitCode.OK, result.stderr
    assert ("a", "ignores", "b") in Found(read_archive(tmp_path / "b.cogx.tar.gz")).triples
    assert "Attributes that do not reach the remote: ring (1)" in result.stderr


def test_a_graph_is_inspected_as_the_mapping_says(birds: Path, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("node_type: species\nname: called\n")
    found = json.loads(call("inspect", str(birds), "--mapping", "m.yaml", "--json").stdout)
    assert found["sample_nodes"][0]["name"] == "Ron"
    assert found["edges_by_relationship"] == {"is_a": 2, "related_to": 1}


@pytest.mark.parametrize("command", [("push",), ("export",), ("inspect",)])
@pytest.mark.parametrize(
    ("option", "reason"),
    [
        (("--mapping", "colour=x"), "there is no 'colour'"),
        (("--mapping", "m.yaml"), "mapping file m.yaml cannot be read"),
        (("--profile", "x"), "no profile 'x'. Choose one of: cognee, graphrag"),
    ],
)
def test_an_option_that_cannot_work_is_a_usage_error(
    birds: Path, command: tuple[str], option: tuple[str, str], reason: str
) -> None:
    destination = ("out.cogx.tar.gz",) if command == ("export",) else ()
    result = call(*command, str(birds), *destination, *option)
    assert result.exit_code == ExitCode.USAGE
    assert reason in " ".join(result.stderr.split())


@pytest.mark.parametrize("option", [("--mapping", "name=called"), ("--profile", "apoc")])
def test_a_local_dataset_takes_no_mapping_and_a_path_is_offered(tmp_path: Path, option: tuple[str, str]) -> None:
    (tmp_path / "birds").mkdir()
    result = call("inspect", "birds", *option)
    assert result.exit_code == ExitCode.USAGE
    assert f"{option[0]} is about a graph file; 'birds' is a local dataset." in result.stderr
    assert "./birds" in result.stderr


@pytest.mark.parametrize(
    ("text", "place"),
    [
        *((place, True) for place in ("s3://b/g.graphml", "file:///g", "/g", "./g", "../g", "~/g", ".", "g.GraphML")),
        *((place, True) for place in ("g.json.gz", "g.cogx.tar.gz", "g.tar.bz2", "folder/inside")),
        *((name, False) for name in ("g", "folder", "folder/not-there", "v1.2", str(UUID(int=1)), "graphml", "a:b")),
    ],
)
def test_a_name_is_a_dataset_unless_it_looks_like_a_place(tmp_path: Path, text: str, place: bool) -> None:
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    assert is_place(text) == place
