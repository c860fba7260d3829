"""Communities arrive as entities that their members belong to, and reports on them as texts that lead to both."""

import json
from pathlib import Path
from typing import Any

import networkx as nx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.files import open_graph_file
from cognee_dagster.sources.folders import is_read_from_folders
from cognee_dagster.sources.mapping.value import GraphMapping
from tests.graph_files import Found

GRAPHRAG: dict[str, list[dict[str, Any]]] = {
    "entities": [{"id": f"e{n}", "title": title, "type": "PERSON"} for n, title in enumerate(["MIRA", "PAUL", "LYON"])],
    "relationships": [{"id": "r1", "source": "MIRA", "target": "LYON", "description": "Mira bakes in Lyon."}],
    "communities": [
        {
            "id": "u0", "community": 0, "level": 0, "parent": -1, "children": [1], "title": "Community 0",
            "entity_ids": ["e0", "e1", "e2", "gone"], "relationship_ids": ["r1"], "text_unit_ids": ["t1"], "size": 3,
        },
        {
            "id": "u1", "community": 1, "level": 1, "parent": 0, "children": [], "title": "Community 1",
            "entity_ids": ["e0", "e2"], "relationship_ids": ["r1"], "text_unit_ids": ["t1"], "size": 2,
        },
    ],
    "community_reports": [
        {
            "id": "same", "community": 0, "level": 0, "parent": -1, "title": "The bakers of Lyon", "rank": 7.5,
            "summary": "Who bakes.", "full_content": "# The bakers of Lyon\n\nWho bakes.", "findings": ["x"],
            "full_content_json": "{}", "rating_explanation": "Bread matters.", "size": 3,
        }
    ],
}  # fmt: skip
REPORT = "# The bakers of Lyon\n\nWho bakes."


def graphrag(folder: Path, *, prefix: str = "", **tables: Any) -> Path:
    for name, rows in (GRAPHRAG | tables).items():
        if rows:
            pq.write_table(pa.Table.from_pylist(rows), folder / f"{prefix}{name}.parquet")
    return folder


@pytest.mark.parametrize("prefix", ["", "create_final_"])
def test_graphrags_communities_are_entities_with_members_and_a_place_among_each_other(
    tmp_path: Path, prefix: str
) -> None:
    found = Found(open_graph_file(graphrag(tmp_path, prefix=prefix)))
    bakers = "The bakers of Lyon"
    about = {triple for triple in found.triples if triple[1] in {"member_of", "part_of"} or triple[2] == "community"}
    assert about == {
        ("MIRA", "member_of", bakers), ("PAUL", "member_of", bakers), ("LYON", "member_of", bakers),
        ("MIRA", "member_of", "Community 1"), ("LYON", "member_of", "Community 1"),
        ("Community 1", "part_of", bakers), (bakers, "is_a", "community"), ("Community 1", "is_a", "community"),
    }  # fmt: skip
    assert found.edge_texts()["MIRA", "member_of", bakers] == "MIRA is a member of the community The bakers of Lyon."
    description = found.node("community:0")["properties"]["description"]
    assert description == "Who bakes.\nlevel: 0\nrank: 7.5\nrating_explanation: Bread matters.\nsize: 3"


def test_a_report_is_a_text_about_its_community_and_all_that_is_in_it(tmp_path: Path) -> None:
    found = Found(open_graph_file(graphrag(tmp_path)))
    [report] = [row for row in found.nodes if row["type"] == "DocumentChunk"]
    properties = json.loads(report["properties"])
    assert (properties["text"], properties["document_name"]) == (REPORT, "The bakers of Lyon")
    assert properties["metadata"] == {"index_fields": ["text"]}
    names = {row["id"]: row["name"] for row in found.nodes}
    contained = {names[row["target"]] for row in found.edges if row["source"] == report["id"]}
    assert contained == {"The bakers of Lyon", "MIRA", "PAUL", "LYON"}
    archive = write_archive(found.reader, tmp_path / "g.cogx.tar.gz")
    assert archive.record_counts["document"] == 1


def test_of_releases_that_know_no_numbers_the_id_is_the_number(tmp_path: Path) -> None:
    communities = [{"id": "0", "title": "Community 0", "level": 0, "relationship_ids": ["r1"], "text_unit_ids": ["t1"]}]
    reports = [{"id": "u", "community": "0", "title": "Bakers", "full_content": REPORT, "summary": "Who bakes."}]
    found = Found(open_graph_file(graphrag(tmp_path, communities=communities, community_reports=reports)))
    assert ("Bakers", "is_a", "community") in found.triples
    assert len([row for row in found.edges if row["relationship"] == "contains"]) == 1


@pytest.mark.parametrize(("missing", "communities", "reports"), [("communities", 1, 1), ("community_reports", 2, 0)])
def test_either_table_may_be_missing(tmp_path: Path, missing: str, communities: int, reports: int) -> None:
    without: dict[str, Any] = {missing: []}
    found = Found(open_graph_file(graphrag(tmp_path, **without)))
    kinds = [row["type"] for row in found.nodes]
    assert kinds.count("Entity") == 3 + communities
    assert kinds.count("DocumentChunk") == reports


def test_with_nodes_of_their_own_types_a_community_is_one_too(tmp_path: Path) -> None:
    mapping = GraphMapping(as_nodes="typed")
    found = Found(open_graph_file(graphrag(tmp_path), mapping=mapping))
    assert (found.types["The bakers of Lyon"], found.node("community:0")["properties"]["rank"]) == ("community", 7.5)


def test_a_community_that_is_there_twice_or_has_no_number_is_named(tmp_path: Path) -> None:
    with pytest.raises(GraphFileError, match=r"communities\.parquet, row 1, communities\.parquet, row 2"):
        open_graph_file(graphrag(tmp_path, communities=GRAPHRAG["communities"][:1] * 2))
    with pytest.raises(GraphFileError, match=r"a community without a number \(communities\.parquet, row 1\)"):
        open_graph_file(graphrag(tmp_path, communities=[{"title": "?"}]))


def nano(folder: Path, reports: Any) -> Path:
    graph = nx.Graph()
    for name in ('"MIRA"', '"LYON"'):
        graph.add_node(name, entity_type='"PERSON"', source_id="c1", clusters='[{"level": 0, "cluster": "0"}]')
    nx.write_graphml(graph, folder / "graph_chunk_entity_relation.graphml")
    (folder / "kv_store_community_reports.json").write_text(json.dumps(reports))
    return folder


def test_nano_graphrags_reports_say_the_same(tmp_path: Path) -> None:
    said = {"title": "The bakers of Lyon", "summary": "Who bakes.", "findings": [], "rating": 5.0}
    report = {
        "report_string": REPORT, "report_json": said, "level": 0, "title": "Cluster 0", "occurrence": 1.0,
        "nodes": ['"MIRA"', '"LYON"', '"GONE"'], "edges": [], "sub_communities": ["1"],
    }  # fmt: skip
    smaller = {"report_string": "", "title": "Cluster 1", "nodes": ['"MIRA"']}
    found = Found(open_graph_file(nano(tmp_path, {"0": report, "1": smaller})))
    bakers = "The bakers of Lyon"
    assert {
        ("MIRA", "member_of", bakers), ("LYON", "member_of", bakers), ("MIRA", "member_of", "Cluster 1"),
        ("Cluster 1", "part_of", bakers),
    } == {triple for triple in found.triples if triple[1] in {"member_of", "part_of"}}  # fmt: skip
    assert found.node("text:report:0")["properties"]["text"] == REPORT
    assert [row["relationship"] for row in found.edges].count("contains") == 3
    assert (
        found.node("community:0")["properties"]["description"] == "Who bakes.\nlevel: 0\noccurrence: 1.0\nrating: 5.0"
    )
    assert found.reader.attributes_left_behind == {}


@pytest.mark.parametrize(("reports", "reason"), [([], "not a JSON object of reports"), ({"0": 1}, "a report '0' in")])
def test_reports_that_are_none_are_refused_by_name(tmp_path: Path, reports: Any, reason: str) -> None:
    with pytest.raises(GraphFileError, match=reason):
        open_graph_file(nano(tmp_path, reports))


def test_reports_are_fetched_with_a_folder_elsewhere() -> None:
    for name in ("kv_store_community_reports.json", "communities.parquet", "create_final_community_reports.parquet"):
        assert is_read_from_folders(name)
