"""A dataset's mapping and profile decide what is made of its graph, and the graph's asset says what stays behind."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import networkx as nx
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from cognee_dagster import CogneeDataset, GraphMapping
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import NO_RETRY, Chain, checks, materialized, metadata_of


def birds() -> Any:
    graph = nx.DiGraph()
    graph.add_node("a", species="Robin", wings=2)
    graph.add_node("b", species="Trout", ring="x1")
    graph.add_edge("a", "b", does="ignores")
    return graph


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    with FakeRemote() as remote:
        yield Chain(remote=remote, directory=tmp_path, graph=birds(), options={"retry_policy": NO_RETRY})


def rows(metadata: dict[str, Any], key: str) -> list[Any]:
    return [record.data for record in metadata[key].records]


@pytest.mark.parametrize(
    "mapping",
    [
        GraphMapping(node_type="species", relationship="does", drop=["ring"]),
        {"node_type": "species", "relationship": "does", "drop": ["ring"]},
    ],
)
def test_a_mapping_decides_what_becomes_of_the_graph(chain: Chain, mapping: Any) -> None:
    chain.options["mapping"] = mapping
    graph = metadata_of(chain.run(), "cognified_graph")
    assert rows(graph, "cognee/nodes_by_type") == [
        {"node_type": "Entity", "nodes": 2}, {"node_type": "EntityType", "nodes": 2},
    ]  # fmt: skip
    assert rows(graph, "cognee/entities_by_type") == [
        {"entity_type": "Robin", "entities": 1}, {"entity_type": "Trout", "entities": 1},
    ]  # fmt: skip
    assert rows(graph, "cognee/attributes_left_behind") == [{"attribute": "ring", "nodes_and_edges": 1}]


def test_what_stays_behind_is_said_in_the_log(chain: Chain) -> None:
    result = chain.run()
    assert metadata_of(result, "cognified_graph")["cognee/profile"] == "cognee"
    warnings = [entry.user_message for entry in chain.instance.all_logs(result.run_id) if entry.level == 30]
    assert any("Attributes that do not reach the remote: species (2), does (1)" in text for text in warnings)


def test_what_stays_behind_is_a_warning_of_a_check_that_stops_nothing(chain: Chain) -> None:
    result = chain.run()
    found = checks(result)["no_attributes_left_behind"]
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    for said in (
        "species (2), does (1)",
        "In the mapping, edge_text names those of edges",
        "makes an Entity of every node",
    ):
        assert said in str(found.description)
    counted = {key: value.value for key, value in found.metadata.items()}
    assert {row["attribute"]: row["nodes_and_edges"] for row in rows(counted, "cognee/attributes_left_behind")} == {
        "species": 2, "does": 1, "ring": 1, "wings": 1,
    }  # fmt: skip
    assert "remote_push" in materialized(result)


def test_the_check_passes_where_nothing_stays_behind(chain: Chain) -> None:
    chain.options["mapping"] = GraphMapping(node_type="species", relationship="does")
    found = checks(chain.run())["no_attributes_left_behind"]
    assert (found.passed, found.description) == (True, "Every attribute reaches the remote.")


def test_the_check_says_which_nodes_a_search_finds_as_neighbours_only(chain: Chain) -> None:
    chain.graph = nx.DiGraph()
    chain.graph.add_node("a", type="Robin", name="Rob")
    found = checks(chain.run())["no_attributes_left_behind"]
    assert found.passed
    assert "search reaches Robin (1) as neighbours only" in str(found.description)


@pytest.mark.parametrize("place", ["file", "folder", "url"])
def test_a_graph_may_be_a_file_a_folder_or_a_url(chain: Chain, tmp_path: Path, place: str) -> None:
    content = {"nodes": [{"id": "a", "entity_id": "a", "entity_type": "x"}], "links": []}
    (tmp_path / "g.json").write_text(json.dumps(content))
    (folder := tmp_path / "tables").mkdir()
    (folder / "nodes.csv").write_text("id,entity_id,entity_type\na,a,x\n")
    (folder / "edges.csv").write_text("source,target\n")
    MemoryFileSystem().pipe_file("/g.json", json.dumps(content).encode())
    chain.options["graph"] = {"file": str(tmp_path / "g.json"), "folder": folder, "url": "memory://g.json"}[place]
    graph = metadata_of(chain.run("cognified_graph"), "cognified_graph")
    assert (graph["num_nodes"], graph["num_edges"], graph["cognee/profile"]) == (2, 1, "lightrag")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"graph": "g.json", "mapping": {"node_typ": "x"}}, "mapping=.*node_typ"),
        ({"graph": "g.json", "mapping": {"as_nodes": "x"}}, "as_nodes"),
        ({"graph": "g.json", "profile": "x"}, "profile='x'.*Choose one of"),
        ({"mapping": {"node_type": "x"}}, "there is none"),
        ({"profile": "graphrag"}, "there is none"),
        ({"graph": "g.json", "mapping": "x"}, "a GraphMapping, or its fields"),
    ],
)
def test_a_mapping_that_can_never_work_is_refused_at_once(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(DatasetDefinitionError, match=reason):
        CogneeDataset(name="g", **options)


def test_another_mapping_is_another_code_version() -> None:
    versions = {
        CogneeDataset(name="g", graph=dg.AssetKey("g"), mapping=mapping).code_version("mapping")
        for mapping in (None, GraphMapping(name="a"), GraphMapping(name="b"))
    }
    assert len(versions) == 3
