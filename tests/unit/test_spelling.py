"""A hint is given only where it is near: one that is far off sends people the wrong way."""

import pytest

from cognee_dagster.system.spelling import nearest


@pytest.mark.parametrize(
    ("written", "known", "found"),
    [
        ("nmae", ["name", "mode"], ["name"]),
        ("--targt", ["--target-dataset", "--wait"], ["--target-dataset"]),
        ("--arch", ["--archives", "--archive", "--json"], ["--archives", "--archive"]),
        ("birds", ["Birds", "birdsong"], ["Birds"]),
        ("--name", ["--mode"], []),
        ("--file", ["--profile"], []),
        ("kind", ["id"], []),
        ("graph2", ["graph1", "graph"], []),
        ("a", ["b", "ab"], []),
    ],
)
def test_only_what_is_near_is_offered(written: str, known: list[str], found: list[str]) -> None:
    assert nearest(written, known) == found


def test_what_all_names_begin_with_makes_none_of_them_nearer() -> None:
    known = ["COGNEE_DAGSTER_ARCHIVES", "COGNEE_DAGSTER_PYTHON"]
    assert nearest("COGNEE_DAGSTER_COLOUR", known, besides="COGNEE_DAGSTER_") == []
    assert nearest("COGNEE_DAGSTER_ARCHIVE", known, besides="COGNEE_DAGSTER_") == known[:1]
