"""Examples of nodes and edges in what a person reads."""

from cognee_dagster.pushing.comparison.wording import with_name, with_names


def test_a_name_of_megabytes_is_shown_by_its_beginning() -> None:
    long = "x" * 2**20
    assert with_name("a", "Ada") == "a Ada"
    assert with_name("a", long) == f"a {'x' * 120}…"
    assert with_names(("a", "knows", "b"), source="Ada", target=long) == f"a knows b (Ada knows {'x' * 120}…)"
