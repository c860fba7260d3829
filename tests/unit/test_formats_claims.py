"""GraphRAG's claims arrive as entities that lead to whom they are about, with their times.

``CLAIM`` has the columns that GraphRAG 3 documents; the corpus has the claims of a real run.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.files import open_graph_file
from tests.graph_files import Found
from tests.unit.test_corpus import CORPUS

CLAIM = {
    "id": "k1", "human_readable_id": 0, "covariate_type": "claim", "type": "OVERTIME",
    "description": "Mira works nights.",
    "subject_id": "MIRA", "object_id": "PAUL", "status": "SUSPECTED", "start_date": "2022-01-10T00:00:00",
    "end_date": "NONE", "source_text": "Mira works nights for Paul.", "text_unit_id": "t1",
}  # fmt: skip
OTHER = {
    **CLAIM,
    "id": "k2",
    "human_readable_id": 1,
    "subject_id": "NOBODY",
    "object_id": "NONE",
    "text_unit_id": "gone",
}
TABLES: dict[str, list[dict[str, Any]]] = {
    "entities": [{"id": f"e{n}", "title": title, "type": "PERSON"} for n, title in enumerate(["MIRA", "PAUL"])],
    "relationships": [{"id": "r1", "source": "MIRA", "target": "PAUL", "description": "Paul employs Mira."}],
    "text_units": [{"id": "t1", "text": "Mira works nights for Paul.", "n_tokens": 5, "document_ids": []}],
    "covariates": [CLAIM, OTHER],
}


def written(folder: Path, **tables: Any) -> Path:
    for name, rows in (TABLES | tables).items():
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
    return folder


def test_a_claim_leads_to_whom_it_is_about_and_whom_it_involves_and_to_its_text(tmp_path: Path) -> None:
    found = Found(open_graph_file(written(tmp_path)))
    claim = "MIRA: OVERTIME"
    assert {triple for triple in found.triples if triple[0] == claim} == {
        (claim, "is_a", "claim"), (claim, "claimed_of", "MIRA"), (claim, "involves", "PAUL"),
    }  # fmt: skip
    assert [relationship for _, relationship, target in found.triples if target == claim] == ["contains"]
    assert found.edge_texts()[claim, "claimed_of", "MIRA"] == "It is claimed of MIRA: Mira works nights."
    assert [row["relationship"] for row in found.edges].count("contains") == 1
    [of] = [each for each in found.edge_properties() if "It is claimed" in each["edge_text"]]
    assert of["valid_at"].startswith("2022-01-10")
    assert "invalid_at" not in of


def test_all_that_a_claim_says_is_in_its_description(tmp_path: Path) -> None:
    found = Found(open_graph_file(written(tmp_path)))
    assert found.node("claim:k1")["properties"]["description"] == (
        "Mira works nights.\nclaim_type: OVERTIME\nhuman_readable_id: 0\nobject: PAUL\n"
        "source_text: Mira works nights for Paul.\nstart_date: 2022-01-10T00:00:00\nstatus: SUSPECTED"
    )
    assert found.reader.attributes_left_behind == {"id": 3}


def test_a_claim_about_nobody_in_the_graph_arrives_all_the_same(tmp_path: Path) -> None:
    found = Found(open_graph_file(written(tmp_path)))
    assert [triple for triple in found.triples if triple[0] == "NOBODY: OVERTIME"] == [
        ("NOBODY: OVERTIME", "is_a", "claim")
    ]


def test_a_claim_without_an_id_is_named(tmp_path: Path) -> None:
    claim = {name: value for name, value in CLAIM.items() if name != "id"}
    with pytest.raises(GraphFileError, match=r"a claim without an id \(covariates\.parquet, row 1\)"):
        open_graph_file(written(tmp_path, covariates=[claim]))


def test_the_claims_of_a_real_run_lead_to_their_entities_with_their_days() -> None:
    found = Found(open_graph_file(CORPUS / "graphrag-claims"))
    edges = zip(found.triples, found.edge_properties(), strict=True)
    days = [(*triple[1:], said.get("valid_at"), said.get("invalid_at")) for triple, said in edges]
    assert sorted(each for each in days if each[0] in {"claimed_of", "involves"}) == [
        ("claimed_of", "ATLAS", "2026-03-09T00:00:00", "2026-03-11T00:00:00"),
        ("claimed_of", "ATLAS", "2026-03-09T00:00:00", "2026-03-11T00:00:00"),
        ("claimed_of", "ATLAS", "2026-03-12T00:00:00", None),
        ("claimed_of", "DATA PLATFORM", "2026-04-01T00:00:00", None),
        ("claimed_of", "KESTREL", "2026-03-02T00:00:00", None),
        ("involves", "COMPASS", None, None),
        ("involves", "HARBORMASTER", None, None),
        ("involves", "KESTREL", None, None),
        ("involves", "LANTERN", None, None),
    ]
    [suspected] = [row["properties"] for row in found.nodes if row["name"] == "DATA PLATFORM: INCIDENT"]
    assert "status: SUSPECTED" in suspected


def test_the_row_that_graphrag_writes_for_a_text_without_claims_is_none() -> None:
    """A real run has one: its model found no claim in one of two texts."""
    folder = CORPUS / "graphrag-claims"
    rows = pq.read_table(folder / "covariates.parquet").to_pylist()
    empty = [row for row in rows if (row["subject_id"], row["description"], row["type"]) == ("", None, None)]
    assert (len(empty), len(rows)) == (1, 6)
    claims = [source for source, *kind in Found(open_graph_file(folder)).triples if kind == ["is_a", "claim"]]
    assert sorted(claims) == ["ATLAS: INCIDENT"] * 3 + ["DATA PLATFORM: INCIDENT", "KESTREL: INCIDENT"]


def test_a_claim_names_an_entity_in_whatever_case_its_model_wrote_it(tmp_path: Path) -> None:
    claim = {**CLAIM, "subject_id": "Mira", "object_id": "paul"}
    found = Found(open_graph_file(written(tmp_path, covariates=[claim])))
    assert {triple for triple in found.triples if triple[1] in {"claimed_of", "involves"}} == {
        ("Mira: OVERTIME", "claimed_of", "MIRA"),
        ("Mira: OVERTIME", "involves", "PAUL"),
    }


def test_a_claim_of_one_day_has_no_end_before_it_began(tmp_path: Path) -> None:
    day = CLAIM["start_date"]
    times = {}
    for end in (day, "2022-02-01T00:00:00"):
        (folder := tmp_path / str(end)[:10]).mkdir()
        found = Found(open_graph_file(written(folder, covariates=[{**CLAIM, "end_date": end}])))
        [of] = [said for said in found.edge_properties() if "It is claimed" in said["edge_text"]]
        times[end] = of["valid_at"], of.get("invalid_at")
    assert times == {day: (day, None), "2022-02-01T00:00:00": (day, "2022-02-01T00:00:00")}
