"""``inspect`` shows what a source is and what of it would arrive, and sends nothing."""

import json
from pathlib import Path

import networkx as nx
import pytest

from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.graph.origin import GraphOrigin
from cognee_dagster.sources import inspect_graph
from cognee_dagster.sources.networkx.graphs import from_networkx
from cognee_dagster.testing import FakeRemote
from tests.archives_of_others import SYSTEMS, pack, unpack
from tests.cogx_graphs import MemoryReader
from tests.command_line import call

BEES = {
    "nodes": [
        {"id": "MIRA", "entity_id": "MIRA", "entity_type": "person", "vector": [0.5] * 20},
        {"id": "LYON", "entity_id": "LYON", "entity_type": "geo"},
    ],
    "links": [{"source": "MIRA", "target": "LYON", "relation": "lives_in"}],
}


@pytest.fixture
def bees(tmp_path: Path) -> Path:
    (tmp_path / "bees.json").write_text(json.dumps(BEES))
    return tmp_path / "bees.json"


def test_json_says_what_arrives_and_what_stays_behind(bees: Path) -> None:
    result = call("inspect", str(bees), "--json")
    assert result.exit_code == ExitCode.OK
    found = json.loads(result.stdout)
    assert (found["source"], found["profile"]) == (str(bees), "lightrag")
    counts = {
        "num_nodes": 4, "num_edges": 3, "nodes_by_type": {"Entity": 2, "EntityType": 2},
        "edges_by_relationship": {"is_a": 2, "lives_in": 1},
    }  # fmt: skip
    assert {name: found[name] for name in counts} == counts
    assert found["arrives"] == counts
    assert found["entities_by_type"] == {"geo": 1, "person": 1}
    assert found["attributes_left_behind"] == {"vector": 1}
    assert found["refused"] == []
    assert found["sample_nodes"][0]["name"] == "MIRA"
    assert found["sample_edges"][-1]["edge_text"] == "MIRA lives in LYON."


def test_parallel_edges_of_one_name_arrive_once(tmp_path: Path) -> None:
    links = [{"source": "a", "target": "b", "label": "joins"}] * 3
    (tmp_path / "g.json").write_text(json.dumps({"nodes": ["a", "b"], "links": links}))
    found = json.loads(call("inspect", str(tmp_path / "g.json"), "--json").stdout)
    assert (found["num_edges"], found["arrives"]["num_edges"]) == (3, 1)


def test_words_say_the_same(bees: Path) -> None:
    text = call("inspect", str(bees)).stdout
    for said in (
        "profile lightrag",
        "4 nodes, 3 edges",
        "is_a 2",
        "Entities: geo 1, person 1",
        "MIRA -[lives_in]-> LYON",
        "Left behind: vector 1",
    ):
        assert said in text


def test_a_profile_can_be_set(bees: Path) -> None:
    assert json.loads(call("inspect", str(bees), "--profile", "generic", "--json").stdout)["profile"] == "generic"


def test_an_archive_is_inspected_too(tmp_path: Path) -> None:
    write_archive(from_networkx(nx.path_graph(3), dataset_name="g"), tmp_path / "g.cogx.tar.gz")
    found = json.loads(call("inspect", str(tmp_path / "g.cogx.tar.gz"), "--json").stdout)
    assert (found["profile"], found["num_nodes"], found["num_edges"]) == (None, 3, 2)


def test_what_a_server_would_refuse_ends_with_its_own_exit_code(bees: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cognee_dagster.cogx.read.validate import Problem, ValidationReport

    problem = Problem(reason="no good", file="nodes.jsonl", line=3)
    report = ValidationReport(path=bees, problems=(problem,), num_problems=1, record_counts={}, member_bytes={})
    monkeypatch.setattr("cognee_dagster.sources.inspection.validate_archive", lambda path, **_: report)
    result = call("inspect", str(bees), "--json")
    assert result.exit_code == ExitCode.INVALID_ARCHIVE
    assert json.loads(result.stdout)["refused"] == [{"what": "nodes.jsonl, line 3", "why": "no good"}]


NUMBER = {"id": "a", "name": "Ann", "type": "Person", "age": 3, "metadata": {"index_fields": ["age"]}}


def test_a_node_that_a_server_cannot_index_is_listed_and_its_push_sends_nothing(tmp_path: Path) -> None:
    (path := tmp_path / "number.json").write_text(json.dumps({"nodes": [NUMBER], "links": []}))
    result = call("inspect", str(path), "--json")
    assert result.exit_code == ExitCode.INVALID_ARCHIVE
    found = json.loads(result.stdout)
    assert (found["num_nodes"], found["nodes_by_type"]) == (1, {"Person": 1})
    (refused,) = found["refused"]
    for said in ("name 'Ann', type 'Person'", "indexed attribute 'age' is 3 and not text"):
        assert said in refused["why"]
    with FakeRemote() as remote:
        pushed = call("push", str(path), "--url", remote.url, "--api-key", remote.api_key)
        assert remote.uploads == []
    assert pushed.exit_code == ExitCode.INVALID_ARCHIVE  # as inspect has said
    said = " ".join(pushed.stderr.split())
    assert "because of 1 node: name 'Ann', type 'Person'" in said
    assert "indexed attribute 'age' is 3 and not text" in said


PEOPLE = {
    "nodes": [{"id": "a", "type": "Person"}, {"id": "b", "type": "Machine"}, {"id": "c", "type": "Entity", "born": 1}],
    "links": [{"source": "a", "target": "b", "relationship": "runs", "weight": 2}],
}


def test_nodes_that_a_search_finds_as_neighbours_only_are_named_with_what_changes_it(tmp_path: Path) -> None:
    (path := tmp_path / "people.json").write_text(json.dumps(PEOPLE))
    text = " ".join(call("inspect", str(path)).stdout.split())
    assert "Cognee's search reaches Person (1), Machine (1) as neighbours only, never by their names" in text
    assert "mapping as_nodes=cognee makes entities of them" in text
    found = json.loads(call("inspect", str(path), "--json").stdout)
    assert (found["reached_as_neighbours"], found["as_nodes"]) == ({"Person": 1, "Machine": 1}, "as_they_are")
    changed = json.loads(call("inspect", str(path), "--mapping", "as_nodes=cognee", "--json").stdout)
    assert (changed["reached_as_neighbours"], changed["as_nodes"]) == ({}, "cognee")
    assert "neighbours" not in call("inspect", str(path), "--mapping", "as_nodes=cognee").stdout


def test_the_advice_on_what_stays_behind_is_true(tmp_path: Path) -> None:
    (path := tmp_path / "people.json").write_text(json.dumps(PEOPLE))
    text = " ".join(call("inspect", str(path)).stdout.split())
    assert "edge_text names those of edges and changes no node; as_nodes cognee names those of nodes" in text
    before = json.loads(call("inspect", str(path), "--json").stdout)
    assert before["attributes_left_behind"] == {"born": 1, "weight": 1}
    mapping = ("--mapping", "edge_text={source} {relationship} {target}, {weight}")
    of_edges = json.loads(call("inspect", str(path), *mapping, "--json").stdout)
    assert of_edges["attributes_left_behind"] == {"born": 1}
    assert of_edges["nodes_by_type"] == before["nodes_by_type"]
    of_both = json.loads(call("inspect", str(path), *mapping, "--mapping", "as_nodes=cognee", "--json").stdout)
    assert of_both["attributes_left_behind"] == {}


def test_the_advice_on_what_a_profile_leaves_behind_is_keep(bees: Path) -> None:
    assert "list in the mapping's keep all that is to arrive" in " ".join(call("inspect", str(bees)).stdout.split())


def test_a_pickle_in_this_directory_is_answered_with_what_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("g.pkl").write_bytes(b"")
    shown = call("inspect", "g.pkl")
    assert shown.exit_code == ExitCode.INVALID_ARCHIVE
    assert "Write the graph with nx.write_graphml" in " ".join(shown.stderr.split())


def test_a_graph_without_nodes_is_refused_as_its_push_will_be(tmp_path: Path) -> None:
    (tmp_path / "nodes.csv").write_text("id,name\n")
    (tmp_path / "edges.csv").write_text("source,target\n")
    shown = call("inspect", str(tmp_path))
    assert shown.exit_code == ExitCode.INVALID_ARCHIVE
    assert "Cannot be pushed, because of the graph" in shown.stdout
    (refused,) = json.loads(call("inspect", str(tmp_path), "--json").stdout)["refused"]
    with FakeRemote() as remote:
        pushed = call("push", str(tmp_path), "--url", remote.url, "--api-key", remote.api_key)
    assert pushed.exit_code == ExitCode.INVALID_ARCHIVE  # as inspect has said
    for said in (refused["why"], " ".join(pushed.stderr.split())):
        assert "0 nodes: there is nothing to push. Look into the file, the folder" in said
        assert "cognify" not in said


def test_an_archive_of_another_system_without_records_is_refused(tmp_path: Path) -> None:
    place = pack(tmp_path / "x.cogx.tar.gz", "zep", {})
    result = call("inspect", str(place), "--json")
    assert result.exit_code == ExitCode.INVALID_ARCHIVE
    assert "no record" in json.loads(result.stdout)["refused"][0]["why"]


def test_a_local_dataset_without_a_graph_is_told_how_to_get_one(tmp_path: Path) -> None:
    reader = MemoryReader([], origin=GraphOrigin(dataset_name="d", embedding_model="m"))
    assert "Run cognee.cognify()" in inspect_graph(reader).refused[0]["why"]


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert call("inspect", str(tmp_path / "gone.graphml")).exit_code == ExitCode.NO_DATASET


# Of archives that hold more than a graph: nodes and edges as they would arrive, and texts by kind.
AS_THEY_ARE = {
    "mem0": (0, 0, {"memory": 2}),
    "langmem": (0, 0, {"memory": 1}),
    "letta": (0, 0, {"memory_block": 1, "memory": 1, "episode": 1}),
    "graphiti": (5, 4, {"episode": 1}),
    "zep": (5, 4, {}),
}


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("system", AS_THEY_ARE)
def test_an_archive_of_another_system_is_shown_as_a_server_will_take_it(
    tmp_path: Path, system: str, packed: bool
) -> None:
    place = (pack if packed else unpack)(tmp_path / ("x.cogx.tar.gz" if packed else "x"), system)
    result = call("inspect", str(place), "--json")
    assert result.exit_code == ExitCode.OK, result.stderr
    found = json.loads(result.stdout)
    arrives = found["arrives"]
    assert (arrives["num_nodes"], arrives["num_edges"], found["texts"]) == AS_THEY_ARE[system]
    assert (found["profile"], found["refused"], found["attributes_left_behind"]) == (None, [], {})
    if system == "zep":
        assert arrives["nodes_by_type"] == {"Entity": 3, "EntityType": 2}
        assert arrives["edges_by_relationship"] == {"is_a": 2, "lives_in": 1, "likes": 1}
        assert [node["name"] for node in found["sample_nodes"]] == ["Ann Lee", "Turin"]


def test_what_a_server_refuses_of_another_systems_archive_is_listed(tmp_path: Path) -> None:
    records = {**SYSTEMS["zep"], "facts.jsonl": [{"kind": "fact"}]}
    place = pack(tmp_path / "x.cogx.tar.gz", "zep", records)
    result = call("inspect", str(place), "--json")
    assert result.exit_code == ExitCode.INVALID_ARCHIVE
    (refused,) = json.loads(result.stdout)["refused"]
    assert refused["what"] == "facts.jsonl, line 1"


def test_an_archive_of_another_system_that_is_cut_off_is_named(tmp_path: Path) -> None:
    place = pack(tmp_path / "x.cogx.tar.gz", "zep")
    place.write_bytes(place.read_bytes()[:-20])
    result = call("inspect", str(place))
    assert result.exit_code == ExitCode.INVALID_ARCHIVE
    assert str(place) in " ".join(result.stderr.split())


def test_a_name_of_several_lines_is_shown_in_one(tmp_path: Path) -> None:
    """Or it could say something that looks like ours."""
    nodes = [{"id": "a", "name": "Ann\nLeft behind: nothing", "category": "x\ny"}]
    links = [{"source": "a", "target": "a", "relation": "r\ns"}]
    (tmp_path / "g.json").write_text(json.dumps({"nodes": nodes, "links": links}))
    lines = call("inspect", str(tmp_path / "g.json")).stdout.splitlines()
    assert "  Ann Left behind: nothing (Entity)" in lines
    assert "  Ann Left behind: nothing -[r s]-> Ann Left behind: nothing" in lines
    assert "Entities: x y 1" in lines


def test_of_many_names_some_are_shown_and_the_others_counted(tmp_path: Path) -> None:
    many = {f"a{number:03}": "x" for number in range(100)}
    node = {"id": "a", "kind": "Person", **many}
    (tmp_path / "g.json").write_text(json.dumps({"nodes": [node], "links": []}))
    (tmp_path / "m.json").write_text(json.dumps({"drop": list(many)}))
    drop = ("--mapping", str(tmp_path / "m.json"))
    shown = call("inspect", str(tmp_path / "g.json"), *drop)
    (line,) = [line for line in shown.stdout.splitlines() if line.startswith("Left behind: ")]
    assert line.endswith(" and 60 more (--json has all of them)")
    exported = call("export", str(tmp_path / "g.json"), str(tmp_path / "g.cogx.tar.gz"), *drop)
    (line,) = [line for line in exported.stderr.splitlines() if "do not reach the remote" in line]
    assert " and 80 more." in line
    as_json = json.loads(call("inspect", str(tmp_path / "g.json"), *drop, "--json").stdout)
    assert len(as_json["attributes_left_behind"]) == 100
